/* SPDX-License-Identifier: MIT */
/* x86.c - x86-64 instructions as bytes. */
#include "emu/trans/x86.h"

#include <string.h>

void x86_byte(struct x86 *x, unsigned v)
{
    if (x->p < x->end)
        *x->p++ = (uint8_t)v;
}

/* All or nothing: a caller who aims a jump needs the room to be there. */
static void put(struct x86 *x, const void *v, size_t n)
{
    if ((size_t)(x->end - x->p) < n) {
        x->p = x->end;
        return;
    }
    memcpy(x->p, v, n);
    x->p += n;
}

void x86_word(struct x86 *x, uint32_t v) { put(x, &v, sizeof v); }
void x86_quad(struct x86 *x, uint64_t v) { put(x, &v, sizeof v); }

/* ModRM, SIB, displacement. */
static void operand(struct x86 *x, unsigned reg, struct x86_rm rm)
{
    unsigned r = (reg & 7) << 3, b = rm.base & 7, mod;
    bool sib = rm.index != X86_NONE || b == RSP;

    x->wrote |= 1u << (reg & 15) | (rm.mem ? 0u : 1u << rm.base);
    if (!rm.mem) {
        x86_byte(x, 0xc0 | r | b);
        return;
    }
    mod = rm.disp == 0 && b != RBP ? 0 : rm.disp == (int8_t)rm.disp ? 1 : 2;
    x86_byte(x, mod << 6 | r | (sib ? 4 : b));
    if (sib)
        x86_byte(x, (unsigned)rm.scale << 6 |
                        (rm.index == X86_NONE ? 4 : rm.index & 7u) << 3 | b);
    if (mod == 1)
        x86_byte(x, (uint8_t)rm.disp);
    else if (mod == 2)
        x86_word(x, (uint32_t)rm.disp);
}

static unsigned index_of(struct x86_rm rm)
{
    return rm.index == X86_NONE ? 0 : rm.index;
}

void x86_op(struct x86 *x, unsigned op, unsigned reg, struct x86_rm rm)
{
    unsigned rex = (op & X86_W ? 8 : 0) | (reg >> 3) << 2 |
                   index_of(rm) >> 3 << 1 | rm.base >> 3;

    if (op & X86_BYTE && (reg >= 4 || (!rm.mem && rm.base >= 4)))
        rex |= 0x40;
    if (op & X86_66)
        x86_byte(x, 0x66);
    if (op & (X86_F2 | X86_F3))
        x86_byte(x, op & X86_F2 ? 0xf2 : 0xf3);
    if (rex)
        x86_byte(x, 0x40 | rex);
    if (op & (X86_0F | X86_0F38 | X86_0F3A))
        x86_byte(x, 0x0f);
    if (op & (X86_0F38 | X86_0F3A))
        x86_byte(x, op & X86_0F38 ? 0x38 : 0x3a);
    x86_byte(x, op & 0xff);
    operand(x, reg, rm);
}

/* The three-byte form: it can say everything. */
void x86_vex(struct x86 *x, unsigned op, unsigned reg, unsigned v,
             struct x86_rm rm)
{
    unsigned map = op & X86_0F38 ? 2 : op & X86_0F3A ? 3 : 1;
    unsigned pp = op & X86_66 ? 1 : op & X86_F3 ? 2 : op & X86_F2 ? 3 : 0;

    x86_byte(x, 0xc4);
    x86_byte(x, (reg & 8 ? 0 : 0x80) | (index_of(rm) & 8 ? 0 : 0x40) |
                    (rm.base & 8 ? 0 : 0x20) | map);
    x86_byte(x, (op & X86_W ? 0x80 : 0) | (~v & 15) << 3 | pp);
    x86_byte(x, op & 0xff);
    operand(x, reg, rm);
}

void x86_alu_imm(struct x86 *x, unsigned group, bool w, struct x86_rm rm,
                 int32_t imm)
{
    bool small = imm == (int8_t)imm;

    x86_op(x, (small ? 0x83 : 0x81) | (w ? X86_W : 0), group, rm);
    if (small)
        x86_byte(x, (uint8_t)imm);
    else
        x86_word(x, (uint32_t)imm);
}

void x86_shift_imm(struct x86 *x, unsigned group, bool w, struct x86_rm rm,
                   unsigned n)
{
    x86_op(x, 0xc1 | (w ? X86_W : 0), group, rm);
    x86_byte(x, n);
}

void x86_shift_cl(struct x86 *x, unsigned group, bool w, struct x86_rm rm)
{
    x86_op(x, 0xd3 | (w ? X86_W : 0), group, rm);
}

