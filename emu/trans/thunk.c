/* SPDX-License-Identifier: MIT */
/*
 * thunk.c - between C and translated code: entering, leaving, calling an op.
 *
 * C's registers that it wants kept lie on the stack, which stays aligned, so
 * that C can be called from translated code. Guest registers lie in the hart
 * whenever C runs. FP registers are loaded when a translation first wants
 * them (load_fp) and go back with the others.
 */
#include "emu/hart/csr.h"
#include "emu/trans/gen.h"

static const uint8_t kept[] = { RBX, RBP, R12, R13, R14, R15 };

static struct x86_rm fast(size_t offset)
{
    return gen_hart(offsetof(struct hart, fast) + offset);
}

#define FAST(member) fast(offsetof(struct hart_fast, member))

static void push(struct x86 *x, unsigned reg)
{
    if (reg >= 8)
        x86_byte(x, 0x41);
    x86_byte(x, 0x50 | (reg & 7));
}

static void pop(struct x86 *x, unsigned reg)
{
    if (reg >= 8)
        x86_byte(x, 0x41);
    x86_byte(x, 0x58 | (reg & 7));
}

static void ret(struct x86 *x) { x86_byte(x, 0xc3); }

static void move_pins(struct x86 *x, unsigned op)
{
    for (unsigned r = 1; r < 32; r++)
        if (gen_pin[r] != X86_NONE)
            x86_op(x, op, gen_pin[r],
                   gen_hart(offsetof(struct hart, x) + 8ul * r));
}

static void load_pins(struct x86 *x) { move_pins(x, X86_MOV); }

static void set_fp(struct x86 *x, uint32_t v)
{
    x86_op(x, 0xc7, 0, FAST(fp));
    x86_word(x, v);
}

/* FP registers too, if they are loaded; then fast.fp becomes state. */
static void save_pins(struct x86 *x, unsigned state)
{
    uint8_t *none;

    move_pins(x, X86_STORE);
    x86_alu_imm(x, ALU_CMP, false, FAST(fp), 0);
    none = x86_jcc(x, CC_E);
    gen_move_fp(x, true);
    x86_op(x, 0xae | X86_0F, 3, FAST(mxcsr)); /* stmxcsr */
    set_fp(x, state);
    x86_aim(none, x->p);
}

/* C's way in: enter(hart, code). */
static void emit_enter(struct trans *t, struct x86 *x)
{
    t->thunk.enter = x->p;
    for (size_t n = 0; n < sizeof kept; n++)
        push(x, kept[n]);
    x86_alu_imm(x, ALU_SUB, true, x86_r(RSP), 8);
    x86_op(x, X86_LEA, RBP, x86_mem(RDI, GEN_BIAS));
    x86_op(x, X86_MOV, RAX, x86_r(RSI));
    x86_op(x, X86_MOV, R15, FAST(budget));
    load_pins(x);
    x86_op(x, 0xff, 4, x86_r(RAX));
}

/* And back, with rax. */
static void emit_return(struct x86 *x)
{
    x86_op(x, X86_STORE, R15, FAST(budget));
    x86_alu_imm(x, ALU_ADD, true, x86_r(RSP), 8);
    for (size_t n = sizeof kept; n-- > 0;)
        pop(x, kept[n]);
    ret(x);
}

static void emit_leave(struct x86 *x)
{
    save_pins(x, 0);
    emit_return(x);
}

/* Ways to leave: pc is in the hart, or in rax. */
static void emit_exits(struct trans *t, struct x86 *x)
{
    struct x86_rm pc = gen_hart(offsetof(struct hart, pc));

    t->thunk.by_link = x->p;
    emit_leave(x);
    t->thunk.for_ops = x->p;
    x86_op(x, X86_STORE, RAX, pc);
    x86_mov_imm(x, RAX, LEFT_FOR_OPS);
    emit_leave(x);
    t->thunk.at_rax = x->p;
    x86_op(x, X86_STORE, RAX, pc);
    t->thunk.at_pc = x->p;
    x86_mov_imm(x, RAX, LEFT_AT_PC);
    emit_leave(x);
}

/* Called with k in eax and the code in rdx: see trans_op. */
static void emit_op(struct trans *t, struct x86 *x)
{
    uint8_t *left, *out, *no_fp;

    t->thunk.op = x->p;
    save_pins(x, 2);
    x86_op(x, X86_LEA, RDI, x86_mem(RBP, -GEN_BIAS));
    x86_op(x, X86_MOV, RSI, x86_r(RDX));
    x86_op(x, X86_MOV, RDX, x86_r(RAX));
    x86_op(x, X86_MOV, RCX, x86_r(R15));
    x86_alu_imm(x, ALU_SUB, true, x86_r(RSP), 8);
    x86_mov_imm(x, RAX, (uintptr_t)trans_op);
    x86_op(x, 0xff, 2, x86_r(RAX));
    x86_alu_imm(x, ALU_ADD, true, x86_r(RSP), 8);
    x86_op(x, X86_TEST, RAX, x86_r(RAX));
    left = x86_jcc(x, CC_NE);
    load_pins(x);
    x86_alu_imm(x, ALU_CMP, false, FAST(fp), 0);
    no_fp = x86_jcc(x, CC_E);
    x86_jmp_to(x, t->thunk.load_fp);
    x86_aim(no_fp, x->p);
    ret(x);
    x86_aim(left, x->p);
    x86_alu_imm(x, ALU_ADD, true, x86_r(RSP), 8);
    x86_alu_imm(x, ALU_CMP, true, x86_r(RAX), LEFT_IN_OP);
    out = x86_jcc(x, CC_E);
    x86_op(x, X86_MOV, R15, FAST(budget));
    load_pins(x);
    x86_op(x, 0xff, 4, x86_r(RAX));
    x86_aim(out, x->p);
    emit_return(x);
}

/*
 * Loads the FP registers and clears the host's flags, if FP instructions can
 * be done here at all: FS is Dirty and frm nearest-even. fast.fp says so.
 */
static void emit_load_fp(struct trans *t, struct x86 *x)
{
    uint8_t *no_fs, *no_rne;

    t->thunk.load_fp = x->p;
    set_fp(x, 0);
    x86_op(x, X86_MOV & ~(unsigned)X86_W, RAX,
           gen_hart(offsetof(struct hart, mstatus)));
    x86_unary(x, UN_NOT, false, x86_r(RAX));
    x86_op(x, 0xf7, 0, x86_r(RAX)); /* test eax, FS */
    x86_word(x, MSTATUS_FS);
    no_fs = x86_jcc(x, CC_NE);
    x86_op(x, 0x80, ALU_CMP, gen_hart(offsetof(struct hart, frm)));
    x86_byte(x, 0);
    no_rne = x86_jcc(x, CC_NE);
    gen_move_fp(x, false);
    x86_op(x, 0xae | X86_0F, 2, FAST(mxcsr_clean)); /* ldmxcsr */
    set_fp(x, 1);
    x86_aim(no_fs, x->p);
    x86_aim(no_rne, x->p);
    ret(x);
}

void thunks_emit(struct trans *t)
{
    struct x86 x = { t->rw, t->rw + t->size };

    emit_load_fp(t, &x);
    emit_enter(t, &x);
    emit_exits(t, &x);
    emit_op(t, &x);
    t->first = t->used = ((size_t)(x.p - t->rw) + 63) & ~(size_t)63;
}
