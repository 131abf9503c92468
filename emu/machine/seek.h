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
    SEEK_LIST,  /* what the last steps were */
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

/* An instruction of the last ones. */
struct seek_line {
    uint64_t t, pc, cause, interrupt_cause;
    uint32_t raw;
    uint8_t hart, priv, len;
    bool interrupt; /* taken right before it */
    bool exception, done;
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

/* Where points are met all the time only the last ones are looked for: see
 * seek.c. */
struct seek_skip {
    unsigned met;            /* since from */
    uint64_t from, to;       /* T */
    struct checkpoint *here; /* where skipping began; NULL: nothing was */
    struct seek_hit last;    /* before it */
    bool now;                /* it is being skipped */
    bool thorough;           /* there was none behind it */
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
    bool as_stopped;           /* SEEK_LAND: to a place of stops.c's */
    bool told; /* what happened right before from was told already */
    struct seek_skip skip; /* SEEK_BACK */
    bool looking;          /* SEEK_BACK: to tell of the hit, and stay here */
    bool tracking;         /* SEEK_STEP: looking at each step now */
    uint64_t window;
    struct seek_track track;
    struct seek_line *line; /* SEEK_LIST */
    size_t lines, room;
    int64_t said_ns; /* when progress was last told */
};

struct branch {
    unsigned number;
    struct position end;
    struct buf log;
    uint64_t from; /* T at which it was left */
};

/* Where the machine stopped, see stops.c. */
struct place {
    uint64_t t;
    uint64_t taken; /* harts in front of a handler, its interrupt taken */
    uint64_t pc;    /* run's stop_pc */
    unsigned steps; /* how many of them it is the last of; 0: no step */
    bool exact;     /* not within a step */
    struct run_stop stop;
};

enum { STOPS = 256 };

struct stops {
    struct place place[STOPS];
    unsigned n, at; /* at: where the machine stands or stood last */
    unsigned going; /* a search is under way to there */
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
    uint64_t look_t;  /* none is due before; nor is there by the wall clock */
    int64_t look_ns;
    int64_t watched_ns; /* until then checkpoints are closer */
    int64_t price_ns;   /* what that took */
    int64_t saved_ns;   /* what they may cost by now, see timeline.c */
    uint64_t taken_t;
    bool foreseen; /* chain_foresee was since */

    struct stops stops;

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

/* Is there any history? */
static inline bool timeline_is(const struct timeline *tl)
{
    return tl && tl->chain && chain_count(tl->chain);
}

/* branches.c: branches go; history begins later, which is said once; what log
 * and branches have in memory; the same kept in bounds. */
void branches_forget(struct timeline *tl);
void timeline_say_lost(struct machine *m, size_t lost);
size_t log_bytes(const struct machine *m);
void log_trim(struct machine *m);

/* timeline.c */
struct checkpoint *timeline_take(struct machine *m);
bool timeline_ready(struct machine *m, struct err *err);
struct checkpoint *timeline_leave(struct machine *m);
void timeline_restore(struct machine *m, size_t n);
void timeline_entered(struct machine *m); /* another state, a checkpoint */
void timeline_horizon(struct machine *m);
void timeline_done(struct machine *m);

/* seek.c: from slice.c. True: the run ends here. */
bool seek_met(struct machine *m, int hart);
void seek_met_dma(struct machine *m, const struct run_stop *stop);
void seek_land(struct machine *m, uint64_t t, struct run_stop stop);
bool seek_advance(struct machine *m, uint64_t until);
struct checkpoint *seek_stand(struct machine *m); /* one of here */
void seek_end_skip(struct machine *m);
void seek_begin_of_history(struct machine *m);
void seek_decide(struct machine *m, uint64_t t);
void seek_stretch(struct machine *m);

bool seek_to_stop(struct machine *m, uint64_t t, struct err *err);

/* stops.c: the machine has stopped; times after t are another future's; the
 * search for a stop has arrived. */
void stops_note(struct machine *m);
void stops_cut(struct machine *m, uint64_t t);
void stops_arrived(struct machine *m, struct run_stop *stop);

/* seek_step.c: around each step of a hart. */
void seek_step(struct machine *m, int hart);
void seek_stepped(struct machine *m, int hart);
void seek_step_begin(struct machine *m);
void seek_step_turn(struct machine *m);

/* seek_tell.c: a hit in words; before and after a step that is listed. */
void seek_tell_hit(const struct machine *m, const struct seek_hit *hit,
                   struct buf *out);
void seek_list(struct machine *m, int hart);
void seek_listed(struct machine *m, int hart);
void seek_tell_lines(struct machine *m);
void seek_forget_lines(struct seek *s);

#endif
