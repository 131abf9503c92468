/* SPDX-License-Identifier: MIT */
/*
 * x86.h - x86-64 instructions as bytes.
 *
 * An instruction is an opcode word (an opcode byte and X86_ bits for the map,
 * prefixes and operand size), a register and an operand that is a register
 * or memory: x86_op(x, X86_ADD, RAX, x86_mem(RBP, 8)). Nothing is written
 * past end: a translation that does not fit is found out by x86_full and
 * thrown away.
 *
 * Source: Intel SDM, volume 2.
 */
#ifndef EMU_TRANS_X86_H
#define EMU_TRANS_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct x86 {
    uint8_t *p, *end; /* the next byte, in the writable mapping */
    uint32_t wrote;   /* bits of registers that may have been, since it was 0 */
};

enum x86_reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    X86_NONE = 255,
};

/* A register, or the memory at base + (index << scale) + disp. */
struct x86_rm {
    uint8_t base, index; /* index: X86_NONE if there is none; never RSP */
    uint8_t scale;
    bool mem;
    int32_t disp;
};

enum {
    X86_0F = 1 << 8, /* opcode maps */
    X86_0F38 = 1 << 9,
    X86_0F3A = 1 << 10,
    X86_W = 1 << 11, /* 64-bit operands */
    X86_66 = 1 << 12,
    X86_F2 = 1 << 13,
    X86_F3 = 1 << 14,
    X86_BYTE = 1 << 15, /* byte registers: sil, not dh */
};

/* op reg, rm; the same with X86_TO_RM: op rm, reg. */
enum {
    X86_TO_RM = -2,
    X86_ADD = 0x03 | X86_W,
    X86_OR = 0x0b | X86_W,
    X86_AND = 0x23 | X86_W,
    X86_SUB = 0x2b | X86_W,
    X86_XOR = 0x33 | X86_W,
    X86_CMP = 0x3b | X86_W,
    X86_MOV = 0x8b | X86_W,
    X86_LEA = 0x8d | X86_W,
    X86_TEST = 0x85 | X86_W,
    X86_STORE = 0x89 | X86_W,
    X86_MOVSXD = 0x63 | X86_W,
    X86_IMUL = 0xaf | X86_0F | X86_W,
};

/* Condition codes: of jcc, setcc, cmovcc. */
enum x86_cc {
    CC_B = 2,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G,
};

/* The /n of opcode groups. */
enum { ALU_ADD, ALU_OR, ALU_AND = 4, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SH_ROL, SH_ROR, SH_SHL = 4, SH_SHR, SH_SAR = 7 };
enum { UN_NOT = 2, UN_NEG, UN_MUL, UN_IMUL, UN_DIV, UN_IDIV };

static inline struct x86_rm x86_r(unsigned reg)
{
    return (struct x86_rm){ .base = (uint8_t)reg, .index = X86_NONE };
}

static inline struct x86_rm x86_mem(unsigned base, int32_t disp)
{
    return (struct x86_rm){
        .base = (uint8_t)base, .index = X86_NONE, .mem = true, .disp = disp
    };
}

static inline struct x86_rm x86_sum(unsigned base, unsigned index,
                                    unsigned scale, int32_t disp)
{
    return (struct x86_rm){ .base = (uint8_t)base,
                            .index = (uint8_t)index,
                            .scale = (uint8_t)scale,
                            .mem = true,
                            .disp = disp };
}

static inline bool x86_full(const struct x86 *x) { return x->p == x->end; }

void x86_op(struct x86 *x, unsigned op, unsigned reg, struct x86_rm rm);
/* With a third operand v (AVX, BMI): op reg, v, rm. X86_W is VEX.W. */
void x86_vex(struct x86 *x, unsigned op, unsigned reg, unsigned v,
             struct x86_rm rm);
void x86_byte(struct x86 *x, unsigned v);
void x86_word(struct x86 *x, uint32_t v);
void x86_quad(struct x86 *x, uint64_t v);

/* op rm, imm of a group; w: 64-bit. The immediate is sign-extended. */
void x86_alu_imm(struct x86 *x, unsigned group, bool w, struct x86_rm rm,
                 int32_t imm);
void x86_shift_imm(struct x86 *x, unsigned group, bool w, struct x86_rm rm,
                   unsigned n);
void x86_shift_cl(struct x86 *x, unsigned group, bool w, struct x86_rm rm);
/* reg = rm rotated right; no flags. BMI2. */
void x86_rorx(struct x86 *x, unsigned reg, struct x86_rm rm, unsigned n);
void x86_unary(struct x86 *x, unsigned group, bool w, struct x86_rm rm);

void x86_mov_imm(struct x86 *x, unsigned reg, uint64_t v);
void x86_mov_imm_only(struct x86 *x, unsigned reg, uint64_t v); /* no flags */
void x86_setcc(struct x86 *x, enum x86_cc cc, unsigned reg);    /* 0 or 1 */
void x86_cmov(struct x86 *x, enum x86_cc cc, unsigned reg, struct x86_rm rm);

/* Jumps with a 32-bit displacement; what they return is for x86_aim. */
uint8_t *x86_jcc(struct x86 *x, enum x86_cc cc);
uint8_t *x86_jmp(struct x86 *x);
uint8_t *x86_call(struct x86 *x);
void x86_aim(uint8_t *at, const uint8_t *target);
void x86_align(struct x86 *x, unsigned bytes); /* a power of 2; by nops */
void x86_jmp_to(struct x86 *x, const uint8_t *target);
void x86_jcc_to(struct x86 *x, enum x86_cc cc, const uint8_t *target);

#endif
