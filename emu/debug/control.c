/* SPDX-License-Identifier: MIT */
/*
 * control.c - points, running and stopping, time, and the machine as such.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/debug/hub.h"
#include "emu/hart/hart.h"
#include "emu/hart/points.h"
#include "emu/machine/fileio.h"
#include "emu/machine/run.h"
#include "emu/machine/timeline.h"
#include "emu/trans/trans.h"

/* Events -------------------------------------------------------------------- */

static struct debug_point from_point(const struct point *p)
{
    return (struct debug_point){
        .kind = p->kind,
        .hw = p->flags & POINT_HW,
        .by_satp = p->flags & POINT_SATP,
        .persist = p->flags & POINT_PERSIST,
        .phys = p->flags & POINT_PHYS,
        .change = p->flags & POINT_CHANGE,
        .to = p->to,
        .addr = p->addr,
        .len = p->len,
        .harts = p->harts,
        .satp = p->satp,
        .privs = p->privs,
        .conditions = p->when.n,
        .hits = p->hits,
        .owner = p->owner,
        .asks = p->asks,
        .asks_opaque = p->asks_opaque,
    };
}

/* A breakpoint's length says nothing, so none is as good as any. */
static struct point to_point(const struct debug_point *p)
{
    return (struct point){
        .kind = p->kind,
        .flags = (p->hw ? POINT_HW : 0) | (p->by_satp ? POINT_SATP : 0) |
                 (p->persist ? POINT_PERSIST : 0) | (p->phys ? POINT_PHYS : 0) |
                 (p->change ? POINT_CHANGE : 0),
        .to = p->to,
        .addr = p->addr,
        .len = p->len || !(p->kind & (DEBUG_BREAK | DEBUG_CATCH_TRAP |
                                      DEBUG_CATCH_IRQ | DEBUG_CATCH_PRIV))
                   ? p->len
                   : 2,
        .harts = p->harts,
        .satp = p->satp,
        .privs = p->privs,
        .when = p->when,
        .commands = p->commands,
        .owner = p->owner,
        .asks = p->asks,
        .asks_opaque = p->asks_opaque,
    };
}

static struct debug_stop from_stop(const struct run_stop *s)
{
    /* The reasons and kinds are the same, in the same order. */
    _Static_assert((int)RUN_STOP_END == (int)DEBUG_STOP_END, "reasons");
    _Static_assert((int)POINT_UNMAPPED == (int)DEBUG_CATCH_UNMAPPED, "kinds");
    struct debug_stop out = {
        .reason = (enum debug_stop_reason)s->reason,
        .hart = s->hart,
        .point = from_point(&s->point),
        .addr = s->hit.addr,
        .pa = s->hit.pa,
        .access = s->hit.access,
        .event = s->hit.event,
        .from = s->hit.from,
        .to = s->hit.to,
        .walker = s->hit.walker,
    };

    memcpy(out.device, s->device, sizeof out.device);
    return out;
}

/* A listener may leave while it is told. */
static void tell(struct machine *m, const struct debug_event *e)
{
    struct debug_hub *d = m->debug;

    for (int n = d->listeners; n-- > 0;)
        if (n < d->listeners)
            d->listener[n].fn(d->listener[n].opaque, e);
}

static void run_event(void *opaque, const struct run_event *e)
{
    static const enum debug_event_kind kinds[] = {
        [RUN_EVENT_STOPPED] = DEBUG_EVENT_STOPPED,
        [RUN_EVENT_RUNNING] = DEBUG_EVENT_RUNNING,
        [RUN_EVENT_RESET] = DEBUG_EVENT_RESET,
        [RUN_EVENT_EXIT] = DEBUG_EVENT_EXIT,
        [RUN_EVENT_LOADED] = DEBUG_EVENT_RESET,
        [RUN_EVENT_SAY] = DEBUG_EVENT_SAY,
    };
    struct debug_event out = { .kind = kinds[e->kind],
                               .stop = from_stop(&e->stop),
                               .status = e->status,
                               .text = e->text };

    tell(opaque, &out);
}

