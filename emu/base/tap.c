/* SPDX-License-Identifier: MIT */
/*
 * tap.c - the door through which everything from outside enters the machine.
 *
 * A saved log (all numbers little-endian):
 *
 *   8 bytes  "EBREAKLG"
 *   u32      version, 1
 *   u32      number of sources, then each: u8 length, name
 *   u64      number of inputs, then each: u64 T, u32 source, u32 length, bytes
 *
 * Sources are saved by name: a log does not depend on the order in which the
 * program asked for them.
 */
#include "emu/base/tap.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tap.c needs a little-endian host"
#endif

enum { VERSION = 1 };

static const char magic[8] = "EBREAKLG";

struct source {
    char *name;
    tap_fn *deliver;
    void *opaque;
};

struct waiter {
    void (*fn)(void *opaque);
    void *opaque;
};

struct tap {
    tap_now_fn *now;
    void *opaque;
    struct source *sources;
    size_t nsources;
    struct waiter *waiters; /* for the run to be live */
    size_t nwaiters;
    struct buf log; /* struct tap_input, bytes, struct tap_input, bytes, ... */
    size_t base;    /* bytes that came before it and are forgotten */
    size_t count;
    size_t next;   /* replaying: where in the log the next input is */
    bool recorded; /* the log comes from elsewhere: never live */
    bool past;     /* of a live run, or of a replay */
    size_t kept;   /* what of the log tap_kept may say stayed */
};

struct tap *tap_new(tap_now_fn *now, void *opaque)
{
    struct tap *t = xcalloc(1, sizeof *t);

    t->now = now;
    t->opaque = opaque;
    return t;
}

void tap_free(struct tap *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->nsources; i++)
        free(t->sources[i].name);
    free(t->sources);
    free(t->waiters);
    buf_free(&t->log);
    free(t);
}

