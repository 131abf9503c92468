/* SPDX-License-Identifier: MIT */
/*
 * insn_fmt.h - where the formats of insn.def keep their operands.
 *
 * fmt_X fills the fields of *i from the word w, which has the form X. False:
 * the manual reserves these operands. The i has rd, rs1, ... 0 before.
 *
 * Source: volume I, section 2.3 (immediates), chapter "C" (sections 26.3 and
 * 26.5), "Zcb".
 */
#ifndef EMU_HART_INSN_FMT_H
#define EMU_HART_INSN_FMT_H

#include "emu/hart/insn.h"

static inline uint32_t bits(uint32_t w, int hi, int lo)
{
    return w >> lo & (UINT32_MAX >> (31 - (hi - lo)));
}

static inline uint32_t bit(uint32_t w, int n) { return w >> n & 1; }

static inline int64_t sext(uint32_t v, int width)
{
    return (int32_t)(v << (32 - width)) >> (32 - width);
}

/* 32 bits -------------------------------------------------------------- */

static bool fmt_N(uint32_t w, struct insn *i)
{
    (void)w;
    (void)i;
    return true;
}

static bool fmt_R(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->rs1 = (uint8_t)bits(w, 19, 15);
    i->rs2 = (uint8_t)bits(w, 24, 20);
    return true;
}

static bool fmt_RM(uint32_t w, struct insn *i)
{
    i->rm = (uint8_t)bits(w, 14, 12);
    return fmt_R(w, i);
}

static bool fmt_R4(uint32_t w, struct insn *i)
{
    i->rs3 = (uint8_t)bits(w, 31, 27);
    return fmt_RM(w, i);
}

/* Atomics: rm is aq << 1 | rl. */
static bool fmt_A(uint32_t w, struct insn *i)
{
    i->rm = (uint8_t)bits(w, 26, 25);
    return fmt_R(w, i);
}

/* amocas.q: pairs of registers, named by the even one. */
static bool fmt_AQ(uint32_t w, struct insn *i)
{
    fmt_A(w, i);
    return !(i->rd & 1) && !(i->rs2 & 1);
}

static bool fmt_I(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->rs1 = (uint8_t)bits(w, 19, 15);
    i->imm = sext(bits(w, 31, 20), 12);
    return true;
}

/* Shifts by a constant; the row's pattern has the bits that must be 0. */
static bool fmt_SH(uint32_t w, struct insn *i)
{
    fmt_I(w, i);
    i->imm = bits(w, 25, 20);
    return true;
}

/* imm is the CSR's number; rs1 may be a constant. */
static bool fmt_CSR(uint32_t w, struct insn *i)
{
    fmt_I(w, i);
    i->imm = bits(w, 31, 20);
    return true;
}

/* imm is fm, pred, succ; rd and rs1 are to be ignored. */
static bool fmt_FENCE(uint32_t w, struct insn *i)
{
    i->imm = bits(w, 31, 20);
    return true;
}

static bool fmt_PF(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)bits(w, 19, 15);
    i->imm = sext(bits(w, 31, 25) << 5, 12);
    return true;
}

static bool fmt_S(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)bits(w, 19, 15);
    i->rs2 = (uint8_t)bits(w, 24, 20);
    i->imm = sext(bits(w, 31, 25) << 5 | bits(w, 11, 7), 12);
    return true;
}

static bool fmt_B(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)bits(w, 19, 15);
    i->rs2 = (uint8_t)bits(w, 24, 20);
    i->imm = sext(bit(w, 31) << 12 | bit(w, 7) << 11 | bits(w, 30, 25) << 5 |
                      bits(w, 11, 8) << 1,
                  13);
    return true;
}

static bool fmt_U(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->imm = (int32_t)(w & 0xfffff000);
    return true;
}

static bool fmt_J(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->imm = sext(bit(w, 31) << 20 | bits(w, 19, 12) << 12 | bit(w, 20) << 11 |
                      bits(w, 30, 21) << 1,
                  21);
    return true;
}

/* 16 bits: registers ----------------------------------------------------- */

static bool fmt_CR(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = (uint8_t)bits(w, 11, 7);
    i->rs2 = (uint8_t)bits(w, 6, 2);
    return true;
}

static bool fmt_CMV(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->rs2 = (uint8_t)bits(w, 6, 2);
    return true;
}

static bool fmt_CJR(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)bits(w, 11, 7);
    return i->rs1 != 0;
}

static bool fmt_CJALR(uint32_t w, struct insn *i)
{
    i->rd = 1;
    return fmt_CJR(w, i);
}

static bool fmt_CA(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = (uint8_t)(8 + bits(w, 9, 7));
    i->rs2 = (uint8_t)(8 + bits(w, 4, 2));
    return true;
}

/* Zcb's c.sext.b and its like: one register, and x0 where add.uw has rs2. */
static bool fmt_CU(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = (uint8_t)(8 + bits(w, 9, 7));
    return true;
}

static bool fmt_CZB(uint32_t w, struct insn *i)
{
    i->imm = 255;
    return fmt_CU(w, i);
}

