/* SPDX-License-Identifier: MIT */
/*
 * gen_sys.c - CSRs that are plain registers, and fences, as host code.
 *
 * What a trap handler reads and saves: no side effects, no condition but the
 * mode, which a translation is made for. And S-mode's interrupts, and its right to
 * users' pages, which kernels turn off and on again all the time. All others are
 * left to the op.
 */
#include "emu/hart/csr.h"
#include "emu/hart/points.h"
#include "emu/trans/gen.h"

struct plain_csr {
    uint16_t number, priv;
    bool epc; /* keeps addresses of instructions only */
    size_t member;
};

static const struct plain_csr plain_csrs[] = {
    { 0x140, PRIV_S, false, offsetof(struct hart, sscratch) },
    { 0x141, PRIV_S, true, offsetof(struct hart, sepc) },
    { 0x142, PRIV_S, false, offsetof(struct hart, scause) },
    { 0x143, PRIV_S, false, offsetof(struct hart, stval) },
    { 0x340, PRIV_M, false, offsetof(struct hart, mscratch) },
    { 0x341, PRIV_M, true, offsetof(struct hart, mepc) },
    { 0x342, PRIV_M, false, offsetof(struct hart, mcause) },
    { 0x343, PRIV_M, false, offsetof(struct hart, mtval) },
};

static const struct plain_csr *plain_csr(const struct gen *g, unsigned number)
{
    for (size_t n = 0; n < sizeof plain_csrs / sizeof plain_csrs[0]; n++)
        if (plain_csrs[n].number == number &&
            plain_csrs[n].priv <= code_priv(g->c))
            return &plain_csrs[n];
    return NULL;
}

enum { SWAP, SET, CLEAR, CONSTANT = 4 };

/* rcx = the new value; rax is the old one. */
static void new_value(struct gen *g, const struct insn *i, uint32_t arg)
{
    if (arg & CONSTANT)
        x86_mov_imm(&g->x, RCX, i->rs1);
    else
        gen_load(g, RCX, i->rs1);
    if ((arg & 3) == CLEAR)
        x86_unary(&g->x, UN_NOT, true, x86_r(RCX));
    if ((arg & 3) != SWAP)
        x86_op(&g->x, (arg & 3) == SET ? X86_OR : X86_AND, RCX, x86_r(RAX));
}

/* test rm, imm */
static void test_imm(struct gen *g, unsigned op, struct x86_rm rm, uint32_t imm)
{
    x86_op(&g->x, op, 0, rm);
    x86_word(&g->x, imm);
}

/* Somebody looks at CSRs: the op does. */
static struct cold *ask_looking(struct gen *g)
{
    test_imm(g, 0xf7, gen_hart(offsetof(struct hart, looking)), POINT_CSR);
    return gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_NE));
}

#define OF_HART(member) gen_hart(offsetof(struct hart, member))

/* rax = sstatus as it reads. */
static void read_sstatus(struct gen *g)
{
    const unsigned and = X86_AND & ~(unsigned)X86_W;

    x86_mov_imm(&g->x, RAX, MSTATUS_FS);
    x86_op(&g->x, and, RAX, OF_HART(mstatus));
    x86_alu_imm(&g->x, ALU_CMP, false, x86_r(RAX), MSTATUS_FS);
    x86_setcc(&g->x, CC_E, RDX);
    x86_shift_imm(&g->x, SH_SHL, true, x86_r(RDX), 63); /* SD */
    x86_mov_imm(&g->x, RAX, MSTATUS_UXL);
    x86_op(&g->x, X86_OR, RDX, x86_r(RAX));
    x86_mov_imm(&g->x, RAX, SSTATUS_BITS);
    x86_op(&g->x, and, RAX, OF_HART(mstatus));
    x86_op(&g->x, X86_OR, RAX, x86_r(RDX));
}

/* May k set or clear SUM? Not from a number within the instruction; and where the
 * context is linear it would be so no more. */
static bool may_be_sum(const struct gen *g, uint32_t arg)
{
    return !(arg & CONSTANT) && !code_linear(g->c);
}

/* Page tables are on, and the mode's own are used; else the op. */
static void ask_translated(struct gen *g)
{
    struct x86_rm mode = OF_HART(satp);
    struct cold *c;

    mode.disp += 7;
    x86_op(&g->x, 0xf6, 0, mode); /* test byte, MODE */
    x86_byte(&g->x, 0xf0);
    c = gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_E));
    test_imm(g, 0xf7, OF_HART(mstatus), MSTATUS_MPRV);
    c->site2 = x86_jcc(&g->x, CC_NE);
}

/* rcx, what is set or cleared, has no bits but SIE and SUM; and if it is set
 * nothing waits for SIE. Else the op. */
