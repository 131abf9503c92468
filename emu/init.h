/* SPDX-License-Identifier: MIT */
/*
 * init.h - from no machine to machine ready, one named step at a time.
 */
#ifndef EMU_INIT_H
#define EMU_INIT_H

#include <stdbool.h>

#include "emu/options.h"

struct err;
struct init;

/* Borrows o. No step is taken yet. */
struct init *init_new(const struct options *o);

/* Takes every step, or with --preconfig only opens monitor and gdb port. */
bool init_start(struct init *in, struct err *err);

/* One turn of the main loop; false when it is to be left. */
bool init_turn(struct init *in);

/* Walks the steps back and returns the exit status. */
int init_free(struct init *in);

#endif
