/* SPDX-License-Identifier: MIT */
/*
 * ops_int.c - integer instructions: I without loads and stores, M, Zba, Zbb,
 * Zbc, Zbs, Zicond; and the jumps.
 */
#include "emu/hart/interp.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* The op's source operands, and the sign-extended low word of a result. */
#define A      X(rs1)
#define B      X(rs2)
#define SA     ((int64_t)A)
#define SB     ((int64_t)B)
#define IMM    ((uint64_t)i->imm)
#define W(v)   ((uint64_t)(int64_t)(int32_t)(v))
#define LOW(v) ((uint32_t)(v))

#define RESULT(name, v)                                                        \
    OP(name)                                                                   \
    {                                                                          \
        SET_RD(v);                                                             \
        NEXT;                                                                  \
    }

/* Jumps -------------------------------------------------------------------- */

OP(jal)
{
    uint64_t pc = PC;

    SET_RD(pc + i->len);
    return go_to(h, i, pc + IMM);
}

OP(jalr)
{
    uint64_t target = (A + IMM) & ~UINT64_C(1);

    SET_RD(PC + i->len);
    return go_to(h, i, target);
}

/* A branch that is not taken goes on within the block. */
#define BRANCH(name, taken)                                                    \
    OP(name)                                                                   \
    {                                                                          \
        if (taken)                                                             \
            return go_to(h, i, PC + IMM);                                      \
        NEXT;                                                                  \
    }

BRANCH(beq, A == B)
BRANCH(bne, A != B)
BRANCH(blt, SA < SB)
BRANCH(bge, SA >= SB)
BRANCH(bltu, A < B)
BRANCH(bgeu, A >= B)

/* RV64I -------------------------------------------------------------------- */

RESULT(lui, IMM)
RESULT(auipc, PC + IMM)
RESULT(addi, A + IMM)
RESULT(slti, SA < i->imm)
RESULT(sltiu, A < IMM)
RESULT(xori, A ^ IMM)
RESULT(ori, A | IMM)
RESULT(andi, A &IMM)
RESULT(slli, A << IMM)
RESULT(srli, A >> IMM)
RESULT(srai, SA >> IMM)
RESULT(add, A + B)
RESULT(sub, A - B)
RESULT(sll, A << (B & 63))
RESULT(slt, SA < SB)
RESULT(sltu, A < B)
RESULT(xor, A ^ B)
RESULT(srl, A >> (B & 63))
RESULT(sra, SA >> (B & 63))
RESULT(or, A | B)
RESULT(and, A &B)
RESULT(addiw, W(A + IMM))
RESULT(slliw, W(A << IMM))
RESULT(srliw, W(LOW(A) >> IMM))
RESULT(sraiw, W((int32_t)A >> IMM))
RESULT(addw, W(A + B))
RESULT(subw, W(A - B))
RESULT(sllw, W(A << (B & 31)))
RESULT(srlw, W(LOW(A) >> (B & 31)))
RESULT(sraw, W((int32_t)A >> (B & 31)))

/* M: division has no traps; its results are in volume I, table 12.1 ---------- */

static inline uint64_t div_s(int64_t a, int64_t b)
{
    if (b == 0)
        return UINT64_MAX;
    return b == -1 ? -(uint64_t)a : (uint64_t)(a / b);
}

static inline uint64_t rem_s(int64_t a, int64_t b)
{
    if (b == 0)
        return (uint64_t)a;
    return b == -1 ? 0 : (uint64_t)(a % b);
}

static inline uint64_t div_u(uint64_t a, uint64_t b)
{
    return b ? a / b : UINT64_MAX;
}

static inline uint64_t rem_u(uint64_t a, uint64_t b) { return b ? a % b : a; }

static inline uint32_t divw_u(uint32_t a, uint32_t b)
{
    return b ? a / b : UINT32_MAX;
}

static inline uint32_t remw_u(uint32_t a, uint32_t b) { return b ? a % b : a; }

RESULT(mul, A *B)
RESULT(mulh, (int128)SA *SB >> 64)
RESULT(mulhsu, (int128)((uint128)SA *B) >> 64)
RESULT(mulhu, (uint128)A *B >> 64)
RESULT(div, div_s(SA, SB))
RESULT(divu, div_u(A, B))
RESULT(rem, rem_s(SA, SB))
RESULT(remu, rem_u(A, B))
RESULT(mulw, W(A *B))
RESULT(divw, W(div_s((int32_t)A, (int32_t)B)))
RESULT(divuw, W(divw_u(LOW(A), LOW(B))))
RESULT(remw, W(rem_s((int32_t)A, (int32_t)B)))
RESULT(remuw, W(remw_u(LOW(A), LOW(B))))

