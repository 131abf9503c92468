/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - the TLB, and the slow path of loads, stores, atomics and fetches.
 *
 * What fill() lets into the TLB is all that the fast paths may do without
 * asking anybody: host memory, rights by page table and PMP both, no
 * watchpoint (TLB_WATCHED: it takes a look at which bytes); for stores moreover
 * D set and no attention wanted by mem.
 */
#include "emu/hart/mmu.h"

#include <inttypes.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/interp.h"
#include "emu/hart/look.h"
#include "emu/hart/mmu_walk.h"
#include "emu/hart/pmp.h"
#include "emu/hart/points.h"
#include "emu/hart/trap.h"
#include "emu/hart/triggers.h"

static const uint64_t page_mask = ~UINT64_C(0xfff);

enum {
    LOOK_ANY_WATCH = (POINT_READ | POINT_WRITE) * (1 + (1 << POINTS_PHYS_SHIFT))
};

/* Contexts ------------------------------------------------------------------*/

static unsigned context(unsigned priv, bool sum)
{
    return priv == PRIV_U ? CTX_U : priv == PRIV_M ? CTX_M : CTX_S + sum;
}

static unsigned priv_of(unsigned ctx)
{
    return ctx == CTX_U ? PRIV_U : ctx == CTX_M ? PRIV_M : PRIV_S;
}

static unsigned data_context(const struct hart *h)
{
    unsigned mpp = h->mstatus >> 11 & 3;

    return context(h->mstatus & MSTATUS_MPRV ? mpp : h->priv,
                   h->mstatus & MSTATUS_SUM);
}

static bool linear(const struct hart *h, unsigned ctx)
{
    return h->fast.linear && (ctx == CTX_M || h->satp >> 60 == 0);
}

bool mmu_linear(const struct hart *h)
{
    unsigned data = data_context(h);

    return data == context(h->priv, false) && linear(h, data);
}

void mmu_context_changed(struct hart *h)
{
    unsigned fetch = context(h->priv, false), data = data_context(h);

    h->data_tlb = h->tlb[data];
    h->fetch_tlb = h->tlb[fetch];
    h->fetch_gen = h->ctx_gen[fetch][mmu_linear(h)];
    if (h->range.to)
        h->attention |= ATTN_YIELD; /* its jump entries are not those */
}

/* Flushing ------------------------------------------------------------------*/

static void empty_tlb(struct hart *h)
{
    for (unsigned c = 0; c < CTX_COUNT; c++)
        if (h->mmu.filled >> c & 1)
            memset(h->tlb[c], 0xff, sizeof h->tlb[c]);
    h->mmu.filled = 0;
    sites_forget(h);
}

void mmu_flush(struct hart *h)
{
    if (h->gen_next == 0)
        h->mmu.filled = ~UINT64_C(0); /* the very first: zeroes are no tags */
    empty_tlb(h);
    for (unsigned c = 0; c < CTX_COUNT; c++)
        for (unsigned l = 0; l < 2; l++)
            h->ctx_gen[c][l] =
                (h->gen_next += GEN_STEP) | (uint64_t)c * GEN_CTX | l;
    memset(h->jump_pages, 0, sizeof h->jump_pages);
    for (unsigned half = 0; half < 2; half++) {
        h->mmu.large_first[half] = UINT64_MAX;
        h->mmu.large_last[half] = 0;
    }
    h->mmu.large = 0;
    mmu_context_changed(h);
}

static void forget_entry(struct tlb_entry *e)
{
    e->read = e->write = e->exec = TLB_NONE;
}

/* Is any of e's tags for an address in va's (super)page? */
static bool in_page(const struct tlb_entry *e, uint64_t va, unsigned order)
{
    uint64_t mask = ~UINT64_C(0) << order;

    return !((e->read ^ va) & mask) || !((e->write ^ va) & mask) ||
           !((e->exec ^ va) & mask);
}

/* Entries of superpages may be anywhere. */
static void flush_superpage(struct hart *h, uint64_t va)
{
    for (unsigned c = 0; c < CTX_COUNT; c++)
        for (unsigned n = 0; h->mmu.filled >> c & 1 && n < TLB_ENTRIES; n++)
            if (in_page(&h->tlb[c][n], va, h->mmu.order[c][n]))
                forget_entry(&h->tlb[c][n]);
}

void mmu_flush_page(struct hart *h, uint64_t va)
{
    uint64_t page = va & page_mask;

    if (page >= h->mmu.large_first[va >> 63] &&
        page <= h->mmu.large_last[va >> 63]) {
        mmu_flush(h);
        return;
    }
    sites_forget(h);
    for (unsigned c = 0; c < CTX_COUNT; c++) {
        struct tlb_entry *e = tlb_entry(h->tlb[c], va);

        if ((e->read & page_mask) == page || (e->write & page_mask) == page ||
            e->exec == page)
            forget_entry(e);
    }
    if (h->mmu.large >> (va >> 63) & 1)
        flush_superpage(h, va);
    jump_forget_page(h, va);
}

