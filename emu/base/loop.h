/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the event loop: one select() over file descriptors, timers on
 * named clocks, and bottom halves.
 *
 * One thread turns it. A turn: wait (if asked to) until a descriptor is
 * ready, the nearest realtime or host timer is due, or a bottom half is
 * scheduled; then callbacks of descriptors, then bottom halves, then realtime
 * and host timers, in order of deadline, then of creation. Timers on the
 * virtual clock are run by the machine, which alone knows that time:
 * loop_run_timers(loop, LOOP_VIRTUAL).
 *
 * Any callback may add and remove handlers, timers and bottom halves, its own
 * included. Nothing here blocks on a write.
 */
#ifndef EMU_BASE_LOOP_H
#define EMU_BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct timer;
struct bh;

enum loop_clock {
    LOOP_REALTIME, /* monotonic host ns; runs while the machine is stopped */
    LOOP_VIRTUAL,  /* guest ns: a function of the instruction count */
    LOOP_HOST,     /* wall clock, ns since the epoch; may jump */
    LOOP_CLOCKS
};

typedef void loop_fn(void *opaque);
typedef size_t loop_can_fn(void *opaque); /* bytes that would be taken now */
typedef int64_t loop_now_fn(void *opaque);

struct loop *loop_new(void);
void loop_free(struct loop *l); /* timers and bottom halves left go with it */

/*
 * Sets the handler of fd, or removes it when read and write are both NULL.
 * fd is watched for reading only while can (NULL: always) says more than 0.
 * False when fd does not fit in an fd_set.
 */
bool loop_fd(struct loop *l, int fd, loop_can_fn *can, loop_fn *read,
             loop_fn *write, void *opaque);

/* Where the virtual clock comes from; before that it stands at 0. */
void loop_virtual_clock(struct loop *l, loop_now_fn *now, void *opaque);
int64_t loop_now(struct loop *l, enum loop_clock clock);

/* name is for `info phase` and for debugging; it is not copied. */
struct timer *timer_new(struct loop *l, enum loop_clock clock, const char *name,
                        loop_fn *fn, void *opaque);
void timer_free(struct timer *t);                 /* NULL is allowed */
void timer_set(struct timer *t, int64_t when_ns); /* one shot */
void timer_del(struct timer *t);
bool timer_pending(const struct timer *t);
int64_t timer_expires(const struct timer *t); /* INT64_MAX when not pending */

/* The earliest deadline on clock, INT64_MAX if there is none. */
int64_t loop_deadline(const struct loop *l, enum loop_clock clock);

/* Called whenever a virtual timer is set: the machine shortens its slice. */
void loop_on_virtual_set(struct loop *l, loop_fn *fn, void *opaque);

/* Fires what is due on clock now, earliest first; true if anything fired. A
 * timer set to a time gone by from a callback waits for the next call. */
bool loop_run_timers(struct loop *l, enum loop_clock clock);

/*
 * Bottom halves: a call put off until the loop turns. bh_schedule is
 * wait-free and may be called from any thread and from a signal handler;
 * scheduled twice before it runs, it runs once.
 */
struct bh *bh_new(struct loop *l, const char *name, loop_fn *fn, void *opaque);
void bh_schedule(struct bh *b);
void bh_cancel(struct bh *b);
void bh_free(struct bh *b); /* NULL is allowed; also from its own callback */

/* Runs fn once, as a bottom half in the loop's thread, when signo arrives;
 * fn NULL gives the signal back to whoever had it before. */
void loop_signal(struct loop *l, int signo, loop_fn *fn, void *opaque);

/* One turn. timeout_ns: 0 polls, -1 waits. True if anything was called. */
bool loop_turn(struct loop *l, int64_t timeout_ns);

/* Ends a wait; any thread, signal handlers too. */
void loop_kick(struct loop *l);

/* The nth timer, in no particular order; false: there are not so many. */
struct loop_timer {
    const char *name;
    enum loop_clock clock;
    int64_t expires; /* INT64_MAX when not pending */
};
bool loop_timer(const struct loop *l, size_t n, struct loop_timer *out);

/* What exists now, for `info phase`. */
struct loop_counts {
    int fds, timers, bhs, signals;
};
struct loop_counts loop_counts(const struct loop *l);

#endif
