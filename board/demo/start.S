/* SPDX-License-Identifier: MIT */
/*
 * start.S - the demo kernel's entries: from reset, from M mode into the
 * kernel, from a task into the kernel and back.
 */
#include "board/demo/layout.h"

    .cfi_sections .debug_frame  /* for debuggers: nobody called these */

/*
 * M mode, paging off. Every hart begins here, with its number in a0. Each
 * takes a stack of its own and goes on in C.
 */
    .section .text.machine, "ax"
    .globl _start, enter_kernel
_start:
    .cfi_startproc
    .cfi_undefined ra
    csrr    a0, mhartid
    li      t0, MAX_HARTS
    bgeu    a0, t0, machine_sleep
    la      t0, machine_trap
    csrw    mtvec, t0
    la      sp, machine_stacks
    addi    t0, a0, 1
    li      t1, STACK_SIZE
    mul     t0, t0, t1
    add     sp, sp, t0
    call    machine_main

/*
 * machine_main is done: mret drops to S mode, and only there, with satp set,
 * addresses begin to be virtual: the next instruction is at supervisor_start.
 */
enter_kernel:
    ld      t0, supervisor_entry
    csrw    mepc, t0
    csrr    a0, mhartid
mret_to_kernel:
    mret
    .cfi_endproc

    .balign 8
supervisor_entry:               /* too far away for a pc-relative address */
    .dword  supervisor_start

    .balign 4
machine_trap:                   /* everything is delegated: nobody comes here */
machine_sleep:
    wfi
    j       machine_sleep

/* S mode, paging on, at a high address; a0 is still the hart's number. */
    .section .text.supervisor, "ax"
    .globl supervisor_start, return_to_task, sret_to_task
supervisor_start:
    .cfi_startproc
    .cfi_undefined ra
    la      sp, kernel_stacks
    addi    t0, a0, 1
    li      t1, STACK_SIZE
    mul     t0, t0, t1
    add     sp, sp, t0
    la      t0, task_trap
    csrw    stvec, t0
    bnez    a0, other_hart
    call    kernel_main
other_hart:
    call    idle_main
    .cfi_endproc

/*
 * A task was interrupted, made a system call or did something wrong. While a
 * task runs, sscratch points to its frame; only hart 0 runs tasks, and the
 * kernel itself is never interrupted.
 */
    .balign 4
task_trap:
    csrrw   a0, sscratch, a0    /* a0: its frame; sscratch: its a0 */
    .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8*\n(a0)
    .endr
    csrr    t0, sscratch
    sd      t0, 8*10(a0)
    csrr    t0, sepc
    sd      t0, 0(a0)
    la      sp, kernel_stacks + STACK_SIZE
    call    on_trap             /* returns the frame of the task to run next */

/* void return_to_task(struct frame *f): never returns. */
return_to_task:
    csrw    sscratch, a0
    ld      t0, 0(a0)
    csrw    sepc, t0
    .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld      x\n, 8*\n(a0)
    .endr
    ld      a0, 8*10(a0)
sret_to_task:
    sret
