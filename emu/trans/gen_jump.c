/* SPDX-License-Identifier: MIT */
/*
 * gen_jump.c - branches and jumps as host code, and the ways out of it.
 *
 * Steps are charged on the way out, and where a jump goes back: there it is
 * seen whether the budget is enough. Until then what was done is due; how much
 * that is is known at every instruction. Budgets are CODE_MARGIN less than what
 * is left, so a translation may always be gone through once. Where two ways meet
 * with different sums due, the one that falls in pays the difference.
 */
#include "emu/bus/mem.h"
#include "emu/trans/gen.h"

/* Counting ------------------------------------------------------------------ */

void gen_charge(struct gen *g, int32_t n)
{
    x86_alu_imm(&g->x, ALU_SUB, true, x86_r(R15), n);
}

void gen_join(struct gen *g)
{
    int32_t due = g->due[g->k - 1] + 1, want = g->owed[g->k];

    if (!g->left && want && want != due)
        x86_op(&g->x, X86_LEA, R15, x86_mem(R15, want - due));
    g->due[g->k] = (uint8_t)(g->left || want ? want : due);
}

/* Jumps from k to a label further on, by what is at site. Into a loop that k is
 * not in, it pays the difference itself: once, not in each round. */
static void skip_to(struct gen *g, uint32_t to, uint8_t *site)
{
    gen_cold(g, COLD_SKIP, site)->to = to;
    if (!g->owed[to] && g->weight[g->k] >= g->weight[to])
        g->owed[to] = g->due[g->k] + 1;
}

void gen_skip(struct gen *g, const struct cold *c)
{
    int32_t n = g->due[c->k] + 1 - g->due[c->to];

    if (n == 0) {
        x86_aim(c->site, g->label[c->to]);
        return;
    }
    gen_charge(g, n);
    x86_jmp_to(&g->x, g->label[c->to]);
}

/* Leaving ------------------------------------------------------------------- */

/* For the pc in rax, through the jump entry at this offset plus rcx. */
static void through_entry(struct gen *g, size_t entry, unsigned index)
{
    const size_t at = GEN_CACHES(jump) + entry;
    struct x86_rm pc = gen_hart(at + offsetof(struct jump_entry, pc)),
                  gen = gen_hart(at + offsetof(struct jump_entry, gen)),
                  code = gen_hart(at + offsetof(struct jump_entry, code));

    pc.index = gen.index = code.index = (uint8_t)index;
    x86_op(&g->x, X86_CMP, RAX, pc);
    x86_aim(x86_jcc(&g->x, CC_NE), g->t->thunk.at_rax);
    x86_op(&g->x, X86_MOV, RDX, gen_hart(offsetof(struct hart, fetch_gen)));
    x86_op(&g->x, X86_CMP, RDX, gen);
    x86_aim(x86_jcc(&g->x, CC_NE), g->t->thunk.at_rax);
    x86_op(&g->x, 0xff, 4, code); /* jmp [code] */
}

void gen_goto_rax(struct gen *g, uint32_t due)
{
    enum { INDEX = (JUMP_ENTRIES - 1) * sizeof(struct jump_entry) };
    _Static_assert(sizeof(struct jump_entry) == 32, "index by a shift of 4");

    gen_give_pins(g);
    gen_charge(g, (int32_t)due);
    x86_aim(x86_jcc(&g->x, CC_L), g->t->thunk.at_rax);
    x86_op(&g->x, X86_MOV & ~(unsigned)X86_W, RCX, x86_r(RAX));
    x86_shift_imm(&g->x, SH_SHL, false, x86_r(RCX), 4);
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RCX), INDEX);
    through_entry(g, 0, RCX);
    g->left = true;
}

