# SPDX-License-Identifier: MIT
# stores.S - for time.py: ROUNDS times over SIZE bytes, a store in every line
# of 64 bytes, and some work between them; then power-off.
    .option norvc
    .globl _start, round
_start:
    li      s0, ROUNDS
    li      s3, SIZE
    li      s4, 0x81000000
round:
    mv      s1, s4
    add     s2, s4, s3
1:  sd      a0, 0(s1)
    sd      a1, 8(s1)
    addi    a0, a0, 1
    xor     a1, a1, a0
    sd      a0, 16(s1)
    sd      a1, 24(s1)
    addi    s1, s1, 64
    bltu    s1, s2, 1b
    addi    s0, s0, -1
    bnez    s0, round
    li      t0, 0x100000
    li      t1, 0x5555
    sw      t1, 0(t0)
2:  j       2b
