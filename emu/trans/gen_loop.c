/* SPDX-License-Identifier: MIT */
/*
 * gen_loop.c - the loops within a block.
 *
 * Most time is spent in them, so some things are done at their heads, or on the
 * way into the translation, that nobody would do for a few instructions in a
 * row: pins are lent (gen_pins.c), FP registers are looked for once, and the
 * head is aligned.
 */
#include "emu/trans/gen.h"

enum { ALIGN = 64 }; /* what the host fetches its own code by */

static bool falls(unsigned op) { return op != OP_jal && op != OP_jalr; }

/*
 * The instructions between to and k from which k can be reached, as bits: a
 * loop, if to is one of them. What leaves it from its middle is not in it. jump
 * is where the block's instructions jump to.
 */
static uint64_t loop_of(const struct gen *g, const uint32_t *jump, uint32_t to,
                        uint32_t k)
{
    uint64_t in = UINT64_C(1) << k, before = 0;

    while (in != before) {
        before = in;
        for (uint32_t n = k; n-- > to;)
            if ((falls(g->insn[n].op) && in >> (n + 1) & 1) ||
                (jump[n] <= k && in >> jump[n] & 1))
                in |= UINT64_C(1) << n;
    }
    return in >> to & 1 ? in : 0;
}

/* A loop that begins at to. One that is in it was found before. */
static void found(struct gen *g, uint32_t to, uint64_t in)
{
    for (uint32_t n = to; n < g->c->n; n++) {
        if (!(in >> n & 1))
            continue;
        g->head[to].fp |= gen_fp[g->insn[n].op].fn != NULL;
        g->weight[n] = g->weight[n] ? 4 * g->weight[n] : 1;
    }
    g->head[to].loop = g->loops = true;
}

void gen_find_loops(struct gen *g)
{
    uint32_t jump[BLOCK_INSNS];

    for (uint32_t k = 0; k < g->c->n; k++) {
        uint64_t in = 0;

        jump[k] = gen_jump_to(g, k);
        if (jump[k] <= k)
            in = loop_of(g, jump, jump[k], k);
        if (in)
            found(g, jump[k], in);
    }
}

/* The label of k. Who jumps back with FP registers loaded need not look for
 * them once more. */
void gen_begin(struct gen *g)
{
    struct loop_head *h = &g->head[g->k];

    g->label[g->k] = g->x.p;
    if (h->fp)
        gen_begin_fp(g);
    if (h->loop)
        x86_align(&g->x, ALIGN);
    if (g->fp)
        h->fp_known = g->x.p;
    else
        g->label[g->k] = g->x.p;
}
