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

void info_snapshots(struct monitor *mon, const struct args *a)
{
    struct buf b = { 0 };

    (void)a;
    debug_snapshots(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}
