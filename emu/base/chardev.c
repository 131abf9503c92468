/* SPDX-License-Identifier: MIT */
/* chardev.c - what all byte streams share: front ends, queue, descriptors. */
#include "emu/base/chardev.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

enum {
    LAST_WORDS_MS = 500, /* a reader who is slower than this is lost to us */
#ifdef HOSTILE
    READ_SIZE = 1,
#else
    READ_SIZE = 4096,
#endif
};

/* Front ends --------------------------------------------------------------- */

static void send_event(struct chardev *c, size_t n, enum chardev_event e)
{
    struct front f = c->fronts[n];

    if (f.fn.event != NULL)
        f.fn.event(f.opaque, e);
}

void chardev_event_focus(struct chardev *c, enum chardev_event e)
{
    if (c->nfronts > 0)
        send_event(c, c->focus, e);
}

static struct front *find_front(struct chardev *c, bool told)
{
    for (size_t n = 0; n < c->nfronts; n++)
        if (c->fronts[n].told == told)
            return &c->fronts[n];
    return NULL;
}

/* Start-up is seen by the front ends as a whole: nothing has happened on any
 * line before it is over. */
void chardev_tell_opened(struct chardev *c)
{
    struct front *f;

    if (!c->set->started)
        return;
    while (c->open && (f = find_front(c, false)) != NULL) {
        f->told = true;
        send_event(c, (size_t)(f - c->fronts), CHARDEV_OPENED);
    }
}

static void tell_closed(struct chardev *c)
{
    struct front *f;

    while (!c->open && (f = find_front(c, true)) != NULL) {
        f->told = false;
        send_event(c, (size_t)(f - c->fronts), CHARDEV_CLOSED);
    }
}

void chardev_set_open(struct chardev *c, bool open)
{
    if (c->open == open)
        return;
    c->open = open;
    if (c->above != NULL)
        chardev_set_open(c->above, open);
    else if (open)
        chardev_tell_opened(c);
    else
        tell_closed(c);
}

size_t chardev_front_can(struct chardev *c, size_t n)
{
    const struct front *f = &c->fronts[n];

    if (f->fn.read == NULL || f->fn.can == NULL)
        return READ_SIZE;
    return f->fn.can(f->opaque);
}

void chardev_front_read(struct chardev *c, size_t n, const void *data,
                        size_t len)
{
    struct front f = c->fronts[n];

    if (f.fn.read != NULL)
        f.fn.read(f.opaque, data, len);
}

static void move_focus(struct chardev *c, size_t to)
{
    c->focus = to;
    if (c->ops->shared)
        send_event(c, to, CHARDEV_MUX_IN);
}

bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err)
{
    if (c->above != NULL || (c->nfronts > 0 && !c->ops->shared))
        return err_set(err, "Device '%s' is in use", c->id);
    c->fronts = xrealloc(c->fronts, (c->nfronts + 1) * sizeof *c->fronts);
    c->fronts[c->nfronts++] = (struct front){ .fn = *front, .opaque = opaque };
    if (c->nfronts > 1)
        send_event(c, c->focus, CHARDEV_MUX_OUT);
    move_focus(c, c->nfronts - 1);
    chardev_tell_opened(c);
    return true;
}

void chardev_leave(struct chardev *c, void *opaque)
{
    size_t n = 0;

    while (n < c->nfronts && c->fronts[n].opaque != opaque)
        n++;
    if (n == c->nfronts)
        return;
    bool had_focus = n == c->focus;

    buf_free(&c->fronts[n].held);
    c->nfronts--;
    memmove(&c->fronts[n], &c->fronts[n + 1],
            (c->nfronts - n) * sizeof *c->fronts);
    if (c->focus > n)
        c->focus--;
    if (had_focus && c->nfronts > 0)
        move_focus(c, c->nfronts - 1);
}

void chardev_accept(struct chardev *c)
{
    if (c->ops->drain == NULL) /* loop_turn asks can() by itself */
        return;
    c->draining = true;
    bh_schedule(c->set->chores);
}

/* Descriptors -------------------------------------------------------------- */

static bool has_queue(const struct chardev *c)
{
    return c->sent < c->queue.len;
}

size_t chardev_queued(const struct chardev *c)
{
    return c->below != NULL ? chardev_queued(c->below) : c->queue.len - c->sent;
}

static void clear_queue(struct chardev *c)
{
    buf_clear(&c->queue);
    c->sent = 0;
    c->warned = false;
}

static size_t can_read(void *opaque)
{
    struct chardev *c = opaque;

    /* A callback that turns the loop gets nothing on its own line. */
    return c->nfronts > 0 && !c->reading ? chardev_front_can(c, c->focus) : 0;
}

