/* SPDX-License-Identifier: MIT */
/*
 * fp_compare.c - the soft core: order, minimum, maximum, class.
 */
#include "emu/hart/fp_num.h"

/* Orders patterns that are no NaNs as integers; both zeros are 0. */
static int64_t ordinal(const struct fp_format *f, uint64_t v)
{
    return v & f->sign ? -(int64_t)(v ^ f->sign) : (int64_t)v;
}

static bool any_nan(const struct fp_format *f, uint64_t a, uint64_t b)
{
    return fp_is_nan(f, a) || fp_is_nan(f, b);
}

/* Raises NV for signaling NaNs. */
static void check_snan(const struct fp_format *f, uint64_t a, uint64_t b,
                       struct fp_env *env)
{
    if (fp_is_snan(f, a) || fp_is_snan(f, b))
        env->flags |= FP_NV;
}

uint64_t fp_eq(const struct fp_format *f, uint64_t a, uint64_t b,
               struct fp_env *env)
{
    check_snan(f, a, b, env);
    return !any_nan(f, a, b) && ordinal(f, a) == ordinal(f, b);
}

uint64_t fp_ltq(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    check_snan(f, a, b, env);
    return !any_nan(f, a, b) && ordinal(f, a) < ordinal(f, b);
}

uint64_t fp_leq(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    check_snan(f, a, b, env);
    return !any_nan(f, a, b) && ordinal(f, a) <= ordinal(f, b);
}

uint64_t fp_lt(const struct fp_format *f, uint64_t a, uint64_t b,
               struct fp_env *env)
{
    if (any_nan(f, a, b))
        env->flags |= FP_NV;
    return fp_ltq(f, a, b, env);
}

uint64_t fp_le(const struct fp_format *f, uint64_t a, uint64_t b,
               struct fp_env *env)
{
    if (any_nan(f, a, b))
        env->flags |= FP_NV;
    return fp_leq(f, a, b, env);
}

/* Here, not in comparisons, -0 is less than +0. */
static bool below(const struct fp_format *f, uint64_t a, uint64_t b)
{
    int64_t x = ordinal(f, a), y = ordinal(f, b);

    return x < y || (x == y && a > b);
}

uint64_t fp_minm(const struct fp_format *f, uint64_t a, uint64_t b,
                 struct fp_env *env)
{
    check_snan(f, a, b, env);
    if (any_nan(f, a, b))
        return f->nan;
    return below(f, a, b) ? a : b;
}

uint64_t fp_maxm(const struct fp_format *f, uint64_t a, uint64_t b,
                 struct fp_env *env)
{
    check_snan(f, a, b, env);
    if (any_nan(f, a, b))
        return f->nan;
    return below(f, a, b) ? b : a;
}

/* Of a number and a NaN, the number stands for both. */
static uint64_t prefer_number(const struct fp_format *f, uint64_t a, uint64_t b,
                              struct fp_env *env, fp_fn2 *choose)
{
    check_snan(f, a, b, env);
    if (fp_is_nan(f, a))
        a = b;
    if (fp_is_nan(f, b))
        b = a;
    return choose(f, a, b, env);
}

uint64_t fp_min(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    return prefer_number(f, a, b, env, fp_minm);
}

uint64_t fp_max(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    return prefer_number(f, a, b, env, fp_maxm);
}

uint64_t fp_class(const struct fp_format *f, uint64_t v)
{
    uint64_t mag = v & ~f->sign;
    int kind; /* 0: inf, 1: normal, 2: subnormal, 3: zero */

    if (mag > f->inf)
        return fp_is_snan(f, v) ? 1 << 8 : 1 << 9;
    kind = mag == f->inf ? 0 : mag >> f->frac ? 1 : mag ? 2 : 3;
    return UINT64_C(1) << (v & f->sign ? kind : 7 - kind);
}
