# SPDX-License-Identifier: MIT
# points.S - loops for points.py: LOOP 1 computes and stores, 2 does nothing but
# access one page, 3 passes a breakpoint, 4 is 2 in S-mode under Sv39. ROUNDS
# times, then power-off.
    .option norvc
    .globl _start
_start:
    li      s0, ROUNDS
    la      s1, data
    li      s2, 2048
    add     s2, s1, s2
    li      a0, 0
#if LOOP == 4
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    la      t0, root
    srli    t0, t0, 12
    li      t1, 8
    slli    t1, t1, 60
    or      t0, t0, t1
    csrw    satp, t0
    li      t0, 1 << 11
    csrw    mstatus, t0
    la      t0, 1f
    csrw    mepc, t0
    mret
#endif
#if LOOP == 1
1:  addi    a0, a0, 1
    xor     a1, a1, a0
    sd      a1, 0(s1)
    ld      a2, 8(s1)
    add     a1, a1, a2
    bltu    a0, s0, 1b
#elif LOOP == 2 || LOOP == 4
1:  ld      a1, 0(s1)
    sd      a1, 8(s1)
    lw      a2, 16(s1)
    sw      a2, 0(s2)
    addi    a0, a0, 1
    bltu    a0, s0, 1b
#else
1:  addi    a0, a0, 1
here:
    addi    a1, a1, 1
    bltu    a0, s0, 1b
#endif
    li      t0, 0x100000
    li      t1, 0x5555
    sw      t1, 0(t0)
2:  j       2b
never:
    nop
    .globl  here, never, data
    .balign 4096
root: # gigapages where they are: devices, and RAM
    .quad   0 | 0xcf, 0, 0x80000000 >> 2 | 0xcf
    .balign 4096
data:
    .zero   4096
    .zero   2 << 20
