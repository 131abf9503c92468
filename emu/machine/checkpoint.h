/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.h - a run as a chain of checkpoints, in memory.
 *
 * A checkpoint holds the state of everything in the list of devices, and a
 * place in the input log. What RAM was is in the gaps: each holds, for the
 * pages that differ between its two ends, what they are at the end that
 * memory is not at. So memory moves along the chain by exchanging pages, in
 * both directions, and nothing is kept twice.
 *
 *      C0 --undo-- C1 --undo-- C2 = here --redo-- C3
 *                               +-- working: pages written since, as of C2
 *
 * A page is copied when it is first written after a checkpoint: it asks for
 * attention (MEM_ATTN_COPY) until then. Or before, where that is cheaper: so
 * not all that is in a gap differs. A page of zeros takes no memory.
 *
 * Private to this room. Nothing in here changes what the guest sees.
 */
#ifndef EMU_MACHINE_CHECKPOINT_H
#define EMU_MACHINE_CHECKPOINT_H

#include "emu/base/buf.h"

#include "emu/machine/machine.h"

struct err;

/* Where in history: T, and what came since T was reached. */
struct position {
    uint64_t t;
    size_t log; /* the place in the log, see tap.h */
    int64_t idle_ns;
};

struct page_copy {
    uint32_t region, page;
    uint8_t *data; /* NULL: zeros */
};

struct gap {
    struct page_copy *page;
    size_t n, room;
};

struct checkpoint {
    struct position pos;
    char *name;          /* NULL: none */
    struct buf state;    /* devs_save */
    struct buf semihost; /* semihost_save */
    struct gap gap;      /* between this one and the next */
    bool exact; /* the same T is the same state: not stopped in between */
    bool kept;  /* not to be thinned now */
};

struct chain;

/* bytes: what copies may take, about, with what others have beside them. */
struct chain *chain_new(struct machine *m, size_t bytes);
void chain_free(struct chain *c);

size_t chain_count(const struct chain *c);
struct checkpoint *chain_nth(const struct chain *c, size_t n);
size_t chain_here(const struct chain *c); /* of an empty chain: 0 */
int64_t chain_clock(void); /* ns of the host's processor that were used */
/* What copying the pages that were written since then took, in such ns. */
int64_t chain_cost(const struct chain *c);
size_t chain_bytes(const struct chain *c);
void chain_beside(struct chain *c, size_t bytes);
bool chain_full(const struct chain *c); /* more than it may have */

struct position chain_position(const struct machine *m); /* the present one */
bool chain_at(const struct chain *c, const struct checkpoint *k);

/* The last checkpoint with a T below t, or the first one of all. */
size_t chain_before(const struct chain *c, uint64_t t);

/* Makes one of the machine as it is, or finds the one that is. */
struct checkpoint *chain_take(struct chain *c);

/*
 * From what was written in one interval it is guessed what will be in the
 * next. Those pages are copied now, as far as they are not yet.
 */
void chain_next_interval(struct chain *c);
void chain_foresee(struct chain *c);

/* The machine becomes what it was; the tap is in the past then. */
void chain_restore(struct chain *c, size_t n);

/*
 * Running again has come to the next checkpoint: steps onto it. False when
 * the machine is not what it was then: err says in what, and the checkpoints
 * from there on are gone.
 */
bool chain_pass(struct chain *c, struct err *err);

void chain_cut(struct chain *c);   /* forgets those after here */
void chain_clear(struct chain *c); /* forgets all */

/*
 * Drops checkpoints until there is room again: those that stand closest
 * together for their distance from now, and at last the oldest. Never the one
 * that is here. Says how many of the oldest went: history begins later.
 */
void chain_thin(struct chain *c);
void chain_make_room(struct chain *c);
size_t chain_relieve(struct chain *c);

/* The oldest go that stand before that place in the log; says how many. */
size_t chain_forget(struct chain *c, size_t log);

#endif
