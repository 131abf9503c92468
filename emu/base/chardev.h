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
    CHARDEV_CLOSED,  /* it went; on stdio: the end of input was read */
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
 * A listening socket with wait=on turns the loop until a client comes. This
 * ends the wait, and chardev_add fails: for a signal that asks to shut down.
 */
void chardevs_cancel(struct chardevs *s);

/*
 * The short form of -serial, -monitor, -gdb ("stdio", "mon:stdio",
 * "tcp:host:port,server=on,wait=off", "chardev:ID", ...), named label.
 * "none" gives NULL and an empty err->text. For "mon:" *mon becomes true and the result is a mux; its back
 * end is then called "LABEL-base". A socket without a host is on 127.0.0.1.
 * -gdb and gdbserver append ",server=on,wait=off,nodelay=on" to "tcp:".
 */
struct chardev *chardev_short(struct chardevs *s, const char *label,
                              const char *text, bool *mon, struct err *err);

struct chardev *chardev_find(struct chardevs *s, const char *id);
struct chardev *chardev_nth(struct chardevs *s, size_t n); /* NULL: no more */
const char *chardev_id(const struct chardev *c);
const char *chardev_filename(const struct chardev *c); /* for info chardev */

/* Closes c; false when a front end (or a mux) is still joined to it. */
bool chardev_remove(struct chardevs *s, struct chardev *c, struct err *err);

/*
 * Joins a front end to c, known by its opaque; on a mux each call adds one,
 * and the last one added has the keyboard. All of them go on using c, the mux
 * itself. False when c is taken. If somebody is on the line already, OPENED
 * comes before this returns (once start-up is over, see chardevs_mux_open).
 */
bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err);
void chardev_leave(struct chardev *c, void *opaque);

/*
 * Queues bytes for the other side and returns how many were taken: all of
 * them, unless the queue is full (the newest bytes are then lost, and a line
 * on stderr says so once) or nobody is connected. Never calls a front end.
 */
size_t chardev_write(struct chardev *c, const void *data, size_t len);

/* fn sees what is written from now on; NULL: nobody does. */
typedef void chardev_output_fn(void *opaque, const char *data, size_t len);
void chardev_on_output(struct chardev *c, chardev_output_fn *fn, void *opaque);
size_t chardev_queued(const struct chardev *c); /* bytes still to be written */

/* The front end can take again: what the back end held is offered to it, in
 * the next turn of the loop: a read callback never comes from within this. */
void chardev_accept(struct chardev *c);

bool chardev_is_open(const struct chardev *c); /* somebody is on the line */
bool chardev_is_tty(const struct chardev *c);  /* on a terminal; also a pty */
void chardev_hangup(struct chardev *c); /* drops a socket's present client */

/*
 * QEMU holds OPENED back until start-up is over: call once, then they go. If
 * --preconfig opens a monitor, call it before its loop. A start that fails
 * earlier leaves no file behind that a back end made and nobody wrote to.
 */
void chardevs_mux_open(struct chardevs *s);

/* A mux's C-a x: what to call. C-a's code is -echr. C-a h prints the help. */
void chardevs_on_exit(struct chardevs *s, void (*fn)(void *), void *opaque);
void chardevs_escape(struct chardevs *s, int code);

/* ringbuf: takes out up to size bytes. */
size_t chardev_ring_read(struct chardev *c, void *data, size_t size);
bool chardev_is_ring(const struct chardev *c);

/*
 * Several clients at once (the gdb port): a listening socket that gives each
 * client a chardev of its own through accepted(), which joins it; NULL ends
 * that. False without server=on. A client's chardev goes by itself when the connection
 * ends, after its CLOSED; before that, chardev_leave and chardev_remove.
 */
bool chardev_on_accept(struct chardev *c,
                       void (*accepted)(void *opaque, struct chardev *client),
                       void *opaque);

void chardev_help(struct buf *out); /* -chardev help */

#endif
