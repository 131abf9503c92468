/* SPDX-License-Identifier: MIT */
/*
 * gen.h - from one guest instruction to the host's: what the gen_*.c share.
 *
 * Register map (docs/translator.md): rbp is the hart (+ GEN_BIAS, so that
 * x[0..31] have one-byte displacements), r15 what is left of the budget, ten
 * guest registers are pinned, rax, rcx and rdx are anybody's. Nothing else is
 * kept from one instruction to the next, so any of them may be a label. In loops
 * some of the ten are lent to others.
 */
#ifndef EMU_TRANS_GEN_H
#define EMU_TRANS_GEN_H

#include "emu/trans/code.h"
#include "emu/trans/x86.h"

enum {
    GEN_BIAS = 128,
    GEN_COLD = 6 * BLOCK_INSNS + 2,
    NO_LABEL = INT32_MAX,
    GEN_RDX = 33, /* as a guest register: the host's rdx */
    GEN_REGS,
    GEN_LOANS = 6,
    GEN_GROUPS = 4, /* at a time */
};

/* insn->hint */
enum {
    HINT_NO_SITE = 1,
    HINT_NO_GROUP = 2,
    HINT_PARTS = 4, /* its page is watched, but not where it goes to */
    HINT_ODD = 8,   /* it is misaligned */
    HINT_BITS = 16,
};

/* Of how many bytes an access's site is to have the block, as a power of 2. */
static inline uint8_t hint_bits(const struct insn *i)
{
    unsigned bits = i->hint / HINT_BITS;

    return bits ? (uint8_t)bits : SITE_BITS;
}

/* Where host code that is seldom needed comes from, behind the rest. */
enum cold_kind {
    COLD_OP,    /* the op of instruction k, then back */
    COLD_EXIT,  /* a branch of instruction k out of the block, to pc */
    COLD_SKIP,  /* a branch of instruction k forward to instruction to */
    COLD_OUT,   /* no budget for what begins at instruction to */
    COLD_QUIT,  /* instruction k is left to the interpreter */
    COLD_GROUP, /* the same, for a group that begins at k: thunk.torn knows */
    COLD_PAGE,  /* the op of k, and then whether a group can go on behind it */
    COLD_FP,    /* FP registers are to be loaded, for instruction k */
};

/* Accesses that are checked together: those of base, up to instruction last. */
struct group {
    uint8_t base;       /* 0: there are none */
    uint8_t slot;       /* its addend is in this one */
    bool loads, stores; /* that it has */
    bool no_slot;       /* there are two; its addend is but in rdx */
    uint32_t last;
    int32_t from, to; /* offsets from base */
};

struct cold {
    enum cold_kind kind;
    uint32_t k, to;
    uint64_t pc;
    uint8_t *site;       /* the jump that comes here */
    uint8_t *site2;      /* another one, or NULL */
    const uint8_t *back; /* where it goes on */
    bool has_address; /* rs1 is to be made of address before the op is called */
    struct x86_rm address;
    /* An access that thunk.find may know how to do: its address, its site or
     * NULL, and where it goes on, rdx being the addend. ok is NULL: it is none.
     * A group: at is its first byte's. */
    struct x86_rm at;
    const struct code_site *page;
    const uint8_t *find, *ok;
    struct group group; /* COLD_PAGE's */
};

/* Within this translation a host register is another guest register's. */
struct loan {
    uint8_t host, from, to; /* guest registers; from lies in the hart */
    bool written;           /* to is */
};

struct loop_head {
    bool loop, fp;           /* one begins here; some of it is FP */
    const uint8_t *fp_known; /* where it begins for who has FP registers */
};

