/* SPDX-License-Identifier: MIT */
/* migrate.c - the machine goes on in another process: the way out. */
#include "emu/machine/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev_net.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/machine/frames.h"
#include "emu/machine/job.h"
#include "emu/machine/migrate_impl.h"
#include "emu/machine/record.h"
#include "emu/machine/run.h"
#include "emu/machine/snapshot.h"

struct migrate *migrate_of(struct machine *m)
{
    if (!m->migrate) {
        m->migrate = xcalloc(1, sizeof *m->migrate);
        m->migrate->listener = m->migrate->in = m->migrate->memory = -1;
    }
    return m->migrate;
}

/* Places ------------------------------------------------------------------- */

static bool starts(const char *uri, const char *with, const char **rest)
{
    size_t n = strlen(with);

    *rest = uri + n;
    return !strncmp(uri, with, n);
}

static bool tcp_place(struct place *p, const char *text, struct err *err)
{
    const char *port = strrchr(text, ':');

    if (!port || !port[1])
        return err_set(err, "tcp:%s: there is no port", text);
    p->address.host = port == text ? xstrdup("127.0.0.1")
                                   : xstrndup(text, (size_t)(port - text));
    p->address.port = xstrdup(port + 1);
    p->address.family = AF_UNSPEC;
    return true;
}

bool place_parse(struct place *p, const char *uri, struct err *err)
{
    const char *rest;

    *p = (struct place){ .kind = PLACE_FILE };
    if (starts(uri, "tcp:", &rest)) {
        p->kind = PLACE_SOCKET;
        return tcp_place(p, rest, err);
    }
    if (starts(uri, "unix:", &rest)) {
        p->kind = PLACE_SOCKET;
        p->address.path = xstrdup(rest);
        return *rest || err_set(err, "unix: there is no path");
    }
    if (starts(uri, "exec:", &rest))
        p->kind = PLACE_EXEC;
    else if (!starts(uri, "file:", &rest))
        return err_set(err, "unknown migration protocol: %s", uri);
    p->text = xstrdup(rest);
    return *rest || err_set(err, "%s: nothing follows", uri);
}

void place_free(struct place *p)
{
    net_free(&p->address);
    free(p->text);
    *p = (struct place){ 0 };
}

/* The way out, in the child ------------------------------------------------ */

static bool send_state(struct machine *m, int fd, struct err *err)
{
    return frames_begin(fd, FRAMES_SNAPSHOT, err) &&
           snapshot_write(m, "", m->migrate->ran, fd, m->migrate->percent, err);
}

static bool to_file(struct machine *m, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 || err_set(err, "%s", strerror(errno));

    ok = ok && send_state(m, fd, err);
    if (fd >= 0 && close(fd) && ok)
        ok = err_set(err, "%s", strerror(errno));
    return ok || err_prefix(err, "%s", path);
}

static bool to_command(struct machine *m, const char *command, struct err *err)
{
    FILE *f = popen(command, "we"); /* NOLINT(cert-env33-c): it is asked for */
    bool ok;
    int status;

    if (!f)
        return err_set(err, "%s: %s", command, strerror(errno));
    ok = send_state(m, fileno(f), err);
    status = pclose(f);
    if (ok && status)
        ok = err_set(err, "it failed");
    return ok || err_prefix(err, "%s", command);
}

/* Blocking, once it is connected; -1: errno says why not. */
static int connected(const struct net_targets *t, size_t i)
{
    int fd = net_connect(t, i), why = 0;
    struct pollfd p = { fd, POLLOUT, 0 };
    socklen_t len = sizeof why;

    if (fd < 0)
        return -1;
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        continue;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len);
    if (!why && !fcntl(fd, F_SETFL, 0))
        return fd;
    close(fd);
    errno = why;
    return -1;
}

