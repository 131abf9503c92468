/* SPDX-License-Identifier: MIT */
/*
 * slice.c - harts taking turns, virtual time, and idling.
 *
 * Everything that happens at one T happens in one order, live and replayed:
 * virtual timers that are due, then inputs, then instructions. Where a slice
 * begins and ends is the host's business and moves none of it.
 *
 * Idle time: when every hart waits, virtual time goes on to the next
 * deadline, with the wall clock (sleep=on) or at once. An input that comes
 * before the deadline is preceded in the log by a "clock" input, which says
 * how far virtual time had come: always short of the deadline, so a replay
 * knows whether the deadline's timers ran before or after.
 */
#include "emu/machine/slice.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/hart/hart.h"
#include "emu/hart/trace.h"
#include "emu/hart/trap.h"
#include "emu/machine/overview.h"
#include "emu/machine/recording.h"
#include "emu/machine/seek.h"
#include "emu/machine/timeline.h"
#include "emu/trans/trans.h"

/* An interrupt handler that does not come back within this many steps has
 * gone elsewhere (a context switch): the step ends where it is. */
enum { OVER_STEPS = 20000000 };

uint64_t run_now(const struct machine *m)
{
    const struct run *r = m->run;

    if (!r)
        return 0;
    if (!r->running)
        return r->clock.t;
    return r->clock.t + hart_steps(r->running) - r->running_from;
}

int64_t run_virtual_ns(const struct machine *m)
{
    const struct run *r = m->run;

    if (!r)
        return 0;
    return (int64_t)(run_now(m) << r->config.shift) + r->clock.idle_ns;
}

/* Idling ------------------------------------------------------------------ */

/* How far the wall clock has carried an idle machine: at most just short of
 * the deadline, whose timers are slice_run's. */
static int64_t idle_progress(const struct machine *m)
{
    const struct run *r = m->run;
    int64_t deadline = loop_deadline(m->loop, LOOP_VIRTUAL);
    int64_t room = deadline - run_virtual_ns(m) - 1;
    int64_t gone = loop_now(m->loop, LOOP_REALTIME) - r->idle_since;

    if (deadline == INT64_MAX)
        return gone > 0 ? gone : 0;
    gone = gone < room ? gone : room;
    return gone > 0 ? gone : 0;
}

/*
 * Virtual time goes to where the log says it was. Deadlines on the way are
 * met: live, they were met before the input that the clock goes with.
 */
void slice_idle_until(struct machine *m, int64_t target)
{
    struct run *r = m->run;
    int64_t gap;

    for (;;) {
        gap = loop_deadline(m->loop, LOOP_VIRTUAL) - run_virtual_ns(m);
        if (gap < 0 || target - r->clock.idle_ns < gap)
            break;
        r->clock.idle_ns += gap;
        if (!loop_run_timers(m->loop, LOOP_VIRTUAL))
            break;
    }
    if (target > r->clock.idle_ns)
        r->clock.idle_ns = target;
}

void slice_clock_delivered(void *machine, const void *data, size_t len)
{
    int64_t target;

    if (len != sizeof target)
        return;
    memcpy(&target, data, len);
    slice_idle_until(machine, target);
}

static bool can_run(const struct machine *m, unsigned n)
{
    const struct hart *h = m->hart[n];

    if (m->run->clock.held >> n & 1)
        return false;
    return !h->waiting || hart_wakes(h);
}

static bool anyone_can_run(const struct machine *m)
{
    for (int n = 0; n < m->harts; n++)
        if (can_run(m, (unsigned)n))
            return true;
    return false;
}

/*
 * A debugger may stop a hart in front of the first instruction of a handler,
 * with the interrupt taken at a T at which inputs are still to come. Undebugged
 * they come before the interrupt: so who gives an input then has to say that
 * it came after.
 */
static bool took(const struct hart *h) { return h->interrupted_at == h->steps; }

