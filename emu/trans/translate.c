/* SPDX-License-Identifier: MIT */
/* translate.c - a block as host code: prologue, instructions, cold parts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/mmu.h"
#include "emu/trans/gen.h"
#include "emu/trans/show.h"

/* Room for the longest translation there can be; looked at beforehand. */
enum { ROOM = 48 << 10 };

/* NOLINTNEXTLINE(readability-non-const-parameter): it is aimed later */
struct cold *gen_cold(struct gen *g, enum cold_kind kind, uint8_t *site)
{
    struct cold *c = &g->cold[g->colds++];

    assert(g->colds <= GEN_COLD);
    *c = (struct cold){ .kind = kind, .k = g->k, .site = site };
    return c;
}

/* thunk.op wants k in eax, and the translation: the block's end knows it. */
static void call_op(struct gen *g, uint32_t k)
{
    x86_mov_imm(&g->x, RAX, k);
    g->op_calls[g->n_op_calls++] = x86_call(&g->x);
    gen_take_pins(g);
}

void gen_call_op(struct gen *g)
{
    call_op(g, g->k);
    g->left = insn_flow(g->insn[g->k].op) == FLOW_ENDS;
}

static void leave_at(struct gen *g, uint32_t k, uint8_t *thunk)
{
    gen_give_pins(g);
    x86_mov_imm(&g->x, RAX, gen_pc(g, k));
    if (g->due[k])
        gen_charge(g, g->due[k]);
    x86_jmp_to(&g->x, thunk);
}

/* The group that begins at k is no good now; the interpreter does the rest. */
static void leave_torn(struct gen *g, uint32_t k, uint32_t rest)
{
    x86_mov_imm(&g->x, RCX, k);
    x86_mov_imm(&g->x, RDX, (uintptr_t)g->c);
    leave_at(g, rest, g->t->thunk.torn);
}

/* The op of a fused access looks for its address in rs1. */
static void make_address(struct gen *g, const struct cold *c)
{
    unsigned rs1 = g->insn[c->k].rs1;
    unsigned t = gen_pinned(g, rs1) ? g->pin[rs1] : RAX;

    x86_op(&g->x, X86_LEA, t, c->address);
    gen_put(g, rs1, t);
}

static void cold(struct gen *g, const struct cold *c)
{
    x86_aim(c->site, g->x.p);
    if (c->site2)
        x86_aim(c->site2, g->x.p);
    if (c->ok)
        gen_retry(g, c);
    switch (c->kind) {
    case COLD_OP:
        if (c->has_address)
            make_address(g, c);
        call_op(g, c->k);
        x86_jmp_to(&g->x, c->back);
        break;
    case COLD_EXIT:
        gen_goto(g, g->due[c->k] + 1, c->pc);
        break;
    case COLD_SKIP:
        gen_skip(g, c);
        break;
    case COLD_OUT:
        leave_at(g, c->to, g->t->thunk.at_rax);
        break;
    case COLD_GROUP:
        gen_regroup(g, c);
        leave_torn(g, c->k, c->k);
        break;
    case COLD_PAGE:
        call_op(g, c->k);
        gen_page_again(g, c);
        leave_torn(g, c->k, c->k + 1);
        break;
    case COLD_QUIT:
        leave_at(g, c->k, g->t->thunk.for_ops);
        break;
    case COLD_FP:
        x86_aim(x86_call(&g->x), g->t->thunk.load_fp);
        x86_alu_imm(&g->x, ALU_CMP, false,
                    gen_hart(offsetof(struct hart, fast.fp)), 0);
        x86_jcc_to(&g->x, CC_NE, c->back);
        leave_at(g, c->k, g->t->thunk.for_ops);
        break;
    }
}

static void colds(struct gen *g)
{
    for (uint32_t n = 0; n < g->colds; n++)
        cold(g, &g->cold[n]);
    if (g->n_op_calls == 0)
        return;
    for (uint32_t n = 0; n < g->n_op_calls; n++)
        x86_aim(g->op_calls[n], g->x.p);
    gen_give_pins(g);
    x86_mov_imm(&g->x, RDX, (uintptr_t)g->c);
    x86_jmp_to(&g->x, g->t->thunk.op);
}

/* Instructions -------------------------------------------------------------- */

const struct gen_row *gen_row_of(unsigned op)
{
    static const struct gen_row *const table[] = {
        gen_int, gen_mem, gen_jump, gen_fp, gen_sys, gen_atomic
    };

    for (size_t n = 0; n < sizeof table / sizeof table[0]; n++)
        if (table[n][op].fn)
            return &table[n][op];
    return NULL;
}

