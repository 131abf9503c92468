/* SPDX-License-Identifier: MIT */
/* gen_int.c - integer instructions as host code. */
#include <string.h>

#include "emu/trans/gen.h"

void gen_load(struct gen *g, unsigned host, unsigned r)
{
    if (r == 0)
        x86_mov_imm(&g->x, host, 0);
    else if (g->pin[r] != host)
        x86_op(&g->x, X86_MOV, host, gen_x(g, r));
}

unsigned gen_source(struct gen *g, unsigned r, unsigned tmp)
{
    if (r != 0 && gen_pinned(g, r))
        return g->pin[r];
    gen_load(g, tmp, r);
    return tmp;
}

void gen_put(struct gen *g, unsigned rd, unsigned host)
{
    if (g->pin[rd] != host)
        x86_op(&g->x, X86_STORE, host, gen_x(g, rd));
}

/* An operand with x[r]: zero is made in tmp. */
static struct x86_rm operand(struct gen *g, unsigned r, unsigned tmp)
{
    if (r != 0)
        return gen_x(g, r);
    x86_mov_imm(&g->x, tmp, 0);
    return x86_r(tmp);
}

/* Sign-extends k's result, unless the next instruction, which nobody jumps to,
 * replaces it and does not care. */
static void sign_extend_word(struct gen *g, unsigned host)
{
    const struct insn *i = &g->insn[g->k];

    g->raw = g->k + 1 < g->c->n && !g->target[g->k + 1] && i[1].rd == i->rd &&
             gen_takes_words(i[1].op);
    if (!g->raw)
        x86_op(&g->x, X86_MOVSXD, host, x86_r(host));
}

/* Results are made in rd's own register, unless it is needed to the end. */
static unsigned target(const struct gen *g, const struct insn *i)
{
    unsigned t = gen_target(g, i);

    return gen_pinned(g, i->rd) && i->rd == i->rs2 && i->rd != i->rs1 ? RAX : t;
}

/* Constants ----------------------------------------------------------------- */

void gen_put_constant(struct gen *g, unsigned rd, uint64_t v)
{
    unsigned t = gen_pinned(g, rd) ? g->pin[rd] : RAX;

    x86_mov_imm(&g->x, t, v);
    gen_put(g, rd, t);
}

static bool gen_lui(struct gen *g, const struct insn *i, uint32_t pc_relative)
{
    uint64_t base = pc_relative ? gen_pc(g, g->k) : 0;

    if (!gen_no_rd(i))
        gen_put_constant(g, i->rd, base + (uint64_t)i->imm);
    return true;
}

/* Two registers ------------------------------------------------------------- */

enum { COMMUTES = 1 << 24, WORD = 1 << 25 };

static void move(struct gen *g, unsigned rd, unsigned rs)
{
    unsigned t = gen_pinned(g, rd) ? g->pin[rd] : RAX;

    t = rs && gen_pinned(g, rs) ? g->pin[rs] : t;
    gen_load(g, t, rs);
    gen_put(g, rd, t);
}

static bool gen_alu(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned op = arg & 0xffff, a = i->rs1, b = i->rs2, t = gen_target(g, i);

    if (gen_no_rd(i))
        return true;
    if (op == X86_ADD && !(arg & WORD) && (a == 0 || b == 0)) {
        move(g, i->rd, a ? a : b);
        return true;
    }
    if (op == X86_ADD && !(arg & WORD) && i->rd != a && i->rd != b &&
        gen_pinned(g, a) && gen_pinned(g, b)) {
        x86_op(&g->x, X86_LEA, t, x86_sum(g->pin[a], g->pin[b], 0, 0));
        gen_put(g, i->rd, t);
        return true;
    }
    if (arg & COMMUTES && i->rd == b) {
        b = a;
        a = i->rd;
    }
    if (gen_pinned(g, i->rd) && i->rd == b && a != b)
        t = RAX;
    if (!gen_pinned(g, i->rd) && i->rd == a && b && gen_pinned(g, b) &&
        !(arg & WORD) && op != X86_IMUL) {
        x86_op(&g->x, op + X86_TO_RM, g->pin[b], gen_x(g, a));
        gen_tested(g, i->rd);
        return true;
    }
    if (arg & WORD)
        op &= ~(unsigned)X86_W;
    gen_load(g, t, a);
    x86_op(&g->x, op, t, operand(g, b, RCX));
    if (arg & WORD)
        sign_extend_word(g, t);
    else if (op != X86_IMUL && t != RAX)
        gen_tested(g, i->rd);
    gen_put(g, i->rd, t);
    return true;
}

