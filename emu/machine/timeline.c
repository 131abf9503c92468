/* SPDX-License-Identifier: MIT */
/*
 * timeline.c - history: kept while the machine runs, entered, left, changed.
 *
 * How far apart checkpoints stand is the host's business: each costs the time
 * to copy the pages that are written after it, and the next one waits until
 * that is a small part of the host's time that was used since.
 */
#include "emu/machine/timeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/hart/hart.h"
#include "emu/machine/recording.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"

enum {
    STATE_NS = 100000,    /* for TLBs to be filled again, about */
    SAVED_NS = 500000000, /* what was not spent is kept up to here */
#ifdef HOSTILE
    SHARE = 1,
    WATCHED_SHARE = 1,
    LEAST_NS = 1000000,
    WATCHED_LEAST_NS = 1000000,
    LEAST_STEPS = 100,
#else
    /* They may cost one part in so many, and that is between two of them. Closer
     * where somebody is likely to go back: see timeline_watched. */
    SHARE = 48,
    WATCHED_SHARE = 16,
    LEAST_NS = 100000000,
    WATCHED_LEAST_NS = 40000000,
    LEAST_STEPS = 1000000, /* and between two looks at the clock */
#endif
};

/* How long that counts; and how far apart they are then at most, unless they
 * would cost more than one part in four. */
static const int64_t WATCHED_NS = INT64_C(60000000000),
                     WATCHED_MOST_NS = 100000000;

static struct timeline *timeline_of(const struct machine *m)
{
    return m->run ? m->run->timeline : NULL;
}

/* While the machine runs --------------------------------------------------------- */

void timeline_init(struct machine *m, size_t bytes)
{
    struct timeline *tl;

    if (!bytes)
        return;
    tl = xcalloc(1, sizeof *tl);
    tl->bytes = bytes;
    tl->next = UINT64_MAX;
    tl->number = tl->numbers = 1;
    m->run->timeline = tl;
}

void timeline_fini(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    if (!tl)
        return;
    chain_free(tl->chain);
    seek_forget_lines(&tl->seek);
    branches_forget(tl);
    free(tl->branch);
    free(tl);
    m->run->timeline = NULL;
}

/* Much cheaper than chain_clock, which is never faster. */
static int64_t wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool is_watched(const struct timeline *tl)
{
    return wall_clock() < tl->watched_ns;
}

static int64_t price(const struct timeline *tl)
{
    return chain_cost(tl->chain) + tl->price_ns + STATE_NS;
}

/* How long it is since the last one, less what it took since then to keep it:
 * in time that the host has used, and at so many times its price. */
static int64_t earned(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);

    return chain_clock() - tl->taken_ns -
           (is_watched(tl) ? WATCHED_SHARE : SHARE) * price(tl);
}

static void put_off(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    tl->taken_t = run_now(m);
    tl->taken_ns = chain_clock();
    tl->look_t = tl->taken_t + LEAST_STEPS;
    tl->look_ns = 0;
}

struct checkpoint *timeline_take(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    struct checkpoint *k;
    int64_t began = chain_clock();

    tl->saved_ns += earned(m);
    if (tl->saved_ns > SAVED_NS)
        tl->saved_ns = SAVED_NS;
    if (tl->saved_ns < -SAVED_NS && is_watched(tl))
        tl->saved_ns = -SAVED_NS;
    k = chain_take(tl->chain);
    chain_thin(tl->chain);
    chain_make_room(tl->chain);
    timeline_horizon(m);
    put_off(m);
    tl->price_ns = tl->taken_ns - began;
    tl->foreseen = false;
    return k;
}

/* How long the host's processor has to work before one is due; less than 0:
 * it is. */
static int64_t time_left(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);
    int64_t since = chain_clock() - tl->taken_ns,
            unpaid = -(tl->saved_ns + earned(m)),
            most = 4 * price(tl) > WATCHED_MOST_NS ? 4 * price(tl)
                                                   : WATCHED_MOST_NS;

    if (!is_watched(tl))
        return LEAST_NS - since > unpaid ? LEAST_NS - since : unpaid;
    if (unpaid > most - since)
        unpaid = most - since;
    return WATCHED_LEAST_NS - since > unpaid ? WATCHED_LEAST_NS - since
                                             : unpaid;
}

static bool is_due(const struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    int64_t left;

    if (run_now(m) < tl->look_t)
        return false;
    tl->look_t = run_now(m) + LEAST_STEPS;
    if (wall_clock() < tl->look_ns)
        return false;
    left = time_left(m);
    tl->look_ns = left > 0 ? wall_clock() + left : 0;
    return left <= 0;
}

void timeline_started(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    if (!tl || timeline_is(tl) || !m->harts)
        return;
    if (!tl->chain)
        tl->chain = chain_new(m, tl->bytes);
    timeline_take(m);
    stops_note(m);
}

void timeline_watched(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    if (!tl)
        return;
    tl->watched_ns = wall_clock() + WATCHED_NS;
    tl->look_ns = 0;
}

