/* SPDX-License-Identifier: MIT */
/*
 * fp_vectors.h - seeded operands that are hard on floating point: every kind
 * of special value, ties, neighbours, and exponents close to one another.
 */
#ifndef TESTS_UNIT_FP_VECTORS_H
#define TESTS_UNIT_FP_VECTORS_H

#include <stdlib.h>

#include "emu/hart/fp_soft.h"

/* How many vectors: n, or n times what COUNT says. */
static inline long fp_count(long n)
{
    const char *times = getenv("COUNT");

    return times ? n * atol(times) : n;
}

/* splitmix64 */
static inline uint64_t fp_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t fp_special(const struct fp_format *f, uint64_t r)
{
    uint64_t normal = UINT64_C(1) << f->frac;
    uint64_t values[] = {
        0,          1,          2,          normal - 1,  normal,
        normal + 1, f->one,     f->one + 1, f->one - 1,  f->inf - 1,
        f->inf - 2, f->inf,     f->nan,     f->inf + 1,  f->nan + 1,
        f->nan - 1, f->one * 2, f->one / 2, normal << 1, f->one + normal,
    };

    return values[r % (sizeof(values) / sizeof(values[0]))];
}

/* An operand; near is one that it should often be close to. */
static inline uint64_t fp_operand(const struct fp_format *f, uint64_t near,
                                  uint64_t *seed)
{
    uint64_t r = fp_random(seed), kind = fp_random(seed);
    uint64_t frac = (UINT64_C(1) << f->frac) - 1;
    uint64_t v;

    switch (kind % 8) {
    case 0:
        v = fp_special(f, r);
        break;
    case 1: /* few bits set: ties and exact results */
        v = (r & f->inf) | (frac & ~(frac >> (kind >> 8 & 7)) & r >> 3);
        break;
    case 2: /* many bits set: carries */
        v = (r & f->inf) | (frac ^ (frac >> (kind >> 8 & 63) & r >> 3));
        break;
    case 3: /* about the exponent of the other, any fraction */
        v = near + (((kind >> 8 & 63) - 32) << f->frac);
        v = (v & f->inf) | (r & frac);
        break;
    case 4: /* a neighbour of the other */
        v = near + (kind >> 8 & 7) - 4;
        break;
    case 5: /* not far from one */
        v = f->one + (((kind >> 8 & 15) - 8) << f->frac);
        v = (v & f->inf) | (r & frac);
        break;
    default:
        v = r;
    }
    return (v & (f->sign - 1)) | (r >> 63 ? f->sign : 0);
}

#endif