void mmu_forget_phys(void *hart, uint64_t pa, size_t len)
{
    struct hart *h = hart;

    if (len == 0) {
        empty_tlb(h);
        return;
    }
    sites_forget(h);
    for (unsigned c = 0; c < CTX_COUNT; c++)
        for (unsigned n = 0; h->mmu.filled >> c & 1 && n < TLB_ENTRIES; n++)
            if (h->mmu.note[c][n].pa + MEM_PAGE > pa &&
                h->mmu.note[c][n].pa < pa + len)
                forget_entry(&h->tlb[c][n]);
}

/* Filling -------------------------------------------------------------------*/

static bool has_host(const struct mem_region *r)
{
    return r->kind == MEM_RAM || r->kind == MEM_ROM ||
           (r->kind == MEM_ROMD && r->romd);
}

/*
 * What becomes of the rights that page table and PMP give to a page. Watched
 * parts, and nothing else, leave it a tag that misses but can be looked at.
 */
static unsigned keep_out(const struct hart *h, const struct mem_region *r,
                         uint64_t va, uint64_t pa, unsigned rights)
{
    if (trigger_page(h, va))
        rights &= ACCESS_EXEC;
    if (r->kind != MEM_RAM ||
        r->attn[(pa - r->base) / MEM_PAGE] & ~(unsigned)MEM_ATTN_WATCH)
        rights &= ~(unsigned)ACCESS_WRITE;
    return rights;
}

/* The POINT_ bits of accesses that watchpoints on the page ask for. */
static uint32_t watched(const struct hart *h, uint64_t va, uint64_t pa,
                        uint64_t *parts)
{
    if (!(h->looking & LOOK_ANY_WATCH))
        return 0;
    *parts = points_parts(h->points, h, va, 0) |
             points_parts(h->points, h, pa, POINT_PHYS);
    return points_watched(h->points, h, va, MEM_PAGE, 0) |
           points_watched(h->points, h, pa, MEM_PAGE, POINT_PHYS);
}

static uint64_t tag(uint64_t va, bool may, bool look)
{
    return may ? va | (look ? TLB_WATCHED : 0) : TLB_NONE;
}

static void fill(struct hart *h, unsigned ctx, uint64_t va,
                 const struct mapping *m)
{
    uint64_t pa = m->pa;
    unsigned rights = m->rights;
    const struct mem_region *r;
    struct tlb_entry *e = tlb_entry(h->tlb[ctx], va);
    size_t n = (size_t)(e - h->tlb[ctx]);
    uint32_t look;

    va &= page_mask;
    pa &= page_mask;
    r = mem_find(h->mem, pa);
    if (!r || !has_host(r) || r->size - (pa - r->base) < MEM_PAGE ||
        !pmp_page_uniform(h, pa))
        return;
    rights &= pmp_rights(h, pa, MEM_PAGE, priv_of(ctx));
    rights = keep_out(h, r, va, pa, rights);
    look = watched(h, va, pa, &h->mmu.note[ctx][n].parts);
    e->read = tag(va, rights & ACCESS_READ, look & POINT_READ);
    e->write = tag(va, rights & ACCESS_WRITE, look); /* AMOs read by it, too */
    e->exec = tag(va, rights & ACCESS_EXEC, false);
    e->addend = (uintptr_t)r->host + (pa - r->base) - va;
    if (linear(h, ctx) && e->addend != (uintptr_t)(int64_t)h->fast.delta)
        e->read = e->write = TLB_NONE;
    h->mmu.note[ctx][n].pa = pa;
    h->mmu.order[ctx][n] = (uint8_t)__builtin_ctzll(m->size);
    h->mmu.filled |= UINT64_C(1) << ctx;
}

static void note_large(struct hart *h, uint64_t va, uint64_t size, bool code)
{
    unsigned half = va >> 63;
    uint64_t first = va & ~(size - 1), last = first + (size - 1);

    h->mmu.large |= (uint8_t)(size > MEM_PAGE) << half;
    if (size <= MEM_PAGE || !code)
        return;
    if (first < h->mmu.large_first[half])
        h->mmu.large_first[half] = first;
    if (last > h->mmu.large_last[half])
        h->mmu.large_last[half] = last;
}

static uint64_t fault_cause(enum walk_end end, unsigned access)
{
    bool page = end == WALK_PAGE_FAULT;

    if (access & ACCESS_WRITE)
        return page ? CAUSE_STORE_PAGE : CAUSE_STORE_ACCESS;
    if (access & ACCESS_READ)
        return page ? CAUSE_LOAD_PAGE : CAUSE_LOAD_ACCESS;
    return page ? CAUSE_FETCH_PAGE : CAUSE_FETCH_ACCESS;
}