static void point_text(void *opaque, const struct point *p, const char *text,
                       size_t len)
{
    struct debug_event e = {
        .kind = DEBUG_EVENT_TEXT, .text = text, .len = len, .owner = p->owner
    };

    tell(opaque, &e);
}

void debug_listen(struct machine *m, debug_listen_fn *fn, void *opaque)
{
    struct debug_hub *d = m->debug;

    assert(d->listeners < DEBUG_LISTENERS);
    d->listener[d->listeners].fn = fn;
    d->listener[d->listeners++].opaque = opaque;
}

void debug_unlisten(struct machine *m, debug_listen_fn *fn, void *opaque)
{
    struct debug_hub *d = m->debug;

    for (int n = 0; n < d->listeners; n++) {
        if (d->listener[n].fn != fn || d->listener[n].opaque != opaque)
            continue;
        memmove(&d->listener[n], &d->listener[n + 1],
                (size_t)(--d->listeners - n) * sizeof d->listener[0]);
        return;
    }
}

void debug_init(struct machine *m) { m->debug = xcalloc(1, sizeof *m->debug); }

void debug_fini(struct machine *m)
{
    free(m->debug->regs);
    free(m->debug);
    m->debug = NULL;
}

void debug_attach(struct machine *m)
{
    struct debug_hub *d = m->debug;
    struct debug_event e = { .kind = DEBUG_EVENT_PHASE };

    if (m->run && !d->source) {
        d->source = tap_source(m->tap, "poke", poke_delivered, m);
        run_listen(m, run_event, m);
    }
    if (m->harts && !d->nregs) {
        registers_build(m);
        fileio_on_call(m, debug_anyone_takes, m);
        points_on_text(m->points, point_text, m);
    }
    tell(m, &e);
}

/* Harts and points ---------------------------------------------------------- */

int debug_harts(const struct machine *m) { return m->harts; }

void debug_hart(const struct machine *m, int hart, struct debug_hart *out)
{
    const struct hart *h;

    memset(out, 0, sizeof *out);
    if (hart < 0 || hart >= m->harts)
        return;
    h = m->hart[hart];
    out->pc = h->pc;
    out->steps = h->steps;
    out->priv = h->priv;
    out->waiting = h->waiting;
}

bool debug_point_add(struct machine *m, const struct debug_point *p,
                     struct err *err)
{
    struct point pt = to_point(p);

    if (!m->points)
        return err_set(err, "there are no harts yet");
    if (!pt.len)
        return err_set(err, "a watchpoint needs a length");
    if (p->phys && p->len > DEBUG_WATCH_PHYS)
        return err_set(err, "a physical watchpoint is at most %d bytes long",
                       DEBUG_WATCH_PHYS);
    if (p->len && p->addr + (p->len - 1) < p->addr)
        return err_set(err, "the range goes past the end of memory");
    if (points_code(m->points) > DEBUG_POINT_CODE)
        return err_set(err, "there are too many conditions");
    points_add(m->points, &pt);
    return true;
}

bool debug_look_back(struct machine *m, const struct debug_point *p,
                     struct err *err)
{
    struct point pt = to_point(p);

    if (!m->run || m->phase < PHASE_MACHINE_READY)
        return err_set(err, "the machine is not ready yet: `phase run`");
    return timeline_look_back(m, &pt, err);
}

bool debug_point_remove(struct machine *m, const struct debug_point *p)
{
    struct point pt = to_point(p);

    return m->points && points_remove(m->points, &pt);
}

void debug_points_clear(struct machine *m, const void *owner)
{
    if (m->points)
        points_remove_owner(m->points, owner);
}

