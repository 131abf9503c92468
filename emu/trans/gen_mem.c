/* SPDX-License-Identifier: MIT */
/*
 * gen_mem.c - loads and stores as host code.
 *
 * The hart's own TLB is asked, by one compare that also sees misalignment;
 * what does not match goes to thunk.find, and from there to the op. In a linear
 * context what is found is at address + delta, so the value does not wait for
 * the TLB: the compare only guards a jump that is hardly ever taken. Moreover
 * an access there has a site, which remembers the bytes around the last one that
 * may be accessed as well: if this one is not among them the op does it, and
 * fills the site (trans.c), until it turns out that this happens too often.
 */
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/mmu.h"
#include "emu/trans/gen.h"

/* arg of a row: the host's opcode, the access's size. */
#define ACCESS(op, size) ((op) | (uint32_t)(size) << 24)

static unsigned size_of(uint32_t arg) { return arg >> 24; }

/* rcx = how far into the TLB the entry for the address in a is. */
static void find_offset(struct trans *t, struct x86 *x, unsigned a)
{
    if (t->has_bmi2) {
        x86_rorx(x, RCX, x86_r(a), TLB_SHIFT);
    } else {
        x86_op(x, X86_MOV & ~(unsigned)X86_W, RCX, x86_r(a));
        x86_shift_imm(x, SH_SHR, false, x86_r(RCX), TLB_SHIFT);
    }
    x86_op(x, X86_AND & ~(unsigned)X86_W, RCX,
           gen_hart(offsetof(struct hart, data_index)));
}

void gen_find_entry(struct trans *t, struct x86 *x, unsigned a)
{
    find_offset(t, x, a);
    x86_op(x, X86_ADD, RCX, gen_hart(offsetof(struct hart, data_tlb)));
}

static int32_t size_mask(unsigned size)
{
    return (int32_t)tlb_tag(UINT64_MAX, size);
}

static size_t tag_of(bool write)
{
    return write ? offsetof(struct tlb_entry, write)
                 : offsetof(struct tlb_entry, read);
}

/* Compares rdx = the tag for the address in a, and jumps if it is not tag. */
static uint8_t *compare_tag(struct gen *g, unsigned a, unsigned size,
                            struct x86_rm tag)
{
    x86_op(&g->x, X86_MOV, RDX, x86_r(a));
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX), size_mask(size));
    x86_op(&g->x, X86_CMP, RDX, tag);
    return x86_jcc(&g->x, CC_NE);
}

uint8_t *gen_compare_last(struct gen *g, struct x86_rm last, struct x86_rm tag)
{
    _Static_assert(TLB_LEAST > 1, "the page behind has another entry");
    x86_op(&g->x, X86_LEA, RDX, last);
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX), -(int32_t)MEM_PAGE);
    x86_op(&g->x, X86_CMP, RDX, tag);
    return x86_jcc(&g->x, CC_NE);
}

/* As compare_tag, whether the page is watched or not, and another jump if its part
 * is (HINT_PARTS). */
static uint8_t *compare_parts(struct gen *g, unsigned a, unsigned size,
                              struct x86_rm tag, bool write, uint8_t **part)
{
    uint8_t *other;

    x86_op(&g->x, X86_MOV, RDX, x86_r(a));
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX), size_mask(size));
    x86_op(&g->x, X86_XOR, RDX, tag);
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX), ~(int32_t)TLB_WATCHED);
    other = x86_jcc(&g->x, CC_NE);
    x86_rorx(&g->x, RDX, x86_r(a), 6);
    tag.disp += GEN_NOTE(parts) - (int32_t)tag_of(write);
    x86_vex(&g->x, 0xf7 | X86_0F38 | X86_F2 | X86_W, RDX, RDX, tag); /* shrx */
    x86_alu_imm(&g->x, ALU_AND, false, x86_r(RDX), 1);
    *part = x86_jcc(&g->x, CC_NE);
    return other;
}

/* The TLB's entry for the address in a, which rcx is then. */
static struct x86_rm find_tag(struct gen *g, unsigned a, bool write)
{
    gen_find_entry(g->t, &g->x, a);
    return x86_mem(RCX, (int32_t)tag_of(write));
}

/* The same, but rcx is nothing then, if the context is linear: its TLB is
 * always the same one. */
static struct x86_rm find_own_tag(struct gen *g, unsigned a, bool write)
{
    struct x86_rm tag = gen_hart(tag_of(write) + GEN_TLB(code_priv(g->c)));

    _Static_assert((int)CTX_U == PRIV_U && (int)CTX_S == PRIV_S &&
                       (int)CTX_M == PRIV_M,
                   "a mode's own context");
    if (!code_linear(g->c))
        return find_tag(g, a, write);
    find_offset(g->t, &g->x, a);
    tag.index = RCX;
    return tag;
}

