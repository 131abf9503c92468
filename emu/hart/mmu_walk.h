/* SPDX-License-Identifier: MIT */
/*
 * mmu_walk.h - page tables, as mmu.c uses them. (The debugger's walks are in
 * mmu.h.)
 */
#ifndef EMU_HART_MMU_WALK_H
#define EMU_HART_MMU_WALK_H

#include "emu/hart/mmu.h"

enum {
    PTE_V = 1,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};

#define MENVCFG_FIOM  1
#define MENVCFG_PBMTE (UINT64_C(1) << 62)
#define MENVCFG_ADUE  (UINT64_C(1) << 61)
#define MENVCFG_STCE  (UINT64_C(1) << 63)

/* What a translation gives. */
struct mapping {
    uint64_t pa;     /* of the address that was asked for */
    uint64_t size;   /* of the page or superpage */
    unsigned rights; /* ACCESS_ bits; no WRITE while D is still clear */
    uint64_t pte_at; /* where A or D is to be set, 0: nowhere */
    uint64_t pte;    /* to this */
    int levels;      /* of tables that were read, 0: bare */
    uint64_t pte_addr[5];
    uint64_t leaf; /* the last of them, if it is of an ordinary page; or 0 */
};

enum walk_end { WALK_OK, WALK_PAGE_FAULT, WALK_ACCESS_FAULT };

/* Is there translation for this privilege: satp's levels, 0 if not. */
int mmu_levels(const struct hart *h, unsigned priv);

/*
 * Translates va for an access by priv (sum: and S may reach U's pages), sets
 * A and D where the hart does that itself. mmu_probe is the same without
 * setting them.
 */
enum walk_end mmu_probe(struct hart *h, uint64_t va, unsigned access,
                        unsigned priv, bool sum, struct mapping *out);
enum walk_end mmu_walk(struct hart *h, uint64_t va, unsigned access,
                       unsigned priv, bool sum, struct mapping *out);

/* m, which has an ordinary leaf, becomes what the leaf at pte_at, in the same
 * table, makes of a page. False: loads could not use that as it is. */
bool mmu_neighbour(const struct hart *h, uint64_t pte_at, unsigned priv,
                   bool sum, struct mapping *m);

#endif