/* Translates and checks len bytes at va, within one page: NO_FAULT and pa, or
 * the exception's cause. */
#define NO_FAULT UINT64_MAX
static uint64_t resolve(struct hart *h, uint64_t va, unsigned len,
                        unsigned access, unsigned ctx, uint64_t *pa)
{
    unsigned priv = priv_of(ctx);
    struct mapping m;
    enum walk_end end = mmu_walk(h, va, access, priv, ctx == CTX_S_SUM, &m);

    if (end == WALK_OK && !pmp_allows(h, m.pa, len, access, priv))
        end = WALK_ACCESS_FAULT;
    if (log_on(LOG_MMU))
        log_to(LOG_MMU,
               "riscv_cpu_tlb_fill address=%" PRIx64
               " ret %d physical %016" PRIx64 " prot %u\n",
               va, (int)end, end == WALK_OK ? m.pa : 0,
               end == WALK_OK ? m.rights : 0);
    if (end != WALK_OK)
        return fault_cause(end, access);
    note_large(h, va, m.size, m.rights & ACCESS_EXEC);
    fill(h, ctx, va, &m);
    *pa = m.pa;
    return NO_FAULT;
}

/* Loads and stores ----------------------------------------------------------*/

/* An access is one piece, or two where it crosses into another page. */
struct pieces {
    unsigned n;
    uint64_t pa[2];
    unsigned len[2];
};

static enum mmu_result fault(struct hart *h, const struct insn *i,
                             uint64_t cause, uint64_t va)
{
    trap(h, i, cause, va);
    return MMU_TRAPPED;
}

/* Nothing is accessed before all of it may be. */
static enum mmu_result resolve_all(struct hart *h, const struct insn *i,
                                   uint64_t va, unsigned size, unsigned access,
                                   struct pieces *p)
{
    unsigned room = MEM_PAGE - (unsigned)(va % MEM_PAGE);
    unsigned ctx = data_context(h);

    p->n = size > room ? 2 : 1;
    p->len[0] = size > room ? room : size;
    p->len[1] = size - p->len[0];
    for (unsigned n = 0; n < p->n; n++) {
        uint64_t at = n ? va + room : va;

        uint64_t cause = resolve(h, at, p->len[n], access, ctx, &p->pa[n]);

        if (cause != NO_FAULT)
            return fault(h, i, cause, at);
    }
    return MMU_OK;
}

/* Everything that comes before an access: triggers, points, translation. */
static enum mmu_result prepare(struct hart *h, const struct insn *i,
                               uint64_t va, unsigned size, unsigned access,
                               struct pieces *p)
{
    unsigned rights = access & (ACCESS_READ | ACCESS_WRITE);
    enum mmu_result r;

    h->at = i;
    if (trigger_access(h, va, size, rights * POINT_READ))
        return fault(h, i, CAUSE_BREAKPOINT, va);
    r = look_access(h, i, va, size, access);
    return r == MMU_OK ? resolve_all(h, i, va, size, rights, p) : r;
}

bool mmu_look(struct hart *h, uint64_t va, unsigned len, unsigned access,
              uint64_t *pa, uint64_t *pte)
{
    unsigned ctx =
        access & ACCESS_EXEC ? context(h->priv, false) : data_context(h);
    struct mapping m;

    if (mmu_probe(h, va, access, priv_of(ctx), ctx == CTX_S_SUM, &m) !=
            WALK_OK ||
        !pmp_allows(h, m.pa, len, access, priv_of(ctx)))
        return false;
    *pa = m.pa;
    *pte = m.pte_at;
    return true;
}

bool mmu_reserved(const struct hart *h, uint64_t pa, unsigned size)
{
    uint64_t v;

    return h->reserved_addr == pa && mem_read(h->mem, pa, size, &v, NULL) &&
           v == (h->reserved_value & (UINT64_MAX >> (64 - 8 * size)));
}

/* Where two pages meet both have to be memory: a device does not see half an
 * access. The fault is that of the half which is none. */
static bool both_memory(const struct hart *h, const struct pieces *p,
                        uint64_t *va)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct mem_region *r = mem_find(h->mem, p->pa[n]);

        if (!r || r->kind == MEM_DEVICE || r->kind == MEM_ROMD) {
            *va += n ? p->len[0] : 0;
            return false;
        }
    }
    return true;
}

static bool read_pieces(struct hart *h, const struct pieces *p, uint64_t *va,
                        unsigned size, uint64_t *v)
{
    *v = 0;
    if (p->n == 1)
        return mem_read(h->mem, p->pa[0], size, v, NULL);
    return both_memory(h, p, va) &&
           mem_get(h->mem, p->pa[0], v, p->len[0]) == p->len[0] &&
           mem_get(h->mem, p->pa[1], (uint8_t *)v + p->len[0], p->len[1]) ==
               p->len[1];
}

