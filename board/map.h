/* SPDX-License-Identifier: MIT */
/*
 * map.h - where everything is on the virt board, and on which wire.
 *
 * Addresses are QEMU's (hw/riscv/virt.c): guests know them by heart.
 */
#ifndef BOARD_MAP_H
#define BOARD_MAP_H

#include <stdint.h>

enum {
    MAP_MROM,
    MAP_TEST,
    MAP_RTC,
    MAP_CLINT,
    MAP_SSWI,
    MAP_PLATFORM,
    MAP_PLIC,
    MAP_UART,
    MAP_VIRTIO, /* the first of VIRTIO_SLOTS, one page each */
    MAP_FWCFG,
    MAP_FLASH0,
    MAP_FLASH1,
    MAP_DRAM,
    MAP_COUNT
};

/* size is the slot that the device tree names; a chip may answer to less. */
struct map_slot {
    uint64_t base, size;
    const char *name; /* as in `info mtree`; NULL: the chip names itself */
};
extern const struct map_slot virt_map[MAP_COUNT];

enum { VIRTIO_SLOTS = 8 };

/* Inputs of the PLIC. */
enum {
    SOURCE_VIRTIO = 1, /* and the seven that follow */
    SOURCE_UART = 10,
    SOURCE_RTC = 11,
    SOURCE_LAST = 95,
};

#endif
