/* SPDX-License-Identifier: MIT */
/*
 * trans.c - running harts on translated code.
 *
 * What is seldom run, and the last few steps before a stop, are left to the
 * interpreter, block by block; both find their way by the same jump entries.
 */
#include "emu/trans/trans.h"

#include <assert.h>
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/fp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"
#include "emu/hart/trap.h"
#include "emu/hart/triggers.h"
#include "emu/trans/gen.h"
#include "emu/trans/show.h"

/* A known way that is taken at the very next instruction boundary. */
static bool can_go_on(const struct hart *h)
{
    return h->steps < h->stop_at && !(h->attention | h->waiting);
}

/* What translated code may do without asking; negative: nothing. */
static uint64_t budget_of(const struct hart *h)
{
    return h->stop_at - h->steps - CODE_MARGIN;
}

static bool has_budget(const struct hart *h)
{
    return (int64_t)h->fast.budget >= 0;
}

static struct jump_entry *entry_for_pc(struct hart *h)
{
    struct jump_entry *e = jump_entry(h, h->pc);

    return e->pc == h->pc && e->gen == h->fetch_gen ? e : NULL;
}

/* The host's FP flags become the guest's. */
static void fold_flags(struct hart *h)
{
    static const struct {
        uint8_t host, guest;
    } flag[] = {
        { 1, FP_NV }, { 4, FP_DZ }, { 8, FP_OF }, { 16, FP_UF }, { 32, FP_NX }
    };

    for (size_t n = 0; h->fast.mxcsr && n < sizeof flag / sizeof flag[0]; n++)
        if (h->fast.mxcsr & flag[n].host)
            h->fflags |= flag[n].guest;
    h->fast.mxcsr = 0;
}

/* Ops from translated code ---------------------------------------------------*/

/* The op of an instruction that has others behind it: alone. */
static uint64_t do_alone(struct hart *h, const struct code *c,
                         const struct insn *i)
{
    struct block *one = c->t->one;

    one->pa = c->block->pa;
    one->n = 1;
    one->insn[0] = *i;
    one->insn[1] =
        (struct insn){ .fn = op_block_end, .off = (uint16_t)(i->off + i->len) };
    h->block = one;
    return (uint64_t)(interp_op[i->op](h, one->insn) + 1 - one->insn);
}

/* The op of a block's last instruction, which leaves it: in its block. */
static uint64_t do_last(struct hart *h, struct block *b, unsigned k)
{
    const struct insn *i = &b->insn[k];

    h->steps -= k;
    h->block = b;
    return (uint64_t)(interp_op[i->op](h, i) + 1 - b->insn);
}

/* The largest aligned block with va's bytes in [from, to), 0: none. */
static unsigned block_bits(const struct code_site *s, uint64_t va,
                           uint64_t from, uint64_t to)
{
    for (unsigned bits = 31; bits >= SITE_LEAST; bits--) {
        uint64_t block = va & -(UINT64_C(1) << bits);

        if (block >= from && to - block >= UINT64_C(1) << bits &&
            va - block + s->size <= UINT64_C(1) << bits)
            return bits;
    }
    return 0;
}

/* 33 misses: is that often? Then another translation is made, with blocks of a
 * size that fits, or without the group; or it asks the TLB at once. Where many
 * steps lie between two misses, it is worth having. */
static bool site_judge(struct hart *h, struct code *c, unsigned k,
                       unsigned bits)
{
    struct code_site *s = &c->site[k];
    struct insn *i = &c->block->insn[k];
    uint32_t now = (uint32_t)(h->steps / 64), since = s->since;

    s->since = now;
    if (now - since >= SITE_MISSES * SITE_STEPS / 64)
        return true;
    if (s->group)
        i->hint |= HINT_NO_GROUP;
    else if (!bits || bits == s->bits || i->hint >= HINT_BITS)
        i->hint |= HINT_NO_SITE;
    else
        i->hint |= (uint16_t)(bits * HINT_BITS);
    code_remake(c);
    return false;
}

/* k's access to va, or that of a group, was not in its site's block. It has been
 * done: the block may be the one that it is in. */