/* rd = rs1 op ~rs2 */
static bool gen_not2(struct gen *g, const struct insn *i, uint32_t op)
{
    unsigned t = target(g, i);

    if (gen_no_rd(i))
        return true;
    gen_load(g, RCX, i->rs2);
    x86_unary(&g->x, UN_NOT, true, x86_r(RCX));
    gen_load(g, t, i->rs1);
    x86_op(&g->x, op, t, x86_r(RCX));
    gen_put(g, i->rd, t);
    return true;
}

/* rd = rs2 + (rs1 << n), rs1 zero-extended first if WORD. */
static bool gen_shadd(struct gen *g, const struct insn *i, uint32_t arg)
{
    if (gen_no_rd(i))
        return true;
    gen_load(g, RCX, i->rs1);
    if (arg & WORD)
        x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, RCX, x86_r(RCX));
    if (arg & 3)
        x86_shift_imm(&g->x, SH_SHL, true, x86_r(RCX), arg & 3);
    x86_op(&g->x, X86_ADD, RCX, operand(g, i->rs2, RDX));
    gen_put(g, i->rd, RCX);
    return true;
}

static void compare(struct gen *g, unsigned rs1, unsigned rs2)
{
    if (rs2 == 0 && rs1 != 0) {
        x86_alu_imm(&g->x, ALU_CMP, true, gen_x(g, rs1), 0);
        return;
    }
    unsigned a = gen_source(g, rs1, RAX);
    x86_op(&g->x, X86_CMP, a, operand(g, rs2, RCX));
}

static bool gen_slt(struct gen *g, const struct insn *i, uint32_t cc)
{
    if (gen_no_rd(i))
        return true;
    compare(g, i->rs1, i->rs2);
    x86_setcc(&g->x, cc, gen_target(g, i));
    gen_put(g, i->rd, gen_target(g, i));
    return true;
}

static bool gen_minmax(struct gen *g, const struct insn *i, uint32_t cc)
{
    if (gen_no_rd(i))
        return true;
    gen_load(g, RAX, i->rs2);
    gen_load(g, RDX, i->rs1);
    x86_op(&g->x, X86_CMP, RDX, x86_r(RAX));
    x86_cmov(&g->x, cc, RAX, x86_r(RDX));
    gen_put(g, i->rd, RAX);
    return true;
}

/* rd = rs1, but 0 if rs2 is (CC_E) or is not (CC_NE). */
static bool gen_czero(struct gen *g, const struct insn *i, uint32_t cc)
{
    if (gen_no_rd(i))
        return true;
    gen_load(g, RAX, i->rs1);
    x86_mov_imm(&g->x, RDX, 0);
    x86_alu_imm(&g->x, ALU_CMP, true, operand(g, i->rs2, RCX), 0);
    x86_cmov(&g->x, cc, RAX, x86_r(RDX));
    gen_put(g, i->rd, RAX);
    return true;
}

/* A register and a constant --------------------------------------------------- */

