/* SPDX-License-Identifier: MIT */
/* hart.c - a hart as the rest of the machine sees it: made, reset, run. */
#include "emu/hart/hart.h"

#include <stdio.h>
#include <stdlib.h>

#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/interp.h"
#include "emu/hart/look.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"
#include "emu/hart/trap.h"
#include "emu/hart/triggers.h"

/* State -------------------------------------------------------------------- */

#define H struct hart
static const struct field hart_fields[] = {
    { "x", offsetof(H, x), 32 * 8, 8, FIELD_STATE },
    { "x_sink", offsetof(H, x[X_SINK]), 8, 8, FIELD_HOST },
    STATE(H, pc),
    STATE_ARRAY(H, f),
    STATE(H, steps),
    HOST(H, attention),
    STATE(H, priv),
    STATE(H, waiting),
    STATE(H, frm),
    STATE(H, fflags),
    HOST(H, data_tlb),
    HOST(H, data_index),
    HOST(H, fetch_tlb),
    HOST(H, at),
    HOST(H, block),
    HOST(H, fetch_gen),
    STATE(H, mstatus),
    STATE(H, medeleg),
    STATE(H, mideleg),
    STATE(H, mie),
    STATE(H, mtvec),
    STATE(H, mcounteren),
    STATE(H, menvcfg),
    STATE(H, mcountinhibit),
    STATE(H, mscratch),
    STATE(H, mepc),
    STATE(H, mcause),
    STATE(H, mtval),
    STATE(H, mip),
    STATE(H, mip_line),
    STATE(H, stvec),
    STATE(H, scounteren),
    STATE(H, senvcfg),
    STATE(H, sscratch),
    STATE(H, sepc),
    STATE(H, scause),
    STATE(H, stval),
    STATE(H, satp),
    STATE(H, stimecmp),
    STATE(H, mseccfg),
    STATE(H, tselect),
    STATE(H, mcontext),
    STATE_ARRAY(H, pmpcfg),
    STATE_ARRAY(H, pmpaddr),
    STATE_ARRAY(H, mhpmevent),
    STATE_ARRAY(H, hpm_offset),
    STATE(H, mcycle_offset),
    STATE(H, minstret_offset),
    STATE(H, exceptions),
    STATE(H, hpm_armed),
    { "trigger", offsetof(H, trigger), sizeof((H *)0)->trigger, 8,
      FIELD_STATE },
    STATE(H, interrupted_at),
    STATE(H, reserved_addr),
    STATE(H, reserved_value),
    STATE(H, hartid),
    HOST(H, cpu),
    HOST(H, mem),
    HOST(H, loop),
    HOST(H, points),
    HOST(H, blocks),
    HOST(H, tables),
    HOST(H, stimer),
    HOST(H, mtime),
    HOST(H, mtime_opaque),
    HOST(H, mtime_to_ns),
    HOST(H, on_priv),
    HOST(H, on_priv_opaque),
    HOST(H, semihost),
    HOST(H, semihost_opaque),
    HOST(H, storing),
    HOST(H, same),
    HOST(H, stop_at),
    HOST(H, range),
    HOST(H, gen_next),
    HOST(H, stop),
    HOST(H, skip_points),
    STATE(H, masked),
    HOST(H, yielded),
    HOST(H, pad),
    HOST(H, looking),
    HOST(H, returns),
    HOST(H, hpm_live),
    HOST(H, icount_live),
    HOST(H, fast),
    HOST(H, mmu),
    FIELDS_END,
};
#undef H

void hart_flush(struct hart *h) { mmu_flush(h); }

static void points_changed(void *opaque)
{
    struct hart *h = opaque;

    h->looking = points_kinds(h->points);
    hart_flush(h);
}

void hart_reset(void *opaque)
{
    struct hart *h = opaque;

    h->pc = h->cpu.resetvec;
    h->priv = PRIV_M;
    h->waiting = 0;
    h->reserved_addr = h->interrupted_at = UINT64_MAX;
    h->masked = 0;
    hart_flush(h);
    csr_reset(h);
    h->attention |= ATTN_IRQ;
}

static void hart_loaded(void *opaque)
{
    struct hart *h = opaque;

    h->stop.kind = HART_STOP_NONE;
    h->attention = ATTN_IRQ;
    hart_flush(h);
    csr_changed(h);
}

/* Inputs ------------------------------------------------------------------- */

/*
 * The PLIC's supervisor line is one of two sources of SEIP and kept apart
 * from the bit that software writes (section 3.1.9). A supervisor software
 * interrupt is an edge (ACLINT): software clears it.
 */
