/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the log's view of a running hart.
 *
 * commits: a line per retired instruction, see commit.h. in_asm, exec and cpu
 * follow QEMU's formats, each instruction being a block of its own. Harts run
 * one step at a time; the guest sees no difference.
 */
#include "emu/hart/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"

#include "emu/bus/mem.h"
#include "emu/hart/commit.h"
#include "emu/hart/csr.h"
#include "emu/hart/mmu.h"
#include "emu/hart/trap.h"

bool trace_decode(struct hart *h, struct insn *i)
{
    uint8_t bytes[4] = { 0 };
    uint32_t word;

    for (unsigned n = 0; n < 4; n += 2) {
        struct mmu_walk w = { 0 };

        if (!mmu_debug_walk(h, h->pc + n, false, &w) ||
            mem_peek(h->mem, w.pa, bytes + n, 2) < 2)
            return false;
        if ((bytes[0] & 3) != 3)
            break;
    }
    memcpy(&word, bytes, sizeof word);
    *i = insn_decode(word, h->cpu.ext);
    return true;
}

static void log_in_asm(uint64_t pc, const struct insn *i)
{
    char text[128];

    insn_disas(text, sizeof text, pc, i);
    log_to(LOG_IN_ASM,
           "----------------\nIN: \n0x%08" PRIx64 ":  %0*x%*s          %s\n\n",
           pc, i->len * 2, i->raw, 8 - i->len * 2, "", text);
}

/* i: what will be executed, NULL when it cannot be fetched. */
static void log_before(struct hart *h, const struct insn *i)
{
    struct buf b = { 0 };

    if (log_on(LOG_IN_ASM) && i)
        log_in_asm(h->pc, i);
    if (log_on(LOG_EXEC))
        log_to(LOG_EXEC, "Trace %" PRIu64 ": [%016" PRIx64 "/%u] \n", h->hartid,
               h->pc, h->priv);
    if (!log_on(LOG_CPU))
        return;
    trace_registers(h, log_on(LOG_FPU), &b);
    log_to(LOG_CPU, "%s", buf_text(&b));
    buf_free(&b);
}

/* One step, or none. */
static uint64_t trace_step(struct hart *h)
{
    uint64_t exceptions = h->exceptions, steps;
    struct commit c;
    struct insn i;

    if (!trace_decode(h, &i)) {
        log_before(h, NULL);
        return hart_run(h, 1);
    }
    log_before(h, &i);
    if (!log_on(LOG_COMMITS))
        return hart_run(h, 1);
    commit_begin(h, &i, &c);
    steps = hart_run(h, 1);
    commit_end(h, &c);
    if (steps && exceptions == h->exceptions)
        commit_log(h, &c);
    return steps;
}

uint64_t trace_run(struct hart *h, uint64_t n)
{
    uint64_t done = 0, steps = 1;

    while (done < n && steps && !h->stop.kind) {
        if ((h->attention & ATTN_IRQ) && hart_interrupted(h))
            trap_interrupt(h); /* so that pc is what will be executed */
        steps = trace_step(h);
        done += steps;
        if (h->waiting || h->attention || h->yielded)
            break;
    }
    return done;
}

/* The dump ------------------------------------------------------------------ */

static const char *const dumped[] = {
    "mhartid", "mstatus", "mip",      "mie",      "mideleg", "medeleg",
    "mtvec",   "stvec",   "mepc",     "sepc",     "mcause",  "scause",
    "mtval",   "stval",   "mscratch", "sscratch", "satp",
};

static const char *const x_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char *const f_names[32] = {
    "ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
    "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

static void four_a_line(struct buf *out, char kind, const char *const *names,
                        const uint64_t *v)
{
    for (unsigned n = 0; n < 32; n++) {
        char label[16];

        snprintf(label, sizeof label, "%c%u/%s", kind, n, names[n]);
        buf_printf(out, " %-8s %016" PRIx64 "%s", label, v[n],
                   n % 4 == 3 ? "\n" : "");
    }
}

void trace_registers(struct hart *h, bool fpu, struct buf *out)
{
    uint64_t v;

    buf_printf(out, " %-8s %016" PRIx64 "\n", "pc", h->pc);
    for (size_t n = 0; n < sizeof dumped / sizeof dumped[0]; n++)
        if (csr_peek(h, (unsigned)csr_number(dumped[n]), &v))
            buf_printf(out, " %-8s %016" PRIx64 "\n", dumped[n], v);
    four_a_line(out, 'x', x_names, h->x);
    if (!fpu)
        return;
    buf_printf(out, " %-8s %016" PRIx64 "\n", "fcsr",
               (uint64_t)h->frm << 5 | h->fflags);
    four_a_line(out, 'f', f_names, h->f);
}
