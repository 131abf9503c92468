/* SPDX-License-Identifier: MIT */
/*
 * fp_soft.h - the soft core: IEEE 754 in integers, exact to the bit.
 *
 * Every function works on any of the three formats. Operands are bit patterns
 * in the low bits, zeros above (fp_unbox makes them from an f register). Each
 * unpacks, computes exactly (or with a sticky bit that stands for all the
 * bits below), and rounds once. Flags are added to env->flags.
 *
 * RISC-V's choices: a NaN result is always the canonical one, tininess is
 * detected after rounding, inf * 0 + NaN is invalid, min and max are IEEE
 * 754-2019's minimumNumber and maximumNumber.
 */
#ifndef EMU_HART_FP_SOFT_H
#define EMU_HART_FP_SOFT_H

#include <stdbool.h>
#include <stdint.h>

struct fp_format {
    uint64_t box;  /* the bits above a value in an f register */
    uint64_t sign; /* the sign bit */
    uint64_t inf;  /* +inf: the exponent field, all ones */
    uint64_t nan;  /* the canonical NaN: quiet, positive, no payload */
    uint64_t one;  /* 1.0 */
    int frac;      /* bits of the fraction field */
    int emax;      /* largest exponent, and the bias */
};

static const struct fp_format fp_h = {
    .box = ~UINT64_C(0xffff),
    .sign = 0x8000,
    .inf = 0x7c00,
    .nan = 0x7e00,
    .one = 0x3c00,
    .frac = 10,
    .emax = 15,
};

static const struct fp_format fp_s = {
    .box = ~UINT64_C(0xffffffff),
    .sign = 0x80000000,
    .inf = 0x7f800000,
    .nan = 0x7fc00000,
    .one = 0x3f800000,
    .frac = 23,
    .emax = 127,
};

static const struct fp_format fp_d = {
    .box = 0,
    .sign = UINT64_C(1) << 63,
    .inf = UINT64_C(0x7ff0000000000000),
    .nan = UINT64_C(0x7ff8000000000000),
    .one = UINT64_C(0x3ff0000000000000),
    .frac = 52,
    .emax = 1023,
};

struct fp_env {
    uint8_t rm;    /* RM_RNE to RM_RMM */
    uint8_t flags; /* FP_ bits, sticky */
};

static inline bool fp_is_nan(const struct fp_format *f, uint64_t v)
{
    return (v & ~f->sign) > f->inf;
}

static inline bool fp_is_snan(const struct fp_format *f, uint64_t v)
{
    return fp_is_nan(f, v) && (v & f->nan) != f->nan;
}

/* A narrow value that is not properly boxed reads as the canonical NaN. */
static inline uint64_t fp_unbox(const struct fp_format *f, uint64_t reg)
{
    return reg >= f->box ? reg & ~f->box : f->nan;
}

static inline uint64_t fp_box(const struct fp_format *f, uint64_t v)
{
    return v | f->box;
}

typedef uint64_t fp_fn1(const struct fp_format *f, uint64_t a,
                        struct fp_env *env);
typedef uint64_t fp_fn2(const struct fp_format *f, uint64_t a, uint64_t b,
                        struct fp_env *env);

fp_fn2 fp_add, fp_sub, fp_mul, fp_div;
fp_fn1 fp_sqrt;

/* a * b + c, rounded once. */
uint64_t fp_fma(const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c,
                struct fp_env *env);

/* fmin and fmax prefer the number to the NaN, fminm and fmaxm do not. */
fp_fn2 fp_min, fp_max, fp_minm, fp_maxm;

/* Comparisons give 0 or 1; lt and le signal any NaN, ltq and leq do not. */
fp_fn2 fp_eq, fp_lt, fp_le, fp_ltq, fp_leq;

/* fclass's ten bits; no flags. */
uint64_t fp_class(const struct fp_format *f, uint64_t v);

/* To an integral value in the same format; _nx: NX where that changes it. */
fp_fn1 fp_round, fp_round_nx;

uint64_t fp_convert(const struct fp_format *to, const struct fp_format *from,
                    uint64_t v, struct fp_env *env);

enum fp_int { FP_I32, FP_U32, FP_I64, FP_U64 };

/* Out of range is NV and the nearest end of the range; NaN is the top end.
 * 32-bit results, unsigned ones too, are sign-extended. */
uint64_t fp_to_int(const struct fp_format *f, uint64_t a, enum fp_int type,
                   struct fp_env *env);
uint64_t fp_from_int(const struct fp_format *f, uint64_t v, enum fp_int type,
                     struct fp_env *env);

/* fcvtmod.w.d: toward zero, modulo 2^32; fcvt.w.d's flags; NaN and inf: 0. */
uint64_t fp_to_int_modular(const struct fp_format *f, uint64_t a,
                           struct fp_env *env);

/* fli's table: the constant number n, 0 to 31. */
uint64_t fp_constant(const struct fp_format *f, unsigned n);

#endif
