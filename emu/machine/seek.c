/* SPDX-License-Identifier: MIT */
/*
 * seek.c - looking for a place in the past, in pieces.
 *
 * Backward to the last point: the newest stretch between two checkpoints is
 * run again up to where the search began, the last step included, and points
 * are noted as they are met, without stopping. The last one wins. If there is
 * none, the stretch before is next. Then the machine is brought to that T,
 * and stops as it does when it comes there forward.
 *
 * A watchpoint is met before its access, and going back stops after it: gdb
 * steps back over the access by itself (facts/gdb.md section 0.3).
 */
#include "emu/machine/seek.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/hart/hart.h"
#include "emu/machine/recording.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"

enum {
    SAY_NS = 1000000000,
#ifdef HOSTILE
    MANY = 4,
#else
    MANY = 4096, /* points that are met, and the next ones may be skipped */
#endif
};

static struct seek *seek_of(const struct machine *m)
{
    return &m->run->timeline->seek;
}

static void say_progress(struct machine *m)
{
    struct seek *s = seek_of(m);
    int64_t now = loop_now(m->loop, LOOP_REALTIME);
    char text[80];

    if (now - s->said_ns < SAY_NS)
        return;
    s->said_ns = now;
    snprintf(text, sizeof text, "searching: T=%" PRIu64 " of %" PRIu64 "\n",
             run_now(m), s->from);
    run_say(m, text);
}

bool seek_advance(struct machine *m, uint64_t until)
{
    slice_again(m, until, RUN_SLICE);
    timeline_slice(m);
    say_progress(m);
    return run_now(m) >= until || m->run->stop_due;
}

struct checkpoint *seek_stand(struct machine *m)
{
    struct chain *c = m->run->timeline->chain;
    struct checkpoint *k;

    slice_arrive(m);
    k = chain_take(c);
    chain_thin(c);
    timeline_horizon(m);
    return k;
}

/* To a checkpoint -------------------------------------------------------------- */

static size_t index_of(const struct chain *c, const struct checkpoint *k)
{
    size_t n = 0;

    while (n < chain_count(c) && chain_nth(c, n) != k)
        n++;
    return n;
}

static void place(struct machine *m, const struct checkpoint *k)
{
    const struct chain *c = m->run->timeline->chain;
    size_t n = index_of(c, k);

    if (n < chain_count(c))
        timeline_restore(m, n);
}

/* The end of it -------------------------------------------------------------- */

static void finish(struct machine *m, struct run_stop stop)
{
    m->run->stop_due = false;
    if (seek_of(m)->as_stopped)
        stops_arrived(m, &stop);
    timeline_done(m);
    run_seek_stopped(m, &stop);
}

/* Looking back ends where it began. */
static void tell_hit(struct machine *m, const char *text)
{
    struct seek *s = seek_of(m);

    place(m, s->origin);
    run_say(m, text);
    finish(m, s->stop);
}

static void tell_found(struct machine *m)
{
    struct buf b = { 0 };

    seek_tell_hit(m, &seek_of(m)->hit, &b);
    tell_hit(m, buf_text(&b));
    buf_free(&b);
}

void seek_begin_of_history(struct machine *m)
{
    if (seek_of(m)->looking) {
        tell_hit(m, "not since history begins\n");
        return;
    }
    timeline_restore(m, 0);
    finish(m, (struct run_stop){ .reason = RUN_STOP_BEGIN,
                                 .hart = seek_of(m)->hart });
}

/* Landing --------------------------------------------------------------------- */

static void land_on(struct machine *m, uint64_t target)
{
    struct seek *s = seek_of(m);
    struct chain *c = m->run->timeline->chain;
    size_t n = chain_before(c, target);

    s->kind = SEEK_LAND;
    s->tracking = false;
    s->target = target;
    s->met = 0;
    if (n != chain_here(c) || run_now(m) > target)
        timeline_restore(m, n);
}

void seek_land(struct machine *m, uint64_t t, struct run_stop stop)
{
    seek_of(m)->stop = stop;
    seek_of(m)->want.t = UINT64_MAX;
    land_on(m, t);
}