/* What the other side makes of it: "ok", or why not. */
static bool hear(int fd, struct err *err)
{
    char text[512];
    size_t len = 0;
    ssize_t n;

    shutdown(fd, SHUT_WR);
    while (len < sizeof text - 1 &&
           ((n = read(fd, text + len, sizeof text - 1 - len)) > 0 ||
            (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    text[len] = 0;
    if (!len)
        return err_set(err, "the other side hung up");
    return !strcmp(text, "ok") || err_set(err, "the other side says: %s", text);
}

static bool to_socket(struct machine *m, const struct net_address *a,
                      struct err *err)
{
    struct net_targets t;
    char *name = net_text(a);
    int fd = -1;
    bool ok = net_resolve(a, &t, err);

    for (size_t n = 0; ok && fd < 0 && n < t.n; n++)
        fd = connected(&t, n);
    if (ok && fd < 0)
        ok = err_set(err, "%s", strerror(errno));
    ok = ok && send_state(m, fd, err) && hear(fd, err);
    if (!ok)
        err_prefix(err, "%s", name);
    free(name);
    return ok;
}

static bool send_child(void *opaque, uint32_t *done, struct err *err)
{
    struct machine *m = opaque;
    const struct place *to = &m->migrate->to;

    m->migrate->percent = done;
    switch (to->kind) {
    case PLACE_FILE:
        return to_file(m, to->text, err);
    case PLACE_EXEC:
        return to_command(m, to->text, err);
    case PLACE_SOCKET:
        return to_socket(m, &to->address, err);
    }
    return false;
}

/* The way out, in the parent ----------------------------------------------- */

static void as_it_was(struct machine *m)
{
    run_stand(m, m->migrate->ran ? RUN_PAUSED : m->migrate->before);
    if (m->migrate->ran)
        run_resume(m, NULL, NULL);
}

static void ended(struct machine *m, enum migrate_status status)
{
    struct migrate *g = m->migrate;

    g->job = NULL;
    g->status = status;
    g->ns = loop_now(m->loop, LOOP_REALTIME) - g->since;
    place_free(&g->to);
    if (status == MIGRATE_COMPLETED)
        run_stand(m, RUN_POSTMIGRATE);
    else
        as_it_was(m);
}

static void sent(void *opaque, const struct err *err)
{
    struct machine *m = opaque;
    struct migrate *g = m->migrate;

    g->why = err ? *err : (struct err){ 0 };
    ended(m, err ? MIGRATE_FAILED : MIGRATE_COMPLETED);
    if (g->done)
        g->done(g->opaque, err);
}

bool migrate_start(struct machine *m, const char *uri, migrate_done_fn *done,
                   void *opaque, struct err *err)
{
    struct migrate *g = migrate_of(m);

    if (g->job)
        return err_set(err, "There's a migration process in progress");
    if (run_state(m) == RUN_INMIGRATE)
        return err_set(err, "Guest is waiting for an incoming migration");
    if (!place_parse(&g->to, uri, err)) {
        place_free(&g->to);
        return false;
    }
    g->ran = run_state(m) == RUN_RUNNING;
    g->before = run_state(m);
    g->done = done;
    g->opaque = opaque;
    g->since = loop_now(m->loop, LOOP_REALTIME);
    run_stand(m, RUN_FINISH_MIGRATE);
    g->status = MIGRATE_ACTIVE;
    g->job = job_start(m->loop, send_child, sent, m, err);
    if (!g->job) {
        ended(m, MIGRATE_FAILED);
        return false;
    }
    if (done)
        return true;
    job_wait(g->job);
    if (g->status == MIGRATE_FAILED)
        *err = g->why;
    return g->status == MIGRATE_COMPLETED;
}

void migrate_forget(struct machine *m, const void *opaque)
{
    if (m->migrate && m->migrate->opaque == opaque)
        m->migrate->done = NULL;
}

int migrate_percent(const struct machine *m)
{
    return m->migrate && m->migrate->job ? (int)job_percent(m->migrate->job)
                                         : -1;
}

bool migrate_waits(const struct machine *m, const void *opaque)
{
    const struct migrate *g = m->migrate;

    return g && g->job && g->done && g->opaque == opaque;
}

void migrate_cancel(struct machine *m)
{
    struct migrate *g = migrate_of(m);
    struct err err;

    if (!g->job)
        return;
    job_kill(g->job);
    ended(m, MIGRATE_CANCELLED);
    err_set(&err, "the migration was cancelled");
    if (g->done)
        g->done(g->opaque, &err);
}

void migrate_info(const struct machine *m, struct buf *out)
{
    static const char *const names[] = {
        [MIGRATE_NONE] = "none",           [MIGRATE_ACTIVE] = "active",
        [MIGRATE_COMPLETED] = "completed", [MIGRATE_FAILED] = "failed",
        [MIGRATE_CANCELLED] = "cancelled",
    };
    const struct migrate *g = m->migrate;
    int64_t ns = g ? g->ns : 0;

    buf_printf(out, "Migration status: %s",
               names[g ? g->status : MIGRATE_NONE]);
    if (g && g->status == MIGRATE_FAILED)
        buf_printf(out, " (%s)", g->why.text);
    buf_chr(out, '\n');
    if (!g || g->status == MIGRATE_NONE)
        return;
    if (g->status == MIGRATE_ACTIVE)
        ns = loop_now(m->loop, LOOP_REALTIME) - g->since;
    if (g->job)
        buf_printf(out, "sent: %u %%\n", job_percent(g->job));
    buf_printf(out, "total time: %" PRId64 " ms\n", ns / 1000000);
}

void migrate_fini(struct machine *m)
{
    if (!m->migrate)
        return;
    job_kill(m->migrate->job);
    place_free(&m->migrate->to);
    migrate_stop_incoming(m);
    free(m->migrate);
    m->migrate = NULL;
}
