/* SPDX-License-Identifier: MIT */
/*
 * migrate.h - the machine goes on in another process.
 *
 * What travels is a snapshot's file, so `migrate file:x` is a savevm to a
 * place of one's own. Where to and from, as QEMU writes it:
 *
 *   file:PATH  exec:COMMAND  unix:PATH  tcp:HOST:PORT
 *
 * The source stops first and sends then (job.h). A socket is answered: "ok",
 * or the sentence why the state cannot be taken; the source goes on then.
 */
#ifndef EMU_MACHINE_MIGRATE_H
#define EMU_MACHINE_MIGRATE_H

#include <stdbool.h>

struct machine;
struct buf;
struct err;

void migrate_fini(struct machine *m); /* ends what is under way */

typedef void migrate_done_fn(void *opaque, const struct err *err);

/*
 * Sends the state and leaves the machine stopped, as RUN_POSTMIGRATE; or, if
 * that fails, as it was. done as in saves.h; NULL: it is waited for.
 */
bool migrate_start(struct machine *m, const char *uri, migrate_done_fn *done,
                   void *opaque, struct err *err);
void migrate_forget(struct machine *m, const void *opaque);
void migrate_cancel(struct machine *m);
bool migrate_waits(const struct machine *m, const void *opaque);
int migrate_percent(const struct machine *m); /* -1: none is sent */

/* The machine, not yet run, waits for a state: RUN_INMIGRATE. start: it goes
 * on when it has come, if it ran where it comes from. */
void migrate_expect(struct machine *m, bool start);
/* Where it comes from. When it cannot be taken the emulator ends with 1. */
bool migrate_incoming(struct machine *m, const char *uri, struct err *err);

void migrate_info(const struct machine *m, struct buf *out);

#endif
