/* SPDX-License-Identifier: MIT */
/*
 * run.c - run states, requests and the turn of the main loop.
 *
 * What happens within a slice is slice.c's; here is everything around it:
 * starting, stopping, and the requests that QEMU's main loop serves, in its
 * order (facts: main_loop_should_exit).
 */
#include "emu/machine/run.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "emu/hart/hart.h"
#include "emu/hart/trace.h"
#include "emu/machine/fileio.h"
#include "emu/machine/record.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"

static const char *const state_names[RUN_STATES] = {
    [RUN_PRELAUNCH] = "prelaunch",
    [RUN_RUNNING] = "running",
    [RUN_PAUSED] = "paused",
    [RUN_DEBUG] = "debug",
    [RUN_SHUTDOWN] = "shutdown",
    [RUN_INTERNAL_ERROR] = "internal-error",
    [RUN_GUEST_PANICKED] = "guest-panicked",
    [RUN_INMIGRATE] = "inmigrate",
    [RUN_FINISH_MIGRATE] = "finish-migrate",
    [RUN_POSTMIGRATE] = "postmigrate",
};

static void tell(struct machine *m, struct run_event *e)
{
    struct run *r = m->run;

    e->stop = r->stop;
    for (int n = 0; n < r->listeners; n++)
        r->listener[n].fn(r->listener[n].opaque, e);
}

/* Clock and schedule ------------------------------------------------------ */

static const struct field clock_fields[] = {
    STATE(struct run_clock_state, t),    STATE(struct run_clock_state, idle_ns),
    STATE(struct run_clock_state, held), STATE(struct run_clock_state, turn),
    STATE(struct run_clock_state, left), FIELDS_END,
};

static void clock_reset(void *opaque) { (void)opaque; }

static int64_t virtual_now(void *m) { return run_virtual_ns(m); }

/* A virtual timer was set: the present slice may be too long now. */
static void deadline_moved(void *opaque)
{
    struct machine *m = opaque;

    if (m->run->running)
        m->run->running->attention |= ATTN_YIELD;
}

/* Inputs of the machine itself -------------------------------------------- */

static void reset_delivered(void *opaque, const void *data, size_t len)
{
    struct machine *m = opaque;

    (void)data;
    (void)len;
    run_reset_now(m);
}

static void held_delivered(void *opaque, const void *data, size_t len)
{
    struct machine *m = opaque;

    if (len == sizeof m->run->clock.held)
        memcpy(&m->run->clock.held, data, len);
}

static void wake_delivered(void *opaque, const void *data, size_t len)
{
    struct machine *m = opaque;
    uint64_t harts;

    if (len != sizeof harts)
        return;
    memcpy(&harts, data, len);
    for (int n = 0; n < m->harts; n++)
        if (harts >> n & 1)
            m->hart[n]->waiting = false;
}

static void mask_delivered(void *opaque, const void *data, size_t len)
{
    struct machine *m = opaque;
    uint64_t harts;

    if (len != sizeof harts)
        return;
    memcpy(&harts, data, len);
    for (int n = 0; n < m->harts; n++) {
        m->hart[n]->masked = harts >> n & 1;
        m->hart[n]->attention |= ATTN_IRQ;
    }
}

bool run_init(struct machine *m, const struct run_clock *clock)
{
    struct run *r = xcalloc(1, sizeof *r);
    static const struct dev_info info = {
        .name = "clock",
        .fields = clock_fields,
        .size = sizeof(struct run_clock_state),
        .version = 1,
        .reset = clock_reset,
    };

    r->config = *clock;
    r->clock.left = RUN_QUANTUM;
    r->state = RUN_PRELAUNCH;
    r->stop.hart = -1;
    r->until = r->stop_t = r->told_t = UINT64_MAX;
    r->irq_mode = RUN_IRQ_OVER;
    m->run = r;
    m->tap = tap_new(slice_tap_now, m);
    r->source_clock = tap_source(m->tap, "clock", slice_clock_delivered, m);
    r->source_reset = tap_source(m->tap, "reset", reset_delivered, m);
    r->source_held = tap_source(m->tap, "schedule", held_delivered, m);
    r->source_wake = tap_source(m->tap, "wake", wake_delivered, m);
    record_init(m);
    r->source_mask = tap_source(m->tap, "mask", mask_delivered, m);
    r->source_took = tap_source(m->tap, "took", slice_took_delivered, m);
    loop_virtual_clock(m->loop, virtual_now, m);
    loop_on_virtual_set(m->loop, deadline_moved, m);
    dev_add(m->devs, &info, &r->clock);
    return true;
}

