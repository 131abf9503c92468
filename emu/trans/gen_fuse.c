/* SPDX-License-Identifier: MIT */
/*
 * gen_fuse.c - several instructions as one, and what is known of words.
 *
 * Compilers say many things in pairs: a constant, a zero-extension, the address
 * of an array's element. Only what nobody jumps into is made one, and only where
 * the first one's result is replaced by the last one's, so that between them
 * there is nothing that anyone could see.
 */
#include "emu/trans/gen.h"

/* Words ---------------------------------------------------------------------- */

/* What is to be known of ops: their result is always a word; they look at the
 * low halves of their operands only; they make a number, and do nothing else,
 * SIMPLE by a host instruction or two. */
enum { WORD = 1, OF_WORDS = 2, PURE = 4, SIMPLE = 8 | PURE };

static const uint8_t facts[OP_COUNT] = {
    [OP_lui] = WORD | SIMPLE,
    [OP_addw] = WORD | OF_WORDS | SIMPLE,
    [OP_subw] = WORD | OF_WORDS | SIMPLE,
    [OP_mul] = PURE,
    [OP_mulw] = WORD | OF_WORDS | PURE,
    [OP_addiw] = WORD | OF_WORDS | SIMPLE,
    [OP_slliw] = WORD | OF_WORDS | SIMPLE,
    [OP_srliw] = WORD | OF_WORDS | SIMPLE,
    [OP_sraiw] = WORD | OF_WORDS | SIMPLE,
    [OP_sllw] = WORD | OF_WORDS | PURE,
    [OP_srlw] = WORD | OF_WORDS | PURE,
    [OP_sraw] = WORD | OF_WORDS | PURE,
    [OP_sll] = PURE,
    [OP_srl] = PURE,
    [OP_sra] = PURE,
    [OP_sh1add] = PURE,
    [OP_sh2add] = PURE,
    [OP_sh3add] = PURE,
    [OP_divw] = WORD,
    [OP_divuw] = WORD,
    [OP_remw] = WORD,
    [OP_remuw] = WORD,
    [OP_lb] = WORD,
    [OP_lh] = WORD,
    [OP_lw] = WORD,
    [OP_lbu] = WORD,
    [OP_lhu] = WORD,
    [OP_slt] = WORD | PURE,
    [OP_sltu] = WORD | PURE,
    [OP_slti] = WORD | PURE,
    [OP_sltiu] = WORD | PURE,
    [OP_sext_b] = WORD | PURE,
    [OP_sext_h] = WORD | PURE,
    [OP_zext_h] = WORD | PURE,
    [OP_addi] = SIMPLE,
    [OP_andi] = SIMPLE,
    [OP_ori] = SIMPLE,
    [OP_xori] = SIMPLE,
    [OP_slli] = SIMPLE,
    [OP_srli] = SIMPLE,
    [OP_srai] = SIMPLE,
    [OP_add] = SIMPLE,
    [OP_sub] = SIMPLE,
    [OP_and] = SIMPLE,
    [OP_or] = SIMPLE,
    [OP_xor] = SIMPLE,
};

bool gen_takes_words(unsigned op) { return facts[op] & OF_WORDS; }

bool gen_is_simple(unsigned op) { return (facts[op] & SIMPLE) == SIMPLE; }

/* The first one from k on that has to do with x[r], if it makes a number and
 * before it nobody can leave or come. */
static const struct insn *next_use(const struct gen *g, uint32_t k, unsigned r)
{
    for (; k < g->c->n && !g->target[k]; k++) {
        const struct insn *i = &g->insn[k];

        if (!(facts[i->op] & PURE))
            return NULL;
        if (i->rd == r || i->rs1 == r || i->rs2 == r)
            return i;
    }
    return NULL;
}

/* Nobody looks at what x[r] is at k. */
static bool dies(const struct gen *g, uint32_t k, unsigned r)
{
    const struct insn *i = next_use(g, k, r);

    return i && i->rs1 != r && i->rs2 != r;
}

bool gen_is_masked(const struct gen *g, unsigned bits)
{
    unsigned r = g->insn[g->k].rd;
    const struct insn *i = next_use(g, g->k + 1, r);

    return i && i->op == OP_andi && i->rd == r && i->rs1 == r && i->imm >= 0 &&
           i->imm >> bits == 0;
}

bool gen_makes_word(const struct gen *g, const struct insn *i)
{
    if (facts[i->op] & WORD)
        return true;
    switch (i->op) { /* that depends on the operands */
    case OP_addi:
        return i->rs1 == 0 || (i->imm == 0 && gen_is_word(g, i->rs1));
    case OP_andi:
        return i->imm >= 0 || gen_is_word(g, i->rs1);
    case OP_ori:
    case OP_xori:
    case OP_srai:
        return gen_is_word(g, i->rs1);
    case OP_srli:
        return i->imm > 32;
    case OP_and:
    case OP_or:
    case OP_xor:
        return gen_is_word(g, i->rs1) && gen_is_word(g, i->rs2);
    default:
        return false;
    }
}

/* Pairs ---------------------------------------------------------------------- */

