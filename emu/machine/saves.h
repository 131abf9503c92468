/* SPDX-License-Identifier: MIT */
/*
 * saves.h - snapshots by name: files NAME.ebs in one directory.
 *
 * A file appears under its name only when all of it is on the disk. Saving
 * does not stop the machine (job.h); loading begins a new history.
 */
#ifndef EMU_MACHINE_SAVES_H
#define EMU_MACHINE_SAVES_H

#include <stdbool.h>

struct machine;
struct buf;
struct err;

/* dir NULL: the current directory. It need not exist before it is used. */
void saves_init(struct machine *m, const char *dir);
void saves_fini(struct machine *m); /* waits for one that is being written */

typedef void saves_done_fn(void *opaque, const struct err *err); /* NULL: ok */

/*
 * Begins to save the state as it is now. name NULL: "vm-" and the date. done
 * is called when the file is there or err says why it is not; NULL: it is
 * waited for, and the result is saves_write's.
 */
bool saves_write(struct machine *m, const char *name, saves_done_fn *done,
                 void *opaque, struct err *err);
/* Ends the one whose done would be called with opaque: done says so. */
bool saves_cancel(struct machine *m, const void *opaque);
int saves_percent(const struct machine *m); /* -1: none is written */
void saves_forget(struct machine *m, const void *opaque); /* done is gone */

/* One that ran goes on running. */
bool saves_load(struct machine *m, const char *name, struct err *err);
bool saves_delete(struct machine *m, const char *name, struct err *err);

/* QEMU's table; the count of instructions stands in its ICOUNT. */
void saves_list(const struct machine *m, struct buf *out);

#endif