struct gen {
    struct x86 x;
    struct trans *t;
    struct code *c;
    const struct hart *h;    /* that it is made for first */
    const struct insn *insn; /* the block's */
    uint32_t k;              /* the one at work */
    uint8_t pin[GEN_REGS];   /* gen_home, but for the loans */
    struct loan loan[GEN_LOANS];
    uint32_t loans;
    bool loops;                   /* the block has some */
    uint32_t weight[BLOCK_INSNS]; /* 0: in no loop; more in inner ones */
    struct loop_head head[BLOCK_INSNS];
    bool left;             /* no way behind it */
    bool fp;               /* FP registers are loaded for certain */
    uint32_t boxed;        /* f registers that hold a boxed single */
    uint64_t words;        /* x registers that hold a sign-extended word */
    const uint8_t *tested; /* where the host's flags tell whether tested_x
                              * is 0 */
    uint8_t tested_x;
    bool raw; /* k's result was not extended after all */
    /* The address of k is not in its rs1, which would have been made of this
     * by the instructions before it (gen_fuse.c) and is not used after it. */
    struct x86_rm address;
    bool has_address;
    struct group group[GEN_GROUPS]; /* linear: loads; stores */
    /* rdx is this slot's addend, if it was not written and there is no more
     * cold code since. */
    uint32_t in_rdx, in_rdx_colds;
    int32_t delta;
    const uint8_t *label[BLOCK_INSNS + 1];
    bool target[BLOCK_INSNS + 1]; /* of a jump within the block */
    /* Steps done before k and not charged; the same as the first jump from
     * before k to it has it (0: there is none), which then goes for all. */
    uint8_t due[BLOCK_INSNS + 1], owed[BLOCK_INSNS + 1];
    struct cold cold[GEN_COLD];
    uint32_t colds;
    /* Calls of thunk.op, which go by way of this translation's end. */
    uint8_t *op_calls[2 * BLOCK_INSNS];
    uint32_t n_op_calls;
};

/* What makes host code for i; arg is the table row's. False: it cannot, the
 * op is called. */
typedef bool gen_fn(struct gen *g, const struct insn *i, uint32_t arg);
struct gen_row {
    gen_fn *fn;
    uint32_t arg;
};
extern const struct gen_row gen_int[OP_COUNT], gen_mem[OP_COUNT],
    gen_jump[OP_COUNT], gen_fp[OP_COUNT], gen_sys[OP_COUNT],
    gen_atomic[OP_COUNT];

/* The host register that each guest register is pinned to, or X86_NONE: between
 * translations, and wherever C or a thunk looks at them. */
extern const uint8_t gen_home[GEN_REGS];
/* The same for f registers and xmm. */
extern const uint8_t gen_fpin[32];

static inline struct x86_rm gen_hart(size_t offset)
{
    return x86_mem(RBP, (int32_t)offset - GEN_BIAS);
}

/* Where guest register r lies unless it is in a host register. */
static inline struct x86_rm gen_x_in_hart(unsigned r)
{
    return gen_hart(offsetof(struct hart, x) + 8ul * r);
}

/* Guest register r, which is not x0, as an operand. */
static inline struct x86_rm gen_x(const struct gen *g, unsigned r)
{
    if (g->pin[r] != X86_NONE)
        return x86_r(g->pin[r]);
    return gen_x_in_hart(r);
}

static inline bool gen_pinned(const struct gen *g, unsigned r)
{
    return g->pin[r] != X86_NONE;
}

/* rd as an op names it: x0 is X_SINK there. */
static inline bool gen_no_rd(const struct insn *i) { return i->rd == X_SINK; }

/* Where rd's new value is made: its own register, or rax. */
static inline unsigned gen_target(const struct gen *g, const struct insn *i)
{
    return gen_pinned(g, i->rd) ? g->pin[i->rd] : RAX;
}

/* x[r] is a word for certain, sign-extended. */
static inline bool gen_is_word(const struct gen *g, unsigned r)
{
    return r == 0 || (g->words >> r & 1);
}

void gen_find_loops(struct gen *g); /* gen_loop.c */
void gen_begin(struct gen *g);      /* makes the label of k */
/* FP registers are loaded from here on; false: no FP on this host. */
bool gen_begin_fp(struct gen *g);

/* Lends pins to registers that the block's loops use more (gen_pins.c). */
void gen_lend(struct gen *g);
void gen_take_pins(struct gen *g); /* on the way into the translation */
void gen_give_pins(struct gen *g); /* and out of it; no flags, no temporaries */

/* Makes code for the instruction at work together with the next ones, where
 * that is better; k is the last of them then. False: it is on its own. */
bool gen_fuse(struct gen *g);
/* The n instructions from i on make one register's value and do nothing else:
 * gen_try has it in rdx. */
enum { GEN_TRIES = 3 };
bool gen_can_try(const struct insn *i, uint32_t n);
void gen_try(struct gen *g, const struct insn *i, uint32_t n);
/* They are copies and constants, each of which can be had as an operand without
 * the host's flags. */
bool gen_can_move(const struct insn *i, uint32_t n);
struct x86_rm gen_movable(struct gen *g, const struct insn *i);
/* Where in the block k jumps to, or NO_LABEL. */
uint32_t gen_jump_to(const struct gen *g, uint32_t k);
/* How many such instructions (of the one kind or the other), to which nobody
 * jumps, the branch k skips. */
