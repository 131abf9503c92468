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

/*
 * States on the way (keys.h). At each the replay compares, so it has to come by
 * at its very T: so many steps are free until then; what is due at this T was
 * done. recording_jump goes to the last one before t that lies ahead, if there
 * is one; false: it cannot be taken, err says why.
 */
uint64_t recording_free_steps(const struct machine *m);
void recording_settled(struct machine *m);
bool recording_jump(struct machine *m, uint64_t t, struct err *err);

/* The T at which what is replayed ends; 0: nothing is. */
uint64_t recording_end(const struct machine *m);

#endif
