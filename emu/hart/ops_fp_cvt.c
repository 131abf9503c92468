/* SPDX-License-Identifier: MIT */
/*
 * ops_fp_cvt.c - floating point: conversions, rounding, moves, constants.
 *
 * Source: RISC-V ISA manual, volume I, chapters "F", "D", "Zfh", "Zfa".
 */
#include "emu/hart/fp_ops.h"

/* What rounding adds to whole, which is v without its fraction rest. */
static inline int round_whole(int64_t whole, double rest, unsigned rm)
{
    double part = rest < 0 ? -rest : rest;
    int away = rest < 0 ? -1 : 1;

    switch (rm) {
    case RM_RNE:
        return part > 0.5 || (part == 0.5 && whole & 1) ? away : 0;
    case RM_RDN:
        return -(rest < 0);
    case RM_RUP:
        return rest > 0;
    case RM_RMM:
        return part >= 0.5 ? away : 0;
    default:
        return 0;
    }
}

/* To an integer: NX is no news, or v is one. */
static inline bool host_to_int(struct hart *h, const struct insn *i, double v,
                               int64_t min, int64_t max, bool word)
{
    unsigned rm = fp_rm(h, i);

    if (!host_allowed(h) || rm > RM_RMM || !(v > -0x1p63 && v < 0x1p63))
        return false;

    int64_t r = (int64_t)v;
    double rest = v - (double)r;

    if (rest != 0 && !(h->fflags & FP_NX))
        return false;
    r += round_whole(r, rest, rm);
    if (r < min || r > max)
        return false;
    SET_RD(word ? (int32_t)r : r);
    return true;
}

static inline const struct insn *to_int(struct hart *h, const struct insn *i,
                                        const struct fp_format *f, double v,
                                        enum fp_int type)
{
    static const struct {
        int64_t min, max;
        bool word;
    } range[] = {
        [FP_I32] = { INT32_MIN, INT32_MAX, true },
        [FP_U32] = { 0, UINT32_MAX, true },
        [FP_I64] = { INT64_MIN, INT64_MAX, false },
        [FP_U64] = { 0, INT64_MAX, false }, /* what is more is rare */
    };

    if (host_to_int(h, i, v, range[type].min, range[type].max,
                    range[type].word))
        NEXT;
    return fp_do_to_int(h, i, f, type);
}

OP(fcvt_w_s) { return to_int(h, i, &fp_s, (double)S(rs1), FP_I32); }
OP(fcvt_w_d) { return to_int(h, i, &fp_d, D(rs1), FP_I32); }
OP(fcvt_w_h) { return fp_do_to_int(h, i, &fp_h, FP_I32); }
OP(fcvt_wu_s) { return to_int(h, i, &fp_s, (double)S(rs1), FP_U32); }
OP(fcvt_wu_d) { return to_int(h, i, &fp_d, D(rs1), FP_U32); }
OP(fcvt_wu_h) { return fp_do_to_int(h, i, &fp_h, FP_U32); }
OP(fcvt_l_s) { return to_int(h, i, &fp_s, (double)S(rs1), FP_I64); }
OP(fcvt_l_d) { return to_int(h, i, &fp_d, D(rs1), FP_I64); }
OP(fcvt_l_h) { return fp_do_to_int(h, i, &fp_h, FP_I64); }
OP(fcvt_lu_s) { return to_int(h, i, &fp_s, (double)S(rs1), FP_U64); }
OP(fcvt_lu_d) { return to_int(h, i, &fp_d, D(rs1), FP_U64); }
OP(fcvt_lu_h) { return fp_do_to_int(h, i, &fp_h, FP_U64); }
OP(fcvtmod_w_d) { return fp_do_modular(h, i, &fp_d); }

/* From an integer: exact if it has no more bits than the format. A u64 with
 * its highest bit set is none of the host's. */
static inline const struct insn *int_to_d(struct hart *h, const struct insn *i,
                                          int64_t v, enum fp_int type)
{
    int64_t most = INT64_C(1) << 53, least = type == FP_U64 ? 0 : -most;

    if (v >= least && v <= most && host_exact_d(h, i, (double)v))
        NEXT;
    return fp_do_from_int(h, i, &fp_d, type);
}