static void goto_by_link(struct gen *g, uint64_t pc)
{
    struct link *l = code_note(g->t, sizeof *l);

    if (!l) { /* as if the cache were full */
        g->x.p = g->x.end;
        return;
    }
    l->pc = pc;
    l->from = g->c;
    x86_jcc_to(&g->x, CC_L, g->x.p + 2 + 5); /* past the jump */
    l->site = x86_jmp(&g->x); /* to what follows, as long as it is not linked */
    x86_mov_imm(&g->x, RAX, (uintptr_t)l);
    x86_jmp_to(&g->x, g->t->thunk.by_link);
}

void gen_goto(struct gen *g, uint32_t due, uint64_t pc)
{
    gen_give_pins(g);
    gen_charge(g, (int32_t)due);
    if (pc / MEM_PAGE == g->c->pc / MEM_PAGE) {
        goto_by_link(g, pc);
        return;
    }
    x86_mov_imm_only(&g->x, RAX, pc);
    x86_aim(x86_jcc(&g->x, CC_L), g->t->thunk.at_rax);
    through_entry(g, pc / 2 % JUMP_ENTRIES * sizeof(struct jump_entry),
                  X86_NONE);
}

/* Jumps --------------------------------------------------------------------- */

/* The instruction at this pc, if it is in the translation. */
static uint32_t label_of(const struct gen *g, uint64_t pc)
{
    for (uint32_t n = 0; n < g->c->n; n++)
        if (gen_pc(g, n) == pc)
            return n;
    return NO_LABEL;
}

uint32_t gen_jump_to(const struct gen *g, uint32_t k)
{
    const struct insn *i = &g->insn[k];

    if (!gen_jump[i->op].fn || i->op == OP_jalr)
        return NO_LABEL;
    return label_of(g, gen_pc(g, k) + (uint64_t)i->imm);
}

/* Back to instruction to, if there is budget for it. */
static void loop_to(struct gen *g, uint32_t to)
{
    const uint8_t *begin = g->label[to];
    struct cold *c;

    if (g->fp && g->head[to].fp_known)
        begin = g->head[to].fp_known;
    gen_charge(g, g->due[g->k] + 1 - g->due[to]);
    x86_jcc_to(&g->x, CC_GE, begin);
    c = gen_cold(g, COLD_OUT, x86_jmp(&g->x));
    c->to = to;
}

static void compare(struct gen *g, const struct insn *i)
{
    unsigned a;

    if (i->rs2 == 0 && i->rs1 != 0 && g->tested == g->x.p &&
        g->tested_x == i->rs1 && !g->target[g->k] &&
        (i->op == OP_beq || i->op == OP_bne))
        return;
    if (i->rs2 == 0 && i->rs1 != 0) {
        if (gen_pinned(g, i->rs1))
            x86_op(&g->x, X86_TEST, g->pin[i->rs1], gen_x(g, i->rs1));
        else
            x86_alu_imm(&g->x, ALU_CMP, true, gen_x(g, i->rs1), 0);
        return;
    }
    a = gen_source(g, i->rs1, RAX);
    if (i->rs2 == 0)
        x86_alu_imm(&g->x, ALU_CMP, true, x86_r(a), 0);
    else
        x86_op(&g->x, X86_CMP, a, gen_x(g, i->rs2));
}

static bool is_branch(unsigned op)
{
    return gen_jump[op].fn && op != OP_jal && op != OP_jalr;
}

uint32_t gen_skips_here(const struct gen *g, uint32_t k)
{
    const struct insn *i = &g->insn[k];

    if (!is_branch(i->op))
        return 0;
    for (uint32_t n = 1; n <= GEN_TRIES && k + n < g->c->n && !g->target[k + n];
         n++)
        if (i->off + i->imm == i[n].off + i[n].len)
            return gen_can_try(i + 1, n) || gen_can_move(i + 1, n) ? n : 0;
    return 0;
}

/* x[rd] = from, unless the branch is taken. */
static void move_unless(struct gen *g, unsigned rd, uint32_t cc,
                        struct x86_rm from, bool word)
{
    unsigned t = gen_pinned(g, rd) ? g->pin[rd] : RAX;

