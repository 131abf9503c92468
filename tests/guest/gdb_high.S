/* SPDX-License-Identifier: MIT */
/*
 * gdb_high.S - a kernel in miniature, linked high: M mode, mret to S with
 * Sv39 on, sret to U, and a trap of each kind on the way back.
 *
 *   0x0000_0000_0000_0000  RAM, for U mode
 *   0xffff_ffff_8000_0000  RAM, for S mode
 */
#define HIGH 0xffffffff80000000
#define RAM  0x80000000

    .option norvc
    .section .text, "ax"
    .globl _start, mret_insn, high, work, ecall_s, fault_load, brk
    .globl sret_insn, user, ecall_u, after_ecall_u, idle, m_trap, s_trap
_start:
    la      t0, m_trap
    csrw    mtvec, t0
    li      t0, 1 << 3 | 1 << 8 | 1 << 13 | 1 << 15
    csrw    medeleg, t0
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f                /* NAPOT, RWX: everything */
    csrw    pmpcfg0, t0
    la      t0, page_table
    li      t1, (RAM >> 2) | 0xdf   /* V R W X U A D */
    sd      t1, 0(t0)
    li      t1, (RAM >> 2) | 0xcf   /* V R W X A D */
    li      t2, 8 * 510
    add     t2, t0, t2
    sd      t1, 0(t2)
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    csrw    satp, t0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11
    csrs    mstatus, t0
    la      t0, high
    li      t1, HIGH - RAM
    add     t0, t0, t1
    csrw    mepc, t0
mret_insn:
    mret

    .balign 4
m_trap:                             /* only an ecall from S comes here */
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    mret

high:
    la      sp, stack_top
    la      t0, s_trap
    csrw    stvec, t0
    call    work
    call    work
ecall_s:
    ecall
    li      t2, 0x123456000
fault_load:
    ld      t1, 0(t2)
brk:
    ebreak
    li      t0, 1 << 8
    csrc    sstatus, t0
    la      t0, user
    li      t1, HIGH
    sub     t0, t0, t1
    csrw    sepc, t0
sret_insn:
    sret

    .balign 4
s_trap:
    addi    sp, sp, -16
    sd      t0, 0(sp)
    sd      t1, 8(sp)
    la      t0, traps
    ld      t1, 0(t0)
    addi    t1, t1, 1
    sd      t1, 0(t0)
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    ld      t0, 0(sp)
    ld      t1, 8(sp)
    addi    sp, sp, 16
    sret

work:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    la      t0, ticks
    ld      t1, 0(t0)
    addi    t1, t1, 1
work_store:
    sd      t1, 0(t0)
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

user:
    addi    a0, a0, 1
    addi    a0, a0, 1
ecall_u:
    ecall
after_ecall_u:
    wfi
idle:
    addi    a1, a1, 1
    j       idle

    .section .data, "aw"
    .balign 8
    .globl ticks, traps
ticks: .dword 0
traps: .dword 0
    .balign 4096
page_table:
    .zero 4096
    .zero 4096
stack_top:
    .size page_table, 4096
    .type ticks, @object
    .size ticks, 8
    .type traps, @object
    .size traps, 8
    .type work, @function
    .type user, @function
    .type s_trap, @function
    .type m_trap, @function
