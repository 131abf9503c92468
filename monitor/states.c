/* SPDX-License-Identifier: MIT */
/* states.c - savevm, loadvm and their like: the machine's state in files. */
#include "emu/base/loop.h"

#include "monitor/mon.h"

/* A session that asked gets its prompt when the file is there; until then it
 * is told each second how far that is, and C-c ends it. */
enum { SECOND = 1000 * 1000 * 1000 };

static void tell_progress(void *opaque)
{
    struct monitor *mon = opaque;

    mon_print(mon, "%d %%\n", debug_done_percent(mon->m));
    mon_flush(mon);
    timer_set(mon->progress,
              loop_now(debug_loop(mon->m), LOOP_REALTIME) + SECOND);
}

static void done(void *opaque, const struct err *err)
{
    struct monitor *mon = opaque;

    timer_free(mon->progress);
    mon->progress = NULL;
    if (err)
        mon_error(mon, err);
    mon_resume(mon);
}

static void wait_for_it(struct monitor *mon)
{
    struct loop *l = debug_loop(mon->m);

    mon->progress =
        timer_new(l, LOOP_REALTIME, "monitor-progress", tell_progress, mon);
    timer_set(mon->progress, loop_now(l, LOOP_REALTIME) + SECOND);
    mon_wait(mon);
}

void states_forget(struct monitor *mon)
{
    debug_done_forget(mon->m, mon);
    timer_free(mon->progress);
}

void hmp_savevm(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_savevm(mon->m, arg_text(a, "name"), mon->c ? done : NULL, mon,
                      &err))
        mon_error(mon, &err);
    else if (mon->c)
        wait_for_it(mon);
}

void hmp_loadvm(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_loadvm(mon->m, arg_text(a, "name"), &err))
        mon_error(mon, &err);
}

void hmp_delvm(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_delvm(mon->m, arg_text(a, "name"), &err))
        mon_error(mon, &err);
}

/* A detached migration is nobody's to wait for: `info migrate` tells. */
static void nobody(void *opaque, const struct err *err)
{
    (void)opaque;
    (void)err;
}

void hmp_migrate(struct monitor *mon, const struct args *a)
{
    bool detached = arg_given(a, "detach"), wait = mon->c && !detached;
    struct err err;

    if (!debug_migrate(mon->m, arg_text(a, "uri"),
                       wait       ? done
                       : detached ? nobody
                                  : NULL,
                       mon, &err))
        mon_error(mon, &err);
    else if (wait)
        wait_for_it(mon);
}

void hmp_migrate_cancel(struct monitor *mon, const struct args *a)
{
    (void)a;
    debug_migrate_cancel(mon->m);
}

void hmp_migrate_incoming(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_migrate_incoming(mon->m, arg_text(a, "uri"), &err))
        mon_error(mon, &err);
}

void info_migrate(struct monitor *mon, const struct args *a)
{
    struct buf b = { 0 };

    (void)a;
    debug_migration(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

void info_snapshots(struct monitor *mon, const struct args *a)
{
    struct buf b = { 0 };

    (void)a;
    debug_snapshots(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}
