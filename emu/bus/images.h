/* SPDX-License-Identifier: MIT */
/*
 * images.h - the files that were put into memory: where each came from, where
 * its segments lie, and the symbols of those that have any.
 *
 * For debuggers only; the guest never notices. A file is opened when it is
 * loaded, so what a debugger reads later is what was loaded, also after a
 * compiler has put a new one in its place.
 */
#ifndef EMU_BUS_IMAGES_H
#define EMU_BUS_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct images;

enum image_role {
    IMAGE_FIRMWARE,
    IMAGE_KERNEL,
    IMAGE_RAMDISK,
    IMAGE_LOADER, /* -device loader */
};

struct image_segment {
    uint64_t va, pa, size;
};

struct image {
    char *path; /* absolute; of one that is in memory, only a name */
    enum image_role role;
    bool elf;                      /* the file itself: a debugger can read it */
    struct image_segment *segment; /* in the file's order */
    size_t segments;
    /* The rest is images.c's. */
    int fd; /* -1: in memory */
    const void *data;
    size_t len;
    struct image_symbols *symbols;
};

struct images *images_new(void);
void images_free(struct images *s);

/* data: of a file that is in memory (built in, or from a recording),
 * borrowed; NULL: path is read. */
struct image *images_add(struct images *s, enum image_role role,
                         const char *path, const void *data, size_t len);
void image_add_segment(struct image *i, uint64_t va, uint64_t pa,
                       uint64_t size);
/* size 0: up to the next symbol. */
void image_add_symbol(struct image *i, const char *name, uint64_t va,
                      uint64_t size);

const struct image *images_nth(const struct images *s, size_t n);

/* Bytes of the file: how many were read, 0 at its end, -1: errno says why. */
int64_t image_read_at(const struct image *i, uint64_t offset, void *data,
                      size_t len);
int64_t image_length(const struct image *i); /* -1: errno says why */

/*
 * The symbol that addr lies in and how far in, NULL if none. A kernel that
 * runs before its page tables are on is found at its physical addresses, too.
 */
const char *images_symbol(const struct images *s, uint64_t addr,
                          uint64_t *offset);

/* Where the segments say that va was put in memory. */
bool images_physical(const struct images *s, uint64_t va, uint64_t *pa);

#endif
