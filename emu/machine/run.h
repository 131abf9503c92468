/* SPDX-License-Identifier: MIT */
/*
 * run.h - the machine moving forward through time.
 *
 * T counts the steps of all harts. Virtual time is (T << shift) ns plus the
 * time that passed while every hart waited. Harts take turns in a fixed round
 * robin, RUN_QUANTUM steps each; a hart that waits gives up its turn. Slices
 * (how long harts run before the event loop turns) are cut at any T and
 * change nothing that the guest can see.
 *
 * run_turn is one turn of the main loop: requests, in QEMU's order (debug,
 * suspend, shutdown, reset, wakeup, powerdown, vmstop), then descriptors,
 * timers and bottom halves, then one slice of harts.
 */
#ifndef EMU_MACHINE_RUN_H
#define EMU_MACHINE_RUN_H

#include "emu/hart/hart.h"
#include "emu/hart/points.h"
#include "emu/machine/machine.h"

struct err;

#ifdef HOSTILE
enum { RUN_SLICE = 1 };
#else
enum { RUN_SLICE = 200000 }; /* steps; about a millisecond of host time */
#endif
enum { RUN_QUANTUM = 10000 };

struct run_clock {
    unsigned shift; /* -icount shift: one step is 2^shift ns */
    bool sleep;     /* idle waits for the wall clock; else jumps */
};

bool run_init(struct machine *m, const struct run_clock *clock);
void run_fini(struct machine *m);

/* Joins a hart to the round robin; called in order of hart number. */
void run_add_hart(struct machine *m, struct hart *h);

const struct run_clock *run_config(const struct machine *m);

/* The state was replaced: forgets the log, and all that hung on the old one. */
void run_loaded(struct machine *m);

uint64_t run_now(const struct machine *m); /* T */
int64_t run_virtual_ns(const struct machine *m);
bool run_is_bound(const struct machine *m); /* it runs, to a certain T */
enum run_state run_state(const struct machine *m);
const char *run_state_name(enum run_state s);

/*
 * How to resume. Bits name harts. Harts in step stop the machine after one
 * step each, or, with from < to, once their pc leaves [from, to). Harts in
 * neither mask are held: that changes the schedule and so is
 * an input in the log.
 */
struct run_resume {
    uint64_t run, step; /* masks of harts */
    uint64_t from, to;  /* range of pc for step; equal: a single step */
    uint32_t irq;       /* enum run_irq */
};

enum run_stop_reason {
    RUN_STOP_NONE, /* never ran */
    RUN_STOP_STEP,
    RUN_STOP_BREAK,
    RUN_STOP_WATCH,
    RUN_STOP_PAUSE,
    RUN_STOP_SHUTDOWN, /* the guest is off and -no-shutdown keeps us here */
    RUN_STOP_RESET,    /* a stopped machine was reset */
    RUN_STOP_CATCH,
    RUN_STOP_CALL,  /* a debugger is to answer: fileio.h */
    RUN_STOP_TIME,  /* T is what was asked for */
    RUN_STOP_BEGIN, /* going back came to where history begins */
    RUN_STOP_END,   /* a recording ends here */
};

struct run_stop {
    enum run_stop_reason reason;
    int hart;           /* who stopped, or whose turn it is; -1 without harts */
    struct point point; /* a copy, without conditions: BREAK, WATCH, CATCH */
    struct hart_stop hit; /* how it was hit; its point is not to be used */
    char device[32];      /* WATCH: whose DMA it was, "": a hart's access */
};

enum run_event_kind {
    RUN_EVENT_STOPPED,
    RUN_EVENT_RUNNING,
    RUN_EVENT_RESET,
    RUN_EVENT_EXIT,
    RUN_EVENT_LOADED, /* another state: a new history begins at its T */
    RUN_EVENT_SAY,    /* something to say to whoever debugs */
};

struct run_event {
    enum run_event_kind kind;
    struct run_stop stop;
    int status;       /* EXIT */
    const char *text; /* SAY: a line */
};

typedef void run_listen_fn(void *opaque, const struct run_event *e);
void run_listen(struct machine *m, run_listen_fn *fn, void *opaque);

/*
 * An interrupt that comes into a step. OVER: its handler is run and the step
 * goes on when the hart is back. INTO: taking it is the step. MASK: it waits
 * for the end of the step; that changes what the guest does, so it is an input
 * in the log, and while replaying as OVER. SET: as run_irq_mode says.
 */
enum run_irq { RUN_IRQ_SET, RUN_IRQ_OVER, RUN_IRQ_INTO, RUN_IRQ_MASK };
enum run_irq run_irq_mode(struct machine *m, enum run_irq set); /* SET: ask */

/* NULL how: all harts, as `cont`. False: a reset is required first. */
bool run_resume(struct machine *m, const struct run_resume *how,
                struct err *err);

/* As it was resumed last. */
bool run_resume_again(struct machine *m, struct err *err);

/* Stops now (it is never called from within a slice). */
void run_pause(struct machine *m, enum run_state why);
/* Within a slice, between instructions: stops, since a recording ends here. */
void run_stop_at_end(struct machine *m);

/* The same for one that may be stopped already. */
void run_stand(struct machine *m, enum run_state why);
void run_last_stop(const struct machine *m, struct run_stop *out);

/* Tells the listeners a line of text. */
void run_say(struct machine *m, const char *text);

/* Requests: noted now, done at the start of the next turn. */
void run_request_shutdown(struct machine *m, enum shutdown_reason why,
                          int status);
void run_request_reset(struct machine *m, enum shutdown_reason why);
void run_request_powerdown(struct machine *m);

/* SIGTERM and its like: a shutdown request that says who sent it. */
void run_signal(struct machine *m, int signo);

/* Resets devices, images and harts now; the first reset and gdb's vRun. */
void run_reset_now(struct machine *m);

/* The same from outside, now, as an input; false while replaying. */
bool run_reset_input(struct machine *m);

/* One turn; false when the machine is to be left: see run_exit_status. */
bool run_turn(struct machine *m);
int run_exit_status(const struct machine *m);

#endif