static void gen_one(struct gen *g)
{
    const struct insn *i = &g->insn[g->k];
    const struct gen_row *row = gen_row_of(i->op);
    bool word = gen_makes_word(g, i);

    g->raw = false;
    if (!row || !row->fn(g, i, row->arg)) {
        gen_call_op(g);
        g->boxed = 0;
    }
    if (i->rd < 32 && !insn_writes_fpr(i->op)) {
        g->words &= ~(UINT64_C(3) << i->rd); /* a pair, perhaps */
        g->words |= (uint64_t)(word && !g->raw) << i->rd;
    }
}

static void gen_insn(struct gen *g)
{
    uint32_t first = g->k;

    if (first > 0)
        gen_join(g);
    if (g->target[g->k]) {
        g->fp = false;
        g->boxed = g->words = 0;
    }
    gen_begin(g);
    g->left = false;
    if (!gen_fuse(g))
        gen_one(g);
    while (++first <= g->k) {
        g->label[first] = g->x.p;
        g->due[first] = g->due[first - 1] + 1;
    }
}

/* Marks where the jump k goes to; true: that is news. */
static bool mark_target(struct gen *g, uint32_t k)
{
    const struct insn *i = &g->insn[k];
    int64_t off = i->off + i->imm;

    for (uint32_t n = 0; n < g->c->n; n++)
        if (g->insn[n].off == off && !g->target[n])
            return g->target[n] = true;
    return false;
}

/* Which instructions a jump within the block goes to: those that are made a
 * move (gen_skips_here) do not, unless another one goes amidst them. */
static void find_targets(struct gen *g)
{
    bool more = true;

    while (more) {
        more = false;
        for (uint32_t k = 0; k < g->c->n; k++)
            if (gen_jump[g->insn[k].op].fn && g->insn[k].op != OP_jalr &&
                !gen_skips_here(g, k))
                more |= mark_target(g, k);
    }
}

static void gen_block(struct gen *g)
{
    struct code *c = g->c;

    gen_take_pins(g);
    for (g->k = 0; g->k < c->n; g->k++)
        gen_insn(g);
    g->label[c->n] = g->x.p;
    if (!g->left)
        gen_goto(g, g->due[c->n - 1] + 1, c->pc + c->bytes);
    colds(g);
}

/* How many instructions the translation is of: those that stand for their
 * op (a block that is no more has another first one). */
static uint32_t usable(const struct block *b)
{
    uint32_t n = 0;

    while (n < b->n && b->insn[n].fn == interp_op[b->insn[n].op])
        n++;
    return n == b->n ? n : 0;
}

struct code *translate(struct trans *t, const struct hart *h, struct block *b,
                       uint64_t pc, bool *full)
{
    static struct gen g; /* big; one thread */
    struct code_site *site;
    struct code *c;
    uint16_t *at;

    if (!usable(b) || b->limit == 2 || b->limit == BLOCK_ACROSS)
        return NULL;
    c = code_note(t, sizeof *c);
    at = code_note(t, (b->n + 1) * sizeof *at);
    site = code_note(t, b->n * sizeof *site);
    *full = !c || !at || !site || t->size - t->used < ROOM;
    if (*full)
        return NULL;
    *c = (struct code){ .t = t,
                        .block = b,
                        .pc = pc,
                        .from = h->range.from,
                        .to = h->range.to,
                        .entry = code_rx(t, t->rw + t->used),
                        .n = b->n,
                        .at = at,
                        .site = site,
                        .bytes = b->insn[b->n].off,
                        .kind = (uint8_t)code_kind(h) };
    g = (struct gen){ .x = { .p = t->rw + t->used,
                             .end = t->rw + t->used + ROOM },
                      .t = t,
                      .c = c,
                      .h = h,
                      .insn = b->insn,
                      .delta = h->fast.delta };
    find_targets(&g);
    gen_find_loops(&g);
    gen_lend(&g);
    gen_block(&g);
    *full = x86_full(&g.x);
    if (*full)
        return NULL;
    for (uint32_t k = 0; k <= c->n; k++)
        c->at[k] = (uint16_t)(g.label[k] - (t->rw + t->used));
    for (uint32_t k = 0; k < c->n; k++)
        c->site[k].due = g.due[k];
    c->size = (uint32_t)(g.x.p - (t->rw + t->used));
    t->used += (c->size + 31) & ~31u;
    code_keep(c);
    if (log_on(LOG_OUT_ASM))
        code_log(c);
    if (t->perf_map)
        perf_map_add(t->perf_map, c);
    return c;
}
