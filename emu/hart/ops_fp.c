/* SPDX-License-Identifier: MIT */
/*
 * ops_fp.c - floating-point arithmetic: F, D, Zfh and the like of Zfa.
 *
 * Single and double precision try the host's FPU first (fp_ops.h); half
 * precision is always the soft core's.
 *
 * Source: RISC-V ISA manual, volume I, chapters "F", "D", "Zfh", "Zfa".
 */
#include "emu/hart/fp_ops.h"

/*
 * a * b + c by one instruction of the host, where it has one. A library's
 * fma() would do too, but is slower than the soft core where it has to
 * emulate.
 */
#if defined(__x86_64__)
static inline bool host_has_fma(void) { return __builtin_cpu_supports("fma"); }

static inline double host_fma_d(double a, double b, double c)
{
    __asm__("vfmadd231sd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}

static inline float host_fma_s(float a, float b, float c)
{
    __asm__("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}
#else
#if defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF)
static inline bool host_has_fma(void) { return true; }
#else
static inline bool host_has_fma(void) { return false; }
#endif
static inline double host_fma_d(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}

static inline float host_fma_s(float a, float b, float c)
{
    return __builtin_fmaf(a, b, c);
}
#endif

/* What rounding took from s = a + b (Knuth's TwoSum); NaN if s overflowed. */
static inline double lost_in_sum(double a, double b, double s)
{
    double back = s - a;

    return (a - (s - back)) + (b - back);
}

/* Nothing was lost in p = a * b; so far from 0 that no loss can vanish. */
static inline bool lossless_product(double a, double b, double p)
{
    if (a == 0 || b == 0)
        return true;
    return host_has_fma() && __builtin_fabs(p) >= 0x1p-900 &&
           host_fma_d(a, b, -p) == 0;
}

static inline bool sum_d(struct hart *h, const struct insn *i, double a,
                         double b)
{
    double s = a + b;

    return host_d(h, i, s, ZERO_EXACT) ||
           (lost_in_sum(a, b, s) == 0 && host_lossless_d(h, i, s));
}

static inline bool product_d(struct hart *h, const struct insn *i, double a,
                             double b)
{
    double p = a * b;

    return host_d(h, i, p, ZERO_IF_FACTOR) ||
           (lossless_product(a, b, p) && host_lossless_d(h, i, p));
}

/* Sums: a result of zero is always exact. */
OP(fadd_s)
{
    if (host_s(h, i, S(rs1) + S(rs2), ZERO_EXACT))
        NEXT;
    return fp_do2(h, i, &fp_s, fp_add);
}

OP(fadd_d)
{
    if (sum_d(h, i, D(rs1), D(rs2)))
        NEXT;
    return fp_do2(h, i, &fp_d, fp_add);
}

OP(fadd_h) { return fp_do2(h, i, &fp_h, fp_add); }

OP(fsub_s)
{
    if (host_s(h, i, S(rs1) - S(rs2), ZERO_EXACT))
        NEXT;
    return fp_do2(h, i, &fp_s, fp_sub);
}

OP(fsub_d)
{
    if (sum_d(h, i, D(rs1), -D(rs2)))
        NEXT;
    return fp_do2(h, i, &fp_d, fp_sub);
}

OP(fsub_h) { return fp_do2(h, i, &fp_h, fp_sub); }

/* Products and quotients: zero may be an underflow, unless an operand is. */
OP(fmul_s)
{
    if (host_s(h, i, S(rs1) * S(rs2), ZERO_IF_FACTOR))
        NEXT;
    return fp_do2(h, i, &fp_s, fp_mul);
}

OP(fmul_d)
{
    if (product_d(h, i, D(rs1), D(rs2)))
        NEXT;
    return fp_do2(h, i, &fp_d, fp_mul);
}

OP(fmul_h) { return fp_do2(h, i, &fp_h, fp_mul); }

OP(fdiv_s)
{
    if (host_s(h, i, S(rs1) / S(rs2), ZERO_IF_RS1))
        NEXT;
    return fp_do2(h, i, &fp_s, fp_div);
}

OP(fdiv_d)
{
    if (host_d(h, i, D(rs1) / D(rs2), ZERO_IF_RS1))
        NEXT;
    return fp_do2(h, i, &fp_d, fp_div);
}

OP(fdiv_h) { return fp_do2(h, i, &fp_h, fp_div); }

OP(fsqrt_s)
{
    float a = S(rs1);

    if (a > 0 && host_s(h, i, __builtin_sqrtf(a), ZERO_NEVER))
        NEXT;
    return fp_do1(h, i, &fp_s, fp_sqrt);
}

OP(fsqrt_d)
{
    double a = D(rs1);

    if (a > 0 && host_d(h, i, __builtin_sqrt(a), ZERO_NEVER))
        NEXT;
    return fp_do1(h, i, &fp_d, fp_sqrt);
}

OP(fsqrt_h) { return fp_do1(h, i, &fp_h, fp_sqrt); }

/* a is rs1 and c is rs3, with the signs that the instruction gives them. */
static inline bool fused_d(struct hart *h, const struct insn *i, double a,
                           double c)
{
    double b = D(rs2), p = a * b;

    if (!host_has_fma())
        return false;
    return host_d(h, i, host_fma_d(a, b, c), ZERO_IF_FACTOR) ||
           (lossless_product(a, b, p) && lost_in_sum(p, c, p + c) == 0 &&
            host_lossless_d(h, i, p + c));
}

static inline bool fused_s(struct hart *h, const struct insn *i, float a,
                           float c)
{
    float b = S(rs2);

    return host_has_fma() && host_s(h, i, host_fma_s(a, b, c), ZERO_IF_FACTOR);
}

OP(fmadd_s)
{
    if (fused_s(h, i, S(rs1), S(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_s, false, false);
}

OP(fmadd_d)
{
    if (fused_d(h, i, D(rs1), D(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_d, false, false);
}

OP(fmadd_h) { return fp_do_fma(h, i, &fp_h, false, false); }

OP(fmsub_s)
{
    if (fused_s(h, i, S(rs1), -S(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_s, false, true);
}

OP(fmsub_d)
{
    if (fused_d(h, i, D(rs1), -D(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_d, false, true);
}

OP(fmsub_h) { return fp_do_fma(h, i, &fp_h, false, true); }

OP(fnmsub_s)
{
    if (fused_s(h, i, -S(rs1), S(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_s, true, false);
}

OP(fnmsub_d)
{
    if (fused_d(h, i, -D(rs1), D(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_d, true, false);
}

OP(fnmsub_h) { return fp_do_fma(h, i, &fp_h, true, false); }

OP(fnmadd_s)
{
    if (fused_s(h, i, -S(rs1), -S(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_s, true, true);
}

OP(fnmadd_d)
{
    if (fused_d(h, i, -D(rs1), -D(rs3)))
        NEXT;
    return fp_do_fma(h, i, &fp_d, true, true);
}

OP(fnmadd_h) { return fp_do_fma(h, i, &fp_h, true, true); }

/* Minimum, maximum. */
OP(fmin_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_pick(h, i, a < b || a > b, a < b))
        NEXT;
    return fp_pick(h, i, &fp_s, fp_min);
}

OP(fmin_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_pick(h, i, a < b || a > b, a < b))
        NEXT;
    return fp_pick(h, i, &fp_d, fp_min);
}

OP(fmin_h) { return fp_pick(h, i, &fp_h, fp_min); }
OP(fmax_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_pick(h, i, a < b || a > b, a > b))
        NEXT;
    return fp_pick(h, i, &fp_s, fp_max);
}

OP(fmax_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_pick(h, i, a < b || a > b, a > b))
        NEXT;
    return fp_pick(h, i, &fp_d, fp_max);
}

OP(fmax_h) { return fp_pick(h, i, &fp_h, fp_max); }

OP(fminm_s) { return fp_pick(h, i, &fp_s, fp_minm); }
OP(fminm_h) { return fp_pick(h, i, &fp_h, fp_minm); }
OP(fminm_d) { return fp_pick(h, i, &fp_d, fp_minm); }
OP(fmaxm_s) { return fp_pick(h, i, &fp_s, fp_maxm); }
OP(fmaxm_h) { return fp_pick(h, i, &fp_h, fp_maxm); }
OP(fmaxm_d) { return fp_pick(h, i, &fp_d, fp_maxm); }
