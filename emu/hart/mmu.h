/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - from virtual addresses to memory: Sv39/48/57 walk, PMP, TLB, and
 * the slow path of every load, store and fetch.
 *
 * Source: privileged manual, sections 3.7 (PMP, Smepmp), 12.3-12.6
 * (satp, Sv39, Sv48, Sv57), Svnapot, Svpbmt, Svadu, Svinval.
 */
#ifndef EMU_HART_MMU_H
#define EMU_HART_MMU_H

#include <string.h>

#include "emu/hart/hart.h"

/* COND: a store conditional, a write only if its reservation holds. */
enum access {
    ACCESS_READ = 1,
    ACCESS_WRITE = 2,
    ACCESS_EXEC = 4,
    ACCESS_ALL = 7,
    ACCESS_COND = 8,
    ACCESS_VALUE = 16, /* the hart's storing is what will be stored */
};

/*
 * What became of a slow access. MMU_TRAPPED: the trap was taken at i, return
 * i. MMU_STOPPED: a watchpoint came first and nothing happened; h->pc is i's
 * own, return i - 1. Either way nothing was accessed and rd stays as it is:
 * `return mmu_left(i, r);`. After MMU_OK the op completes and, if
 * h->attention is not 0 then, leaves the block (a device, or a page with
 * code, may have been touched).
 */
enum mmu_result { MMU_OK, MMU_TRAPPED, MMU_STOPPED };

static inline const struct insn *mmu_left(const struct insn *i,
                                          enum mmu_result r)
{
    return r == MMU_TRAPPED ? i : i - 1;
}

/* Slow paths: any alignment, pages, devices, watchpoints. The value read is
 * zero-extended. */
enum mmu_result mmu_load(struct hart *h, const struct insn *i, uint64_t va,
                         unsigned size, uint64_t *v);
enum mmu_result mmu_store(struct hart *h, const struct insn *i, uint64_t va,
                          unsigned size, uint64_t v);

/* A store to va's page is about to come. If all that keeps it from being fast is
 * that the page was not copied since the checkpoint, it is copied now. */
void mmu_expect_store(struct hart *h, uint64_t va);

/*
 * For AMO, LR, SC, cbo.zero: translates and checks (watchpoints too) an aligned
 * access that the caller then does through mem_read and mem_write at pa.
 * access is ACCESS_READ for lr, ACCESS_WRITE for cbo.zero and, with
 * ACCESS_COND, for sc, both for AMOs; all faults are store faults unless it is
 * ACCESS_READ. size is 1 to 16, or a cache block's 64. The caller has checked
 * the alignment.
 */
enum mmu_result mmu_atomic(struct hart *h, const struct insn *i, uint64_t va,
                           unsigned size, unsigned access, uint64_t *pa);

/* For cbo.clean and its like: may a load or a store access the block? Else a
 * store fault (volume I, "Zicbom"). */
enum mmu_result mmu_manage(struct hart *h, const struct insn *i, uint64_t va,
                           unsigned size);

static inline struct tlb_entry *tlb_entry_of(struct tlb_entry *first,
                                             uint64_t index, uint64_t va)
{
    _Static_assert(sizeof *first << TLB_SHIFT == 4096, "index is in bytes");
    return (struct tlb_entry *)(void *)((uint8_t *)first +
                                        (va >> TLB_SHIFT & index));
}

static inline struct tlb_entry *tlb_at(struct tlb *t, uint64_t va)
{
    return tlb_entry_of(t->entry, t->index, va);
}

/* The one for va in the present data context. */
static inline struct tlb_entry *tlb_data(struct hart *h, uint64_t va)
{
    return tlb_entry_of(h->data_tlb, h->data_index, va);
}

/* The tag that an aligned access of this size within its page would have. */
static inline uint64_t tlb_tag(uint64_t va, unsigned size)
{
    return va & (~UINT64_C(0xfff) | (size - 1));
}

/* Is the page known, with this one right, by page table and PMP? */
static inline bool tlb_may(const struct tlb_entry *e, uint64_t va,
                           unsigned access)
{
    return !((e->page ^ va) & (~UINT64_C(0xfff))) && !(e->page & access);
}

