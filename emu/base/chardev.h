/* SPDX-License-Identifier: MIT */
/*
 * chardev.h - byte streams to the world outside: stdio, pty, socket, file,
 * pipe, null, ringbuf, and the mux that lets several front ends share one.
 *
 * A back end reads only what its front end can take (back pressure) and
 * queues what cannot be written at once, up to CHARDEV_QUEUE bytes; nothing
 * blocks. The front end is a device, a monitor, a gdbstub session or a mux.
 * Syntax, names and texts are QEMU's (facts/cli.md section 3).
 */
#ifndef EMU_BASE_CHARDEV_H
#define EMU_BASE_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct opts;
struct err;
struct buf;
struct chardev;
struct chardevs; /* all of them, by id, in order of creation */

enum { CHARDEV_QUEUE = 1 << 20 };

enum chardev_event {
    CHARDEV_OPENED,  /* a client came; or, for those always open, mux-open */
    CHARDEV_CLOSED,  /* it went */
    CHARDEV_BREAK,   /* Ctrl-A b: a serial break */
    CHARDEV_MUX_IN,  /* this front end of a mux has the keyboard now */
    CHARDEV_MUX_OUT, /* it lost it */
};

/* What a front end gives; any member may be NULL. */
struct chardev_front {
    size_t (*can)(void *opaque); /* bytes it would take now; NULL: plenty */
    void (*read)(void *opaque, const void *data, size_t len);
    void (*event)(void *opaque, enum chardev_event e);
};

struct chardevs *chardevs_new(struct loop *l);
void chardevs_free(struct chardevs *s); /* closes all, restores the tty */
struct loop *chardevs_loop(const struct chardevs *s);

/* -chardev BACKEND,id=ID[,mux=on][,logfile=]...: adds one. */
struct chardev *chardev_add(struct chardevs *s, const char *text,
                            struct err *err);

/*
 * The short form of -serial, -monitor, -gdb ("stdio", "mon:stdio",
 * "tcp:host:port,server=on,wait=off", "chardev:ID", ...), named label.
 * "none" gives NULL and no error. For "mon:" *mon becomes true and the
 * result is a mux.
 */
struct chardev *chardev_short(struct chardevs *s, const char *label,
                              const char *text, bool *mon, struct err *err);

struct chardev *chardev_find(struct chardevs *s, const char *id);
struct chardev *chardev_nth(struct chardevs *s, size_t n); /* NULL: no more */
const char *chardev_id(const struct chardev *c);
const char *chardev_filename(const struct chardev *c); /* for info chardev */
bool chardev_remove(struct chardevs *s, struct chardev *c, struct err *err);

/*
 * Joins a front end to c; on a mux each call adds one, and the result tells
 * them apart. The last one added has the keyboard. False when c is taken.
 */
bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err);
void chardev_leave(struct chardev *c, void *opaque);

/*
 * Queues bytes for the other side and returns how many were taken: all of
 * them, unless the queue is full or nobody is connected. opaque is the front
 * end that writes (a mux marks its lines by it; others ignore it).
 */
size_t chardev_write(struct chardev *c, const void *data, size_t len);
size_t chardev_queued(const struct chardev *c); /* bytes still to be written */

/* The front end can take again: what the back end held is offered to it. */
void chardev_accept(struct chardev *c);

bool chardev_is_open(const struct chardev *c); /* somebody is on the line */
bool chardev_is_tty(const struct chardev *c);  /* stdio on a terminal */
void chardev_hangup(struct chardev *c); /* drops a socket's present client */

/* QEMU holds OPENED back until start-up is over: call once, then they go. */
void chardevs_mux_open(struct chardevs *s);

/* A mux's C-a x: what to call. C-a's code is -echr. C-a h prints the help. */
void chardevs_on_exit(struct chardevs *s, void (*fn)(void *), void *opaque);
void chardevs_escape(struct chardevs *s, int code);

/* ringbuf: takes out up to size bytes. */
size_t chardev_ring_read(struct chardev *c, void *data, size_t size);
bool chardev_is_ring(const struct chardev *c);

/* Several clients at once (the gdb port): a listening socket that gives each
 * client a chardev of its own through accepted(). False without server=on. */
bool chardev_on_accept(struct chardev *c,
                       void (*accepted)(void *opaque, struct chardev *client),
                       void *opaque);

void chardev_help(struct buf *out); /* -chardev help */

#endif
