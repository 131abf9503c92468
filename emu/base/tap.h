/* SPDX-License-Identifier: MIT */
/*
 * tap.h - the door through which everything from outside enters the machine.
 *
 * The machine is a pure function of its images, its options and its input
 * log. A key, a packet, the date, a reset asked for by a person, a debugger's
 * poke: each is an input, given to tap_put(), stamped with T (the count of
 * steps of all harts), kept in the log, and only then delivered to its
 * source's function. Replaying a log delivers the same inputs at the same T
 * and takes nothing from outside.
 *
 * Two inputs at the same T keep their order.
 *
 * Time travel goes back to an earlier place in the log of a live run: from
 * there on the log is replayed, until its owner says that the present is
 * reached again, or cuts the rest off and starts another future.
 */
#ifndef EMU_BASE_TAP_H
#define EMU_BASE_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap;
struct buf;
struct err;

typedef uint64_t tap_now_fn(void *opaque); /* T, exact even within a block */
typedef void tap_fn(void *opaque, const void *data, size_t len);

struct tap *tap_new(tap_now_fn *now, void *opaque);
void tap_free(struct tap *t);

/*
 * A source of input, known by a name that must be the same in every run
 * ("serial0", "clock", "reset", "poke"). Returns its number, to be given to
 * tap_put.
 */
int tap_source(struct tap *t, const char *name, tap_fn *deliver, void *opaque);

/*
 * Live: logs the input at the present T and delivers it. While replaying it
 * is refused (false): the caller keeps it and says so, nothing is lost.
 */
bool tap_put(struct tap *t, int source, const void *data, size_t len);

/* Called whenever inputs from outside are taken again: who has kept what
 * tap_put refused gives it then, but not from within. */
void tap_on_live(struct tap *t, void (*fn)(void *opaque), void *opaque);

/* Replaying: the T of the next input, or UINT64_MAX. Live: UINT64_MAX. */
uint64_t tap_next(const struct tap *t);

/* Replaying: the source number of the next input, -1 if there is none. */
int tap_next_source(const struct tap *t);

/* Replaying: delivers the next input if it is due now; true if it was. */
bool tap_deliver(struct tap *t);

bool tap_replaying(const struct tap *t); /* also in the past of a live run */
bool tap_recorded(const struct tap *t);  /* tap_replay: a log from elsewhere */
size_t tap_count(const struct tap *t);   /* inputs in the log */
size_t tap_bytes(const struct tap *t);   /* their size in memory */
size_t tap_base(const struct tap *t);    /* the place where that begins */

/*
 * The log as it is kept: for each input this, then its bytes. The source is
 * the number of its name.
 */
struct tap_input {
    uint64_t when;
    uint32_t source, len;
};
const void *tap_log(const struct tap *t); /* tap_bytes of it */

/* The place up to which the log is what it was at the last call. */
size_t tap_kept(struct tap *t);

/* What came before that place can be replayed no more, and takes no memory;
 * inputs and their size are from there on. */
void tap_forget(struct tap *t, size_t place);

/* Replaying, at the end of the log: from here on the run is live. */
void tap_live(struct tap *t);

/* Replaying a log from elsewhere, not in its past: goes on at that place. */
void tap_skip(struct tap *t, size_t place);

/* Begins a new log, live: what was before can no longer be replayed. */
void tap_restart(struct tap *t);

/* The n-th source's name, NULL if there are not so many. */
const char *tap_source_name(const struct tap *t, size_t n);

/* A saved log of names, each ended by a 0 byte, and a log as it is kept; what
 * is not whole at its end is left out. */
void tap_pack(const char *names, size_t names_len, const void *log, size_t len,
              struct buf *out);

/*
 * Going back. A place in the log is how many bytes of it were delivered.
 * After tap_rewind the run is in the past: what the outside world was told
 * there it was told already. tap_present ends that, at the end of the log;
 * tap_cut forgets what follows, and the run is live.
 */
size_t tap_place(const struct tap *t);
void tap_rewind(struct tap *t, size_t place);
void tap_present(struct tap *t);
void tap_cut(struct tap *t);
bool tap_past(const struct tap *t);

/* Another log of this process in its stead, from tap_base on; tap_rewind then
 * says where. */
void tap_set_log(struct tap *t, const void *log, size_t len);

/* Up to which place the log b, from tap_base on, is the same as this one, and
 * the T up to which both runs are. */
size_t tap_common(const struct tap *t, const void *b, size_t len,
                  uint64_t *when);

/* The whole log as bytes, and a tap that replays such bytes. */
void tap_save(const struct tap *t, struct buf *out);
bool tap_replay(struct tap *t, const void *log, size_t len, struct err *err);

#endif