static void hart_line(void *opaque, int n, bool level)
{
    struct hart *h = opaque;
    uint64_t *ip = n == IRQ_SEI ? &h->mip_line : &h->mip;
    uint64_t bit = UINT64_C(1) << n;

    /* The CLINT looks at MTIP again whenever mtime itself is written. */
    if (n == IRQ_MTI)
        csr_stimer(h);
    if ((*ip & bit) == (level ? bit : 0) || (n == IRQ_SSI && !level))
        return;
    *ip ^= bit;
    h->attention |= ATTN_IRQ;
}

struct irq hart_irq(struct hart *h, int n)
{
    return (struct irq){ hart_line, h, n };
}

void hart_time(struct hart *h, uint64_t (*mtime)(void *),
               int64_t (*to_ns)(void *, uint64_t ticks), void *opaque)
{
    h->mtime = mtime;
    h->mtime_to_ns = to_ns;
    h->mtime_opaque = opaque;
}

bool hart_wakes(const struct hart *h) { return csr_mip(h) & h->mie; }

bool hart_interrupted(const struct hart *h) { return trap_pending(h); }

void hart_yielded(struct hart *h) { h->reserved_addr = UINT64_MAX; }

uint64_t hart_steps(const struct hart *h)
{
    if (!h->block)
        return h->steps;
    return h->steps + (uint64_t)(h->at - h->block->insn);
}

/* From pc to a block ------------------------------------------------------- */

static struct block *fetch_trap(struct hart *h, uint64_t cause, uint64_t tval)
{
    trap_fetch(h, cause, tval);
    h->steps++;
    return NULL;
}

/* What there is to look for in physical memory before a fetch. */
enum {
    LOOK_FETCH = (POINT_BREAK | POINT_READ | POINT_WRITE) << POINTS_PHYS_SHIFT
};

/* Does one answer of PMP hold for va's whole page? The TLB has no others. */
static bool uniform_page(const struct hart *h, uint64_t va, uint64_t pa)
{
    return tlb_may(tlb_at(h->fetch_tlb, va), va, ACCESS_EXEC) ||
           pmp_page_uniform(h, pa);
}

/*
 * Where there is no memory, or an instruction whose second half needs a fetch
 * of its own: keep says whether it may have a jump entry.
 */
static struct block *one_insn(struct hart *h, uint64_t pa, bool keep)
{
    uint64_t cause = CAUSE_FETCH_ACCESS, pa2, second = h->pc + 2;
    struct block *b;
    uint16_t low, high;
    uint32_t word;

    if (!blocks_half(h->blocks, pa, &low))
        return fetch_trap(h, cause, h->pc);
    if (h->looking & LOOK_FETCH && look_fetch(h, second, &pa2) == MMU_STOPPED)
        return NULL;
    if (!mmu_fetch(h, second, &pa2, &cause))
        return fetch_trap(h, cause, second);
    if (!blocks_half(h->blocks, pa2, &high))
        return fetch_trap(h, CAUSE_FETCH_ACCESS, second);
    word = (uint32_t)high << 16 | low;
    if (!keep || pa2 % MEM_PAGE || h->looking & LOOK_FETCH ||
        !uniform_page(h, second, pa2))
        return blocks_single(h->blocks, word);
    b = blocks_across(h->blocks, pa, pa2, word);
    jump_keep(h, h->pc, b);
    return b;
}

/*
 * Where the block at pc has to end: before the page does and before the next
 * breakpoint. look: there is one of any kind at pc itself.
 */
struct reach {
    uint64_t stop;
    bool look;
};

static struct reach reach_of(struct hart *h, uint64_t addr, uint32_t flags)
{
    uint64_t end = (addr | (MEM_PAGE - 1)) + 1;
    struct reach r;

    r.stop = points_next_break(h->points, h, addr, end - addr, flags);
    r.look = r.stop == addr;
    if (r.look)
        r.stop =
            points_next_break(h->points, h, addr + 2, end - addr - 2, flags);
    return r;
}

static bool stopped_at(struct hart *h, uint64_t addr, uint32_t flags)
{
    const struct point *p = points_break(h->points, h, addr, flags);

    if (p)
        look_break(h, p, addr);
    return p;
}

/* False: the hart is to stop. A fetch that will fault is left to itself. */
static bool look_at_memory(struct hart *h, bool skip, struct reach *r)
{
    struct reach phys;
    uint64_t pa;

    switch (look_fetch(h, h->pc, &pa)) {
    case MMU_STOPPED:
        return false;
    case MMU_TRAPPED:
        return true;
    default:
        break;
    }
    phys = reach_of(h, pa, POINT_PHYS);
    if (phys.look && !skip && stopped_at(h, pa, POINT_PHYS))
        return false;
    r->look |= phys.look;
    if (phys.stop - pa < r->stop - h->pc)
        r->stop = h->pc + (phys.stop - pa);
    return true;
}

