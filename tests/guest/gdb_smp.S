/* SPDX-License-Identifier: MIT */
/*
 * gdb_smp.S - all harts take one lock by lr and sc, count, and give it back,
 * for ever; M mode. Hart N's own count is own[N].
 */
    .option norvc
    .section .text, "ax"
    .globl _start, again, lock, got_lock, next_line, counted, own_add
_start:
    csrr    s0, mhartid
    la      s1, own
    slli    t0, s0, 3
    add     s1, s1, t0
    la      s2, the_lock
    la      s3, total
again:
    jal     ra, lock
    nop                             /* gdb: a label here were a function */
next_line:
    ld      t0, 0(s3)
    addi    t0, t0, 1
    sd      t0, 0(s3)
    amoswap.w.rl x0, x0, (s2)
own_add:
    ld      t0, 0(s1)
    addi    t0, t0, 1
    sd      t0, 0(s1)
counted:
    j       again

lock:
    li      t1, 1
spin:
    lr.w.aq t0, (s2)
    bnez    t0, spin
    sc.w    t0, t1, (s2)
    bnez    t0, spin
got_lock:
    ret

    .section .data, "aw"
    .globl the_lock, total, own
    .balign 64
the_lock: .word 0
    .balign 8
total:  .dword 0
own:    .zero 64 * 8
    .type lock, @function
    .type total, @object
    .size total, 8
    .type own, @object
    .size own, 512
