/* SPDX-License-Identifier: MIT */
/* options_time.c - options about the machine's past and its states. */
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/opts.h"

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

/* FILE[,states=N]: a comma in the file's name is written twice. */
bool do_record(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, "file", err);
    const char *states = ok ? opts_get(&p, "states", NULL) : NULL;

    if (ok)
        options_set(&o->record, opts_get(&p, "file", ""));
    if (states && !strcmp(states, "off"))
        o->record_states = 0;
    else if (states && (!parse_size(states, 'B', &o->record_states) ||
                        o->record_states < 100000))
        ok = err_set(err, "Parameter 'states' expects off, or a number of "
                          "instructions from 100000 on");
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
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
