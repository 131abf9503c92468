/* SPDX-License-Identifier: MIT */
/* states.c - the machine's state in files and on its way elsewhere. */
#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/debug/hub.h"
#include "emu/machine/migrate.h"
#include "emu/machine/record.h"
#include "emu/machine/saves.h"

static bool ready(const struct machine *m, struct err *err)
{
    return (m->saves && m->phase == PHASE_MACHINE_READY) ||
           err_set(err, "the machine is not ready yet: `phase run`");
}

bool debug_savevm(struct machine *m, const char *name, debug_done_fn *done,
                  void *opaque, struct err *err)
{
    return ready(m, err) && saves_write(m, name, done, opaque, err);
}

void debug_done_forget(struct machine *m, const void *opaque)
{
    saves_forget(m, opaque);
    migrate_forget(m, opaque);
}

bool debug_save_run(struct machine *m, const char *path, struct err *err)
{
    return ready(m, err) && record_save(m, path, err);
}

bool debug_migrate(struct machine *m, const char *uri, debug_done_fn *done,
                   void *opaque, struct err *err)
{
    return ready(m, err) && migrate_start(m, uri, done, opaque, err);
}

void debug_migrate_cancel(struct machine *m)
{
    if (m->run)
        migrate_cancel(m);
}

bool debug_migrate_incoming(struct machine *m, const char *uri, struct err *err)
{
    return ready(m, err) && migrate_incoming(m, uri, err);
}

void debug_migration(const struct machine *m, struct buf *out)
{
    migrate_info(m, out);
}

bool debug_done_cancel(struct machine *m, const void *opaque)
{
    if (!migrate_waits(m, opaque))
        return saves_cancel(m, opaque);
    migrate_cancel(m);
    return true;
}

int debug_done_percent(const struct machine *m)
{
    int percent = saves_percent(m);

    return percent >= 0 ? percent : migrate_percent(m);
}

bool debug_loadvm(struct machine *m, const char *name, struct err *err)
{
    return ready(m, err) && saves_load(m, name, err);
}

bool debug_delvm(struct machine *m, const char *name, struct err *err)
{
    return ready(m, err) && saves_delete(m, name, err);
}

void debug_snapshots(const struct machine *m, struct buf *out)
{
    if (m->saves)
        saves_list(m, out);
}
