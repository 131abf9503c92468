/* SPDX-License-Identifier: MIT */
/*
 * tables.h - page tables in use: who remembers what of which entries.
 *
 * A hart's TLB and jump entries are derived from page tables, and follow them:
 * pages with entries that something was derived from ask for attention
 * (MEM_ATTN_TABLE), and whoever writes to such an entry, hart, device or
 * debugger, first makes all harts forget what came of it. So no guest can tell
 * that anything is remembered, whether it fences or not: a run is the same
 * whatever the TLBs hold, and sfence.vma has nothing to do.
 *
 * Entries that were found invalid are not remembered.
 */
#ifndef EMU_HART_TABLES_H
#define EMU_HART_TABLES_H

#include <stdbool.h>
#include <stdint.h>

struct mem;
struct mapping;
struct tables;
struct table_use;
struct tlb;

/* Shared by all harts. */
struct tables *tables_new(struct mem *m);
void tables_free(struct tables *t);

/* tlb is about to remember what a walk came to; exec: for instructions. */
void tables_use(struct tables *t, struct tlb *tlb, const struct mapping *m,
                bool exec);
/* The same for m's leaf alone: the last use was of one next to it. */
void tables_use_leaf(struct tlb *tlb, const struct mapping *m);

/* It has forgotten everything. */
void tables_leave(struct tables *t, struct tlb *tlb);

/*
 * From now on tlb is for walks that begin with another root table, a page of
 * memory. True if all it remembers is the same there: address spaces differ in
 * some entries of their roots, and have a kernel's in common.
 */
bool tables_move(struct tables *t, struct tlb *tlb, uint64_t root);

struct tables_info {
    uint64_t pages, uses; /* now */
    uint64_t writes; /* to these pages so far; leaves that were followed, */
    uint64_t leaves, forgot; /* and TLBs that had to forget everything */
};
struct tables_info tables_info(const struct tables *t);

#endif
