/* SPDX-License-Identifier: MIT */
/*
 * interp.h - predecoded blocks, and the ops that make them run.
 *
 * A block is a run of instructions from one physical address on, at most
 * BLOCK_INSNS of them and within one page, up to one behind which nothing in it
 * leads; an instruction that crosses the page's end is a block by itself. A
 * block does not know its virtual address, so it survives context switches.
 * Pages that blocks come from have MEM_ATTN_CODE: a write there drops their
 * blocks.
 */
#ifndef EMU_HART_INTERP_H
#define EMU_HART_INTERP_H

#include "emu/hart/hart.h"

struct block {
    uint64_t pa;
    uint32_t n;         /* instructions, the closing block_end not counted */
    uint32_t limit;     /* none of them starts at pa + limit or later; 0: this
                         * block is no more; or BLOCK_ACROSS */
    struct block *next; /* same hash */
    struct block *next_in_page;
    struct code *code; /* its translations; emu/trans */
    uint64_t pa2;      /* BLOCK_ACROSS: its second half, on another page */
    struct block *next_across; /* whose second half is on the same page */
    uint32_t heat;             /* how often it came before it was translated */
    uint32_t pad;              /* insns begin at a multiple of their size */
    struct insn insn[];        /* n of them and a block_end */
};

enum { BLOCK_ACROSS = 1 << 16 }; /* no other limit is so large */

struct blocks *blocks_new(struct mem *m, const struct cpu_config *cpu);
void blocks_free(struct blocks *b);
void blocks_flush(struct blocks *b);

/* A hart whose jump entries must be dropped when blocks go. */
void blocks_add_hart(struct blocks *b, struct hart *h);

/*
 * The block of instructions that start in [pa, pa + limit), which lies within
 * one page; found or built, and kept until its page is written. NULL: there
 * is no memory at pa, or its first instruction is not all in what may be read
 * at once: the page, and only the first half where limit is 2.
 */
struct block *blocks_get(struct blocks *b, uint64_t pa, uint32_t limit);

/* The block of one instruction, word, that begins at pa and goes on at pa2, the
 * start of another page. */
struct block *blocks_across(struct blocks *b, uint64_t pa, uint64_t pa2,
                            uint32_t word);

/* Blocks that last until the next one is asked for: the first n instructions
 * of another, and a single instruction. */
struct block *blocks_cut(struct blocks *b, struct block *from, uint32_t n);
struct block *blocks_single(struct blocks *b, uint32_t word);

/* fn: forget what was made of this block; NULL: of all of them. */
typedef void blocks_drop_fn(void *opaque, struct block *k);
void blocks_on_drop(struct blocks *b, blocks_drop_fn *fn, void *opaque);

/* The halfword at pa, to be executed; false: there is no memory. */
bool blocks_half(const struct blocks *b, uint64_t pa, uint16_t *half);

struct blocks_info {
    uint64_t blocks, insns, bytes, flushes, invalidations;
};
struct blocks_info blocks_info(const struct blocks *b);

static inline struct jump_entry *jump_entry(struct hart *h, uint64_t pc)
{
    return &hart_caches(h)->jump[pc / 2 % JUMP_ENTRIES];
}

/* The block that was known for pc, if it is the one for pa and limit. */
static inline struct block *jump_known(struct hart *h, uint64_t pc, uint64_t pa,
                                       uint32_t limit)
{
    const struct jump_entry *e = jump_entry(h, pc);

    return e->pc == pc && e->block && e->block->pa == pa &&
                   e->block->limit == limit
               ? e->block
               : NULL;
}

/* Keeps a way from pc, as it is fetched now, to its block. */
void jump_keep(struct hart *h, uint64_t pc, struct block *b);

/*
 * hart_run by whoever runs blocks in another way: run does what it can until
 * h->stop_at, attention or waiting. A block for h->pc, NULL: a trap or stop
 * came instead; and running one, whatever stop_at says.
 */
typedef void run_fn(struct hart *h);
uint64_t hart_run_by(struct hart *h, uint64_t n, run_fn *run);
uint64_t hart_run_range_by(struct hart *h, uint64_t n, uint64_t from,
                           uint64_t to, run_fn *run);
struct block *hart_find_block(struct hart *h);
void hart_run_block(struct hart *h, struct block *b);

/* One handler per row of insn.def; forgetting one does not link. */
#define INSN(name, ...) op_fn op_##name;
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
op_fn op_illegal, op_block_end;

extern op_fn *const interp_op[OP_COUNT];

/*
 * How an op is written: OP(add) { SET_RD(X(rs1) + X(rs2)); NEXT; }
 *
 * In a prepared insn rd is X_SINK where an integer instruction names x0 (the
 * source registers are not changed). Every block has a block_end behind its
 * last insn, so an op may say NEXT whatever its row's flow. An op that may
 * reach hart_steps() (a slow access, a counter CSR) first sets h->at = i.
 */
#define OP(name)                                                               \
    const struct insn *op_##name(struct hart *h, const struct insn *i)
#define NEXT      return i[1].fn(h, i + 1)
#define X(r)      (h->x[i->r])
#define SET_RD(v) (h->x[i->rd] = (uint64_t)(v))
#define PC        (h->pc + i->off)

/* Leaves the block after i retired; pc goes to target. */
static inline const struct insn *jump_to(struct hart *h, const struct insn *i,
                                         uint64_t target)
{
    h->pc = target;
    return i;
}

/* The sanitizer keeps frames apart: gcc's way to say so, and clang's. */
#if defined(__SANITIZE_ADDRESS__)
#define NO_TAIL_CALLS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_TAIL_CALLS
#endif
#endif

/*
 * For the ops that jump most: as jump_to, but goes right on with the block at
 * target if that is known, fits into what is left to do, and nobody wants
 * attention. It does what hart_run does between two blocks, without the way
 * back to it, and relies on tail calls: a build that makes none would pile up
 * stack and goes back each time.
 */
#if defined(__OPTIMIZE__) && !defined(HOSTILE) && !defined(NO_TAIL_CALLS)
static inline const struct insn *go_to(struct hart *h, const struct insn *i,
                                       uint64_t target)
{
    const struct jump_entry *e = jump_entry(h, target);
    uint64_t steps = h->steps + (uint64_t)(i - h->block->insn + 1);

    h->pc = target;
    if (e->pc != target || e->gen != h->fetch_gen ||
        steps + e->block->n > h->stop_at || h->attention)
        return i;
    h->steps = steps;
    h->block = e->block;
    return e->block->insn[0].fn(h, e->block->insn);
}
#else
#define go_to jump_to
#endif

/* Leaves the block after i retired, to the instruction behind it. */
static inline const struct insn *leave(struct hart *h, const struct insn *i)
{
    return jump_to(h, i, PC + i->len);
}

#endif
