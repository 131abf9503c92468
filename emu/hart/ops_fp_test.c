/* SPDX-License-Identifier: MIT */
/*
 * ops_fp_test.c - floating-point comparisons, classes and sign injection.
 */
#include "emu/hart/fp_ops.h"

OP(feq_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a == b))
        NEXT;
    return fp_test(h, i, &fp_s, fp_eq);
}

OP(feq_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a == b))
        NEXT;
    return fp_test(h, i, &fp_d, fp_eq);
}

OP(feq_h) { return fp_test(h, i, &fp_h, fp_eq); }

OP(flt_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a < b))
        NEXT;
    return fp_test(h, i, &fp_s, fp_lt);
}

OP(flt_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a < b))
        NEXT;
    return fp_test(h, i, &fp_d, fp_lt);
}

OP(flt_h) { return fp_test(h, i, &fp_h, fp_lt); }

OP(fle_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a <= b))
        NEXT;
    return fp_test(h, i, &fp_s, fp_le);
}

OP(fle_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a <= b))
        NEXT;
    return fp_test(h, i, &fp_d, fp_le);
}

OP(fle_h) { return fp_test(h, i, &fp_h, fp_le); }

OP(fltq_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a < b))
        NEXT;
    return fp_test(h, i, &fp_s, fp_ltq);
}

OP(fltq_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a < b))
        NEXT;
    return fp_test(h, i, &fp_d, fp_ltq);
}

OP(fltq_h) { return fp_test(h, i, &fp_h, fp_ltq); }

OP(fleq_s)
{
    float a = S(rs1), b = S(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a <= b))
        NEXT;
    return fp_test(h, i, &fp_s, fp_leq);
}

OP(fleq_d)
{
    double a = D(rs1), b = D(rs2);

    if (host_test(h, i, __builtin_isunordered(a, b), a <= b))
        NEXT;
    return fp_test(h, i, &fp_d, fp_leq);
}

OP(fleq_h) { return fp_test(h, i, &fp_h, fp_leq); }

static inline const struct insn *classify(struct hart *h, const struct insn *i,
                                          const struct fp_format *f)
{
    if (fp_enabled(h))
        SET_RD(fp_class(f, fp_unbox(f, h->f[i->rs1])));
    return fp_done(h, i, fp_enabled(h));
}

OP(fclass_s) { return classify(h, i, &fp_s); }
OP(fclass_h) { return classify(h, i, &fp_h); }
OP(fclass_d) { return classify(h, i, &fp_d); }

/* The bits of rs1, with the sign that is the sign bit of sign. */
static inline const struct insn *inject(struct hart *h, const struct insn *i,
                                        const struct fp_format *f,
                                        uint64_t sign)
{
    uint64_t v = fp_unbox(f, h->f[i->rs1]) & ~f->sign;

    return fp_done(h, i, fp_set(h, i, fp_box(f, v | (sign & f->sign))));
}

/* Both operands at once, as fsgnjx sees them. */
static inline uint64_t fp_xor(const struct hart *h, const struct insn *i,
                              const struct fp_format *f)
{
    return fp_unbox(f, h->f[i->rs1]) ^ fp_unbox(f, h->f[i->rs2]);
}

OP(fsgnj_s) { return inject(h, i, &fp_s, fp_unbox(&fp_s, h->f[i->rs2])); }
OP(fsgnjn_s) { return inject(h, i, &fp_s, ~fp_unbox(&fp_s, h->f[i->rs2])); }
OP(fsgnjx_s) { return inject(h, i, &fp_s, fp_xor(h, i, &fp_s)); }

OP(fsgnj_h) { return inject(h, i, &fp_h, fp_unbox(&fp_h, h->f[i->rs2])); }
OP(fsgnjn_h) { return inject(h, i, &fp_h, ~fp_unbox(&fp_h, h->f[i->rs2])); }
OP(fsgnjx_h) { return inject(h, i, &fp_h, fp_xor(h, i, &fp_h)); }

OP(fsgnj_d) { return inject(h, i, &fp_d, fp_unbox(&fp_d, h->f[i->rs2])); }
OP(fsgnjn_d) { return inject(h, i, &fp_d, ~fp_unbox(&fp_d, h->f[i->rs2])); }
OP(fsgnjx_d) { return inject(h, i, &fp_d, fp_xor(h, i, &fp_d)); }