static bool gen_addi(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_target(g, i), w = arg & WORD ? 0 : X86_W;

    if (gen_no_rd(i))
        return true;
    if (i->rs1 == 0) {
        gen_put_constant(g, i->rd, (uint64_t)i->imm);
        return true;
    }
    if (arg & WORD && i->imm == 0 && !gen_is_word(g, i->rs1)) { /* sext.w */
        x86_op(&g->x, X86_MOVSXD, t, gen_x(g, i->rs1));
        gen_put(g, i->rd, t);
        return true;
    }
    if (i->imm == 0) {
        move(g, i->rd, i->rs1);
        return true;
    }
    if (i->rd == i->rs1 && w) {
        x86_alu_imm(&g->x, ALU_ADD, true, gen_x(g, i->rd), (int32_t)i->imm);
        gen_tested(g, i->rd);
        return true;
    }
    if (gen_pinned(g, i->rs1)) {
        x86_op(&g->x, (X86_LEA & ~(unsigned)X86_W) | w, t,
               x86_mem(g->pin[i->rs1], (int32_t)i->imm));
    } else {
        gen_load(g, t, i->rs1);
        x86_alu_imm(&g->x, ALU_ADD, w, x86_r(t), (int32_t)i->imm);
    }
    if (!w)
        sign_extend_word(g, t);
    gen_put(g, i->rd, t);
    return true;
}

static bool gen_logic_imm(struct gen *g, const struct insn *i, uint32_t group)
{
    unsigned t = gen_target(g, i);

    if (gen_no_rd(i))
        return true;
    if (group == ALU_AND && i->imm == 0xff) {
        x86_op(&g->x, 0xb6 | X86_0F | X86_BYTE, t, operand(g, i->rs1, t));
    } else if (i->rd == i->rs1) {
        x86_alu_imm(&g->x, group, true, gen_x(g, i->rd), (int32_t)i->imm);
        gen_tested(g, i->rd);
        return true;
    } else {
        gen_load(g, t, i->rs1);
        x86_alu_imm(&g->x, group, true, x86_r(t), (int32_t)i->imm);
        if (t != RAX)
            gen_tested(g, i->rd);
    }
    gen_put(g, i->rd, t);
    return true;
}

static bool gen_slti(struct gen *g, const struct insn *i, uint32_t cc)
{
    if (gen_no_rd(i))
        return true;
    x86_alu_imm(&g->x, ALU_CMP, true, operand(g, i->rs1, RAX), (int32_t)i->imm);
    x86_setcc(&g->x, cc, gen_target(g, i));
    gen_put(g, i->rd, gen_target(g, i));
    return true;
}

static bool gen_shift_imm(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_target(g, i), n = (unsigned)i->imm;
    bool word = arg & WORD, extend = word;

    if (gen_no_rd(i))
        return true;
    if (word && (arg & 7) == SH_SHR && n > 0) /* zeros come in */
        extend = false;
    if (word && (arg & 7) == SH_SAR && gen_is_word(g, i->rs1))
        word = extend = false;
    if (!gen_pinned(g, i->rd) && i->rd == i->rs1 && !word) {
        x86_shift_imm(&g->x, arg & 7, true, gen_x(g, i->rd), n);
        return true;
    }
    if (arg == SH_SHR && n && i->rs1 && i == &g->insn[g->k] && g->t->has_bmi2 &&
        gen_is_masked(g, 64 - n)) {
        x86_rorx(&g->x, t, gen_x(g, i->rs1), n);
        gen_put(g, i->rd, t);
        return true;
    }
    gen_load(g, t, i->rs1);
    x86_shift_imm(&g->x, arg & 7, !word, x86_r(t), n);
    if (extend)
        sign_extend_word(g, t);
    gen_put(g, i->rd, t);
    return true;
}

/* slli.uw */
static bool gen_slli_uw(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_target(g, i);

    (void)arg;
    if (gen_no_rd(i))
        return true;
    x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, t, operand(g, i->rs1, t));
    x86_shift_imm(&g->x, SH_SHL, true, x86_r(t), (unsigned)i->imm);
    gen_put(g, i->rd, t);
    return true;
}

/* shlx, shrx, sarx */
static void shift_by(struct gen *g, const struct insn *i, uint32_t arg)
{
    static const unsigned prefix[] = {
        [SH_SHL] = X86_66, [SH_SHR] = X86_F2, [SH_SAR] = X86_F3
    };

    x86_vex(&g->x, 0xf7 | X86_0F38 | prefix[arg & 7] | (arg & WORD ? 0 : X86_W),
            gen_target(g, i), gen_source(g, i->rs2, RCX),
            i->rs1 ? gen_x(g, i->rs1) : x86_r(gen_source(g, 0, RAX)));
}

