/* SPDX-License-Identifier: MIT */
/*
 * fp_ops.h - how FP ops are written: first the host's FPU, else the soft core.
 *
 *     OP(fadd_d)
 *     {
 *         if (host_d(h, i, D(rs1) + D(rs2), ZERO_EXACT))
 *             NEXT;
 *         return fp_do2(h, i, &fp_d, fp_add);
 *     }
 *
 * The host_ functions take a result that the host's FPU has computed, and use
 * it if it is certainly what the guest would get: the mode is nearest-even,
 * NX is raised already, and the result is a normal number, so it can have
 * raised nothing else: NV gives a NaN, DZ and OF give inf, UF gives at most
 * the smallest normal number. Code that computes anything inexact pays for
 * the soft core once, until it clears the flags again. While NX is still
 * clear, what a double's sum or product lost by rounding is computed too, and
 * if that is nothing the result stands. The host's own flags are never looked
 * at.
 *
 * They all want FS to be Dirty, which it is in code that uses floating point:
 * then there is nothing to mark. (Tests reach the soft core by FS = Clean.)
 */
#ifndef EMU_HART_FP_OPS_H
#define EMU_HART_FP_OPS_H

#include <float.h>
#include <string.h>

#include "emu/hart/fp.h"
#include "emu/hart/fp_soft.h"
#include "emu/hart/interp.h"
#include "emu/hart/trap.h"

/* The host's FPU is of no use where it has excess precision (x87). */
enum { HOST_FPU = FLT_EVAL_METHOD == 0 };

/* Through pointers, so that the values stay in the FPU's registers: gcc takes
 * a memcpy through the integer ones. Built with -fno-strict-aliasing. */
static inline double fp_as_d(const uint64_t *reg)
{
    return *(const double *)reg;
}

static inline void fp_put_d(uint64_t *reg, double d) { *(double *)reg = d; }

static inline float fp_as_s(const uint64_t *reg)
{
    uint32_t v = (uint32_t)fp_unbox(&fp_s, *reg);
    float s;

    memcpy(&s, &v, sizeof(s));
    return s;
}

/* Operands as the host's numbers: D(rs1) + D(rs2). */
#define D(r) fp_as_d(&h->f[i->r])
#define S(r) fp_as_s(&h->f[i->r])

static inline unsigned fp_rm(const struct hart *h, const struct insn *i)
{
    return i->rm == RM_DYN ? h->frm : i->rm;
}

/* The host may be asked at all. */
static inline bool host_allowed(const struct hart *h)
{
    return HOST_FPU && (h->mstatus & MSTATUS_FS) == MSTATUS_FS;
}

/* Nearest-even is the mode, and NX is no news. */
static inline bool host_ready(const struct hart *h, const struct insn *i)
{
    return host_allowed(h) && fp_rm(h, i) == RM_RNE && h->fflags & FP_NX;
}

/* When a result of zero is exact, not an underflow. */
enum fp_zero_rule {
    ZERO_EXACT,
    ZERO_NEVER,
    ZERO_IF_RS1,
    ZERO_IF_FACTOR, /* rs1 or rs2 */
};

static inline bool is_zero(const struct hart *h, const struct fp_format *f,
                           unsigned reg)
{
    return (h->f[reg] & (f->sign - 1)) == 0;
}

static inline bool zero_is_exact(const struct hart *h, const struct insn *i,
                                 const struct fp_format *f,
                                 enum fp_zero_rule rule)
{
    switch (rule) {
    case ZERO_IF_RS1:
        return is_zero(h, f, i->rs1);
    case ZERO_IF_FACTOR:
        return is_zero(h, f, i->rs1) || is_zero(h, f, i->rs2);
    default:
        return rule == ZERO_EXACT;
    }
}

/* Would the soft core say the same, and raise nothing new? */
static inline bool host_right(const struct hart *h, const struct insn *i,
                              const struct fp_format *f, uint64_t v,
                              enum fp_zero_rule rule)
{
    uint64_t top = (uint64_t)f->emax * 2; /* exponent field of the largest */
    uint64_t exp = v >> f->frac & (top + 1);

