/* SPDX-License-Identifier: MIT */
/*
 * points.c - breakpoints and watchpoints, in two arrays sorted by address.
 *
 * Lookups are for slow paths, but there for any number of points: binary
 * search, from where the longest watchpoint could still reach.
 */
#include "emu/hart/points.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/hart/agent.h"
#include "emu/hart/hart.h"

struct list {
    struct point **point; /* by address, the guest's after the others */
    size_t n;
};

struct listener {
    void (*fn)(void *opaque);
    void *opaque;
};

struct points {
    struct list breaks, watches;
    uint64_t longest; /* len of any watchpoint that is or was there */
    size_t code;      /* bytes of conditions and commands */
    struct listener *listener;
    size_t listeners;
    points_text_fn *text;
    void *text_opaque;
    bool quiet;
};

static bool same(const struct point *a, const struct point *b)
{
    return a->kind == b->kind && a->addr == b->addr && a->len == b->len &&
           a->owner == b->owner && a->harts == b->harts &&
           a->privs == b->privs && a->satp == b->satp &&
           !((a->flags ^ b->flags) & (POINT_SATP | POINT_GUEST));
}

/* Can it ever concern this hart? */
static bool concerns(const struct point *p, const struct hart *h)
{
    return p->harts == 0 || (h->hartid < 64 && p->harts >> h->hartid & 1);
}

/* Does it concern the hart as it is now? */
static bool applies(const struct point *p, const struct hart *h)
{
    return concerns(p, h) && (p->privs == 0 || p->privs >> h->priv & 1) &&
           (!(p->flags & POINT_SATP) || p->satp == h->satp);
}

static uint64_t last_of(uint64_t addr, uint64_t len)
{
    uint64_t last = addr + len - 1;

    return last < addr ? UINT64_MAX : last;
}

