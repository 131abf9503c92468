/* SPDX-License-Identifier: MIT */
/*
 * chardev_socket.c - TCP and Unix sockets, as server and as client.
 *
 * A server has one client at a time and does not listen meanwhile, unless
 * chardev_on_accept says that each client gets a chardev of its own. A client
 * with reconnect= tries again for ever; without it the first try decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/chardev_net.h"
#include "emu/base/chardev_telnet.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/opts.h"

#define MS INT64_C(1000000)

enum { LOOK_MS = 1000 };

struct sock {
    struct net_address where; /* .telnet: speaks that protocol */
    char *label;              /* "tcp:127.0.0.1:1234,server=on" */
    bool server, wait, nodelay;
    int64_t retry_ns; /* 0: does not reconnect */

    int listener; /* or -1 */
    struct net_targets targets;
    size_t target; /* which of them is being tried */
    int trying;    /* a connect() under way, or -1 */
    int why;       /* errno of the last try, 0: see resolving */
    bool failed;   /* and there will not be another try */
    struct err resolving;
    struct timer *timer; /* client: tries again; server: looks at its client */

    struct telnet telnet;

    void (*accepted)(void *opaque, struct chardev *client);
    void *opaque;
    unsigned long clients; /* accepted so far, for their names */
};

static void set_timer(struct chardev *c, int64_t ns)
{
    const struct sock *s = c->impl;

    if (s->timer != NULL)
        timer_set(s->timer, loop_now(c->set->loop, LOOP_REALTIME) + ns);
}

/* Somebody is on fd, which becomes c's. */
static bool connected(struct chardev *c, int fd)
{
    struct sock *s = c->impl;
    int one = 1;
    char *name = net_connection_name(s->label, s->server, fd);

    if (s->nodelay)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bool ok = chardev_set_fds(c, fd, fd, NULL);
    if (ok) {
        chardev_set_name(c, "%s", name);
        if (s->server)
            set_timer(c, LOOK_MS * MS);
        s->telnet = (struct telnet){ 0 };
        if (s->where.telnet && s->server)
            chardev_write_fd(c, telnet_hello, sizeof telnet_hello);
        chardev_set_open(c, true);
    }
    free(name);
    return ok;
}

/* Server ------------------------------------------------------------------- */

/* A chardev for one of several clients; it ends with the connection. */
static void accept_several(struct chardev *c, int fd)
{
    struct sock *s = c->impl, *own = xcalloc(1, sizeof *own);
    char *id = xasprintf("%s.%lu", c->id, ++s->clients);
    struct chardev *client = chardev_make(c->set, id, &chardev_socket);

    free(id);
    own->where.telnet = s->where.telnet;
    own->label = xstrdup(s->label);
    own->server = true;
    own->nodelay = s->nodelay;
    own->listener = own->trying = -1;
    client->impl = own;
    client->fleeting = true;
    chardev_list(client);
    if (connected(client, fd))
        s->accepted(s->opaque, client);
    else
        chardev_destroy(client);
}

static void acceptable(void *opaque)
{
    struct chardev *c = opaque;
    struct sock *s = c->impl;
    struct loop *l = c->set->loop;
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return; /* it changed its mind */
    if (s->accepted != NULL) {
        accept_several(c, fd);
        return;
    }
    /* The others wait in the kernel's queue. */
    loop_fd(l, s->listener, NULL, NULL, NULL, NULL);
    if (!connected(c, fd))
        loop_fd(l, s->listener, NULL, acceptable, NULL, c);
}

static bool polls(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, 0) > 0 && (p.revents & (events | POLLHUP | POLLERR));
}

static bool start_server(struct chardev *c, struct err *err)
{
    struct sock *s = c->impl;

    s->listener = net_listen(&s->where, err);
    if (s->listener < 0)
        return false;
    if (!loop_fd(c->set->loop, s->listener, NULL, acceptable, NULL, c))
        return err_set(err, "too many open files");
    s->label = net_label(&s->where, true, s->listener);
    chardev_set_name(c, "disconnected:%s", s->label);
    return true;
}

/* The loop turns meanwhile, so that Ctrl-C and the other lines work. */
static bool wait_for_client(struct chardev *c, struct err *err)
{
    struct chardevs *set = c->set;

    fprintf(stderr, "ebreak: info: ebreak waiting for connection on: %s\n",
            c->filename);
    while (!c->open && !set->cancelled)
        loop_turn(set->loop, -1);
    return c->open || err_set(err, "gave up waiting for a connection");
}

/* Client ------------------------------------------------------------------- */