static bool gen_shift(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_target(g, i);

    if (gen_no_rd(i))
        return true;
    if (g->t->has_bmi2 && (arg & 7) >= SH_SHL) {
        shift_by(g, i, arg);
        if (arg & WORD)
            sign_extend_word(g, t);
        gen_put(g, i->rd, t);
        return true;
    }
    gen_load(g, RCX, i->rs2);
    gen_load(g, t, i->rs1);
    x86_shift_cl(&g->x, arg & 7, !(arg & WORD), x86_r(t));
    if (arg & WORD)
        sign_extend_word(g, t);
    gen_put(g, i->rd, t);
    return true;
}

/* One register ---------------------------------------------------------------- */

/* A host instruction with one source that does it: op rd, rs1. */
static bool gen_unary(struct gen *g, const struct insn *i, uint32_t op)
{
    unsigned t = gen_target(g, i);

    if (gen_no_rd(i))
        return true;
    x86_op(&g->x, op, t, operand(g, i->rs1, t));
    gen_put(g, i->rd, t);
    return true;
}

static bool gen_count(struct gen *g, const struct insn *i, uint32_t op)
{
    return g->t->has_lzcnt && gen_unary(g, i, op);
}

static bool gen_rev8(struct gen *g, const struct insn *i, uint32_t arg)
{
    (void)arg;
    if (gen_no_rd(i))
        return true;
    gen_load(g, RAX, i->rs1);
    x86_byte(&g->x, 0x48); /* bswap rax */
    x86_byte(&g->x, 0x0f);
    x86_byte(&g->x, 0xc8);
    gen_put(g, i->rd, RAX);
    return true;
}

/* 0xff for each byte that is not 0: not equal to 0, not equal to that. */
static bool gen_orc_b(struct gen *g, const struct insn *i, uint32_t arg)
{
    enum { EQUAL = 0x74 | X86_66, ZERO = 0xef | X86_66, MOVQ = X86_66 | X86_W };
    unsigned t = gen_target(g, i);

    (void)arg;
    if (gen_no_rd(i))
        return true;
    if (!g->t->has_fma) /* nor AVX */
        return false;
    x86_vex(&g->x, 0x6e | MOVQ, 0, 0, operand(g, i->rs1, RAX));
    x86_vex(&g->x, ZERO, 1, 1, x86_r(1));
    x86_vex(&g->x, EQUAL, 0, 0, x86_r(1));
    x86_vex(&g->x, EQUAL, 0, 0, x86_r(1));
    x86_vex(&g->x, 0x7e | MOVQ, 0, 0, x86_r(t));
    gen_put(g, i->rd, t);
    return true;
}

/* M ----------------------------------------------------------------------------- */

static bool gen_mulh(struct gen *g, const struct insn *i, uint32_t group)
{
    if (gen_no_rd(i))
        return true;
    gen_load(g, RAX, i->rs1);
    x86_unary(&g->x, group, true, operand(g, i->rs2, RCX));
    gen_put(g, i->rd, RDX);
    return true;
}

enum { SIGNED = 1 << 26, REST = 1 << 27 };

/* What a division does that is none: by 0, or by -1 (whose overflow is a
 * fault on the host). rax and rcx are its operands; where it goes on. */
static uint8_t *odd_division(struct gen *g, bool by_0, uint32_t arg)
{
    if (by_0 && !(arg & REST))
        x86_mov_imm(&g->x, RAX, UINT64_MAX);
    else if (by_0)
        x86_op(&g->x, X86_MOV, RDX, x86_r(RAX));
    else if (!(arg & REST))
        x86_unary(&g->x, UN_NEG, !(arg & WORD), x86_r(RAX));
    else
        x86_mov_imm(&g->x, RDX, 0);
    return x86_jmp(&g->x);
}

