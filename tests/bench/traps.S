# SPDX-License-Identifier: MIT
# traps.S - two million round trips from S-mode to M-mode: ecall and mret.
    .equ TRIPS, 2000000
    .globl _start
_start:
    la t0, handler
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x1800
    csrc mstatus, t0
    li t0, 0x800
    csrs mstatus, t0
    la t0, supervisor
    csrw mepc, t0
    li s0, TRIPS
    mret
supervisor:
    ecall
    addi s0, s0, -1
    bnez s0, supervisor
    li a7, 1
    ecall
    .balign 4
handler:
    bnez a7, off
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
off:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
