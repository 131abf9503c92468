/* SPDX-License-Identifier: MIT */
/*
 * fp_arith.c - the soft core's arithmetic: fma, divide, square root.
 *
 * Sums and products are fused multiply-adds with an operand that changes
 * nothing: a + b = a * 1 + b, a * b = a * b + (a zero of the product's sign).
 */
#include "emu/hart/fp_num.h"

/* x + y = 0 exactly: the sign of a sum of zeros or of a full cancellation. */
static uint64_t zero_sum(const struct fp_format *f, bool x, bool y,
                         struct fp_env *env)
{
    return fp_zero(f, x == y ? x : env->rm == RM_RDN);
}

/*
 * x * y + z, none of them zero. Both summands stand at bit 126 of 128, with
 * room for a carry. The product has 106 bits and the addend 53: bits fall off
 * in aligning only when the exponents are so far apart that cancellation
 * takes one bit at most, and then a sticky bit is enough to round.
 */
static uint64_t fused_sum(const struct fp_format *f, struct fp_num x,
                          struct fp_num y, struct fp_num z, struct fp_env *env)
{
    bool sign = x.sign ^ y.sign;
    int exp = x.exp + y.exp;
    u128 p = (u128)x.sig * y.sig, q = (u128)z.sig << 63;

    if (p >> 127) {
        p >>= 1; /* even: both factors end in zeros */
        exp++;
    }
    if (exp >= z.exp) {
        q = shift_jam128(q, exp - z.exp);
    } else {
        p = shift_jam128(p, z.exp - exp);
        exp = z.exp;
    }
    if (sign == z.sign)
        return fp_pack128(f, sign, exp + 1, p + q, env);
    if (p == q)
        return zero_sum(f, sign, z.sign, env);
    return p > q ? fp_pack128(f, sign, exp + 1, p - q, env)
                 : fp_pack128(f, z.sign, exp + 1, q - p, env);
}

/* Product or addend is inf. */
static uint64_t fused_inf(const struct fp_format *f, bool product, bool sign,
                          struct fp_num z, struct fp_env *env)
{
    if (!product)
        return fp_inf(f, z.sign);
    if (z.kind == NUM_INF && z.sign != sign)
        return fp_invalid(f, env);
    return fp_inf(f, sign);
}

static uint64_t fused(const struct fp_format *f, struct fp_num x,
                      struct fp_num y, struct fp_num z, struct fp_env *env)
{
    bool sign = x.sign ^ y.sign;
    bool inf = x.kind == NUM_INF || y.kind == NUM_INF;
    bool zero = x.kind == NUM_ZERO || y.kind == NUM_ZERO;

    if (inf && zero)
        return fp_invalid(f, env); /* whatever z is */
    if (x.kind == NUM_NAN || y.kind == NUM_NAN || z.kind == NUM_NAN)
        return f->nan;
    if (inf || z.kind == NUM_INF)
        return fused_inf(f, inf, sign, z, env);
    if (zero && z.kind == NUM_ZERO)
        return zero_sum(f, sign, z.sign, env);
    if (zero)
        return fp_pack(f, z.sign, z.exp, z.sig, env);
    if (z.kind == NUM_ZERO)
        return fp_pack128(f, sign, x.exp + y.exp + 1, (u128)x.sig * y.sig, env);
    return fused_sum(f, x, y, z, env);
}

uint64_t fp_fma(const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c,
                struct fp_env *env)
{
    return fused(f, fp_unpack(f, a, env), fp_unpack(f, b, env),
                 fp_unpack(f, c, env), env);
}

uint64_t fp_add(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    return fp_fma(f, a, f->one, b, env);
}

uint64_t fp_sub(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    return fp_add(f, a, b ^ f->sign, env);
}

uint64_t fp_mul(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    return fp_fma(f, a, b, (a ^ b) & f->sign, env);
}

uint64_t fp_div(const struct fp_format *f, uint64_t a, uint64_t b,
                struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    bool sign = x.sign ^ y.sign;

    if (x.kind == NUM_NAN || y.kind == NUM_NAN)
        return f->nan;
    if (x.kind == y.kind && x.kind != NUM_FINITE)
        return fp_invalid(f, env); /* 0 / 0, inf / inf */
    if (x.kind == NUM_INF)
        return fp_inf(f, sign);
    if (x.kind == NUM_ZERO || y.kind == NUM_INF)
        return fp_zero(f, sign);
    if (y.kind == NUM_ZERO) {
        env->flags |= FP_DZ;
        return fp_inf(f, sign);
    }

    u128 n = (u128)x.sig << 63, q = n / y.sig;

    q = q << 1 | (q * y.sig != n);
    return fp_pack128(f, sign, x.exp - y.exp + 63, q, env);
}

/* The root of n: as many bits as the format keeps and one more, then sticky. */
static uint64_t root(u128 n, int frac)
{
    uint64_t r = 0;

    for (int bit = 63; bit >= 62 - frac; bit--) {
        u128 t = r | UINT64_C(1) << bit;

        if (t * t <= n)
            r = (uint64_t)t;
    }
    return r | ((u128)r * r != n);
}

uint64_t fp_sqrt(const struct fp_format *f, uint64_t a, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    int odd = x.exp & 1;

    if (x.kind == NUM_NAN)
        return f->nan;
    if (x.kind == NUM_ZERO)
        return a;
    if (x.sign)
        return fp_invalid(f, env);
    if (x.kind == NUM_INF)
        return a;
    return fp_pack(f, false, (x.exp - odd) / 2,
                   root((u128)x.sig << (63 + odd), f->frac), env);
}