static void set_word(struct gen *g, unsigned rd, bool word)
{
    g->words &= ~(UINT64_C(1) << rd);
    g->words |= (uint64_t)word << rd;
}

/* lui or auipc, and addi or addiw. */
static bool fuse_constant(struct gen *g, const struct insn *i)
{
    uint64_t v = (uint64_t)i->imm;

    if (i->op != OP_lui && i->op != OP_auipc)
        return false;
    if ((i[1].op != OP_addi && i[1].op != OP_addiw) || i[1].rd != i->rd)
        return false;
    v += (i->op == OP_auipc ? gen_pc(g, g->k) : 0) + (uint64_t)i[1].imm;
    v = i[1].op == OP_addiw ? (uint64_t)(int32_t)v : v;
    gen_put_constant(g, i->rd, v);
    set_word(g, i->rd, v == (uint64_t)(int32_t)v);
    return true;
}

/* A left shift and a right one: the low bits of rs1, extended. */
struct extension {
    unsigned op; /* the host's */
    uint16_t first, second, n;
    bool word;
};

static const struct extension extensions[] = {
    { X86_MOV & ~(unsigned)X86_W, OP_slli, OP_srli, 32, false },
    { 0xb7 | X86_0F, OP_slli, OP_srli, 48, true },
    { 0xb6 | X86_0F | X86_BYTE, OP_slli, OP_srli, 56, true },
    { X86_MOVSXD, OP_slli, OP_srai, 32, true },
    { 0xbf | X86_0F | X86_W, OP_slli, OP_srai, 48, true },
    { 0xbe | X86_0F | X86_BYTE | X86_W, OP_slli, OP_srai, 56, true },
    { 0xb7 | X86_0F, OP_slliw, OP_srliw, 16, true },
    { 0xbf | X86_0F | X86_W, OP_slliw, OP_sraiw, 16, true },
    { 0xbe | X86_0F | X86_BYTE | X86_W, OP_slliw, OP_sraiw, 24, true },
};

/* Zeroes above 32 bits may be had with the rest shifted left a bit. */
static const struct extension *find_extension(const struct insn *i)
{
    if (!i->rs1 || i[1].rs1 != i->rd || i[1].rd != i->rd)
        return NULL;
    for (size_t n = 0; n < sizeof extensions / sizeof extensions[0]; n++)
        if (i->op == extensions[n].first && i[1].op == extensions[n].second &&
            i->imm == extensions[n].n &&
            (i[1].imm == i->imm || (n == 0 && i[1].imm < i->imm)))
            return &extensions[n];
    return NULL;
}

static void extend(struct gen *g, const struct insn *i, unsigned host)
{
    x86_op(&g->x, find_extension(i)->op, host, gen_x(g, i->rs1));
    if (i[1].imm != i->imm)
        x86_shift_imm(&g->x, SH_SHL, true, x86_r(host),
                      (unsigned)(i->imm - i[1].imm));
}

static bool fuse_extend(struct gen *g, const struct insn *i)
{
    const struct extension *e = find_extension(i);

    if (!e)
        return false;
    extend(g, i, gen_target(g, i));
    gen_put(g, i->rd, gen_target(g, i));
    set_word(g, i->rd, e->word);
    return true;
}

/* A call or jump to a place that is known: auipc, jalr. */
static bool fuse_call(struct gen *g, const struct insn *i)
{
    uint64_t target = gen_pc(g, g->k) + (uint64_t)(i->imm + i[1].imm);

    if (i->op != OP_auipc || i[1].op != OP_jalr)
        return false;
    if (i[1].rd != i->rd)
        gen_put_constant(g, i->rd, gen_pc(g, g->k) + (uint64_t)i->imm);
    if (!gen_no_rd(&i[1]))
        gen_put_constant(g, i[1].rd, gen_pc(g, g->k + 1) + i[1].len);
    gen_goto(g, g->due[g->k] + 2, target & ~UINT64_C(1));
    g->left = true;
    return true;
}

/* Addresses ------------------------------------------------------------------ */

static bool is_load(unsigned op)
{
    return op == OP_lb || op == OP_lh || op == OP_lw || op == OP_ld ||
           op == OP_lbu || op == OP_lhu || op == OP_lwu;
}

/* Where the sum base + (index << scale) comes from, and goes to. */
struct sum {
    unsigned base, index, scale, rd;
    uint32_t n; /* instructions that make it */
};

/* slli and add, and nothing else becomes of the product. */
static bool is_scaled(const struct gen *g, const struct insn *i)
{
    return i->imm <= 3 && i[1].op == OP_add &&
           (i[1].rs1 == i->rd) != (i[1].rs2 == i->rd) &&
           (i[1].rd == i->rd || dies(g, g->k + 2, i->rd));
}