    if (t == RAX)
        x86_op(&g->x, X86_MOV, RAX, gen_x(g, rd));
    x86_cmov(&g->x, cc ^ 1, t, from);
    gen_put(g, rd, t);
    if (!word)
        g->words &= ~(UINT64_C(1) << rd);
}

/*
 * A branch over n instructions that make numbers: they are made in any case,
 * and taken or not by moves. These branches are often hard to foresee.
 */
static void move_over(struct gen *g, const struct insn *i, uint32_t cc,
                      uint32_t n)
{
    const struct insn *first = i + 1;

    if (gen_can_move(first, n)) {
        compare(g, i);
        for (uint32_t m = 0; m < n; m++)
            move_unless(g, first[m].rd, cc, gen_movable(g, &first[m]),
                        gen_makes_word(g, &first[m]));
    } else {
        gen_try(g, first, n);
        compare(g, i);
        move_unless(g, first->rd, cc, x86_r(RDX), gen_is_word(g, GEN_RDX));
    }
    x86_op(&g->x, X86_LEA, RCX, x86_mem(R15, (int32_t)n));
    x86_cmov(&g->x, cc, R15, x86_r(RCX));
    g->k += n;
}

static bool gen_branch(struct gen *g, const struct insn *i, uint32_t cc)
{
    uint64_t pc = gen_pc(g, g->k) + (uint64_t)i->imm;
    uint32_t to = label_of(g, pc);
    uint8_t *over;

    if (gen_skips_here(g, g->k)) {
        move_over(g, i, cc, gen_skips_here(g, g->k));
        return true;
    }
    compare(g, i);
    if (to <= g->k) {
        over = x86_jcc(&g->x, cc ^ 1);
        loop_to(g, to);
        x86_aim(over, g->x.p);
        return true;
    }
    if (to != NO_LABEL)
        skip_to(g, to, x86_jcc(&g->x, cc));
    else
        gen_cold(g, COLD_EXIT, x86_jcc(&g->x, cc))->pc = pc;
    return true;
}

static bool gen_jal(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint64_t pc = gen_pc(g, g->k);
    uint32_t to = label_of(g, pc + (uint64_t)i->imm);

    (void)arg;
    if (!gen_no_rd(i)) {
        unsigned t = gen_target(g, i);

        x86_mov_imm(&g->x, t, pc + i->len);
        gen_put(g, i->rd, t);
    }
    if (to <= g->k)
        loop_to(g, to);
    else if (to != NO_LABEL)
        skip_to(g, to, x86_jmp(&g->x));
    else
        gen_goto(g, g->due[g->k] + 1, pc + (uint64_t)i->imm);
    g->left = true;
    return true;
}

static bool gen_jalr(struct gen *g, const struct insn *i, uint32_t arg)
{
    (void)arg;
    if (i->rs1 && gen_pinned(g, i->rs1)) {
        x86_op(&g->x, X86_LEA, RAX, x86_mem(g->pin[i->rs1], (int32_t)i->imm));
    } else {
        gen_load(g, RAX, i->rs1);
        if (i->imm)
            x86_alu_imm(&g->x, ALU_ADD, true, x86_r(RAX), (int32_t)i->imm);
    }
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RAX), -2);
    if (!gen_no_rd(i)) {
        unsigned t = gen_pinned(g, i->rd) ? g->pin[i->rd] : RDX;

        x86_mov_imm(&g->x, t, gen_pc(g, g->k) + i->len);
        gen_put(g, i->rd, t);
    }
    gen_goto_rax(g, g->due[g->k] + 1);
    return true;
}

const struct gen_row gen_jump[OP_COUNT] = {
    [OP_beq] = { gen_branch, CC_E },  [OP_bne] = { gen_branch, CC_NE },
    [OP_blt] = { gen_branch, CC_L },  [OP_bge] = { gen_branch, CC_GE },
    [OP_bltu] = { gen_branch, CC_B }, [OP_bgeu] = { gen_branch, CC_AE },
    [OP_jal] = { gen_jal, 0 },        [OP_jalr] = { gen_jalr, 0 },
};