uint32_t gen_skips_here(const struct gen *g, uint32_t k);
/* Is what k leaves in rd a word, given what the others are? */
bool gen_makes_word(const struct gen *g, const struct insn *i);
/* Does the op look at nothing but the low halves of its operands? */
bool gen_takes_words(unsigned op);
/* Of what k makes in its rd, are but so many low bits used, by an andi over it? */
bool gen_is_masked(const struct gen *g, unsigned bits);
/* Does it make a number, by a host instruction or two, and nothing else? */
bool gen_is_simple(unsigned op);
/* The row of an op that has host code, or NULL. */
const struct gen_row *gen_row_of(unsigned op);

/* The host's last instruction made x[r]'s value, and its zero flag. */
static inline void gen_tested(struct gen *g, unsigned r)
{
    g->tested = g->x.p;
    g->tested_x = (uint8_t)r;
}

void gen_put_constant(struct gen *g, unsigned rd, uint64_t v);
void gen_load(struct gen *g, unsigned host, unsigned r); /* host = x[r] */
/* A host register that holds x[r]: its own, or tmp. */
unsigned gen_source(struct gen *g, unsigned r, unsigned tmp);
void gen_put(struct gen *g, unsigned rd, unsigned host); /* x[rd] = host */

/* pc of instruction k. */
static inline uint64_t gen_pc(const struct gen *g, uint32_t k)
{
    return g->c->pc + g->insn[k].off;
}

/* A jump to code that gen_colds will write; site as x86_jcc gives it. */
struct cold *gen_cold(struct gen *g, enum cold_kind kind, uint8_t *site);

void gen_move_fp(struct x86 *x, bool save); /* f registers, hart */
void gen_fp_constants(uint64_t constant[][2]);

/* Where an access of i's goes, checked: access is ACCESS_READ or _WRITE. The
 * last cold code then is its op's. rax and rdx are in use, rcx is free. */
struct x86_rm gen_memory(struct gen *g, const struct insn *i, unsigned size,
                         unsigned access);

/*
 * The same for an access that traps when it is misaligned: the TLB is asked,
 * rcx stays its entry, and an address in a register is what .base is. The cold
 * code's back is to be set.
 */
struct x86_rm gen_aligned(struct gen *g, const struct insn *i, unsigned size,
                          unsigned access, struct cold **c);
/* From the hart to what stands behind it. */
#define GEN_CACHES(member)                                                     \
    (sizeof(struct hart) + offsetof(struct hart_caches, member))
#define GEN_SITES(member) GEN_CACHES(sites.member)
/* The TLB of a context that is not translated. */
#define GEN_TLB(ctx)                                                           \
    (GEN_CACHES(tlb) + (ctx) * sizeof((struct hart_caches *)0)->tlb[0])
/* From a TLB's entry to what is known of its page besides. */
#define GEN_NOTE(member) ((int32_t)offsetof(struct tlb, note[0].member))
/* The group that has i, which is k, or NULL. */
const struct group *gen_group_of(const struct gen *g, const struct insn *i,
                                 bool write);
/* Compares a tag of the TLB with that of a last byte's page, and jumps if it is
 * not the same. */
uint8_t *gen_compare_last(struct gen *g, struct x86_rm last, struct x86_rm tag);
/* s, k's, becomes that of a group that begins at k, if one does. */
void gen_begin_group(struct gen *g, struct code_site *s);
/* The same where a TLB is asked: at is where i's access goes, checked. */
bool gen_paged(struct gen *g, const struct insn *i, bool write,
               struct x86_rm *at);
void gen_page_again(struct gen *g, const struct cold *c); /* a COLD_PAGE's */
/* Cold code since first_cold comes back here from its ops. */
void gen_back_here(struct gen *g, uint32_t first_cold);
void gen_retry(struct gen *g, const struct cold *c); /* an access's, in c */
void gen_regroup(struct gen *g, const struct cold *c);
/* rcx = the TLB's entry for the address in a. */
void gen_find_entry(struct trans *t, struct x86 *x, unsigned a);

void gen_call_op(struct gen *g); /* the op of k */
/* n steps are off the budget from here on; flags: less than that was left. */
void gen_charge(struct gen *g, int32_t n);
/* Leaves for a pc, constant or in rax, with so many steps due. */
void gen_goto(struct gen *g, uint32_t due, uint64_t pc);
void gen_goto_rax(struct gen *g, uint32_t due);
void gen_join(struct gen *g); /* before k, which is not the first */
void gen_skip(struct gen *g, const struct cold *c); /* a COLD_SKIP's code */

#endif