static bool fmt_CNOT(uint32_t w, struct insn *i)
{
    i->imm = -1;
    return fmt_CU(w, i);
}

/* 16 bits: immediates ------------------------------------------------------ */

static bool fmt_CI(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = (uint8_t)bits(w, 11, 7);
    i->imm = sext(bit(w, 12) << 5 | bits(w, 6, 2), 6);
    return true;
}

static bool fmt_CADDIW(uint32_t w, struct insn *i)
{
    fmt_CI(w, i);
    return i->rd != 0;
}

static bool fmt_CLI(uint32_t w, struct insn *i)
{
    fmt_CI(w, i);
    i->rs1 = 0;
    return true;
}

static bool fmt_CLUI(uint32_t w, struct insn *i)
{
    fmt_CLI(w, i);
    i->imm *= 4096;
    return i->imm != 0;
}

static bool fmt_CSH(uint32_t w, struct insn *i)
{
    fmt_CI(w, i);
    i->imm &= 63;
    return true;
}

static bool fmt_CBI(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = (uint8_t)(8 + bits(w, 9, 7));
    i->imm = sext(bit(w, 12) << 5 | bits(w, 6, 2), 6);
    return true;
}

static bool fmt_CBSH(uint32_t w, struct insn *i)
{
    fmt_CBI(w, i);
    i->imm &= 63;
    return true;
}

static bool fmt_C16SP(uint32_t w, struct insn *i)
{
    i->rd = i->rs1 = 2;
    i->imm = sext(bit(w, 12) << 9 | bits(w, 4, 3) << 7 | bit(w, 5) << 6 |
                      bit(w, 2) << 5 | bit(w, 6) << 4,
                  10);
    return i->imm != 0;
}

static bool fmt_CIW(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)(8 + bits(w, 4, 2));
    i->rs1 = 2;
    i->imm = bits(w, 10, 7) << 6 | bits(w, 12, 11) << 4 | bit(w, 5) << 3 |
             bit(w, 6) << 2;
    return i->imm != 0;
}

/* 16 bits: loads and stores; a load's rd is a store's rs2 -------------------- */

static bool fmt_CLB(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)(8 + bits(w, 9, 7));
    i->rd = i->rs2 = (uint8_t)(8 + bits(w, 4, 2));
    i->imm = bit(w, 5) << 1 | bit(w, 6);
    return true;
}

static bool fmt_CLH(uint32_t w, struct insn *i)
{
    fmt_CLB(w, i);
    i->imm = bit(w, 5) << 1;
    return true;
}

static bool fmt_CLW(uint32_t w, struct insn *i)
{
    fmt_CLB(w, i);
    i->imm = bit(w, 5) << 6 | bits(w, 12, 10) << 3 | bit(w, 6) << 2;
    return true;
}

static bool fmt_CLD(uint32_t w, struct insn *i)
{
    fmt_CLB(w, i);
    i->imm = bits(w, 6, 5) << 6 | bits(w, 12, 10) << 3;
    return true;
}

static bool fmt_CFLDSP(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->rs1 = 2;
    i->imm = bits(w, 4, 2) << 6 | bit(w, 12) << 5 | bits(w, 6, 5) << 3;
    return true;
}

static bool fmt_CLDSP(uint32_t w, struct insn *i)
{
    fmt_CFLDSP(w, i);
    return i->rd != 0;
}

static bool fmt_CLWSP(uint32_t w, struct insn *i)
{
    i->rd = (uint8_t)bits(w, 11, 7);
    i->rs1 = 2;
    i->imm = bits(w, 3, 2) << 6 | bit(w, 12) << 5 | bits(w, 6, 4) << 2;
    return i->rd != 0;
}

static bool fmt_CSDSP(uint32_t w, struct insn *i)
{
    i->rs1 = 2;
    i->rs2 = (uint8_t)bits(w, 6, 2);
    i->imm = bits(w, 9, 7) << 6 | bits(w, 12, 10) << 3;
    return true;
}

static bool fmt_CSWSP(uint32_t w, struct insn *i)
{
    i->rs1 = 2;
    i->rs2 = (uint8_t)bits(w, 6, 2);
    i->imm = bits(w, 8, 7) << 6 | bits(w, 12, 9) << 2;
    return true;
}

/* 16 bits: jumps ------------------------------------------------------------ */

static bool fmt_CJ(uint32_t w, struct insn *i)
{
    i->imm = sext(bit(w, 12) << 11 | bit(w, 8) << 10 | bits(w, 10, 9) << 8 |
                      bit(w, 6) << 7 | bit(w, 7) << 6 | bit(w, 2) << 5 |
                      bit(w, 11) << 4 | bits(w, 5, 3) << 1,
                  12);
    return true;
}

static bool fmt_CB(uint32_t w, struct insn *i)
{
    i->rs1 = (uint8_t)(8 + bits(w, 9, 7));
    i->imm = sext(bit(w, 12) << 8 | bits(w, 6, 5) << 6 | bit(w, 2) << 5 |
                      bits(w, 11, 10) << 3 | bits(w, 4, 3) << 1,
                  9);
    return true;
}

#endif
