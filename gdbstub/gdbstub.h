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
#include <stddef.h>

struct machine;
struct chardev;
struct buf;
struct err;
struct gdbstub;

/* Runs a monitor line for qRcmd; output lines end in \n. */
typedef void gdb_monitor_fn(void *opaque, int hart, const char *line,
                            struct buf *out);

/* What becomes of the machine when a gdb kills it, detaches, or is gone. */
enum gdb_policy {
    GDB_DEFAULT, /* kill: reset, detach: run, lost: keep */
    GDB_KEEP,    /* it stays as it is */
    GDB_RUN,     /* unless another gdb holds it */
    GDB_STOP,
    GDB_RESET, /* stopped, at the reset vector, with fresh images */
    GDB_QUIT,  /* the emulator ends */
};

struct gdbstub_config {
    gdb_monitor_fn *monitor;
    void *monitor_opaque;
    enum gdb_policy kill, detach, lost;
    const char *const *modules; /* folders in which gdb may read *.ko */
    size_t nmodules;
};

/*
 * Serves c, which it borrows: on a listening socket any number of clients at
 * once, each with points of its own, else whoever is at the other end.
 */
struct gdbstub *gdbstub_new(struct machine *m, struct chardev *c,
                            const struct gdbstub_config *config,
                            struct err *err);
void gdbstub_free(struct gdbstub *g); /* removes its points; NULL is allowed */

/* Python for gdb to `source`: ebreak.py. */
extern const char gdb_script[];

#endif