void x86_rorx(struct x86 *x, unsigned reg, struct x86_rm rm, unsigned n)
{
    x86_vex(x, 0xf0 | X86_0F3A | X86_F2 | X86_W, reg, 0, rm);
    x86_byte(x, n);
}

void x86_unary(struct x86 *x, unsigned group, bool w, struct x86_rm rm)
{
    if (group >= UN_MUL)
        x->wrote |= 1u << RAX | 1u << RDX;
    x86_op(x, 0xf7 | (w ? X86_W : 0), group, rm);
}

/* The shortest of: a 32-bit move that zero-extends, one that sign-extends, all
 * of it. */
void x86_mov_imm_only(struct x86 *x, unsigned reg, uint64_t v)
{
    x->wrote |= 1u << reg;
    if (v == (uint32_t)v) {
        if (reg >= 8)
            x86_byte(x, 0x41);
        x86_byte(x, 0xb8 | (reg & 7));
        x86_word(x, (uint32_t)v);
    } else if (v == (uint64_t)(int64_t)(int32_t)v) {
        x86_op(x, 0xc7 | X86_W, 0, x86_r(reg));
        x86_word(x, (uint32_t)v);
    } else {
        x86_byte(x, reg >= 8 ? 0x49 : 0x48);
        x86_byte(x, 0xb8 | (reg & 7));
        x86_quad(x, v);
    }
}

/* The flags may change: 0 is made by xor. */
void x86_mov_imm(struct x86 *x, unsigned reg, uint64_t v)
{
    if (v == 0)
        x86_op(x, 0x33, reg, x86_r(reg));
    else
        x86_mov_imm_only(x, reg, v);
}

void x86_setcc(struct x86 *x, enum x86_cc cc, unsigned reg)
{
    x86_op(x, (0x90 + cc) | X86_0F | X86_BYTE, 0, x86_r(reg));
    x86_op(x, 0xb6 | X86_0F | X86_BYTE, reg, x86_r(reg)); /* movzx */
}

void x86_cmov(struct x86 *x, enum x86_cc cc, unsigned reg, struct x86_rm rm)
{
    x86_op(x, (0x40 + cc) | X86_0F | X86_W, reg, rm);
}

/* Jumps --------------------------------------------------------------------- */

static uint8_t *site(struct x86 *x)
{
    x86_word(x, 0);
    return x->p - 4;
}

uint8_t *x86_jcc(struct x86 *x, enum x86_cc cc)
{
    x86_byte(x, 0x0f);
    x86_byte(x, 0x80 + cc);
    return site(x);
}

uint8_t *x86_jmp(struct x86 *x)
{
    x86_byte(x, 0xe9);
    return site(x);
}

uint8_t *x86_call(struct x86 *x)
{
    x86_byte(x, 0xe8);
    x->wrote = UINT32_MAX;
    return site(x);
}

/* Aligned or not, one store: nobody executes while the translator works. */
void x86_aim(uint8_t *at, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (at + 4));

    memcpy(at, &rel, sizeof rel);
}

void x86_jmp_to(struct x86 *x, const uint8_t *target)
{
    ptrdiff_t rel = target - (x->p + 2);

    if (rel == (int8_t)rel) {
        x86_byte(x, 0xeb);
        x86_byte(x, (uint8_t)rel);
        return;
    }
    x86_aim(x86_jmp(x), target);
}

void x86_jcc_to(struct x86 *x, enum x86_cc cc, const uint8_t *target)
{
    ptrdiff_t rel = target - (x->p + 2);

    if (rel == (int8_t)rel) {
        x86_byte(x, 0x70 + cc);
        x86_byte(x, (uint8_t)rel);
        return;
    }
    x86_aim(x86_jcc(x, cc), target);
}

/* As the manual recommends them (Intel SDM, volume 2, "NOP"). */
void x86_align(struct x86 *x, unsigned bytes)
{
    static const char nop[][8] = {
        "\x90",
        "\x66\x90",
        "\x0f\x1f\x00",
        "\x0f\x1f\x40\x00",
        "\x0f\x1f\x44\x00\x00",
        "\x66\x0f\x1f\x44\x00\x00",
        "\x0f\x1f\x80\x00\x00\x00\x00",
        "\x0f\x1f\x84\x00\x00\x00\x00", /* and one more 0 */
    };
    size_t n = -(uintptr_t)x->p % bytes;

    while (n > 0) {
        size_t one = n < 8 ? n : 8;

        for (size_t k = 0; k < one; k++)
            x86_byte(x, (uint8_t)nop[one - 1][k]);
        n -= one;
    }
}
