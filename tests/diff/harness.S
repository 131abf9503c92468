# SPDX-License-Identifier: MIT
# harness.S - in and out of the random programs.

    .option norelax
    .equ SAVE, 0x80020000
    .equ STACK, 0x80030000
    .equ BATCH, 0x80030000
    .equ DATA, 0x82003000

    .section .entry, "ax"
    .globl _start
_start:
    csrr t0, mhartid
    bnez t0, park
    li sp, STACK
    li t0, SAVE
    csrw mscratch, t0
    call boot
    j resume
park: # QEMU only has atomics that are like a hart's where there are two
    csrw mie, zero
    li t0, BATCH
    ld t1, 7*8(t0) # busy
    bnez t1, busy
1:  wfi
    j 1b

# Every trap to M. The save area's address is bits 31 and 17: the only one of
# them that mstatus has is MPRV, under which nothing could be stored here.
    .org 0x100
    .globl trap_entry
trap_entry:
    csrrw sp, mscratch, sp
    csrc mstatus, sp
    sd x1, 8(sp)
    .irp r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\r, \r*8(sp)
    .endr
    csrrw t0, mscratch, sp
    sd t0, 16(sp)
    li sp, STACK
    call on_trap
resume:
    li sp, SAVE
    ld x1, 8(sp)
    .irp r, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\r, \r*8(sp)
    .endr
    ld sp, 16(sp)
    mret

# Where ebreak is alone: when harts take turns is exact, too.
    .text
busy:
    li t0, DATA
    li t1, 0
    li t3, 0x3ff8
1:  add t2, t0, t1
    amoadd.w zero, t1, (t2)
    addi t1, t1, 264
    and t1, t1, t3
    j 1b

    .globl load_fp, save_fp
    .option arch, +f, +d
load_fp:
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\r, \r*8(a0)
    .endr
    fscsr a1
    ret
save_fp:
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\r, \r*8(a0)
    .endr
    frcsr a0
    ret
