/* SPDX-License-Identifier: MIT */
/*
 * fp_num.c - unpacking, and packing with the one rounding that there is.
 */
#include "emu/hart/fp_num.h"

struct fp_num fp_unpack(const struct fp_format *f, uint64_t v,
                        struct fp_env *env)
{
    uint64_t mag = v & ~f->sign;
    struct fp_num n = { .sign = v & f->sign, .kind = NUM_FINITE };

    if (mag >= f->inf) {
        n.kind = mag > f->inf ? NUM_NAN : NUM_INF;
        if (fp_is_snan(f, v))
            env->flags |= FP_NV;
    } else if (mag >> f->frac) {
        n.exp = (int)(mag >> f->frac) - f->emax;
        n.sig = mag << (63 - f->frac) | UINT64_C(1) << 63;
    } else if (mag) {
        int zeros = __builtin_clzll(mag);

        n.exp = 64 - f->frac - zeros - f->emax;
        n.sig = mag << zeros;
    } else {
        n.kind = NUM_ZERO;
    }
    return n;
}

static uint64_t overflow(const struct fp_format *f, bool sign,
                         struct fp_env *env)
{
    bool away = env->rm == RM_RNE || env->rm == RM_RMM ||
                env->rm == (sign ? RM_RDN : RM_RUP);

    env->flags |= FP_OF | FP_NX;
    return fp_zero(f, sign) | (away ? f->inf : f->inf - 1);
}

/* sig without its lowest drop bits, rounded; *inexact if that was a change. */
static uint64_t round_off(unsigned rm, bool sign, uint64_t sig, int drop,
                          bool *inexact)
{
    uint64_t half = UINT64_C(1) << (drop - 1);
    uint64_t low = sig & (half * 2 - 1);
    uint64_t kept = sig >> drop;

    *inexact = low != 0;
    return kept + fp_round_up(rm, sign, kept & 1, low, half);
}

uint64_t fp_pack(const struct fp_format *f, bool sign, int exp, uint64_t sig,
                 struct fp_env *env)
{
    int drop = 63 - f->frac, emin = 1 - f->emax;
    uint64_t kept;
    bool tiny = false, inexact;

    if (exp < emin) {
        /* Tiny after rounding: as if the exponent had no lower bound. */
        kept = round_off(env->rm, sign, sig, drop, &inexact);
        tiny = exp < emin - 1 || !(kept >> (f->frac + 1));
        sig = shift_jam64(sig, emin - exp);
        exp = emin;
    }
    kept = round_off(env->rm, sign, sig, drop, &inexact);
    if (inexact)
        env->flags |= tiny ? FP_NX | FP_UF : FP_NX;

    /* The leading one, where there is one, adds 1 to the exponent field; so
     * does the carry of rounding up. */
    kept += (uint64_t)(exp - emin) << f->frac;
    return kept >= f->inf ? overflow(f, sign, env) : fp_zero(f, sign) | kept;
}

uint64_t fp_pack128(const struct fp_format *f, bool sign, int exp, u128 sig,
                    struct fp_env *env)
{
    uint64_t high = (uint64_t)(sig >> 64);
    int zeros =
        high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sig);

    sig <<= zeros;
    high = (uint64_t)(sig >> 64) | ((uint64_t)sig != 0);
    return fp_pack(f, sign, exp - zeros, high, env);
}
