/* SPDX-License-Identifier: MIT */
/*
 * seek_step.c - where a hart's last step began.
 *
 * Mirrors stepping forward: a step begins at a T at which the hart is about
 * to run, and an interrupt that is taken then belongs to the step, handler
 * and all, down to the return. So going back by a step that follows a return
 * from an interrupt goes to before the interrupt.
 *
 * The last few steps are run one by one and looked at. If they begin within
 * a handler and the hart has left it, more are needed.
 */
#include <assert.h>
#include <string.h>

#include "emu/hart/hart.h"
#include "emu/hart/trap.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"

enum {
#ifdef HOSTILE
    WINDOW = 32,
#else
    WINDOW = 2048,
#endif
    WIDER = 32,           /* times, when the window was too small */
    WINDOW_MAX = 4 << 20, /* a handler that takes longer is no handler */
};

#define NEVER UINT64_MAX

static struct seek *seek_of(const struct machine *m)
{
    return &m->run->timeline->seek;
}

/* Each step of the hart ------------------------------------------------------- */

static void push(struct seek_track *k, const struct hart *h, uint64_t t,
                 bool interrupt)
{
    if (k->frames == SEEK_DEPTH) {
        memmove(k->frame, k->frame + 1, sizeof k->frame - sizeof k->frame[0]);
        k->frames--;
    }
    k->frame[k->frames++] = (struct seek_frame){
        .t = t,
        .pc = h->pc,
        .sp = h->x[2],
        .priv = h->priv,
        .interrupt = interrupt,
    };
}

/* Interrupts that the hart is in, of those that were seen to begin. */
static unsigned depth(const struct seek_track *k)
{
    unsigned n = 0;

    for (unsigned i = 0; i < k->frames; i++)
        n += k->frame[i].interrupt;
    return n < SEEK_DEPTH ? n : SEEK_DEPTH - 1;
}

void seek_step(struct machine *m, int hart)
{
    struct seek *s = seek_of(m);
    struct seek_track *k = &s->track;
    const struct hart *h = m->hart[hart];
    unsigned d = depth(k);

    if (s->kind == SEEK_LIST)
        seek_list(m, hart);
    if (s->kind == SEEK_LIST || hart != s->hart)
        return;
    if (!k->merged)
        k->last[d] = run_now(m);
    k->merged = false;
    for (unsigned n = d + 1; n < SEEK_DEPTH; n++)
        k->last[n] = NEVER;
    k->exceptions = h->exceptions;
    k->returns = h->returns;
    if (hart_interrupted(h))
        push(k, h, run_now(m), true);
}

static bool is_back(const struct seek_frame *f, const struct hart *h)
{
    return h->pc == f->pc && h->x[2] == f->sp && h->priv == f->priv;
}

void seek_stepped(struct machine *m, int hart)
{
    struct seek *s = seek_of(m);
    struct seek_track *k = &s->track;
    const struct hart *h = m->hart[hart];
    struct seek_frame *top = k->frames ? &k->frame[k->frames - 1] : NULL;

    if (s->kind == SEEK_LIST)
        seek_listed(m, hart);
    if (s->kind == SEEK_LIST || hart != s->hart ||
        h->stop.kind != HART_STOP_NONE)
        return;
    if (h->exceptions != k->exceptions) {
        push(k, h, run_now(m), false);
    } else if (h->returns != k->returns && !top) {
        k->back_from = run_now(m);
    } else if (h->returns != k->returns) {
        k->merged = top->interrupt && is_back(top, h);
        k->frames--;
    }
}

/* The window ---------------------------------------------------------------------- */

static uint64_t back_by(uint64_t t, uint64_t n) { return t > n ? t - n : 0; }

/* Where the window begins: at a checkpoint that lies well, if there is one;
 * *n is the checkpoint from which to get there. */
static uint64_t window_start(const struct chain *c, const struct seek *s,
                             size_t *n)
{
    uint64_t least = s->window == WINDOW ? s->window / 16 : s->window / 2;
    uint64_t want = back_by(s->high, s->window), t;

    *n = chain_before(c, back_by(s->high, least) + 1);
    t = chain_nth(c, *n)->pos.t;
    if (t + 2 * s->window >= s->high)
        return t;
    *n = chain_before(c, want + 1);
    return want;
}

static void track_from_here(struct machine *m)
{
    struct seek *s = seek_of(m);

    s->hit.t = UINT64_MAX;
    s->track = (struct seek_track){ .back_from = NEVER };
    for (unsigned n = 0; n < SEEK_DEPTH; n++)
        s->track.last[n] = NEVER;
}

static void open_window(struct machine *m)
{
    struct seek *s = seek_of(m);
    size_t n;

    s->low = s->target = window_start(m->run->timeline->chain, s, &n);
    timeline_restore(m, n);
    m->run->one_by_one = false;
    s->tracking = true;
}

/* From high back; where a checkpoint is missing on the way one is made. */
void seek_step_begin(struct machine *m)
{
    struct seek *s = seek_of(m);
    struct chain *c = m->run->timeline->chain;

    if (s->high <= chain_nth(c, 0)->pos.t) {
        seek_begin_of_history(m);
        return;
    }
    s->window = WINDOW;
    open_window(m);
}

/* Up to the window in big strides: the next step back is then near. */
static bool approach(struct machine *m)
{
    static const uint64_t strides[] = { 2 << 20, 64 << 10 };
    struct seek *s = seek_of(m);
    uint64_t next = s->target;

    for (size_t i = 0; i < 2; i++)
        if (s->high > strides[i] && run_now(m) < s->high - strides[i] &&
            s->high - strides[i] < next)
            next = s->high - strides[i];
    if (run_now(m) < next && !seek_advance(m, next))
        return false;
    seek_stand(m);
    return run_now(m) >= s->target;
}

/* The answer ----------------------------------------------------------------------- */

/* Is what is seen enough? Not when the handler's entry is what matters. */
static bool too_small(const struct machine *m, uint64_t t)
{
    const struct seek *s = seek_of(m);
    const struct seek_track *k = &s->track;

    return k->back_from != NEVER && t <= k->back_from &&
           t + 1 >= k->back_from && s->window * WIDER <= WINDOW_MAX &&
           s->low > timeline_begin(m);
}

static uint64_t last_begin(const struct seek_track *k)
{
    uint64_t t = NEVER;

    for (unsigned n = 0; n <= depth(k); n++)
        if (k->last[n] != NEVER && (t == NEVER || k->last[n] > t))
            t = k->last[n];
    return t;
}

static void decide(struct machine *m)
{
    struct seek *s = seek_of(m);
    uint64_t t = last_begin(&s->track);

    if (t == NEVER) {
        s->high = s->low;
        seek_stretch(m);
    } else if (too_small(m, t)) {
        s->window *= WIDER;
        open_window(m);
    } else {
        seek_decide(m, t);
    }
}

void seek_step_turn(struct machine *m)
{
    struct seek *s = seek_of(m);

    if (!m->run->one_by_one) {
        if (run_now(m) < s->target && !approach(m))
            return;
        track_from_here(m);
        m->run->one_by_one = true;
    }
    slice_again(m, s->high, RUN_SLICE / 8 + 1);
    if (run_now(m) < s->high)
        return;
    m->run->one_by_one = false;
    decide(m);
}
