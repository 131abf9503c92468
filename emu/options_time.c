/* SPDX-License-Identifier: MIT */
/* options_time.c - options about the machine's past and its states. */
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/options_impl.h"

bool do_snapshots(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->snapshots, arg);
    return true;
}

bool do_loadvm(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->loadvm, arg);
    return true;
}

bool do_incoming(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->incoming, arg);
    return true;
}

bool do_record(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->record, arg);
    return true;
}

/* options.c has opened it, before all others. */
bool do_replay(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    return o->recording || err_set(err, "there is no recording");
}

bool do_timeline_html(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->timeline_html, arg);
    return true;
}
