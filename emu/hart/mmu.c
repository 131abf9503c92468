/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - the slow path of loads, stores, atomics and fetches.
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
#include "emu/hart/tlb.h"
#include "emu/hart/trap.h"
#include "emu/hart/triggers.h"

static const uint64_t page_mask = ~UINT64_C(0xfff);

/* Translating ---------------------------------------------------------------*/

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
    const struct tlb_entry *e = tlb_at(h->mmu.here[ctx], va);
    unsigned priv = tlb_priv_of(ctx);
    struct mapping m;
    enum walk_end end;

    if (tlb_may(e, va, access)) {
        *pa = tlb_note(e)->pa | (va & ~page_mask);
        tlb_again(h, ctx, va);
        return NO_FAULT;
    }
    end = mmu_walk(h, va, access, priv, ctx == CTX_S_SUM, &m);
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
    tlb_fill(h, ctx, va, &m, access & ACCESS_EXEC);
    if (!(access & ACCESS_EXEC) && !log_on(LOG_MMU)) /* which shows each page */
        tlb_fill_around(h, ctx, va, &m);
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
    unsigned ctx = tlb_data_context(h);

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
    unsigned ctx = access & ACCESS_EXEC ? tlb_context(h->priv, false)
                                        : tlb_data_context(h);
    struct mapping m;

    if (mmu_probe(h, va, access, tlb_priv_of(ctx), ctx == CTX_S_SUM, &m) !=
            WALK_OK ||
        !pmp_allows(h, m.pa, len, access, tlb_priv_of(ctx)))
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
static bool may_pass(const struct tlb_entry *e, uint64_t tag, uint64_t va,
                     unsigned size)
{
    uint64_t off = va % MEM_PAGE, span;

    if (off > MEM_PAGE - size)
        return false;
    if (tag == (va & page_mask))
        return true;
    if (tag != ((va & page_mask) | TLB_WATCHED))
        return false;
    span = UINT64_C(1) << off / 64 | UINT64_C(1) << (off + size - 1) / 64;
    return !(tlb_note(e)->parts & span);
}

enum mmu_result mmu_load(struct hart *h, const struct insn *i, uint64_t va,
                         unsigned size, uint64_t *v)
{
    const struct tlb_entry *e = tlb_data(h, va);
    enum mmu_result r;
    struct pieces p;

    if (may_pass(e, e->read, va, size)) {
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
    const struct tlb_entry *e = tlb_data(h, va);
    enum mmu_result r;
    struct pieces p;

    if (may_pass(e, e->write, va, size)) {
        memcpy(host_at(e, va), &v, size);
        return MMU_OK;
    }
    h->storing = v;
    r = prepare(h, i, va, size, ACCESS_WRITE | ACCESS_VALUE, &p);
    if (r == MMU_OK && !write_pieces(h, &p, &va, size, v))
        return fault(h, i, CAUSE_STORE_ACCESS, va);
    e = tlb_data(h, va);
    if (r == MMU_OK && e->write == TLB_NONE && tlb_may(e, va, ACCESS_WRITE))
        tlb_again(h, tlb_data_context(h), va); /* it had to be copied, say */
    return r;
}

void mmu_expect_store(struct hart *h, uint64_t va)
{
    const struct tlb_entry *e = tlb_data(h, va);
    uint64_t pa = tlb_note(e)->pa;

    if (e->write != TLB_NONE || !tlb_may(e, va, ACCESS_WRITE) ||
        mem_attention(h->mem, pa) != MEM_ATTN_COPY)
        return;
    mem_before_write(h->mem, mem_find(h->mem, pa), pa, 1);
    tlb_again(h, tlb_data_context(h), va);
}

enum mmu_result mmu_atomic(struct hart *h, const struct insn *i, uint64_t va,
                           unsigned size, unsigned access, uint64_t *pa)
{
    const struct tlb_entry *e = tlb_data(h, va);
    enum mmu_result r;
    struct pieces p = { 0 };

    h->at = i;
    if ((access & ACCESS_WRITE ? e->write : e->read) == (va & page_mask)) {
        *pa = tlb_note(e)->pa | (va & ~page_mask);
        return MMU_OK;
    }
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
    unsigned ctx = tlb_data_context(h);
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
    const struct tlb_entry *e = tlb_at(h->fetch_tlb, va);
    unsigned ctx = tlb_context(h->priv, false);
    const struct mem_region *r;

    if (tlb_may(e, va, ACCESS_EXEC)) {
        *pa = tlb_note(e)->pa | (va & ~page_mask);
        return true;
    }
    *cause = resolve(h, va, 2, ACCESS_EXEC, ctx, pa);
    if (*cause != NO_FAULT)
        return false;
    r = mem_find(h->mem, *pa);
    *cause = CAUSE_FETCH_ACCESS;
    return r && mem_reads_host(r);
}