/* Index of the first point at addr or above. */
static size_t lower_bound(const struct list *l, uint64_t addr)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (l->point[mid]->addr < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct list *list_of(struct points *p, const struct point *pt)
{
    return pt->kind & POINT_BREAK ? &p->breaks : &p->watches;
}

static size_t find(const struct list *l, const struct point *pt)
{
    size_t i = lower_bound(l, pt->addr);

    while (i < l->n && !same(l->point[i], pt))
        i = l->point[i]->addr == pt->addr ? i + 1 : l->n;
    return i;
}

static size_t bytes_of(const struct bytecodes *c)
{
    size_t bytes = 0;

    for (size_t i = 0; i < c->n; i++)
        bytes += c->code[i].len;
    return bytes;
}

/* One allocation: the table, and behind it all the bytes. */
static struct bytecodes copy_codes(const struct bytecodes *from)
{
    size_t table = from->n * sizeof(struct bytecode);
    struct bytecode *code;
    uint8_t *at;

    if (from->n == 0)
        return (struct bytecodes){ NULL, 0 };
    code = xmalloc(table + bytes_of(from));
    at = (uint8_t *)code + table;
    for (size_t i = 0; i < from->n; i++) {
        code[i] = (struct bytecode){ at, from->code[i].len };
        memcpy(at, from->code[i].bytes, from->code[i].len);
        at += from->code[i].len;
    }
    return (struct bytecodes){ code, from->n };
}

static void free_codes(struct points *p, struct point *pt)
{
    p->code -= bytes_of(&pt->when) + bytes_of(&pt->commands);
    free((void *)(uintptr_t)pt->when.code);
    free((void *)(uintptr_t)pt->commands.code);
}

static void set_codes(struct points *p, struct point *to,
                      const struct point *from)
{
    to->when = copy_codes(&from->when);
    to->commands = copy_codes(&from->commands);
    p->code += bytes_of(&to->when) + bytes_of(&to->commands);
}

static void insert(struct list *l, struct point *pt)
{
    size_t i = lower_bound(l, pt->addr);

    while (i < l->n && l->point[i]->addr == pt->addr &&
           !(l->point[i]->flags & POINT_GUEST))
        i++;
    l->point = xrealloc(l->point, (l->n + 1) * sizeof *l->point);
    memmove(l->point + i + 1, l->point + i, (l->n - i) * sizeof *l->point);
    l->point[i] = pt;
    l->n++;
}

static void remove_at(struct points *p, struct list *l, size_t i)
{
    free_codes(p, l->point[i]);
    free(l->point[i]);
    l->n--;
    memmove(l->point + i, l->point + i + 1, (l->n - i) * sizeof *l->point);
}

static void changed(struct points *p)
{
    for (size_t i = 0; i < p->listeners; i++)
        p->listener[i].fn(p->listener[i].opaque);
}

struct points *points_new(void) { return xcalloc(1, sizeof(struct points)); }

static void free_list(struct points *p, struct list *l)
{
    while (l->n > 0)
        remove_at(p, l, l->n - 1);
    free(l->point);
}

void points_free(struct points *p)
{
    if (!p)
        return;
    free_list(p, &p->breaks);
    free_list(p, &p->watches);
    free(p->listener);
    free(p);
}

void points_add(struct points *p, const struct point *pt)
{
    struct list *l = list_of(p, pt);
    size_t i = find(l, pt);
    struct point *copy;

    assert(pt->kind == POINT_BREAK || !(pt->kind & POINT_BREAK));
    assert(pt->len > 0);
    if (i < l->n) {
        free_codes(p, l->point[i]);
        l->point[i]->flags = pt->flags;
        set_codes(p, l->point[i], pt);
        return;
    }
    copy = xmalloc(sizeof *copy);
    *copy = *pt;
    copy->hits = 0;
    set_codes(p, copy, pt);
    insert(l, copy);
    if (l == &p->watches && pt->len > p->longest)
        p->longest = pt->len;
    changed(p);
}

bool points_remove(struct points *p, const struct point *pt)
{
    struct list *l = list_of(p, pt);
    size_t i = find(l, pt);

    if (i == l->n)
        return false;
    remove_at(p, l, i);
    changed(p);
    return true;
}

/* What was to persist belongs to nobody from now on. */
static bool remove_owned(struct points *p, struct list *l, const void *owner)
{
    bool any = false;

    for (size_t i = l->n; i-- > 0;) {
        struct point orphan = *l->point[i];

        if (orphan.owner != owner)
            continue;
        orphan.owner = NULL;
        if (owner && orphan.flags & POINT_PERSIST && orphan.commands.n &&
            find(l, &orphan) == l->n) {
            l->point[i]->owner = NULL;
            continue;
        }
        remove_at(p, l, i);
        any = true;
    }
    return any;
}

void points_remove_owner(struct points *p, const void *owner)
{
    bool breaks = remove_owned(p, &p->breaks, owner);

    if (remove_owned(p, &p->watches, owner) || breaks)
        changed(p);
}

size_t points_code(const struct points *p) { return p->code; }

const struct point *points_nth(const struct points *p, size_t n)
{
    if (n < p->breaks.n)
        return p->breaks.point[n];
    n -= p->breaks.n;
    return n < p->watches.n ? p->watches.point[n] : NULL;
}

void points_on_change(struct points *p, void (*fn)(void *), void *opaque)
{
    p->listener =
        xrealloc(p->listener, (p->listeners + 1) * sizeof *p->listener);
    p->listener[p->listeners++] = (struct listener){ fn, opaque };
}

void points_on_text(struct points *p, points_text_fn *fn, void *opaque)
{
    p->text = fn;
    p->text_opaque = opaque;
}

void points_quiet(struct points *p, bool quiet) { p->quiet = quiet; }

/* Matches ------------------------------------------------------------------- */

static bool is_true(const struct point *pt, struct hart *h)
{
    uint64_t v = 0;

    for (size_t i = 0; i < pt->when.n; i++)
        if (!agent_eval(h, &pt->when.code[i], NULL, &v) || v)
            return true;
    return pt->when.n == 0;
}

/* False: one of them is an error; the debugger may find out why. */
static bool run_commands(struct points *p, const struct point *pt,
                         struct hart *h)
{
    bool ok = true;

    for (size_t i = 0; i < pt->commands.n && ok; i++) {
        struct buf text = { 0 };
        uint64_t v;

        ok = agent_eval(h, &pt->commands.code[i], &text, &v);
        if (p->text && text.len > 0)
            p->text(p->text_opaque, pt, buf_text(&text), text.len);
        buf_free(&text);
    }
    return ok;
}

/* It matches: is it to stop the hart? */
static bool stops(struct points *p, struct point *pt, struct hart *h)
{
    if (pt->flags & POINT_GUEST || !applies(pt, h) || !is_true(pt, h))
        return false;
    if (p->quiet)
        return pt->commands.n == 0;
    pt->hits++;
    return pt->commands.n == 0 || !run_commands(p, pt, h);
}

const struct point *points_break(struct points *p, struct hart *h, uint64_t va)
{
    const struct list *l = &p->breaks;
    const struct point *first = NULL;

    for (size_t i = lower_bound(l, va); i < l->n && l->point[i]->addr == va;
         i++)
        if (stops(p, l->point[i], h) && !first)
            first = l->point[i];
    return first;
}

uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t va, uint64_t len)
{
    const struct list *l = &p->breaks;

    for (size_t i = lower_bound(l, va);
         i < l->n && l->point[i]->addr - va < len; i++)
        if (concerns(l->point[i], h))
            return l->point[i]->addr;
    return va + len;
}

bool points_anyone_breaks(const struct points *p, uint64_t va, uint64_t len)
{
    const struct list *l = &p->breaks;
    size_t i = lower_bound(l, va);

    return i < l->n && l->point[i]->addr - va < len;
}

static bool touches(const struct point *w, uint64_t va, uint64_t last,
                    uint32_t access)
{
    return w->kind & access && w->addr <= last &&
           last_of(w->addr, w->len) >= va;
}

/* Where those that reach up to va can begin. */
static size_t first_reaching(const struct points *p, uint64_t va)
{
    return lower_bound(&p->watches, va > p->longest ? va - p->longest : 0);
}

bool points_watch_page(const struct points *p, const struct hart *h,
                       uint64_t va_page)
{
    const struct list *l = &p->watches;
    uint64_t last = va_page | 0xfff;

    for (size_t i = first_reaching(p, va_page);
         i < l->n && l->point[i]->addr <= last; i++)
        if (concerns(l->point[i], h) &&
            touches(l->point[i], va_page, last, POINT_READ | POINT_WRITE))
            return true;
    return false;
}

const struct point *points_watch(struct points *p, struct hart *h, uint64_t va,
                                 uint64_t len, uint32_t access, uint64_t *hit)
{
    const struct list *l = &p->watches;
    uint64_t last = last_of(va, len);

    for (size_t i = first_reaching(p, va);
         i < l->n && l->point[i]->addr <= last; i++) {
        struct point *w = l->point[i];

        if (!touches(w, va, last, access) || !stops(p, w, h))
            continue;
        *hit = w->addr > va ? w->addr : va;
        return w;
    }
    return NULL;
}
