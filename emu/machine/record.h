/* SPDX-License-Identifier: MIT */
/*
 * record.h - a run as a file that replays it anywhere: what is written.
 *
 * A recording (frames.h) is:
 *
 *   FRAME_OPTIONS  the options that make the machine, each ended by a 0 byte
 *   FRAME_FILE...  the files it is made from: struct record_file, the
 *                  name, the bytes from that offset on
 *   then, once for each history (a second one begins with loadvm):
 *   FRAME_START    u32: 1 if a state (snapshot.h) follows, 0 for the reset
 *   FRAME_SOURCES  names of the tap's sources, each ended by a 0 byte; again
 *                  when there are more
 *   FRAME_INPUTS   bytes of the tap's log, where the last frame stopped
 *   FRAME_CUT_LOG  u64: only so many bytes of the log so far are true
 *   FRAME_KEY      and a state: see keys.h
 *   and at last, if there was time to say so,
 *   FRAME_CLOSED   nothing
 *
 * The log is written every half second, with a mark at its end: an input that
 * changes nothing and carries a hash of each device. Where the last mark is
 * the replay ends; at each it checks that it is what the run was. So a file
 * whose writer was killed replays up to its last mark.
 */
#ifndef EMU_MACHINE_RECORD_H
#define EMU_MACHINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct files;
struct frames;
struct err;

#define RECORD_MARK "recording" /* the source of marks */

/* How a FRAME_FILE begins; name and bytes follow. */
struct record_file {
    uint32_t name_len, pad;
    uint64_t size, offset;
};

/* Before any input: marks have a source of their own. */
void record_init(struct machine *m);
void record_fini(struct machine *m);

/* What the machine is made of; both are borrowed. */
void record_made_of(struct machine *m, const char *const *options, size_t n,
                    const struct files *files);

/* Steps between two states in recordings; 0: none. */
void record_spacing(struct machine *m, uint64_t steps);

/* Writes to path from now on, which is T=0. A disk that gets full ends the
 * recording with a sentence on stderr, and the machine goes on. */
bool record_start(struct machine *m, const char *path, struct err *err);

/* The run so far as a recording: the file is there when it is complete. */
bool record_save(struct machine *m, const char *path, struct err *err);

/* A new history has begun with the state at f. */
void record_began_with(struct machine *m, const struct frames *f);

/* Writes what there is, up to a mark that is put now. */
void record_flush(struct machine *m);

/* What is done twice a second: marks, states on the way. */
void record_tick(struct machine *m);

/* A replay is not what the run was: said once. */
void record_differs(struct machine *m, const char *how);

/* How long after a mark the next one comes, when nothing else came for so
 * long. */
int64_t record_pause(int64_t quiet_ns);

/* The recording's file, NULL: none is being written. */
const char *record_path(const struct machine *m);

#endif
