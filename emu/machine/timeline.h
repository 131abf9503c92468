/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - the machine moving backward through time.
 *
 * From its first step on, a run is kept as a chain of checkpoints in memory
 * (checkpoint.h) and its input log (tap.h). Going to an earlier T is going
 * back to a checkpoint and running again from there, with inputs from the log
 * and without a word to the outside, until the present is reached and the
 * machine is live again.
 *
 * Where searching costs time it is done in pieces, one per turn of the loop:
 * the machine counts as running until it ends with RUN_EVENT_STOPPED, and
 * run_pause brings it back to where it was.
 *
 * What is changed in the past starts another future. The one that was left is
 * kept as a branch.
 */
#ifndef EMU_MACHINE_TIMELINE_H
#define EMU_MACHINE_TIMELINE_H

#include "emu/machine/run.h"

struct buf;
struct err;

/* bytes: what checkpoints may take; 0: time does not go back. */
void timeline_init(struct machine *m, size_t bytes);
void timeline_fini(struct machine *m);
void timeline_forget(struct machine *m); /* another state: a new history */

/* Of run.c and slice.c: the machine is about to run; a slice was run, or a
 * part of one; how many steps are free before history has to be looked at;
 * what is due at this T was done; the machine has stopped. */
void timeline_started(struct machine *m);
void timeline_slice(struct machine *m);
void timeline_relieve(struct machine *m);
uint64_t timeline_free(const struct machine *m);
void timeline_settled(struct machine *m);

void timeline_stopped(struct machine *m);
/* Somebody works with the machine, who may want to go back. */
void timeline_watched(struct machine *m);

/* A search is under way: a piece of it; or an end to it. */
bool timeline_seeks(const struct machine *m);
void timeline_turn(struct machine *m);
void timeline_cancel(struct machine *m);

/* Moving: the machine is stopped, and a stop follows. */
enum timeline_place { TIMELINE_START, TIMELINE_END };
bool timeline_goto(struct machine *m, uint64_t t, struct err *err);
bool timeline_go(struct machine *m, enum timeline_place to, struct err *err);
bool timeline_restart(struct machine *m, const char *name, struct err *err);
/* Backward to the last point that was passed, or by one step of hart. */
bool timeline_reverse(struct machine *m, int hart, bool step, struct err *err);

/* When was this last met? Said with run_say; the machine stays where it is. */
bool timeline_look_back(struct machine *m, const struct point *what,
                        struct err *err);

/* To where the machine stopped before, or after that again. */
bool timeline_back(struct machine *m, bool forward, struct err *err);

/* The last steps of all harts, said line by line; likewise. */
bool timeline_list(struct machine *m, uint64_t steps, struct err *err);

/* A checkpoint with a name; NULL: one is made up. */
bool timeline_mark(struct machine *m, const char *name, struct err *err);

/* Something is about to be changed: if this is the past, a branch begins. */
void timeline_poke(struct machine *m);
bool timeline_switch(struct machine *m, unsigned branch, struct err *err);
bool timeline_drop(struct machine *m, unsigned branch, struct err *err);

/* Where history begins and ends; both are now when there is none. */
uint64_t timeline_begin(const struct machine *m);
uint64_t timeline_end(const struct machine *m);

/* The same, or where the recording ends that is replayed. */
uint64_t timeline_last(const struct machine *m);

bool timeline_past(const struct machine *m); /* inputs come from the log */

/* Text for people: `info timeline`, `info checkpoints`, `timeline list`. */
void timeline_info(const struct machine *m, struct buf *out);
void timeline_marks(const struct machine *m, struct buf *out);
void timeline_branches(const struct machine *m, struct buf *out);

#endif
