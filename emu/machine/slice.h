/* SPDX-License-Identifier: MIT */
/*
 * slice.h - one slice of harts: the part of run.c that makes time pass.
 *
 * Private to this room: struct run, and how slice.c serves run.c.
 */
#ifndef EMU_MACHINE_SLICE_H
#define EMU_MACHINE_SLICE_H

#include "emu/machine/run.h"

enum { RUN_LISTENERS = 8 };

/* Where in time the machine is: state, saved with everything else. */
struct run_clock_state {
    uint64_t t;      /* steps of all harts, the running one's slice not yet */
    int64_t idle_ns; /* virtual time that passed while every hart waited */
    uint64_t held;   /* harts that a debugger keeps from running */
    uint32_t turn;   /* whose quantum it is */
    uint32_t left;   /* steps left of it */
};

/* A step that an interrupt came into: where it goes on. */
struct run_over {
    uint64_t pc, sp;
    uint64_t limit; /* give up at this count of the hart's steps */
    uint8_t priv;
    bool on;
};

struct run {
    struct run_clock_state clock;
    struct run_clock config;
    enum run_state state;
    struct run_resume resume;
    struct run_stop stop; /* the last one */
    struct run_over over[MAX_HARTS];
    enum run_irq irq_mode;

    /* Requests. */
    bool stop_due; /* a hart stopped: stop says why */
    bool powerdown;
    enum shutdown_reason shutdown, reset;
    int status, signo;

    /* Within a slice. */
    struct hart *running;  /* NULL: none */
    uint64_t running_from; /* its steps when it began */
    uint64_t stop_pc;      /* where a hart reported a point */
    uint64_t stop_t;       /* and at which T: in the middle of its step */
    uint32_t turn, left;   /* as they were before settling */

    /* Where a run ends by itself, and running again: see timeline.h. */
    uint64_t until;            /* T; UINT64_MAX: nowhere */
    uint64_t ran[MAX_HARTS];   /* T after each hart's last step */
    bool quiet;                /* a search: points are its, not the user's */
    bool one_by_one;           /* it looks at every step */
    uint64_t told_t;           /* where a watchpoint was told going back */
    struct timeline *timeline; /* NULL: off */

    /* While every hart waits. */
    bool idle;
    bool telling_time;  /* the clock's own input is on its way */
    int64_t idle_since; /* LOOP_REALTIME ns */

    int source_clock, source_reset, source_held, source_wake, source_mask;
    int source_took;
    int listeners;
    struct {
        run_listen_fn *fn;
        void *opaque;
    } listener[RUN_LISTENERS];
};

void slice_started(struct machine *m); /* the machine starts running */
void slice_ended(struct machine *m);   /* it was stopped */
void slice_run(struct machine *m);

/* mem's listener for DMA (mem.h): machine is the opaque. */
void slice_dma(void *machine, const char *by, uint64_t pa, size_t len,
               bool write);

/*
 * Runs again what has been: at most steps, not beyond until, with nobody
 * listening. A reset that the guest asks for is done on the way.
 */
void slice_again(struct machine *m, uint64_t until, uint64_t steps);

/* T was reached in the past: what came at this T has come. */
void slice_arrive(struct machine *m);

/* Idle time passes up to where it was; what is due on the way happens. */
void slice_idle_until(struct machine *m, int64_t target);

/* How long the loop may sleep before slice_run has work: 0, ns, or -1. */
int64_t slice_wait_ns(const struct machine *m);

/* What stopped a hart, as listeners are told. */
struct run_stop run_stop_of(const struct machine *m, int n);

/* Of run.c, for seek.c: a search counts as running and ends with a stop. And
 * for timeline.c: the machine is live again, debuggers may hold harts. */
void run_seek_started(struct machine *m);
void run_seek_stopped(struct machine *m, const struct run_stop *stop);
void run_live(struct machine *m);

/* The tap's "took" source: machine is the opaque. */
void slice_took_delivered(void *machine, const void *data, size_t len);

/* The tap's clock: T; and its "clock" source. */
uint64_t slice_tap_now(void *machine);
void slice_clock_delivered(void *machine, const void *data, size_t len);

#endif
