/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - the machine's whole state as a stream of frames, and back.
 *
 * A state is, in this order (frames.h has the frames themselves):
 *
 *   FRAME_SHAPE   lines "what=value": what a machine must be to take it
 *   FRAME_MOMENT  struct moment, then the name
 *   FRAME_DEVS    devs_save's bytes; in several frames if they are many
 *   FRAME_PAGES   u64 physical address, 4096 bytes, and again; ascending;
 *                 pages of zeros are left out
 *   FRAME_STATE_END  nothing
 *
 * Writing changes nothing, so it is done in a process forked for it while
 * the machine goes on (job.h). Loading begins a new history: T is what it
 * was when the state was taken, and the log of inputs is empty.
 */
#ifndef EMU_MACHINE_SNAPSHOT_H
#define EMU_MACHINE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

struct machine;
struct frames;
struct buf;
struct err;

/* When a state was taken. */
struct moment {
    int64_t date_s; /* the host's, since the epoch */
    uint64_t t;
    int64_t virtual_ns;
    uint32_t running; /* 1: it ran, 0: it was stopped */
    uint32_t name_len;
};

/* running: whether it is to go on by itself once it is loaded. *done: how much
 * of memory was looked at, in percent. */
bool snapshot_write(const struct machine *m, const char *name, bool running,
                    int fd, uint32_t *done, struct err *err);

/*
 * Goes past a state at f and checks every byte of it, against m too unless m
 * is NULL. False: err says in one sentence what is wrong.
 */
bool snapshot_check(const struct machine *m, struct frames *f,
                    struct moment *when, struct buf *name, struct err *err);

/*
 * Checks the state at f, then makes it the machine's, which is stopped. False:
 * the machine is unchanged, unless the file was changed between two looks.
 */
bool snapshot_load(struct machine *m, struct frames *f, struct moment *when,
                   struct err *err);

/* The same without beginning a new history. */
bool snapshot_enter(struct machine *m, struct frames *f, struct moment *when,
                    struct err *err);

/* Goes past the state at f: is the machine what it says? If not, err names the
 * first field or byte that differs. */
bool snapshot_match(struct machine *m, struct frames *f, struct err *err);

#endif