/* add; sh1add ...; slli and add. */
static bool find_sum(const struct gen *g, const struct insn *i, uint32_t left,
                     struct sum *s)
{
    switch (i->op) {
    case OP_add:
        *s = (struct sum){ i->rs1, i->rs2, 0, i->rd, 1 };
        break;
    case OP_sh1add:
    case OP_sh2add:
    case OP_sh3add:
        *s = (struct sum){ i->rs2, i->rs1, i->op - OP_sh1add + 1u, i->rd, 1 };
        break;
    case OP_slli:
        if (left < 2 || !is_scaled(g, i))
            return false;
        *s = (struct sum){ i[1].rs1 == i->rd ? i[1].rs2 : i[1].rs1, i->rs1,
                           (unsigned)i->imm, i[1].rd, 2 };
        break;
    default:
        return false;
    }
    return s->base && s->index && s->rd != X_SINK && !gen_no_rd(i);
}

/* As an operand; both cannot be had if one is in rax. */
static struct x86_rm sum_at(struct gen *g, const struct sum *s, unsigned tmp)
{
    unsigned a = gen_source(g, s->base, RAX);

    return x86_sum(a, s->index == s->base ? a : gen_source(g, s->index, tmp),
                   s->scale, 0);
}

/* The sum, and a load from there over it, or after which it is not used. */
static bool fuse_load(struct gen *g, const struct insn *i, const struct sum *s)
{
    const struct insn *load = &i[s->n];
    const struct gen_row *row = gen_row_of(load->op);

    if (!is_load(load->op) || load->rs1 != s->rd ||
        (load->rd != s->rd && !dies(g, g->k + s->n + 1, s->rd)) ||
        (!gen_pinned(g, s->base) && !gen_pinned(g, s->index) &&
         s->base != s->index))
        return false;
    g->k += s->n;
    g->address = sum_at(g, s, RAX);
    g->has_address = true;
    row->fn(g, load, row->arg);
    g->has_address = false;
    set_word(g, load->rd, gen_makes_word(g, load));
    return true;
}

static bool fuse_sum(struct gen *g, const struct insn *i, uint32_t left)
{
    struct sum s;
    unsigned rd;

    if (!find_sum(g, i, left, &s))
        return false;
    if (left > s.n && !g->target[g->k + s.n] && fuse_load(g, i, &s))
        return true;
    if (s.n == 1)
        return false;
    rd = gen_pinned(g, s.rd) ? g->pin[s.rd] : RAX;
    x86_op(&g->x, X86_LEA, rd, sum_at(g, &s, RCX));
    gen_put(g, s.rd, rd);
    set_word(g, s.rd, false);
    g->k++;
    return true;
}

/* ---------------------------------------------------------------------------- */

bool gen_fuse(struct gen *g)
{
    const struct insn *i = &g->insn[g->k];
    uint32_t left = 1; /* instructions from i on that nobody jumps into */

    while (left < 3 && g->k + left < g->c->n && !g->target[g->k + left])
        left++;
    g->raw = false;
    if (left < 2)
        return false;
    if (fuse_sum(g, i, left))
        return true;
    if (i[1].rs1 != i->rd ||
        !(fuse_constant(g, i) || fuse_extend(g, i) || fuse_call(g, i)))
        return false;
    g->k++;
    return true;
}

/* Branches over next to nothing ------------------------------------------------ */

bool gen_can_try(const struct insn *i, uint32_t n)
{
    for (uint32_t m = 0; m < n; m++)
        if ((facts[i[m].op] & SIMPLE) != SIMPLE || i[m].rd == X_SINK ||
            i[m].rd != i->rd)
            return false;
    return true;
}

bool gen_can_move(const struct insn *i, uint32_t n)
{
    for (uint32_t m = 0; m < n; m++)
        if ((i[m].op != OP_addi && i[m].op != OP_lui) || i[m].rd == X_SINK)
            return false;
    return true;
}

struct x86_rm gen_movable(struct gen *g, const struct insn *i)
{
    unsigned a;

    if (i->op == OP_lui || i->rs1 == 0) {
        x86_mov_imm_only(&g->x, RDX, (uint64_t)i->imm);
        return x86_r(RDX);
    }
    if (i->imm == 0)
        return gen_x(g, i->rs1);
    a = gen_source(g, i->rs1, RDX);
    x86_op(&g->x, X86_LEA, RDX, x86_mem(a, (int32_t)i->imm));
    return x86_r(RDX);
}

/* As i, but where it names rd it is rdx; that is not yet rd if it is first. */
static struct insn in_rdx(const struct insn *i, bool first)
{
    struct insn r = *i;

    r.rd = GEN_RDX;
    if (!first && r.rs1 == i->rd)
        r.rs1 = GEN_RDX;
    if (!first && r.rs2 == i->rd)
        r.rs2 = GEN_RDX;
    return r;
}

void gen_try(struct gen *g, const struct insn *i, uint32_t n)
{
    struct insn t[GEN_TRIES + 1] = { 0 };

    for (uint32_t m = 0; m < n; m++)
        t[m] = in_rdx(&i[m], m == 0);
    for (uint32_t m = 0; m < n; m++) {
        const struct gen_row *row = gen_row_of(t[m].op);
        bool word = gen_makes_word(g, &t[m]);

        if (m + 1 < n && find_extension(&t[m])) {
            word = find_extension(&t[m])->word;
            extend(g, &t[m], RDX);
            m++;
        } else {
            row->fn(g, &t[m], row->arg);
        }
        set_word(g, GEN_RDX, word);
    }
}
