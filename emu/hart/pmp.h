/* SPDX-License-Identifier: MIT */
/*
 * pmp.h - physical memory protection, Smepmp included: its CSRs, and what
 * mmu.c asks. (pmp_allows and pmp_page_uniform are in mmu.h.)
 */
#ifndef EMU_HART_PMP_H
#define EMU_HART_PMP_H

#include "emu/hart/hart.h"

/* mseccfg, of Smepmp. */
enum { MSECCFG_MML = 1, MSECCFG_MMWP = 2, MSECCFG_RLB = 4 };

/* n: 0 is pmpcfg0 (entries 0 to 7), 1 is pmpcfg2. */
void pmp_write_cfg(struct hart *h, unsigned n, uint64_t v);
void pmp_write_addr(struct hart *h, unsigned n, uint64_t v);
void pmp_write_mseccfg(struct hart *h, uint64_t v);

/* Reset clears A and L (section 3.7.1) and mseccfg; addresses stay. */
void pmp_reset(struct hart *h);

/* After a load: the ranges that the registers mean. */
void pmp_changed(struct hart *h);

/* ACCESS_ bits that priv has to [pa, pa+size). */
unsigned pmp_rights(const struct hart *h, uint64_t pa, uint64_t size,
                    unsigned priv);

#endif