void timeline_stopped(struct machine *m)
{
    timeline_watched(m);
    if (timeline_is(timeline_of(m)))
        stops_note(m);
}

void timeline_forget(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    if (!timeline_is(tl))
        return;
    if (timeline_seeks(m))
        timeline_done(m);
    chain_clear(tl->chain);
    tl->present = NULL;
    branches_forget(tl);
    tl->stops.n = tl->stops.at = 0;
    timeline_horizon(m);
}

void timeline_relieve(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    if (timeline_is(tl) && chain_full(tl->chain))
        timeline_say_lost(m, chain_relieve(tl->chain));
}

#ifdef HOSTILE
/* A slice, of one step, is gone through twice: now and then, as it takes as
 * long as a thousand. */
static void go_through_again(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    uint64_t t = run_now(m);

    if (t % 16 || tl->seek.kind != SEEK_NONE || tap_replaying(m->tap) ||
        m->run->shutdown || m->run->reset)
        return;
    timeline_leave(m);
    timeline_restore(m, chain_before(tl->chain, t));
    slice_again(m, t, UINT64_MAX - t);
    slice_arrive(m);
    assert(!tl->diverged && !tap_replaying(m->tap));
}
#endif

/* It has run a whole slice, so it will run for a while. */
static void foresee(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    chain_foresee(tl->chain);
    tl->foreseen = true;
}

void timeline_slice(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    log_trim(m);
    if (!timeline_is(tl) || m->run->stop_due)
        return;
    chain_beside(tl->chain, log_bytes(m));
    if (chain_full(tl->chain)) {
        timeline_take(m);
        timeline_relieve(m);
    }
#ifdef HOSTILE
    go_through_again(m);
#endif
    if (is_due(m)) {
        timeline_take(m);
        chain_next_interval(tl->chain);
        foresee(m);
    } else if (!tl->foreseen && run_now(m) - tl->taken_t >= RUN_SLICE) {
        foresee(m);
    }
}

/* While it runs again what was ---------------------------------------------------- */

static struct checkpoint *next_of(const struct timeline *tl)
{
    size_t n = chain_here(tl->chain) + 1;

    return n < chain_count(tl->chain) ? chain_nth(tl->chain, n) : NULL;
}

void timeline_horizon(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    const struct checkpoint *k;

    tl->next = UINT64_MAX;
    if (!tap_past(m->tap))
        return;
    k = next_of(tl);
    tl->next = tl->end.t;
    if (k && k->pos.t < tl->next)
        tl->next = k->pos.t;
}

uint64_t timeline_free(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);
    uint64_t t = m->run->clock.t;

    return tl && tl->next > t ? tl->next - t : UINT64_MAX;
}

static void diverged(struct machine *m, const char *how)
{
    struct timeline *tl = timeline_of(m);
    char text[1200];

    snprintf(text, sizeof text,
             "timeline: DIVERGENCE at T=%" PRIu64
             ": %s. Running again is not what was: what follows is another "
             "future. This is a bug in ebreak.\n",
             run_now(m), how);
    fputs(text, stderr);
    run_say(m, text);
    tl->diverged = true;
    tl->present = NULL;
    tl->seek.origin = tl->seek.skip.here = NULL;
}

/* Onto the next checkpoint, if this is where it is. */
static void pass(struct machine *m, const struct checkpoint *k)
{
    struct timeline *tl = timeline_of(m);
    uint64_t t = run_now(m);
    struct err err = { "the clock went past a checkpoint" };

    if (chain_at(tl->chain, k)) {
        if (!chain_pass(tl->chain, &err))
            diverged(m, err.text);
    } else if (t > k->pos.t ||
               (t == k->pos.t && tap_place(m->tap) > k->pos.log)) {
        chain_cut(tl->chain);
        diverged(m, err.text);
    } else {
        return;
    }
    timeline_horizon(m);
}

static void be_present(struct machine *m)
{
    struct timeline *tl = timeline_of(m);

    tap_present(m->tap);
    if (tl->present)
        tl->present->kept = false;
    tl->present = NULL;
    timeline_horizon(m);
    run_live(m);
}

static bool is_end(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);

    return run_now(m) == tl->end.t && tap_place(m->tap) == tl->end.log;
}

void timeline_settled(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    const struct checkpoint *k;

    if (!timeline_is(tl) || !tap_past(m->tap) || run_now(m) < tl->next)
        return;
    if (is_end(m) && m->run->clock.idle_ns < tl->end.idle_ns)
        slice_idle_until(m, tl->end.idle_ns);
    while ((k = next_of(tl)) && chain_at(tl->chain, k))
        pass(m, k);
    if (k)
        pass(m, k);
    if (is_end(m))
        be_present(m);
}

/* Going there ---------------------------------------------------------------------- */

bool timeline_ready(struct machine *m, struct err *err)
{
    const struct timeline *tl = timeline_of(m);

    if (!tl)
        return err_set(err, "the timeline is off: -timeline mem=SIZE");
    if (m->run->state == RUN_RUNNING)
        return err_set(err, "the machine is running, stop it first");
    timeline_started(m);
    return timeline_is(tl) || err_set(err, "there are no harts yet");
}