static void land_on_hit(struct machine *m)
{
    struct seek *s = seek_of(m);
    struct seek_hit hit = s->hit;

    if (hit.after || !hit.met) {
        seek_land(m, hit.t + hit.after, hit.stop);
        return;
    }
    s->want = hit;
    land_on(m, hit.t);
}

/* The point is met once more, on the way or at the end of it, and this time
 * it stops. */
static void land(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (run_now(m) < s->target && !seek_advance(m, s->target))
        return;
    if (!seek_none(&s->want) && !m->run->stop_due)
        slice_again(m, s->target + 1, 1);
    finish(m, m->run->stop_due ? m->run->stop : s->stop);
}

/* Looking through a stretch ----------------------------------------------------- */

static void note(struct seek *s, struct seek_hit hit)
{
    if (s->looking && hit.stop.point.owner != s)
        return;
    if (s->told && hit.t + hit.after == s->from)
        return;
    if (hit.t == s->hit.t)
        hit.nth = s->hit.nth + 1;
    s->hit = hit;
    s->skip.met++;
}

bool seek_met(struct machine *m, int hart)
{
    struct seek *s = seek_of(m);
    struct seek_hit hit = { .t = m->run->clock.t, .nth = 1, .met = true };

    if (s->kind == SEEK_LAND)
        return hit.t == s->want.t && ++s->met == s->want.nth;
    hit.stop = run_stop_of(m, hart);
    hit.after = hit.stop.reason == RUN_STOP_WATCH;
    hit.pc = m->hart[hart]->pc;
    note(s, hit);
    return false;
}

void seek_met_dma(struct machine *m, const struct run_stop *stop)
{
    struct seek *s = seek_of(m);
    struct seek_hit hit = { .t = run_now(m), .nth = 1, .stop = *stop };

    hit.after = m->run->running;
    if (s->kind == SEEK_BACK || s->kind == SEEK_STEP)
        note(s, hit);
}

static void next_stretch(struct machine *m)
{
    struct seek *s = seek_of(m);
    struct chain *c = m->run->timeline->chain;
    size_t n = chain_before(c, s->high);

    if (chain_nth(c, n)->pos.t >= s->high) {
        seek_begin_of_history(m);
        return;
    }
    timeline_restore(m, n);
    s->low = s->skip.from = run_now(m);
    s->skip.met = 0;
    s->hit.t = UINT64_MAX;
}

/*
 * Only the last one counts. Where very many are met, the machine goes on without
 * points to near the end of the stretch, and only there are they looked for
 * again. If there is none then, what was skipped is looked through after all.
 */
static bool is_worth_it(const struct machine *m)
{
    const struct seek *s = seek_of(m);
    uint64_t now = run_now(m);

    return s->skip.met > MANY && !s->skip.here && !s->skip.thorough &&
           s->high - now > 4 * (now - s->skip.from);
}

static void skip_on(struct machine *m)
{
    struct seek *s = seek_of(m);
    uint64_t now = run_now(m), leg = now - s->skip.from,
             least = (s->high - now) / 64;

    s->skip.to = s->high - (leg > least ? leg : least);
    s->skip.last = s->hit;
    s->skip.here = seek_stand(m);
    s->skip.here->kept = true;
    s->skip.now = true;
    points_mute(m->points, true);
}

static void skip_off(struct machine *m)
{
    seek_stand(m);
    seek_of(m)->skip.now = false;
    points_mute(m->points, false);
}

/* Nothing was met behind what was skipped. */
static void look_through_skipped(struct machine *m)
{
    struct seek *s = seek_of(m);

    s->high = s->skip.to;
    s->hit = s->skip.last;
    place(m, s->skip.here);
    s->skip.here->kept = s->skip.here == s->origin;
    s->skip.here = NULL;
    s->skip.thorough = true;
}