/* Of 64 bits, unless both fit into 32: that is faster. */
static uint8_t *try_short(struct gen *g)
{
    uint8_t *longer, *done;

    x86_op(&g->x, X86_MOV, RDX, x86_r(RAX));
    x86_op(&g->x, X86_OR, RDX, x86_r(RCX));
    x86_shift_imm(&g->x, SH_SHR, true, x86_r(RDX), 32);
    longer = x86_jcc(&g->x, CC_NE);
    x86_unary(&g->x, UN_DIV, false, x86_r(RCX)); /* rdx is 0 */
    done = x86_jmp(&g->x);
    x86_aim(longer, g->x.p);
    return done;
}

static void divide(struct gen *g, uint32_t arg)
{
    bool w = !(arg & WORD);

    if (arg & SIGNED) {
        if (w)
            x86_byte(&g->x, 0x48);
        x86_byte(&g->x, 0x99); /* cqo, cdq */
    } else {
        x86_mov_imm(&g->x, RDX, 0);
    }
    x86_unary(&g->x, arg & SIGNED ? UN_IDIV : UN_DIV, w, x86_r(RCX));
}

static bool gen_div(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned w = arg & WORD ? 0 : X86_W, result = arg & REST ? RDX : RAX;
    uint8_t *done[4] = { 0 }, *by_0, *by_minus_1 = NULL;

    if (gen_no_rd(i))
        return true;
    gen_load(g, RAX, i->rs1);
    gen_load(g, RCX, i->rs2);
    x86_op(&g->x, (X86_TEST & ~(unsigned)X86_W) | w, RCX, x86_r(RCX));
    by_0 = x86_jcc(&g->x, CC_E);
    if (arg & SIGNED) {
        x86_alu_imm(&g->x, ALU_CMP, w, x86_r(RCX), -1);
        by_minus_1 = x86_jcc(&g->x, CC_E);
    }
    if (w)
        done[0] = try_short(g);
    divide(g, arg);
    done[1] = x86_jmp(&g->x);
    x86_aim(by_0, g->x.p);
    done[2] = odd_division(g, true, arg);
    if (by_minus_1) {
        x86_aim(by_minus_1, g->x.p);
        done[3] = odd_division(g, false, arg);
    }
    for (unsigned n = 0; n < 4; n++)
        if (done[n])
            x86_aim(done[n], g->x.p);
    if (arg & WORD)
        sign_extend_word(g, result);
    gen_put(g, i->rd, result);
    return true;
}

static bool gen_nothing(struct gen *g, const struct insn *i, uint32_t arg)
{
    (void)g, (void)i, (void)arg;
    return true;
}

#define MOVZX8  (0xb6 | X86_0F | X86_BYTE)
#define MOVSX8  (0xbe | X86_0F | X86_BYTE | X86_W)
#define MOVZX16 (0xb7 | X86_0F)
#define MOVSX16 (0xbf | X86_0F | X86_W)