static inline const struct insn *int_to_s(struct hart *h, const struct insn *i,
                                          int64_t v, enum fp_int type)
{
    if ((type != FP_U64 || v >= 0) && host_s(h, i, (float)v, ZERO_EXACT))
        NEXT;
    return fp_do_from_int(h, i, &fp_s, type);
}

OP(fcvt_s_w) { return int_to_s(h, i, (int32_t)X(rs1), FP_I32); }
OP(fcvt_d_w) { return int_to_d(h, i, (int32_t)X(rs1), FP_I32); }
OP(fcvt_h_w) { return fp_do_from_int(h, i, &fp_h, FP_I32); }
OP(fcvt_s_wu) { return int_to_s(h, i, (uint32_t)X(rs1), FP_U32); }
OP(fcvt_d_wu) { return int_to_d(h, i, (uint32_t)X(rs1), FP_U32); }
OP(fcvt_h_wu) { return fp_do_from_int(h, i, &fp_h, FP_U32); }
OP(fcvt_s_l) { return int_to_s(h, i, (int64_t)X(rs1), FP_I64); }
OP(fcvt_d_l) { return int_to_d(h, i, (int64_t)X(rs1), FP_I64); }
OP(fcvt_h_l) { return fp_do_from_int(h, i, &fp_h, FP_I64); }
OP(fcvt_s_lu) { return int_to_s(h, i, (int64_t)X(rs1), FP_U64); }
OP(fcvt_d_lu) { return int_to_d(h, i, (int64_t)X(rs1), FP_U64); }
OP(fcvt_h_lu) { return fp_do_from_int(h, i, &fp_h, FP_U64); }

/* Between formats. */
OP(fcvt_s_d)
{
    double v = D(rs1);

    if (host_s(h, i, (float)v, v == 0 ? ZERO_EXACT : ZERO_NEVER))
        NEXT;
    return fp_do_convert(h, i, &fp_s, &fp_d);
}

OP(fcvt_d_s)
{
    if (host_exact_d(h, i, (double)S(rs1)))
        NEXT;
    return fp_do_convert(h, i, &fp_d, &fp_s);
}

OP(fcvt_s_h) { return fp_do_convert(h, i, &fp_s, &fp_h); }
OP(fcvt_h_s) { return fp_do_convert(h, i, &fp_h, &fp_s); }
OP(fcvt_d_h) { return fp_do_convert(h, i, &fp_d, &fp_h); }
OP(fcvt_h_d) { return fp_do_convert(h, i, &fp_h, &fp_d); }

/* To an integral value. */
OP(fround_s) { return fp_do1(h, i, &fp_s, fp_round); }
OP(fround_h) { return fp_do1(h, i, &fp_h, fp_round); }
OP(fround_d) { return fp_do1(h, i, &fp_d, fp_round); }
OP(froundnx_s) { return fp_do1(h, i, &fp_s, fp_round_nx); }
OP(froundnx_h) { return fp_do1(h, i, &fp_h, fp_round_nx); }
OP(froundnx_d) { return fp_do1(h, i, &fp_d, fp_round_nx); }

/* Moves of bits, boxed or not. */
static inline const struct insn *move_to_x(struct hart *h, const struct insn *i,
                                           int64_t v)
{
    if (fp_enabled(h))
        SET_RD(v);
    return fp_done(h, i, fp_enabled(h));
}

OP(fmv_x_h) { return move_to_x(h, i, (int16_t)h->f[i->rs1]); }
OP(fmv_x_w) { return move_to_x(h, i, (int32_t)h->f[i->rs1]); }
OP(fmv_x_d) { return move_to_x(h, i, (int64_t)h->f[i->rs1]); }
OP(fmv_h_x) { return fp_done(h, i, fp_set(h, i, fp_box_h((uint16_t)X(rs1)))); }
OP(fmv_w_x) { return fp_done(h, i, fp_set(h, i, fp_box_s((uint32_t)X(rs1)))); }
OP(fmv_d_x) { return fp_done(h, i, fp_set(h, i, X(rs1))); }

/* fli: the rs1 field is the number of a constant. */
static const struct insn *load_constant(struct hart *h, const struct insn *i,
                                        const struct fp_format *f)
{
    return fp_done(h, i, fp_set(h, i, fp_box(f, fp_constant(f, i->rs1))));
}

OP(fli_h) { return load_constant(h, i, &fp_h); }
OP(fli_s) { return load_constant(h, i, &fp_s); }
OP(fli_d) { return load_constant(h, i, &fp_d); }