void seek_end_skip(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (s->skip.now)
        points_mute(m->points, false);
    if (s->skip.here && s->skip.here != s->origin)
        s->skip.here->kept = false;
    s->skip = (struct seek_skip){ 0 };
}

/* True when the stretch was looked through. */
static bool look_through(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (s->skip.now) {
        if (seek_advance(m, s->skip.to))
            skip_off(m);
        return false;
    }
    if (run_now(m) < s->high && !seek_advance(m, s->high)) {
        if (is_worth_it(m))
            skip_on(m);
        return false;
    }
    if (s->skip.here && s->hit.t < s->skip.to) {
        look_through_skipped(m);
        return false;
    }
    return true;
}

static void back(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (!look_through(m))
        return;
    seek_end_skip(m);
    if (seek_none(&s->hit)) {
        s->high = s->low;
        next_stretch(m);
    } else if (s->looking) {
        tell_found(m);
    } else {
        land_on_hit(m);
    }
}

/* The last steps once more, one by one; then back. */
static void list(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (run_now(m) < s->target && !seek_advance(m, s->target))
        return;
    m->run->one_by_one = true;
    slice_again(m, s->high, RUN_SLICE / 8 + 1);
    m->run->one_by_one = false;
    if (run_now(m) < s->high)
        return;
    place(m, s->origin);
    seek_tell_lines(m);
    finish(m, s->stop);
}

/* By one step: what a stretch says of the hart, and of points. */
static void back_to_step(struct machine *m)
{
    struct seek *s = seek_of(m);
    uint64_t ran;

    if (s->tracking) {
        seek_step_turn(m);
        return;
    }
    if (run_now(m) < s->high && !seek_advance(m, s->high))
        return;
    ran = m->run->ran[s->hart];
    if (!seek_none(&s->hit) && s->hit.t + s->hit.after > ran) {
        land_on_hit(m);
        return;
    }
    if (ran) {
        s->high = ran;
        seek_step_begin(m);
        return;
    }
    s->high = s->low;
    next_stretch(m);
}

/* A decision of seek_step.c's: to T, unless a point was met since. */
void seek_decide(struct machine *m, uint64_t t)
{
    struct seek *s = seek_of(m);
    struct run_stop stop = { .reason = RUN_STOP_STEP, .hart = s->hart };

    if (!seek_none(&s->hit) && s->hit.t + s->hit.after > t)
        land_on_hit(m);
    else
        seek_land(m, t, stop);
}

void seek_stretch(struct machine *m)
{
    seek_of(m)->tracking = false;
    next_stretch(m);
}

/* A piece, an end, a beginning -------------------------------------------------- */

bool timeline_seeks(const struct machine *m)
{
    return m->run->timeline && seek_of(m)->kind != SEEK_NONE;
}

void timeline_turn(struct machine *m)
{
    struct seek *s = seek_of(m);

    switch (s->kind) {
    case SEEK_PLACE:
        place(m, s->place);
        finish(m, s->stop);
        break;
    case SEEK_LAND:
        land(m);
        break;
    case SEEK_BACK:
        back(m);
        break;
    case SEEK_STEP:
        back_to_step(m);
        break;
    case SEEK_LIST:
        list(m);
        break;
    case SEEK_NONE:
        break;
    }
}

void timeline_cancel(struct machine *m)
{
    m->run->stop_due = false;
    place(m, seek_of(m)->origin);
    timeline_done(m);
}

/* origin is where it goes back to if it is cancelled. */
static struct seek *begin(struct machine *m, enum seek_kind kind, int hart)
{
    struct seek *s = seek_of(m);
    const struct run_stop *last = &m->run->stop;
    uint64_t now = run_now(m);
    bool told = m->run->told_t == now ||
                (last->reason == RUN_STOP_CATCH && m->run->stop_t == now);

    *s = (struct seek){ .hart = hart, .from = now, .high = now, .told = told };
    s->hit.t = s->want.t = UINT64_MAX;
    s->stop = (struct run_stop){ .reason = RUN_STOP_TIME, .hart = hart };
    s->origin = timeline_leave(m);
    s->said_ns = loop_now(m->loop, LOOP_REALTIME);
    s->kind = kind;
    run_seek_started(m);
    return s;
}

