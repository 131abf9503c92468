/* SPDX-License-Identifier: MIT */
/*
 * chardev_impl.h - what back ends and the chardev core know of each other.
 *
 * chardev.c has what all share: front ends, the output queue, watching of
 * descriptors. chardev_new.c reads -chardev and keeps the set. A back end is
 * a struct chardev_ops; most only open descriptors and hand them to
 * chardev_set_fds.
 */
#ifndef EMU_BASE_CHARDEV_IMPL_H
#define EMU_BASE_CHARDEV_IMPL_H

#include "emu/base/buf.h"
#include "emu/base/chardev.h"

struct bh;

struct chardev_ops {
    const char *name; /* of the back end, as -chardev has it */

    /* Takes its parameters out of o. After a failure close is called. */
    bool (*open)(struct chardev *c, struct opts *o, struct err *err);

    /* The rest may be NULL. */
    void (*close)(struct chardev *c);
    size_t (*write)(struct chardev *c, const void *data, size_t len);
    /* What was read, with a protocol to take out; default: chardev_receive. */
    void (*received)(struct chardev *c, char *data, size_t len);
    void (*gone)(struct chardev *c);   /* the descriptor's other side went */
    void (*hangup)(struct chardev *c); /* default: gone */
    void (*drain)(struct chardev *c);  /* a front end can take again */
    bool shared;                       /* any number of front ends: a mux */
};

/* One front end. */
struct front {
    struct chardev_front fn;
    void *opaque;
    struct buf held; /* a mux: bytes it could not take yet */
    bool told;       /* it has had OPENED */
};

struct chardev {
    struct chardev *next; /* in the set, or among the dead */
    struct chardevs *set;
    const struct chardev_ops *ops;
    void *impl; /* the back end's own; it frees it in close */
    char *id, *filename;

    struct front *fronts;
    size_t nfronts, focus;
    struct chardev *above, *below; /* the mux on this; what a mux is on */

    int in, out;      /* descriptors, non-blocking; -1: none */
    struct buf queue; /* what out has not taken yet, from sent on */
    size_t sent;
    chardev_output_fn *on_output; /* NULL: nobody listens */
    void *on_output_opaque;
    int logfd;     /* logfile=, or -1 */
    char *logpath; /* if the file is ours to remove after a failed start */

    bool open;              /* somebody is on the line */
    bool tty;               /* a person sits there */
    bool broken;            /* out failed: what is written is dropped */
    bool warned;            /* that output was lost */
    bool reading;           /* a read callback is running */
    bool hanging, draining; /* for chardevs' bottom half to do */
    bool fleeting;          /* an accepted client: it goes when it closes */
    bool closed;            /* among the dead */
};

struct chardevs {
    struct loop *loop;
    struct chardev *first, *dead;
    struct bh *chores;
    void (*on_exit)(void *opaque);
    void *exit_opaque;
    int escape;
    bool started; /* chardevs_mux_open was called */
    bool cancelled;
};

extern const struct chardev_ops chardev_stdio, chardev_file, chardev_pipe,
    chardev_pty, chardev_serial;                          /* chardev_fd.c */
extern const struct chardev_ops chardev_socket;           /* chardev_socket.c */
extern const struct chardev_ops chardev_null, chardev_vc; /* chardev_mem.c */
extern const struct chardev_ops chardev_ringbuf, chardev_memory;
extern const struct chardev_ops chardev_mux; /* chardev_mux.c */

/* chardev.c ------------------------------------------------------------------ */

/* A chardev without descriptors or front ends, not yet in the set. */
struct chardev *chardev_make(struct chardevs *s, const char *id,
                             const struct chardev_ops *ops);

/* Adds it at the end of the set. */
void chardev_list(struct chardev *c);

/* Closes it, takes it out of the set and frees it in the next turn: some
 * callback of its own may be running. */
void chardev_destroy(struct chardev *c);

/* Frees those that are dead and does what hangup and accept put off. */
void chardev_chores(void *set);

/* Watches in and out; they now belong to c. False: too many descriptors. */
bool chardev_set_fds(struct chardev *c, int in, int out, struct err *err);
void chardev_close_fds(struct chardev *c);

/* Bytes for the front end that has the keyboard. */
void chardev_receive(struct chardev *c, char *data, size_t len);

/* What chardev_write does for a back end without a write of its own. */
size_t chardev_write_fd(struct chardev *c, const char *data, size_t len);

void chardev_set_name(struct chardev *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Somebody came or went; tells the front ends. */
void chardev_set_open(struct chardev *c, bool open);

/* Tells OPENED to each front end that should know it and does not. */
void chardev_tell_opened(struct chardev *c);

/* An event for the front end that has the keyboard. */
void chardev_event_focus(struct chardev *c, enum chardev_event e);

/* What front end n would take now, and bytes for it. */
size_t chardev_front_can(struct chardev *c, size_t n);
void chardev_front_read(struct chardev *c, size_t n, const void *data,
                        size_t len);

/* chardev_mux.c -------------------------------------------------------------- */

struct chardev *chardev_mux_new(struct chardevs *s, const char *id,
                                struct chardev *below, struct err *err);

/* chardev_tty.c -------------------------------------------------------------- */

/*
 * Puts the terminal on fd into raw mode; its old mode comes back with
 * tty_restore, at exit, on a fatal signal and while suspended. signals: C-c
 * and C-z still raise signals. One terminal at a time.
 */
void tty_raw(int fd, bool signals);
void tty_restore(void);

#endif
