/* SPDX-License-Identifier: MIT */
/*
 * code.h - translations: where they lie, what leads to them, how they go.
 *
 * A translation is of one block of interp.h, for one virtual address, one
 * kind of data context (code_kind) and one range that a debugger steps in, or
 * none; links do not lead out of it. It lives as long as the block. The
 * cache is memory mapped twice: writable at rw, executable at rw + to_rx;
 * no page is ever both. It is never freed piece by piece: a translation that
 * dies is cut off from what leads to it, and when the cache is full all blocks
 * are flushed, and it with them. That is done between blocks only.
 *
 * Three ways lead into a translation: the hart's jump entries, links (a jump
 * from another translation of the same virtual page, patched to go straight
 * there), and a run that goes on after an op.
 *
 * Private to this room, as gen.h and x86.h are.
 */
#ifndef EMU_TRANS_CODE_H
#define EMU_TRANS_CODE_H

#include <stdio.h>

#include "emu/hart/interp.h"
#include "emu/trans/trans.h"

enum {
    CODE_HARTS = 64,
#ifdef HOSTILE
    CODE_PAGES = 2,
    CODE_CACHE = 256 << 10,
#else
    CODE_PAGES = 4096,
    CODE_CACHE = 64 << 20, /* bytes, unless more or less is asked for */
#endif
    CODE_LEAST = 256 << 10,
    /* A site that misses so often, within so many steps for each time, is no
     * good: see site_judge. */
    SITE_MISSES = 32,
    SITE_STEPS = 512,
    SITE_LEAST = 6,
    SITE_BITS = 12, /* of the first try: a block is a page */
};

/* What an access of a translation uses, or a group of them, which is checked
 * as if it were one (gen_group.c): size bytes at rs1 + from. */
struct code_site {
    uint32_t site;  /* an index in sites; 0: none */
    uint32_t since; /* when its misses began to be counted: steps / 64 */
    int32_t from;
    uint32_t size; /* 0: it is no access */
    uint8_t bits;  /* its block has 1 << bits bytes */
    bool write, group;
    bool loop;       /* it is in one */
    bool then_write; /* a load, and its group, which asks a TLB, has stores */
    uint8_t due;     /* steps done before the instruction and not charged */
    uint8_t torn;    /* times that a group without a site was, since then */
};

struct code {
    struct trans *t;
    struct block *block;
    uint64_t pc;          /* virtual, of its first instruction */
    uint64_t from, to;    /* the range it was made for; 0, 0: none */
    const uint8_t *entry; /* executable */
    uint32_t n;           /* instructions, of the block's first ones */
    uint32_t bytes;       /* of guest code */
    uint32_t size;        /* of host code */
    uint8_t kind;         /* of the data context, see code_kind */
    bool dead;
    uint16_t *at; /* where each instruction's host code begins, and ends */
    struct code_site *site; /* of each instruction */
    struct link *in;        /* the links that jump here */
    struct code *next_of_block, *next_in_page;
};

/* A jump out of a translation, to a pc in the same virtual page. */
struct link {
    uint64_t pc;
    uint8_t *site; /* its displacement, writable */
    const struct code *from;
    struct link *next; /* of the same target */
};

/* Steps that are left beyond the budget of translated code, which looks at it
 * only when it jumps back or out (gen_jump.c). */
enum { CODE_MARGIN = BLOCK_INSNS };

/* What translated code returns; larger values are links. */
enum { LEFT_AT_PC, LEFT_FOR_OPS, LEFT_IN_OP };

struct thunks {
    uint8_t *enter, *op, *at_pc, *at_rax, *for_ops, *by_link, *load_fp, *torn;
    uint8_t *find[2][4]; /* [write][log2 of the size] */
};

struct trans {
    struct blocks *blocks;
    struct points *points;
    uint32_t hot;
    struct hart *hart[CODE_HARTS];
    size_t harts;
    uint8_t *rw; /* writable: where the translator works */
    ptrdiff_t to_rx;
    size_t size, used, first; /* bytes; the thunks end at first */
    char *notes;              /* struct code and struct link */
    size_t notes_size, notes_used;
    struct thunks thunk; /* in the writable mapping */
    struct block *one;   /* what an op is called with: itself alone */
    uint32_t sites;      /* used up, of hart->site; 0 stands for none */
    struct code *page[CODE_PAGES];
    bool has_fma, has_bmi2, has_lzcnt;
    FILE *perf_map; /* or NULL */
    struct trans_info info;
};

/* False: no such memory; err says why. */
bool code_cache_new(struct trans *t, size_t size, struct err *err);
void code_cache_free(struct trans *t);

/* Bytes for a struct code and its links; NULL: full. */
void *code_note(struct trans *t, size_t size);

/* A finished translation is found from now on. */
void code_keep(struct code *c);
/* The one of b at pc that the hart can run as it is. */
struct code *code_find(const struct block *b, uint64_t pc,
                       const struct hart *h);

/* Nothing leads to c any more; it may still be running. */
void code_kill(struct code *c);
/* The same, and its block has it no more: it may be made again. */
void code_remake(struct code *c);
void code_flush(struct trans *t);
void code_link(struct link *l, struct code *to);
/* Cuts the links into translations that a breakpoint stands in. */
void code_cut_at(struct trans *t, uint64_t va);
void code_cut_phys(struct trans *t, uint64_t pa);

/*
 * A translation is for one mode, and for data contexts that are linear
 * (mmu_linear) or for others. The linear ones have sites, in which there are
 * only tags of that context.
 */
unsigned code_kind(const struct hart *h);
static inline bool code_linear(const struct code *c) { return c->kind & 1; }
static inline unsigned code_priv(const struct code *c) { return c->kind >> 1; }

/* A site that no hart has filled, 0: there are no more. */
uint32_t site_new(struct trans *t);

static inline const uint8_t *code_rx(const struct trans *t, const uint8_t *rw)
{
    return rw + t->to_rx;
}

/* Translates b's first instructions for pc; NULL: it cannot be, or the cache
 * is full. */
struct code *translate(struct trans *t, const struct hart *h, struct block *b,
                       uint64_t pc, bool *full);

/* Writes the thunks at the start of the cache. */
void thunks_emit(struct trans *t);

/* Called by thunk.op: instruction k of c by its op. NULL: on with the next
 * one; LEFT_IN_OP: back to C; else on with that code. */
const uint8_t *trans_op(struct hart *h, struct code *c, unsigned k,
                        uint64_t budget);

#endif
