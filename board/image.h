/* SPDX-License-Identifier: MIT */
/*
 * image.h - files that go into guest memory: recognising, unpacking.
 *
 * Files are hostile until checked: every size and offset in them is held
 * against what is really there before it is used.
 */
#ifndef BOARD_IMAGE_H
#define BOARD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct image;

/* The most a kernel may unpack to: more is a mistake. */
#define UNPACK_MAX (UINT64_C(512) << 20)

/*
 * Undoes what a kernel may be wrapped in, in place, until there is no more of
 * it: gzip, and the EFI zboot shell of newer distributions.
 */
bool image_unpack(struct buf *b, struct err *err);

/* False, naming the architecture, if this is plainly another one's kernel. */
bool image_is_riscv(const struct buf *b, struct err *err);

/* U-Boot's legacy header (a uImage), if there is one. */
struct uimage {
    uint32_t load, entry;
    uint8_t type, compression;
};
enum { UIMAGE_KERNEL = 2, UIMAGE_RAMDISK = 3, UIMAGE_KERNEL_NOLOAD = 14 };

bool uimage_parse(const struct buf *b, struct uimage *u);
/* Takes the header away and unpacks what it wrapped. */
bool uimage_strip(struct buf *b, struct err *err);

bool elf_is(const struct buf *b);

/* One segment: len bytes from the file, zeros up to size. */
typedef void elf_segment_fn(void *opaque, int n, uint64_t addr,
                            const void *data, size_t len, uint64_t size);

struct elf_bounds {
    uint64_t entry, low, high; /* high: one past the last byte */
};

/* Calls fn for each loadable segment, at its physical address. */
bool elf_segments(const struct buf *b, elf_segment_fn *fn, void *opaque,
                  struct elf_bounds *bounds, struct err *err);

/* Tells debuggers of the segments and symbols of a program that was loaded. */
void elf_describe(const struct buf *b, struct image *to);

#endif
