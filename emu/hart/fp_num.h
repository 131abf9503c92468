/* SPDX-License-Identifier: MIT */
/*
 * fp_num.h - inside the soft core: numbers taken apart, and put together.
 *
 * A finite number other than zero is sig / 2^63 * 2^exp with bit 63 of sig
 * set: subnormals are normalised like all others, so no operation knows them.
 */
#ifndef EMU_HART_FP_NUM_H
#define EMU_HART_FP_NUM_H

#include "emu/hart/fp.h"
#include "emu/hart/fp_soft.h"

__extension__ typedef unsigned __int128 u128;

enum fp_kind { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_NAN };

struct fp_num {
    uint64_t sig;
    int exp;
    bool sign;
    enum fp_kind kind;
};

/* Shifts right; a bit that falls off stays visible as the lowest one. */
static inline uint64_t shift_jam64(uint64_t v, int n)
{
    if (n == 0)
        return v;
    return n > 63 ? v != 0 : v >> n | (v << (64 - n) != 0);
}

static inline u128 shift_jam128(u128 v, int n)
{
    if (n == 0)
        return v;
    return n > 127 ? v != 0 : v >> n | (v << (128 - n) != 0);
}

/* Should a magnitude be rounded up? low are the bits that go, half is what
 * they would be at a tie, odd says that the kept part is. */
static inline bool fp_round_up(unsigned rm, bool sign, bool odd, uint64_t low,
                               uint64_t half)
{
    switch (rm) {
    case RM_RNE:
        return low > half || (low == half && odd);
    case RM_RDN:
        return sign && low;
    case RM_RUP:
        return !sign && low;
    case RM_RMM:
        return low >= half;
    default:
        return false;
    }
}

static inline uint64_t fp_zero(const struct fp_format *f, bool sign)
{
    return sign ? f->sign : 0;
}

static inline uint64_t fp_inf(const struct fp_format *f, bool sign)
{
    return fp_zero(f, sign) | f->inf;
}

static inline uint64_t fp_invalid(const struct fp_format *f, struct fp_env *env)
{
    env->flags |= FP_NV;
    return f->nan;
}

/* Takes v apart; a signaling NaN raises NV here, as it does everywhere. */
struct fp_num fp_unpack(const struct fp_format *f, uint64_t v,
                        struct fp_env *env);

/* Rounds sig / 2^63 * 2^exp (bit 63 set, bit 0 may be sticky) and packs it. */
uint64_t fp_pack(const struct fp_format *f, bool sign, int exp, uint64_t sig,
                 struct fp_env *env);

/* The same for sig / 2^127 * 2^exp with any sig but 0. */
uint64_t fp_pack128(const struct fp_format *f, bool sign, int exp, u128 sig,
                    struct fp_env *env);

#endif