static void site_missed(struct hart *h, struct code *c, unsigned k, uint64_t va)
{
    struct sites *all = &hart_caches(h)->sites;
    struct code_site *s = &c->site[k];
    int32_t *misses = &all->misses[s->site];
    uint64_t from, to;
    unsigned bits = 0;

    if (mmu_run_around(h, va, s->write, &from, &to))
        bits = block_bits(s, va, from, to);
    if (--*misses < 0)
        *misses = site_judge(h, c, k, bits) ? SITE_MISSES : INT32_MAX;
    if (bits < s->bits)
        return;
    if (all->site[s->site] == TLB_NONE)
        all->filled[h->fast.filled++] = s->site * (uint32_t)sizeof all->site[0];
    all->site[s->site] = va & -(UINT64_C(1) << s->bits);
    h->fast.fills++;
}

/* An access without a site was done by thunk.find, as so many before: because
 * its page is watched, or because it is misaligned. There is a better way. */
static void judge_odd(struct hart *h, struct code *c, unsigned k, uint64_t va)
{
    const struct tlb_entry *e = tlb_data(h, va);
    const struct code_site *s = &c->site[k];
    uint64_t tag = s->write ? e->write : e->read,
             page = va & -(uint64_t)MEM_PAGE;
    struct insn *i = &c->block->insn[k];
    unsigned hint = tag == (page | TLB_WATCHED)         ? HINT_PARTS
                    : tag == page && va & (s->size - 1) ? HINT_ODD
                                                        : 0;

    hart_caches(h)->sites.misses[0] = SITE_MISSES;
    if ((i->hint & hint) == hint)
        return;
    i->hint |= (uint16_t)hint;
    code_remake(c);
}

/* An access was done by its op. */
static void judge(struct hart *h, struct code *c, unsigned k, uint64_t va)
{
    const struct code_site *s = &c->site[k];

    if (s->site)
        site_missed(h, c, k, va);
    else if (s->size && hart_caches(h)->sites.misses[0] < 0)
        judge_odd(h, c, k, va);
}

/*
 * A group without a site was left: is that often? It costs a thousand steps. In
 * a loop, though, it has been done many times since: one that copies memory must
 * not lose it for each page's end.
 */
static void judge_torn(struct hart *h, struct code *c, uint32_t k)
{
    enum { OFTEN = 8, STEPS = 1 << 15, IN_LOOP = 1 << 9 }; /* for one */
    struct code_site *s = &c->site[k];
    uint32_t now = (uint32_t)(h->steps / 64), since = s->since;
    uint32_t steps = s->loop ? IN_LOOP : STEPS;

    if (++s->torn < OFTEN)
        return;
    s->torn = 0;
    s->since = now;
    if (now - since >= OFTEN * steps / 64)
        return;
    c->block->insn[k].hint |= HINT_NO_GROUP;
    code_remake(c);
}

/* A group was left, which costs much more than a miss. */
static void group_torn(struct hart *h)
{
    struct code *c = h->fast.torn;
    uint32_t k = h->fast.torn_k;
    const struct code_site *s;

    if (!c)
        return;
    h->fast.torn = NULL;
    c->t->info.torn++;
    s = &c->site[k];
    if (!s->site) {
        judge_torn(h, c, k);
        return;
    }
    hart_caches(h)->sites.misses[s->site] -= SITE_MISSES / 8 - 1;
    site_missed(h, c, k, h->x[c->block->insn[k].rs1] + (uint64_t)s->from);
}

/* Interrupts may have changed, but there is none to take; and nothing that
 * hart_run_by would have to look at before it goes on. */
static bool no_interrupt(const struct hart *h)
{
    return h->attention == ATTN_IRQ && !h->hpm_live && !triggers_counting(h) &&
           !trap_pending(h);
}

const uint8_t *trans_op(struct hart *h, struct code *c, unsigned k,
                        uint64_t budget)
{
    const struct insn *i = &c->block->insn[k];
    bool ends = k + 1 == c->n && insn_flow(i->op) == FLOW_ENDS;
    uint64_t exceptions = h->exceptions, lost = h->fast.lost, done;
    uint64_t va = h->x[i->rs1] + (uint64_t)c->site[k].from;
    struct jump_entry *e;
    bool went_on;

    fold_flags(h);
    h->steps = h->stop_at - (budget + CODE_MARGIN) + c->site[k].due;
    h->pc = c->pc;
    c->t->info.ops++;
    done = ends ? do_last(h, c->block, k) : do_alone(h, c, i);
    h->block = NULL;
    h->steps += done;
    went_on = !ends && done == 1 && h->exceptions == exceptions;
    if (went_on && c->site[k].then_write)
        mmu_expect_store(h, va);
    if (went_on && h->fast.lost == lost && !(h->attention | h->waiting)) {
        judge(h, c, k, va);
        return NULL;
    }
    h->fast.fp = 0;
    h->fast.budget = budget_of(h);
    if (no_interrupt(h))
        h->attention = 0;
    e = can_go_on(h) && has_budget(h) ? entry_for_pc(h) : NULL;
    if (e && e->code != h->fast.no_code)
        return e->code;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (const uint8_t *)LEFT_IN_OP;
}

