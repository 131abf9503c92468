/* SPDX-License-Identifier: MIT */
/*
 * gen_fp.c - single and double precision as host code, flags included.
 *
 * Done where the guest's FS is Dirty and its rounding mode nearest-even
 * (thunk.load_fp sees to it): then the host computes the same numbers and
 * raises the same flags, which stay in mxcsr until C runs. What differs goes
 * to the op: any NaN that comes out (the guest's is positive, and 0 * inf +
 * NaN is invalid), zeros and NaNs under fmin and fmax, integers that do not
 * fit, other rounding modes.
 *
 * Singles are boxed by ones above them. The host's scalar instructions keep
 * what is above the first operand, so results are boxed if that is; g->boxed
 * says of which registers this is known.
 *
 * Source: volume I, chapters "F", "D"; Intel SDM, volume 1, chapter 11.
 */
#include "emu/hart/fp.h"
#include "emu/hart/mmu.h"
#include "emu/trans/gen.h"

/* fa0-7, fs0-1, ft0-3; xmm0 and xmm1 are anybody's. */
const uint8_t gen_fpin[32] = {
    [0] = 12,        [1] = 13,        [2] = 14,        [3] = 15,
    [4] = X86_NONE,  [5] = X86_NONE,  [6] = X86_NONE,  [7] = X86_NONE,
    [8] = 10,        [9] = 11,        [10] = 2,        [11] = 3,
    [12] = 4,        [13] = 5,        [14] = 6,        [15] = 7,
    [16] = 8,        [17] = 9,        [18] = X86_NONE, [19] = X86_NONE,
    [20] = X86_NONE, [21] = X86_NONE, [22] = X86_NONE, [23] = X86_NONE,
    [24] = X86_NONE, [25] = X86_NONE, [26] = X86_NONE, [27] = X86_NONE,
    [28] = X86_NONE, [29] = X86_NONE, [30] = X86_NONE, [31] = X86_NONE,
};

/* The host's instructions, for doubles; for singles with SINGLE. */
enum {
    LOAD = 0x10 | X86_F2,
    STORE = 0x11 | X86_F2,
    ADD = 0x58 | X86_F2,
    MUL = 0x59 | X86_F2,
    SUB = 0x5c | X86_F2,
    MIN = 0x5d | X86_F2,
    DIV = 0x5e | X86_F2,
    MAX = 0x5f | X86_F2,
    SQRT = 0x51 | X86_F2,
    CONVERT = 0x5a | X86_F2,  /* to the other width */
    FROM_INT = 0x2a | X86_F2, /* X86_W: from 64 bits */
    TO_INT = 0x2d | X86_F2,   /* as the mode says */
    TO_INT_RTZ = 0x2c | X86_F2,
    UCOMI = 0x2e | X86_66,
    COMI = 0x2f | X86_66,
    MOVE = 0x28 | X86_66,
    FROM_X = 0x6e | X86_66, /* X86_W: 64 bits */
    TO_X = 0x7e | X86_66,
    AND = 0x54 | X86_66,
    ANDN = 0x55 | X86_66,
    OR = 0x56 | X86_66,
    XOR = 0x57 | X86_66,
    EXTRACT = 0x16 | X86_66 | X86_0F3A,
};

/* Bits of a row's arg above the host's instruction. */
enum {
    SINGLE = 1 << 24,
    ARG_OP = (1 << 16) - 1,
    WIDE = 1 << 25,     /* an integer of 64 bits */
    UNSIGNED = 1 << 26, /* of 32 bits */
    NEGATE = 1 << 25,   /* fsgnjn */
    FLIP = 1 << 26,     /* fsgnjx */
    EQUAL = 1 << 25,
};

/* fast.constant: which. */
enum { ABS_D, SIGN_D, ABS_S, SIGN_S, BOX };

static unsigned width(unsigned op, uint32_t arg)
{
    if (!(arg & SINGLE))
        return op;
    if (op & X86_F2)
        return (op & ~(unsigned)X86_F2) | X86_F3;
    return op & ~(unsigned)X86_66;
}

static struct x86_rm constant(unsigned n)
{
    return gen_hart(offsetof(struct hart, fast.constant) + 16ul * n);
}

static struct x86_rm home(unsigned r)
{
    return gen_hart(offsetof(struct hart, f) + 8ul * r);
}

static struct x86_rm operand(unsigned r)
{
    return gen_fpin[r] != X86_NONE ? x86_r(gen_fpin[r]) : home(r);
}

static unsigned source(struct gen *g, unsigned r, unsigned tmp)
{
    if (gen_fpin[r] != X86_NONE)
        return gen_fpin[r];
    x86_vex(&g->x, LOAD, tmp, 0, home(r));
    return tmp;
}

