/* SPDX-License-Identifier: MIT */
/*
 * commit.c - what an instruction did, in the form of Spike's --log-commits.
 *
 * Source: Spike 1.1.1-dev, riscv/execute.cc (the form), riscv/csrs.cc (which
 * CSRs a write is logged as).
 */
#include "emu/hart/commit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/mmu.h"

enum { FFLAGS = 0x001, FRM = 0x002, FCSR = 0x003, MSTATUS = 0x300 };

/* What was written, in the order in which Spike's map has it. */
struct writes {
    unsigned n;
    struct {
        unsigned key; /* register number << 4 | kind */
        uint64_t value;
    } at[8];
};

enum { KIND_X, KIND_F, KIND_CSR = 4 };

static void add(struct writes *w, unsigned number, unsigned kind,
                uint64_t value)
{
    unsigned key = number << 4 | kind, n = w->n;

    for (unsigned k = 0; k < w->n; k++)
        if (w->at[k].key == key)
            return;
    assert(w->n < sizeof w->at / sizeof w->at[0]);
    for (; n && w->at[n - 1].key > key; n--)
        w->at[n] = w->at[n - 1];
    w->at[n].key = key;
    w->at[n].value = value;
    w->n++;
}

static void add_csr(struct hart *h, struct writes *w, unsigned number)
{
    uint64_t v;

    if (csr_peek(h, number, &v))
        add(w, number, KIND_CSR, v);
}

/* The operand template without the rounding mode. */
static const char *operands_of(const struct insn *i)
{
    const char *s = insn_operands((enum op)i->op);

    return strncmp(s, "rm,", 3) ? s : s + 3;
}

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

static bool is_csr(const struct insn *i)
{
    return i->len == 4 && (i->raw & 0x7f) == 0x73 && i->raw >> 12 & 3;
}

static bool is_xret(const struct insn *i)
{
    return i->op == OP_mret || i->op == OP_sret;
}

/* Computes with f registers, so that it may raise flags. */
static bool is_fp(const struct insn *i)
{
    const char *s = operands_of(i);

    return (strstr(s, "frd") || strstr(s, "frs")) && !strchr(s, '(');
}

/* csrrw always writes; the others when rs1 or the immediate is not 0. */
static void add_csr_write(struct hart *h, struct writes *w,
                          const struct insn *i)
{
    static const struct {
        uint16_t number, as;
    } parts[] = { { 0x100, 0x300 }, { 0x104, 0x304 }, { 0x144, 0x344 } };
    unsigned number = i->raw >> 20;

    if ((i->raw >> 12 & 3) != 1 && !(i->raw >> 15 & 31))
        return;
    if (number == FCSR) {
        add_csr(h, w, FFLAGS);
        add_csr(h, w, FRM);
        return;
    }
    for (size_t n = 0; n < sizeof parts / sizeof parts[0]; n++)
        if (parts[n].number == number)
            number = parts[n].as;
    add_csr(h, w, number);
}

static void find_writes(struct hart *h, const struct commit *c,
                        struct writes *w)
{
    const struct insn *i = &c->i;
    const char *s = operands_of(i);

    if (starts(s, "frd"))
        add(w, i->rd, KIND_F, h->f[i->rd]);
    else if (starts(s, "rd") && i->rd)
        add(w, i->rd, KIND_X, h->x[i->rd]);
    if (i->op == OP_amocas_q && i->rd)
        add(w, i->rd + 1u, KIND_X, h->x[i->rd + 1]);
    if (is_csr(i))
        add_csr_write(h, w, i);
    if (c->raised)
        add_csr(h, w, FFLAGS);
    if (is_xret(i) || h->mstatus != c->mstatus)
        add_csr(h, w, MSTATUS);
}

static void print_writes(const struct writes *w, struct buf *b)
{
    for (unsigned n = 0; n < w->n; n++) {
        unsigned number = w->at[n].key >> 4, kind = w->at[n].key & 15;

        if (kind == KIND_CSR)
            buf_printf(b, " c%u_%s", number, csr_name(number));
        else
            buf_printf(b, " %c%-2u", kind == KIND_F ? 'f' : 'x', number);
        buf_printf(b, " 0x%016" PRIx64, w->at[n].value);
    }
}

/* Bytes of an access: the last letter of the name says it. */
static unsigned size_of(const struct insn *i)
{
    const char *name = insn_name((enum op)i->op);

    switch (name[strlen(name) - 1]) {
    case 'b':
        return 1;
    case 'h':
        return 2;
    case 'w':
        return 4;
    case 'q':
        return 16;
    }
    return 8;
}