void slice_took_delivered(void *machine, const void *data, size_t len)
{
    struct machine *m = machine;
    uint64_t harts;

    if (len != sizeof harts)
        return;
    memcpy(&harts, data, len);
    for (int n = 0; n < m->harts; n++) {
        struct hart *h = m->hart[n];

        if (!(harts >> n & 1))
            continue;
        if (!took(h))
            trap_interrupt(h);
        h->interrupted_at = UINT64_MAX;
    }
}

static void tell_taken(struct machine *m)
{
    struct run *r = m->run;
    uint64_t harts = 0;

    for (int n = 0; n < m->harts; n++)
        if (took(m->hart[n]))
            harts |= UINT64_C(1) << n;
    if (!harts)
        return;
    r->telling_time = true;
    tap_put(m->tap, r->source_took, &harts, sizeof harts);
    r->telling_time = false;
}

/*
 * The tap asks for T when an input comes, before it logs it. If every hart
 * waits then, the clock's own input goes first.
 */
uint64_t slice_tap_now(void *machine)
{
    struct machine *m = machine;
    struct run *r = m->run;

    if (r->telling_time || tap_replaying(m->tap))
        return run_now(m);
    if (!r->running) { /* timers that are due at this T come before inputs */
        loop_run_timers(m->loop, LOOP_VIRTUAL);
        tell_taken(m);
    }
    if (m->harts && !anyone_can_run(m)) {
        int64_t idle_ns = r->clock.idle_ns;

        if (r->idle)
            idle_ns += idle_progress(m);
        r->idle = false;
        r->telling_time = true;
        tap_put(m->tap, r->source_clock, &idle_ns, sizeof idle_ns);
        r->telling_time = false;
    }
    return run_now(m);
}

/* What the next instruction has to ignore so that a point is passed. A catch
 * of a trap or of a mode comes after it: there is nothing to pass. */
static uint8_t passing(uint32_t kind, uint32_t event)
{
    if (kind == HART_STOP_BREAK || kind == HART_STOP_SEMIHOST)
        return SKIP_BREAKS;
    if (kind == HART_STOP_CATCH &&
        !(event & (POINT_CSR | POINT_DEVICE | POINT_UNMAPPED)))
        return 0;
    return SKIP_ALL;
}

/*
 * A point that was reported is passed, once and by that hart; one that was
 * merely stepped to, or set since, is not. A breakpoint comes first and a
 * watchpoint on the same instruction after it.
 */
static uint8_t skipped(const struct machine *m, const struct run_stop *stop)
{
    if (stop->reason != RUN_STOP_BREAK && stop->reason != RUN_STOP_WATCH &&
        stop->reason != RUN_STOP_CATCH && stop->reason != RUN_STOP_CALL)
        return 0;
    if (m->hart[stop->hart]->pc != m->run->stop_pc || stop->device[0])
        return 0;
    return passing(stop->hit.kind, stop->hit.event);
}

void slice_started(struct machine *m)
{
    struct run *r = m->run;

    memset(r->over, 0, sizeof r->over);
    r->idle = false;
    if (r->stop.hart >= 0)
        m->hart[r->stop.hart]->skip_points = skipped(m, &r->stop);
}

void slice_ended(struct machine *m)
{
    m->run->idle = false;
    for (int n = 0; n < m->harts; n++)
        m->hart[n]->skip_points = 0;
}

/* Goes to the next deadline, if it is time; false: the loop has to wait. */
static bool pass_idle_time(struct machine *m)
{
    struct run *r = m->run;
    int64_t deadline = loop_deadline(m->loop, LOOP_VIRTUAL);
    int64_t now = loop_now(m->loop, LOOP_REALTIME);

    if (!r->idle) {
        r->idle = true;
        r->idle_since = now;
    }
    if (deadline == INT64_MAX)
        return false;
    int64_t gap = deadline - run_virtual_ns(m);
    if (r->config.sleep && !tap_replaying(m->tap) && now - r->idle_since < gap)
        return false;
    r->idle = false;
    if (gap > 0)
        r->clock.idle_ns += gap;
    return true;
}