/* The next target is tried at once, the first one again after a while. */
static void try_failed(struct chardev *c, int why)
{
    struct sock *s = c->impl;

    s->why = why;
    s->target++;
    if (s->target < s->targets.n)
        set_timer(c, 0);
    else if (s->retry_ns > 0)
        set_timer(c, s->retry_ns);
    else
        s->failed = true;
}

static void try_result(void *opaque)
{
    struct chardev *c = opaque;
    struct sock *s = c->impl;
    int fd = s->trying, why = 0;
    socklen_t len = sizeof why;

    loop_fd(c->set->loop, fd, NULL, NULL, NULL, NULL);
    s->trying = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0 && why == 0) {
        connected(c, fd);
        return;
    }
    close(fd);
    try_failed(c, why);
}

static void try_next(void *opaque)
{
    struct chardev *c = opaque;
    struct sock *s = c->impl;

    if (s->target >= s->targets.n) {
        s->target = s->targets.n = 0;
        if (!net_resolve(&s->where, &s->targets, &s->resolving)) {
            try_failed(c, 0);
            return;
        }
    }
    s->trying = net_connect(&s->targets, s->target);
    if (s->trying < 0) {
        try_failed(c, errno);
    } else if (!loop_fd(c->set->loop, s->trying, NULL, NULL, try_result, c)) {
        close(s->trying);
        s->trying = -1;
        try_failed(c, EMFILE);
    }
}

static bool explain_failure(const struct sock *s, struct err *err)
{
    char *text = net_text(&s->where);

    if (s->why == 0)
        err_set(err, "%s", s->resolving.text);
    else
        err_set(err, "Failed to connect to '%s': %s", text, strerror(s->why));
    free(text);
    return false;
}

static bool start_client(struct chardev *c, struct err *err)
{
    struct sock *s = c->impl;

    s->label = net_label(&s->where, false, -1);
    chardev_set_name(c, "disconnected:%s", s->label);
    set_timer(c, 0);
    if (s->retry_ns > 0)
        return true;
    while (!c->open && !s->failed && !c->set->cancelled)
        loop_turn(c->set->loop, -1);
    if (s->failed)
        return explain_failure(s, err);
    return c->open || err_set(err, "gave up connecting");
}

/* Both --------------------------------------------------------------------- */

static void sock_gone(struct chardev *c)
{
    struct sock *s = c->impl;
    bool fleeting = c->fleeting;

    chardev_close_fds(c);
    chardev_set_name(c, "disconnected:%s", s->label);
    if (s->listener >= 0)
        loop_fd(c->set->loop, s->listener, NULL, acceptable, NULL, c);
    else if (s->retry_ns > 0)
        set_timer(c, s->retry_ns);
    chardev_set_open(c, false);
    if (fleeting)
        chardev_destroy(c);
}

/* A break keeps its place among the bytes: what follows it may be a command
 * to the kernel (magic sysrq). A callback may close c. */
static void telnet_received(struct chardev *c, char *data, size_t len)
{
    while (len > 0 && !c->closed) {
        struct sock *s = c->impl;
        size_t used;
        bool got_break;
        size_t kept = telnet_filter(&s->telnet, data, len, &used, &got_break);

        chardev_receive(c, data, kept);
        if (got_break && !c->closed)
            chardev_event_focus(c, CHARDEV_BREAK);
        data += used;
        len -= used;
    }
}

static void sock_received(struct chardev *c, char *data, size_t len)
{
    const struct sock *s = c->impl;

    if (s->where.telnet)
        telnet_received(c, data, len);
    else
        chardev_receive(c, data, len);
}

/* An escaped byte must not be cut in two: what the queue has no room for is
 * not sent at all. */
static size_t sock_write(struct chardev *c, const void *data, size_t len)
{
    const struct sock *s = c->impl;
    struct buf b = { 0 };
    size_t taken = 0;

    if (!s->where.telnet)
        return chardev_write_fd(c, data, len);
    telnet_escape(&b, data, len);
    if (b.len <= CHARDEV_QUEUE - chardev_queued(c) &&
        chardev_write_fd(c, b.data, b.len) == b.len)
        taken = len;
    buf_free(&b);
    return taken;
}

static void sock_hangup(struct chardev *c)
{
    if (c->in >= 0)
        sock_gone(c);
}

/*
 * A client that went away is seen by reading, and nothing is read while the
 * front end takes nothing (a stopped guest's UART is full). If the next
 * client waits already, the old one makes room without being read to its end.
 */
