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
    bool kill_quits; /* k and vKill end the emulator (default: reset it) */
    bool lost_runs;  /* a lost connection lets the guest run on (default: it
                        stays as it was) */
    bool end_quits;  /* the end of the stream ends the emulator: on stdio
                        nobody else will come */
};

/*
 * Serves c, which it borrows: on a listening socket any number of clients at
 * once, each with points of its own, else whoever is at the other end.
 */
struct gdbstub *gdbstub_new(struct machine *m, struct chardev *c,
                            const struct gdbstub_config *config,
                            struct err *err);
void gdbstub_free(struct gdbstub *g); /* removes its points; NULL is allowed */

#endif