bool timeline_reverse(struct machine *m, int hart, bool step, struct err *err)
{
    if (!timeline_ready(m, err))
        return false;
    if (hart < 0 || hart >= m->harts)
        hart = 0;
    begin(m, step ? SEEK_STEP : SEEK_BACK, hart);
    if (step)
        seek_step_begin(m);
    else
        next_stretch(m);
    return true;
}

bool timeline_look_back(struct machine *m, const struct point *what,
                        struct err *err)
{
    struct point p = *what;

    if (!timeline_ready(m, err))
        return false;
    begin(m, SEEK_BACK, (int)m->run->clock.turn);
    seek_of(m)->looking = true;
    seek_of(m)->told = false;
    p.owner = seek_of(m);
    points_add(m->points, &p);
    next_stretch(m);
    return true;
}

bool timeline_list(struct machine *m, uint64_t steps, struct err *err)
{
    struct seek *s;
    struct chain *c;
    uint64_t now = run_now(m), least;

    if (!timeline_ready(m, err))
        return false;
    s = begin(m, SEEK_LIST, (int)m->run->clock.turn);
    c = m->run->timeline->chain;
    least = chain_nth(c, 0)->pos.t;
    s->target = now - least > steps ? now - steps : least;
    timeline_restore(m, chain_before(c, s->target + 1));
    return true;
}

static void go_to(struct machine *m, struct checkpoint *k)
{
    begin(m, SEEK_PLACE, (int)m->run->clock.turn)->place = k;
}

/* Beyond the present there is nothing to look up: the machine has to run. */
static bool run_to(struct machine *m, uint64_t t, struct err *err)
{
    struct timeline *tl = m->run->timeline;

    if (tl->present) {
        place(m, tl->present);
        timeline_done(m);
    }
    timeline_watched(m);
    if (!recording_jump(m, t, err) || !run_resume(m, NULL, err))
        return false;
    m->run->until = t;
    return true;
}

bool timeline_go(struct machine *m, enum timeline_place to, struct err *err)
{
    struct timeline *tl = m->run->timeline;

    if (!timeline_ready(m, err))
        return false;
    if (to == TIMELINE_START)
        go_to(m, chain_nth(tl->chain, 0));
    else if (recording_end(m) > timeline_end(m))
        return run_to(m, UINT64_MAX - 1, err);
    else if (tl->present)
        go_to(m, tl->present);
    else
        return timeline_goto(m, timeline_end(m), err);
    return true;
}

/* To a T that is not beyond the present. */
static void go_land(struct machine *m, uint64_t t)
{
    struct seek *s = begin(m, SEEK_LAND, (int)m->run->clock.turn);

    if (t == s->from)
        s->target = t;
    else
        seek_land(m, t, s->stop);
}

bool timeline_goto(struct machine *m, uint64_t t, struct err *err)
{
    if (!timeline_ready(m, err))
        return false;
    if (t < timeline_begin(m))
        return err_set(err, "history begins at T=%" PRIu64, timeline_begin(m));
    if (t > timeline_end(m))
        return run_to(m, t, err);
    go_land(m, t);
    return true;
}

bool seek_to_stop(struct machine *m, uint64_t t, struct err *err)
{
    if (!timeline_ready(m, err))
        return false;
    go_land(m, t);
    seek_of(m)->as_stopped = true;
    return true;
}

/* Names ------------------------------------------------------------------------ */

bool timeline_restart(struct machine *m, const char *name, struct err *err)
{
    struct timeline *tl = m->run->timeline;

    if (!timeline_ready(m, err))
        return false;
    for (size_t n = 0; n < chain_count(tl->chain); n++) {
        struct checkpoint *k = chain_nth(tl->chain, n);

        if (k->name && strcmp(k->name, name) == 0) {
            go_to(m, k);
            return true;
        }
    }
    return err_set(err, "there is no checkpoint '%s'", name);
}