struct checkpoint *timeline_leave(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    struct checkpoint *k = timeline_take(m);

    k->kept = true;
    if (tap_past(m->tap))
        return k;
    tl->present = k;
    tl->end = k->pos;
    tl->end_state = m->run->state;
    return k;
}

/* What is not state is as after a start. */
static void elsewhere(struct machine *m)
{
    struct run *r = m->run;

    r->stop_due = r->idle = false;
    r->stop_t = UINT64_MAX;
    memset(r->ran, 0, sizeof r->ran);
    for (int h = 0; h < m->harts; h++)
        m->hart[h]->skip_points = 0;
}

void timeline_entered(struct machine *m)
{
    elsewhere(m);
    for (int h = 0; h < m->harts; h++)
        hart_flush(m->hart[h]);
    if (timeline_is(timeline_of(m)))
        timeline_take(m);
    timeline_relieve(m);
}

void timeline_restore(struct machine *m, size_t n)
{
    struct timeline *tl = timeline_of(m);

    chain_restore(tl->chain, n);
    elsewhere(m);
    timeline_horizon(m);
    put_off(m);
    tl->foreseen = false;
    if (tl->saved_ns < 0)
        tl->saved_ns = 0; /* who goes back has time */
    if (chain_nth(tl->chain, n) == tl->present)
        be_present(m);
}

void timeline_done(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    struct checkpoint *k = tl->seek.origin;

    if (k && (k != tl->present || !tap_past(m->tap)))
        k->kept = false;
    if (!tap_past(m->tap))
        tl->present = NULL;
    if (tl->seek.looking)
        points_remove_owner(m->points, &tl->seek);
    seek_end_skip(m);
    seek_forget_lines(&tl->seek);
    tl->seek.looking = false;
    tl->seek.kind = SEEK_NONE;
    tl->seek.origin = NULL;
    m->run->one_by_one = false;
}

uint64_t timeline_begin(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);

    return timeline_is(tl) ? chain_nth(tl->chain, 0)->pos.t : run_now(m);
}

uint64_t timeline_end(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);

    return timeline_is(tl) && tap_past(m->tap) ? tl->end.t : run_now(m);
}

uint64_t timeline_last(const struct machine *m)
{
    uint64_t end = timeline_end(m), recorded = recording_end(m);

    return recorded > end ? recorded : end;
}

bool timeline_past(const struct machine *m)
{
    return m->run && tap_past(m->tap);
}

/* Names ---------------------------------------------------------------------------- */

bool timeline_mark(struct machine *m, const char *name, struct err *err)
{
    struct timeline *tl = timeline_of(m);
    struct checkpoint *k;
    char made_up[24];

    if (!tl)
        return err_set(err, "the timeline is off: -timeline mem=SIZE");
    if (timeline_seeks(m))
        return err_set(err, "a search is under way");
    timeline_started(m);
    if (!timeline_is(tl))
        return err_set(err, "there are no harts yet");
    if (!name) {
        snprintf(made_up, sizeof made_up, "c%u", ++tl->marks);
        name = made_up;
    }
    for (size_t n = 0; n < chain_count(tl->chain); n++) {
        k = chain_nth(tl->chain, n);
        if (k->name && strcmp(k->name, name) == 0)
            return err_set(err, "there is a checkpoint '%s' already", name);
    }
    k = timeline_take(m);
    if (k->name)
        return err_set(err, "this moment is called '%s' already", k->name);
    k->name = xstrdup(name);
    return true;
}

/* For people -------------------------------------------------------------------------- */

void timeline_info(const struct machine *m, struct buf *out)
{
    const struct timeline *tl = timeline_of(m);

    if (!timeline_is(tl)) {
        buf_printf(out, "The timeline is %s.\n", tl ? "empty" : "off");
        return;
    }
    buf_printf(out,
               "history: T=%" PRIu64 " to %" PRIu64 ", now T=%" PRIu64
               " (%s)\nbranch: %u, %zu other%s\ncheckpoints: %zu, %zu KiB of "
               "%zu KiB\ninputs: %zu, %zu bytes with the branches'\n",
               timeline_begin(m), timeline_end(m), run_now(m),
               tap_past(m->tap) ? "the past" : "the present", tl->number,
               tl->branches, tl->branches == 1 ? "" : "s",
               chain_count(tl->chain), chain_bytes(tl->chain) >> 10,
               tl->bytes >> 10, tap_count(m->tap), log_bytes(m));
}

void timeline_marks(const struct machine *m, struct buf *out)
{
    const struct timeline *tl = timeline_of(m);
    size_t unnamed = 0;

    for (size_t n = 0; timeline_is(tl) && n < chain_count(tl->chain); n++) {
        const struct checkpoint *k = chain_nth(tl->chain, n);

        unnamed += !k->name;
        if (k->name)
            buf_printf(out, "%-16s T=%" PRIu64 "\n", k->name, k->pos.t);
    }
    buf_printf(out, "%zu without a name\n", unnamed);
}
