/* SPDX-License-Identifier: MIT */
/*
 * gdb_watch.S - one access of each kind to watched memory, M mode; each has a
 * label, and the round starts anew.
 */
    .option norvc
    .section .text, "ax"
    .globl _start, round, load_byte, store_word, amo, sc_insn, store_double
    .globl store_block, straddle, zero_block, store_same
_start:
    li      s0, 0
round:
    addi    s0, s0, 1
    la      a0, word
load_byte:
    lbu     t0, 2(a0)
store_word:
    sw      s0, 0(a0)
    li      t1, 3
amo:
    amoadd.w t0, t1, (a0)
    lr.w    t0, (a0)
    addi    t0, t0, 1
sc_insn:
    sc.w    t1, t0, (a0)
    la      a0, double_
store_double:
    sd      s0, 0(a0)
store_same:
    sd      s0, 0(a0)
    la      a0, block + 3000
store_block:
    sb      s0, 0(a0)
    la      a0, block + 4094
straddle:
    sw      s0, 0(a0)               /* the last two bytes, and two beyond */
    la      a0, line
zero_block:
    .insn i 0x0f, 2, x0, a0, 4      /* cbo.zero */
    j       round

    .section .data, "aw"
    .globl word, double_, block, line
    .balign 64
line:   .fill 64, 1, 0x55
word:   .word 0
    .balign 8
double_: .dword 0
    .balign 4096
block:  .zero 4096
    .zero 64
    .type word, @object
    .size word, 4
    .type double_, @object
    .size double_, 8
    .type block, @object
    .size block, 4096
    .type line, @object
    .size line, 64
