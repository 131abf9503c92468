/* SPDX-License-Identifier: MIT */
/* record.c - a run as a file that replays it anywhere: what is written. */
#include "emu/machine/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/files.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/machine/frames.h"
#include "emu/machine/keys.h"
#include "emu/machine/recording.h"
#include "emu/machine/slice.h"

enum { TICK_NS = 500 * 1000 * 1000, PIECE = 1 << 20 };

static const int64_t mark_ns_max = INT64_C(60) * 1000 * 1000 * 1000;

struct record {
    const char *const *options; /* what the machine is made of */
    size_t noptions;
    const struct files *files;
    int source;
    bool differs; /* that was said already */
    /* The state that this history began with; fd -1: the reset. */
    struct frames base;
    /* The file that is being written; fd -1: none. */
    char *path;
    int fd;
    struct timer *tick;
    struct keys *keys; /* states on the way */
    uint64_t spacing;  /* of them */
    size_t written;    /* bytes of the tap's log */
    size_t sources;    /* names of them */
    uint64_t mark_t;
    int64_t mark_ns;
    int64_t marked_ns; /* of the host's clock: the last mark, */
    int64_t news_ns;   /* and the last input besides marks */
};

/* Marks -------------------------------------------------------------------- */

static uint32_t hash_of(const struct dev_info *info, const void *opaque)
{
    uint64_t hash = fields_hash(0, info->fields, opaque);

    return (uint32_t)(hash ^ hash >> 32);
}

/* The clock's own input comes first: it is part of what is hashed. */
static void put_mark(struct machine *m)
{
    struct buf b = { 0 };
    const struct dev_info *info;
    void *opaque;

    slice_tap_now(m);
    for (size_t n = 0; (info = dev_nth(m->devs, n, &opaque)); n++) {
        uint32_t hash = hash_of(info, opaque);

        buf_add(&b, &hash, sizeof hash);
    }
    tap_put(m->tap, m->record->source, b.data, b.len);
    m->record->mark_t = run_now(m);
    m->record->mark_ns = run_virtual_ns(m);
    m->record->marked_ns = loop_now(m->loop, LOOP_REALTIME);
    buf_free(&b);
}

void record_differs(struct machine *m, const char *how)
{
    struct record *r = m->record;
    char text[1200];

    if (r->differs)
        return;
    r->differs = true;
    snprintf(text, sizeof text,
             "ebreak: the replay differs from the recording at T=%" PRIu64
             ": %s\n",
             run_now(m), how);
    fputs(text, stderr);
    run_say(m, text);
}

/* Live nobody needs it. Replayed it must find what it found then. */
static void mark_delivered(void *opaque, const void *data, size_t len)
{
    struct machine *m = opaque;
    const struct dev_info *info;
    char text[200];
    void *dev;

    if (!tap_replaying(m->tap))
        return;
    for (size_t n = 0; (info = dev_nth(m->devs, n, &dev)); n++) {
        uint32_t was, is = hash_of(info, dev);

        if (len < (n + 1) * sizeof was)
            break;
        memcpy(&was, (const char *)data + n * sizeof was, sizeof was);
        if (was == is)
            continue;
        snprintf(text, sizeof text, "%s is not what it was", info->name);
        record_differs(m, text);
        break;
    }
    if (!tap_past(m->tap))
        recording_marked(m);
}

void record_init(struct machine *m)
{
    struct record *r = m->record = xcalloc(1, sizeof *r);

    r->fd = r->base.fd = -1;
    r->spacing = KEYS_SPACING;
    r->source = tap_source(m->tap, RECORD_MARK, mark_delivered, m);
}

/* Writing ------------------------------------------------------------------ */

static bool write_options(const struct record *r, int fd, struct err *err)
{
    struct buf b = { 0 };
    bool ok;

    for (size_t n = 0; n < r->noptions; n++)
        buf_add(&b, r->options[n], strlen(r->options[n]) + 1);
    ok = b.len <= FRAME_MAX ? frame_write(fd, FRAME_OPTIONS, b.data, b.len, err)
                            : err_set(err, "the command line is too long");
    buf_free(&b);
    return ok;
}

static bool write_piece(const char *name, const struct buf *file, size_t at,
                        int fd, struct err *err)
{
    struct record_file head = { (uint32_t)strlen(name), 0, file->len, at };
    size_t n = file->len - at < PIECE ? file->len - at : PIECE;
    struct buf b = { 0 };
    bool ok;

    buf_add(&b, &head, sizeof head);
    buf_str(&b, name);
    if (n)
        buf_add(&b, file->data + at, n);
    ok = frame_write(fd, FRAME_FILE, b.data, b.len, err);
    buf_free(&b);
    return ok;
}

