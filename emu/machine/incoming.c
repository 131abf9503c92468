/* SPDX-License-Identifier: MIT */
/*
 * incoming.c - the machine goes on in another process: the way in.
 *
 * What comes in is kept as it comes, in a file without a name, and looked at
 * when it has ended: nothing half goes into the machine, and a recording that
 * begins here needs it anyway.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev_net.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/mem.h"
#include "emu/machine/frames.h"
#include "emu/machine/migrate_impl.h"
#include "emu/machine/record.h"
#include "emu/machine/run.h"
#include "emu/machine/snapshot.h"

/* Beyond its memory a machine has no more state than this. */
static const uint64_t rest_max = 512 << 20;

static void forget_fd(struct machine *m, int *fd)
{
    if (*fd < 0)
        return;
    loop_fd(m->loop, *fd, NULL, NULL, NULL, NULL);
    close(*fd);
    *fd = -1;
}

void migrate_stop_incoming(struct machine *m)
{
    struct migrate *g = m->migrate;

    if (g->command) {
        loop_fd(m->loop, g->in, NULL, NULL, NULL, NULL);
        pclose(g->command);
        g->command = NULL;
        g->in = -1;
    }
    forget_fd(m, &g->in);
    forget_fd(m, &g->listener);
    if (g->memory >= 0)
        close(g->memory);
    g->memory = -1;
    place_free(&g->from);
}

/* The state is there ------------------------------------------------------- */

static bool load(struct machine *m, int fd, struct err *err)
{
    struct moment when;
    struct frames f, first;

    if (!frames_open(&f, fd, FRAMES_SNAPSHOT, err))
        return false;
    first = f;
    run_stand(m, RUN_PAUSED);
    if (!snapshot_load(m, &f, &when, err))
        return false;
    record_began_with(m, &first);
    return !m->migrate->start || !when.running || run_resume(m, NULL, err);
}

static void answer(struct machine *m, const char *text)
{
    if (m->migrate->from.kind == PLACE_SOCKET && m->migrate->in >= 0 &&
        send(m->migrate->in, text, strlen(text), MSG_NOSIGNAL) < 0)
        fprintf(stderr, "ebreak: -incoming: %s\n", strerror(errno));
}

static void failed(struct machine *m, const struct err *err)
{
    struct migrate *g = m->migrate;

    fprintf(stderr, "ebreak: -incoming: %s\n", err->text);
    g->status = MIGRATE_FAILED;
    g->why = *err;
    run_stand(m, RUN_INMIGRATE);
    migrate_stop_incoming(m);
    run_request_shutdown(m, SHUTDOWN_HOST_ERROR, 1);
}

static void arrived(struct machine *m, int fd)
{
    struct migrate *g = m->migrate;
    struct err err = { 0 };

    g->ns = loop_now(m->loop, LOOP_REALTIME) - g->since;
    if (!load(m, fd, &err)) {
        answer(m, err.text);
        failed(m, &err);
        return;
    }
    answer(m, "ok");
    g->status = MIGRATE_COMPLETED;
    migrate_stop_incoming(m);
}

/* It comes ----------------------------------------------------------------- */

static uint64_t room(const struct machine *m)
{
    const struct mem_region *r;
    uint64_t n = rest_max;

    for (size_t i = 0; (r = mem_nth(m->mem, i)); i++)
        if (r->host)
            n += r->size;
    return n;
}

static bool keep(struct machine *m, const char *data, size_t len,
                 struct err *err)
{
    struct migrate *g = m->migrate;

    g->got += len;
    if (g->got > room(m))
        return err_set(err, "it is more than this machine can be");
    for (ssize_t n; len > 0; data += n, len -= (size_t)n) {
        n = write(g->memory, data, len);
        if (n < 0 && errno != EINTR)
            return err_set(err, "%s", strerror(errno));
        n = n < 0 ? 0 : n;
    }
    return true;
}

static void readable(void *opaque)
{
    struct machine *m = opaque;
    struct migrate *g = m->migrate;
    struct err err = { 0 };
    char chunk[65536];
    ssize_t n = read(g->in, chunk, sizeof chunk);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0 && keep(m, chunk, (size_t)n, &err))
        return;
    if (n < 0)
        err_set(&err, "%s", strerror(errno));
    if (err.text[0]) {
        answer(m, err.text);
        failed(m, &err);
        return;
    }
    loop_fd(m->loop, g->in, NULL, NULL, NULL, NULL);
    arrived(m, g->memory);
}

static bool begin_reading(struct machine *m, struct err *err)
{
    struct migrate *g = m->migrate;

    g->memory = memfd_create("incoming", MFD_CLOEXEC);
    g->got = 0;
    g->status = MIGRATE_ACTIVE;
    g->since = loop_now(m->loop, LOOP_REALTIME);
    return (g->memory >= 0 &&
            loop_fd(m->loop, g->in, NULL, readable, NULL, m)) ||
           err_set(err, "%s", strerror(errno));
}

/* One sender is enough. */
static void knocked(void *opaque)
{
    struct machine *m = opaque;
    struct migrate *g = m->migrate;
    struct err err;

    g->in = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
    if (g->in < 0)
        return;
    forget_fd(m, &g->listener);
    if (!begin_reading(m, &err))
        failed(m, &err);
}

static bool from_socket(struct machine *m, struct err *err)
{
    struct migrate *g = m->migrate;

    g->listener = net_listen(&g->from.address, err);
    return g->listener >= 0 &&
           (loop_fd(m->loop, g->listener, NULL, knocked, NULL, m) ||
            err_set(err, "there are too many open files"));
}

static bool from_command(struct machine *m, struct err *err)
{
    struct migrate *g = m->migrate;

    /* NOLINTNEXTLINE(cert-env33-c): a command is what was asked for */
    g->command = popen(g->from.text, "re");
    if (!g->command)
        return err_set(err, "%s", strerror(errno));
    g->in = fileno(g->command);
    return begin_reading(m, err);
}

/* A file can be looked at where it is. */
static bool from_file(struct machine *m, struct err *err)
{
    struct migrate *g = m->migrate;

    g->in = open(g->from.text, O_RDONLY | O_CLOEXEC);
    if (g->in < 0)
        return err_set(err, "%s", strerror(errno));
    g->since = loop_now(m->loop, LOOP_REALTIME);
    arrived(m, g->in);
    return true;
}

void migrate_expect(struct machine *m, bool start)
{
    migrate_of(m)->start = start;
    run_stand(m, RUN_INMIGRATE);
}

bool migrate_incoming(struct machine *m, const char *uri, struct err *err)
{
    struct migrate *g = migrate_of(m);
    bool ok;

    if (run_state(m) != RUN_INMIGRATE)
        return err_set(err, "'-incoming' was not specified on the command "
                            "line");
    if (g->listener >= 0 || g->in >= 0)
        return err_set(err, "The incoming migration has already been started");
    ok = place_parse(&g->from, uri, err);
    if (ok && g->from.kind == PLACE_SOCKET)
        ok = from_socket(m, err);
    else if (ok && g->from.kind == PLACE_EXEC)
        ok = from_command(m, err);
    else if (ok)
        ok = from_file(m, err);
    if (!ok)
        migrate_stop_incoming(m);
    return ok;
}
