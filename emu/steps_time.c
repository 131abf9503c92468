/* SPDX-License-Identifier: MIT */
/*
 * steps_time.c - the steps with which history begins: the date, the first
 * reset or a saved state, recordings.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu/base/chardev.h"
#include "emu/base/files.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/machine/migrate.h"
#include "emu/machine/overview.h"
#include "emu/machine/record.h"
#include "emu/machine/recording.h"
#include "emu/machine/run.h"
#include "emu/machine/saves.h"
#include "emu/machine/timeline.h"
#include "emu/steps.h"

/* The date is an option like any other: the host's is made into one, in whole
 * seconds, so that a recording can repeat it. */
int64_t steps_date(struct init *in)
{
    int64_t ns = in->o->rtc_base_ns;
    char text[64];
    time_t date;
    struct tm tm;

    if (ns != INT64_MIN)
        return ns;
    date = (time_t)(loop_now(in->m.loop, LOOP_HOST) / 1000000000);
    gmtime_r(&date, &tm);
    strftime(text, sizeof text, "base=%Y-%m-%dT%H:%M:%S", &tm);
    in->date = xstrdup(text);
    return (int64_t)date * 1000000000;
}

/* Beside the recording, or where we are. */
static char *snapshot_dir(const struct options *o)
{
    const char *file = o->record ? o->record : NULL, *slash;

    if (o->recording)
        file = recording_path(o->recording);
    slash = file ? strrchr(file, '/') : NULL;
    if (o->snapshots)
        return xstrdup(o->snapshots);
    if (!slash)
        return xstrdup(".");
    return xstrndup(file, slash == file ? 1 : (size_t)(slash - file));
}

/* All that makes the machine, the date at start included, as options. */
static void list_options(struct init *in)
{
    const struct strings *given = &in->o->machine;

    in->options = xcalloc(given->n + 2, sizeof *in->options);
    while (in->n_options < given->n) {
        in->options[in->n_options] = given->s[in->n_options];
        in->n_options++;
    }
    if (!in->date)
        return;
    in->options[in->n_options++] = "-rtc";
    in->options[in->n_options++] = in->date;
}

/* The machine is complete, and T is 0. */
static bool begin_history(struct init *in, struct err *err)
{
    const char *file = in->o->record;
    char *dir = snapshot_dir(in->o);

    list_options(in);
    saves_init(&in->m, dir);
    free(dir);
    record_made_of(&in->m, in->options, in->n_options, in->files);
    if (in->o->record_states != UINT64_MAX)
        record_spacing(&in->m, in->o->record_states);
    return !file || record_start(&in->m, file, err) ||
           err_prefix(err, "-record");
}

/* Nobody can make anything of a machine that stands and has no debugger. */
static void replay_ended(void *opaque)
{
    struct init *in = opaque;
    bool alone = !in->monitors && !in->gdbs;

    fprintf(stderr, "ebreak: the recording ends here, at T=%" PRIu64 "%s\n",
            run_now(&in->m), alone ? "" : ": going on is live");
    if (alone)
        run_request_shutdown(&in->m, SHUTDOWN_HOST_QUIT, 0);
}

static bool begin_replay(struct init *in, struct err *err)
{
    struct recording *r = in->o->recording;

    if (r && !recording_closed(r))
        fprintf(stderr,
                "ebreak: %s was not closed: it replays as far as it "
                "was written\n",
                recording_path(r));
    return !r || recording_replay(r, &in->m, replay_ended, in, err);
}

/* What the first instruction finds is the reset state, or a saved one. */
static bool load_state(struct init *in, struct err *err)
{
    const char *name = in->o->loadvm;

    return !name || saves_load(&in->m, name, err) ||
           err_prefix(err, "-loadvm %s", name);
}

bool step_creation_done(struct init *in, struct err *err)
{
    run_reset_now(&in->m);
    return in->done || (begin_history(in, err) && open_gdb(in, err));
}

/* The page shows what went to the first serial line. */
static void begin_overview(struct init *in)
{
    if (!in->o->timeline_html)
        return;
    overview_init(&in->m, in->o->timeline_html);
    if (in->serial0)
        chardev_on_output(in->serial0, overview_console, &in->m);
}

static void end_overview(struct init *in)
{
    struct err err;

    if (in->m.overview && !overview_write(&in->m, &err))
        fprintf(stderr, "ebreak: -timeline-html %s\n", err.text);
    if (in->m.overview && in->serial0)
        chardev_on_output(in->serial0, NULL, NULL);
    overview_fini(&in->m);
}

void steps_end_history(struct init *in)
{
    end_overview(in);
    migrate_fini(&in->m);
    saves_fini(&in->m);
    recording_leave(&in->m);
    record_fini(&in->m);
    free(in->options);
    free(in->date);
    in->options = NULL;
    in->date = NULL;
}

static bool expect_state(struct init *in, struct err *err)
{
    const char *uri = in->o->incoming;

    migrate_expect(&in->m, !in->o->stopped);
    return !strcmp(uri, "defer") || migrate_incoming(&in->m, uri, err) ||
           err_prefix(err, "-incoming %s", uri);
}

bool step_run(struct init *in, struct err *err)
{
    begin_overview(in);
    timeline_init(&in->m, in->o->timeline);
    if (in->o->incoming)
        return expect_state(in, err);
    if (!load_state(in, err) || !begin_replay(in, err))
        return false;
    if (in->o->stopped)
        return true;
    return run_resume(&in->m, NULL, err);
}
