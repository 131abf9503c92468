/* SPDX-License-Identifier: MIT */
/*
 * fp.h - floating point: what the rest of the hart needs to know of it.
 *
 * h->fflags is always exact: no flag waits in the host's own status register,
 * so nobody has to synchronise anything, and host code may use floating point
 * as it likes. Ops compute on the host's FPU only where that can raise no
 * flag that is not set already (see fp_host.h), otherwise in the soft core
 * (fp_soft.h), which needs integers only. The host stays at nearest-even.
 *
 * mstatus.SD is not kept by anyone: it is computed when mstatus is read.
 *
 * Source: RISC-V ISA manual, volume I, chapters "F", "D", "Zfh", "Zfa".
 */
#ifndef EMU_HART_FP_H
#define EMU_HART_FP_H

#include "emu/hart/csr.h"
#include "emu/hart/hart.h"

/* Bits of fflags. */
enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };

/* Values of frm and of the rm field of instructions; 5 and 6 are reserved. */
enum { RM_RNE, RM_RTZ, RM_RDN, RM_RUP, RM_RMM, RM_DYN = 7 };

/* mstatus.FS is not Off: FP instructions and fcsr exist. */
static inline bool fp_enabled(const struct hart *h)
{
    return h->mstatus & MSTATUS_FS;
}

/* An f register or fcsr was written. */
static inline void fp_dirty(struct hart *h)
{
    if ((h->mstatus & MSTATUS_FS) != MSTATUS_FS)
        h->mstatus |= MSTATUS_FS;
}

static inline uint8_t fp_flags(const struct hart *h) { return h->fflags; }

static inline void fp_set_flags(struct hart *h, uint8_t flags)
{
    h->fflags = flags & 31;
}

/* NaN boxing: a narrower value in an f register has ones above it. */
static inline uint64_t fp_box_s(uint32_t v) { return v | ~UINT64_C(0) << 32; }
static inline uint64_t fp_box_h(uint16_t v) { return v | ~UINT64_C(0) << 16; }

#endif