    return host_ready(h, i) &&
           (exp - 2 <= top - 2 ||
            (!(v & ~f->sign) && zero_is_exact(h, i, f, rule)));
}

/* rd = r */
static inline bool host_d(struct hart *h, const struct insn *i, double r,
                          enum fp_zero_rule rule)
{
    uint64_t v;

    memcpy(&v, &r, sizeof(v));
    if (!host_right(h, i, &fp_d, v, rule))
        return false;
    fp_put_d(&h->f[i->rd], r);
    return true;
}

static inline bool host_s(struct hart *h, const struct insn *i, float r,
                          enum fp_zero_rule rule)
{
    uint32_t v;

    memcpy(&v, &r, sizeof(v));
    if (!host_right(h, i, &fp_s, v, rule))
        return false;
    h->f[i->rd] = fp_box_s(v);
    return true;
}

/*
 * rd = r, which is known to be the exact result and the host's: right with NX
 * clear, too. Only normal numbers and zeros: anything else has its own flags.
 */
static inline bool host_lossless_d(struct hart *h, const struct insn *i,
                                   double r)
{
    if (!host_allowed(h) || fp_rm(h, i) != RM_RNE ||
        !(r == 0 || __builtin_isnormal(r)))
        return false;
    fp_put_d(&h->f[i->rd], r);
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
    if (!host_allowed(h) || fp_rm(h, i) > RM_RMM || r != r)
        return false;
    fp_put_d(&h->f[i->rd], r);
    return true;
}

/* rd = r, of a comparison that raises nothing when there is no NaN. */
static inline bool host_test(struct hart *h, const struct insn *i,
                             bool unordered, bool r)
{
    if (!host_allowed(h) || unordered)
        return false;
    SET_RD(r);
    return true;
}

/* rd = rs1 or rs2, which are not equal and not NaNs. */
static inline bool host_pick(struct hart *h, const struct insn *i, bool differ,
                             bool first)
{
    if (!host_allowed(h) || !differ)
        return false;
    h->f[i->rd] = h->f[first ? i->rs1 : i->rs2];
    return true;
}

/* The end of an FP op. */
static inline const struct insn *fp_done(struct hart *h, const struct insn *i,
                                         bool legal)
{
    if (__builtin_expect(legal, 1))
        NEXT;
    return trap(h, i, CAUSE_ILLEGAL, i->raw);
}

/*
 * The whole op, or what is left of it, through the soft core and in any mode.
 * It is illegal if FS is Off or (where something may be rounded) the rounding
 * mode reserved.
 */
const struct insn *fp_do1(struct hart *h, const struct insn *i,
                          const struct fp_format *f, fp_fn1 *fn);
const struct insn *fp_do2(struct hart *h, const struct insn *i,
                          const struct fp_format *f, fp_fn2 *fn);

/* rd = +-(rs1 * rs2) +- rs3; the signs are flipped where asked for. */
const struct insn *fp_do_fma(struct hart *h, const struct insn *i,
                             const struct fp_format *f, bool flip_product,
                             bool flip_addend);

/* Nothing to round: to an f register, and to an x register. */
const struct insn *fp_pick(struct hart *h, const struct insn *i,
                           const struct fp_format *f, fp_fn2 *fn);
const struct insn *fp_test(struct hart *h, const struct insn *i,
                           const struct fp_format *f, fp_fn2 *fn);

const struct insn *fp_do_convert(struct hart *h, const struct insn *i,
                                 const struct fp_format *to,
                                 const struct fp_format *from);
const struct insn *fp_do_to_int(struct hart *h, const struct insn *i,
                                const struct fp_format *f, enum fp_int type);
const struct insn *fp_do_modular(struct hart *h, const struct insn *i,
                                 const struct fp_format *f);
const struct insn *fp_do_from_int(struct hart *h, const struct insn *i,
                                  const struct fp_format *f, enum fp_int type);

#endif