static bool write_pieces(struct hart *h, const struct pieces *p, uint64_t *va,
                         unsigned size, uint64_t v)
{
    if (p->n == 1)
        return mem_write(h->mem, p->pa[0], size, v, NULL);
    return both_memory(h, p, va) &&
           mem_put(h->mem, p->pa[0], &v, p->len[0]) == p->len[0] &&
           mem_put(h->mem, p->pa[1], (uint8_t *)&v + p->len[0], p->len[1]) ==
               p->len[1];
}

static void *host_at(const struct tlb_entry *e, uint64_t va)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (void *)(uintptr_t)(va + e->addend);
}

/*
 * May an access go to host memory by this tag after all: misaligned within its
 * page, or not where the page is watched? These slow accesses are common.
 */
static bool may_pass(const struct hart *h, const struct tlb_entry *e,
                     uint64_t tag, uint64_t va, unsigned size)
{
    uint64_t off = va % MEM_PAGE, span;

    if (off > MEM_PAGE - size)
        return false;
    if (tag == (va & page_mask))
        return true;
    if (tag != ((va & page_mask) | TLB_WATCHED))
        return false;
    span = UINT64_C(1) << off / 64 | UINT64_C(1) << (off + size - 1) / 64;
    return !((&h->mmu.note[0][0])[e - h->tlb[0]].parts & span);
}

enum mmu_result mmu_load(struct hart *h, const struct insn *i, uint64_t va,
                         unsigned size, uint64_t *v)
{
    const struct tlb_entry *e = tlb_entry(h->data_tlb, va);
    enum mmu_result r;
    struct pieces p;

    if (may_pass(h, e, e->read, va, size)) {
        *v = 0;
        memcpy(v, host_at(e, va), size);
        return MMU_OK;
    }
    r = prepare(h, i, va, size, ACCESS_READ, &p);
    if (r == MMU_OK && !read_pieces(h, &p, &va, size, v))
        return fault(h, i, CAUSE_LOAD_ACCESS, va);
    return r;
}

enum mmu_result mmu_store(struct hart *h, const struct insn *i, uint64_t va,
                          unsigned size, uint64_t v)
{
    const struct tlb_entry *e = tlb_entry(h->data_tlb, va);
    enum mmu_result r;
    struct pieces p;

    if (may_pass(h, e, e->write, va, size)) {
        memcpy(host_at(e, va), &v, size);
        return MMU_OK;
    }
    h->storing = v;
    r = prepare(h, i, va, size, ACCESS_WRITE | ACCESS_VALUE, &p);
    if (r == MMU_OK && !write_pieces(h, &p, &va, size, v))
        return fault(h, i, CAUSE_STORE_ACCESS, va);
    return r;
}

enum mmu_result mmu_atomic(struct hart *h, const struct insn *i, uint64_t va,
                           unsigned size, unsigned access, uint64_t *pa)
{
    enum mmu_result r;
    struct pieces p;

    r = prepare(h, i, va, size, access, &p);
    if (r != MMU_OK)
        return r;
    if (!mem_find(h->mem, p.pa[0]))
        return fault(h, i, fault_cause(WALK_ACCESS_FAULT, access), va);
    *pa = p.pa[0];
    return MMU_OK;
}

enum mmu_result mmu_manage(struct hart *h, const struct insn *i, uint64_t va,
                           unsigned size)
{
    unsigned ctx = data_context(h);
    uint64_t pa = 0, cause;

    h->at = i;
    cause = resolve(h, va, size, ACCESS_READ, ctx, &pa);
    if (cause != NO_FAULT)
        cause = resolve(h, va, size, ACCESS_WRITE, ctx, &pa);
    if (cause != NO_FAULT)
        return fault(h, i, cause, va);
    if (!mem_find(h->mem, pa))
        return fault(h, i, CAUSE_STORE_ACCESS, va);
    return MMU_OK;
}

bool mmu_fetch(struct hart *h, uint64_t va, uint64_t *pa, uint64_t *cause)
{
    const struct tlb_entry *e = tlb_entry(h->fetch_tlb, va);
    unsigned ctx = context(h->priv, false);
    const struct mem_region *r;

    if (e->exec == (va & page_mask)) {
        *pa = h->mmu.note[ctx][e - h->tlb[ctx]].pa | (va & ~page_mask);
        return true;
    }
    *cause = resolve(h, va, 2, ACCESS_EXEC, ctx, pa);
    if (*cause != NO_FAULT)
        return false;
    r = mem_find(h->mem, *pa);
    *cause = CAUSE_FETCH_ACCESS;
    return r && has_host(r);
}
