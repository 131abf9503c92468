/* SPDX-License-Identifier: MIT */
/*
 * gdbstub.h - the gdb remote serial protocol on a chardev.
 *
 * Source: "Debugging with GDB", appendix E; facts/gdb.md says what each
 * client really does with it.
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include <stdbool.h>

struct machine;
struct chardev;
struct buf;
struct err;
struct gdbstub;

/* Runs a monitor line for qRcmd; output lines end in \n. */
typedef void gdb_monitor_fn(void *opaque, int hart, const char *line,
                            struct buf *out);

struct gdbstub_config {
    gdb_monitor_fn *monitor;
    void *monitor_opaque;
    bool kill_quits;       /* k and vKill end the emulator (default: reset) */
    bool disconnect_stops; /* a lost connection leaves the guest as it was */
};

/* Listens on c, which it borrows. */
struct gdbstub *gdbstub_new(struct machine *m, struct chardev *c,
                            const struct gdbstub_config *config,
                            struct err *err);
void gdbstub_free(struct gdbstub *g); /* tells a client W<status> if exiting */

#endif