/* Running ------------------------------------------------------------------- */

/* By the interpreter: as much of b as there are steps for. */
static void interpret(struct trans *t, struct hart *h, struct block *b)
{
    uint64_t stop = h->stop_at;

    if (b->n > stop - h->steps)
        b = blocks_cut(h->blocks, b, (uint32_t)(stop - h->steps));
    h->stop_at = h->steps; /* so that it goes on to no other block */
    hart_run_block(h, b);
    h->stop_at = stop;
    t->info.interpreted++;
}

static uintptr_t enter(struct trans *t, struct hart *h, const uint8_t *code)
{
    uintptr_t (*fn)(struct hart *, const uint8_t *);
    const uint8_t *at = code_rx(t, t->thunk.enter);
    uintptr_t left;

    memcpy(&fn, &at, sizeof fn);
    h->fast.budget = budget_of(h);
    left = fn(h, code);
    t->info.entries++;
    fold_flags(h);
    if (left != LEFT_IN_OP)
        h->steps = h->stop_at - (h->fast.budget + CODE_MARGIN);
    return left;
}

/* What e's jump entry leads to, or will from now on: the translation, if there
 * is one or its block has earned one. */
static const uint8_t *code_of(struct trans *t, struct hart *h,
                              struct jump_entry *e)
{
    struct code *c;
    bool full = false;

    if (e->code != h->fast.no_code)
        return e->code;
    c = code_find(e->block, e->pc, h);
    if (!c && e->block->heat++ >= t->hot)
        c = translate(t, h, e->block, e->pc, &full);
    if (full)
        blocks_flush(h->blocks);
    else if (c)
        e->code = c->entry;
    return c ? c->entry : NULL;
}

/* May a jump go straight to to? The hart got there the long way just now. */
static void try_link(struct trans *t, struct link *l, struct code *to)
{
    const struct code *from = l->from;

    if (from->dead || from->kind != to->kind || l->pc != to->pc ||
        from->block->pa / MEM_PAGE != to->block->pa / MEM_PAGE ||
        points_anyone_breaks(t->points, to->pc, to->bytes, 0) ||
        points_anyone_breaks(t->points, to->block->pa, to->bytes, POINT_PHYS))
        return;
    code_link(l, to);
}

static void count_exit(struct trans *t, struct hart *h, uintptr_t left)
{
    const struct jump_entry *e;

    if (left > LEFT_IN_OP) {
        has_budget(h) ? t->info.unlinked++ : t->info.outs++;
    } else if (left == LEFT_FOR_OPS) {
        t->info.left++;
    } else if (left == LEFT_AT_PC) {
        e = entry_for_pc(h);
        e && e->code != h->fast.no_code ? t->info.outs++ : t->info.misses++;
    }
}

static void run_translated(struct hart *h)
{
    struct trans *t = h->fast.trans;
    struct link *link = NULL; /* whose jump led to pc; gone after a flush */
    uint64_t flushes = 0;
    bool ops = false;

    while (can_go_on(h)) {
        struct jump_entry *e = entry_for_pc(h);
        struct block *b = e ? e->block : hart_find_block(h);
        const uint8_t *code = NULL;
        uintptr_t left;

        if (!b)
            continue;
        if (!e)
            e = entry_for_pc(h); /* none: this block does not last */
        if (e && !ops && (code = code_of(t, h, e)) && link &&
            flushes == t->info.flushes)
            try_link(t, link, code_find(b, e->pc, h));
        link = NULL;
        if (!code || h->stop_at - h->steps < CODE_MARGIN) {
            if (!e || entry_for_pc(h))
                interpret(t, h, b);
            ops = false;
            continue;
        }
        left = enter(t, h, code);
        count_exit(t, h, left);
        ops = left == LEFT_FOR_OPS;
        group_torn(h);
        if (left > LEFT_IN_OP) {
            /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
            link = (struct link *)left;
            flushes = t->info.flushes;
            h->pc = link->pc;
            if (!has_budget(h)) /* it was left for that, linked or not */
                link = NULL;
        }
    }
}

