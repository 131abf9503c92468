/* SPDX-License-Identifier: MIT */
/*
 * tlb.h - what a hart remembers of page tables; between mmu.c and tables.c.
 *
 * There is a TLB, and jump entries, for each context under each satp, as long as
 * that is among the last SPACES of them. They follow the tables (tables.h), so
 * switching to another address space and back forgets nothing. Nor does S-mode
 * forget where the address spaces have the kernel in common: a TLB whose
 * entries come from the same entries of another root is that one's, too.
 */
#ifndef EMU_HART_TLB_H
#define EMU_HART_TLB_H

#include "emu/hart/mmu.h"
#include "emu/hart/mmu_walk.h"

static inline unsigned tlb_context(unsigned priv, bool sum)
{
    return priv == PRIV_U ? CTX_U : priv == PRIV_M ? CTX_M : CTX_S + sum;
}

static inline unsigned tlb_priv_of(unsigned ctx)
{
    return ctx == CTX_U ? PRIV_U : ctx == CTX_M ? PRIV_M : PRIV_S;
}

unsigned tlb_data_context(const struct hart *h);

/* e's note: entries and notes are as large and stand in a row. */
static inline const struct tlb_note *tlb_note(const struct tlb_entry *e)
{
    _Static_assert(sizeof(struct tlb_note) == sizeof *e &&
                       offsetof(struct tlb, entry) == 0,
                   "one leads to the other");
    return (const struct tlb_note *)(const void *)(e + TLB_MOST);
}

/* A walk for va came to m, exec: for instructions, which may be remembered
 * from now on. What is fit for it gets a TLB entry: a page with one answer of
 * PMP; tags, if it is the host's memory. */
void tlb_fill(struct hart *h, unsigned ctx, uint64_t va,
              const struct mapping *m, bool exec);

/* The same, after that, for pages around va's: those whose leaves stand next to
 * m's, and could be used as they are, have what was not in use. */
void tlb_fill_around(struct hart *h, unsigned ctx, uint64_t va,
                     const struct mapping *m);

/* Its page wants no attention any more, perhaps: the tags it may have now. */
void tlb_again(struct hart *h, unsigned ctx, uint64_t va);

/* The tables change: of tables.c. The leaf at pte, by which instructions were
 * fetched (code), or not; anything. */
void tlb_forget_leaf(struct tlb *t, uint64_t pte, bool code);
void tlb_forget(struct tlb *t);

#endif