static bool is_atomic(const struct insn *i)
{
    const char *name = insn_name((enum op)i->op);

    return starts(name, "amo") || starts(name, "sc.") || starts(name, "lr.");
}

static uint64_t low_bytes(uint64_t v, unsigned size)
{
    return size < 8 ? v & ((UINT64_C(1) << 8 * size) - 1) : v;
}

/* What is in memory there now, without any effect. */
static uint64_t peek(struct hart *h, uint64_t va, unsigned size)
{
    struct mmu_walk walk = { 0 };
    uint64_t v = 0;

    if (mmu_debug_walk(h, va, false, &walk))
        mem_peek(h->mem, walk.pa, &v, size);
    return v;
}

/* Did a conditional store store? What it returned says so, where rd is x0
 * memory has to. */
static bool stored(struct hart *h, const struct commit *c, unsigned size)
{
    const char *name = insn_name((enum op)c->i.op);
    bool as_if = peek(h, c->va, size) == low_bytes(c->stored, size);

    if (starts(name, "sc."))
        return c->i.rd ? !h->x[c->i.rd] : c->reserved && as_if;
    if (starts(name, "amocas"))
        return c->i.rd
                   ? low_bytes(c->rd, size) == low_bytes(h->x[c->i.rd], size)
                   : as_if;
    return true;
}

static void print_store(struct buf *b, uint64_t va, uint64_t v, unsigned size)
{
    buf_printf(b, " mem 0x%016" PRIx64 " 0x%0*" PRIx64, va, (int)(2 * size),
               low_bytes(v, size));
}

static void print_atomic(struct hart *h, const struct commit *c, struct buf *b)
{
    const char *name = insn_name((enum op)c->i.op);
    unsigned size = size_of(&c->i);

    if (!starts(name, "sc."))
        buf_printf(b, " mem 0x%016" PRIx64, c->va);
    if (starts(name, "lr.") || !stored(h, c, size < 8 ? size : 8))
        return;
    if (size == 16)
        buf_printf(b, " mem 0x%016" PRIx64 " 0x%016" PRIx64 "%016" PRIx64,
                   c->va, peek(h, c->va + 8, 8), peek(h, c->va, 8));
    else if (starts(name, "sc."))
        print_store(b, c->va, c->stored, size);
    else
        print_store(b, c->va, peek(h, c->va, size), size);
}

static void print_memory(struct hart *h, const struct commit *c, struct buf *b)
{
    const char *s = operands_of(&c->i);

    if (c->i.op == OP_cbo_zero)
        for (uint64_t n = 0, size = h->cpu.cboz_block; n < size; n++)
            print_store(b, (c->va & -size) + n, 0, 1);
    if (!strstr(s, "(rs1)") || !strchr(s, ','))
        return;
    if (is_atomic(&c->i))
        print_atomic(h, c, b);
    else if (starts(s, "rd") || starts(s, "frd"))
        buf_printf(b, " mem 0x%016" PRIx64, c->va);
    else
        print_store(b, c->va, c->stored, size_of(&c->i));
}

void commit_begin(struct hart *h, const struct insn *i, struct commit *c)
{
    const char *s = operands_of(i);

    *c = (struct commit){
        .i = *i,
        .pc = h->pc,
        .mstatus = h->mstatus,
        .va = h->x[i->rs1] + (strstr(s, "imm(") ? (uint64_t)i->imm : 0),
        .stored = strstr(s, "frs2") ? h->f[i->rs2] : h->x[i->rs2],
        .rd = h->x[i->rd],
        .priv = h->priv,
        .fflags = h->fflags,
        .reserved = h->reserved_addr != UINT64_MAX,
    };
    if (is_fp(i))
        h->fflags = 0;
}

void commit_end(struct hart *h, struct commit *c)
{
    if (!is_fp(&c->i))
        return;
    c->raised = h->fflags;
    h->fflags |= c->fflags;
}

void commit_log(struct hart *h, const struct commit *c)
{
    struct writes w = { 0 };
    struct buf b = { 0 };

    buf_printf(&b, "core %3" PRIu64 ": %u 0x%016" PRIx64 " (0x%0*x)", h->hartid,
               c->priv, c->pc, c->i.len * 2, c->i.raw);
    find_writes(h, c, &w);
    print_writes(&w, &b);
    print_memory(h, c, &b);
    log_to(LOG_COMMITS, "%s\n", buf_text(&b));
    buf_free(&b);
}
