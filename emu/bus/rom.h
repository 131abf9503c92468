/* SPDX-License-Identifier: MIT */
/*
 * rom.h - the blobs that are copied into memory at every reset: reset vector,
 * firmware, kernel, initrd, device tree. `info roms` lists them.
 */
#ifndef EMU_BUS_ROM_H
#define EMU_BUS_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;
struct roms;
struct err;

struct rom {
    char *name;    /* "mrom.reset", "fdt", a file's name */
    uint64_t addr; /* physical */
    uint64_t size; /* in memory; bytes past len are zeroed */
    uint8_t *data; /* len bytes, owned */
    size_t len;
};

struct roms *roms_new(struct mem *m);
void roms_free(struct roms *s);

/* Copies data. */
struct rom *rom_add(struct roms *s, const char *name, uint64_t addr,
                    const void *data, size_t len, uint64_t size);

/* QEMU's overlap check and text; also refuses blobs outside of memory. */
bool roms_check(const struct roms *s, struct err *err);
void roms_reset(struct roms *s); /* copies every blob in */
const struct rom *rom_nth(const struct roms *s, size_t n); /* by address */

#endif
