/* SPDX-License-Identifier: MIT */
/*
 * branches.c - futures that were left, and how much of the log is kept.
 *
 * A branch is kept as its inputs, from where the log in memory begins. Logs
 * may have half of the memory that history may have. When they have more, the
 * oldest branches go, and then the oldest part of the log, with the checkpoints
 * that need it: history begins later.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/machine/record.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"

enum {
    BRANCHES = 64,       /* kept; then the oldest goes */
    LOG_ALONE = 8 << 20, /* bytes of a log that only `timeline save` needs */
};

static struct timeline *timeline_of(const struct machine *m)
{
    return m->run ? m->run->timeline : NULL;
}

static void take_away(struct timeline *tl, struct branch *b)
{
    size_t n = (size_t)(b - tl->branch);

    buf_free(&b->log);
    tl->branches--;
    memmove(b, b + 1, (tl->branches - n) * sizeof *b);
}

void branches_forget(struct timeline *tl)
{
    while (tl->branches)
        take_away(tl, &tl->branch[0]);
}

static void keep_branch(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    struct branch b = { .number = tl->number,
                        .end = tl->end,
                        .from = run_now(m) };

    buf_add(&b.log, tap_log(m->tap), tl->end.log - tap_base(m->tap));
    tl->branch = xrealloc(tl->branch, (tl->branches + 1) * sizeof *tl->branch);
    tl->branch[tl->branches++] = b;
}

static void drop_and_say(struct machine *m, size_t n)
{
    struct timeline *tl = timeline_of(m);
    char text[80];

    snprintf(text, sizeof text, "timeline: branch %u, the oldest, is dropped\n",
             tl->branch[n].number);
    run_say(m, text);
    take_away(tl, &tl->branch[n]);
}

/* A program may poke in the past again and again. */
static void drop_oldest(struct machine *m)
{
    if (timeline_of(m)->branches >= BRANCHES)
        drop_and_say(m, 0);
}

void timeline_poke(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    char text[160];

    if (!timeline_is(tl) || !tap_past(m->tap) || tap_recorded(m->tap))
        return;
    drop_oldest(m);
    keep_branch(m);
    chain_cut(tl->chain);
    tap_cut(m->tap);
    stops_cut(m, run_now(m));
    tl->present = NULL;
    timeline_horizon(m);
    tl->number = ++tl->numbers;
    snprintf(text, sizeof text,
             "timeline: branch %u begins at T=%" PRIu64
             "; the future that was, up to T=%" PRIu64 ", is branch %u\n",
             tl->number, run_now(m), tl->end.t,
             tl->branch[tl->branches - 1].number);
    run_say(m, text);
}

static struct branch *branch_named(const struct timeline *tl, unsigned number)
{
    for (size_t n = 0; n < tl->branches; n++)
        if (tl->branch[n].number == number)
            return &tl->branch[n];
    return NULL;
}

bool timeline_drop(struct machine *m, unsigned number, struct err *err)
{
    struct timeline *tl = timeline_of(m);
    struct branch *b = tl ? branch_named(tl, number) : NULL;

    if (!b)
        return err_set(err, "there is no branch %u to drop", number);
    take_away(tl, b);
    return true;
}

/* The last checkpoint that is of both pasts; false: there is none. */
static bool common_past(const struct machine *m, const struct branch *b,
                        size_t *n)
{
    const struct chain *c = timeline_of(m)->chain;
    uint64_t t;
    size_t log = tap_common(m->tap, b->log.data, b->log.len, &t);

    t = t < b->end.t ? t : b->end.t;
    for (*n = chain_count(c); (*n)-- > 0;)
        if (chain_nth(c, *n)->pos.t <= t && chain_nth(c, *n)->pos.log <= log)
            return true;
    return false;
}

