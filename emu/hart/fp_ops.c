/* SPDX-License-Identifier: MIT */
/*
 * fp_ops.c - from an FP op to the soft core: operands, rounding mode, flags.
 */
#include "emu/hart/fp_ops.h"

static bool begin(const struct hart *h, const struct insn *i,
                  struct fp_env *env)
{
    env->rm = (uint8_t)fp_rm(h, i);
    env->flags = 0;
    return fp_enabled(h) && env->rm <= RM_RMM;
}

static bool to_f(struct hart *h, const struct insn *i,
                 const struct fp_format *f, uint64_t v,
                 const struct fp_env *env)
{
    h->f[i->rd] = fp_box(f, v);
    h->fflags |= env->flags;
    fp_dirty(h);
    return true;
}

static bool to_x(struct hart *h, const struct insn *i, uint64_t v,
                 const struct fp_env *env)
{
    SET_RD(v);
    h->fflags |= env->flags;
    if (env->flags)
        fp_dirty(h);
    return true;
}

static uint64_t operand(const struct hart *h, const struct fp_format *f,
                        unsigned reg)
{
    return fp_unbox(f, h->f[reg]);
}

bool fp_do1(struct hart *h, const struct insn *i, const struct fp_format *f,
            fp_fn1 *fn)
{
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, f, fn(f, operand(h, f, i->rs1), &env), &env);
}

static bool do2(struct hart *h, const struct insn *i, const struct fp_format *f,
                fp_fn2 *fn, struct fp_env *env)
{
    uint64_t a = operand(h, f, i->rs1), b = operand(h, f, i->rs2);

    return to_f(h, i, f, fn(f, a, b, env), env);
}

bool fp_do2(struct hart *h, const struct insn *i, const struct fp_format *f,
            fp_fn2 *fn)
{
    struct fp_env env;

    return begin(h, i, &env) && do2(h, i, f, fn, &env);
}

bool fp_do_fma(struct hart *h, const struct insn *i, const struct fp_format *f,
               bool flip_product, bool flip_addend)
{
    uint64_t a = operand(h, f, i->rs1), b = operand(h, f, i->rs2),
             c = operand(h, f, i->rs3);
    struct fp_env env;

    if (!begin(h, i, &env))
        return false;
    a ^= flip_product ? f->sign : 0;
    c ^= flip_addend ? f->sign : 0;
    return to_f(h, i, f, fp_fma(f, a, b, c, &env), &env);
}

bool fp_pick(struct hart *h, const struct insn *i, const struct fp_format *f,
             fp_fn2 *fn)
{
    struct fp_env env = { 0 };

    return fp_enabled(h) && do2(h, i, f, fn, &env);
}

bool fp_test(struct hart *h, const struct insn *i, const struct fp_format *f,
             fp_fn2 *fn)
{
    uint64_t a = operand(h, f, i->rs1), b = operand(h, f, i->rs2);
    struct fp_env env = { 0 };

    return fp_enabled(h) && to_x(h, i, fn(f, a, b, &env), &env);
}

bool fp_do_convert(struct hart *h, const struct insn *i,
                   const struct fp_format *to, const struct fp_format *from)
{
    uint64_t v = operand(h, from, i->rs1);
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, to, fp_convert(to, from, v, &env), &env);
}

bool fp_do_to_int(struct hart *h, const struct insn *i,
                  const struct fp_format *f, enum fp_int type)
{
    uint64_t v = operand(h, f, i->rs1);
    struct fp_env env;

    return begin(h, i, &env) && to_x(h, i, fp_to_int(f, v, type, &env), &env);
}

bool fp_do_modular(struct hart *h, const struct insn *i,
                   const struct fp_format *f)
{
    uint64_t v = operand(h, f, i->rs1);
    struct fp_env env = { .rm = RM_RTZ };

    return fp_enabled(h) && to_x(h, i, fp_to_int_modular(f, v, &env), &env);
}

bool fp_do_from_int(struct hart *h, const struct insn *i,
                    const struct fp_format *f, enum fp_int type)
{
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, f, fp_from_int(f, X(rs1), type, &env), &env);
}
