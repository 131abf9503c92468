/* SPDX-License-Identifier: MIT */
/*
 * gen_mem.c - loads and stores as host code.
 *
 * The hart's own TLB is asked, by one compare that also sees misalignment;
 * what does not match goes to the op. In a linear context what is found there
 * is at address + delta, so the value does not wait for the TLB: the compare
 * only guards a jump that is hardly ever taken.
 */
#include "emu/hart/mmu.h"
#include "emu/trans/gen.h"

/* arg of a row: the host's opcode, the access's size. */
#define ACCESS(op, size) ((op) | (uint32_t)(size) << 24)

static unsigned size_of(uint32_t arg) { return arg >> 24; }

/* A host register with the address: rax, or rs1's own. */
static unsigned address(struct gen *g, const struct insn *i)
{
    if (i->rs1 && gen_pinned(i->rs1) && i->imm == 0)
        return gen_pin[i->rs1];
    if (i->rs1 == 0) {
        x86_mov_imm(&g->x, RAX, (uint64_t)i->imm);
    } else if (gen_pinned(i->rs1)) {
        x86_op(&g->x, X86_LEA, RAX, x86_mem(gen_pin[i->rs1], (int32_t)i->imm));
    } else {
        gen_load(g, RAX, i->rs1);
        if (i->imm)
            x86_alu_imm(&g->x, ALU_ADD, true, x86_r(RAX), (int32_t)i->imm);
    }
    return RAX;
}

/* rcx = the TLB's entry for the address in a. */
static void find_entry(struct gen *g, unsigned a)
{
    enum { INDEX = (TLB_ENTRIES - 1) * sizeof(struct tlb_entry) };
    _Static_assert(sizeof(struct tlb_entry) == 32, "index by a shift of 7");

    if (g->t->has_bmi2) {
        x86_vex(&g->x, 0xf0 | X86_0F3A | X86_F2 | X86_W, RCX, 0, x86_r(a));
        x86_byte(&g->x, 7); /* rorx */
    } else {
        x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, RCX, x86_r(a));
        x86_shift_imm(&g->x, SH_SHR, false, x86_r(RCX), 7);
    }
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RCX), INDEX);
    x86_op(&g->x, X86_ADD, RCX, gen_hart(offsetof(struct hart, data_tlb)));
}

/* Where the address in a is on the host; rdx is used, rcx free then. */
static struct x86_rm place(struct gen *g, const struct insn *i, unsigned a)
{
    int64_t disp = i->imm + g->delta;

    if (!g->c->linear) {
        x86_op(&g->x, X86_MOV, RDX,
               x86_mem(RCX, offsetof(struct tlb_entry, addend)));
        return x86_sum(a, RDX, 0);
    }
    if (i->rs1 && gen_pinned(i->rs1) && disp == (int32_t)disp)
        return x86_mem(gen_pin[i->rs1], (int32_t)disp);
    return x86_mem(a, g->delta);
}

struct x86_rm gen_memory(struct gen *g, const struct insn *i, unsigned size,
                         unsigned access)
{
    size_t tag = access == ACCESS_READ ? offsetof(struct tlb_entry, read)
                                       : offsetof(struct tlb_entry, write);
    unsigned a = address(g, i);
    struct cold *c;

    find_entry(g, a);
    x86_op(&g->x, X86_MOV, RDX, x86_r(a));
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX),
                (int32_t)tlb_tag(UINT64_MAX, size));
    x86_op(&g->x, X86_CMP, RDX, x86_mem(RCX, (int32_t)tag));
    c = gen_cold(g, size > 1 ? COLD_MEM : COLD_OP, x86_jcc(&g->x, CC_NE));
    c->address = (uint8_t)a;
    c->size = (uint8_t)size;
    c->tag = (int32_t)tag;
    c->ok = g->x.p;
    return place(g, i, a);
}

/* Where the last cold code of an access comes back to. */
static void end_access(struct gen *g) { g->cold[g->colds - 1].back = g->x.p; }

static bool gen_load_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_no_rd(i) ? RAX : gen_target(i);

    x86_op(&g->x, arg & 0xffffff, t,
           gen_memory(g, i, size_of(arg), ACCESS_READ));
    if (!gen_no_rd(i))
        gen_put(g, i->rd, t);
    end_access(g);
    return true;
}

static bool gen_store_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct x86_rm to;
    unsigned v;

    to = gen_memory(g, i, size_of(arg), ACCESS_WRITE);
    v = gen_source(g, i->rs2, RCX);
    x86_op(&g->x, arg & 0xffffff, v, to);
    end_access(g);
    return true;
}

const struct gen_row gen_mem[OP_COUNT] = {
    [OP_lb] = { gen_load_x, ACCESS(0xbe | X86_0F | X86_W, 1) },
    [OP_lh] = { gen_load_x, ACCESS(0xbf | X86_0F | X86_W, 2) },
    [OP_lw] = { gen_load_x, ACCESS(X86_MOVSXD, 4) },
    [OP_ld] = { gen_load_x, ACCESS(X86_MOV, 8) },
    [OP_lbu] = { gen_load_x, ACCESS(0xb6 | X86_0F, 1) },
    [OP_lhu] = { gen_load_x, ACCESS(0xb7 | X86_0F, 2) },
    [OP_lwu] = { gen_load_x, ACCESS(X86_MOV & ~X86_W, 4) },
    [OP_sb] = { gen_store_x, ACCESS(0x88 | X86_BYTE, 1) },
    [OP_sh] = { gen_store_x, ACCESS(0x89 | X86_66, 2) },
    [OP_sw] = { gen_store_x, ACCESS(0x89, 4) },
    [OP_sd] = { gen_store_x, ACCESS(0x89 | X86_W, 8) },
};