bool timeline_switch(struct machine *m, unsigned number, struct err *err)
{
    struct timeline *tl = timeline_of(m);
    struct branch *b, to;
    size_t n;

    if (!timeline_ready(m, err))
        return false;
    if (number == tl->number)
        return timeline_go(m, TIMELINE_END, err);
    b = branch_named(tl, number);
    if (!b)
        return err_set(err, "there is no branch %u", number);
    if (!common_past(m, b, &n))
        return err_set(err, "branch %u was left before history begins", number);
    timeline_leave(m)->kept = false;
    to = *b;
    b->log = (struct buf){ 0 };
    take_away(tl, b);
    keep_branch(m);
    common_past(m, &to, &n);
    tl->present = NULL;
    stops_cut(m, chain_nth(tl->chain, n)->pos.t);
    timeline_restore(m, n);
    chain_cut(tl->chain);
    tap_set_log(m->tap, to.log.data, to.log.len);
    tap_rewind(m->tap, chain_nth(tl->chain, n)->pos.log);
    buf_free(&to.log);
    tl->end = to.end;
    tl->end_state = RUN_DEBUG;
    tl->number = to.number;
    timeline_horizon(m);
    return timeline_goto(m, tl->end.t, err);
}

void timeline_branches(const struct machine *m, struct buf *out)
{
    const struct timeline *tl = timeline_of(m);

    if (!tl)
        return;
    buf_printf(out, "* %u  up to T=%" PRIu64 "\n", tl->number, timeline_end(m));
    for (size_t n = 0; n < tl->branches; n++)
        buf_printf(out, "  %u  up to T=%" PRIu64 ", left at T=%" PRIu64 "\n",
                   tl->branch[n].number, tl->branch[n].end.t,
                   tl->branch[n].from);
}

/* The log's beginning -------------------------------------------------------- */

void timeline_say_lost(struct machine *m, size_t lost)
{
    char text[120];

    if (!lost || timeline_of(m)->forgot)
        return;
    timeline_of(m)->forgot = true;
    snprintf(text, sizeof text,
             "timeline: the memory it may have is used up, history begins at "
             "T=%" PRIu64 " now\n",
             timeline_begin(m));
    run_say(m, text);
}

size_t log_bytes(const struct machine *m)
{
    const struct timeline *tl = timeline_of(m);
    size_t bytes = tap_bytes(m->tap);

    for (size_t n = 0; tl && n < tl->branches; n++)
        bytes += tl->branch[n].log.len;
    return bytes;
}

/* A branch that was left before place is out of reach. */
static void shorten_branches(struct machine *m, size_t place)
{
    struct timeline *tl = timeline_of(m);
    uint64_t t;

    for (size_t n = tl->branches; n-- > 0;) {
        struct buf *log = &tl->branch[n].log;

        if (tap_common(m->tap, log->data, log->len, &t) < place)
            drop_and_say(m, n);
        else
            buf_drop(log, place - tap_base(m->tap));
    }
}

/* What a recording has yet to write stays. */
static void forget_log(struct machine *m, size_t place)
{
    if (record_path(m))
        record_flush(m);
    tap_forget(m->tap, place);
}

static void shorten_history(struct machine *m, size_t room)
{
    struct timeline *tl = timeline_of(m);
    size_t lost, place;

    timeline_take(m);
    lost = chain_forget(tl->chain, tap_place(m->tap) - room / 2);
    place = chain_nth(tl->chain, 0)->pos.log;
    shorten_branches(m, place);
    forget_log(m, place);
    timeline_say_lost(m, lost);
}

void log_trim(struct machine *m)
{
    struct timeline *tl = timeline_of(m);
    size_t room = tl ? tl->bytes / 2 : LOG_ALONE;

    if (tap_replaying(m->tap) || log_bytes(m) <= room)
        return;
    while (tl && tl->branches && log_bytes(m) > room)
        drop_and_say(m, 0);
    if (timeline_is(tl) && tap_bytes(m->tap) > room)
        shorten_history(m, room);
    else if (!tl)
        forget_log(m, tap_place(m->tap));
}
