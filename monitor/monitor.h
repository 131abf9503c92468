/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - QEMU's human monitor on a chardev, with readline on a terminal.
 *
 * Commands are the rows of hmp.def; output is as facts/hmp.md shows it.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <stdbool.h>

struct machine;
struct chardev;
struct buf;
struct err;
struct monitor;

/* What commands need from rooms the monitor may not see; init.c joins them. */
struct monitor_hooks {
    /* gdbserver DEV: false and err if the port cannot be had; "none" ends. */
    bool (*gdbserver)(void *opaque, const char *dev, struct err *err);
    void *opaque;
    const char *gdb_script; /* Python for gdb */
};

struct monitor *monitor_new(struct machine *m, struct chardev *c,
                            const struct monitor_hooks *hooks, struct err *err);
void monitor_free(struct monitor *mon);

/* Runs one line as if typed, with hart as the default hart. Lines of output
 * end in \n. For gdb's `monitor`. */
void monitor_run_line(struct machine *m, const struct monitor_hooks *hooks,
                      int hart, const char *line, struct buf *out);

/* Frees what sessions share (history). */
void monitor_fini(void);

#endif
