/* SPDX-License-Identifier: MIT */
/*
 * recording.h - a run as a file that replays it anywhere: what is read.
 *
 * record.h has the format. The file is read and checked as a whole before
 * there is a machine; where its last mark is the replay ends.
 */
#ifndef EMU_MACHINE_RECORDING_H
#define EMU_MACHINE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct recording;
struct files;
struct err;

struct recording *recording_open(const char *path, struct err *err);
void recording_free(struct recording *r);

const char *recording_path(const struct recording *r);
bool recording_closed(const struct recording *r); /* false: it was cut off */

/* The n-th word of the options that make its machine; NULL: no more. */
const char *recording_option(const struct recording *r, size_t n);
struct files *recording_files(struct recording *r); /* they stay r's */

/*
 * The machine, not yet run, begins to replay r, borrowed. At the end of the
 * last history it stops and ended is called, in a bottom half: the machine is
 * live from there on.
 */
bool recording_replay(struct recording *r, struct machine *m,
                      void (*ended)(void *opaque), void *opaque,
                      struct err *err);
void recording_leave(struct machine *m); /* it is not the machine's any more */

/* A mark was replayed: is it the last one? */
void recording_marked(struct machine *m);

#endif