static void ask_bits(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t bits = MSTATUS_SIE | (may_be_sum(g, arg) ? MSTATUS_SUM : 0);
    struct cold *c;

    if (arg & CONSTANT)
        x86_mov_imm(&g->x, RCX, i->rs1);
    else
        gen_load(g, RCX, i->rs1);
    test_imm(g, 0xf7 | X86_W, x86_r(RCX), ~bits);
    c = gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_NE));
    if (may_be_sum(g, arg))
        ask_translated(g);
    if ((arg & 3) == CLEAR)
        return;
    x86_op(&g->x, X86_MOV, RAX, OF_HART(mip));
    x86_op(&g->x, X86_OR, RAX, OF_HART(mip_line));
    x86_op(&g->x, X86_TEST, RAX, OF_HART(mie));
    c->site2 = x86_jcc(&g->x, CC_NE);
}

/* Data's TLB is the one that goes with SUM: as mmu_context_changed has it. */
static void follow_sum(struct gen *g)
{
    struct x86_rm here = gen_hart(offsetof(struct hart, mmu.here[CTX_S]));

    _Static_assert(CTX_S_SUM == CTX_S + 1 && offsetof(struct tlb, entry) == 0,
                   "by index; the TLB is where its entries are");
    here.index = RCX;
    here.scale = 3;
    x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, RCX, OF_HART(mstatus));
    x86_shift_imm(&g->x, SH_SHR, false, x86_r(RCX),
                  (unsigned)__builtin_ctz(MSTATUS_SUM));
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RCX), 1);
    x86_op(&g->x, X86_MOV, RCX, here);
    x86_op(&g->x, X86_STORE, RCX, OF_HART(data_tlb));
    x86_op(&g->x, X86_MOV, RCX, x86_mem(RCX, offsetof(struct tlb, index)));
    x86_op(&g->x, X86_STORE, RCX, OF_HART(data_index));
}

/* S-mode's interrupts on or off, and its right to users' pages: nobody else has
 * to know. */
static bool gen_sstatus(struct gen *g, const struct insn *i, uint32_t arg)
{
    bool clear = (arg & 3) == CLEAR;
    uint32_t first = g->colds;

    ask_looking(g);
    if (i->rs1)
        ask_bits(g, i, arg);
    if (!gen_no_rd(i))
        read_sstatus(g);
    if (i->rs1 && clear)
        x86_unary(&g->x, UN_NOT, true, x86_r(RCX));
    if (i->rs1)
        x86_op(&g->x, (clear ? X86_AND : X86_OR) + X86_TO_RM, RCX,
               OF_HART(mstatus));
    if (i->rs1 && may_be_sum(g, arg))
        follow_sum(g);
    if (!gen_no_rd(i))
        gen_put(g, i->rd, RAX);
    gen_back_here(g, first);
    return true;
}

static bool gen_csr(struct gen *g, const struct insn *i, uint32_t arg)
{
    const struct plain_csr *csr = plain_csr(g, i->imm & 0xfff);
    struct cold *c;

    if ((i->imm & 0xfff) == CSR_SSTATUS && code_priv(g->c) == PRIV_S &&
        (arg & 3) != SWAP)
        return gen_sstatus(g, i, arg);
    if (!csr)
        return false;
    c = ask_looking(g);
    x86_op(&g->x, X86_MOV, RAX, gen_hart(csr->member));
    if ((arg & 3) == SWAP || i->rs1) {
        new_value(g, i, arg);
        if (csr->epc)
            x86_alu_imm(&g->x, ALU_AND, true, x86_r(RCX),
                        ext_on(g->h->cpu.ext, EXT_ZCA) ? -2 : -4);
        x86_op(&g->x, X86_STORE, RCX, gen_hart(csr->member));
    }
    if (!gen_no_rd(i))
        gen_put(g, i->rd, RAX);
    c->back = g->x.p;
    return true;
}

/* Whoever wrote code has dropped what was made of it. */
static bool gen_fence_i(struct gen *g, const struct insn *i, uint32_t arg)
{
    (void)g, (void)i, (void)arg;
    return true;
}

/* What harts remember of page tables follows them (tables.h). arg: S-mode has a
 * right to it only without TVM. */
static bool gen_fence_vma(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct cold *c;

    (void)i;
    if (code_priv(g->c) == PRIV_U)
        return false;
    if (code_priv(g->c) == PRIV_M || !arg)
        return true;
    test_imm(g, 0xf7, OF_HART(mstatus), MSTATUS_TVM);
    c = gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_NE));
    c->back = g->x.p;
    return true;
}

const struct gen_row gen_sys[OP_COUNT] = {
    [OP_csrrw] = { gen_csr, SWAP },
    [OP_csrrs] = { gen_csr, SET },
    [OP_csrrc] = { gen_csr, CLEAR },
    [OP_csrrwi] = { gen_csr, SWAP | CONSTANT },
    [OP_csrrsi] = { gen_csr, SET | CONSTANT },
    [OP_csrrci] = { gen_csr, CLEAR | CONSTANT },
    [OP_fence_i] = { gen_fence_i, 0 },
    [OP_sfence_vma] = { gen_fence_vma, 1 },
    [OP_sinval_vma] = { gen_fence_vma, 1 },
    [OP_sfence_w_inval] = { gen_fence_vma, 0 },
    [OP_sfence_inval_ir] = { gen_fence_vma, 0 },
};
