/* SPDX-License-Identifier: MIT */
/*
 * fake_states.c - the part of debug.h that is about states in files: savevm
 * keeps its done for the test to call, the rest is refused. Included by
 * fake_machine.c.
 */
static struct {
    debug_done_fn *done;
    void *opaque;
    char name[64];
} fake_save;

bool debug_savevm(struct machine *m, const char *name, debug_done_fn *done,
                  void *opaque, struct err *err)
{
    (void)m;
    if (fake_save.done)
        return err_set(err, "the snapshot '%s' is still being written",
                       fake_save.name);
    snprintf(fake_save.name, sizeof fake_save.name, "%s", name ? name : "");
    fake_save.done = done;
    fake_save.opaque = opaque;
    return true;
}

void debug_done_forget(struct machine *m, const void *opaque)
{
    (void)m;
    if (fake_save.opaque == opaque)
        fake_save.done = NULL;
}

bool debug_done_cancel(struct machine *m, const void *opaque)
{
    (void)m;
    return fake_save.done && fake_save.opaque == opaque;
}

int debug_done_percent(const struct machine *m)
{
    (void)m;
    return fake_save.done ? 50 : -1;
}

bool debug_loadvm(struct machine *m, const char *name, struct err *err)
{
    (void)m;
    return err_set(err, "Snapshot '%s' does not exist in .", name);
}

bool debug_delvm(struct machine *m, const char *name, struct err *err)
{
    return debug_loadvm(m, name, err);
}

bool debug_save_run(struct machine *m, const char *path, struct err *err)
{
    (void)m;
    return err_set(err, "%s: No such file or directory", path);
}

bool debug_migrate(struct machine *m, const char *uri, debug_done_fn *done,
                   void *opaque, struct err *err)
{
    return debug_savevm(m, uri, done, opaque, err);
}

void debug_migrate_cancel(struct machine *m)
{
    (void)m;
    fake_save.done = NULL;
}

bool debug_migrate_incoming(struct machine *m, const char *uri, struct err *err)
{
    (void)m;
    return err_set(err, "unknown migration protocol: %s", uri);
}

void debug_migration(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "Migration status: none\n");
}

void debug_snapshots(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "There is no snapshot available.\n");
}
