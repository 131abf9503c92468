/* SPDX-License-Identifier: MIT */
/*
 * gen_pins.c - which guest registers have a host register.
 *
 * Ten have one everywhere, so that any translation can go on from any other.
 * A translation with a loop in it lends some of these ten to registers that its
 * loops use more: on its way in the two change places, on every way out (and
 * around every op) they change back. The one that lends lies in the hart
 * meanwhile, as registers without a pin do.
 */
#include <string.h>

#include "emu/trans/gen.h"

/* In order of use in compiled code: a5 a4 a0 sp a3 a1 a2 s0 s1 a6. */
const uint8_t gen_home[GEN_REGS] = {
    [0] = X86_NONE,      [1] = X86_NONE,  [2] = R8,        [3] = X86_NONE,
    [4] = X86_NONE,      [5] = X86_NONE,  [6] = X86_NONE,  [7] = X86_NONE,
    [8] = R12,           [9] = R13,       [10] = RDI,      [11] = R10,
    [12] = R11,          [13] = R9,       [14] = RSI,      [15] = RBX,
    [16] = R14,          [17] = X86_NONE, [18] = X86_NONE, [19] = X86_NONE,
    [20] = X86_NONE,     [21] = X86_NONE, [22] = X86_NONE, [23] = X86_NONE,
    [24] = X86_NONE,     [25] = X86_NONE, [26] = X86_NONE, [27] = X86_NONE,
    [28] = X86_NONE,     [29] = X86_NONE, [30] = X86_NONE, [31] = X86_NONE,
    [X_SINK] = X86_NONE, [GEN_RDX] = RDX,
};

/* How often loops use each register, and which are written at all. */
struct uses {
    uint32_t n[GEN_REGS];
    bool written[GEN_REGS];
};

/* Does op use the x register that it calls this? */
static bool names(unsigned op, const char *operand)
{
    const char *all = insn_operands(op), *at = strstr(all, operand);

    return at && (at == all || at[-1] != 'f');
}

static void count(const struct insn *i, uint32_t weight, struct uses *u)
{
    if (names(i->op, "rs1"))
        u->n[i->rs1] += weight;
    if (names(i->op, "rs2"))
        u->n[i->rs2] += weight;
    if (names(i->op, "rd")) {
        u->n[i->rd] += weight;
        u->written[i->rd] = true;
    }
}

/* The pinned register that loops use least, or the other one they use most. */
static unsigned extreme(const struct gen *g, const struct uses *u, bool pinned)
{
    unsigned best = 0;

    for (unsigned r = 1; r < 32; r++)
        if (gen_pinned(g, r) == pinned &&
            (!best || (pinned ? u->n[r] < u->n[best] : u->n[r] > u->n[best])))
            best = r;
    return best;
}

void gen_lend(struct gen *g)
{
    enum { WORTH = 2 }; /* uses saved in one turn */
    struct uses u = { 0 };

    memcpy(g->pin, gen_home, sizeof g->pin);
    if (!g->loops)
        return;
    for (uint32_t k = 0; k < g->c->n; k++)
        if (gen_row_of(g->insn[k].op))
            count(&g->insn[k], g->weight[k], &u);
    while (g->loans < GEN_LOANS) {
        unsigned from = extreme(g, &u, true), to = extreme(g, &u, false);

        if (u.n[to] < u.n[from] + WORTH)
            break;
        g->loan[g->loans++] = (struct loan){ g->pin[from], (uint8_t)from,
                                             (uint8_t)to, u.written[to] };
        g->pin[to] = g->pin[from];
        g->pin[from] = X86_NONE;
    }
}

void gen_take_pins(struct gen *g)
{
    for (uint32_t n = 0; n < g->loans; n++) {
        x86_op(&g->x, X86_STORE, g->loan[n].host,
               gen_x_in_hart(g->loan[n].from));
        x86_op(&g->x, X86_MOV, g->loan[n].host, gen_x_in_hart(g->loan[n].to));
    }
}

void gen_give_pins(struct gen *g)
{
    for (uint32_t n = 0; n < g->loans; n++) {
        if (g->loan[n].written)
            x86_op(&g->x, X86_STORE, g->loan[n].host,
                   gen_x_in_hart(g->loan[n].to));
        x86_op(&g->x, X86_MOV, g->loan[n].host, gen_x_in_hart(g->loan[n].from));
    }
}