int64_t slice_wait_ns(const struct machine *m)
{
    const struct run *r = m->run;

    if (r->stop_due || r->shutdown || r->reset || timeline_seeks(m))
        return 0;
    if (r->state != RUN_RUNNING)
        return -1;
    if (!r->idle || anyone_can_run(m))
        return 0;
    int64_t deadline = loop_deadline(m->loop, LOOP_VIRTUAL);
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - run_virtual_ns(m) -
                   (loop_now(m->loop, LOOP_REALTIME) - r->idle_since);
    return left > 0 ? left : 0;
}

/* Turns ------------------------------------------------------------------- */

static void next_turn(struct machine *m)
{
    struct run_clock_state *c = &m->run->clock;

    if (m->harts > 1)
        hart_yielded(m->hart[c->turn]);
    c->turn = (c->turn + 1) % (uint32_t)m->harts;
    c->left = RUN_QUANTUM;
}

/* done steps of a turn; who is alone goes right on with the next one. */
static void turn_passes(struct machine *m, uint64_t done)
{
    struct run_clock_state *c = &m->run->clock;

    if (m->harts > 1 || done < c->left)
        c->left -= (uint32_t)done;
    else
        c->left = RUN_QUANTUM - (uint32_t)((done - c->left) % RUN_QUANTUM);
}

/* Steps until the next virtual deadline, at least one. */
static uint64_t steps_to_deadline(const struct machine *m)
{
    const struct run *r = m->run;
    int64_t deadline = loop_deadline(m->loop, LOOP_VIRTUAL);
    uint64_t ns;

    if (deadline == INT64_MAX)
        return UINT64_MAX;
    ns = (uint64_t)(deadline - run_virtual_ns(m));
    return (ns + (UINT64_C(1) << r->config.shift) - 1) >> r->config.shift;
}