static void look_at_client(void *opaque)
{
    struct chardev *c = opaque;
    const struct sock *s = c->impl;

    if (c->in < 0)
        return;
    if (polls(c->in, POLLRDHUP) && polls(s->listener, POLLIN))
        sock_gone(c);
    else
        set_timer(c, LOOK_MS * MS);
}

static bool parse_protocol(struct sock *s, struct opts *o, struct err *err)
{
    static const char *const unknown[] = { "tn3270", "websocket" };
    bool on;

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        if (!opts_bool(o, unknown[i], false, &on, err))
            return false;
        if (on)
            return err_set(err, "chardev: socket: '%s' is not supported",
                           unknown[i]);
    }
    return opts_bool(o, "telnet", false, &s->where.telnet, err);
}

/* reconnect= in seconds, reconnect-ms= */
static bool parse_retry(struct sock *s, struct opts *o, struct err *err)
{
    uint64_t seconds, ms;

    if (!opts_number(o, "reconnect", 0, &seconds, err) ||
        !opts_number(o, "reconnect-ms", 0, &ms, err))
        return false;
    if (seconds != 0 && ms != 0)
        return err_set(err,
                       "'reconnect' and 'reconnect-ms' are mutually exclusive");
    if (seconds > 1000000 || ms > UINT64_C(1000000000))
        return err_set(err, "the time to reconnect is too long");
    s->retry_ns = (int64_t)(seconds * 1000 + ms) * MS;
    return true;
}

/* "delay" is what "nodelay" alone means: an option of the list is off. */
static bool parse_flags(struct sock *s, struct opts *o, struct err *err)
{
    bool delay, has_wait = opts_has(o, "wait");

    if (!opts_bool(o, "server", false, &s->server, err) ||
        !opts_bool(o, "wait", s->server, &s->wait, err) ||
        !opts_bool(o, "delay", true, &delay, err) ||
        !opts_bool(o, "nodelay", !delay, &s->nodelay, err))
        return false;
    if (has_wait && !s->server)
        return err_set(err, "'wait' option is incompatible with socket in "
                            "client connect mode");
    if (s->retry_ns > 0 && s->server)
        return err_set(err, "'reconnect' option is incompatible with socket "
                            "in server listen mode");
    return true;
}

static bool sock_open(struct chardev *c, struct opts *o, struct err *err)
{
    struct sock *s = xcalloc(1, sizeof *s);

    c->impl = s;
    s->listener = s->trying = -1;
    if (!parse_protocol(s, o, err) || !net_parse(&s->where, o, err) ||
        !parse_retry(s, o, err) || !parse_flags(s, o, err) ||
        !opts_done(o, err))
        return false;
    c->tty = s->where.telnet; /* a person, character by character */
    s->timer = timer_new(c->set->loop, LOOP_REALTIME, "socket",
                         s->server ? look_at_client : try_next, c);
    if (!s->server)
        return start_client(c, err);
    return start_server(c, err) && (!s->wait || wait_for_client(c, err));
}

static void forget_fd(struct chardev *c, int fd)
{
    if (fd < 0)
        return;
    loop_fd(c->set->loop, fd, NULL, NULL, NULL, NULL);
    close(fd);
}

static void sock_close(struct chardev *c)
{
    struct sock *s = c->impl;

    if (s == NULL)
        return;
    forget_fd(c, s->listener);
    forget_fd(c, s->trying);
    timer_free(s->timer);
    net_free(&s->where);
    free(s->label);
    free(s);
    c->impl = NULL;
}

const struct chardev_ops chardev_socket = {
    .name = "socket",
    .open = sock_open,
    .close = sock_close,
    .write = sock_write,
    .received = sock_received,
    .gone = sock_gone,
    .hangup = sock_hangup,
};

bool chardev_on_accept(struct chardev *c,
                       void (*accepted)(void *opaque, struct chardev *client),
                       void *opaque)
{
    struct sock *s = c->impl;
    struct loop *l = c->set->loop;

    if (c->ops != &chardev_socket || s->listener < 0)
        return false;
    s->accepted = accepted;
    s->opaque = opaque;
    if (accepted == NULL || c->in < 0)
        return true;
    /* The one that came during start-up is the first of them. */
    int fd = fcntl(c->in, F_DUPFD_CLOEXEC, 0);

    chardev_close_fds(c);
    chardev_set_name(c, "disconnected:%s", s->label);
    chardev_set_open(c, false);
    loop_fd(l, s->listener, NULL, acceptable, NULL, c);
    if (fd >= 0)
        accept_several(c, fd);
    return true;
}
