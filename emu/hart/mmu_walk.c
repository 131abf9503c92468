/* SPDX-License-Identifier: MIT */
/*
 * mmu_walk.c - page tables: Sv39, Sv48, Sv57, Svnapot, Svpbmt, Svade, Svadu.
 *
 * descend() goes down to a leaf and says what is wrong with the tables on the
 * way; whether the access may use the leaf is decided after that, so guest
 * and debugger share the way down.
 *
 * Source: privileged manual, section 12.3.2 (the algorithm and its numbers).
 */
#include "emu/hart/mmu_walk.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"

#define PTE_PPN      (((UINT64_C(1) << 44) - 1) << 10)
#define PTE_RESERVED (UINT64_C(0x7f) << 54)
#define PTE_PBMT     (UINT64_C(3) << 61)
#define PTE_N        (UINT64_C(1) << 63)

enum fault {
    FAULT_NONE,
    FAULT_CANONICAL,
    FAULT_NO_MEMORY,
    FAULT_PMP,
    FAULT_INVALID,
    FAULT_RESERVED,
    FAULT_NO_LEAF,
    FAULT_MISALIGNED,
};

static const char *const phrases[] = {
    [FAULT_CANONICAL] = "the address is not canonical",
    [FAULT_NO_MEMORY] = "there is no memory where a page table should be",
    [FAULT_PMP] = "PMP denies reading the page table",
    [FAULT_INVALID] = "the entry is not valid",
    [FAULT_RESERVED] = "the entry has reserved bits set",
    [FAULT_NO_LEAF] = "the last level has no leaf",
    [FAULT_MISALIGNED] = "the superpage is misaligned",
};

int mmu_levels(const struct hart *h, unsigned priv)
{
    unsigned mode = h->satp >> 60; /* 8: Sv39, 9: Sv48, 10: Sv57 */

    return priv == PRIV_M || mode == 0 ? 0 : (int)mode - 5;
}

static bool canonical(uint64_t va, int levels)
{
    int unused = 64 - 12 - 9 * levels;

    return (uint64_t)((int64_t)(va << unused) >> unused) == va;
}

static uint64_t vpn(uint64_t va, int level)
{
    return va >> (12 + 9 * level) & 511;
}

static uint64_t pte_pa(uint64_t pte) { return (pte & PTE_PPN) << 2; }

/* Tables are read from host memory only: a device's window is none. */
static bool read_pte(const struct hart *h, uint64_t pa, uint64_t *pte)
{
    const struct mem_region *r = mem_find(h->mem, pa);

    if (!r || !mem_reads_host(r) || r->size - (pa - r->base) < 8)
        return false;
    memcpy(pte, r->host + (pa - r->base), 8);
    return true;
}

/* Steps 3 and 4, without the PTE's permissions. */
static enum fault check_pte(const struct hart *h, uint64_t pte, int level)
{
    bool leaf = pte & (PTE_R | PTE_X);
    uint64_t reserved = PTE_RESERVED;

    if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W)
        return FAULT_INVALID;
    if (!leaf)
        reserved |= PTE_N | PTE_PBMT | PTE_U | PTE_A | PTE_D;
    if (!ext_on(h->cpu.ext, EXT_SVNAPOT) || level > 0)
        reserved |= PTE_N;
    if (!ext_on(h->cpu.ext, EXT_SVPBMT) || !(h->menvcfg & MENVCFG_PBMTE))
        reserved |= PTE_PBMT;
    if (pte & reserved || (pte & PTE_PBMT) == PTE_PBMT)
        return FAULT_RESERVED;
    /* Svnapot knows 64 KiB only: ppn[3:0] is 8. */
    if (pte & PTE_N && (pte >> 10 & 15) != 8)
        return FAULT_RESERVED;
    return FAULT_NONE;
}

/* Step 5 on: the leaf's page and va's place in it. */
static enum fault finish(uint64_t va, uint64_t pte, int level,
                         struct mmu_walk *w)
{
    uint64_t size = UINT64_C(4096) << (9 * level), pa = pte_pa(pte);

    if (pa & (size - 1))
        return FAULT_MISALIGNED;
    if (pte & PTE_N) {
        size = 65536;
        pa &= ~(size - 1);
    }
    w->page_size = size;
    w->pa = pa | (va & (size - 1));
    return FAULT_NONE;
}