bool debug_point(const struct machine *m, size_t n, struct debug_point *out)
{
    const struct point *p = m->points ? points_nth(m->points, n) : NULL;

    if (p)
        *out = from_point(p);
    return p != NULL;
}

/* Run control ---------------------------------------------------------------- */

enum debug_irq debug_step_irq(struct machine *m, enum debug_irq set)
{
    _Static_assert((int)RUN_IRQ_MASK == (int)DEBUG_IRQ_MASK, "modes");
    return (enum debug_irq)run_irq_mode(m, (enum run_irq)set);
}

bool debug_running(const struct machine *m)
{
    return run_state(m) == RUN_RUNNING;
}

bool debug_resume(struct machine *m, const struct debug_resume *r,
                  struct err *err)
{
    struct run_resume how = { r->run, r->step, r->from, r->to, r->irq };

    if (!m->run || !m->harts)
        return err_set(err, "there are no harts yet");
    if (m->phase < PHASE_MACHINE_READY)
        return err_set(err, "the machine is not ready yet: `phase run`");
    return run_resume(m, &how, err);
}

void debug_interrupt(struct machine *m) { run_pause(m, RUN_PAUSED); }

void debug_last_stop(const struct machine *m, struct debug_stop *out)
{
    struct run_stop s;

    run_last_stop(m, &s);
    *out = from_stop(&s);
}

const char *debug_state(const struct machine *m)
{
    return run_state_name(run_state(m));
}

/* Calls ----------------------------------------------------------------------- */

bool debug_anyone_takes(void *opaque)
{
    const struct debug_hub *d = ((struct machine *)opaque)->debug;

    for (int n = 0; n < d->takers; n++)
        if (d->taker[n].fn(d->taker[n].opaque))
            return true;
    return false;
}

void debug_on_call(struct machine *m, debug_takes_fn *takes, void *opaque)
{
    struct debug_hub *d = m->debug;

    assert(d->takers < DEBUG_LISTENERS);
    d->taker[d->takers].fn = takes;
    d->taker[d->takers++].opaque = opaque;
}

void debug_off_call(struct machine *m, const void *opaque)
{
    struct debug_hub *d = m->debug;

    for (int n = d->takers; n-- > 0;)
        if (d->taker[n].opaque == opaque)
            d->taker[n] = d->taker[--d->takers];
}

const char *debug_call(const struct machine *m) { return fileio_request(m); }

bool debug_call_answer(struct machine *m, int64_t result, int error)
{
    return fileio_answer(m, result, error);
}

bool debug_resume_again(struct machine *m, struct err *err)
{
    return run_resume_again(m, err);
}

/* Time ------------------------------------------------------------------------ */

uint64_t debug_now(const struct machine *m) { return run_now(m); }

int64_t debug_virtual_ns(const struct machine *m) { return run_virtual_ns(m); }

/* Any good 64-bit mixer will do: equal states must give equal hashes. */
static uint64_t hash_page(uint64_t hash, const uint8_t *page)
{
    uint64_t word[8], lane[8] = { 0 };

    for (size_t at = 0; at < MEM_PAGE; at += sizeof word) {
        memcpy(word, page + at, sizeof word);
        for (int n = 0; n < 8; n++)
            lane[n] = (lane[n] ^ word[n]) * UINT64_C(0x9e3779b97f4a7c15) +
                      (lane[n] >> 29);
    }
    for (int n = 0; n < 8; n++)
        hash = (hash ^ lane[n]) * UINT64_C(0xff51afd7ed558ccd) + (hash >> 33);
    return hash;
}

static bool is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, MEM_PAGE - 1);
}

uint64_t debug_hash(const struct machine *m)
{
    uint64_t hash = m->devs ? devs_hash(m->devs) : 0;
    const struct mem_region *r;

    for (size_t n = 0; m->mem && (r = mem_nth(m->mem, n)); n++) {
        if (!r->host)
            continue;
        for (uint64_t at = 0; at < r->size; at += MEM_PAGE)
            if (!is_zero(r->host + at))
                hash = hash_page(hash ^ (r->base + at), r->host + at);
    }
    return hash;
}