/* There is a breakpoint of some kind at pc. False: a stop or trap comes first. */
static bool look_at_pc(struct hart *h, bool skip)
{
    if (!skip && stopped_at(h, h->pc, 0))
        return false;
    if (!trigger_exec(h, h->pc))
        return true;
    fetch_trap(h, CAUSE_BREAKPOINT, h->pc);
    return false;
}

/* Is that known, and all that comes behind it? */
static bool is_look_known(const struct hart *h, const struct jump_entry *e)
{
    return e->pc == h->pc && e->gen == (h->fetch_gen | GEN_LOOK) &&
           e->block->limit && !(h->looking & LOOK_FETCH);
}

/*
 * The slow way, when pc is not among the jump entries. Where PMP does not
 * treat the page as a whole, instructions are fetched one by one. A pc with a
 * breakpoint of any kind gets a jump entry that nobody but this takes, so it
 * always comes this way.
 */
static struct block *find_block(struct hart *h, bool skip)
{
    uint64_t pc = h->pc, pa, cause = CAUSE_FETCH_ACCESS;
    struct jump_entry *e = jump_entry(h, pc);
    struct reach r;
    struct block *b;
    uint32_t limit;
    bool uniform;

    if (is_look_known(h, e))
        return look_at_pc(h, skip) ? e->block : NULL;
    r = reach_of(h, pc, 0);
    if (r.look && !look_at_pc(h, skip))
        return NULL;
    if (h->looking & LOOK_FETCH && !look_at_memory(h, skip, &r))
        return NULL;
    if (!mmu_fetch(h, pc, &pa, &cause))
        return fetch_trap(h, cause, pc);
    uniform = uniform_page(h, pc, pa);
    limit = uniform ? (uint32_t)(r.stop - pc) : 2;
    b = jump_known(h, pc, pa, limit);
    if (!b)
        b = blocks_get(h->blocks, pa, limit);
    if (!b)
        return one_insn(h, pa, uniform && !r.look);
    jump_keep(h, pc, b);
    if (r.look)
        e->gen |= GEN_LOOK;
    return b;
}

static bool in_range(const struct hart *h)
{
    return h->pc >= h->range.from && h->pc < h->range.to;
}

/* How many of b's instructions start in the range: b is at pc, within it. */
static uint32_t insns_in_range(const struct hart *h, const struct block *b)
{
    uint64_t room = h->range.to - h->pc;
    uint32_t n = b->n;

    while (n > 1 && b->insn[n - 1].off >= room)
        n--;
    return n;
}

/*
 * The part of the block at pc that is in the range; NULL: pc is not. It takes
 * the whole one's place among the jump entries, if that was put there: where
 * there is a breakpoint it was not.
 */
static struct block *block_in_range(struct hart *h)
{
    const struct jump_entry *e = jump_entry(h, h->pc);
    uint64_t room = h->range.to - h->pc;
    struct block *b;
    uint32_t n;

    if (!in_range(h)) {
        h->attention |= ATTN_YIELD;
        return NULL;
    }
    b = find_block(h, false);
    n = b ? insns_in_range(h, b) : 0;
    if (!b || n == b->n)
        return b;
    if (e->pc != h->pc || e->gen != h->fetch_gen)
        return blocks_cut(h->blocks, b, n);
    /* A limit of 2 would read no more than that: see blocks_get. */
    b = blocks_get(h->blocks, b->pa, room == 2 ? 1 : (uint32_t)room);
    jump_keep(h, h->pc, b);
    return b;
}

struct block *hart_find_block(struct hart *h)
{
    return h->range.to ? block_in_range(h) : find_block(h, false);
}

/* Running ------------------------------------------------------------------ */

void hart_run_block(struct hart *h, struct block *b)
{
    const struct insn *last;

    h->block = b;
    last = b->insn[0].fn(h, b->insn);
    h->steps += (uint64_t)(last - h->block->insn + 1);
    h->block = NULL;
}

static void run_blocks(struct hart *h)
{
    while (h->steps < h->stop_at && !(h->attention | h->waiting)) {
        const struct jump_entry *e = jump_entry(h, h->pc);
        uint64_t left = h->stop_at - h->steps;
        struct block *b;

        if (__builtin_expect(e->pc == h->pc && e->gen == h->fetch_gen, 1))
            b = e->block;
        else if (!(b = hart_find_block(h)))
            continue;
        if (__builtin_expect(b->n > left, 0))
            b = blocks_cut(h->blocks, b, (uint32_t)left);
        hart_run_block(h, b);
    }
}