static enum fault descend(const struct hart *h, uint64_t va, int levels,
                          bool check_pmp, struct mmu_walk *w)
{
    uint64_t table = (h->satp & ((UINT64_C(1) << 44) - 1)) << 12, pte;
    enum fault f;

    if (!canonical(va, levels))
        return FAULT_CANONICAL;
    for (int level = levels - 1; level >= 0; level--) {
        uint64_t at = table + 8 * vpn(va, level);

        if (check_pmp && !pmp_allows(h, at, 8, ACCESS_READ, PRIV_S))
            return FAULT_PMP;
        if (!read_pte(h, at, &pte))
            return FAULT_NO_MEMORY;
        w->pte_addr[w->levels] = at;
        w->pte[w->levels++] = pte;
        f = check_pte(h, pte, level);
        if (f != FAULT_NONE)
            return f;
        if (pte & (PTE_R | PTE_X))
            return finish(va, pte, level, w);
        table = pte_pa(pte);
    }
    return FAULT_NO_LEAF;
}

/* Steps 6 to 8: what priv may do with the page, by the PTE alone. */
static unsigned rights_of(const struct hart *h, uint64_t pte, unsigned priv,
                          bool sum)
{
    bool user = pte & PTE_U, mxr = h->mstatus & MSTATUS_MXR;
    unsigned rights = 0;

    if (priv == PRIV_U ? !user : user && !sum)
        return 0;
    if (pte & PTE_R || (mxr && pte & PTE_X))
        rights |= ACCESS_READ;
    if (pte & PTE_W)
        rights |= ACCESS_WRITE;
    if (pte & PTE_X && !(priv == PRIV_S && user))
        rights |= ACCESS_EXEC;
    return rights;
}

/* Does the hart set A and D itself, or leave it to a page fault? */
static bool updates_ad(const struct hart *h)
{
    if (ext_on(h->cpu.ext, EXT_SVADU))
        return h->menvcfg & MENVCFG_ADUE;
    return !ext_on(h->cpu.ext, EXT_SVADE);
}

/* Step 9: what would be set, and may it be? */
static enum walk_end want_ad(const struct hart *h, uint64_t at, uint64_t pte,
                             struct mapping *out)
{
    const struct mem_region *r = mem_find(h->mem, at);

    if (!updates_ad(h))
        return WALK_PAGE_FAULT;
    if (!r || r->kind != MEM_RAM ||
        !pmp_allows(h, at, 8, ACCESS_READ | ACCESS_WRITE, PRIV_S))
        return WALK_ACCESS_FAULT;
    out->pte_at = at;
    out->pte = pte;
    return WALK_OK;
}

static enum walk_end use_leaf(struct hart *h, unsigned access, unsigned priv,
                              bool sum, const struct mmu_walk *w,
                              struct mapping *out)
{
    uint64_t pte = w->pte[w->levels - 1], want = PTE_A;
    bool ordinary = w->levels == mmu_levels(h, priv);
    enum walk_end end = WALK_OK;

    *out =
        (struct mapping){ .pa = w->pa,
                          .size = w->page_size,
                          .rights = rights_of(h, pte, priv, sum),
                          .levels = w->levels,
                          .leaf = ordinary ? w->pte_addr[w->levels - 1] : 0 };
    memcpy(out->pte_addr, w->pte_addr, 8 * (size_t)w->levels);
    if ((out->rights & access) != access)
        return WALK_PAGE_FAULT;
    if (access & ACCESS_WRITE)
        want |= PTE_D;
    if ((pte & want) != want)
        end = want_ad(h, w->pte_addr[w->levels - 1], pte | want, out);
    if (!((pte | want) & PTE_D))
        out->rights &= ~(unsigned)ACCESS_WRITE;
    return end;
}

enum walk_end mmu_probe(struct hart *h, uint64_t va, unsigned access,
                        unsigned priv, bool sum, struct mapping *out)
{
    int levels = mmu_levels(h, priv);
    struct mmu_walk w;
    enum fault f;

    if (levels == 0) {
        *out = (struct mapping){ .pa = va,
                                 .size = MEM_PAGE,
                                 .rights =
                                     ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC };
        return WALK_OK;
    }
    w.levels = 0;
    f = descend(h, va, levels, true, &w);
    if (f == FAULT_NO_MEMORY || f == FAULT_PMP)
        return WALK_ACCESS_FAULT;
    if (f != FAULT_NONE)
        return WALK_PAGE_FAULT;
    return use_leaf(h, access, priv, sum, &w, out);
}

