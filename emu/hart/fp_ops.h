/* SPDX-License-Identifier: MIT */
/*
 * fp_ops.h - how FP ops are written: first the host's FPU, else the soft core.
 *
 *     OP(fadd_d)
 *     {
 *         return fp_done(h, i, host_d(h, i, D(rs1) + D(rs2), true) ||
 *                                  fp_do2(h, i, &fp_d, fp_add));
 *     }
 *
 * The host_ functions take a result that the host's FPU has computed, and use
 * it if it is certainly what the guest would get: the mode is nearest-even,
 * NX is raised already, and the result is a normal number, so it can have
 * raised nothing else: NV gives a NaN, DZ and OF give inf, UF gives at most
 * the smallest normal number. Code that computes anything inexact pays for
 * the soft core once, until it clears the flags again. The host's own flags
 * are never looked at.
 */
#ifndef EMU_HART_FP_OPS_H
#define EMU_HART_FP_OPS_H

#include <float.h>
#include <string.h>

#include "emu/hart/fp.h"
#include "emu/hart/fp_soft.h"
#include "emu/hart/interp.h"
#include "emu/hart/trap.h"

/* No host FPU where it computes with excess precision (x87), or for tests. */
#if FLT_EVAL_METHOD == 0 && !defined(FP_SOFT)
enum { HOST_FPU = 1 };
#else
enum { HOST_FPU = 0 };
#endif

static inline double fp_as_d(uint64_t v)
{
    double d;

    memcpy(&d, &v, sizeof(d));
    return d;
}

static inline float fp_as_s(uint64_t reg)
{
    uint32_t v = (uint32_t)fp_unbox(&fp_s, reg);
    float s;

    memcpy(&s, &v, sizeof(s));
    return s;
}

/* Operands as the host's numbers: D(rs1) + D(rs2). */
#define D(r) fp_as_d(h->f[i->r])
#define S(r) fp_as_s(h->f[i->r])

static inline unsigned fp_rm(const struct hart *h, const struct insn *i)
{
    return i->rm == RM_DYN ? h->frm : i->rm;
}

static inline bool fp_is_dirty(const struct hart *h)
{
    return (h->mstatus & MSTATUS_FS) == MSTATUS_FS;
}

static inline bool host_ready(const struct hart *h, const struct insn *i)
{
    return HOST_FPU && fp_is_dirty(h) && fp_rm(h, i) == RM_RNE &&
           h->fflags & FP_NX;
}

/* rd = r; exact_zero: a result of zero would be exact, no underflow. */
static inline bool host_d(struct hart *h, const struct insn *i, double r,
                          bool exact_zero)
{
    uint64_t v, twice, low = (UINT64_C(1) << 53) + 1;

    memcpy(&v, &r, sizeof(v));
    twice = v << 1; /* without the sign */
    if (!host_ready(h, i) ||
        (twice - low >= (fp_d.inf << 1) - low && !(twice == 0 && exact_zero)))
        return false;
    h->f[i->rd] = v;
    return true;
}

static inline bool host_s(struct hart *h, const struct insn *i, float r,
                          bool exact_zero)
{
    uint32_t v, twice, low = (UINT32_C(1) << 24) + 1;

    memcpy(&v, &r, sizeof(v));
    twice = v << 1;
    if (!host_ready(h, i) || (twice - low >= (uint32_t)(fp_s.inf << 1) - low &&
                              !(twice == 0 && exact_zero)))
        return false;
    h->f[i->rd] = fp_box_s(v);
    return true;
}

/* rd = v, bits that are moved, not computed. */
static inline bool fp_set(struct hart *h, const struct insn *i, uint64_t v)
{
    if (!fp_enabled(h))
        return false;
    h->f[i->rd] = v;
    fp_dirty(h);
    return true;
}

/* rd = r, of an operation that is always exact, unless r is a NaN. */
static inline bool host_exact_d(struct hart *h, const struct insn *i, double r)
{
    if (!HOST_FPU || !fp_is_dirty(h) || fp_rm(h, i) > RM_RMM || r != r)
        return false;
    memcpy(&h->f[i->rd], &r, sizeof(r));
    return true;
}

/* rd = r, of a comparison that raises nothing when there is no NaN. */
static inline bool host_test(struct hart *h, const struct insn *i,
                             bool unordered, bool r)
{
    if (!HOST_FPU || !fp_enabled(h) || unordered)
        return false;
    SET_RD(r);
    return true;
}

/* rd = rs1 or rs2, which are not equal and not NaNs. */
static inline bool host_pick(struct hart *h, const struct insn *i, bool differ,
                             bool first)
{
    if (!HOST_FPU || !fp_is_dirty(h) || !differ)
        return false;
    h->f[i->rd] = h->f[first ? i->rs1 : i->rs2];
    return true;
}

/* The end of every FP op. */
static inline const struct insn *fp_done(struct hart *h, const struct insn *i,
                                         bool legal)
{
    if (__builtin_expect(legal, 1))
        NEXT;
    return trap(h, i, CAUSE_ILLEGAL, i->raw);
}

/*
 * Through the soft core, in any mode. False: the instruction is illegal, as
 * FS is Off or (where something may be rounded) the rounding mode reserved.
 */
bool fp_do1(struct hart *h, const struct insn *i, const struct fp_format *f,
            fp_fn1 *fn);
bool fp_do2(struct hart *h, const struct insn *i, const struct fp_format *f,
            fp_fn2 *fn);

/* rd = +-(rs1 * rs2) +- rs3; the signs are flipped where asked for. */
bool fp_do_fma(struct hart *h, const struct insn *i, const struct fp_format *f,
               bool flip_product, bool flip_addend);

/* Nothing to round: to an f register, and to an x register. */
bool fp_pick(struct hart *h, const struct insn *i, const struct fp_format *f,
             fp_fn2 *fn);
bool fp_test(struct hart *h, const struct insn *i, const struct fp_format *f,
             fp_fn2 *fn);

bool fp_do_convert(struct hart *h, const struct insn *i,
                   const struct fp_format *to, const struct fp_format *from);
bool fp_do_to_int(struct hart *h, const struct insn *i,
                  const struct fp_format *f, enum fp_int type);
bool fp_do_modular(struct hart *h, const struct insn *i,
                   const struct fp_format *f);
bool fp_do_from_int(struct hart *h, const struct insn *i,
                    const struct fp_format *f, enum fp_int type);

#endif