static int find_source(const struct tap *t, const char *name, size_t len)
{
    for (size_t i = 0; i < t->nsources; i++)
        if (strlen(t->sources[i].name) == len &&
            memcmp(t->sources[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

int tap_source(struct tap *t, const char *name, tap_fn *deliver, void *opaque)
{
    size_t len = strlen(name);

    assert(len > 0 && len < 256 && deliver != NULL);
    assert(find_source(t, name, len) < 0);
    t->sources = xrealloc(t->sources, (t->nsources + 1) * sizeof *t->sources);
    t->sources[t->nsources] =
        (struct source){ .name = xstrdup(name), deliver, opaque };
    return (int)t->nsources++;
}

void tap_on_live(struct tap *t, void (*fn)(void *opaque), void *opaque)
{
    t->waiters = xrealloc(t->waiters, (t->nwaiters + 1) * sizeof *t->waiters);
    t->waiters[t->nwaiters++] = (struct waiter){ fn, opaque };
}

static void tell_live(const struct tap *t)
{
    for (size_t i = 0; i < t->nwaiters && !tap_replaying(t); i++)
        t->waiters[i].fn(t->waiters[i].opaque);
}

static void deliver(const struct tap *t, const struct tap_input *in,
                    const void *bytes)
{
    const struct source *s = &t->sources[in->source];

    s->deliver(s->opaque, bytes, in->len);
}

bool tap_put(struct tap *t, int source, const void *data, size_t len)
{
    assert(source >= 0 && (size_t)source < t->nsources && len <= UINT32_MAX);
    if (tap_replaying(t))
        return false;
    struct tap_input in = { t->now(t->opaque), (uint32_t)source,
                            (uint32_t)len };

    buf_add(&t->log, &in, sizeof in);
    buf_add(&t->log, data, len);
    t->count++;
    deliver(t, &in, data);
    return true;
}

void tap_live(struct tap *t)
{
    assert(t->next == t->log.len && !t->past);
    t->recorded = false;
    tell_live(t);
}

static size_t after(const char *log, size_t at, struct tap_input *in)
{
    memcpy(in, log + at, sizeof *in);
    return at + sizeof *in + in->len;
}

static void count_again(struct tap *t)
{
    struct tap_input in;

    t->count = 0;
    for (size_t at = 0; at < t->log.len; at = after(t->log.data, at, &in))
        t->count++;
}

size_t tap_kept(struct tap *t)
{
    size_t end = t->base + t->log.len;
    size_t kept = t->kept < end ? t->kept : end;

    t->kept = SIZE_MAX;
    return kept;
}

void tap_forget(struct tap *t, size_t place)
{
    size_t n = place - t->base;

    assert(place >= t->base && n <= t->log.len);
    assert(!tap_replaying(t) || n <= t->next);
    buf_drop(&t->log, n);
    t->base = place;
    t->next = n <= t->next ? t->next - n : 0;
    count_again(t);
}

void tap_restart(struct tap *t)
{
    buf_free(&t->log);
    t->base = t->kept = 0;
    t->count = 0;
    t->next = 0;
    t->recorded = t->past = false;
    tell_live(t);
}

const char *tap_source_name(const struct tap *t, size_t n)
{
    return n < t->nsources ? t->sources[n].name : NULL;
}

/* Replaying ---------------------------------------------------------------- */

static bool peek(const struct tap *t, struct tap_input *in)
{
    if (!tap_replaying(t) || t->next == t->log.len)
        return false;
    memcpy(in, t->log.data + t->next, sizeof *in);
    return true;
}

uint64_t tap_next(const struct tap *t)
{
    struct tap_input in;

    return peek(t, &in) ? in.when : UINT64_MAX;
}

int tap_next_source(const struct tap *t)
{
    struct tap_input in;

    return peek(t, &in) ? (int)in.source : -1;
}

bool tap_deliver(struct tap *t)
{
    struct tap_input in;

    if (!peek(t, &in) || in.when > t->now(t->opaque))
        return false;
    const char *bytes = t->log.data + t->next + sizeof in;

    t->next += sizeof in + in.len;
    deliver(t, &in, bytes);
    return true;
}

bool tap_replaying(const struct tap *t) { return t->recorded || t->past; }

bool tap_recorded(const struct tap *t) { return t->recorded; }

bool tap_past(const struct tap *t) { return t->past; }

size_t tap_count(const struct tap *t) { return t->count; }

size_t tap_bytes(const struct tap *t) { return t->log.len; }

size_t tap_base(const struct tap *t) { return t->base; }

/* Going back --------------------------------------------------------------- */

/* The log is another from here on. */
static void changed_from(struct tap *t, size_t place)
{
    if (place < t->kept)
        t->kept = place;
}

size_t tap_place(const struct tap *t)
{
    return t->base + (tap_replaying(t) ? t->next : t->log.len);
}

void tap_rewind(struct tap *t, size_t place)
{
    assert(place >= t->base && place - t->base <= t->log.len);
    t->next = place - t->base;
    t->past = true;
}

void tap_skip(struct tap *t, size_t place)
{
    assert(t->recorded && !t->past);
    assert(place >= t->base && place - t->base <= t->log.len);
    t->next = place - t->base;
}

void tap_present(struct tap *t)
{
    assert(t->recorded || t->next == t->log.len);
    t->past = false;
    tell_live(t);
}

void tap_cut(struct tap *t)
{
    assert(t->past && !t->recorded);
    changed_from(t, t->base + t->next);
    t->log.len = t->next;
    t->past = false;
    count_again(t);
    tell_live(t);
}

const void *tap_log(const struct tap *t) { return t->log.data; }

size_t tap_common(const struct tap *t, const void *b, size_t len,
                  uint64_t *when)
{
    const char *other = b;
    size_t at = 0;

    *when = UINT64_MAX;
    for (;;) {
        struct tap_input mine = { .when = UINT64_MAX }, its = mine;
        size_t end = at < t->log.len ? after(t->log.data, at, &mine) : at;
        size_t its_end = at < len ? after(other, at, &its) : at;

        if (end == at && its_end == at)
            return t->base + at;
        if (end != its_end ||
            memcmp(t->log.data + at, other + at, end - at) != 0) {
            *when = mine.when < its.when ? mine.when : its.when;
            return t->base + at;
        }
        at = end;
    }
}

void tap_set_log(struct tap *t, const void *log, size_t len)
{
    uint64_t when;

    changed_from(t, tap_common(t, log, len, &when));
    buf_clear(&t->log);
    buf_add(&t->log, log, len);
    t->next = 0;
    count_again(t);
}

/* Files -------------------------------------------------------------------- */

static void add_u32(struct buf *out, uint32_t v) { buf_add(out, &v, 4); }

static void pack_names(const char *names, size_t len, struct buf *out)
{
    uint32_t n = 0;

    for (size_t at = 0; at < len; at++)
        n += names[at] == 0;
    add_u32(out, n);
    for (size_t at = 0; at < len; at += strlen(names + at) + 1) {
        buf_chr(out, (char)strlen(names + at));
        buf_str(out, names + at);
    }
}

/* How many inputs are whole, and in *len how many bytes they are. */
static uint64_t count_inputs(const char *log, size_t *len)
{
    struct tap_input in;
    uint64_t count = 0;
    size_t at = 0;

    for (; *len - at >= sizeof in; count++) {
        memcpy(&in, log + at, sizeof in);
        if (in.len > *len - at - sizeof in)
            break;
        at += sizeof in + in.len;
    }
    *len = at;
    return count;
}

void tap_pack(const char *names, size_t names_len, const void *log, size_t len,
              struct buf *out)
{
    uint64_t count = count_inputs(log, &len);

    buf_add(out, magic, sizeof magic);
    add_u32(out, VERSION);
    pack_names(names, names_len, out);
    buf_add(out, &count, sizeof count);
    buf_add(out, log, len);
}

void tap_save(const struct tap *t, struct buf *out)
{
    struct buf names = { 0 };

    for (size_t i = 0; i < t->nsources; i++)
        buf_add(&names, t->sources[i].name, strlen(t->sources[i].name) + 1);
    tap_pack(names.data, names.len, t->log.data, t->log.len, out);
    buf_free(&names);
}

/* What is left to read of a saved log. */
struct reader {
    const char *at, *end;
};

static const void *take(struct reader *r, size_t n)
{
    const char *p = r->at;

    if ((size_t)(r->end - p) < n)
        return NULL;
    r->at += n;
    return p;
}

static bool take_value(struct reader *r, void *v, size_t n)
{
    const void *p = take(r, n);

    if (p != NULL)
        memcpy(v, p, n);
    return p != NULL;
}

static bool cut_short(struct err *err)
{
    err_set(err, "the input log is damaged: it ends too early");
    return false;
}

static bool read_header(struct reader *r, struct err *err)
{
    const void *p = take(r, sizeof magic);
    uint32_t version;

    if (p == NULL || memcmp(p, magic, sizeof magic) != 0)
        return err_set(err, "this is not an input log");
    if (!take_value(r, &version, sizeof version))
        return cut_short(err);
    if (version != VERSION)
        return err_set(err,
                       "the input log has version %" PRIu32
                       ", this program reads version %d",
                       version, VERSION);
    return true;
}

static bool read_source(const struct tap *t, struct reader *r, uint32_t *number,
                        struct err *err)
{
    uint8_t len;
    const char *name;

    if (!take_value(r, &len, 1) || (name = take(r, len)) == NULL)
        return cut_short(err);
    int source = find_source(t, name, len);
    if (source < 0)
        return err_set(err,
                       "the input log has input for '%.*s', which this "
                       "machine lacks",
                       (int)len, name);
    *number = (uint32_t)source;
    return true;
}

/* The log's source numbers as ours, *map to be freed by the caller. */
static bool read_sources(const struct tap *t, struct reader *r, uint32_t **map,
                         uint32_t *n, struct err *err)
{
    if (!take_value(r, n, sizeof *n))
        return cut_short(err);
    /* Each takes two bytes at least: a wild count must not cost memory. */
    if (*n > (size_t)(r->end - r->at) / 2)
        return cut_short(err);
    *map = xcalloc(*n, sizeof **map);
    for (uint32_t i = 0; i < *n; i++)
        if (!read_source(t, r, &(*map)[i], err))
            return false;
    return true;
}

static bool read_input(struct reader *r, const uint32_t *map, uint32_t n,
                       uint64_t *last, struct buf *log, struct err *err)
{
    struct tap_input in;
    const void *bytes;

    if (!take_value(r, &in, sizeof in) || (bytes = take(r, in.len)) == NULL)
        return cut_short(err);
    if (in.source >= n)
        return err_set(err,
                       "the input log is damaged: there is no source "
                       "%" PRIu32,
                       in.source);
    if (in.when < *last)
        return err_set(err,
                       "the input log is damaged: T=%" PRIu64
                       " comes after T=%" PRIu64,
                       in.when, *last);
    *last = in.when;
    in.source = map[in.source];
    buf_add(log, &in, sizeof in);
    buf_add(log, bytes, in.len);
    return true;
}

static bool read_inputs(struct reader *r, const uint32_t *map, uint32_t n,
                        uint64_t *count, struct buf *log, struct err *err)
{
    uint64_t last = 0;

    if (!take_value(r, count, sizeof *count))
        return cut_short(err);
    for (uint64_t i = 0; i < *count; i++)
        if (!read_input(r, map, n, &last, log, err))
            return false;
    return r->at == r->end ||
           err_set(err, "the input log is damaged: %zu bytes too many",
                   (size_t)(r->end - r->at));
}

bool tap_replay(struct tap *t, const void *log, size_t len, struct err *err)
{
    struct reader r = { log, (const char *)log + len };
    struct buf inputs = { 0 };
    uint32_t *map = NULL, nmap = 0;
    uint64_t count = 0;

    bool ok = read_header(&r, err) && read_sources(t, &r, &map, &nmap, err) &&
              read_inputs(&r, map, nmap, &count, &inputs, err);
    free(map);
    if (!ok) {
        buf_free(&inputs);
        return false;
    }
    buf_free(&t->log);
    t->base = 0;
    t->log = inputs;
    t->count = (size_t)count;
    t->next = 0;
    t->recorded = true;
    t->past = false;
    return true;
}