/* Where va is, given an entry whose tag it matches. */
static inline void *tlb_host(const struct tlb_entry *e, uint64_t va)
{
    return (void *)(uintptr_t)(va + e->addend);
}

/* Rights are gone from a TLB: translated code has to look there again. */
static inline void sites_forget(struct hart *h)
{
    struct sites *s = &hart_caches(h)->sites;

    for (uint32_t n = 0; n < h->fast.filled; n++)
        s->site[s->filled[n] / sizeof s->site[0]] = TLB_NONE;
    h->fast.filled = 0;
    h->fast.forgotten++;
    h->fast.lost++;
}

/*
 * What is remembered of translations (tlb.h) follows priv and mstatus (MPRV,
 * MPP, SUM), and satp: whoever changes one of these calls mmu_context_changed,
 * or mmu_satp_changed. Page tables are followed by themselves; for whatever
 * else has a say in translation there is mmu_flush, which forgets everything.
 */
void mmu_satp_changed(struct hart *h);
void mmu_context_changed(struct hart *h);
/* Is the data context linear: the one that goes with the mode (neither MPRV
 * nor SUM), bare, its TLB holding nothing but pages that the host has at their
 * address + fast.delta? Then code may be translated that relies on it; jump
 * entries are apart from those of other contexts. */
bool mmu_linear(const struct hart *h);
void mmu_flush(struct hart *h);
/*
 * The bytes around va, where a load or store just was, that others like it may
 * go to without asking, in a linear context: until sites are forgotten. Stores
 * have a page at most. False: none.
 */
bool mmu_run_around(struct hart *h, uint64_t va, bool write, uint64_t *from,
                    uint64_t *to);
/* mem's flush listener: forget host pointers into this physical range. */
void mmu_forget_phys(void *hart, uint64_t pa, size_t len);

/* A fetch: pa of the instruction's first byte, or false and *cause, *tval. */
bool mmu_fetch(struct hart *h, uint64_t va, uint64_t *pa, uint64_t *cause);

/* Does the hart's reservation hold for size bytes at pa? */
bool mmu_reserved(const struct hart *h, uint64_t pa, unsigned size);

/*
 * Would an access of len bytes at va, within a page, do without a fault? Then
 * *pa is where, and *pte the entry in which A or D would be set, or 0. Nothing
 * is changed.
 */
bool mmu_look(struct hart *h, uint64_t va, unsigned len, unsigned access,
              uint64_t *pa, uint64_t *pte);

/*
 * A debugger's translation: no side effects, no permissions; priv and satp as
 * they are now, or as if in S-mode when as_s. pte[] is the walk, level by
 * level, for explanations.
 */
struct mmu_walk {
    uint64_t pa;
    int levels; /* how many pte were read; 0: no translation is on */
    uint64_t pte_addr[5], pte[5];
    uint64_t page_size; /* of the leaf */
    const char *fault;  /* NULL: mapped; else why not, one phrase */
};
bool mmu_debug_walk(struct hart *h, uint64_t va, bool as_s, struct mmu_walk *w);

/* The same by whichever view has memory at va: the present one, or else that
 * of S-mode. False: w is the present view's, whose fault may be NULL. */
bool mmu_debug_find(struct hart *h, uint64_t va, struct mmu_walk *w);

/* Calls fn for each leaf page-table entry of satp, in order of va. */
typedef void mmu_leaf_fn(void *opaque, uint64_t va, uint64_t pa, uint64_t size,
                         uint64_t pte);
bool mmu_debug_leaves(struct hart *h, mmu_leaf_fn *fn, void *opaque);

/* PMP: is the access allowed; the whole of [pa, pa+size) by one entry. */
bool pmp_allows(const struct hart *h, uint64_t pa, uint64_t size,
                unsigned access, unsigned priv);
/* Does one answer hold for the whole page? */
bool pmp_page_uniform(const struct hart *h, uint64_t pa);

#endif