static bool write_files(const struct record *r, int fd, struct err *err)
{
    struct buf file = { 0 };
    const char *name;
    bool ok = true;

    for (size_t n = 0; ok && (name = files_nth(r->files, n)); n++) {
        size_t at = 0;

        ok = files_again(r->files, n, &file, err);
        do {
            ok = ok && write_piece(name, &file, at, fd, err);
            at += PIECE;
        } while (ok && at < file.len);
    }
    buf_free(&file);
    return ok;
}

/* The state that history began with: its frames as they are. */
static bool write_base(const struct record *r, int fd, struct err *err)
{
    struct frames f = r->base;
    struct buf b = { 0 };
    enum frame_kind kind = FRAME_SHAPE;
    bool ok = true;

    while (ok && kind != FRAME_STATE_END)
        ok = frame_next(&f, &kind, &b, err) == FRAME_IS &&
             frame_write(fd, kind, b.data, b.len, err);
    buf_free(&b);
    return ok;
}

static bool write_start(const struct record *r, int fd, struct err *err)
{
    uint32_t state = r->base.fd >= 0;

    return frame_write(fd, FRAME_START, &state, sizeof state, err) &&
           (!state || write_base(r, fd, err));
}

static bool write_head(const struct record *r, int fd, struct err *err)
{
    return frames_begin(fd, FRAMES_RECORDING, err) &&
           write_options(r, fd, err) && write_files(r, fd, err) &&
           write_start(r, fd, err);
}

static bool write_sources(const struct machine *m, int fd, size_t *n,
                          struct err *err)
{
    struct buf b = { 0 };
    const char *name;
    bool ok;

    for (*n = 0; (name = tap_source_name(m->tap, *n)); ++*n)
        buf_add(&b, name, strlen(name) + 1);
    ok = frame_write(fd, FRAME_SOURCES, b.data, b.len, err);
    buf_free(&b);
    return ok;
}

static bool write_inputs(const struct machine *m, int fd, size_t *from,
                         struct err *err)
{
    size_t base = tap_base(m->tap), end = base + tap_bytes(m->tap);
    const char *log = tap_log(m->tap);

    for (size_t n; *from < end; *from += n) {
        n = end - *from < PIECE ? end - *from : PIECE;
        if (!frame_write(fd, FRAME_INPUTS, log + (*from - base), n, err))
            return false;
    }
    return true;
}

/* The file that grows ------------------------------------------------------ */

static bool write_news(struct machine *m, struct err *err)
{
    struct record *r = m->record;
    uint64_t kept = tap_kept(m->tap);

    if (kept < r->written) {
        if (!frame_write(r->fd, FRAME_CUT_LOG, &kept, sizeof kept, err))
            return false;
        keys_cut(r->keys, kept);
        r->written = kept;
    }
    if (tap_source_name(m->tap, r->sources) &&
        !write_sources(m, r->fd, &r->sources, err))
        return false;
    return write_inputs(m, r->fd, &r->written, err);
}

static void stop_recording(struct record *r)
{
    keys_free(r->keys);
    r->keys = NULL;
    timer_free(r->tick);
    r->tick = NULL;
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    free(r->path);
    r->path = NULL;
}

/* What is not whole goes; what is there can be replayed. */
static void give_up(struct machine *m, off_t whole, const struct err *err)
{
    struct record *r = m->record;

    fprintf(stderr, "ebreak: the recording %s ends before T=%" PRIu64 ": %s\n",
            r->path, run_now(m), err->text);
    if (ftruncate(r->fd, whole) < 0)
        fprintf(stderr, "ebreak: %s: %s\n", r->path, strerror(errno));
    stop_recording(r);
}

/* In the past there is nothing new to write. */
void record_flush(struct machine *m)
{
    struct record *r = m->record;
    struct err err;
    off_t whole;

    if (r->fd < 0 || tap_replaying(m->tap))
        return;
    put_mark(m);
    whole = lseek(r->fd, 0, SEEK_CUR);
    if (!write_news(m, &err))
        give_up(m, whole, &err);
}

int64_t record_pause(int64_t quiet_ns)
{
    int64_t pause = quiet_ns / 8;

    return pause < TICK_NS       ? TICK_NS
           : pause < mark_ns_max ? pause
                                 : mark_ns_max;
}

/*
 * Where nothing comes marks are rare: they must not fill the memory of a
 * machine that waits for days. To replay from the last one on needs no inputs.
 */
static bool is_time(const struct machine *m)
{
    struct record *r = m->record;
    int64_t now = loop_now(m->loop, LOOP_REALTIME);

    if (tap_base(m->tap) + tap_bytes(m->tap) != r->written) {
        r->news_ns = now;
        return true;
    }
    if (run_now(m) == r->mark_t && run_virtual_ns(m) == r->mark_ns)
        return false;
    return now - r->marked_ns >= record_pause(now - r->news_ns) - TICK_NS / 2;
}