void run_fini(struct machine *m)
{
    record_fini(m);
    timeline_fini(m);
    tap_free(m->tap);
    m->tap = NULL;
    free(m->run);
    m->run = NULL;
}

void run_add_hart(struct machine *m, struct hart *h)
{
    assert(m->harts < MAX_HARTS);
    m->hart[m->harts++] = h;
    mem_on_dma(m->mem, slice_dma, m);
}

/* States ------------------------------------------------------------------ */

enum run_state run_state(const struct machine *m)
{
    return m->run ? m->run->state : RUN_PRELAUNCH;
}

bool run_is_bound(const struct machine *m)
{
    return m->run->state == RUN_RUNNING && m->run->until != UINT64_MAX;
}

const char *run_state_name(enum run_state s) { return state_names[s]; }

void run_last_stop(const struct machine *m, struct run_stop *out)
{
    *out = m->run ? m->run->stop : (struct run_stop){ .hart = -1 };
}

void run_listen(struct machine *m, run_listen_fn *fn, void *opaque)
{
    struct run *r = m->run;

    assert(r->listeners < RUN_LISTENERS);
    r->listener[r->listeners].fn = fn;
    r->listener[r->listeners++].opaque = opaque;
}

/* Holding a hart back changes who runs when: an input like any other. What
 * was in the past stays as it was: there, harts move as they did. */
static void hold(struct machine *m, uint64_t held)
{
    struct run *r = m->run;

    if (held != r->clock.held && !tap_replaying(m->tap))
        tap_put(m->tap, r->source_held, &held, sizeof held);
}

static uint64_t all_harts(const struct machine *m)
{
    return m->harts == 64 ? UINT64_MAX : (UINT64_C(1) << m->harts) - 1;
}

/* To who steps, wfi is a nop: a hart that waits goes on, and that too is an
 * input (debug spec 4.4: wfi while stepping). */
static void wake(struct machine *m, uint64_t stepping)
{
    uint64_t waiting = 0;

    for (int n = 0; n < m->harts; n++)
        if (m->hart[n]->waiting && !hart_wakes(m->hart[n]))
            waiting |= UINT64_C(1) << n;
    waiting &= stepping;
    if (waiting && !tap_replaying(m->tap))
        tap_put(m->tap, m->run->source_wake, &waiting, sizeof waiting);
}

/* A machine that is moving does not run. */
static bool may_run(const struct run *r, struct err *err)
{
    switch (r->state) {
    case RUN_SHUTDOWN:
    case RUN_INTERNAL_ERROR:
        return err_set(err, "Resetting the Virtual Machine is required");
    case RUN_FINISH_MIGRATE:
        return err_set(err, "Migration is not finalized yet");
    case RUN_INMIGRATE:
        return err_set(err, "the machine waits for its state to come in");
    default:
        return true;
    }
}

/* Whose interrupts wait: an input like holding them. */
static void mask(struct machine *m, uint64_t harts)
{
    uint64_t masked = 0;

    for (int n = 0; n < m->harts; n++)
        masked |= (uint64_t)m->hart[n]->masked << n;
    if (harts != masked)
        tap_put(m->tap, m->run->source_mask, &harts, sizeof harts);
}

enum run_irq run_irq_mode(struct machine *m, enum run_irq set)
{
    if (set != RUN_IRQ_SET)
        m->run->irq_mode = set;
    return m->run->irq_mode;
}

void run_live(struct machine *m)
{
    const struct run_resume *how = &m->run->resume;

    mask(m, how->irq == RUN_IRQ_MASK ? how->step & all_harts(m) : 0);
    hold(m, all_harts(m) & ~(how->run | how->step));
    wake(m, how->step);
}