const struct gen_row gen_int[OP_COUNT] = {
    [OP_lui] = { gen_lui, 0 },
    [OP_auipc] = { gen_lui, 1 },
    [OP_add] = { gen_alu, X86_ADD | COMMUTES },
    [OP_sub] = { gen_alu, X86_SUB },
    [OP_and] = { gen_alu, X86_AND | COMMUTES },
    [OP_or] = { gen_alu, X86_OR | COMMUTES },
    [OP_xor] = { gen_alu, X86_XOR | COMMUTES },
    [OP_addw] = { gen_alu, X86_ADD | COMMUTES | WORD },
    [OP_subw] = { gen_alu, X86_SUB | WORD },
    [OP_mul] = { gen_alu, X86_IMUL | COMMUTES },
    [OP_mulw] = { gen_alu, X86_IMUL | COMMUTES | WORD },
    [OP_andn] = { gen_not2, X86_AND },
    [OP_orn] = { gen_not2, X86_OR },
    [OP_xnor] = { gen_not2, X86_XOR },
    [OP_sh1add] = { gen_shadd, 1 },
    [OP_sh2add] = { gen_shadd, 2 },
    [OP_sh3add] = { gen_shadd, 3 },
    [OP_add_uw] = { gen_shadd, WORD },
    [OP_sh1add_uw] = { gen_shadd, WORD | 1 },
    [OP_sh2add_uw] = { gen_shadd, WORD | 2 },
    [OP_sh3add_uw] = { gen_shadd, WORD | 3 },
    [OP_slt] = { gen_slt, CC_L },
    [OP_sltu] = { gen_slt, CC_B },
    [OP_min] = { gen_minmax, CC_L },
    [OP_max] = { gen_minmax, CC_G },
    [OP_minu] = { gen_minmax, CC_B },
    [OP_maxu] = { gen_minmax, CC_A },
    [OP_czero_eqz] = { gen_czero, CC_E },
    [OP_czero_nez] = { gen_czero, CC_NE },
    [OP_addi] = { gen_addi, 0 },
    [OP_addiw] = { gen_addi, WORD },
    [OP_xori] = { gen_logic_imm, ALU_XOR },
    [OP_ori] = { gen_logic_imm, ALU_OR },
    [OP_andi] = { gen_logic_imm, ALU_AND },
    [OP_slti] = { gen_slti, CC_L },
    [OP_sltiu] = { gen_slti, CC_B },
    [OP_slli] = { gen_shift_imm, SH_SHL },
    [OP_srli] = { gen_shift_imm, SH_SHR },
    [OP_srai] = { gen_shift_imm, SH_SAR },
    [OP_slliw] = { gen_shift_imm, SH_SHL | WORD },
    [OP_srliw] = { gen_shift_imm, SH_SHR | WORD },
    [OP_sraiw] = { gen_shift_imm, SH_SAR | WORD },
    [OP_rori] = { gen_shift_imm, SH_ROR },
    [OP_roriw] = { gen_shift_imm, SH_ROR | WORD },
    [OP_slli_uw] = { gen_slli_uw, 0 },
    [OP_sll] = { gen_shift, SH_SHL },
    [OP_srl] = { gen_shift, SH_SHR },
    [OP_sra] = { gen_shift, SH_SAR },
    [OP_rol] = { gen_shift, SH_ROL },
    [OP_ror] = { gen_shift, SH_ROR },
    [OP_sllw] = { gen_shift, SH_SHL | WORD },
    [OP_srlw] = { gen_shift, SH_SHR | WORD },
    [OP_sraw] = { gen_shift, SH_SAR | WORD },
    [OP_rolw] = { gen_shift, SH_ROL | WORD },
    [OP_rorw] = { gen_shift, SH_ROR | WORD },
    [OP_sext_b] = { gen_unary, MOVSX8 },
    [OP_sext_h] = { gen_unary, MOVSX16 },
    [OP_zext_h] = { gen_unary, MOVZX16 },
    [OP_clz] = { gen_count, 0xbd | X86_0F | X86_F3 | X86_W },
    [OP_clzw] = { gen_count, 0xbd | X86_0F | X86_F3 },
    [OP_ctz] = { gen_count, 0xbc | X86_0F | X86_F3 | X86_W },
    [OP_ctzw] = { gen_count, 0xbc | X86_0F | X86_F3 },
    [OP_cpop] = { gen_count, 0xb8 | X86_0F | X86_F3 | X86_W },
    [OP_cpopw] = { gen_count, 0xb8 | X86_0F | X86_F3 },
    [OP_rev8] = { gen_rev8, 0 },
    [OP_orc_b] = { gen_orc_b, 0 },
    [OP_mulh] = { gen_mulh, UN_IMUL },
    [OP_mulhu] = { gen_mulh, UN_MUL },
    [OP_div] = { gen_div, SIGNED },
    [OP_divu] = { gen_div, 0 },
    [OP_rem] = { gen_div, SIGNED | REST },
    [OP_remu] = { gen_div, REST },
    [OP_divw] = { gen_div, SIGNED | WORD },
    [OP_divuw] = { gen_div, WORD },
    [OP_remw] = { gen_div, SIGNED | REST | WORD },
    [OP_remuw] = { gen_div, REST | WORD },
    [OP_fence] = { gen_nothing, 0 },
    [OP_pause] = { gen_nothing, 0 },
    [OP_prefetch_i] = { gen_nothing, 0 },
    [OP_prefetch_r] = { gen_nothing, 0 },
    [OP_prefetch_w] = { gen_nothing, 0 },
};