void chardev_receive(struct chardev *c, char *data, size_t len)
{
    if (len > 0 && c->nfronts > 0)
        chardev_front_read(c, c->focus, data, len);
}

static void received(struct chardev *c, char *data, size_t len)
{
    c->reading = true;
    if (c->ops->received != NULL)
        c->ops->received(c, data, len);
    else
        chardev_receive(c, data, len);
    c->reading = false;
}

static void readable(void *opaque)
{
    struct chardev *c = opaque;
    char data[READ_SIZE];
    size_t can = can_read(c);
    ssize_t got = read(c->in, data, can < sizeof data ? can : sizeof data);

    if (got > 0) {
        received(c, data, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        c->ops->gone(c);
    }
}

/* Writes what out takes now; false when it failed for good. The reading side
 * finds that out too and calls gone: here a front end may be in the middle of
 * something. */
static bool write_some(struct chardev *c, const char *data, size_t len,
                       size_t *done)
{
    for (*done = 0; *done < len;) {
        ssize_t n = write(c->out, data + *done, len - *done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            c->broken = true;
            shutdown(c->out, SHUT_RDWR); /* no socket: no harm */
            return false;
        }
        *done += (size_t)n;
    }
    return true;
}

/* write: what to call when out can take more, NULL when nothing waits. */
static void watch(struct chardev *c, loop_fn *write)
{
    struct loop *l = c->set->loop;
    bool both = c->in == c->out;

    if (c->in >= 0)
        loop_fd(l, c->in, can_read, readable, both ? write : NULL, c);
    if (c->out >= 0 && !both)
        loop_fd(l, c->out, NULL, NULL, write, c);
}

static void writable(void *opaque)
{
    struct chardev *c = opaque;
    size_t done;
    bool ok =
        write_some(c, c->queue.data + c->sent, c->queue.len - c->sent, &done);

    c->sent += done;
    if (ok && has_queue(c))
        return;
    clear_queue(c);
    watch(c, NULL);
}

bool chardev_set_fds(struct chardev *c, int in, int out, struct err *err)
{
    struct loop *l = c->set->loop;

    if ((in >= 0 && !loop_fd(l, in, NULL, NULL, NULL, NULL)) ||
        (out >= 0 && !loop_fd(l, out, NULL, NULL, NULL, NULL))) {
        close(in);
        if (out != in)
            close(out);
        return err_set(err, "too many open files");
    }
    c->in = in;
    c->out = out;
    c->broken = false;
    clear_queue(c);
    watch(c, NULL);
    return true;
}

static void close_fd(struct chardev *c, int fd)
{
    if (fd < 0)
        return;
    loop_fd(c->set->loop, fd, NULL, NULL, NULL, NULL);
    close(fd);
}

void chardev_close_fds(struct chardev *c)
{
    close_fd(c, c->in);
    if (c->out != c->in)
        close_fd(c, c->out);
    c->in = c->out = -1;
    clear_queue(c);
}

/* Output ------------------------------------------------------------------- */

/* Only what has not been sent counts; the rest is dropped when it is half. */
static void enqueue(struct chardev *c, const char *data, size_t len)
{
    bool was_empty = !has_queue(c);

    if (c->sent > c->queue.len / 2) {
        buf_drop(&c->queue, c->sent);
        c->sent = 0;
    }
    buf_add(&c->queue, data, len);
    if (was_empty)
        watch(c, writable);
}

static void warn_lost(struct chardev *c)
{
    if (c->warned)
        return;
    c->warned = true;
    fprintf(stderr,
            "ebreak: warning: %s: the other side does not read, "
            "output is lost\n",
            c->id);
}

size_t chardev_write_fd(struct chardev *c, const char *data, size_t len)
{
    size_t done = 0;

    if (c->out < 0 || c->broken)
        return 0;
    if (!has_queue(c) && !write_some(c, data, len, &done))
        return done;
    size_t room = CHARDEV_QUEUE - chardev_queued(c);
    size_t rest = len - done;

    if (rest > room) {
        warn_lost(c);
        rest = room;
    }
    if (rest > 0)
        enqueue(c, data + done, rest);
    return done + rest;
}

static void write_log(const struct chardev *c, const char *data, size_t len)
{
    while (c->logfd >= 0 && len > 0) {
        ssize_t n = write(c->logfd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* a full disk must not end the machine */
        data += n;
        len -= (size_t)n;
    }
}

size_t chardev_write(struct chardev *c, const void *data, size_t len)
{
    write_log(c, data, len);
    if (c->on_output)
        c->on_output(c->on_output_opaque, data, len);
    if (c->ops->write != NULL)
        return c->ops->write(c, data, len);
    return chardev_write_fd(c, data, len);
}

void chardev_on_output(struct chardev *c, chardev_output_fn *fn, void *opaque)
{
    c->on_output = fn;
    c->on_output_opaque = opaque;
}

/* The last words of a machine (a panic, gdb's W packet) get some time to be
 * read; a reader that makes no progress gets half a second. */
static void flush_queue(struct chardev *c)
{
    struct pollfd p = { .fd = c->out, .events = POLLOUT };
    size_t done = 1;

    while (c->out >= 0 && !c->broken && has_queue(c) && done > 0) {
        if (poll(&p, 1, LAST_WORDS_MS) <= 0)
            return;
        write_some(c, c->queue.data + c->sent, c->queue.len - c->sent, &done);
        c->sent += done;
    }
}

/* Life --------------------------------------------------------------------- */

struct chardev *chardev_make(struct chardevs *s, const char *id,
                             const struct chardev_ops *ops)
{
    struct chardev *c = xcalloc(1, sizeof *c);

    c->set = s;
    c->ops = ops;
    c->id = xstrdup(id);
    c->filename = xstrdup(ops->name);
    c->in = c->out = c->logfd = -1;
    return c;
}

void chardev_list(struct chardev *c)
{
    struct chardev **at = &c->set->first;

    while (*at != NULL)
        at = &(*at)->next;
    *at = c;
}

static void unlist(struct chardev *c)
{
    struct chardev **at = &c->set->first;

    while (*at != NULL && *at != c)
        at = &(*at)->next;
    if (*at == c)
        *at = c->next;
}

static void close_log(struct chardev *c)
{
    struct stat st;

    if (c->logfd < 0)
        return;
    if (!c->set->started && c->logpath != NULL && fstat(c->logfd, &st) == 0 &&
        st.st_size == 0)
        unlink(c->logpath);
    close(c->logfd);
}

void chardev_destroy(struct chardev *c)
{
    if (c->closed)
        return;
    c->closed = true;
    flush_queue(c);
    if (c->ops->close != NULL)
        c->ops->close(c);
    chardev_close_fds(c);
    close_log(c);
    unlist(c);
    c->next = c->set->dead;
    c->set->dead = c;
    bh_schedule(c->set->chores);
}

static void free_chardev(struct chardev *c)
{
    for (size_t n = 0; n < c->nfronts; n++)
        buf_free(&c->fronts[n].held);
    free(c->fronts);
    buf_free(&c->queue);
    free(c->id);
    free(c->filename);
    free(c->logpath);
    free(c);
}

/* One whose read callback turns the loop is still in use. */
static void free_dead(struct chardevs *s)
{
    struct chardev **at = &s->dead, *c;

    while ((c = *at) != NULL) {
        if (c->reading) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        free_chardev(c);
    }
}

static void hang_up(struct chardev *c)
{
    if (c->ops->hangup != NULL)
        c->ops->hangup(c);
    else if (c->ops->gone != NULL)
        c->ops->gone(c);
}

static struct chardev *find_chore(struct chardevs *s)
{
    for (struct chardev *c = s->first; c != NULL; c = c->next)
        if (c->hanging || c->draining)
            return c;
    return NULL;
}

/* Each callback may change the set: the search begins anew after it. */
void chardev_chores(void *set)
{
    struct chardevs *s = set;
    struct chardev *c;

    free_dead(s);
    while ((c = find_chore(s)) != NULL) {
        bool hanging = c->hanging;

        c->hanging = false;
        if (hanging) {
            hang_up(c);
            continue;
        }
        c->draining = false;
        c->ops->drain(c);
    }
}

/* Put off: the front end that hangs up is told CLOSED when it has returned. */
void chardev_hangup(struct chardev *c)
{
    if (c->below != NULL)
        c = c->below;
    c->hanging = true;
    bh_schedule(c->set->chores);
}

/* Small questions ---------------------------------------------------------- */

void chardev_set_name(struct chardev *c, const char *fmt, ...)
{
    struct buf b = { 0 };
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    free(c->filename);
    c->filename = b.data;
}

const char *chardev_id(const struct chardev *c) { return c->id; }

const char *chardev_filename(const struct chardev *c) { return c->filename; }

bool chardev_is_open(const struct chardev *c) { return c->open; }

bool chardev_is_tty(const struct chardev *c)
{
    return c->below != NULL ? chardev_is_tty(c->below) : c->tty;
}