bool run_resume(struct machine *m, const struct run_resume *how,
                struct err *err)
{
    static const struct run_resume everyone = { .run = UINT64_MAX };
    struct run *r = m->run;
    struct run_event e = { .kind = RUN_EVENT_RUNNING };

    if (!may_run(r, err))
        return false;
    if (r->state == RUN_RUNNING)
        return true;
    if (fileio_request(m))
        return err_set(err, "a semihosting call waits for gdb's answer");
    if (how)
        timeline_watched(m);
    timeline_started(m);
    r->resume = how ? *how : everyone;
    if (r->resume.irq == RUN_IRQ_SET)
        r->resume.irq = r->irq_mode;
    r->until = UINT64_MAX;
    run_live(m);
    slice_started(m);
    r->state = RUN_RUNNING;
    tell(m, &e);
    return true;
}

bool run_resume_again(struct machine *m, struct err *err)
{
    struct run_resume how = m->run->resume;

    return run_resume(m, &how, err);
}

static void stopped(struct machine *m, enum run_state why)
{
    struct run_event e = { .kind = RUN_EVENT_STOPPED };

    slice_ended(m);
    if (tap_past(m->tap))
        slice_arrive(m);
    m->run->state = why;
    timeline_stopped(m);
    tell(m, &e);
}

void run_say(struct machine *m, const char *text)
{
    struct run_event e = { .kind = RUN_EVENT_SAY, .text = text };

    tell(m, &e);
}

void run_seek_started(struct machine *m)
{
    struct run_event e = { .kind = RUN_EVENT_RUNNING };

    m->run->state = RUN_RUNNING;
    tell(m, &e);
}

/* What was told at the end of its step going back is not told again there. */
void run_seek_stopped(struct machine *m, const struct run_stop *stop)
{
    struct run *r = m->run;
    bool after =
        stop->reason == RUN_STOP_WATCH || stop->reason == RUN_STOP_CATCH;

    r->stop = *stop;
    r->told_t = after ? run_now(m) : UINT64_MAX;
    stopped(m, RUN_DEBUG);
}

void run_pause(struct machine *m, enum run_state why)
{
    struct run *r = m->run;

    if (!r || r->state != RUN_RUNNING)
        return;
    if (timeline_seeks(m))
        timeline_cancel(m);
    if (!r->stop_due) /* else a hart was first: that is what it is told */
        r->stop = (struct run_stop){
            .reason = RUN_STOP_PAUSE,
            .hart = m->harts ? (int)r->clock.turn : -1,
        };
    r->stop_due = false;
    stopped(m, why);
}

void run_stand(struct machine *m, enum run_state why)
{
    if (m->run->state == RUN_RUNNING)
        run_pause(m, why);
    else
        m->run->state = why;
}

void run_stop_at_end(struct machine *m)
{
    m->run->stop = (struct run_stop){
        .reason = RUN_STOP_END,
        .hart = m->harts ? (int)m->run->clock.turn : -1,
    };
    m->run->stop_due = true;
}

const struct run_clock *run_config(const struct machine *m)
{
    return &m->run->config;
}

void run_loaded(struct machine *m)
{
    struct run_event e = { .kind = RUN_EVENT_LOADED };

    m->run->stop = (struct run_stop){ .hart = -1 };
    m->run->stop_due = false;
    tap_restart(m->tap);
    timeline_forget(m);
    for (int n = 0; n < m->harts; n++)
        hart_flush(m->hart[n]);
    tell(m, &e);
}

/* Requests ---------------------------------------------------------------- */

static void yield(struct machine *m)
{
    if (m->run->running)
        m->run->running->attention |= ATTN_YIELD;
}

/* Off again, or into a panic: that was in the past. */
static bool was_before(const struct run *r, enum shutdown_reason why)
{
    return r->quiet && why >= SHUTDOWN_GUEST_SHUTDOWN;
}

void run_request_shutdown(struct machine *m, enum shutdown_reason why,
                          int status)
{
    struct run *r = m->run;

    if (r->shutdown || was_before(r, why))
        return;
    r->shutdown = why;
    r->status = status;
    yield(m);
}

