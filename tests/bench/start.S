# SPDX-License-Identifier: MIT
# start.S - runs the kernel whose number is in a0 and waits for ever, its
# result in a0. The trap handler steps over an ecall. With KERNEL and TIMES
# defined: runs that kernel so many times and powers the machine off.
    .globl _start, supervised
_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, stack_top
    la      t0, handler
    csrw    mtvec, t0
    csrw    mie, zero
    li      t0, 0x6000          # mstatus.FS
    csrs    mstatus, t0
#ifdef KERNEL
    li      s11, TIMES
2:  li      a0, KERNEL
#endif
    la      t0, kernels
    slli    a0, a0, 3
    add     t0, t0, a0
    ld      t0, 0(t0)
    jalr    t0
#ifdef KERNEL
    addi    s11, s11, -1
    bnez    s11, 2b
    li      t0, 0x100000        # the finisher
    li      t1, 0x5555
    sw      t1, 0(t0)
#endif
1:  wfi
    j       1b

    .balign 4
handler:
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    mret

# a0(), in S-mode under satp = a1: its ecall at the end comes back to 1.
supervised:
    addi    sp, sp, -16
    sd      ra, 0(sp)
    li      t0, -1              # all of memory, by one entry of PMP
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    csrw    satp, a1
    sfence.vma
    li      t0, 0x1800          # mstatus.MPP: S
    csrc    mstatus, t0
    li      t0, 0x800
    csrs    mstatus, t0
    csrw    mepc, a0
    la      t0, 1f
    csrw    mtvec, t0
    la      ra, 2f
    mret
2:  ecall
    .balign 4
1:  csrw    satp, zero
    la      t0, handler
    csrw    mtvec, t0
    ld      ra, 0(sp)
    addi    sp, sp, 16
    ret

    .bss
    .balign 16
    .skip   65536
stack_top:
