/* SPDX-License-Identifier: MIT */
/* overview.c - a run seen from afar: gathering it, and writing it down. */
#include "emu/machine/overview.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"
#include "emu/base/version.h"

#include "emu/hart/hart.h"
#include "emu/hart/trap.h"
#include "emu/machine/checkpoint.h"
#include "emu/machine/overview_page.h"
#include "emu/machine/record.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"

enum { PRIVS = 4, CAUSES = 64 };

struct bucket {
    uint64_t steps[OVERVIEW_LANES][PRIVS];
    uint32_t exceptions, interrupts;
};

struct line {
    uint64_t when;
    char *text;
};

struct overview {
    char *path;
    struct bucket *bucket;
    uint64_t width;             /* of a bucket, in steps */
    uint64_t until;             /* T up to which all was counted */
    uint64_t causes[2][CAUSES]; /* exceptions, interrupts */
    struct buf console;         /* the line that is being written */
    uint64_t console_when;
    struct line *line;
    size_t lines; /* in all; OVERVIEW_LINES of them at most are kept */
};

/* Gathering ---------------------------------------------------------------- */

static void add_bucket(struct bucket *to, const struct bucket *b)
{
    for (int lane = 0; lane < OVERVIEW_LANES; lane++)
        for (int priv = 0; priv < PRIVS; priv++)
            to->steps[lane][priv] += b->steps[lane][priv];
    to->exceptions += b->exceptions;
    to->interrupts += b->interrupts;
}

/* Two by two they become one, and the second half is free again. */
static void widen(struct overview *o)
{
    static const struct bucket empty;

    for (size_t n = 0; n < OVERVIEW_BUCKETS; n++) {
        struct bucket b = o->bucket[n];

        o->bucket[n] = empty;
        add_bucket(&o->bucket[n / 2], &b);
    }
    o->width *= 2;
}

static struct bucket *bucket_at(struct overview *o, uint64_t t)
{
    while (t / o->width >= OVERVIEW_BUCKETS)
        widen(o);
    return &o->bucket[t / o->width];
}

/* The steps in [from, to) of T were h's, all with the privilege it has. */
static void spread(struct overview *o, const struct hart *h, uint64_t from,
                   uint64_t to)
{
    int lane = h->hartid < OVERVIEW_LANES ? (int)h->hartid : OVERVIEW_LANES - 1;

    bucket_at(o, to);
    while (from < to) {
        uint64_t end = (from / o->width + 1) * o->width;

        end = end < to ? end : to;
        bucket_at(o, from)->steps[lane][h->priv & 3] += end - from;
        from = end;
    }
}

/* Since the last time nobody but h has run. What was counted is past: time
 * travel runs through it again. */
static bool count_steps(struct machine *m, const struct hart *h, uint64_t t)
{
    struct overview *o = m->overview;

    if (t < o->until)
        return false;
    spread(o, h, o->until, t);
    o->until = t;
    return true;
}

void overview_ran(struct machine *m, struct hart *h)
{
    count_steps(m, h, run_now(m));
}

/* Its privilege is about to change. cause NULL: by a return. */
static void priv_changes(void *opaque, struct hart *h, const uint64_t *cause)
{
    struct machine *m = opaque;
    uint64_t t = run_now(m);
    struct bucket *b;
    bool interrupt;

    if (!count_steps(m, h, t) || !cause)
        return;
    interrupt = *cause >> 63;
    b = bucket_at(m->overview, t);
    if (interrupt)
        b->interrupts++;
    else
        b->exceptions++;
    m->overview->causes[interrupt][*cause & (CAUSES - 1)]++;
}

/* A state was loaded: another history, drawn over the first. */
static void on_run(void *opaque, const struct run_event *e)
{
    struct machine *m = opaque;

    if (e->kind == RUN_EVENT_LOADED && m->overview)
        m->overview->until = run_now(m);
}

static void end_line(struct overview *o)
{
    if (o->lines < OVERVIEW_LINES) {
        if (!o->line)
            o->line = xcalloc(OVERVIEW_LINES, sizeof *o->line);
        o->line[o->lines] =
            (struct line){ o->console_when, xstrdup(buf_text(&o->console)) };
    }
    o->lines++;
    buf_clear(&o->console);
}