void run_request_reset(struct machine *m, enum shutdown_reason why)
{
    if (m->policy.reboot_is_shutdown) {
        run_request_shutdown(m, why, 0);
        return;
    }
    m->run->reset = why;
    yield(m);
}

void run_request_powerdown(struct machine *m) { m->run->powerdown = true; }

void run_signal(struct machine *m, int signo)
{
    m->run->signo = signo;
    run_request_shutdown(m, SHUTDOWN_HOST_SIGNAL, 0);
}

/* -d cpu_reset: what each hart was about. */
static void log_harts(const struct machine *m)
{
    for (int n = 0; n < m->harts; n++) {
        struct buf b = { 0 };

        trace_registers(m->hart[n], log_on(LOG_FPU), &b);
        log_to(LOG_CPU_RESET, "CPU Reset (CPU %d)\n%s", n, buf_text(&b));
        buf_free(&b);
    }
}

void run_reset_now(struct machine *m)
{
    if (log_on(LOG_CPU_RESET))
        log_harts(m);
    devs_reset(m->devs);
    roms_reset(m->roms);
    for (int n = 0; n < m->harts; n++)
        hart_flush(m->hart[n]);
}

/* True when the machine goes on: -no-shutdown keeps it, off, for a look. */
static bool shut_down(struct machine *m)
{
    struct run *r = m->run;
    struct run_event e = { .kind = RUN_EVENT_EXIT };

    if (r->signo)
        fprintf(stderr, "ebreak: terminating on signal %d\n", r->signo);
    if (m->policy.shutdown_pauses && r->shutdown != SHUTDOWN_HOST_QUIT &&
        r->shutdown != SHUTDOWN_HOST_SIGNAL) {
        r->shutdown = SHUTDOWN_NONE;
        r->stop = (struct run_stop){ .reason = RUN_STOP_SHUTDOWN,
                                     .hart = (int)r->clock.turn };
        stopped(m, RUN_SHUTDOWN);
        return true;
    }
    if (r->shutdown == SHUTDOWN_GUEST_PANIC && !r->status &&
        m->policy.panic_is_failure)
        r->status = 1;
    e.status = r->status;
    tell(m, &e);
    return false;
}

/* One that stands is as before its start again, even if it was off. */
static void reset_done(struct machine *m)
{
    struct run *r = m->run;
    struct run_event e = { .kind = RUN_EVENT_RESET };

    if (r->state != RUN_RUNNING) {
        r->stop.reason = RUN_STOP_RESET;
        r->state = RUN_PRELAUNCH;
    }
    tell(m, &e);
}

bool run_reset_input(struct machine *m)
{
    timeline_poke(m);
    if (!tap_put(m->tap, m->run->source_reset, NULL, 0))
        return false;
    reset_done(m);
    return true;
}

/* A reset that a person asked for is an input; the guest's own is not. */
static void reset(struct machine *m)
{
    bool by_guest = m->run->reset == SHUTDOWN_GUEST_RESET;

    m->run->reset = SHUTDOWN_NONE;
    if (by_guest) {
        run_reset_now(m);
        reset_done(m);
    } else {
        run_reset_input(m);
    }
}

static bool serve_requests(struct machine *m)
{
    struct run *r = m->run;

    if (r->stop_due) {
        r->stop_due = false;
        stopped(m, RUN_DEBUG);
    }
    if (r->shutdown && !shut_down(m))
        return false;
    if (r->reset)
        reset(m);
    r->powerdown = false; /* virt has no power button to press */
    return true;
}

bool run_turn(struct machine *m)
{
    if (!serve_requests(m))
        return false;
    loop_turn(m->loop, slice_wait_ns(m));
    if (m->run->state != RUN_RUNNING || m->run->shutdown || m->run->reset)
        return true;
    if (timeline_seeks(m)) {
        timeline_turn(m);
        return true;
    }
    slice_run(m);
    timeline_slice(m);
    return true;
}

int run_exit_status(const struct machine *m) { return m->run->status; }
