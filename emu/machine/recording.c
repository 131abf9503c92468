/* SPDX-License-Identifier: MIT */
/* recording.c - a run as a file that replays it anywhere: what is read. */
#include "emu/machine/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/files.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/machine/frames.h"
#include "emu/machine/record.h"
#include "emu/machine/run.h"
#include "emu/machine/snapshot.h"

/* What a file may make us keep; a hostile one unpacks to much. */
static const uint64_t files_max = UINT64_C(4) << 30, log_max = 1 << 30;

/* From a reset or a saved state on, to wherever the next one begins. */
struct history {
    struct frames state; /* fd -1: the reset */
    struct buf sources;  /* names, each ended by a 0 byte */
    struct buf log;      /* of the tap */
};

struct recording {
    char *path;
    int fd;
    struct frames f;
    bool closed;
    struct buf options;
    struct files *files;
    uint64_t files_size, log_size;
    char *name; /* the file that is being read */
    struct buf file;
    struct history *history;
    size_t n;
    /* While it is replayed. */
    size_t now;
    struct bh *next;
    void (*ended)(void *opaque);
    void *opaque;
};

/* Reading ------------------------------------------------------------------ */

static bool bad(const struct recording *r, struct err *err)
{
    return err_set(err, "it is damaged before byte %" PRIu64, r->f.at);
}

/* Texts, each ended by a 0 byte: is the last one, too? */
static bool are_texts(const struct buf *b)
{
    return b->len == 0 || b->data[b->len - 1] == 0;
}

static const char *text_nth(const struct buf *b, size_t n)
{
    size_t at = 0;

    for (; at < b->len && n > 0; n--)
        at += strlen(b->data + at) + 1;
    return at < b->len ? b->data + at : NULL;
}

static bool read_options(struct recording *r, const struct buf *b,
                         struct err *err)
{
    if (!are_texts(b))
        return bad(r, err);
    buf_add(&r->options, b->data, b->len);
    return true;
}

static void file_done(struct recording *r)
{
    files_give(r->files, r->name, &r->file);
    free(r->name);
    r->name = NULL;
}

static bool read_file(struct recording *r, const struct buf *b, struct err *err)
{
    struct record_file head;
    size_t from = sizeof head;

    if (b->len < from)
        return bad(r, err);
    memcpy(&head, b->data, sizeof head);
    if (head.name_len > b->len - from || head.offset != r->file.len ||
        head.size > FILES_MAX || (head.offset == 0) != (r->name == NULL))
        return bad(r, err);
    from += head.name_len;
    r->files_size += b->len - from;
    if (b->len - from > head.size - head.offset || r->files_size > files_max)
        return bad(r, err);
    if (!r->name)
        r->name = xstrndup(b->data + sizeof head, head.name_len);
    buf_add(&r->file, b->data + from, b->len - from);
    if (r->file.len == head.size)
        file_done(r);
    return r->file.len == 0 || b->len > from || bad(r, err);
}

static bool read_start(struct recording *r, const struct buf *b,
                       struct err *err)
{
    struct history h = { .state = { .fd = -1 } };
    uint32_t state;

    if (b->len != sizeof state || r->name)
        return bad(r, err);
    memcpy(&state, b->data, sizeof state);
    if (state)
        h.state = r->f;
    r->history = xrealloc(r->history, (r->n + 1) * sizeof *r->history);
    r->history[r->n++] = h;
    return !state || snapshot_check(NULL, &r->f, NULL, NULL, err);
}

static bool read_sources(struct recording *r, const struct buf *b,
                         struct err *err)
{
    struct history *h = &r->history[r->n - 1];

    if (!are_texts(b))
        return bad(r, err);
    buf_clear(&h->sources);
    buf_add(&h->sources, b->data, b->len);
    return true;
}

static bool read_inputs(struct recording *r, const struct buf *b,
                        struct err *err)
{
    r->log_size += b->len;
    if (r->log_size > log_max)
        return bad(r, err);
    buf_add(&r->history[r->n - 1].log, b->data, b->len);
    return true;
}

static bool read_cut(struct recording *r, const struct buf *b, struct err *err)
{
    struct buf *log = &r->history[r->n - 1].log;
    uint64_t len;

    if (b->len != sizeof len)
        return bad(r, err);
    memcpy(&len, b->data, sizeof len);
    if (len > log->len)
        return bad(r, err);
    log->len = (size_t)len;
    return true;
}

static bool take_frame(struct recording *r, enum frame_kind kind,
                       const struct buf *b, struct err *err)
{
    bool made = r->n > 0; /* a history has begun: how it is made is known */

    if (r->closed)
        return bad(r, err);
    if (kind == FRAME_FILE && !made)
        return read_file(r, b, err);
    if (kind == FRAME_START)
        return read_start(r, b, err);
    if (kind == FRAME_SOURCES && made)
        return read_sources(r, b, err);
    if (kind == FRAME_INPUTS && made)
        return read_inputs(r, b, err);
    if (kind == FRAME_CUT_LOG && made)
        return read_cut(r, b, err);
    r->closed = kind == FRAME_CLOSED && made;
    return r->closed || bad(r, err);
}

