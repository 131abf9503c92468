/* SPDX-License-Identifier: MIT */
/* map.c - the memory map of the virt board. */
#include "board/map.h"

#include <stddef.h>

const struct map_slot virt_map[MAP_COUNT] = {
    [MAP_MROM] = { 0x00001000, 0xf000, "riscv_virt_board.mrom" },
    [MAP_TEST] = { 0x00100000, 0x1000, NULL },
    [MAP_RTC] = { 0x00101000, 0x1000, NULL },
    [MAP_CLINT] = { 0x02000000, 0x10000, NULL },
    [MAP_SSWI] = { 0x02f00000, 0x4000, NULL },
    [MAP_PLATFORM] = { 0x04000000, 0x2000000, "platform bus" },
    [MAP_PLIC] = { 0x0c000000, 0x600000, NULL },
    [MAP_UART] = { 0x10000000, 0x100, NULL },
    [MAP_VIRTIO] = { 0x10001000, 0x1000, NULL },
    [MAP_FWCFG] = { 0x10100000, 0x18, NULL },
    [MAP_FLASH0] = { 0x20000000, 0x2000000, "virt.flash0" },
    [MAP_FLASH1] = { 0x22000000, 0x2000000, "virt.flash1" },
    [MAP_DRAM] = { 0x80000000, 0, "riscv_virt_board.ram" }, /* size: -m */
};
