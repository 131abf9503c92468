/* SPDX-License-Identifier: MIT */
/*
 * seek.h - looking for a place in the past.
 *
 * Private to this room: struct timeline, and how slice.c serves a search.
 */
#ifndef EMU_MACHINE_SEEK_H
#define EMU_MACHINE_SEEK_H

#include "emu/machine/checkpoint.h"
#include "emu/machine/run.h"

enum seek_kind {
    SEEK_NONE,
    SEEK_PLACE, /* to a checkpoint */
    SEEK_LAND,  /* to a T, or to a point that was met there */
    SEEK_BACK,  /* to the last point that was met before */
    SEEK_STEP,  /* to before a hart's last step */
};

/* A point that was met on the way. */
struct seek_hit {
    uint64_t t;
    unsigned nth; /* of those at this T, from 1 */
    bool after;   /* a watchpoint: going back stops when it is done */
    bool met;     /* a hart's: it meets it again */
    uint64_t pc;  /* of the hart then */
    struct run_stop stop;
};

enum { SEEK_DEPTH = 8 };

/* Interrupts of the hart that steps back, as they nest; see seek_step.c. */
struct seek_frame {
    uint64_t t, pc, sp;
    uint8_t priv;
    bool interrupt;
};

struct seek_track {
    struct seek_frame frame[SEEK_DEPTH];
    unsigned frames;
    uint64_t exceptions; /* the hart's count before the step */
    uint32_t returns;
    /* The last T at which a step could begin, by how many interrupts deep. */
    uint64_t last[SEEK_DEPTH];
    uint64_t back_from; /* T behind a return from what was entered before */
    bool stepped, merged;
};

struct seek {
    enum seek_kind kind;
    int hart;
    uint64_t from;             /* T at which it began */
    struct checkpoint *origin; /* where it goes when it is ended */
    struct checkpoint *place;  /* SEEK_PLACE */
    struct run_stop stop;      /* what is told at the end */
    uint64_t low, high;        /* the interval that is looked through */
    uint64_t target;           /* SEEK_LAND */
    struct seek_hit hit;       /* the last one; t UINT64_MAX: none */
    struct seek_hit want;      /* SEEK_LAND: stop at this one, if any */
    unsigned met;              /* SEEK_LAND: how many at this T so far */
    bool told;     /* what happened right before from was told already */
    bool looking;  /* SEEK_BACK: to tell of the hit, and stay here */
    bool tracking; /* SEEK_STEP: looking at each step now */
    uint64_t window;
    struct seek_track track;
    int64_t said_ns; /* when progress was last told */
};

struct branch {
    unsigned number;
    struct position end;
    struct buf log;
    uint64_t from; /* T at which it was left */
};

struct timeline {
    size_t bytes;
    struct chain *chain; /* NULL before the first step */
    struct seek seek;
    uint64_t next; /* T at which history has to be looked at */

    /* While in the past: where the present is. */
    struct checkpoint *present;
    struct position end;
    enum run_state end_state;

    /* Spacing. */
    int64_t taken_ns; /* of chain_clock, when the last one was taken */
    int64_t saved_ns; /* what they may cost by now, see timeline.c */
    uint64_t taken_t;

    unsigned number, numbers; /* of the present branch; given so far */
    struct branch *branch;
    size_t branches;
    unsigned marks; /* names made up */
    bool diverged;  /* running again was not what was */
    bool forgot;    /* it was said that history begins later now */
};

static inline bool seek_none(const struct seek_hit *h)
{
    return h->t == UINT64_MAX;
}

/* timeline.c */
bool timeline_ready(struct machine *m, struct err *err);
struct checkpoint *timeline_leave(struct machine *m);
void timeline_restore(struct machine *m, size_t n);
void timeline_horizon(struct machine *m);
void timeline_done(struct machine *m);

/* seek.c: from slice.c. True: the run ends here. */
bool seek_met(struct machine *m, int hart);
void seek_met_dma(struct machine *m, const struct run_stop *stop);
void seek_land(struct machine *m, uint64_t t, struct run_stop stop);
bool seek_advance(struct machine *m, uint64_t until);
void seek_begin_of_history(struct machine *m);
void seek_decide(struct machine *m, uint64_t t);
void seek_stretch(struct machine *m);

/* seek_step.c: around each step of a hart. */
void seek_step(struct machine *m, int hart);
void seek_stepped(struct machine *m, int hart);
void seek_step_begin(struct machine *m);
void seek_step_turn(struct machine *m);

#endif
