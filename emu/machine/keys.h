/* SPDX-License-Identifier: MIT */
/*
 * keys.h - states in a recording, from which its replay can go on.
 *
 * A FRAME_KEY is the place in the log at which the state was taken and what
 * semihosting knew (semihost_save); the frames of a state (snapshot.h) follow.
 * A replay that is to go to a T far ahead begins at the last key before it. One
 * that comes by a key compares: it must be what the run was.
 *
 * keys.c writes them, by a forked process, into a file without a name; when
 * that is whole it is appended to the recording in one go.
 *
 * Private to this room.
 */
#ifndef EMU_MACHINE_KEYS_H
#define EMU_MACHINE_KEYS_H

#include "emu/base/buf.h"

#include "emu/machine/frames.h"
#include "emu/machine/machine.h"

/* What a FRAME_KEY begins with. */
struct key_head {
    uint64_t place;
};

struct key {
    uint64_t t, place;
    int64_t virtual_ns;
    struct frames at; /* its FRAME_KEY */
};

/* Steps between two: about as many as are replayed in twenty seconds. */
#define KEYS_SPACING (UINT64_C(16) << 30)

struct keys; /* being written */

/* spacing 0: none. */
struct keys *keys_new(struct machine *m, uint64_t spacing);
void keys_free(struct keys *k); /* NULL is allowed */

/* Is it time for one? The log up to here has been written then. */
bool keys_due(const struct keys *k);
void keys_begin(struct keys *k, const char *beside);

/* The log was changed from place on: what is on its way may be of no use. */
void keys_cut(struct keys *k, uint64_t place);

/* Appends the one that is whole to fd, if any. */
bool keys_append(struct keys *k, int fd, struct err *err);

/* The checkpoints in memory that are so far apart, to fd; as a child of this
 * process, which ends. */
bool keys_of_history(struct machine *m, uint64_t spacing, int fd,
                     struct err *err);

#endif
