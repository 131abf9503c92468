/* SPDX-License-Identifier: MIT */
/*
 * fp_ops.c - from an FP op to the soft core: operands, rounding mode, flags.
 */
#include "emu/hart/fp_ops.h"

/* Keeps env, whose address is taken, out of the frame that NEXT leaves by a
 * tail call: there would be none. */
#define OWN_FRAME static __attribute__((noinline))

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

OWN_FRAME bool do1(struct hart *h, const struct insn *i,
                   const struct fp_format *f, fp_fn1 *fn)
{
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, f, fn(f, operand(h, f, i->rs1), &env), &env);
}

static bool two(struct hart *h, const struct insn *i, const struct fp_format *f,
                fp_fn2 *fn, struct fp_env *env)
{
    uint64_t a = operand(h, f, i->rs1), b = operand(h, f, i->rs2);

    return to_f(h, i, f, fn(f, a, b, env), env);
}

OWN_FRAME bool do2(struct hart *h, const struct insn *i,
                   const struct fp_format *f, fp_fn2 *fn)
{
    struct fp_env env;

    return begin(h, i, &env) && two(h, i, f, fn, &env);
}

OWN_FRAME bool do_fma(struct hart *h, const struct insn *i,
                      const struct fp_format *f, bool flip_product,
                      bool flip_addend)
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

OWN_FRAME bool pick(struct hart *h, const struct insn *i,
                    const struct fp_format *f, fp_fn2 *fn)
{
    struct fp_env env = { 0 };

    return fp_enabled(h) && two(h, i, f, fn, &env);
}

OWN_FRAME bool test(struct hart *h, const struct insn *i,
                    const struct fp_format *f, fp_fn2 *fn)
{
    uint64_t a = operand(h, f, i->rs1), b = operand(h, f, i->rs2);
    struct fp_env env = { 0 };

    return fp_enabled(h) && to_x(h, i, fn(f, a, b, &env), &env);
}

OWN_FRAME bool do_convert(struct hart *h, const struct insn *i,
                          const struct fp_format *to,
                          const struct fp_format *from)
{
    uint64_t v = operand(h, from, i->rs1);
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, to, fp_convert(to, from, v, &env), &env);
}

OWN_FRAME bool do_to_int(struct hart *h, const struct insn *i,
                         const struct fp_format *f, enum fp_int type)
{
    uint64_t v = operand(h, f, i->rs1);
    struct fp_env env;

    return begin(h, i, &env) && to_x(h, i, fp_to_int(f, v, type, &env), &env);
}

OWN_FRAME bool do_modular(struct hart *h, const struct insn *i,
                          const struct fp_format *f)
{
    uint64_t v = operand(h, f, i->rs1);
    struct fp_env env = { .rm = RM_RTZ };

    return fp_enabled(h) && to_x(h, i, fp_to_int_modular(f, v, &env), &env);
}

OWN_FRAME bool do_from_int(struct hart *h, const struct insn *i,
                           const struct fp_format *f, enum fp_int type)
{
    struct fp_env env;

    return begin(h, i, &env) &&
           to_f(h, i, f, fp_from_int(f, X(rs1), type, &env), &env);
}

const struct insn *fp_do1(struct hart *h, const struct insn *i,
                          const struct fp_format *f, fp_fn1 *fn)
{
    return fp_done(h, i, do1(h, i, f, fn));
}

const struct insn *fp_do2(struct hart *h, const struct insn *i,
                          const struct fp_format *f, fp_fn2 *fn)
{
    return fp_done(h, i, do2(h, i, f, fn));
}

const struct insn *fp_do_fma(struct hart *h, const struct insn *i,
                             const struct fp_format *f, bool flip_product,
                             bool flip_addend)
{
    return fp_done(h, i, do_fma(h, i, f, flip_product, flip_addend));
}

const struct insn *fp_pick(struct hart *h, const struct insn *i,
                           const struct fp_format *f, fp_fn2 *fn)
{
    return fp_done(h, i, pick(h, i, f, fn));
}

const struct insn *fp_test(struct hart *h, const struct insn *i,
                           const struct fp_format *f, fp_fn2 *fn)
{
    return fp_done(h, i, test(h, i, f, fn));
}

const struct insn *fp_do_convert(struct hart *h, const struct insn *i,
                                 const struct fp_format *to,
                                 const struct fp_format *from)
{
    return fp_done(h, i, do_convert(h, i, to, from));
}

const struct insn *fp_do_to_int(struct hart *h, const struct insn *i,
                                const struct fp_format *f, enum fp_int type)
{
    return fp_done(h, i, do_to_int(h, i, f, type));
}

const struct insn *fp_do_modular(struct hart *h, const struct insn *i,
                                 const struct fp_format *f)
{
    return fp_done(h, i, do_modular(h, i, f));
}

const struct insn *fp_do_from_int(struct hart *h, const struct insn *i,
                                  const struct fp_format *f, enum fp_int type)
{
    return fp_done(h, i, do_from_int(h, i, f, type));
}
