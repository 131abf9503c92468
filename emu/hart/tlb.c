/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - what a hart remembers: TLBs and jump entries, by address space.
 *
 * What tlb_fill lets into a TLB is all that the fast paths may do without
 * asking anybody: host memory, rights by page table and PMP both, no watchpoint
 * (TLB_WATCHED: it takes a look at which bytes); for stores moreover D set and
 * no attention wanted by mem.
 *
 * Page tables that change make it forget (tables.h); mem does when a page wants
 * attention from now on; everything else that translation depends on (PMP,
 * mstatus.MXR, menvcfg, points, the machine's state as a whole) calls mmu_flush.
 */
#include "emu/hart/tlb.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/look.h"
#include "emu/hart/pmp.h"
#include "emu/hart/points.h"
#include "emu/hart/triggers.h"

enum { LEAVES = MEM_PAGE / 8 }; /* of a table */

#define SATP_ASID (UINT64_C(0xffff) << 44)
#define SATP_PPN  ((UINT64_C(1) << 44) - 1)

static const uint64_t page_mask = ~(uint64_t)(MEM_PAGE - 1);

/* Contexts ------------------------------------------------------------------*/

unsigned tlb_data_context(const struct hart *h)
{
    unsigned mpp = h->mstatus >> 11 & 3;

    return tlb_context(h->mstatus & MSTATUS_MPRV ? mpp : h->priv,
                       h->mstatus & MSTATUS_SUM);
}

static bool linear(const struct hart *h, unsigned ctx)
{
    return h->fast.linear && (ctx == CTX_M || h->satp >> 60 == 0);
}

bool mmu_linear(const struct hart *h) { return linear(h, tlb_data_context(h)); }

void mmu_context_changed(struct hart *h)
{
    unsigned fetch = tlb_context(h->priv, false), data = tlb_data_context(h);

    h->data_tlb = h->mmu.here[data]->entry;
    h->data_index = h->mmu.here[data]->index;
    h->fetch_tlb = h->mmu.here[fetch];
    h->fetch_gen = h->mmu.here[fetch]->gen[mmu_linear(h)];
    if (h->range.to)
        h->attention |= ATTN_YIELD; /* its jump entries are not those */
}

/* Forgetting ----------------------------------------------------------------*/

static uint64_t size_of(const struct tlb *t)
{
    return t->index / sizeof t->entry[0] + 1;
}

static void forget_entry(struct tlb_entry *e)
{
    e->read = e->write = e->page = TLB_NONE;
}

static void empty(struct tlb *t)
{
    if (t->clean)
        return;
    memset(t->entry, 0xff, size_of(t) * sizeof t->entry[0]); /* TLB_NONE */
    memset(t->of_page, 0, size_of(t) * sizeof t->of_page[0]);
    sites_forget(t->hart);
    t->clean = true;
}

static void resize(struct tlb *t, uint64_t entries)
{
    struct hart *h = t->hart;

    t->clean = t->clean && entries <= size_of(t); /* what is new is not */
    t->index = (entries - 1) * sizeof t->entry[0];
    t->evicted = 0;
    t->since = h->steps;
    empty(t);
    if (h->data_tlb == t->entry)
        h->data_index = t->index;
}

/*
 * A page goes for another one. Where that happens too often the TLB is too
 * small: finding a page anew takes as long as some hundreds of steps.
 */
static void evicted(struct tlb *t)
{
    enum { OFTEN = 1024 /* steps between two */ };
    uint64_t size = size_of(t);

    if (++t->evicted < size)
        return;
    if (size < TLB_MOST && t->hart->steps - t->since < size * OFTEN) {
        resize(t, 2 * size);
        return;
    }
    t->evicted = 0;
    t->since = t->hart->steps;
}

/* No jump entry is valid any more; a block that is running was fetched by what
 * was, and ends. */
static void forget_jumps(struct tlb *t)
{
    struct hart *h = t->hart;

    for (unsigned l = 0; l < 2; l++)
        t->gen[l] = (h->gen_next += GEN_STEP) | GEN_CTX * (uint64_t)t->ctx | l;
    if (h->block)
        h->attention |= ATTN_CODE;
}

void tlb_forget_leaf(struct tlb *t, uint64_t pte, bool code)
{
    uint64_t n = pte / 8 % LEAVES % size_of(t); /* as vpn[0] has it */

    t->hart->fast.lost++;
    for (; !t->clean && n < size_of(t); n += LEAVES)
        if (t->note[n].leaf == pte)
            forget_entry(&t->entry[n]); /* sites are for linear contexts only */
    if (!code)
        return;
    forget_jumps(t);
    mmu_context_changed(t->hart);
}

void tlb_forget(struct tlb *t)
{
    empty(t);
    tables_leave(t->hart->tables, t);
    forget_jumps(t);
    mmu_context_changed(t->hart);
}

/* Address spaces ------------------------------------------------------------*/

static void start(struct hart *h, unsigned ctx, struct tlb *t)
{
    t->hart = h;
    t->ctx = ctx;
    t->used = 0;
    resize(t, TLB_LEAST);
    tables_leave(h->tables, t);
    forget_jumps(t);
}

/* May all of this page be read as a page table? */
static bool is_table(const struct hart *h, uint64_t pa)
{
    const struct mem_region *r = mem_find(h->mem, pa);

    return r && mem_reads_host(r) && r->size - (pa - r->base) >= MEM_PAGE &&
           pmp_allows(h, pa, MEM_PAGE, ACCESS_READ, PRIV_S);
}

static bool move(struct tlb *t, uint64_t satp)
{
    uint64_t root = (satp & SATP_PPN) * MEM_PAGE;

    if (!t->used || t->satp >> 60 != satp >> 60 || !is_table(t->hart, root) ||
        !tables_move(t->hart->tables, t, root))
        return false;
    t->satp = satp;
    return true;
}

static struct tlb *find_same(struct hart *h, unsigned ctx, uint64_t satp)
{
    for (unsigned n = 1; n < SPACES; n++)
        if (hart_caches(h)->tlb[ctx][n].used &&
            hart_caches(h)->tlb[ctx][n].satp == satp)
            return &hart_caches(h)->tlb[ctx][n];
    return NULL;
}

/* The one longest unused begins anew. */
static struct tlb *find_free(struct hart *h, unsigned ctx, uint64_t satp)
{
    struct tlb *t = &hart_caches(h)->tlb[ctx][1];

    for (unsigned n = 2; n < SPACES; n++)
        if (hart_caches(h)->tlb[ctx][n].used < t->used)
            t = &hart_caches(h)->tlb[ctx][n];
    start(h, ctx, t);
    t->satp = satp;
    return t;
}

static struct tlb *find(struct hart *h, unsigned ctx, uint64_t satp)
{
    struct tlb *here = h->mmu.here[ctx], *t;

    if (here->used && (here->satp == satp || (here->uses && move(here, satp))))
        return here;
    t = find_same(h, ctx, satp);
    return t ? t : find_free(h, ctx, satp);
}

void mmu_satp_changed(struct hart *h)
{
    uint64_t satp = h->satp & ~SATP_ASID;

    h->mmu.switches++;
    for (unsigned ctx = 0; ctx < CTX_M; ctx++) {
        h->mmu.here[ctx] =
            satp >> 60 ? find(h, ctx, satp) : hart_caches(h)->tlb[ctx];
        h->mmu.here[ctx]->used = h->mmu.switches;
    }
    mmu_context_changed(h);
}

void mmu_flush(struct hart *h)
{
    for (unsigned ctx = 0; ctx < CTX_COUNT; ctx++) {
        h->mmu.here[ctx] = hart_caches(h)->tlb[ctx];
        for (unsigned n = 0; n < SPACES; n++)
            if (n == 0 || hart_caches(h)->tlb[ctx][n].used)
                start(h, ctx, &hart_caches(h)->tlb[ctx][n]);
    }
    mmu_satp_changed(h);
}

static uint16_t *list_of(struct tlb *t, uint64_t pa)
{
    return &t->of_page[pa / MEM_PAGE % size_of(t)];
}

/* Entry n is in the list of its page no more, if it was. */
static void unlist(struct tlb *t, uint64_t n)
{
    uint64_t at = *list_of(t, t->note[n].pa);

    if (at == n + 1) {
        *list_of(t, t->note[n].pa) = (uint16_t)t->note[n].next;
        return;
    }
    while (at && t->note[at - 1].next != n + 1)
        at = t->note[at - 1].next;
    if (at)
        t->note[at - 1].next = t->note[n].next;
}

static void enlist(struct tlb *t, uint64_t n, uint64_t pa)
{
    unlist(t, n);
    t->note[n].pa = pa;
    t->note[n].next = *list_of(t, pa);
    *list_of(t, pa) = (uint16_t)(n + 1);
}

static void forget_page(struct tlb *t, uint64_t pa)
{
    for (uint64_t at = *list_of(t, pa); at; at = t->note[at - 1].next)
        if (t->note[at - 1].pa == pa)
            forget_entry(&t->entry[at - 1]);
}

static void forget_phys(struct tlb *t, uint64_t pa, size_t len)
{
    if (t->clean)
        return;
    sites_forget(t->hart);
    if (pa % MEM_PAGE + len <= MEM_PAGE) {
        forget_page(t, pa & page_mask);
        return;
    }
    for (uint64_t n = 0; n < size_of(t); n++)
        if (t->note[n].pa + MEM_PAGE > pa && t->note[n].pa < pa + len)
            forget_entry(&t->entry[n]);
}

void mmu_forget_phys(void *hart, uint64_t pa, size_t len)
{
    struct hart *h = hart;
    const struct mem_region *r = len ? mem_find(h->mem, pa) : NULL;

    if (r && r->kind != MEM_RAM) { /* tables may lie there, even */
        mmu_flush(h);
        return;
    }
    for (unsigned ctx = 0; ctx < CTX_COUNT; ctx++)
        for (unsigned n = 0; n < SPACES; n++) {
            struct tlb *t = &hart_caches(h)->tlb[ctx][n];

            if (n > 0 && !t->used)
                continue;
            if (len == 0)
                empty(t);
            else
                forget_phys(t, pa, len);
        }
}

/* Filling -------------------------------------------------------------------*/

enum {
    LOOK_ANY_WATCH = (POINT_READ | POINT_WRITE) * (1 + (1 << POINTS_PHYS_SHIFT))
};

static bool stores_are_seen(const struct mem_region *r, uint64_t pa)
{
    return r->kind != MEM_RAM ||
           r->attn[(pa - r->base) / MEM_PAGE] & ~(unsigned)MEM_ATTN_WATCH;
}

/*
 * What becomes of the rights that page table and PMP give to a page. Watched
 * parts, and nothing else, leave it a tag that misses but can be looked at.
 */
static unsigned keep_out(const struct hart *h, const struct mem_region *r,
                         uint64_t va, uint64_t pa, unsigned rights)
{
    if (trigger_watches(h, va, MEM_PAGE))
        rights &= ACCESS_EXEC;
    if (stores_are_seen(r, pa))
        rights &= ~(unsigned)ACCESS_WRITE;
    return rights;
}

/* The POINT_ bits of accesses that watchpoints on the page ask for. */
static uint32_t watched(const struct hart *h, uint64_t va, uint64_t pa,
                        uint64_t *parts)
{
    *parts = 0;
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

/* The tags of an entry for va's page, which is memory of r. */
static void set_tags(struct hart *h, struct tlb *t, struct tlb_entry *e,
                     const struct mem_region *r, uint64_t va, unsigned rights)
{
    struct tlb_note *note = &t->note[e - t->entry];
    uint32_t look = watched(h, va, note->pa, &note->parts);

    rights = keep_out(h, r, va, note->pa, rights);
    e->read = tag(va, rights & ACCESS_READ, look & POINT_READ);
    e->write = tag(va, rights & ACCESS_WRITE, look); /* AMOs read by it, too */
    e->addend = (uintptr_t)r->host + (note->pa - r->base) - va;
    if (linear(h, t->ctx) && e->addend != (uintptr_t)(int64_t)h->fast.delta)
        e->read = e->write = TLB_NONE;
}

static bool is_others(const struct tlb_entry *e, uint64_t va)
{
    return e->page != TLB_NONE && (e->page ^ va) & page_mask;
}

static bool fits(const struct mem_region *r, uint64_t pa)
{
    return r && mem_reads_host(r) && r->size - (pa - r->base) >= MEM_PAGE;
}

/* What m says of va's page, if PMP says the same of all of it. */
static void put(struct hart *h, struct tlb *t, uint64_t va,
                const struct mapping *m, bool exec)
{
    uint64_t pa = m->pa & page_mask;
    const struct mem_region *r = mem_find(h->mem, pa);
    unsigned rights =
        m->rights & pmp_rights(h, pa, MEM_PAGE, tlb_priv_of(t->ctx));
    struct tlb_entry *e;
    struct tlb_note *note;

    if (!rights)
        return;
    if (is_others(tlb_at(t, va), va))
        evicted(t);
    e = tlb_at(t, va);
    note = &t->note[e - t->entry];
    if (!exec || !fits(r, pa)) /* jump entries: tables_use has to know */
        rights &= ~(unsigned)ACCESS_EXEC;
    forget_entry(e);
    e->page = (va & page_mask) | (ACCESS_ALL & ~rights);
    enlist(t, (uint64_t)(e - t->entry), pa);
    note->leaf = m->leaf;
    t->clean = false;
    if (fits(r, pa))
        set_tags(h, t, e, r, va & page_mask, rights);
}

void tlb_fill(struct hart *h, unsigned ctx, uint64_t va,
              const struct mapping *m, bool exec)
{
    struct tlb *t = h->mmu.here[ctx];

    if (m->levels)
        tables_use(h->tables, t, m, exec);
    put(h, t, va, m, exec);
}

void tlb_fill_around(struct hart *h, unsigned ctx, uint64_t va,
                     const struct mapping *m)
{
    enum { LINE = 64 };
    struct tlb *t = h->mmu.here[ctx];
    uint64_t first = m->leaf & -(uint64_t)LINE;
    struct mapping n = *m;

    if (!m->leaf || !pmp_allows(h, first, LINE, ACCESS_READ, PRIV_S))
        return;
    va -= (m->leaf - first) / 8 * MEM_PAGE;
    for (uint64_t at = first; at < first + LINE; at += 8, va += MEM_PAGE)
        if (tlb_at(t, va)->page == TLB_NONE &&
            mmu_neighbour(h, at, tlb_priv_of(ctx), ctx == CTX_S_SUM, &n)) {
            tables_use_leaf(t, &n);
            put(h, t, va, &n, false);
        }
}

/* Reads have no other pages to look at, where no triggers are and PMP says the
 * same of all memory. */
static bool all_alike(const struct hart *h, const struct mem_region *r)
{
    return !trigger_watches(h, r->base, r->size) &&
           pmp_rights(h, r->base, r->size, tlb_priv_of(tlb_data_context(h))) &
               ACCESS_READ;
}

bool mmu_run_around(struct hart *h, uint64_t va, bool write, uint64_t *from,
                    uint64_t *to)
{
    const struct tlb_entry *e = tlb_data(h, va);
    uint64_t page = va & page_mask, tag = write ? e->write : e->read;
    const struct mem_region *r = mem_find(h->mem, page);

    if ((tag & ~TLB_WATCHED) != page)
        return false;
    *from = page;
    *to = page + MEM_PAGE;
    if (!write && all_alike(h, r)) {
        *from = r->base;
        *to = r->base + r->size;
    }
    points_cut(h->points, h, va, 0, from, to);
    points_cut(h->points, h, va, POINT_PHYS, from, to);
    return *from < *to;
}

void tlb_again(struct hart *h, unsigned ctx, uint64_t va)
{
    struct tlb *t = h->mmu.here[ctx];
    struct tlb_entry *e = tlb_at(t, va);
    uint64_t pa = t->note[e - t->entry].pa;
    const struct mem_region *r = mem_find(h->mem, pa);

    if (fits(r, pa) && (e->read == TLB_NONE || !stores_are_seen(r, pa)))
        set_tags(h, t, e, r, va & page_mask, ACCESS_ALL & ~(unsigned)e->page);
}
