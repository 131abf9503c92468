/* SPDX-License-Identifier: MIT */
/*
 * gen_group.c - accesses from one base register, checked once.
 *
 * A function saves and restores registers, a structure is copied: three or more
 * loads, or stores, go to one base register's neighbourhood, and nothing
 * between them changes it or can be jumped to. Before the first one, the first
 * and the last byte of all of them are looked for in its site's page. If both
 * are there the accesses go without a check, misaligned or not. If they are not
 * (the page is not in the TLB, or watched, or there are two), the interpreter
 * does the rest of the block; a group that this happens to often is made no more.
 *
 * What the check found out holds to the last one: an op called meanwhile that
 * takes rights from a TLB does not come back (trans_op).
 */
#include "emu/bus/mem.h"
#include "emu/trans/gen.h"

enum { LEAST = 3, SPAN = 1024 };

struct access {
    uint8_t size; /* 0: it is none */
    bool write;
};

static struct access access_of(unsigned op)
{
    static const struct access table[OP_COUNT] = {
        [OP_lb] = { 1, false },  [OP_lbu] = { 1, false },
        [OP_lh] = { 2, false },  [OP_lhu] = { 2, false },
        [OP_lw] = { 4, false },  [OP_lwu] = { 4, false },
        [OP_ld] = { 8, false },  [OP_flw] = { 4, false },
        [OP_fld] = { 8, false }, [OP_sb] = { 1, true },
        [OP_sh] = { 2, true },   [OP_sw] = { 4, true },
        [OP_sd] = { 8, true },   [OP_fsw] = { 4, true },
        [OP_fsd] = { 8, true },
    };

    return table[op];
}

static bool changes(const struct insn *i, unsigned r)
{
    if (insn_writes_fpr(i->op))
        return false;
    return i->rd == r || (i->op == OP_amocas_q && i->rd + 1u == r);
}

/* Takes i in, if all of it lies within SPAN bytes then. */
static bool widen(struct group *q, const struct insn *i, unsigned size)
{
    int64_t from = i->imm < q->from ? i->imm : q->from;
    int64_t to = i->imm + size > q->to ? i->imm + size : q->to;

    if (to - from > SPAN)
        return false;
    q->from = (int32_t)from;
    q->to = (int32_t)to;
    return true;
}

/* What can be done with k's base from k on; how many accesses that are. */
static uint32_t find_group(const struct gen *g, bool write, struct group *q)
{
    const struct insn *i = &g->insn[g->k];
    uint32_t n = 0;

    *q = (struct group){ .base = i->rs1,
                         .from = (int32_t)i->imm,
                         .to = (int32_t)i->imm };
    for (uint32_t k = g->k; k < g->c->n; k++) {
        struct access a = access_of(g->insn[k].op);

        i = &g->insn[k];
        if (k > g->k && g->target[k])
            break;
        if (a.size && a.write == write && i->rs1 == q->base) {
            if (!widen(q, i, a.size))
                break;
            q->last = k;
            n++;
        }
        if (changes(i, q->base))
            break;
    }
    return n;
}

bool gen_in_group(const struct gen *g, const struct insn *i, bool write)
{
    const struct group *q = &g->group[write];

    return !g->has_address && q->base && q->base == i->rs1 && g->k <= q->last;
}

void gen_begin_group(struct gen *g, struct code_site *s)
{
    struct group q;

    if (g->has_address || !g->insn[g->k].rs1 ||
        g->insn[g->k].hint & HINT_NO_GROUP ||
        find_group(g, s->write, &q) < LEAST)
        return;
    s->group = true;
    s->bits = SITE_BITS; /* thunk.find fills it, with a page */
    s->from = q.from;
    s->size = (uint32_t)(q.to - q.from);
    g->group[s->write] = q;
}