/* One step that debuggers' points do not see. */
static void run_skipping(struct hart *h)
{
    struct block *b = find_block(h, true);

    if (b)
        hart_run_block(h, b->n > 1 ? blocks_cut(h->blocks, b, 1) : b);
    h->skip_points = 0;
}

/*
 * The gen of the range's jump entries. They hold on, like others, until the
 * context's own gen changes, or the range does.
 */
static uint64_t range_gen(struct hart *h)
{
    struct hart_range *r = &h->range;

    if (r->base != h->fetch_gen || r->last[0] != r->from || r->last[1] != r->to)
        r->gen =
            (h->gen_next += GEN_STEP) | GEN_RANGE | (h->fetch_gen & GEN_KIND);
    r->base = h->fetch_gen;
    r->last[0] = r->from;
    r->last[1] = r->to;
    return r->gen;
}

/* A change of context ends it, see mmu_context_changed: gen is valid in one. */
static void run_in_range(struct hart *h, run_fn *run)
{
    uint64_t others = h->fetch_gen, own = range_gen(h);

    h->fetch_gen = own;
    run(h);
    if (h->fetch_gen == own)
        h->fetch_gen = others;
    h->attention |= ATTN_YIELD; /* before an interrupt is taken */
}

/* Between blocks: what attention asks for; false: back to the machine. */
static bool attend(struct hart *h)
{
    if (h->attention & (ATTN_STOP | ATTN_YIELD))
        return false;
    h->attention &= ~(uint32_t)ATTN_CODE;
    if (h->attention & ATTN_IRQ) {
        h->attention &= ~(uint32_t)ATTN_IRQ;
        if (trap_interrupt(h) && h->attention & ATTN_STOP)
            return false;
    }
    if (h->waiting && !hart_wakes(h))
        return false;
    h->waiting = 0;
    return true;
}

uint64_t hart_run_by(struct hart *h, uint64_t n, run_fn *run)
{
    uint64_t start = h->steps, end = start + n;

    while (h->steps < end && attend(h)) {
        uint64_t from = h->steps, due = csr_due(h);

        if (due > 0) {
            h->stop_at = due < end - from ? from + due : end;
            if (h->skip_points)
                run_skipping(h);
            else if (h->range.to)
                run_in_range(h, run);
            else
                run(h);
        }
        if (h->steps - from == due)
            csr_look(h);
    }
    h->yielded = (h->attention & ATTN_YIELD) != 0;
    h->attention &= ~(uint32_t)ATTN_YIELD;
    return h->steps - start;
}

uint64_t hart_run(struct hart *h, uint64_t n)
{
    return hart_run_by(h, n, run_blocks);
}

uint64_t hart_run_range_by(struct hart *h, uint64_t n, uint64_t from,
                           uint64_t to, run_fn *run)
{
    h->range.from = from;
    h->range.to = to;
    n = hart_run_by(h, n, run);
    h->range.from = h->range.to = 0;
    return n;
}

uint64_t hart_run_range(struct hart *h, uint64_t n, uint64_t from, uint64_t to)
{
    return hart_run_range_by(h, n, from, to, run_blocks);
}

/* -------------------------------------------------------------------------- */

static void hart_free(void *opaque)
{
    struct hart *h = opaque;

    timer_free(h->stimer);
    free(h);
}

struct hart *hart_new(uint64_t hartid, const struct cpu_config *cpu,
                      const struct hart_wiring *w)
{
    struct hart *h = xcalloc(1, sizeof *h + sizeof(struct hart_caches));
    char name[32];

    h->hartid = hartid;
    h->cpu = *cpu;
    h->mem = w->mem;
    h->loop = w->loop;
    h->points = w->points;
    h->blocks = w->blocks;
    h->tables = w->tables;
    h->stimer = timer_new(w->loop, LOOP_VIRTUAL, "stimecmp", csr_stimer, h);
    blocks_add_hart(h->blocks, h);
    mem_on_flush(h->mem, mmu_forget_phys, h);
    points_memory(h->points, h->mem);
    points_on_change(h->points, points_changed, h);
    hart_reset(h);
    snprintf(name, sizeof name, "hart%u", (unsigned)hartid);
    dev_add(w->devs,
            &(struct dev_info){ .name = name,
                                .fields = hart_fields,
                                .size = sizeof *h,
                                .version = 1,
                                .reset = hart_reset,
                                .loaded = hart_loaded,
                                .free = hart_free },
            h);
    return h;
}
