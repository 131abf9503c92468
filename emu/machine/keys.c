/* SPDX-License-Identifier: MIT */
/* keys.c - states on the way of a run, into its recording. */
#include "emu/machine/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/machine/job.h"
#include "emu/machine/seek.h"
#include "emu/machine/semihost.h"
#include "emu/machine/slice.h"
#include "emu/machine/snapshot.h"

struct keys {
    struct machine *m;
    uint64_t spacing, next_t;
    struct job *job;
    char *temp; /* the name that the child opens, and then removes */
    int fd;     /* -1: none is on its way */
    bool whole;
    struct buf head; /* of its FRAME_KEY */
    uint64_t place;
};

struct keys *keys_new(struct machine *m, uint64_t spacing)
{
    struct keys *k = xcalloc(1, sizeof *k);

    k->m = m;
    k->fd = -1;
    k->spacing = spacing;
    k->next_t = spacing;
    return k;
}

/* The child may not have come to it. */
static void drop(struct keys *k)
{
    job_kill(k->job);
    k->job = NULL;
    if (k->temp)
        unlink(k->temp);
    free(k->temp);
    k->temp = NULL;
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
    k->whole = false;
}

void keys_free(struct keys *k)
{
    if (!k)
        return;
    drop(k);
    buf_free(&k->head);
    free(k);
}

/* Where a run was stopped within a step it is not what a replay comes to. */
bool keys_due(const struct keys *k)
{
    const struct machine *m = k->m;

    return k->spacing && k->fd < 0 && run_now(m) >= k->next_t &&
           run_state(m) == RUN_RUNNING && m->run->stop_t != run_now(m) &&
           !tap_replaying(m->tap);
}

static void make_head(const struct machine *m, uint64_t place, struct buf *head)
{
    struct key_head h = { place };

    buf_clear(head);
    buf_add(head, &h, sizeof h);
    semihost_save(m, head);
}

static bool child(void *opaque, uint32_t *done, struct err *err)
{
    const struct keys *k = opaque;
    int fd = open(k->temp, O_WRONLY | O_CLOEXEC);

    unlink(k->temp);
    if (fd < 0)
        return err_set(err, "%s", strerror(errno));
    return snapshot_write(k->m, "", false, fd, done, err);
}

/* Without one it is a recording as well. */
static void ended(void *opaque, const struct err *err)
{
    struct keys *k = opaque;

    k->job = NULL;
    k->whole = !err;
    if (err)
        drop(k);
}

void keys_begin(struct keys *k, const char *beside)
{
    struct err err;

    k->next_t = run_now(k->m) + k->spacing;
    k->place = tap_place(k->m->tap);
    make_head(k->m, k->place, &k->head);
    k->temp = xasprintf("%s.XXXXXX", beside);
    k->fd = mkostemp(k->temp, O_CLOEXEC);
    if (k->fd < 0 || !(k->job = job_start(k->m->loop, child, ended, k, &err)))
        drop(k);
}

void keys_cut(struct keys *k, uint64_t place)
{
    if (k->fd >= 0 && place < k->place)
        drop(k);
}

static bool write_piece(int fd, const char *data, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, "%s", strerror(errno));
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool copy_all(int from, int to, struct err *err)
{
    static char piece[1 << 20];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(from, piece, sizeof piece, at)) > 0) {
        if (!write_piece(to, piece, (size_t)n, err))
            return false;
        at += n;
    }
    return n == 0 || err_set(err, "%s", strerror(errno));
}

bool keys_append(struct keys *k, int fd, struct err *err)
{
    bool ok;

    if (!k->whole)
        return true;
    ok = frame_write(fd, FRAME_KEY, k->head.data, k->head.len, err) &&
         copy_all(k->fd, fd, err);
    drop(k);
    return ok;
}

/* Of what is in memory -------------------------------------------------------- */

static bool write_checkpoint(struct machine *m, size_t n, int fd,
                             struct err *err)
{
    struct chain *c = m->run->timeline->chain;
    struct buf head = { 0 };
    uint32_t done = 0;
    bool ok;

    chain_restore(c, n);
    make_head(m, chain_nth(c, n)->pos.log, &head);
    ok = frame_write(fd, FRAME_KEY, head.data, head.len, err) &&
         snapshot_write(m, "", false, fd, &done, err);
    buf_free(&head);
    return ok;
}

static bool write_checkpoints(struct machine *m, uint64_t spacing, int fd,
                              struct err *err)
{
    struct chain *c = m->run->timeline->chain;
    uint64_t next = spacing;

    for (size_t n = 0; n < chain_count(c); n++) {
        const struct checkpoint *k = chain_nth(c, n);

        if (k->pos.t < next || !k->exact)
            continue;
        if (!write_checkpoint(m, n, fd, err))
            return false;
        next = k->pos.t + spacing;
    }
    return true;
}

bool keys_of_history(struct machine *m, uint64_t spacing, int fd,
                     struct err *err)
{
    pid_t pid, got;
    int status = 0;

    if (!spacing || !timeline_is(m->run->timeline) || run_now(m) < spacing)
        return true;
    pid = fork();
    if (pid == 0)
        _exit(!write_checkpoints(m, spacing, fd, err));
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return (pid > 0 && got == pid && status == 0) ||
           err_set(err, "checkpoints could not be written");
}