/* Zba ------------------------------------------------------------------------ */

RESULT(sh1add, (A << 1) + B)
RESULT(sh2add, (A << 2) + B)
RESULT(sh3add, (A << 3) + B)
RESULT(add_uw, LOW(A) + B)
RESULT(sh1add_uw, ((uint64_t)LOW(A) << 1) + B)
RESULT(sh2add_uw, ((uint64_t)LOW(A) << 2) + B)
RESULT(sh3add_uw, ((uint64_t)LOW(A) << 3) + B)
RESULT(slli_uw, (uint64_t)LOW(A) << IMM)

/* Zbb ------------------------------------------------------------------------ */

static inline uint64_t rotate(uint64_t v, unsigned right)
{
    return v >> (right & 63) | v << (-right & 63);
}

static inline uint32_t rotate_w(uint32_t v, unsigned right)
{
    return v >> (right & 31) | v << (-right & 31);
}

/* 0xff for each byte that is not 0. */
static inline uint64_t or_combine(uint64_t v)
{
    v |= v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f);
    v |= v >> 2 & UINT64_C(0x0303030303030303);
    v |= v >> 1;
    return (v & UINT64_C(0x0101010101010101)) * 255;
}

#define SHIFT ((unsigned)B)

RESULT(andn, A & ~B)
RESULT(orn, A | ~B)
RESULT(xnor, ~(A ^ B))
RESULT(max, SA > SB ? A : B)
RESULT(maxu, A > B ? A : B)
RESULT(min, SA < SB ? A : B)
RESULT(minu, A < B ? A : B)
RESULT(rol, rotate(A, -SHIFT))
RESULT(ror, rotate(A, SHIFT))
RESULT(rori, rotate(A, (unsigned)IMM))
RESULT(rolw, W(rotate_w(LOW(A), -SHIFT)))
RESULT(rorw, W(rotate_w(LOW(A), SHIFT)))
RESULT(roriw, W(rotate_w(LOW(A), (unsigned)IMM)))
RESULT(clz, A ? __builtin_clzll(A) : 64)
RESULT(ctz, A ? __builtin_ctzll(A) : 64)
RESULT(cpop, __builtin_popcountll(A))
RESULT(clzw, LOW(A) ? __builtin_clz(LOW(A)) : 32)
RESULT(ctzw, LOW(A) ? __builtin_ctz(LOW(A)) : 32)
RESULT(cpopw, __builtin_popcount(LOW(A)))
RESULT(sext_b, (int8_t)A)
RESULT(sext_h, (int16_t)A)
RESULT(zext_h, (uint16_t)A)
RESULT(orc_b, or_combine(A))
RESULT(rev8, __builtin_bswap64(A))

/* Zbc ------------------------------------------------------------------------ */

static uint64_t clmul_low(uint64_t a, uint64_t b)
{
    uint64_t r = 0;

    for (; b; b &= b - 1)
        r ^= a << __builtin_ctzll(b);
    return r;
}

/* Bits 127..64 of the product; it has no bit 127. */
static uint64_t clmul_high(uint64_t a, uint64_t b)
{
    uint64_t r = 0;

    for (b &= ~UINT64_C(1); b; b &= b - 1)
        r ^= a >> (64 - __builtin_ctzll(b));
    return r;
}

RESULT(clmul, clmul_low(A, B))
RESULT(clmulh, clmul_high(A, B))
RESULT(clmulr, clmul_high(A, B) << 1 | clmul_low(A, B) >> 63)

/* Zbs, Zicond ------------------------------------------------------------------ */

#define BIT(n) (UINT64_C(1) << ((n)&63))

RESULT(bclr, A & ~BIT(B))
RESULT(bclri, A & ~BIT(IMM))
RESULT(bext, A >> (B & 63) & 1)
RESULT(bexti, A >> IMM & 1)
RESULT(binv, A ^ BIT(B))
RESULT(binvi, A ^ BIT(IMM))
RESULT(bset, A | BIT(B))
RESULT(bseti, A | BIT(IMM))
RESULT(czero_eqz, B ? A : 0)
RESULT(czero_nez, B ? 0 : A)
