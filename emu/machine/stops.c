/* SPDX-License-Identifier: MIT */
/*
 * stops.c - where the machine has stopped, to go back and forward through.
 *
 * As a browser keeps pages: a stop after going back forgets those that lay
 * ahead. A series of steps is one place, the last; a single step that is
 * followed by something else is none, for gdb steps off a breakpoint before it
 * continues. What belongs to a future that was left is forgotten with it.
 */
#include <string.h>

#include "emu/base/log.h"

#include "emu/hart/hart.h"
#include "emu/hart/trap.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"

static struct stops *stops_of(const struct machine *m)
{
    return &m->run->timeline->stops;
}

/* Harts that stand in a handler whose first instruction is not done. */
static uint64_t taken(const struct machine *m)
{
    uint64_t harts = 0;

    for (int n = 0; n < m->harts; n++)
        if (m->hart[n]->interrupted_at == m->hart[n]->steps)
            harts |= UINT64_C(1) << n;
    return harts;
}

static struct place here(const struct machine *m)
{
    const struct run *r = m->run;
    struct place p = { .t = run_now(m),
                       .steps = r->stop.reason == RUN_STOP_STEP,
                       .taken = taken(m),
                       .pc = r->stop_pc,
                       .exact = r->stop_t != run_now(m),
                       .stop = r->stop };

    if (p.stop.reason == RUN_STOP_NONE) /* where it all began */
        p.stop = (struct run_stop){ .reason = RUN_STOP_TIME };
    return p;
}

/* Looking back and the like end where they began. */
static bool is_same(const struct place *a, const struct place *b)
{
    return a->t == b->t && a->taken == b->taken;
}

static bool takes_its_place(const struct place *was, const struct place *p)
{
    return p->steps ? was->steps : was->steps == 1;
}

static void drop_first(struct stops *s)
{
    s->n--;
    memmove(s->place, s->place + 1, s->n * sizeof s->place[0]);
}

void stops_note(struct machine *m)
{
    struct stops *s = stops_of(m);
    struct place p = here(m);
    struct place *last;

    if (p.stop.point.asks) /* a debugger's own business */
        return;
    if (s->n && is_same(&s->place[s->at], &p))
        return;
    if (s->n)
        s->n = s->at + 1;
    last = s->n ? &s->place[s->n - 1] : NULL;
    if (last && takes_its_place(last, &p)) {
        p.steps += p.steps ? last->steps : 0;
        *last = p;
        return;
    }
    if (s->n == STOPS)
        drop_first(s);
    s->at = s->n;
    s->place[s->n++] = p;
}

void stops_cut(struct machine *m, uint64_t t)
{
    struct stops *s = stops_of(m);
    unsigned n = 0;

    while (n < s->n && s->place[n].t <= t)
        n++;
    s->n = n;
    if (s->at >= n)
        s->at = n ? n - 1 : 0;
}

/* The machine is at the T: as it stopped there, a hart may have been in front
 * of a handler. */
void stops_arrived(struct machine *m, struct run_stop *stop)
{
    struct stops *s = stops_of(m);
    const struct place *p = &s->place[s->going];

    for (int n = 0; n < m->harts; n++)
        if (p->taken >> n & 1 && !(taken(m) >> n & 1))
            trap_interrupt(m->hart[n]);
    for (int n = 0; n < m->harts; n++) {
        m->hart[n]->stop.kind = HART_STOP_NONE;
        m->hart[n]->attention &= ~(uint32_t)ATTN_STOP;
    }
    m->run->stop_pc = p->pc;
    if (!p->exact)
        m->run->stop_t = p->t;
    s->at = s->going;
    *stop = p->stop;
}

bool timeline_back(struct machine *m, bool forward, struct err *err)
{
    struct stops *s;
    const struct place *p;
    unsigned to;

    if (!timeline_ready(m, err))
        return false;
    s = stops_of(m);
    if (forward ? s->at + 1 >= s->n : !s->at)
        return err_set(err, "the machine has not stopped %s this",
                       forward ? "after" : "before");
    to = forward ? s->at + 1 : s->at - 1;
    p = &s->place[to];
    if (p->t < timeline_begin(m) || p->t > timeline_end(m))
        return err_set(err, "history begins later by now");
    s->going = to;
    return seek_to_stop(m, p->t, err);
}
