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
#include "emu/machine/keys.h"
#include "emu/machine/record.h"
#include "emu/machine/seek.h"
#include "emu/machine/semihost.h"
#include "emu/machine/slice.h"
#include "emu/machine/snapshot.h"

/* What a file may make us keep; a hostile one unpacks to much. */
static const uint64_t files_max = UINT64_C(4) << 30, log_max = 1 << 30;

/* From a reset or a saved state on, to wherever the next one begins. */
struct history {
    struct frames state; /* fd -1: the reset */
    struct buf sources;  /* names, each ended by a 0 byte */
    struct buf log;      /* of the tap */
    struct key *key;     /* in order of T */
    size_t keys;
    uint64_t end_t; /* of the last mark */
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
    size_t key; /* the next one that it comes by */
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

/* Those of a future that was left. */
static void cut_keys(struct history *h)
{
    while (h->keys && h->key[h->keys - 1].place > h->log.len)
        h->keys--;
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
    cut_keys(&r->history[r->n - 1]);
    return true;
}

/* Once it is whole it counts. What follows one that is cut off is nothing. */
static bool read_key(struct recording *r, const struct frames *at,
                     const struct buf *b, struct err *err)
{
    struct history *h = &r->history[r->n - 1];
    struct key key = { .at = *at };
    struct key_head head;
    struct moment when;

    if (b->len < sizeof head)
        return bad(r, err);
    memcpy(&head, b->data, sizeof head);
    if (!snapshot_check(NULL, &r->f, &when, NULL, err))
        return r->f.cut;
    key.place = head.place;
    key.t = when.t;
    key.virtual_ns = when.virtual_ns;
    if (key.place > h->log.len ||
        (h->keys && (key.t <= h->key[h->keys - 1].t ||
                     key.place < h->key[h->keys - 1].place)))
        return bad(r, err);
    h->key = xrealloc(h->key, (h->keys + 1) * sizeof *h->key);
    h->key[h->keys++] = key;
    return true;
}

static bool take_frame(struct recording *r, enum frame_kind kind,
                       const struct frames *at, const struct buf *b,
                       struct err *err)
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
    if (kind == FRAME_KEY && made)
        return read_key(r, at, b, err);
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
    struct frames at = r->f;

    ok = ok && read_options(r, &b, err);
    while (ok && !r->f.cut &&
           (is = frame_next(&r->f, &kind, &b, err)) == FRAME_IS) {
        ok = take_frame(r, kind, &at, &b, err);
        at = r->f;
    }
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
        if (name && !strcmp(name, RECORD_MARK)) {
            end = at;
            h->end_t = in.when;
        }
    }
    h->log.len = end;
    cut_keys(h);
}

/* Keys must stand between two inputs, and between their times. */
static bool keys_fit(const struct history *h)
{
    struct tap_input in = { 0 };
    size_t at = 0, n = 0;

    while (n < h->keys) {
        uint64_t last = in.when;

        if (h->log.len - at < sizeof in)
            in.when = UINT64_MAX;
        else
            memcpy(&in, h->log.data + at, sizeof in);
        for (; n < h->keys && h->key[n].place == at; n++)
            if (h->key[n].t < last || h->key[n].t > in.when)
                return false;
        if (in.when == UINT64_MAX)
            return n == h->keys;
        at += sizeof in + in.len;
    }
    return true;
}

static void history_free(struct history *h)
{
    buf_free(&h->sources);
    buf_free(&h->log);
    free(h->key);
}

/* A state that was cut off did not become a history. */
static bool finish(struct recording *r, struct err *err)
{
    for (size_t n = 0; n < r->n; n++)
        end_with_mark(&r->history[n]);
    while (r->n > 0 && r->history[r->n - 1].log.len == 0) {
        history_free(&r->history[--r->n]);
        r->closed = false;
    }
    for (size_t n = 0; n < r->n; n++)
        if (!keys_fit(&r->history[n]))
            return err_set(err, "it is damaged: a checkpoint in it is of "
                                "another time than it says");
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
    for (size_t n = 0; n < r->n; n++)
        history_free(&r->history[n]);
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
    buf_free(&h->log); /* the tap has it */
    r->key = 0;
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

/* Keys -------------------------------------------------------------------------- */

static const struct history *history_of(const struct machine *m)
{
    return &m->recording->history[m->recording->now];
}

uint64_t recording_end(const struct machine *m)
{
    return m->recording ? history_of(m)->end_t : 0;
}

uint64_t recording_free_steps(const struct machine *m)
{
    const struct recording *r = m->recording;
    uint64_t t = run_now(m), at;

    if (!r || tap_past(m->tap) || r->key == history_of(m)->keys)
        return UINT64_MAX;
    at = history_of(m)->key[r->key].t;
    return at > t ? at - t : UINT64_MAX;
}

static void compare(struct machine *m, const struct key *key)
{
    struct frames f = key->at;
    struct buf b = { 0 };
    enum frame_kind kind;
    struct err err = { "it came to its time another way" };

    if (tap_place(m->tap) == key->place &&
        run_virtual_ns(m) == key->virtual_ns &&
        frame_next(&f, &kind, &b, &err) == FRAME_IS &&
        snapshot_match(m, &f, &err)) {
        buf_free(&b);
        return;
    }
    buf_free(&b);
    record_differs(m, err.text);
}

void recording_settled(struct machine *m)
{
    struct recording *r = m->recording;
    const struct key *key;
    uint64_t t = run_now(m);

    if (!r || tap_past(m->tap) || r->key == history_of(m)->keys)
        return;
    key = &history_of(m)->key[r->key];
    if (t < key->t || (t == key->t && tap_place(m->tap) < key->place) ||
        (t == key->t && run_virtual_ns(m) < key->virtual_ns))
        return;
    r->key++;
    compare(m, key);
}

/* The machine becomes what it was at key. */
static bool enter(struct machine *m, const struct key *key, struct err *err)
{
    struct frames f = key->at;
    struct buf b = { 0 };
    enum frame_kind kind;
    bool ok = frame_next(&f, &kind, &b, err) == FRAME_IS &&
              snapshot_enter(m, &f, NULL, err);

    if (ok) {
        semihost_load(m, b.data + sizeof(struct key_head),
                      b.len - sizeof(struct key_head));
        tap_skip(m->tap, key->place);
        timeline_entered(m);
    }
    buf_free(&b);
    return ok || err_prefix(err, "%s", m->recording->path);
}

bool recording_jump(struct machine *m, uint64_t t, struct err *err)
{
    struct recording *r = m->recording;
    const struct history *h;
    size_t n;

    if (!r || tap_past(m->tap))
        return true;
    h = history_of(m);
    for (n = h->keys; n > r->key && h->key[n - 1].t > t;)
        n--;
    if (n == r->key || h->key[n - 1].t <= run_now(m))
        return true;
    if (!enter(m, &h->key[n - 1], err))
        return false;
    r->key = n;
    return true;
}

void recording_marked(struct machine *m)
{
    if (!m->recording || tap_next(m->tap) != UINT64_MAX)
        return;
    run_stop_at_end(m);
    bh_schedule(m->recording->next);
}