/* The machine ------------------------------------------------------------------ */

void debug_reset(struct machine *m)
{
    if (m->run)
        run_request_reset(m, SHUTDOWN_HOST_RESET);
}

void debug_reset_images(struct machine *m, struct err *err)
{
    if (!m->run || m->phase < PHASE_MACHINE_READY)
        err_set(err, "the machine is not ready yet: `phase run`");
    else if (!run_reset_input(m))
        err_set(err, "the machine replays a recording: it cannot be changed");
}

void debug_powerdown(struct machine *m)
{
    if (m->run)
        run_request_powerdown(m);
}

void debug_quit(struct machine *m, int status)
{
    m->quit = true;
    m->quit_status = status;
    if (m->run)
        run_request_shutdown(m, SHUTDOWN_HOST_QUIT, status);
}

bool debug_end_stops(struct machine *m, int on)
{
    if (on >= 0)
        m->policy.shutdown_pauses = on;
    return m->policy.shutdown_pauses;
}

struct chardevs *debug_chardevs(const struct machine *m) { return m->chardevs; }

struct loop *debug_loop(const struct machine *m) { return m->loop; }

const char *debug_name(const struct machine *m)
{
    return m->name ? m->name : "";
}

bool debug_dev(const struct machine *m, size_t n, const char **name,
               const char **type)
{
    void *opaque;
    const struct dev_info *i = m->devs ? dev_nth(m->devs, n, &opaque) : NULL;

    if (!i)
        return false;
    *name = i->name;
    *type = i->type;
    return true;
}

void debug_dev_describe(const struct machine *m, size_t n, struct buf *out)
{
    void *opaque;
    const struct dev_info *i = m->devs ? dev_nth(m->devs, n, &opaque) : NULL;

    if (i && i->describe)
        i->describe(opaque, out);
}

void debug_dev_fields(const struct machine *m, size_t n, struct buf *out)
{
    void *opaque;
    const struct dev_info *i = m->devs ? dev_nth(m->devs, n, &opaque) : NULL;

    if (i)
        fields_print(out, i->fields, opaque);
}

void debug_jit(const struct machine *m, struct buf *out)
{
    if (m->trans)
        trans_describe(m->trans, out);
    else
        buf_str(out, "harts are interpreted\n");
}

bool debug_jit_code(const struct machine *m, uint64_t va, struct buf *out)
{
    return m->trans && trans_show(m->trans, va, out);
}

void debug_irqs(const struct machine *m, struct buf *out)
{
    if (m->show_irqs)
        m->show_irqs(m->show_irqs_opaque, out);
}

/* Start-up --------------------------------------------------------------------- */

static const char *const phase_names[] = {
    [PHASE_NONE] = "none",
    [PHASE_MACHINE_CREATED] = "machine-created",
    [PHASE_ACCEL_CREATED] = "accel-created",
    [PHASE_LATE_BACKENDS_CREATED] = "late-backends-created",
    [PHASE_MACHINE_INITIALIZED] = "machine-initialized",
    [PHASE_MACHINE_READY] = "machine-ready",
};

int debug_phase(const struct machine *m) { return m->phase; }

const char *debug_phase_name(int phase)
{
    if (phase < 0 || phase > PHASE_MACHINE_READY)
        return "?";
    return phase_names[phase];
}

bool debug_phase_go(struct machine *m, enum debug_walk_how how,
                    const char *name, struct err *err)
{
    return m->phase_ops->go(m->phase_opaque, how, name, err);
}

void debug_phase_where(const struct machine *m, struct buf *out)
{
    m->phase_ops->where(m->phase_opaque, out);
}

void debug_phase_tree(const struct machine *m, struct buf *out)
{
    m->phase_ops->tree(m->phase_opaque, out);
}
