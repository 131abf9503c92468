/* SPDX-License-Identifier: MIT */
/*
 * fp_exec.c - runs FP instructions for fp_diff.c: a freestanding program for
 * riscv64, to be run by somebody else's emulator, or by hardware.
 *
 * Batches come on stdin: an instruction word (rd is register 10, the sources
 * are 11, 12 and 13), a count, and as many operands. Results go to stdout.
 */
#include "tests/diff/fp_diff.h"

enum { SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 };

/* fp_run(in, out, code) */
__asm__(".globl fp_run\n"
        "fp_run:\n"
        "    addi sp, sp, -16\n"
        "    sd ra, 0(sp)\n"
        "    sd s0, 8(sp)\n"
        "    mv s0, a1\n"
        "    fld fa1, 0(a0)\n"
        "    fld fa2, 8(a0)\n"
        "    fld fa3, 16(a0)\n"
        "    ld a1, 24(a0)\n"
        "    ld t0, 32(a0)\n"
        "    fmv.d.x fa0, zero\n"
        "    fscsr t0\n"
        "    li a0, 0\n"
        "    jalr a2\n"
        "    frcsr t0\n"
        "    fsd fa0, 0(s0)\n"
        "    sd a0, 8(s0)\n"
        "    sd t0, 16(s0)\n"
        "    ld ra, 0(sp)\n"
        "    ld s0, 8(sp)\n"
        "    addi sp, sp, 16\n"
        "    ret\n");

void fp_run(const struct fp_in *in, struct fp_out *out, const void *code);

/* One segment holds everything and may be executed (ld -N). */
static uint32_t code[2] = { 0x00000013, 0x00008067 /* ret */ };

static long syscall3(long number, long a, long b, long c)
{
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a,
                     a1 __asm__("a1") = b, a2 __asm__("a2") = c;

    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static int transfer(long number, long fd, void *data, long size)
{
    for (long n = 0, done; n < size; n += done) {
        done = syscall3(number, fd, (long)data + n, size - n);
        if (done <= 0)
            return 0;
    }
    return 1;
}

void _start(void);
void _start(void)
{
    static struct fp_in in[FP_BATCH];
    static struct fp_out out[FP_BATCH];
    struct fp_batch batch;

    while (transfer(SYS_READ, 0, &batch, sizeof(batch)) &&
           batch.count <= FP_BATCH &&
           transfer(SYS_READ, 0, in, batch.count * (long)sizeof(in[0]))) {
        *(volatile uint32_t *)code = batch.insn;
        __asm__ volatile("fence.i" ::: "memory");
        for (uint32_t n = 0; n < batch.count; n++)
            fp_run(&in[n], &out[n], code);
        transfer(SYS_WRITE, 1, out, batch.count * (long)sizeof(out[0]));
    }
    syscall3(SYS_EXIT, 0, 0, 0);
}