static void put(struct gen *g, unsigned rd, unsigned host, bool boxed)
{
    if (gen_fpin[rd] == X86_NONE)
        x86_vex(&g->x, STORE, host, 0, home(rd));
    else if (gen_fpin[rd] != host)
        x86_vex(&g->x, MOVE, gen_fpin[rd], 0, x86_r(host));
    g->boxed &= ~(UINT32_C(1) << rd);
    g->boxed |= (uint32_t)boxed << rd;
}

void gen_move_fp(struct x86 *x, bool save)
{
    for (unsigned r = 0; r < 32; r++)
        if (gen_fpin[r] != X86_NONE)
            x86_vex(x, save ? STORE : LOAD, gen_fpin[r], 0, home(r));
}

void gen_fp_constants(uint64_t constant[][2])
{
    constant[ABS_D][0] = INT64_MAX;
    constant[SIGN_D][0] = UINT64_C(1) << 63;
    constant[BOX][0] = ~UINT64_C(0) << 32;
    constant[ABS_S][0] = ~(UINT64_C(1) << 31);
    constant[SIGN_S][0] = UINT64_C(1) << 31;
}

bool gen_begin_fp(struct gen *g)
{
    struct cold *c;

    if (!g->t->has_fma)
        return false;
    if (g->fp)
        return true;
    x86_alu_imm(&g->x, ALU_CMP, false, gen_hart(offsetof(struct hart, fast.fp)),
                0);
    c = gen_cold(g, COLD_FP, x86_jcc(&g->x, CC_E));
    c->back = g->x.p;
    g->fp = true;
    return true;
}

static bool nearest_even(const struct insn *i)
{
    return i->rm == RM_RNE || i->rm == RM_DYN;
}

/* The op of this very instruction, if the condition holds; comes back to
 * where gen_back_here says. */
static struct cold *op_if(struct gen *g, unsigned cc)
{
    return gen_cold(g, COLD_OP, x86_jcc(&g->x, cc));
}

/* A single that is not boxed is a NaN: the interpreter goes on from there. */
static void need_boxed(struct gen *g, unsigned r, uint32_t arg)
{
    if (!(arg & SINGLE) || g->boxed >> r & 1)
        return;
    if (gen_fpin[r] != X86_NONE) {
        x86_vex(&g->x, EXTRACT, gen_fpin[r], 0, x86_r(RAX));
        x86_byte(&g->x, 1);
        x86_alu_imm(&g->x, ALU_CMP, false, x86_r(RAX), -1);
    } else {
        struct x86_rm high = home(r);

        high.disp += 4;
        x86_alu_imm(&g->x, ALU_CMP, false, high, -1);
    }
    gen_cold(g, COLD_QUIT, x86_jcc(&g->x, CC_NE));
    g->boxed |= UINT32_C(1) << r;
}

static void no_nan(struct gen *g, unsigned host, uint32_t arg)
{
    x86_vex(&g->x, width(UCOMI, arg), host, 0, x86_r(host));
    op_if(g, CC_P);
}

/* Results are made in rd's own register, unless an operand is there that the
 * op may want to see. */
static unsigned target(const struct insn *i, bool rs2)
{
    if (gen_fpin[i->rd] == X86_NONE || i->rd == i->rs1 ||
        (rs2 && i->rd == i->rs2))
        return 0;
    return gen_fpin[i->rd];
}

/* Arithmetic ---------------------------------------------------------------- */

