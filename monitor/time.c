/* SPDX-License-Identifier: MIT */
/*
 * time.c - moving in time: goto, checkpoints, backward, branches.
 *
 * A search takes its time: the session waits for the stop that ends it. From
 * gdb nobody waits here: the stub does.
 */
#include <inttypes.h>
#include <string.h>

#include "emu/base/loop.h"
#include "emu/base/opts.h"

#include "monitor/mon.h"

enum { HISTORY_STEPS = 10000 };

/* The session that waits for a stop; one at a time. */
static struct {
    struct monitor *mon; /* NULL: none */
    struct bh *bh;
    struct debug_stop stop;
} waiter;

static void on_event(void *opaque, const struct debug_event *e)
{
    (void)opaque;
    if (e->kind != DEBUG_EVENT_STOPPED)
        return;
    waiter.stop = e->stop;
    bh_schedule(waiter.bh);
}

static void forget(struct machine *m)
{
    debug_unlisten(m, on_event, &waiter);
    bh_free(waiter.bh);
    memset(&waiter, 0, sizeof waiter);
}

static void arrived(void *opaque)
{
    struct monitor *mon = waiter.mon;
    struct debug_stop stop = waiter.stop;
    struct debug_hart h;
    uint64_t pc;

    (void)opaque;
    forget(mon->m);
    debug_hart(mon->m, stop.hart < 0 ? mon->hart : stop.hart, &h);
    pc = h.pc;
    mon_print(mon, "T=%" PRIu64 "%s\n", debug_now(mon->m),
              stop.reason == DEBUG_STOP_BEGIN ? ", where history begins" : "");
    mon_disas(mon, DEBUG_VIRT, &pc);
    mon_resume(mon);
}

void time_forget(const struct monitor *mon)
{
    if (waiter.mon == mon)
        forget(mon->m);
}

/* After what began a search, or could not. */
static void wait_for(struct monitor *mon, bool began, const struct err *err)
{
    if (!began) {
        mon_error(mon, err);
        return;
    }
    if (!mon->c || waiter.mon)
        return;
    waiter.mon = mon;
    waiter.bh = bh_new(debug_loop(mon->m), "monitor-time", arrived, NULL);
    debug_listen(mon->m, on_event, &waiter);
    mon_wait(mon);
}

void hmp_goto(struct monitor *mon, const struct args *a)
{
    struct err err;

    wait_for(mon, debug_goto(mon->m, arg_text(a, "where"), &err), &err);
}

void hmp_back(struct monitor *mon, const struct args *a)
{
    struct err err;

    (void)a;
    wait_for(mon, debug_back(mon->m, false, &err), &err);
}

void hmp_forward(struct monitor *mon, const struct args *a)
{
    struct err err;

    (void)a;
    wait_for(mon, debug_back(mon->m, true, &err), &err);
}

void hmp_history(struct monitor *mon, const struct args *a)
{
    uint64_t n = arg_number(a, "count", 20);
    struct err err;

    if (n < 1 || n > HISTORY_STEPS)
        mon_print(mon, "Error: the count must be from 1 to %d\n",
                  HISTORY_STEPS);
    else
        wait_for(mon, debug_last_steps(mon->m, n, &err), &err);
}

void hmp_checkpoint(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_checkpoint(mon->m, arg_text(a, "name"), &err))
        mon_error(mon, &err);
}

void hmp_reverse_stepi(struct monitor *mon, const struct args *a)
{
    struct err err;

    (void)a;
    wait_for(mon, debug_reverse(mon->m, mon->hart, true, &err), &err);
}

void hmp_reverse_continue(struct monitor *mon, const struct args *a)
{
    struct err err;

    (void)a;
    wait_for(mon, debug_reverse(mon->m, mon->hart, false, &err), &err);
}

void hmp_who_wrote(struct monitor *mon, const struct args *a)
{
    uint64_t va = arg_number(a, "addr", 0), len = arg_number(a, "len", 8);
    struct debug_point p = { .kind = DEBUG_WRITE, .len = len, .phys = true };
    struct debug_walk w;
    struct err err;

    if (!len || va % 4096 + len > 4096) {
        mon_print(mon, "Error: the bytes must lie in one page\n");
        return;
    }
    if (!debug_translate(mon->m, mon->hart, va, &w)) {
        mon_print(mon, "Error: 0x%" PRIx64 " is not mapped: %s\n", va, w.fault);
        return;
    }
    p.addr = w.pa;
    wait_for(mon, debug_look_back(mon->m, &p, &err), &err);
}

void hmp_last_trap(struct monitor *mon, const struct args *a)
{
    struct debug_point p = { .kind = DEBUG_CATCH_TRAP, .len = 1 };
    struct err err;

    (void)a;
    wait_for(mon, debug_look_back(mon->m, &p, &err), &err);
}

/* Branches, and what there is --------------------------------------------- */

typedef void show_fn(const struct machine *m, struct buf *out);

static void show(struct monitor *mon, show_fn *fn)
{
    struct buf b = { 0 };

    fn(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

static void branch(struct monitor *mon, const char *word, unsigned n)
{
    struct err err;

    if (!strcmp(word, "switch"))
        wait_for(mon, debug_branch_switch(mon->m, n, &err), &err);
    else if (strcmp(word, "drop") != 0)
        mon_help_row(mon, "timeline");
    else if (!debug_branch_drop(mon->m, n, &err))
        mon_error(mon, &err);
}

void hmp_timeline(struct monitor *mon, const struct args *a)
{
    const char *word = arg_text(a, "how"), *what = arg_text(a, "what");
    struct err err;
    uint64_t n;

    if (!strcmp(word, "list") && !what)
        show(mon, debug_branches);
    else if (!strcmp(word, "save") && what) {
        if (!debug_save_run(mon->m, what, &err))
            mon_error(mon, &err);
    } else if (!what || !parse_u64(what, &n) || n > UINT32_MAX)
        mon_help_row(mon, "timeline");
    else
        branch(mon, word, (unsigned)n);
}

void info_timeline(struct monitor *mon, const struct args *a)
{
    (void)a;
    show(mon, debug_timeline);
}

void info_checkpoints(struct monitor *mon, const struct args *a)
{
    (void)a;
    show(mon, debug_checkpoints);
}
