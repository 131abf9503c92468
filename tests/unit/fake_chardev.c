/* SPDX-License-Identifier: MIT */
/*
 * fake_chardev.c - as much of chardev.h as the gdb stub uses: what is written
 * is kept for the test to look at, or refused when the client "does not
 * read". Included by the gdb stub's tests.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"

struct chardev {
    const struct chardev_front *front;
    void *opaque;
    struct buf out; /* what the client would read */
    size_t room;    /* what it takes before it blocks */
    bool open, server;
    int hangups, removed;
    void (*accepted)(void *opaque, struct chardev *client);
    void *accept_opaque;
};

static void chr_init(struct chardev *c, bool server)
{
    *c = (struct chardev){ .room = SIZE_MAX, .server = server };
}

static void chr_event(struct chardev *c, enum chardev_event e)
{
    c->open = e == CHARDEV_OPENED;
    if (c->front)
        c->front->event(c->opaque, e);
}

static void chr_input(struct chardev *c, const void *data, size_t len)
{
    if (c->front)
        c->front->read(c->opaque, data, len);
}

bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err)
{
    (void)err;
    c->front = front;
    c->opaque = opaque;
    if (c->open)
        front->event(opaque, CHARDEV_OPENED);
    return true;
}

void chardev_leave(struct chardev *c, void *opaque)
{
    (void)opaque;
    c->front = NULL;
}

size_t chardev_write(struct chardev *c, const void *data, size_t len)
{
    size_t n = len < c->room ? len : c->room;

    buf_add(&c->out, data, n);
    c->room -= n;
    return n;
}

size_t chardev_queued(const struct chardev *c)
{
    (void)c;
    return 0;
}

const char *chardev_id(const struct chardev *c)
{
    (void)c;
    return "fake";
}

void chardev_hangup(struct chardev *c)
{
    c->hangups++;
    if (c->open)
        chr_event(c, CHARDEV_CLOSED);
}

bool chardev_remove(struct chardevs *s, struct chardev *c, struct err *err)
{
    (void)s, (void)err;
    c->removed++;
    return true;
}

bool chardev_on_accept(struct chardev *c,
                       void (*accepted)(void *opaque, struct chardev *client),
                       void *opaque)
{
    c->accepted = accepted;
    c->accept_opaque = opaque;
    return c->server;
}