void overview_console(void *machine, const char *data, size_t len)
{
    struct machine *m = machine;
    struct overview *o = m->overview;

    for (size_t n = 0; n < len; n++) {
        if (data[n] == '\n') {
            end_line(o);
            continue;
        }
        if (!o->console.len)
            o->console_when = run_now(m);
        if ((unsigned char)data[n] >= ' ' && o->console.len < OVERVIEW_LINE_MAX)
            buf_chr(&o->console, data[n]);
    }
}

void overview_init(struct machine *m, const char *path)
{
    struct overview *o = m->overview = xcalloc(1, sizeof *o);

    o->path = xstrdup(path);
    o->bucket = xcalloc(OVERVIEW_BUCKETS, sizeof *o->bucket);
    o->width = 64;
    o->until = run_now(m);
    run_listen(m, on_run, m);
    for (int n = 0; n < m->harts; n++) {
        m->hart[n]->on_priv = priv_changes;
        m->hart[n]->on_priv_opaque = m;
    }
}

void overview_fini(struct machine *m)
{
    struct overview *o = m->overview;

    if (!o)
        return;
    for (int n = 0; n < m->harts; n++)
        m->hart[n]->on_priv = NULL;
    for (size_t n = 0; o->line && n < o->lines && n < OVERVIEW_LINES; n++)
        free(o->line[n].text);
    free(o->line);
    free(o->bucket);
    free(o->path);
    buf_free(&o->console);
    free(o);
    m->overview = NULL;
}

/* Writing ------------------------------------------------------------------ */

/* A string of JSON, and of a script: nothing in it can end either. Bytes stay
 * bytes: the page takes them for UTF-8. */
static void put_text(struct buf *out, const char *text, size_t len)
{
    buf_chr(out, '"');
    for (size_t n = 0; n < len; n++) {
        unsigned char c = (unsigned char)text[n];

        if (c < ' ' || c > '~' || strchr("\"\\<>&'", c))
            buf_printf(out, "\\u%04x", c);
        else
            buf_chr(out, (char)c);
    }
    buf_chr(out, '"');
}

static void put_facts(const struct machine *m, struct buf *out)
{
    const char *name = m->name && *m->name ? m->name : "A run of ebreak";

    buf_str(out, "\"name\":");
    put_text(out, name, strlen(name));
    buf_printf(out,
               ",\n\"version\":\"" EBREAK_VERSION "\",\"harts\":%d,"
               "\"end\":%" PRIu64 ",\"ns\":%" PRId64 ",\"width\":%" PRIu64
               ",\"lanes\":%d,\n",
               m->harts, run_now(m), run_virtual_ns(m), m->overview->width,
               m->harts < OVERVIEW_LANES ? m->harts : OVERVIEW_LANES);
}

static void put_causes(const struct overview *o, struct buf *out)
{
    const char *sep = "";

    buf_str(out, "\"causes\":[");
    for (uint64_t kind = 0; kind < 2; kind++)
        for (uint64_t n = 0; n < CAUSES; n++) {
            if (!o->causes[kind][n])
                continue;
            buf_printf(out, "%s[%" PRIu64 ",\"%s\",%" PRIu64 "]", sep, kind,
                       trap_cause_name(kind << 63 | n), o->causes[kind][n]);
            sep = ",";
        }
    buf_str(out, "],\n");
}

/* [exceptions, interrupts, U, S, M of lane 0, U, S, M of lane 1, ...] */
static void put_bucket(const struct bucket *b, int lanes, struct buf *out)
{
    buf_printf(out, "[%u,%u", b->exceptions, b->interrupts);
    for (int lane = 0; lane < lanes; lane++)
        buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, b->steps[lane][0],
                   b->steps[lane][1], b->steps[lane][3]);
    buf_chr(out, ']');
}