static uint64_t min(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* How many steps can be done before anything else has to happen. */
static uint64_t steps_free(const struct machine *m, uint64_t slice)
{
    uint64_t n = m->harts > 1 ? min(slice, m->run->clock.left) : slice;

    n = min(n, steps_to_deadline(m));
    n = min(n, timeline_free(m));
    n = min(n, recording_free_steps(m));
    return min(n, tap_next(m->tap) - m->run->clock.t);
}

/* The first reason of several counts. */
static void stop_at(struct machine *m, int hart, struct run_stop stop)
{
    if (m->run->stop_due)
        return;
    stop.hart = hart;
    m->run->stop = stop;
    m->run->stop_due = true;
}

/* What is told of a point: its code may have gone by then. */
static struct point told(const struct point *p)
{
    struct point copy = { 0 };

    if (p)
        copy = *p; /* a call is none */
    copy.when = copy.commands = (struct bytecodes){ NULL, 0 };
    return copy;
}

struct run_stop run_stop_of(const struct machine *m, int n)
{
    static const enum run_stop_reason reasons[] = {
        [HART_STOP_BREAK] = RUN_STOP_BREAK,
        [HART_STOP_WATCH] = RUN_STOP_WATCH,
        [HART_STOP_CATCH] = RUN_STOP_CATCH,
        [HART_STOP_SEMIHOST] = RUN_STOP_CALL,
    };
    const struct hart_stop *s = &m->hart[n]->stop;
    struct run_stop stop = { .reason = reasons[s->kind],
                             .hart = n,
                             .point = told(s->point),
                             .hit = *s };

    stop.hit.point = NULL;
    return stop;
}

/* A point was hit in the middle of things. */
static void report_point(struct machine *m, int n, struct hart *h)
{
    struct run_stop stop = run_stop_of(m, n);

    h->stop.kind = HART_STOP_NONE;
    h->stop.point = NULL;
    m->run->stop_pc = h->pc;
    m->run->stop_t = m->run->clock.t;
    h->attention &= ~(uint32_t)ATTN_STOP;
    stop_at(m, n, stop);
}

/* A device touches memory that a physical watchpoint is for. */
void slice_dma(void *machine, const char *by, uint64_t pa, size_t len,
               bool write)
{
    struct machine *m = machine;
    struct run *r = m->run;
    struct run_stop stop = { .reason = RUN_STOP_WATCH };
    const struct point *p;

    if (r->state != RUN_RUNNING || r->stop_due)
        return;
    stop.hit.access = write ? POINT_WRITE : POINT_READ;
    p = points_watch(m->points, NULL, pa, len, stop.hit.access, POINT_PHYS,
                     &stop.hit.pa);
    if (!p)
        return;
    stop.point = told(p);
    stop.hit.kind = HART_STOP_WATCH;
    stop.hit.addr = stop.hit.pa;
    snprintf(stop.device, sizeof stop.device, "%s", by);
    stop.hart = (int)r->clock.turn;
    if (r->quiet) {
        seek_met_dma(m, &stop);
        return;
    }
    stop_at(m, (int)r->clock.turn, stop);
    if (r->running)
        r->running->attention |= ATTN_YIELD;
}

/*
 * Stepping a hart. An interrupt that comes now does not belong to the step:
 * its handler runs until the hart is back where it was.
 */
static void begin_over(struct run_over *o, const struct hart *h)
{
    if (o->on || !hart_interrupted(h))
        return;
    o->on = true;
    o->pc = h->pc;
    o->sp = h->x[2];
    o->priv = h->priv;
    o->limit = h->steps + OVER_STEPS;
}

static bool still_over(struct run_over *o, const struct hart *h)
{
    if (!o->on)
        return false;
    if (h->pc == o->pc && h->x[2] == o->sp && h->priv == o->priv) {
        o->on = false; /* back: the step itself is still to be done */
        return true;
    }
    return h->steps < o->limit;
}

static void step_done(struct machine *m, int n, const struct hart *h)
{
    struct run *r = m->run;

    if (still_over(&r->over[n], h))
        return;
    if (h->pc >= r->resume.from && h->pc < r->resume.to)
        return;
    stop_at(m, n, (struct run_stop){ .reason = RUN_STOP_STEP });
}

/* Can stepping go on in one go? A single step, an interrupt handler and what
 * a point was reported for are done a step at a time. */
static bool is_ranging(const struct machine *m, unsigned turn)
{
    const struct run *r = m->run;
    const struct hart *h = m->hart[turn];

    return !r->over[turn].on && !h->skip_points && !trace_on() &&
           h->pc >= r->resume.from && h->pc < r->resume.to;
}

static uint64_t run_freely(struct machine *m, struct hart *h, uint64_t n)
{
    if (trace_on())
        return trace_run(h, n);
    return m->trans ? trans_run(h, n) : hart_run(h, n);
}

/* Steps of a hart that is stepped: one, or as many as are in the range. */
static uint64_t run_stepping(struct machine *m, unsigned turn, uint64_t n)
{
    const struct run_resume *how = &m->run->resume;
    struct hart *h = m->hart[turn];

    begin_over(&m->run->over[turn], h);
    if (!is_ranging(m, turn))
        return run_freely(m, h, 1);
    if (m->trans)
        return trans_run_range(h, n, how->from, how->to);
    return hart_run_range(h, n, how->from, how->to);
}

/* A search does not stop at points: it notes them and goes on. */
static void pass_point(struct hart *h)
{
    h->skip_points = passing(h->stop.kind, h->stop.event);
    h->stop.kind = HART_STOP_NONE;
    h->stop.point = NULL;
    h->attention &= ~(uint32_t)ATTN_STOP;
}

/*
 * A point came before the hart's first step: the turn is as it was, so that
 * what is put in now finds the machine as it will when this is run again.
 */
static void met_point(struct machine *m, int n, uint64_t done)
{
    struct run *r = m->run;

    if (r->quiet && !seek_met(m, n)) {
        pass_point(m->hart[n]);
        return;
    }
    report_point(m, n, m->hart[n]);
    if (done)
        return;
    r->clock.turn = r->turn;
    r->clock.left = r->left;
}

static uint64_t run_steps(struct machine *m, struct hart *h, uint64_t n)
{
    struct run *r = m->run;
    unsigned turn = r->clock.turn;
    uint64_t done;

    r->running_from = hart_steps(h);
    r->running = h;
    done = !r->quiet && r->resume.step >> turn & 1 ? run_stepping(m, turn, n)
                                                   : run_freely(m, h, n);
    if (m->overview && !tap_past(m->tap))
        overview_ran(m, h);
    r->running = NULL;
    r->clock.t += done;
    turn_passes(m, done);
    if (done)
        r->ran[turn] = r->clock.t;
    return done;
}

/* The step was to take an interrupt. */
static void stop_inside(struct machine *m, int n, struct hart *h)
{
    if (h->stop.kind != HART_STOP_NONE)
        report_point(m, n, h);
    stop_at(m, n, (struct run_stop){ .reason = RUN_STOP_STEP });
}

/* Lets the hart whose turn it is run for at most n steps. */
static void run_hart(struct machine *m, uint64_t n)
{
    struct run *r = m->run;
    unsigned turn = r->clock.turn;
    struct hart *h = m->hart[turn];
    bool stepping = !r->quiet && r->resume.step >> turn & 1;
    uint64_t done;

    if (stepping && r->resume.irq == RUN_IRQ_INTO && trap_interrupt(h)) {
        stop_inside(m, (int)turn, h);
        return;
    }
    if (r->one_by_one) {
        seek_step(m, (int)turn);
        done = run_steps(m, h, 1);
        seek_stepped(m, (int)turn);
    } else {
        done = run_steps(m, h, n);
    }
    if (h->stop.kind != HART_STOP_NONE) {
        met_point(m, (int)turn, done);
        return;
    }
    if (stepping && done)
        step_done(m, (int)turn, h);
    if (!r->clock.left || (h->waiting && !hart_wakes(h)))
        next_turn(m);
}

static void settled(struct machine *m)
{
    timeline_settled(m);
    recording_settled(m);
}

/* Timers, then inputs, at this T. */
static void deliver(struct machine *m)
{
    loop_run_timers(m->loop, LOOP_VIRTUAL);
    settled(m);
    while (tap_next(m->tap) == run_now(m)) {
        tap_deliver(m->tap);
        settled(m);
    }
}

/* False when nobody can run now. */
static bool settle(struct machine *m)
{
    for (;;) {
        deliver(m);
        if (m->run->stop_due)
            return false; /* a device's access was watched for */
        if (anyone_can_run(m))
            break;
        if (!pass_idle_time(m))
            return false;
    }
    m->run->turn = m->run->clock.turn;
    m->run->left = m->run->clock.left;
    while (!can_run(m, m->run->clock.turn))
        next_turn(m);
    m->run->idle = false;
    return true;
}

static void run_until(struct machine *m, uint64_t end)
{
    struct run *r = m->run;

    assert(m->harts);
    while (!r->stop_due && !r->shutdown && !r->reset && r->clock.t < end) {
        if (!settle(m))
            return;
        run_hart(m, steps_free(m, end - r->clock.t));
        timeline_relieve(m);
    }
    loop_run_timers(m->loop, LOOP_VIRTUAL);
}

void slice_run(struct machine *m)
{
    struct run *r = m->run;

    run_until(m, min(r->clock.t + RUN_SLICE, r->until));
    if (r->clock.t >= r->until && !r->stop_due)
        stop_at(m, (int)r->clock.turn,
                (struct run_stop){ .reason = RUN_STOP_TIME });
}

void slice_again(struct machine *m, uint64_t until, uint64_t steps)
{
    struct run *r = m->run;
    uint64_t end = min(until, r->clock.t + steps);
    uint32_t log = log_mask;

    log_mask = 0; /* it was all said the first time */
    r->quiet = true;
    points_quiet(m->points, true);
    while (r->clock.t < end && !r->stop_due) {
        run_until(m, end);
        if (r->reset)
            run_reset_now(m);
        r->reset = SHUTDOWN_NONE;
    }
    points_quiet(m->points, false);
    r->quiet = false;
    log_mask = log;
}

void slice_arrive(struct machine *m) { deliver(m); }
