/* SPDX-License-Identifier: MIT */
/*
 * gdb_tasks.S - what a debugger looks at in a Linux, and nothing of a Linux:
 * a banner, tasks with a name in them, tp and sscratch as its entry code keeps
 * them.
 */
    .option norvc
    .globl _start, in_kernel, in_user, linux_banner, init_task
_start:
    li    t0, -1
    csrw  pmpaddr0, t0
    li    t0, 0x1f
    csrw  pmpcfg0, t0
    la    tp, init_task
    csrw  sscratch, zero
    li    t0, 1 << 11           # MPP: S
    csrw  mstatus, t0
    la    t0, in_kernel
    csrw  mepc, t0
    mret
in_kernel:
    nop
    la    t0, other_task        # as on the way to user mode
    csrw  sscratch, t0
    li    tp, 0
    la    t0, in_user
    csrw  sepc, t0
    sret
in_user:
    nop
    j     in_user

    .data
    .balign 16
linux_banner:
    .asciz "Linux version 6.0.0 (of a test)\n"
    .balign 64
init_task:
    .zero 704
    .asciz "swapper/0"
    .zero 2000
    .balign 64
other_task:
    .zero 704
    .asciz "sh"