/* host = the address at. */
static void take(struct gen *g, unsigned host, struct x86_rm at)
{
    if (at.disp || at.index != X86_NONE)
        x86_op(&g->x, X86_LEA, host, at);
    else if (at.base != host)
        x86_op(&g->x, X86_MOV, host, x86_r(at.base));
}

/* The site for the instruction at work, NULL: it has to do without. */
static struct code_site *site_of(struct gen *g, const struct insn *i,
                                 unsigned size, bool write)
{
    struct code_site *s = &g->c->site[g->k];

    *s = (struct code_site){ .since = (uint32_t)(g->h->steps / 64),
                             .from = (int32_t)i->imm,
                             .size = size,
                             .bits = hint_bits(i),
                             .write = write,
                             .loop = g->weight[g->k] > 0 };
    if (!code_linear(g->c) || i->hint & HINT_NO_SITE)
        return NULL;
    s->site = site_new(g->t);
    if (!s->site)
        g->x.p = g->x.end; /* as if the cache were full */
    gen_begin_group(g, s);
    return s;
}

/* rs1 + imm: of rs1's own register, or rax. */
static struct x86_rm where(struct gen *g, const struct insn *i)
{
    if (g->has_address) {
        struct x86_rm at = g->address;

        at.disp = (int32_t)i->imm;
        return at;
    }
    if (i->rs1 && gen_pinned(g, i->rs1))
        return x86_mem(g->pin[i->rs1], (int32_t)i->imm);
    gen_load(g, RAX, i->rs1);
    return x86_mem(RAX, (int32_t)i->imm);
}

/* The same in one register, without a displacement. */
static struct x86_rm flat(struct gen *g, struct x86_rm at)
{
    if (at.disp == 0 && at.index == X86_NONE)
        return at;
    take(g, RAX, at);
    g->address = x86_mem(RAX, -at.disp);
    return x86_mem(RAX, 0);
}

/* Where that is on the host; it was found, rcx being the TLB's entry. */
static struct x86_rm on_host(struct gen *g, struct x86_rm at)
{
    if (code_linear(g->c)) {
        at.disp += g->delta;
        return at;
    }
    x86_op(&g->x, X86_MOV, RDX,
           x86_mem(RCX, offsetof(struct tlb_entry, addend)));
    at.index = RDX;
    return at;
}

struct x86_rm gen_aligned(struct gen *g, const struct insn *i, unsigned size,
                          unsigned access, struct cold **c)
{
    struct x86_rm at = flat(g, where(g, i));

    *c = gen_cold(g, COLD_OP,
                  compare_tag(g, at.base, size,
                              find_tag(g, at.base, access == ACCESS_WRITE)));
    return on_host(g, at);
}

/* rdx is the address of a first or last byte: a jump, if the block has it not. */
static uint8_t *ask_block(struct gen *g, struct x86_rm at,
                          const struct code_site *s, unsigned size,
                          enum x86_cc cc)
{
    take(g, RDX, at);
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RDX),
                (int32_t)(-(UINT32_C(1) << s->bits) | (size - 1)));
    x86_op(&g->x, X86_CMP, RDX,
           gen_hart(GEN_SITES(site) + s->site * sizeof(site_block)));
    return x86_jcc(&g->x, cc);
}

/* A group is there if its first and its last byte are. */
static void ask_group(struct gen *g, struct x86_rm at, struct code_site *s)
{
    struct cold *c;

    at.disp += s->from - (int32_t)g->insn[g->k].imm;
    c = gen_cold(g, COLD_GROUP, ask_block(g, at, s, 1, CC_NE));
    c->at = at;
    c->page = s;
    c->find = g->t->thunk.find[s->write][0];
    at.disp += (int32_t)s->size - 1;
    c->site2 = ask_block(g, at, s, 1, CC_NE);
    c->back = g->x.p;
}

static void ask_tlb(struct gen *g, unsigned a, unsigned size, bool write)
{
    struct x86_rm tag = find_own_tag(g, a, write);
    unsigned hint = g->insn[g->k].hint;
    uint8_t *other, *part = NULL;

    if (hint & HINT_PARTS && g->t->has_bmi2)
        other = compare_parts(g, a, size, tag, write, &part);
    else if (hint & HINT_ODD)
        other = gen_compare_last(g, x86_mem(a, (int32_t)size - 1), tag);
    else
        other = compare_tag(g, a, size, tag);
    gen_cold(g, COLD_OP, other)->site2 = part;
}

/* Asks s, or with NULL the TLB; what comes back wants to know where it goes on
 * if thunk.find has found it. */
