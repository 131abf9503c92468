/* SPDX-License-Identifier: MIT */
/*
 * fake_time.c - the time section of debug.h, for the monitor: notes what was
 * asked for. Included by fake_machine.c.
 */
static char fake_asked[64];

static bool fake_time(const char *what, const char *how)
{
    snprintf(fake_asked, sizeof fake_asked, "%s %s", what, how ? how : "-");
    return true;
}

bool debug_reverse(struct machine *m, int hart, bool step, struct err *err)
{
    (void)m, (void)hart, (void)err;
    return fake_time("reverse", step ? "step" : "continue");
}

bool debug_look_back(struct machine *m, const struct debug_point *p,
                     struct err *err)
{
    (void)m, (void)err;
    return fake_time("look", p->kind == DEBUG_WRITE ? "write" : "trap");
}

bool debug_goto(struct machine *m, const char *where, struct err *err)
{
    (void)m;
    if (!strcmp(where, "nowhere"))
        return err_set(err, "there is no checkpoint 'nowhere'");
    return fake_time("goto", where);
}

bool debug_restart(struct machine *m, const char *name, struct err *err)
{
    (void)m;
    if (!strcmp(name, "nowhere"))
        return err_set(err, "there is no checkpoint 'nowhere'");
    return fake_time("restart", name);
}

bool debug_back(struct machine *m, bool forward, struct err *err)
{
    (void)m, (void)err;
    return fake_time(forward ? "forward" : "back", NULL);
}

bool debug_last_steps(struct machine *m, uint64_t steps, struct err *err)
{
    char count[24];

    (void)m, (void)err;
    snprintf(count, sizeof count, "%u", (unsigned)steps);
    return fake_time("list", count);
}

bool debug_checkpoint(struct machine *m, const char *name, struct err *err)
{
    (void)m, (void)err;
    return fake_time("checkpoint", name);
}

bool debug_branch_switch(struct machine *m, unsigned branch, struct err *err)
{
    (void)m, (void)err;
    return fake_time("switch", branch == 2 ? "2" : "?");
}

bool debug_branch_drop(struct machine *m, unsigned branch, struct err *err)
{
    (void)m;
    return err_set(err, "there is no branch %u to drop", branch);
}

void debug_timeline(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "history: T=0 to 7\n");
}

void debug_checkpoints(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "here T=5\n");
}

void debug_branches(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "* 1\n");
}
