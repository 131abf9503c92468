/* SPDX-License-Identifier: MIT */
/* time.c - moving in time, as debuggers ask for it. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/opts.h"

#include "emu/debug.h"
#include "emu/machine/timeline.h"

static bool is_ready(const struct machine *m, struct err *err)
{
    if (!m->run || m->phase < PHASE_MACHINE_READY)
        return err_set(err, "the machine is not ready yet: `phase run`");
    return true;
}

bool debug_past(const struct machine *m) { return timeline_past(m); }

bool debug_seeking(const struct machine *m)
{
    return m->run && (timeline_seeks(m) || run_is_bound(m));
}

bool debug_reverse(struct machine *m, int hart, bool step, struct err *err)
{
    return is_ready(m, err) && timeline_reverse(m, hart, step, err);
}

/* "12.5%" of history. */
static bool parse_percent(const struct machine *m, const char *where,
                          uint64_t *t)
{
    uint64_t begin = timeline_begin(m), end = timeline_last(m);
    char *rest;
    double percent;

    if (!isdigit((unsigned char)where[0]) || !strchr(where, '%'))
        return false;
    percent = strtod(where, &rest);
    if (strcmp(rest, "%") != 0 || !(percent >= 0 && percent <= 100))
        return false;
    *t = begin + (uint64_t)((double)(end - begin) * percent / 100);
    *t = *t < end ? *t : end;
    return true;
}

/* T, or so many steps from now; never before 0 or past the end of time. */
static bool parse_t(const struct machine *m, const char *where, uint64_t *t)
{
    uint64_t now = run_now(m), n;

    if (!parse_u64(where + strspn(where, "+-"), &n) || where[0] == '\0')
        return false;
    if (*where == '-')
        *t = n < now ? now - n : 0;
    else if (*where == '+')
        *t = n < UINT64_MAX - 1 - now ? now + n : UINT64_MAX - 1;
    else
        *t = n;
    return true;
}

bool debug_goto(struct machine *m, const char *where, struct err *err)
{
    uint64_t t;

    if (!is_ready(m, err))
        return false;
    if (!strcmp(where, "start"))
        return timeline_go(m, TIMELINE_START, err);
    if (!strcmp(where, "end"))
        return timeline_go(m, TIMELINE_END, err);
    if (parse_t(m, where, &t) || parse_percent(m, where, &t))
        return timeline_goto(m, t, err);
    return timeline_restart(m, where, err);
}

bool debug_restart(struct machine *m, const char *name, struct err *err)
{
    return is_ready(m, err) && timeline_restart(m, name, err);
}

bool debug_back(struct machine *m, bool forward, struct err *err)
{
    return is_ready(m, err) && timeline_back(m, forward, err);
}

bool debug_last_steps(struct machine *m, uint64_t steps, struct err *err)
{
    return is_ready(m, err) && timeline_list(m, steps, err);
}

bool debug_checkpoint(struct machine *m, const char *name, struct err *err)
{
    return is_ready(m, err) && timeline_mark(m, name, err);
}

bool debug_branch_switch(struct machine *m, unsigned branch, struct err *err)
{
    return is_ready(m, err) && timeline_switch(m, branch, err);
}

bool debug_branch_drop(struct machine *m, unsigned branch, struct err *err)
{
    return is_ready(m, err) && timeline_drop(m, branch, err);
}

void debug_timeline(const struct machine *m, struct buf *out)
{
    timeline_info(m, out);
}

void debug_checkpoints(const struct machine *m, struct buf *out)
{
    timeline_marks(m, out);
}

void debug_branches(const struct machine *m, struct buf *out)
{
    timeline_branches(m, out);
}
