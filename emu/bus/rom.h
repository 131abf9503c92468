/* SPDX-License-Identifier: MIT */
/*
 * rom.h - the blobs that are copied into memory at every reset: reset vector,
 * firmware, kernel, initrd, device tree. `info roms` lists them.
 *
 * A blob in RAM is kept where it lies: once it is there, only those of its
 * pages are copied aside that somebody writes (MEM_ATTN_IMAGE), and only they
 * come back at a reset. A kernel costs little more than what it overwrites.
 */
#ifndef EMU_BUS_ROM_H
#define EMU_BUS_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;
struct roms;
struct images;
struct err;

struct rom {
    char *name;    /* "mrom.reset", "fdt", a file's name */
    uint64_t addr; /* physical */
    uint64_t size; /* in memory; bytes past len are zeroed */
    size_t len;
    uint8_t *data;   /* len bytes, owned; NULL: kept where it lies */
    uint8_t **saved; /* then: its pages as they were, NULL: still are */
};

struct roms *roms_new(struct mem *m);
void roms_free(struct roms *s);

/* Copies data. */
struct rom *rom_add(struct roms *s, const char *name, uint64_t addr,
                    const void *data, size_t len, uint64_t size);

/* QEMU's overlap check and text; also refuses blobs outside of memory. */
bool roms_check(const struct roms *s, struct err *err);
void roms_reset(struct roms *s); /* copies every blob in */

/* The blob's bytes [off, off + n) as they are after a reset; n bytes that lie
 * within len. */
void rom_read(const struct roms *s, const struct rom *r, uint64_t off,
              void *data, size_t n);

const struct rom *rom_nth(const struct roms *s, size_t n); /* by address */

/* The files that blobs came from, for debuggers. */
struct images *roms_images(const struct roms *s);

#endif