/* A file that ends early is as good as its last mark, once there is one. */
static bool read_frames(struct recording *r, struct err *err)
{
    struct buf b = { 0 };
    enum frame_kind kind;
    enum frame_result is = frame_next(&r->f, &kind, &b, err);
    bool ok = is == FRAME_IS && kind == FRAME_OPTIONS;

    if (is == FRAME_NONE || (is == FRAME_IS && !ok))
        err_set(err, "it is cut short at byte %" PRIu64, r->f.at);
    ok = ok && read_options(r, &b, err);
    while (ok && (is = frame_next(&r->f, &kind, &b, err)) == FRAME_IS)
        ok = take_frame(r, kind, &b, err);
    buf_free(&b);
    return ok && is != FRAME_BAD;
}

/* The log ends with its last mark. */
static void end_with_mark(struct history *h)
{
    struct tap_input in;
    size_t end = 0;

    for (size_t at = 0; h->log.len - at >= sizeof in;) {
        const char *name;

        memcpy(&in, h->log.data + at, sizeof in);
        at += sizeof in;
        if (in.len > h->log.len - at)
            break;
        at += in.len;
        name = text_nth(&h->sources, in.source);
        if (name && !strcmp(name, RECORD_MARK))
            end = at;
    }
    h->log.len = end;
}

/* A state that was cut off did not become a history. */
static bool finish(struct recording *r, struct err *err)
{
    for (size_t n = 0; n < r->n; n++)
        end_with_mark(&r->history[n]);
    while (r->n > 0 && r->history[r->n - 1].log.len == 0) {
        buf_free(&r->history[--r->n].sources);
        buf_free(&r->history[r->n].log);
        r->closed = false;
    }
    return r->n > 0 || err_set(err, "it is cut short before its run began");
}

struct recording *recording_open(const char *path, struct err *err)
{
    struct recording *r = xcalloc(1, sizeof *r);
    bool ok;

    r->path = xstrdup(path);
    r->files = files_new();
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    ok = r->fd >= 0 || err_set(err, "%s", strerror(errno));
    ok = ok && frames_open(&r->f, r->fd, FRAMES_RECORDING, err) &&
         read_frames(r, err) && finish(r, err);
    if (ok)
        return r;
    err_prefix(err, "%s", path);
    recording_free(r);
    return NULL;
}

void recording_free(struct recording *r)
{
    if (!r)
        return;
    for (size_t n = 0; n < r->n; n++) {
        buf_free(&r->history[n].sources);
        buf_free(&r->history[n].log);
    }
    free(r->history);
    files_free(r->files);
    buf_free(&r->options);
    buf_free(&r->file);
    if (r->fd >= 0)
        close(r->fd);
    free(r->name);
    free(r->path);
    free(r);
}

const char *recording_path(const struct recording *r) { return r->path; }

bool recording_closed(const struct recording *r) { return r->closed; }

const char *recording_option(const struct recording *r, size_t n)
{
    return text_nth(&r->options, n);
}

struct files *recording_files(struct recording *r) { return r->files; }

/* Replaying ---------------------------------------------------------------- */

static bool begin_history(struct machine *m, struct err *err)
{
    struct recording *r = m->recording;
    struct history *h = &r->history[r->now];
    struct frames f = h->state;
    struct buf log = { 0 };
    bool ok = f.fd < 0 || snapshot_load(m, &f, NULL, err);

    if (ok && h->state.fd >= 0)
        record_began_with(m, &h->state);
    tap_pack(h->sources.data, h->sources.len, h->log.data, h->log.len, &log);
    ok = ok && tap_replay(m->tap, log.data, log.len, err);
    buf_free(&log);
    return ok || err_prefix(err, "%s", r->path);
}

static void next_history(void *opaque)
{
    struct machine *m = opaque;
    struct recording *r = m->recording;
    struct err err;

    if (run_state(m) == RUN_RUNNING) {
        bh_schedule(r->next); /* the stop is still to come */
        return;
    }
    tap_live(m->tap);
    if (++r->now < r->n && begin_history(m, &err) && run_resume(m, NULL, &err))
        return;
    if (r->now < r->n)
        fprintf(stderr, "ebreak: %s\n", err.text);
    recording_leave(m);
    r->ended(r->opaque);
}

bool recording_replay(struct recording *r, struct machine *m,
                      void (*ended)(void *opaque), void *opaque,
                      struct err *err)
{
    r->ended = ended;
    r->opaque = opaque;
    r->next = bh_new(m->loop, "recording", next_history, m);
    m->recording = r;
    return begin_history(m, err);
}

void recording_leave(struct machine *m)
{
    if (m->recording)
        bh_free(m->recording->next);
    m->recording = NULL;
}

void recording_marked(struct machine *m)
{
    if (!m->recording || tap_next(m->tap) != UINT64_MAX)
        return;
    run_stop_at_end(m);
    bh_schedule(m->recording->next);
}