/* One that is whole is appended; one that is due is begun: right behind a
 * mark, so that a log that is cut before it is seen to be. */
static void tend_keys(struct machine *m)
{
    struct record *r = m->record;
    off_t whole = lseek(r->fd, 0, SEEK_CUR);
    struct err err;

    if (!keys_append(r->keys, r->fd, &err)) {
        give_up(m, whole, &err);
    } else if (keys_due(r->keys)) {
        record_flush(m);
        if (r->keys)
            keys_begin(r->keys, r->path);
    }
}

void record_tick(struct machine *m)
{
    if (is_time(m))
        record_flush(m);
    if (m->record->tick)
        tend_keys(m);
}

static void tick(void *opaque)
{
    struct machine *m = opaque;
    struct record *r = m->record;

    record_tick(m);
    if (r->tick)
        timer_set(r->tick, loop_now(m->loop, LOOP_REALTIME) + TICK_NS);
}

static void on_run(void *opaque, const struct run_event *e)
{
    struct machine *m = opaque;

    if (e->kind == RUN_EVENT_EXIT)
        record_flush(m);
}

void record_made_of(struct machine *m, const char *const *options, size_t n,
                    const struct files *files)
{
    struct record *r = m->record;

    r->options = options;
    r->noptions = n;
    r->files = files;
    run_listen(m, on_run, m);
}

void record_spacing(struct machine *m, uint64_t steps)
{
    m->record->spacing = steps;
}

bool record_start(struct machine *m, const char *path, struct err *err)
{
    struct record *r = m->record;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    signal(SIGXFSZ, SIG_IGN); /* a limit is told as EFBIG instead */
    if (!write_head(r, fd, err)) {
        close(fd);
        return err_prefix(err, "%s", path);
    }
    r->fd = fd;
    r->path = xstrdup(path);
    r->news_ns = loop_now(m->loop, LOOP_REALTIME);
    r->keys = keys_new(m, r->spacing);
    r->tick = timer_new(m->loop, LOOP_REALTIME, "record", tick, m);
    tick(m);
    record_flush(m);
    return true;
}

void record_began_with(struct machine *m, const struct frames *f)
{
    struct record *r = m->record;
    struct err err;
    off_t whole;

    if (r->base.fd >= 0)
        close(r->base.fd);
    r->base = (struct frames){ fcntl(f->fd, F_DUPFD_CLOEXEC, 3), f->at, false };
    r->written = r->sources = 0;
    tap_kept(m->tap);
    if (r->fd < 0)
        return;
    keys_free(r->keys);
    r->keys = keys_new(m, r->spacing);
    whole = lseek(r->fd, 0, SEEK_CUR);
    if (write_start(r, r->fd, &err))
        record_flush(m);
    else
        give_up(m, whole, &err);
}

const char *record_path(const struct machine *m) { return m->record->path; }

void record_fini(struct machine *m)
{
    struct record *r = m->record;
    struct err err;

    if (!r)
        return;
    record_flush(m);
    if (r->fd >= 0)
        frame_write(r->fd, FRAME_CLOSED, NULL, 0, &err);
    stop_recording(r);
    if (r->base.fd >= 0)
        close(r->base.fd);
    free(r);
    m->record = NULL;
}

/* The run so far ----------------------------------------------------------- */

static bool save_to(struct machine *m, int fd, struct err *err)
{
    size_t from = 0, sources;

    return write_head(m->record, fd, err) &&
           write_sources(m, fd, &sources, err) &&
           write_inputs(m, fd, &from, err) &&
           keys_of_history(m, m->record->spacing, fd, err) &&
           frame_write(fd, FRAME_CLOSED, NULL, 0, err);
}

bool record_save(struct machine *m, const char *path, struct err *err)
{
    char *temp;
    int fd;
    bool ok;

    if (tap_replaying(m->tap))
        return err_set(err, "this is the past of a run: go to its end first");
    if (tap_base(m->tap))
        return err_set(err, "the run's beginning is not in memory any more: "
                            "-timeline mem=SIZE, or -record from the start");
    signal(SIGXFSZ, SIG_IGN);
    put_mark(m);
    temp = xasprintf("%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC);
    ok = fd >= 0 || err_set(err, "%s", strerror(errno));
    if (ok) {
        fchmod(fd, 0644);
        ok = save_to(m, fd, err);
        if (close(fd) && ok)
            ok = err_set(err, "%s", strerror(errno));
        if (ok && rename(temp, path))
            ok = err_set(err, "%s", strerror(errno));
        if (!ok)
            unlink(temp);
    }
    free(temp);
    return ok || err_prefix(err, "%s", path);
}