enum walk_end mmu_walk(struct hart *h, uint64_t va, unsigned access,
                       unsigned priv, bool sum, struct mapping *out)
{
    enum walk_end end = mmu_probe(h, va, access, priv, sum, out);

    if (end == WALK_OK && out->pte_at &&
        !mem_write(h->mem, out->pte_at, 8, out->pte, NULL))
        return WALK_ACCESS_FAULT;
    return end;
}

bool mmu_neighbour(const struct hart *h, uint64_t pte_at, unsigned priv,
                   bool sum, struct mapping *m)
{
    uint64_t pte;

    if (!read_pte(h, pte_at, &pte) || check_pte(h, pte, 0) != FAULT_NONE ||
        !(pte & PTE_A) || pte & PTE_N)
        return false;
    m->rights = rights_of(h, pte, priv, sum);
    if (!(pte & PTE_D))
        m->rights &= ~(unsigned)ACCESS_WRITE;
    m->pa = pte_pa(pte);
    m->leaf = pte_at;
    return m->rights & ACCESS_READ;
}

/* The debugger's walks ------------------------------------------------------*/

/* The privilege that loads and stores have now (mstatus.MPRV). */
static unsigned data_priv(const struct hart *h)
{
    return h->mstatus & MSTATUS_MPRV ? h->mstatus >> 11 & 3 : h->priv;
}

bool mmu_debug_walk(struct hart *h, uint64_t va, bool as_s, struct mmu_walk *w)
{
    int levels = mmu_levels(h, as_s ? PRIV_S : data_priv(h));
    enum fault f = FAULT_NONE;

    *w = (struct mmu_walk){ .pa = va, .page_size = 4096 };
    if (levels > 0)
        f = descend(h, va, levels, false, w);
    w->fault = phrases[f];
    return f == FAULT_NONE;
}

/*
 * A handler in M-mode debugs a kernel whose addresses mean nothing there: what
 * is not found as the hart sees it now is looked up as S-mode would.
 */
bool mmu_debug_find(struct hart *h, uint64_t va, struct mmu_walk *w)
{
    struct mmu_walk as_s;

    if (mmu_debug_walk(h, va, false, w) &&
        (w->levels || mem_find(h->mem, w->pa) || !h->satp))
        return true;
    if (!mmu_debug_walk(h, va, true, &as_s))
        return false;
    *w = as_s;
    return true;
}

/* A guest may have tables that point at each other: there is an end to it. */
enum { TABLES_MAX = 1 << 18 };

struct leaves {
    struct hart *h;
    mmu_leaf_fn *fn;
    void *opaque;
    int levels;
    int tables; /* read so far */
};

static void visit(struct leaves *l, uint64_t table, int level, uint64_t va)
{
    int unused = 64 - 12 - 9 * l->levels;
    uint64_t pte, here;
    struct mmu_walk w;

    for (uint64_t i = 0; i < 512 && l->tables < TABLES_MAX; i++) {
        if (!read_pte(l->h, table + 8 * i, &pte))
            return;
        if (check_pte(l->h, pte, level) != FAULT_NONE)
            continue;
        here = va | i << (12 + 9 * level);
        here = (uint64_t)((int64_t)(here << unused) >> unused);
        if (!(pte & (PTE_R | PTE_X))) {
            if (level > 0 && ++l->tables < TABLES_MAX)
                visit(l, pte_pa(pte), level - 1, here);
        } else if (finish(here, pte, level, &w) == FAULT_NONE) {
            l->fn(l->opaque, here, w.pa, UINT64_C(4096) << (9 * level), pte);
        }
    }
}

bool mmu_debug_leaves(struct hart *h, mmu_leaf_fn *fn, void *opaque)
{
    struct leaves l = { h, fn, opaque, mmu_levels(h, PRIV_S), 0 };

    if (l.levels == 0)
        return false;
    visit(&l, (h->satp & ((UINT64_C(1) << 44) - 1)) << 12, l.levels - 1, 0);
    return true;
}
