/* SPDX-License-Identifier: MIT */
/* gdb_idle.S - harts wait, spin, or power off, by label; M mode. */
    .option norvc
    .section .text, "ax"
    .globl _start, sleep, wfi_insn, after_wfi, spin, power_off, store_off, fail
    .globl copy, module
_start:
    la      t0, sleep
    csrw    mtvec, t0
    .balign 4
sleep:
wfi_insn:
    wfi
after_wfi:
    j       sleep

spin:
    addi    a0, a0, 1
    j       spin

power_off:
    li      t0, 0x100000
    li      t1, 0x5555
store_off:
    sw      t1, 0(t0)
    j       sleep

fail:
    li      t0, 0x100000
    li      t1, 0x33333
    sw      t1, 0(t0)
    j       sleep

/* Writes a subroutine and calls it. */
copy:
    la      t0, source
    la      t1, module
    lw      t2, 0(t0)
    sw      t2, 0(t1)
    lw      t2, 4(t0)
    sw      t2, 4(t1)
    fence.i
    jal     ra, module
    j       sleep
source:
    addi    a2, a2, 1
    ret

    .section .data, "aw"
    .balign 64
module:
    .zero 64
