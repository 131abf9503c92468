/* SPDX-License-Identifier: MIT */
/*
 * thunk.c - between C and translated code: entering, leaving, calling an op.
 *
 * C's registers that it wants kept lie on the stack, which stays aligned, so
 * that C can be called from translated code. Guest registers lie in the hart
 * whenever C runs. FP registers are loaded when a translation first wants
 * them (load_fp) and go back with the others.
 */
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/mmu.h"
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
        if (gen_home[r] != X86_NONE)
            x86_op(x, op, gen_home[r], gen_x_in_hart(r));
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
    t->thunk.torn = x->p; /* rdx is the code, ecx k */
    x86_op(x, X86_STORE, RDX, FAST(torn));
    x86_op(x, X86_STORE & ~(unsigned)X86_W, RCX, FAST(torn_k));
    x86_jmp_to(x, t->thunk.for_ops);
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

/* Accesses ------------------------------------------------------------------- */

static struct x86_rm indexed(size_t array, unsigned index, unsigned scale)
{
    struct x86_rm rm = gen_hart(array);

    rm.index = (uint8_t)index;
    rm.scale = (uint8_t)scale;
    return rm;
}

/* The site at rcx missed once more. Sign flag: often. */
static void count_miss(struct x86 *x)
{
    _Static_assert(sizeof(site_block) == 2 * sizeof(int32_t), "a shift by 1");
    x86_shift_imm(x, SH_SHR, false, x86_r(RCX), 1);
    x86_alu_imm(x, ALU_SUB, false, indexed(GEN_SITES(misses), RCX, 0), 1);
}

/*
 * The TLB has the tag (rdx): so has the site at rcx from now on, of which the
 * block is a page, and it is among the filled ones. Flags: count_miss'.
 */
static void fill_site(struct x86 *x)
{
    const struct x86_rm block = indexed(GEN_SITES(site), RCX, 0);
    uint8_t *known;

    x86_alu_imm(x, ALU_CMP, true, block, -1);
    x86_op(x, X86_STORE, RDX, block);
    known = x86_jcc(x, CC_NE);
    x86_op(x, X86_MOV & ~(unsigned)X86_W, RDX, FAST(filled));
    x86_op(x, X86_STORE & ~(unsigned)X86_W, RCX,
           indexed(GEN_SITES(filled), RDX, 2));
    x86_alu_imm(x, ALU_ADD, false, FAST(filled), 1);
    x86_aim(known, x->p);
    x86_alu_imm(x, ALU_ADD, true, FAST(fills), 1);
    count_miss(x);
}

/*
 * The tag is another one, though that of the page if only it were not watched
 * (elsewhere), or the access not misaligned: as mmu.c's may_pass has it. rcx
 * is the TLB entry, rax the address, rdx what the tag should have been. What
 * comes back are the jumps to where it may pass.
 */
static void try_odd(struct x86 *x, int32_t tag, unsigned size, uint8_t *pass[2])
{
    const unsigned mov = X86_MOV & ~(unsigned)X86_W;
    uint8_t *other;

    x86_op(x, X86_XOR, RDX, x86_mem(RCX, tag));
    x86_alu_imm(x, ALU_CMP, true, x86_r(RDX), TLB_WATCHED);
    other = x86_jcc(x, CC_NE);
    x86_op(x, X86_MOV, RDX, x86_mem(RCX, GEN_NOTE(parts)));
    push(x, RAX);
    x86_shift_imm(x, SH_SHR, true, x86_r(RAX), 6);
    x86_op(x, 0xa3 | X86_0F | X86_W, RAX, x86_r(RDX)); /* bt rdx, rax */
    pop(x, RAX);
    pass[0] = x86_jcc(x, CC_AE);
    x86_aim(other, x->p);
    x86_op(x, X86_MOV, RDX, x86_r(RAX));
    x86_alu_imm(x, ALU_AND, true, x86_r(RDX), -(int32_t)MEM_PAGE);
    x86_op(x, X86_CMP, RDX, x86_mem(RCX, tag));
    other = x86_jcc(x, CC_NE);
    x86_op(x, mov, RDX, x86_r(RAX));
    x86_alu_imm(x, ALU_AND, false, x86_r(RDX), MEM_PAGE - 1);
    x86_alu_imm(x, ALU_CMP, false, x86_r(RDX), (int32_t)(MEM_PAGE - size));
    pass[1] = x86_jcc(x, CC_BE);
    x86_aim(other, x->p);
}

/* The way back, rcx and rax being on the stack. */
static void found(struct x86 *x, bool ok)
{
    pop(x, RCX);
    pop(x, RAX);
    if (ok)
        x86_op(x, X86_CMP, RAX, x86_r(RAX));
    else
        x86_op(x, X86_TEST, RSP, x86_r(RSP));
    ret(x);
}

/* It may pass, rcx being the TLB entry. Comes back: a jump, if its site, or with
 * none all of those that have none, did so often. */
static uint8_t *pass_odd(struct x86 *x)
{
    uint8_t *often;

    x86_op(x, X86_MOV, RDX,
           x86_mem(RCX, (int32_t)offsetof(struct tlb_entry, addend)));
    x86_op(x, X86_MOV, RCX, x86_mem(RSP, 0));
    count_miss(x);
    often = x86_jcc(x, CC_S);
    found(x, true);
    return often;
}

/*
 * An access to the address in rdx that could not be done at once, ecx being
 * its site's offset, 0: it asked the TLB. If it can be done now, rdx is the
 * addend and the zero flag is set. rax is kept.
 */
static void emit_find(struct trans *t, struct x86 *x, bool write, unsigned size)
{
    const int32_t tag = write ? (int32_t)offsetof(struct tlb_entry, write)
                              : (int32_t)offsetof(struct tlb_entry, read);
    uint8_t *odd, *often, *failed, *pass[2];

    t->thunk.find[write][__builtin_ctz(size)] = x->p;
    push(x, RAX);
    push(x, RCX);
    x86_op(x, X86_MOV, RAX, x86_r(RDX));
    gen_find_entry(t, x, RAX);
    x86_alu_imm(x, ALU_AND, true, x86_r(RDX),
                (int32_t)tlb_tag(UINT64_MAX, size));
    x86_op(x, X86_CMP, RDX, x86_mem(RCX, tag));
    odd = x86_jcc(x, CC_NE);
    x86_op(x, X86_MOV, RAX,
           x86_mem(RCX, (int32_t)offsetof(struct tlb_entry, addend)));
    x86_op(x, X86_MOV, RCX, x86_mem(RSP, 0));
    fill_site(x);
    often = x86_jcc(x, CC_S);
    x86_op(x, X86_MOV, RDX, x86_r(RAX));
    found(x, true);
    x86_aim(odd, x->p);
    try_odd(x, tag, size, pass);
    x86_aim(often, x->p);
    failed = x->p;
    found(x, false);
    x86_aim(pass[0], x->p);
    x86_aim(pass[1], x->p);
    x86_aim(pass_odd(x), failed);
}

void thunks_emit(struct trans *t)
{
    struct x86 x = { .p = t->rw, .end = t->rw + t->size };

    emit_load_fp(t, &x);
    emit_enter(t, &x);
    emit_exits(t, &x);
    emit_op(t, &x);
    for (unsigned n = 0; n < 8; n++)
        emit_find(t, &x, n & 1, 1u << n / 2);
    t->first = t->used = ((size_t)(x.p - t->rw) + 63) & ~(size_t)63;
}
