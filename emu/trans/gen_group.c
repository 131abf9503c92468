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
 * Where there are no sites two accesses are enough, loads and stores alike: the
 * TLB is asked once, and the page's addend kept, in rdx if nobody needs that and
 * in the hart. If the page is not there the first access is left to its op, which
 * fills the TLB, and then the TLB is asked once more. A load before stores has the
 * page made ready for them (mmu_expect_store).
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

static bool takes(const struct group *q, bool write)
{
    return write ? q->stores : q->loads;
}

/*
 * May this access be in the group, too? A group that asks a TLB takes both kinds.
 * Writing is asked for from the first access on, which needs it only if it is a
 * store or if, no jump being between, a store will come.
 */
static bool may_join(const struct gen *g, struct group *q, bool write,
                     bool jumped)
{
    if (write && !jumped && !code_linear(g->c))
        q->stores = true;
    return takes(q, write);
}

/* What can be done with k's base from k on; how many accesses that are. */
static uint32_t find_group(const struct gen *g, struct group *q)
{
    const struct insn *i = &g->insn[g->k];
    bool jumped = false;
    uint32_t n = 0;

    q->base = i->rs1;
    q->from = q->to = (int32_t)i->imm;
    for (uint32_t k = g->k; k < g->c->n; k++) {
        struct access a = access_of(g->insn[k].op);

        i = &g->insn[k];
        if (k > g->k && g->target[k])
            break;
        if (a.size && i->rs1 == q->base && may_join(g, q, a.write, jumped)) {
            if (!widen(q, i, a.size))
                break;
            q->last = k;
            n++;
        }
        if (changes(i, q->base))
            break;
        jumped |= gen_jump[i->op].fn != NULL;
    }
    return n;
}

static void note_rdx(struct gen *g, const struct group *q)
{
    g->x.wrote = 0;
    g->in_rdx = q->slot;
    g->in_rdx_colds = g->colds;
}

static bool is_in_rdx(const struct gen *g, const struct group *q)
{
    return q->slot == g->in_rdx && g->colds == g->in_rdx_colds &&
           !(g->x.wrote >> RDX & 1);
}

const struct group *gen_group_of(const struct gen *g, const struct insn *i,
                                 bool write)
{
    for (const struct group *q = g->group; q < &g->group[GEN_GROUPS]; q++)
        if (!g->has_address && q->base && q->base == i->rs1 &&
            g->k <= q->last && takes(q, write) &&
            (!q->no_slot || is_in_rdx(g, q)))
            return q;
    return NULL;
}

static bool can_begin(const struct gen *g)
{
    const struct insn *i = &g->insn[g->k];

    return !g->has_address && i->rs1 && !(i->hint & HINT_NO_GROUP);
}

void gen_begin_group(struct gen *g, struct code_site *s)
{
    struct group q = { .loads = !s->write, .stores = s->write };

    if (!can_begin(g) || find_group(g, &q) < LEAST)
        return;
    s->group = true;
    s->bits = SITE_BITS; /* thunk.find fills it, with a page */
    s->from = q.from;
    s->size = (uint32_t)(q.to - q.from);
    g->group[s->write] = q;
}

/* Pages ---------------------------------------------------------------------- */

static struct x86_rm slot(const struct group *q)
{
    _Static_assert(sizeof((struct hart_fast *)0)->addend == 8ul * GEN_GROUPS,
                   "one for each");
    return gen_hart(offsetof(struct hart, fast.addend) + 8ul * q->slot);
}

/*
 * Asks the TLB for the page of the first byte, and compares with that of the last
 * one. What comes back is a jump, if it is not there; else rdx and the slot are
 * its addend from here on. at is where the base points to on the host.
 */
static uint8_t *ask_page(struct gen *g, const struct group *q,
                         struct x86_rm *at)
{
    const size_t tag = q->stores ? offsetof(struct tlb_entry, write)
                                 : offsetof(struct tlb_entry, read);
    unsigned base = gen_source(g, q->base, RAX);
    int32_t gone = base == RAX ? q->from : 0;
    uint8_t *other;

    if (q->from)
        x86_op(&g->x, X86_LEA, RAX, x86_mem(base, q->from));
    gen_find_entry(g->t, &g->x, q->from ? RAX : base);
    other = gen_compare_last(g, x86_mem(base, q->to - 1 - gone),
                             x86_mem(RCX, (int32_t)tag));
    x86_op(&g->x, X86_MOV, RDX,
           x86_mem(RCX, offsetof(struct tlb_entry, addend)));
    if (!q->no_slot)
        x86_op(&g->x, X86_STORE, RDX, slot(q));
    *at = x86_sum(base, RDX, 0, -gone);
    return other;
}

/* Is rdx likely to stay what it is up to k, which is the last one? (If it is not
 * after all, k is on its own.) */
static bool needs_no_slot(const struct gen *g, const struct group *q)
{
    for (uint32_t k = g->k + 1; k < q->last; k++)
        if (!gen_is_simple(g->insn[k].op) || !gen_pinned(g, g->insn[k].rd))
            return false;
    return true;
}

/* A group that is not yet over needs its slot. */
static struct group *free_group(struct gen *g)
{
    for (struct group *q = g->group; q < &g->group[GEN_GROUPS]; q++)
        if (!q->base || q->last < g->k)
            return q;
    return NULL;
}

static bool begin_paged(struct gen *g, bool write, struct x86_rm *at)
{
    struct group q = { .loads = true, .stores = write }, *free = free_group(g);
    struct cold *c;
    uint32_t n;

    if (!free || !can_begin(g) || (n = find_group(g, &q)) < 2)
        return false;
    g->c->site[g->k].then_write = q.stores && !write;
    q.no_slot = n == 2 && needs_no_slot(g, &q);
    q.slot = (uint8_t)(free - g->group);
    c = gen_cold(g, COLD_PAGE, ask_page(g, &q, at));
    c->group = *free = q;
    note_rdx(g, &q);
    return true;
}

bool gen_paged(struct gen *g, const struct insn *i, bool write,
               struct x86_rm *at)
{
    const struct group *q = gen_group_of(g, i, write);

    if (!q) {
        if (!begin_paged(g, write, at))
            return false;
    } else {
        *at = x86_sum(gen_source(g, i->rs1, RAX), RDX, 0, 0);
        if (!is_in_rdx(g, q)) {
            x86_op(&g->x, X86_MOV, RDX, slot(q));
            note_rdx(g, q);
        }
    }
    at->disp += (int32_t)i->imm;
    return true;
}

void gen_page_again(struct gen *g, const struct cold *c)
{
    struct x86_rm at;
    uint8_t *other = ask_page(g, &c->group, &at);

    x86_jmp_to(&g->x, c->back);
    x86_aim(other, g->x.p);
}
