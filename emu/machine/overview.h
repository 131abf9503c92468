/* SPDX-License-Identifier: MIT */
/*
 * overview.h - a run seen from afar: one page of HTML that needs no network.
 *
 * While the machine runs, T is cut into buckets; in each are counted the
 * steps that harts did in U, S and M, and the traps they took. A run that
 * outgrows its buckets gets ones twice as wide, so the page stays small
 * however long the run is. Console lines and inputs stand at their own T; the
 * first OVERVIEW_LINES and OVERVIEW_INPUTS of them are kept, and how many
 * there were is said.
 *
 * Nothing of this is seen by the guest.
 */
#ifndef EMU_MACHINE_OVERVIEW_H
#define EMU_MACHINE_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct hart;
struct err;

enum {
    OVERVIEW_BUCKETS = 4096,
    OVERVIEW_LANES = 8, /* a lane a hart; the last one is all further ones' */
    OVERVIEW_LINES = 5000,
    OVERVIEW_INPUTS = 5000,
    OVERVIEW_LINE_MAX = 200, /* bytes of a console line that are shown */
};

/* Before the harts run. path is written by overview_write. */
void overview_init(struct machine *m, const char *path);
void overview_fini(struct machine *m); /* NULL m->overview is allowed */

/* A hart ran up to here: its turn is over. */
void overview_ran(struct machine *m, struct hart *h);

/* The guest wrote this to its console. */
void overview_console(void *machine, const char *data, size_t len);

bool overview_write(struct machine *m, struct err *err);

#endif
