/* SPDX-License-Identifier: MIT */
/* snapshot.c - the machine's whole state as a stream of frames, and back. */
#include "emu/machine/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "emu/hart/cpu.h"
#include "emu/machine/frames.h"
#include "emu/machine/machine.h"
#include "emu/machine/run.h"

/* One page in a frame. */
enum { ENTRY = 8 + MEM_PAGE, ENTRIES = 256 };

/* The devices' state can be no longer: a hostile file must not fill memory. */
enum { DEVS_MAX = 256 << 20 };

/* The shape ---------------------------------------------------------------- */

/* A rom is told by where it goes and what it holds: a reset needs the same. */
static void describe_rom(const struct roms *s, const struct rom *r,
                         struct buf *out)
{
    uLong crc = crc32(0, NULL, 0);
    uint8_t chunk[8 * MEM_PAGE];

    for (size_t at = 0, n; at < r->len; at += n) {
        n = r->len - at < sizeof chunk ? r->len - at : sizeof chunk;
        rom_read(s, r, at, chunk, n);
        crc = crc32(crc, chunk, (uInt)n);
    }
    buf_printf(out, "image at 0x%" PRIx64 "=%zu bytes with checksum %08lx\n",
               r->addr, r->len, crc);
}

static void describe(const struct machine *m, struct buf *out)
{
    struct buf isa = { 0 }, list = { 0 };
    const struct rom *r;

    cpu_isa(&m->cpu, &isa, &list);
    buf_printf(out, "machine=virt\nharts=%d\nmemory=%" PRIu64 " MiB\n",
               m->harts, m->ram_size >> 20);
    buf_printf(out, "cpu=%s\n", buf_text(&isa));
    buf_printf(out, "icount shift=%u\n", run_config(m)->shift);
    for (size_t n = 0; (r = rom_nth(m->roms, n)); n++)
        describe_rom(m->roms, r, out);
    buf_free(&isa);
    buf_free(&list);
}

static size_t line_length(const char *s) { return strcspn(s, "\n"); }

/* Both texts, line by line: the first that is not the same. */
static bool same_shape(const char *saved, const char *ours, struct err *err)
{
    while (*saved || *ours) {
        size_t a = line_length(saved), b = line_length(ours);

        if (a != b || memcmp(saved, ours, a) != 0)
            return err_set(err,
                           "it is of another machine: it has %.*s, this one "
                           "has %.*s",
                           a ? (int)a : 12, a ? saved : "nothing more",
                           b ? (int)b : 12, b ? ours : "nothing more");
        saved += a + (saved[a] != 0);
        ours += b + (ours[b] != 0);
    }
    return true;
}

static bool check_shape(const struct machine *m, const struct buf *saved,
                        struct err *err)
{
    struct buf ours = { 0 };
    bool ok;

    if (!m)
        return true;
    describe(m, &ours);
    ok = same_shape(buf_text(saved), buf_text(&ours), err);
    buf_free(&ours);
    return ok;
}

/* Writing ------------------------------------------------------------------ */

static bool is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, MEM_PAGE - 1);
}

static bool write_shape(const struct machine *m, int fd, struct err *err)
{
    struct buf b = { 0 };
    bool ok;

    describe(m, &b);
    ok = frame_write(fd, FRAME_SHAPE, b.data, b.len, err);
    buf_free(&b);
    return ok;
}

static bool write_moment(const struct machine *m, const char *name,
                         bool running, int fd, struct err *err)
{
    struct moment when = { .date_s = time(NULL),
                           .t = run_now(m),
                           .virtual_ns = run_virtual_ns(m),
                           .running = running,
                           .name_len = (uint32_t)strlen(name) };
    struct buf b = { 0 };
    bool ok;

    buf_add(&b, &when, sizeof when);
    buf_str(&b, name);
    ok = frame_write(fd, FRAME_MOMENT, b.data, b.len, err);
    buf_free(&b);
    return ok;
}

static bool write_devs(const struct machine *m, int fd, struct err *err)
{
    struct buf b = { 0 };
    bool ok = true;

    devs_save(m->devs, &b);
    for (size_t at = 0, n; ok && at < b.len; at += n) {
        n = b.len - at < FRAME_MAX ? b.len - at : FRAME_MAX;
        ok = frame_write(fd, FRAME_DEVS, b.data + at, n, err);
    }
    buf_free(&b);
    return ok;
}

struct out {
    int fd;
    struct buf pages;   /* for the next frame */
    uint64_t seen, all; /* bytes of memory */
    uint32_t *done;     /* percent */
};

