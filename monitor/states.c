/* SPDX-License-Identifier: MIT */
/* states.c - savevm, loadvm and their like: the machine's state in files. */
#include "monitor/mon.h"

/* A session that asked gets its prompt when the file is there. */
static void done(void *opaque, const struct err *err)
{
    struct monitor *mon = opaque;

    if (err)
        mon_error(mon, err);
    mon_resume(mon);
}

void states_forget(struct monitor *mon) { debug_done_forget(mon->m, mon); }

void hmp_savevm(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!debug_savevm(mon->m, arg_text(a, "name"), mon->c ? done : NULL, mon,
                      &err))
        mon_error(mon, &err);
    else if (mon->c)
        mon_wait(mon);
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
        mon_wait(mon);
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
