/* SPDX-License-Identifier: MIT */
/*
 * gdb_dma.S - asks fw_cfg to write its signature to 0x80010000 by DMA, the
 * request being at 0x80020000; M mode. Numbers are big-endian there.
 */
    .option norvc
    .section .text, "ax"
    .globl _start, kick, after
_start:
    li      t0, 0x80020000
    li      t1, 0x0a000000          /* item 0: select, read */
    sw      t1, 0(t0)
    li      t1, 0x04000000          /* 4 bytes */
    sw      t1, 4(t0)
    sw      zero, 8(t0)
    li      t1, 0x180               /* to 0x80010000 */
    sw      t1, 12(t0)
    li      t2, 0x10100000
    sw      zero, 16(t2)
    li      t1, 0x280               /* the request's address */
kick:
    sw      t1, 20(t2)
after:
    j       after