static bool flush_pages(struct out *o, struct err *err)
{
    bool ok = !o->pages.len ||
              frame_write(o->fd, FRAME_PAGES, o->pages.data, o->pages.len, err);

    buf_clear(&o->pages);
    *o->done = (uint32_t)(o->seen * 100 / o->all);
    return ok;
}

static bool write_region(struct out *o, const struct mem_region *r,
                         struct err *err)
{
    for (uint64_t at = 0; at < r->size; at += MEM_PAGE) {
        uint64_t pa = r->base + at;

        o->seen += MEM_PAGE;
        if (is_zero(r->host + at))
            continue;
        buf_add(&o->pages, &pa, sizeof pa);
        buf_add(&o->pages, r->host + at, MEM_PAGE);
        if (o->pages.len == (size_t)ENTRIES * ENTRY && !flush_pages(o, err))
            return false;
    }
    return true;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it grows as pages go */
static bool write_pages(const struct machine *m, int fd, uint32_t *done,
                        struct err *err)
{
    struct out out = { .fd = fd, .done = done };
    const struct mem_region *r;
    bool ok = true;

    for (size_t n = 0; (r = mem_nth(m->mem, n)); n++)
        out.all += r->host ? r->size : 0;
    for (size_t n = 0; ok && (r = mem_nth(m->mem, n)); n++)
        if (r->host)
            ok = write_region(&out, r, err);
    ok = ok && flush_pages(&out, err);
    buf_free(&out.pages);
    return ok;
}

bool snapshot_write(const struct machine *m, const char *name, bool running,
                    int fd, uint32_t *done, struct err *err)
{
    return write_shape(m, fd, err) && write_moment(m, name, running, fd, err) &&
           write_devs(m, fd, err) && write_pages(m, fd, done, err) &&
           frame_write(fd, FRAME_STATE_END, NULL, 0, err);
}

/* Reading ------------------------------------------------------------------ */

/* Looks at, or takes over, a state piece by piece. */
struct reading {
    struct frames *f;
    const struct machine *m; /* NULL: only whether the file is whole */
    struct machine *into;    /* NULL: only looks */
    bool compare;            /* into is not changed, but must be the same */
    struct moment *when;
    struct buf *name; /* may be NULL */
    struct buf devs;
    uint64_t next_pa; /* pages before it are done */
};

static bool bad_order(const struct reading *r, struct err *err)
{
    return err_set(err, "it is damaged before byte %" PRIu64, r->f->at);
}

static bool cut_short(const struct reading *r, struct err *err)
{
    r->f->cut = true;
    return err_set(err, "it is cut short at byte %" PRIu64, r->f->at);
}

static bool expect(struct reading *r, enum frame_kind want, struct buf *b,
                   struct err *err)
{
    enum frame_kind kind;

    switch (frame_next(r->f, &kind, b, err)) {
    case FRAME_IS:
        return kind == want || bad_order(r, err);
    case FRAME_NONE:
        return cut_short(r, err);
    default:
        return false;
    }
}

static bool read_moment(struct reading *r, struct buf *b, struct err *err)
{
    struct moment when;

    if (!expect(r, FRAME_MOMENT, b, err))
        return false;
    if (b->len < sizeof when)
        return bad_order(r, err);
    memcpy(&when, b->data, sizeof when);
    if (when.name_len != b->len - sizeof when)
        return bad_order(r, err);
    if (r->when)
        *r->when = when;
    if (r->name)
        buf_add(r->name, b->data + sizeof when, when.name_len);
    return true;
}

static bool differs(const uint8_t *now, const uint8_t *was, uint64_t pa,
                    struct err *err)
{
    size_t n = 0;

    while (now[n] == was[n])
        n++;
    return err_set(err, "memory at %016" PRIx64 " is %02x, was %02x", pa + n,
                   now[n], was[n]);
}

/* The page at pa becomes what page says; NULL: zeros. What is so already is
 * not touched: a machine of 64 GiB that uses little stays little. */
static bool put_page(const struct reading *r, const struct mem_region *region,
                     uint64_t pa, const void *page, struct err *err)
{
    static const uint8_t zeros[MEM_PAGE];
    const uint8_t *now = region->host + (pa - region->base);

    if (page ? !memcmp(now, page, MEM_PAGE) : is_zero(now))
        return true;
    if (r->compare)
        return differs(now, page ? page : zeros, pa, err);
    mem_poke(r->into->mem, pa, page ? page : zeros, MEM_PAGE);
    return true;
}

/* Pages that the state does not name are zeros, up to the one at end. */
static bool zero_until(struct reading *r, uint64_t end, struct err *err)
{
    const struct mem_region *region;

    for (size_t n = 0; (region = mem_nth(r->into->mem, n)); n++) {
        uint64_t last = region->base + region->size;
        uint64_t pa = region->base > r->next_pa ? region->base : r->next_pa;

        for (; region->host && pa < last && pa < end; pa += MEM_PAGE)
            if (!put_page(r, region, pa, NULL, err))
                return false;
    }
    r->next_pa = end;
    return true;
}

static bool take_page(struct reading *r, uint64_t pa, const void *page,
                      struct err *err)
{
    const struct mem_region *region = mem_find(r->m->mem, pa);