static struct cold *ask(struct gen *g, struct x86_rm at, unsigned size,
                        bool write, const struct code_site *s)
{
    struct cold *c;

    if (s)
        gen_cold(g, COLD_OP, ask_block(g, at, s, size, CC_NE));
    else
        ask_tlb(g, at.base, size, write);
    c = &g->cold[g->colds - 1];
    c->at = at;
    c->page = s;
    c->has_address = g->has_address;
    c->address = g->address;
    c->find = g->t->thunk.find[write][__builtin_ctz(size)];
    return s && s->bits != SITE_BITS ? NULL : c;
}

struct x86_rm gen_memory(struct gen *g, const struct insn *i, unsigned size,
                         unsigned access)
{
    bool write = access == ACCESS_WRITE, known = gen_group_of(g, i, write);
    int64_t disp = i->imm + g->delta;
    struct code_site *s = known ? NULL : site_of(g, i, size, write);
    struct cold *c = NULL;
    struct x86_rm at;

    if (!code_linear(g->c) && gen_paged(g, i, write, &at))
        return at;
    at = where(g, i);
    if (!(known || s) || disp != (int32_t)disp)
        at = flat(g, at);
    if (s && s->group)
        ask_group(g, at, s);
    else if (!known)
        c = ask(g, at, size, write, s);
    at = on_host(g, at);
    if (c)
        c->ok = g->x.p;
    return at;
}

static void call_find(struct gen *g, const struct cold *c)
{
    take(g, RDX, c->at);
    x86_mov_imm(&g->x, RCX, c->page ? c->page->site * sizeof(site_block) : 0);
    x86_aim(x86_call(&g->x), c->find);
}

/* Perhaps it can be done all the same: thunk.find knows, and the addend. */
void gen_retry(struct gen *g, const struct cold *c)
{
    call_find(g, c);
    x86_jcc_to(&g->x, CC_E, c->ok);
}

/* The site may be filled now; if both ends are there, the group goes on. */
void gen_regroup(struct gen *g, const struct cold *c)
{
    struct x86_rm at = c->at;
    uint8_t *torn;

    call_find(g, c);
    torn = ask_block(g, at, c->page, 1, CC_NE);
    at.disp += (int32_t)c->page->size - 1;
    x86_aim(ask_block(g, at, c->page, 1, CC_E), c->back);
    x86_aim(torn, g->x.p);
}

void gen_back_here(struct gen *g, uint32_t first_cold)
{
    for (uint32_t n = first_cold; n < g->colds; n++)
        if (g->cold[n].kind == COLD_OP || g->cold[n].kind == COLD_PAGE)
            g->cold[n].back = g->x.p;
}

static bool gen_load_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    unsigned t = gen_no_rd(i) ? RAX : gen_target(g, i);
    uint32_t first = g->colds;

    x86_op(&g->x, arg & 0xffffff, t,
           gen_memory(g, i, size_of(arg), ACCESS_READ));
    if (!gen_no_rd(i))
        gen_put(g, i->rd, t);
    gen_back_here(g, first);
    return true;
}

static bool gen_store_x(struct gen *g, const struct insn *i, uint32_t arg)
{
    uint32_t first = g->colds;
    struct x86_rm to;
    unsigned v;

    to = gen_memory(g, i, size_of(arg), ACCESS_WRITE);
    v = gen_source(g, i->rs2, RCX);
    x86_op(&g->x, arg & 0xffffff, v, to);
    gen_back_here(g, first);
    return true;
}

/* May this mode do it? */
static void ask_envcfg(struct gen *g, size_t envcfg)
{
    x86_op(&g->x, 0xf6, 0, gen_hart(envcfg)); /* test byte */
    x86_byte(&g->x, ENVCFG_CBZE);
    gen_cold(g, COLD_OP, x86_jcc(&g->x, CC_E));
}

/* Kernels clear pages by this. */
static bool gen_cbo_zero(struct gen *g, const struct insn *i, uint32_t size)
{
    uint32_t first = g->colds;
    struct x86_rm at;

    if (g->h->cpu.cboz_block != size)
        return false;
    if (code_priv(g->c) != PRIV_M)
        ask_envcfg(g, offsetof(struct hart, menvcfg));
    if (code_priv(g->c) == PRIV_U)
        ask_envcfg(g, offsetof(struct hart, senvcfg));
    gen_load(g, RAX, i->rs1);
    x86_alu_imm(&g->x, ALU_AND, true, x86_r(RAX), -(int32_t)size);
    gen_cold(g, COLD_OP, compare_tag(g, RAX, 1, find_tag(g, RAX, true)));
    at = on_host(g, x86_mem(RAX, 0));
    x86_op(&g->x, 0x57 | X86_0F, 0, x86_r(0)); /* xorps xmm0, xmm0 */
    for (uint32_t n = 0; n < size; n += 16, at.disp += 16)
        x86_op(&g->x, 0x11 | X86_0F, 0, at); /* movups */
    gen_back_here(g, first);
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
    [OP_cbo_zero] = { gen_cbo_zero, 64 },
};
