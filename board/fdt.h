/* SPDX-License-Identifier: MIT */
/* fdt.h - the device tree of the virt board, and what a boot adds to it. */
#ifndef BOARD_FDT_H
#define BOARD_FDT_H

#include <stdbool.h>
#include <stdint.h>

struct virt_config;
struct buf;
struct err;

/* Appends the finished blob. */
void fdt_build(const struct virt_config *c, struct buf *out);

/* Is what was read from a -dtb file a device tree? */
bool fdt_accept(struct buf *dtb, struct err *err);

/*
 * Writes /chosen's bootargs (unless NULL or empty) and linux,initrd-start and
 * -end (unless the two are equal), then packs the tree again.
 */
bool fdt_choose(struct buf *dtb, const char *bootargs, uint64_t initrd_start,
                uint64_t initrd_end, struct err *err);

/* The tree as dtc would print it; a damaged one up to where it is. */
void fdt_print(const void *dtb, uint32_t len, struct buf *out);

#endif
