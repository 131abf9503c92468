/* SPDX-License-Identifier: MIT */
/*
 * gen_sys.c - CSRs that are plain registers, and fences, as host code.
 *
 * What a trap handler reads and saves: no side effects, no condition but the
 * mode, which a translation is made for. All others are left to the op.
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

static bool gen_csr(struct gen *g, const struct insn *i, uint32_t arg)
{
    const struct plain_csr *csr = plain_csr(g, i->imm & 0xfff);
    struct cold *c;

    if (!csr)
        return false;
    x86_op(&g->x, 0xf7, 0, gen_hart(offsetof(struct hart, looking))); /* test */
    x86_word(&g->x, POINT_CSR);
    c = gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_NE));
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
    x86_op(&g->x, 0xf7, 0, gen_hart(offsetof(struct hart, mstatus))); /* test */
    x86_word(&g->x, MSTATUS_TVM);
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
