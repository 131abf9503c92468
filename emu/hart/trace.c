/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the log's view of a running hart.
 *
 * commits: a line per retired instruction in the form of Spike's
 * --log-commits: hart, privilege, pc, raw bytes, the register written and its
 * value, the memory accessed. in_asm, exec and cpu follow QEMU's formats,
 * each instruction being a block of its own. Harts run one step at a time;
 * the guest sees no difference.
 */
#include "emu/hart/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/fp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/trap.h"

/* An instruction about to be executed, and what it will touch. */
struct commit {
    struct insn i;
    uint64_t pc, va, value; /* value: what a store will write */
    uint8_t priv;
    bool load, store;
};

/* Without touching TLB or A bits; false when pc cannot be fetched. */
static bool decode_at(struct hart *h, struct insn *i)
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

/* The operand template says what kind of access an instruction is. */
static void find_memory(const struct hart *h, struct commit *c)
{
    const char *operands = insn_operands((enum op)c->i.op);
    const char *at = strstr(operands, "(rs1)");
    bool from_fpr = !strncmp(operands, "frs2", 4);

    if (!at)
        return;
    c->va = h->x[c->i.rs1];
    if (at != operands && at[-1] == 'm') /* imm(rs1) */
        c->va += (uint64_t)c->i.imm;
    c->store = from_fpr || !strncmp(operands, "rs2", 3);
    c->load = !c->store && strchr(operands, ',');
    c->value = from_fpr ? h->f[c->i.rs2] : h->x[c->i.rs2];
}

static void print_register(const struct hart *h, const struct insn *i,
                           struct buf *b)
{
    const char *operands = insn_operands((enum op)i->op);

    if (!strncmp(operands, "frd", 3))
        buf_printf(b, " f%-2u 0x%016" PRIx64, i->rd, h->f[i->rd]);
    else if (!strncmp(operands, "rd", 2) && i->rd)
        buf_printf(b, " x%-2u 0x%016" PRIx64, i->rd, h->x[i->rd]);
}

/* csrrw always writes; the others when rs1 or the immediate is not 0. */
static void print_csr(struct hart *h, const struct insn *i, struct buf *b)
{
    unsigned number = i->raw >> 20, funct3 = i->raw >> 12 & 7;
    uint64_t v;

    if (i->len != 4 || (i->raw & 0x7f) != 0x73 || !(funct3 & 3))
        return;
    if (((funct3 & 3) == 1 || (i->raw >> 15 & 31)) && csr_name(number) &&
        csr_peek(h, number, &v))
        buf_printf(b, " c%u_%s 0x%016" PRIx64, number, csr_name(number), v);
}

static void log_commit(struct hart *h, const struct commit *c)
{
    struct buf b = { 0 };

    buf_printf(&b, "core %3" PRIu64 ": %u 0x%016" PRIx64 " (0x%0*x)", h->hartid,
               c->priv, c->pc, c->i.len * 2, c->i.raw);
    print_register(h, &c->i, &b);
    print_csr(h, &c->i, &b);
    if (c->load)
        buf_printf(&b, " mem 0x%016" PRIx64, c->va);
    if (c->store)
        buf_printf(&b, " mem 0x%016" PRIx64 " 0x%016" PRIx64, c->va, c->value);
    log_to(LOG_COMMITS, "%s\n", buf_text(&b));
    buf_free(&b);
}

static void log_in_asm(const struct commit *c)
{
    char text[128];

    insn_disas(text, sizeof text, c->pc, &c->i);
    log_to(LOG_IN_ASM,
           "----------------\nIN: \n0x%08" PRIx64 ":  %0*x%*s          %s\n\n",
           c->pc, c->i.len * 2, c->i.raw, 8 - c->i.len * 2, "", text);
}

static void log_before(struct hart *h, const struct commit *c, bool decoded)
{
    struct buf b = { 0 };

    if (log_on(LOG_IN_ASM) && decoded)
        log_in_asm(c);
    if (log_on(LOG_EXEC))
        log_to(LOG_EXEC, "Trace %" PRIu64 ": [%016" PRIx64 "/%u] \n", h->hartid,
               h->pc, h->priv);
    if (!log_on(LOG_CPU))
        return;
    trace_registers(h, log_on(LOG_FPU), &b);
    log_to(LOG_CPU, "%s", buf_text(&b));
    buf_free(&b);
}

uint64_t trace_run(struct hart *h, uint64_t n)
{
    uint64_t done = 0;

    while (done < n && !h->stop.kind) {
        uint64_t exceptions = h->exceptions, steps;
        struct commit c = { 0 };
        bool decoded;

        if ((h->attention & ATTN_IRQ) && hart_interrupted(h))
            trap_interrupt(h); /* so that pc is what will be executed */
        decoded = decode_at(h, &c.i);
        c.pc = h->pc;
        c.priv = h->priv;
        if (decoded)
            find_memory(h, &c);
        log_before(h, &c, decoded);
        steps = hart_run(h, 1);
        if (steps && decoded && exceptions == h->exceptions &&
            log_on(LOG_COMMITS))
            log_commit(h, &c);
        done += steps;
        if (!steps || h->waiting || h->attention)
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