uint64_t trans_run(struct hart *h, uint64_t n)
{
    return hart_run_by(h, n, run_translated);
}

uint64_t trans_run_range(struct hart *h, uint64_t n, uint64_t from, uint64_t to)
{
    return hart_run_range_by(h, n, from, to, run_translated);
}

/* Made, told, gone ---------------------------------------------------------- */

/* Blocks go: b, or NULL: all. */
static void blocks_dropped(void *opaque, struct block *b)
{
    struct trans *t = opaque;

    if (!b) {
        code_flush(t);
        return;
    }
    for (struct code *c = b->code; c; c = c->next_of_block)
        code_kill(c);
    b->code = NULL;
}

/* Nobody jumps past a breakpoint by a link. */
static void points_changed(void *opaque)
{
    struct trans *t = opaque;
    const struct point *p;

    for (size_t n = 0; (p = points_nth(t->points, n)); n++)
        if (p->kind & POINT_BREAK && p->flags & POINT_PHYS)
            code_cut_phys(t, p->addr);
        else if (p->kind & POINT_BREAK)
            code_cut_at(t, p->addr);
}

static struct block *one_block(void)
{
    struct block *b = xcalloc(1, sizeof *b + 2 * sizeof b->insn[0]);

    return b;
}

static size_t cache_size(const struct trans_config *config)
{
    if (!config->cache)
        return CODE_CACHE;
    return config->cache > CODE_LEAST ? (size_t)config->cache : CODE_LEAST;
}

/* clang 14's __builtin_cpu_supports does not know it. */
static bool has_lzcnt(void)
{
    unsigned a, b, c = 0, d;

    return __get_cpuid(0x80000001, &a, &b, &c, &d) && c & bit_LZCNT;
}

struct trans *trans_new(struct blocks *b, struct points *p,
                        const struct trans_config *config, struct err *err)
{
    struct trans *t = xcalloc(1, sizeof *t);

    __builtin_cpu_init();
    t->blocks = b;
    t->points = p;
    t->has_fma = __builtin_cpu_supports("fma");
    t->has_bmi2 = __builtin_cpu_supports("bmi2");
    t->has_lzcnt = has_lzcnt() && __builtin_cpu_supports("bmi") &&
                   __builtin_cpu_supports("popcnt");
    t->hot = config->hot;
    if (!code_cache_new(t, cache_size(config), err)) {
        free(t);
        return NULL;
    }
    t->one = one_block();
    t->perf_map = config->perf_map ? perf_map_open() : NULL;
    thunks_emit(t);
    t->sites = 1;
    blocks_on_drop(b, blocks_dropped, t);
    points_on_change(p, points_changed, t);
    return t;
}

/* The RAM whose contexts are linear: the largest. */
static const struct mem_region *main_ram(const struct mem *m)
{
    const struct mem_region *r, *best = NULL;

    for (size_t n = 0; (r = mem_nth(m, n)); n++)
        if (r->kind == MEM_RAM && (!best || r->size > best->size))
            best = r;
    return best;
}

void trans_add_hart(struct trans *t, struct hart *h)
{
    const struct mem_region *r = main_ram(h->mem);
    int64_t delta = r ? (int64_t)((uintptr_t)r->host - r->base) : 0;

    assert(t->harts < CODE_HARTS);
    t->hart[t->harts++] = h;
    h->fast = (struct hart_fast){ .trans = t,
                                  .no_code = code_rx(t, t->thunk.at_rax),
                                  .mxcsr_clean = 0x1f80,
                                  .delta = (int32_t)delta,
                                  .linear = r && delta == (int32_t)delta };
    gen_fp_constants(h->fast.constant);
    mmu_flush(h);
}

void trans_free(struct trans *t)
{
    if (!t)
        return;
    blocks_on_drop(t->blocks, NULL, NULL);
    if (t->perf_map)
        fclose(t->perf_map);
    code_cache_free(t);
    free(t->one);
    free(t);
}

struct trans_info trans_info(const struct trans *t)
{
    struct trans_info info = t->info;

    info.bytes = t->used;
    info.size = t->size;
    for (size_t n = 0; n < t->harts; n++) {
        info.fills += t->hart[n]->fast.fills;
        info.forgotten += t->hart[n]->fast.forgotten;
    }
    return info;
}
