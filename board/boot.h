/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what goes into memory before the first instruction: firmware,
 * kernel, initial ramdisk, device tree, reset vector.
 */
#ifndef BOARD_BOOT_H
#define BOARD_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "emu/base/buf.h"

struct virt_config;
struct virt_loader;
struct roms;
struct fwcfg;
struct err;

/*
 * Where firmware is looked for after the -L directories: ours, then where
 * Debian's qemu and opensbi packages put it.
 */
#define BOOT_DATA_DIRS                                                         \
    "/usr/share/ebreak", "/usr/share/qemu",                                    \
        "/usr/lib/riscv64-linux-gnu/opensbi/generic"

struct boot {
    const struct virt_config *config;
    struct roms *roms;
    struct fwcfg *fwcfg;
    bool loader_used; /* -device loader: then there is no demo kernel */

    /* Found out by boot_load. */
    uint64_t start;        /* where the reset vector jumps to */
    uint64_t next;         /* where OpenSBI goes from there */
    uint64_t firmware_end; /* one past the firmware */
    uint64_t kernel_low, kernel_high;
    uint64_t initrd_start, initrd_end;
    uint64_t fdt_addr;
    struct buf fdt;
};

bool boot_load(struct boot *b, struct err *err);
void boot_free(struct boot *b);

/* One -device loader; *entry is where its cpu-num would start. */
bool boot_extra(struct boot *b, const struct virt_loader *l, uint64_t *entry,
                struct err *err);

#endif