    if (!region || !region->host || pa % MEM_PAGE)
        return err_set(err,
                       "it has memory at 0x%" PRIx64 ", where this "
                       "machine has none",
                       pa);
    if (pa < r->next_pa)
        return bad_order(r, err);
    if (r->into &&
        (!zero_until(r, pa, err) || !put_page(r, region, pa, page, err)))
        return false;
    r->next_pa = pa + MEM_PAGE;
    return true;
}

static bool take_pages(struct reading *r, const struct buf *b, struct err *err)
{
    if (b->len % ENTRY)
        return bad_order(r, err);
    for (size_t at = 0; r->m && at < b->len; at += ENTRY) {
        uint64_t pa;

        memcpy(&pa, b->data + at, sizeof pa);
        if (!take_page(r, pa, b->data + at + sizeof pa, err))
            return false;
    }
    return true;
}

static bool take_devs(struct reading *r, const struct buf *b, struct err *err)
{
    if (r->devs.len + b->len > DEVS_MAX || r->next_pa)
        return bad_order(r, err);
    buf_add(&r->devs, b->data, b->len);
    return true;
}

/* Fields first: they are checked as a whole before one of them is taken. */
static bool devs_complete(struct reading *r, struct err *err)
{
    if (!r->m || r->devs.len == 0)
        return true;
    if (r->compare)
        return devs_match(r->m->devs, r->devs.data, r->devs.len, err);
    if (r->into)
        return devs_load(r->into->devs, r->devs.data, r->devs.len, err);
    return devs_check(r->m->devs, r->devs.data, r->devs.len, err);
}

static bool read_body(struct reading *r, struct buf *b, struct err *err)
{
    enum frame_kind kind;
    bool devs_done = false;

    for (;;) {
        enum frame_result is = frame_next(r->f, &kind, b, err);

        if (is == FRAME_NONE)
            return cut_short(r, err);
        if (is != FRAME_IS)
            return false;
        if (kind == FRAME_DEVS && !devs_done) {
            if (!take_devs(r, b, err))
                return false;
            continue;
        }
        if (!devs_done && !devs_complete(r, err))
            return false;
        devs_done = true;
        if (kind == FRAME_STATE_END)
            return r->devs.len > 0 || bad_order(r, err);
        if (kind != FRAME_PAGES)
            return bad_order(r, err);
        if (!take_pages(r, b, err))
            return false;
    }
}

static bool read_state(struct reading *r, struct err *err)
{
    struct buf b = { 0 };
    bool ok = expect(r, FRAME_SHAPE, &b, err) && check_shape(r->m, &b, err) &&
              read_moment(r, &b, err) && read_body(r, &b, err);

    if (ok && r->into)
        ok = zero_until(r, UINT64_MAX, err);
    buf_free(&b);
    buf_free(&r->devs);
    return ok;
}

bool snapshot_check(const struct machine *m, struct frames *f,
                    struct moment *when, struct buf *name, struct err *err)
{
    struct reading r = { .f = f, .m = m, .when = when, .name = name };

    return read_state(&r, err);
}

bool snapshot_enter(struct machine *m, struct frames *f, struct moment *when,
                    struct err *err)
{
    struct frames first = *f;
    struct reading r = { .f = f, .m = m, .into = m, .when = when };

    return snapshot_check(m, &first, NULL, NULL, err) && read_state(&r, err);
}

bool snapshot_load(struct machine *m, struct frames *f, struct moment *when,
                   struct err *err)
{
    if (!snapshot_enter(m, f, when, err))
        return false;
    run_loaded(m);
    return true;
}

bool snapshot_match(struct machine *m, struct frames *f, struct err *err)
{
    struct reading r = { .f = f, .m = m, .into = m, .compare = true };

    return read_state(&r, err);
}
