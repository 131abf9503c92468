/* SPDX-License-Identifier: MIT */
/*
 * gen_amo.c - atomics as host code.
 *
 * Harts run in turns that end between instructions, so plain loads and stores
 * do. What is misaligned or not in the TLB goes to the op. Reservations are as
 * ops_atomic.c has them: an address in memory, and the value that was there.
 */
#include "emu/bus/mem.h"
#include "emu/hart/mmu.h"
#include "emu/trans/gen.h"

/* arg of a row: an x86 ALU instruction, 0: a swap; and 8 bytes, not 4. */
enum { WIDE = 1 << 24, NARROW_MOV = X86_MOV & ~X86_W };

static unsigned size_of(uint32_t arg) { return arg & WIDE ? 8 : 4; }

static unsigned load_of(uint32_t arg)
{
    return arg & WIDE ? X86_MOV : X86_MOVSXD;
}

static unsigned narrowed(unsigned op, uint32_t arg)
{
    return arg & WIDE ? op : op & ~(unsigned)X86_W;
}

static bool gen_amo(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct cold *c;
    struct x86_rm at = gen_aligned(g, i, size_of(arg), ACCESS_WRITE, &c);

    x86_op(&g->x, X86_LEA, RAX, at);
    x86_op(&g->x, load_of(arg), RCX, x86_mem(RAX, 0));
    gen_load(g, RDX, i->rs2);
    if (arg & 0xff)
        x86_op(&g->x, arg & ~(uint32_t)WIDE, RDX, x86_r(RCX));
    x86_op(&g->x, narrowed(X86_STORE, arg), RDX, x86_mem(RAX, 0));
    if (!gen_no_rd(i))
        gen_put(g, i->rd, RCX);
    c->back = g->x.p;
    return true;
}

/* Reservations ----------------------------------------------------------------- */

#define RESERVED(member) gen_hart(offsetof(struct hart, reserved_##member))

/* at: as gen_aligned left it, rcx being the TLB's entry. */
static bool gen_lr(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct cold *c;
    struct x86_rm at = gen_aligned(g, i, size_of(arg), ACCESS_READ, &c);

    x86_op(&g->x, X86_MOV, RCX, x86_mem(RCX, GEN_NOTE(pa)));
    x86_op(&g->x, X86_STORE, RCX, RESERVED(addr));
    x86_op(&g->x, NARROW_MOV, RCX, x86_r(at.base));
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RCX), MEM_PAGE - 1);
    x86_op(&g->x, X86_ADD + X86_TO_RM, RCX, RESERVED(addr));
    x86_op(&g->x, load_of(arg), RDX, at);
    x86_op(&g->x, X86_STORE, RDX, RESERVED(value));
    if (!gen_no_rd(i))
        gen_put(g, i->rd, RDX);
    c->back = g->x.p;
    return true;
}

/* Jumps if the reservation is not for what is at rdx, va being its address. */
static void check_reservation(struct gen *g, unsigned va, uint32_t arg,
                              uint8_t *fails[2])
{
    x86_op(&g->x, X86_MOV, RCX, x86_mem(RCX, GEN_NOTE(pa)));
    x86_op(&g->x, X86_XOR, RCX, RESERVED(addr));
    x86_op(&g->x, NARROW_MOV, RAX, x86_r(va));
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RAX), MEM_PAGE - 1);
    x86_op(&g->x, X86_CMP, RAX, x86_r(RCX));
    fails[0] = x86_jcc(&g->x, CC_NE);
    x86_op(&g->x, narrowed(X86_MOV, arg), RAX, x86_mem(RDX, 0));
    x86_op(&g->x, narrowed(X86_CMP, arg), RAX, RESERVED(value));
    fails[1] = x86_jcc(&g->x, CC_NE);
}

static bool gen_sc(struct gen *g, const struct insn *i, uint32_t arg)
{
    struct cold *c;
    struct x86_rm at = gen_aligned(g, i, size_of(arg), ACCESS_WRITE, &c);
    uint8_t *fails[2], *done;

    x86_op(&g->x, X86_LEA, RDX, at);
    check_reservation(g, at.base, arg, fails);
    gen_load(g, RCX, i->rs2);
    x86_op(&g->x, narrowed(X86_STORE, arg), RCX, x86_mem(RDX, 0));
    x86_mov_imm(&g->x, RAX, 0);
    done = x86_jmp(&g->x);
    x86_aim(fails[0], g->x.p);
    x86_aim(fails[1], g->x.p);
    x86_mov_imm(&g->x, RAX, 1);
    x86_aim(done, g->x.p);
    x86_op(&g->x, 0xc7 | X86_W, 0, RESERVED(addr));
    x86_word(&g->x, UINT32_MAX);
    if (!gen_no_rd(i))
        gen_put(g, i->rd, RAX);
    c->back = g->x.p;
    return true;
}

#define BOTH(name, fn, arg)                                                    \
    [OP_##name##_w] = { fn, (arg) }, [OP_##name##_d] = { fn, (arg) | WIDE }

const struct gen_row gen_atomic[OP_COUNT] = {
    BOTH(amoswap, gen_amo, 0),
    BOTH(amoadd, gen_amo, X86_ADD),
    BOTH(amoxor, gen_amo, X86_XOR),
    BOTH(amoand, gen_amo, X86_AND),
    BOTH(amoor, gen_amo, X86_OR),
    BOTH(lr, gen_lr, 0),
    BOTH(sc, gen_sc, 0),
};