static bool gen_two(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;
    unsigned t = target(i, true);

    if (!nearest_even(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    need_boxed(g, i->rs2, arg);
    x86_vex(&g->x, width(arg & ARG_OP, arg), t, source(g, i->rs1, 0),
            operand(i->rs2));
    no_nan(g, t, arg);
    put(g, i->rd, t, arg & SINGLE);
    gen_back_here(g, first);
    return true;
}

static bool gen_sqrt(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;
    unsigned t = target(i, false), a;

    if (!nearest_even(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    a = source(g, i->rs1, 0);
    x86_vex(&g->x, width(SQRT, arg), t, a, x86_r(a));
    no_nan(g, t, arg);
    put(g, i->rd, t, arg & SINGLE);
    gen_back_here(g, first);
    return true;
}

/* xmm0 = +-(rs1 * rs2) +- rs3 */
static bool gen_fma(struct gen *g, const struct insn *i, uint32_t arg)
{
    const unsigned op = (arg & 0xff) | X86_66 | X86_0F38;
    uint32_t first = g->colds;

    if (!nearest_even(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    need_boxed(g, i->rs2, arg);
    need_boxed(g, i->rs3, arg);
    x86_vex(&g->x, gen_fpin[i->rs3] == X86_NONE ? LOAD : MOVE, 0, 0,
            operand(i->rs3));
    x86_vex(&g->x, op | (arg & SINGLE ? 0 : X86_W), 0, source(g, i->rs1, 1),
            operand(i->rs2));
    no_nan(g, 0, arg);
    put(g, i->rd, 0, arg & SINGLE);
    gen_back_here(g, first);
    return true;
}

/* Of numbers that differ. */
static bool gen_pick(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;
    unsigned a, t = target(i, true);

    if (!gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    need_boxed(g, i->rs2, arg);
    a = source(g, i->rs1, 0);
    x86_vex(&g->x, width(UCOMI, arg), a, 0, operand(i->rs2));
    op_if(g, CC_P);
    op_if(g, CC_E);
    x86_vex(&g->x, width(arg & ARG_OP, arg), t, a, operand(i->rs2));
    put(g, i->rd, t, arg & SINGLE);
    gen_back_here(g, first);
    return true;
}

/* To x registers ------------------------------------------------------------ */

static bool gen_equal(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;

    if (gen_no_rd(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    need_boxed(g, i->rs2, arg);
    x86_vex(&g->x, width(UCOMI, arg), source(g, i->rs1, 0), 0, operand(i->rs2));
    x86_op(&g->x, (0x90 + CC_NP) | X86_0F | X86_BYTE, 0, x86_r(RCX));
    x86_setcc(&g->x, CC_E, RAX);
    x86_op(&g->x, X86_AND & ~(unsigned)X86_W, RAX, x86_r(RCX));
    gen_put(g, i->rd, RAX);
    gen_back_here(g, first);
    return true;
}

/* rs1 < rs2 is rs2 above rs1; not so if there is a NaN, which is invalid. */
static bool gen_less(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;

    if (gen_no_rd(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    need_boxed(g, i->rs2, arg);
    x86_vex(&g->x, width(COMI, arg), source(g, i->rs2, 0), 0, operand(i->rs1));
    x86_setcc(&g->x, arg & EQUAL ? CC_AE : CC_A, RAX);
    gen_put(g, i->rd, RAX);
    gen_back_here(g, first);
    return true;
}

/* What does not fit gives the least integer, as that itself does. */
static bool gen_to_int(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned op = i->rm == RM_RTZ ? TO_INT_RTZ : TO_INT;
    uint32_t first = g->colds;

    if (gen_no_rd(i) || (i->rm != RM_RTZ && !nearest_even(i)) ||
        !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    x86_vex(&g->x, width(op, arg) | (arg & WIDE ? X86_W : 0), RAX, 0,
            operand(i->rs1));
    x86_alu_imm(&g->x, ALU_CMP, arg & WIDE, x86_r(RAX), 1);
    op_if(g, 0); /* overflow */
    if (!(arg & WIDE))
        x86_op(&g->x, X86_MOVSXD, RAX, x86_r(RAX));
    gen_put(g, i->rd, RAX);
    gen_back_here(g, first);
    return true;
}

static bool gen_to_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_target(g, i);

    if (gen_no_rd(i) || !gen_begin_fp(g))
        return false;
    x86_vex(&g->x, TO_X | (arg & SINGLE ? 0 : X86_W), source(g, i->rs1, 0), 0,
            x86_r(t));
    if (arg & SINGLE)
        x86_op(&g->x, X86_MOVSXD, t, x86_r(t));
    gen_put(g, i->rd, t);
    return true;
}

/* From x registers, and between the widths ------------------------------------ */

static void box_and_put(struct gen *g, unsigned rd, uint32_t arg)
{
    if (arg & SINGLE)
        x86_vex(&g->x, OR, 0, 0, constant(BOX));
    put(g, rd, 0, arg & SINGLE);
}

static bool gen_from_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    if (!gen_begin_fp(g))
        return false;
    x86_vex(&g->x, FROM_X | (arg & SINGLE ? 0 : X86_W), 0, 0,
            x86_r(gen_source(g, i->rs1, RAX)));
    box_and_put(g, i->rd, arg);
    return true;
}

static bool gen_from_int(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned a;

    if (!nearest_even(i) || !gen_begin_fp(g))
        return false;
    a = gen_source(g, i->rs1, RAX);
    if (arg & UNSIGNED) {
        x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, RAX, x86_r(a));
        a = RAX;
    }
    x86_vex(&g->x, width(FROM_INT, arg) | (arg & (WIDE | UNSIGNED) ? X86_W : 0),
            0, 1, x86_r(a));
    box_and_put(g, i->rd, arg);
    return true;
}

/* SINGLE: from single. */
static bool gen_convert(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;

    if (!nearest_even(i) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    x86_vex(&g->x, width(CONVERT, arg), 0, 1, x86_r(source(g, i->rs1, 1)));
    no_nan(g, 0, arg ^ SINGLE);
    box_and_put(g, i->rd, arg ^ SINGLE);
    gen_back_here(g, first);
    return true;
}

/* The sign of rs2, its opposite (NEGATE), or of both (FLIP). Singles only
 * where both are the same: fmv, fneg, fabs. */
static bool gen_sign(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;
    unsigned a, b;

    if ((arg & SINGLE && i->rs1 != i->rs2) || !gen_begin_fp(g))
        return false;
    need_boxed(g, i->rs1, arg);
    a = source(g, i->rs1, 0);
    if (i->rs1 == i->rs2 && !(arg & (NEGATE | FLIP))) {
        put(g, i->rd, a, arg & SINGLE);
    } else if (i->rs1 == i->rs2) {
        unsigned n = arg & SINGLE ? ABS_S : ABS_D;

        x86_vex(&g->x, arg & NEGATE ? XOR : AND, 0, a,
                constant(n + (arg & NEGATE ? 1 : 0)));
        put(g, i->rd, 0, arg & SINGLE);
    } else {
        b = source(g, i->rs2, 1);
        x86_vex(&g->x, arg & NEGATE ? ANDN : AND, 1, b, constant(SIGN_D));
        if (!(arg & FLIP))
            x86_vex(&g->x, AND, 0, a, constant(ABS_D));
        x86_vex(&g->x, arg & FLIP ? XOR : OR, 0, arg & FLIP ? a : 0, x86_r(1));
        put(g, i->rd, 0, false);
    }
    gen_back_here(g, first);
    return true;
}

/* Memory -------------------------------------------------------------------- */

static bool gen_load_f(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first, t;

    if (!gen_begin_fp(g))
        return false;
    first = g->colds;
    t = arg & SINGLE || gen_fpin[i->rd] == X86_NONE ? 0 : gen_fpin[i->rd];
    x86_vex(&g->x, width(LOAD, arg), t, 0,
            gen_memory(g, i, arg & SINGLE ? 4 : 8, ACCESS_READ));
    if (arg & SINGLE)
        box_and_put(g, i->rd, arg);
    else
        put(g, i->rd, t, false);
    gen_back_here(g, first);
    return true;
}

static bool gen_store_f(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct x86_rm to;
    uint32_t first;

    if (!gen_begin_fp(g))
        return false;
    first = g->colds;
    to = gen_memory(g, i, arg & SINGLE ? 4 : 8, ACCESS_WRITE);
    x86_vex(&g->x, width(STORE, arg), source(g, i->rs2, 0), 0, to);
    gen_back_here(g, first);
    return true;
}

#define BOTH(name, fn, arg)                                                    \
    [OP_##name##_d] = { fn, (arg) }, [OP_##name##_s] = { fn, (arg) | SINGLE }

const struct gen_row gen_fp[OP_COUNT] = {
    BOTH(fadd, gen_two, ADD),
    BOTH(fsub, gen_two, SUB),
    BOTH(fmul, gen_two, MUL),
    BOTH(fdiv, gen_two, DIV),
    BOTH(fsqrt, gen_sqrt, 0),
    BOTH(fmadd, gen_fma, 0xb9),
    BOTH(fmsub, gen_fma, 0xbb),
    BOTH(fnmsub, gen_fma, 0xbd),
    BOTH(fnmadd, gen_fma, 0xbf),
    BOTH(fmin, gen_pick, MIN),
    BOTH(fmax, gen_pick, MAX),
    BOTH(feq, gen_equal, 0),
    BOTH(flt, gen_less, 0),
    BOTH(fle, gen_less, EQUAL),
    BOTH(fcvt_w, gen_to_int, 0),
    BOTH(fcvt_l, gen_to_int, WIDE),
    [OP_fcvt_d_w] = { gen_from_int, 0 },
    [OP_fcvt_d_wu] = { gen_from_int, UNSIGNED },
    [OP_fcvt_d_l] = { gen_from_int, WIDE },
    [OP_fcvt_s_w] = { gen_from_int, SINGLE },
    [OP_fcvt_s_wu] = { gen_from_int, SINGLE | UNSIGNED },
    [OP_fcvt_s_l] = { gen_from_int, SINGLE | WIDE },
    [OP_fcvt_s_d] = { gen_convert, 0 },
    [OP_fcvt_d_s] = { gen_convert, SINGLE },
    BOTH(fsgnj, gen_sign, 0),
    BOTH(fsgnjn, gen_sign, NEGATE),
    BOTH(fsgnjx, gen_sign, FLIP),
    [OP_fmv_x_d] = { gen_to_x, 0 },
    [OP_fmv_x_w] = { gen_to_x, SINGLE },
    [OP_fmv_d_x] = { gen_from_x, 0 },
    [OP_fmv_w_x] = { gen_from_x, SINGLE },
    [OP_fld] = { gen_load_f, 0 },
    [OP_flw] = { gen_load_f, SINGLE },
    [OP_fsd] = { gen_store_f, 0 },
    [OP_fsw] = { gen_store_f, SINGLE },
};
