/* SPDX-License-Identifier: MIT */
/*
 * fp_convert.c - the soft core: between formats, and to and from integers.
 *
 * Source: RISC-V ISA manual, volume I, "Single-Precision Floating-Point
 * Conversion and Move Instructions", and chapter "Zfa".
 */
#include "emu/hart/fp_num.h"

uint64_t fp_convert(const struct fp_format *to, const struct fp_format *from,
                    uint64_t v, struct fp_env *env)
{
    struct fp_num n = fp_unpack(from, v, env);

    switch (n.kind) {
    case NUM_NAN:
        return to->nan;
    case NUM_INF:
        return fp_inf(to, n.sign);
    case NUM_ZERO:
        return fp_zero(to, n.sign);
    default:
        return fp_pack(to, n.sign, n.exp, n.sig, env);
    }
}

/* The magnitude of n < 2^64, rounded; 2^64 is a possible result. */
static u128 integral(struct fp_num n, unsigned rm, bool *inexact)
{
    /* Fixed point: units from bit 64 on. */
    u128 v = n.exp < 0 ? shift_jam128((u128)n.sig << 1, -n.exp)
                       : (u128)n.sig << 1 << n.exp;
    uint64_t low = (uint64_t)v;

    v >>= 64;
    *inexact = low != 0;
    return v + fp_round_up(rm, n.sign, v & 1, low, UINT64_C(1) << 63);
}

uint64_t fp_round_nx(const struct fp_format *f, uint64_t a, struct fp_env *env)
{
    struct fp_num n = fp_unpack(f, a, env);
    bool inexact;

    if (n.kind == NUM_NAN)
        return f->nan;
    if (n.kind != NUM_FINITE || n.exp >= f->frac)
        return a;

    u128 v = integral(n, env->rm, &inexact);

    if (inexact)
        env->flags |= FP_NX;
    return v ? fp_pack128(f, n.sign, 127, v, env) : fp_zero(f, n.sign);
}

uint64_t fp_round(const struct fp_format *f, uint64_t a, struct fp_env *env)
{
    struct fp_env own = { .rm = env->rm };
    uint64_t r = fp_round_nx(f, a, &own);

    env->flags |= own.flags & ~FP_NX;
    return r;
}

static bool is_signed(enum fp_int type)
{
    return type == FP_I32 || type == FP_I64;
}

static bool is_word(enum fp_int type)
{
    return type == FP_I32 || type == FP_U32;
}

/* The largest magnitude of a type on this side of zero. */
static uint64_t int_limit(enum fp_int type, bool sign)
{
    uint64_t all = is_word(type) ? UINT32_MAX : UINT64_MAX;

    if (is_signed(type))
        return all / 2 + sign;
    return sign ? 0 : all;
}

static uint64_t int_value(enum fp_int type, bool sign, uint64_t mag)
{
    uint64_t v = sign ? -mag : mag;

    return is_word(type) ? (uint64_t)(int32_t)v : v;
}

static uint64_t int_saturated(enum fp_int type, bool sign, struct fp_env *env)
{
    env->flags |= FP_NV;
    return int_value(type, sign, int_limit(type, sign));
}

uint64_t fp_to_int(const struct fp_format *f, uint64_t a, enum fp_int type,
                   struct fp_env *env)
{
    struct fp_num n = fp_unpack(f, a, env);
    bool inexact;

    if (n.kind == NUM_ZERO)
        return 0;
    if (n.kind == NUM_NAN)
        return int_saturated(type, false, env);
    if (n.kind == NUM_INF || n.exp > 63)
        return int_saturated(type, n.sign, env);

    u128 v = integral(n, env->rm, &inexact);

    if (v > int_limit(type, n.sign))
        return int_saturated(type, n.sign, env);
    if (inexact)
        env->flags |= FP_NX;
    return int_value(type, n.sign, (uint64_t)v);
}

uint64_t fp_to_int_modular(const struct fp_format *f, uint64_t a,
                           struct fp_env *env)
{
    struct fp_env quiet = { 0 };
    struct fp_num n = fp_unpack(f, a, &quiet);
    uint64_t v = 0;

    fp_to_int(f, a, FP_I32, env); /* for its flags */
    if (n.kind != NUM_FINITE)
        return 0;
    if (n.exp > 63)
        v = n.exp < 63 + 32 ? n.sig << (n.exp - 63) : 0;
    else if (n.exp >= 0)
        v = n.sig >> (63 - n.exp);
    return int_value(FP_I32, n.sign, v);
}

uint64_t fp_from_int(const struct fp_format *f, uint64_t v, enum fp_int type,
                     struct fp_env *env)
{
    if (is_word(type))
        v = type == FP_I32 ? (uint64_t)(int32_t)v : (uint32_t)v;

    bool sign = is_signed(type) && v >> 63;

    return v ? fp_pack128(f, sign, 127, sign ? -v : v, env) : 0;
}

uint64_t fp_constant(const struct fp_format *f, unsigned n)
{
    /* Numbers 2 to 29 are eighths / 8 * 2^exp. */
    static const struct {
        int8_t exp, eighths;
    } table[] = {
        { -16, 8 }, { -15, 8 }, { -8, 8 },  { -7, 8 },  { -4, 8 }, { -3, 8 },
        { -2, 8 },  { -2, 10 }, { -2, 12 }, { -2, 14 }, { -1, 8 }, { -1, 10 },
        { -1, 12 }, { -1, 14 }, { 0, 8 },   { 0, 10 },  { 0, 12 }, { 0, 14 },
        { 1, 8 },   { 1, 10 },  { 1, 12 },  { 2, 8 },   { 3, 8 },  { 4, 8 },
        { 7, 8 },   { 8, 8 },   { 15, 8 },  { 16, 8 },
    };
    struct fp_env env = { .rm = RM_RNE };

    if (n == 0)
        return f->sign | f->one;
    if (n == 1)
        return UINT64_C(1) << f->frac; /* the smallest normal number */
    if (n == 30)
        return f->inf;
    if (n == 31)
        return f->nan;
    return fp_pack(f, false, table[n - 2].exp,
                   (uint64_t)table[n - 2].eighths << 60, &env);
}