static void put_buckets(const struct machine *m, struct buf *out)
{
    const struct overview *o = m->overview;
    int lanes = m->harts < OVERVIEW_LANES ? m->harts : OVERVIEW_LANES;
    size_t n = run_now(m) / o->width + 1;

    n = n < OVERVIEW_BUCKETS ? n : OVERVIEW_BUCKETS;
    buf_str(out, "\"buckets\":[");
    for (size_t k = 0; k < n; k++) {
        buf_str(out, k ? ",\n" : "\n");
        put_bucket(&o->bucket[k], lanes, out);
    }
    buf_str(out, "],\n");
}

static void put_lines(const struct overview *o, struct buf *out)
{
    size_t n = o->lines < OVERVIEW_LINES ? o->lines : OVERVIEW_LINES;

    buf_printf(out, "\"allLines\":%zu,\"lines\":[", o->lines);
    for (size_t k = 0; k < n; k++) {
        buf_printf(out, "%s[%" PRIu64 ",", k ? ",\n" : "\n", o->line[k].when);
        put_text(out, o->line[k].text, strlen(o->line[k].text));
        buf_chr(out, ']');
    }
    buf_str(out, "],\n");
}

static void put_input(const struct tap *t, const struct tap_input *in,
                      const char *bytes, bool first, struct buf *out)
{
    const char *source = tap_source_name(t, in->source);

    buf_printf(out, "%s[%" PRIu64 ",", first ? "\n" : ",\n", in->when);
    put_text(out, source, strlen(source));
    buf_chr(out, ',');
    put_text(out, bytes, in->len < 40 ? in->len : 40);
    buf_printf(out, ",%" PRIu32 "]", in->len);
}

/* Marks are the recorder's, and where idle time ended is the clock's. */
static bool is_news(const struct tap *t, const struct tap_input *in)
{
    const char *name = tap_source_name(t, in->source);

    return strcmp(name, RECORD_MARK) != 0 && strcmp(name, "clock") != 0;
}

static void put_inputs(const struct machine *m, struct buf *out)
{
    const char *log = tap_log(m->tap);
    struct tap_input in;
    size_t all = 0;

    buf_str(out, "\"inputs\":[");
    for (size_t at = 0; at < tap_bytes(m->tap); at += sizeof in + in.len) {
        memcpy(&in, log + at, sizeof in);
        if (in.when > run_now(m) || !is_news(m->tap, &in))
            continue;
        if (all++ < OVERVIEW_INPUTS)
            put_input(m->tap, &in, log + at + sizeof in, all == 1, out);
    }
    buf_printf(out, "],\n\"allInputs\":%zu", all);
}

/* [T, name or ""] of those that are kept in memory now. */
static void put_checkpoints(const struct machine *m, struct buf *out)
{
    const struct timeline *tl = m->run->timeline;
    size_t n = tl && tl->chain ? chain_count(tl->chain) : 0;

    buf_str(out, "\"checkpoints\":[");
    for (size_t k = 0; k < n; k++) {
        const struct checkpoint *c = chain_nth(tl->chain, k);
        const char *name = c->name ? c->name : "";

        buf_printf(out, "%s[%" PRIu64 ",", k ? "," : "", c->pos.t);
        put_text(out, name, strlen(name));
        buf_chr(out, ']');
    }
    buf_str(out, "],\n");
}

static void put_data(struct machine *m, struct buf *out)
{
    if (m->overview->console.len)
        end_line(m->overview);
    buf_str(out, "{\n");
    put_facts(m, out);
    put_causes(m->overview, out);
    put_buckets(m, out);
    put_checkpoints(m, out);
    put_lines(m->overview, out);
    put_inputs(m, out);
    buf_str(out, "}\n");
}

bool overview_write(struct machine *m, struct err *err)
{
    const char *path = m->overview->path;
    const char *gap = strstr(overview_page, OVERVIEW_GAP);
    struct buf out = { 0 };
    FILE *f;
    bool ok;

    assert(gap);
    buf_add(&out, overview_page, (size_t)(gap - overview_page));
    put_data(m, &out);
    buf_str(&out, gap + strlen(OVERVIEW_GAP));
    f = fopen(path, "we");
    ok = f && fwrite(out.data, 1, out.len, f) == out.len;
    if (f && fclose(f))
        ok = false;
    buf_free(&out);
    return ok || err_set(err, "%s: %s", path, strerror(errno));
}
