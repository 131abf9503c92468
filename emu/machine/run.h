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

#include "emu/machine/machine.h"

struct point;
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

uint64_t run_now(const struct machine *m);   /* T */
int64_t run_virtual_ns(const struct machine *m);
enum run_state run_state(const struct machine *m);
const char *run_state_name(enum run_state s);

/*
 * How to resume. Bits name harts. Harts in step stop the machine after one
 * step each, or, with from < to, once they leave [from, to). Harts in neither
 * are held: that changes the schedule and is an input in the log.
 */
struct run_resume {
    uint64_t run, step; /* masks of harts */
    uint64_t from, to;  /* range of pc for step; equal: a single step */
    int stepped;        /* the hart a debugger looks at; -1: none */
};

bool run_start(struct machine *m, const struct run_resume *how,
               struct err *err); /* NULL how: all harts, as `cont` */
void run_stop(struct machine *m, enum run_state why); /* at this turn's end */

/* Requests: noted now, done at the start of the next turn. */
void run_request_shutdown(struct machine *m, enum shutdown_reason why,
                          int status);
void run_request_reset(struct machine *m, enum shutdown_reason why);
void run_request_powerdown(struct machine *m);
void run_request_debug(struct machine *m);
void run_signal(struct machine *m, int signo, int pid);

/* The first reset, at machine-ready: no event, not an input. */
void run_reset_now(struct machine *m);

/* One turn; false when the machine is to be left: see run_exit_status. */
bool run_turn(struct machine *m);
int run_exit_status(const struct machine *m);
enum shutdown_reason run_shutdown_reason(const struct machine *m);

#endif
