/* SPDX-License-Identifier: MIT */
/*
 * points.c - points of every kind, in arrays sorted by address.
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

#include "emu/bus/mem.h"
#include "emu/hart/agent.h"
#include "emu/hart/hart.h"

struct list {
    struct point **point; /* by address, the guest's after the others */
    size_t n;
    uint64_t longest; /* len of any that is or was there */
};

struct listener {
    void (*fn)(void *opaque);
    void *opaque;
};

enum {
    BREAKS,
    BREAKS_PHYS,
    WATCHES,
    WATCHES_PHYS,
    CATCHES,
    LISTS,
};

struct points {
    struct list list[LISTS];
    size_t code; /* bytes of conditions and commands */
    struct mem *mem;
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
           a->privs == b->privs && a->to == b->to && a->satp == b->satp &&
           !((a->flags ^ b->flags) & (POINT_SATP | POINT_GUEST | POINT_PHYS));
}

/* Can it ever concern this hart? */
static bool concerns(const struct point *p, const struct hart *h)
{
    return !(p->flags & POINT_MUTED) &&
           (p->harts == 0 || (h->hartid < 64 && p->harts >> h->hartid & 1));
}

/* Does it concern the hart, which is or was in mode priv? A device has no
 * number, no mode and no address space. */
static bool applies(const struct point *p, const struct hart *h, unsigned priv)
{
    if (!h)
        return !p->harts && !p->privs && !(p->flags & POINT_SATP);
    return concerns(p, h) && (p->privs == 0 || p->privs >> priv & 1) &&
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

static bool touches(const struct point *w, uint64_t addr, uint64_t last)
{
    return w->addr <= last && last_of(w->addr, w->len) >= addr;
}

/* Where those that reach up to addr can begin. */
static size_t first_reaching(const struct list *l, uint64_t addr)
{
    return lower_bound(l, addr > l->longest ? addr - l->longest : 0);
}

/* The accesses that watchpoints ask for; h NULL: whoever they concern. */
static uint32_t watched(const struct list *l, const struct hart *h,
                        uint64_t addr, uint64_t len)
{
    uint64_t last = last_of(addr, len);
    uint32_t kinds = 0;

    for (size_t i = first_reaching(l, addr);
         i < l->n && l->point[i]->addr <= last; i++)
        if ((!h || concerns(l->point[i], h)) &&
            touches(l->point[i], addr, last))
            kinds |= l->point[i]->kind;
    return kinds;
}

static struct list *list_of(struct points *p, const struct point *pt)
{
    bool phys = pt->flags & POINT_PHYS;

    if (pt->kind & POINT_CATCH)
        return &p->list[CATCHES];
    return &p->list[(pt->kind & POINT_BREAK ? BREAKS : WATCHES) + phys];
}

static const struct list *breaks(const struct points *p, uint32_t flags)
{
    return &p->list[flags & POINT_PHYS ? BREAKS_PHYS : BREAKS];
}

static const struct list *watches(const struct points *p, uint32_t flags)
{
    return &p->list[flags & POINT_PHYS ? WATCHES_PHYS : WATCHES];
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

/* The pages of physical watchpoints have attention while there is one. */
static void attend(struct points *p, const struct point *pt)
{
    uint64_t last = last_of(pt->addr, pt->len),
             page = pt->addr & ~UINT64_C(4095);

    if (!p->mem || list_of(p, pt) != &p->list[WATCHES_PHYS])
        return;
    for (; page <= last; page += 4096) {
        if (watched(&p->list[WATCHES_PHYS], NULL, page, 4096))
            mem_attend(p->mem, page, MEM_ATTN_WATCH);
        else
            mem_unattend(p->mem, page, MEM_ATTN_WATCH);
        if (page > UINT64_MAX - 4096)
            return;
    }
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
    /* Copies of its own, const to everyone else. */
    /* NOLINTBEGIN(performance-no-int-to-ptr) */
    free((void *)(uintptr_t)pt->when.code);
    free((void *)(uintptr_t)pt->commands.code);
    /* NOLINTEND(performance-no-int-to-ptr) */
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
    struct point *pt = l->point[i];

    l->n--;
    memmove(l->point + i, l->point + i + 1, (l->n - i) * sizeof *l->point);
    attend(p, pt);
    free_codes(p, pt);
    free(pt);
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
    p->mem = NULL; /* which goes as well */
    for (int n = 0; n < LISTS; n++)
        free_list(p, &p->list[n]);
    free(p->listener);
    free(p);
}

void points_add(struct points *p, const struct point *pt)
{
    struct list *l = list_of(p, pt);
    size_t i = find(l, pt);
    struct point *copy;

    assert(pt->kind == POINT_BREAK || !(pt->kind & POINT_BREAK));
    assert(pt->kind != 0);
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
    if (pt->len > l->longest)
        l->longest = pt->len;
    attend(p, pt);
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
    bool any = false;

    for (int n = 0; n < LISTS; n++)
        any |= remove_owned(p, &p->list[n], owner);
    if (any)
        changed(p);
}

size_t points_code(const struct points *p) { return p->code; }

const struct point *points_nth(const struct points *p, size_t n)
{
    for (int l = 0; l < LISTS; l++) {
        if (n < p->list[l].n)
            return p->list[l].point[n];
        n -= p->list[l].n;
    }
    return NULL;
}

uint32_t points_kinds(const struct points *p)
{
    uint32_t kinds = 0;

    for (int l = 0; l < LISTS; l++)
        for (size_t i = 0; i < p->list[l].n; i++) {
            const struct point *pt = p->list[l].point[i];
            bool phys = pt->flags & POINT_PHYS;

            /* An event's READ and WRITE are no watchpoint's. */
            kinds |= l == CATCHES ? pt->kind & POINT_CATCH
                                  : pt->kind << (phys ? POINTS_PHYS_SHIFT : 0);
        }
    return kinds;
}

void points_on_change(struct points *p, void (*fn)(void *), void *opaque)
{
    p->listener =
        xrealloc(p->listener, (p->listeners + 1) * sizeof *p->listener);
    p->listener[p->listeners++] = (struct listener){ fn, opaque };
}

void points_memory(struct points *p, struct mem *m) { p->mem = m; }

void points_on_text(struct points *p, points_text_fn *fn, void *opaque)
{
    p->text = fn;
    p->text_opaque = opaque;
}

void points_quiet(struct points *p, bool quiet) { p->quiet = quiet; }

void points_mute(struct points *p, bool mute)
{
    const uint32_t bit = mute ? POINT_MUTED : 0;

    for (int n = 0; n < LISTS; n++)
        for (size_t i = 0; i < p->list[n].n; i++) {
            struct point *pt = p->list[n].point[i];

            if (!(pt->flags & POINT_GUEST))
                pt->flags = (pt->flags & ~(uint32_t)POINT_MUTED) | bit;
        }
    changed(p);
}

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

/* It matches: is it to stop the hart, which is or was in mode priv? */
static bool stops(struct points *p, struct point *pt, struct hart *h,
                  unsigned priv)
{
    if (pt->flags & (POINT_GUEST | POINT_MUTED) || !applies(pt, h, priv) ||
        (h && !is_true(pt, h)))
        return false;
    if (pt->asks)
        return !p->quiet && h && pt->asks(pt->asks_opaque, (int)h->hartid);
    if (p->quiet)
        return pt->commands.n == 0;
    pt->hits++;
    return pt->commands.n == 0 || !h || !run_commands(p, pt, h);
}

const struct point *points_break(struct points *p, struct hart *h,
                                 uint64_t addr, uint32_t flags)
{
    const struct list *l = breaks(p, flags);
    const struct point *first = NULL;

    for (size_t i = lower_bound(l, addr); i < l->n && l->point[i]->addr == addr;
         i++)
        if (stops(p, l->point[i], h, h->priv) && (!first || first->asks))
            first = l->point[i];
    return first;
}

uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t addr, uint64_t len, uint32_t flags)
{
    const struct list *l = breaks(p, flags);

    for (size_t i = lower_bound(l, addr);
         i < l->n && l->point[i]->addr - addr < len; i++)
        if (concerns(l->point[i], h))
            return l->point[i]->addr;
    return addr + len;
}

bool points_anyone_breaks(const struct points *p, uint64_t addr, uint64_t len,
                          uint32_t flags)
{
    const struct list *l = breaks(p, flags);

    for (size_t i = lower_bound(l, addr);
         i < l->n && l->point[i]->addr - addr < len; i++)
        if (!(l->point[i]->flags & POINT_MUTED))
            return true;
    return false;
}

uint32_t points_watched(const struct points *p, const struct hart *h,
                        uint64_t addr, uint64_t len, uint32_t flags)
{
    return watched(watches(p, flags), h, addr, len);
}

uint64_t points_parts(const struct points *p, const struct hart *h,
                      uint64_t page, uint32_t flags)
{
    uint64_t parts = 0;

    if (!points_watched(p, h, page, 4096, flags))
        return 0;
    for (uint64_t n = 0; n < 64; n++)
        if (points_watched(p, h, page + 64 * n, 64, flags))
            parts |= UINT64_C(1) << n;
    return parts;
}

void points_cut(const struct points *p, const struct hart *h, uint64_t addr,
                uint32_t flags, uint64_t *from, uint64_t *to)
{
    const struct list *l = watches(p, flags);

    for (size_t i = first_reaching(l, *from);
         i < l->n && l->point[i]->addr < *to; i++) {
        const struct point *w = l->point[i];
        uint64_t last = last_of(w->addr, w->len);

        if (!concerns(w, h) || last < *from)
            continue;
        if (last < addr)
            *from = last + 1;
        else
            *to = w->addr > addr ? w->addr : *from;
    }
}

/*
 * Does the store at hand change a byte that w is for? Of other accesses,
 * atomics among them, that is not known.
 */
static bool changes(const struct point *w, const struct hart *h, uint64_t addr,
                    uint64_t last)
{
    uint64_t first = w->addr > addr ? w->addr : addr,
             end = last_of(w->addr, w->len), bytes;

    if (!(w->flags & POINT_CHANGE) || !h || !h->same)
        return true;
    bytes = (UINT64_C(2) << ((end < last ? end : last) - first)) - 1;
    return bytes & ~(h->same >> (first - addr));
}

const struct point *points_watch(struct points *p, struct hart *h,
                                 uint64_t addr, uint64_t len, uint32_t access,
                                 uint32_t flags, uint64_t *hit)
{
    const struct list *l = watches(p, flags);
    uint64_t last = last_of(addr, len);

    for (size_t i = first_reaching(l, addr);
         i < l->n && l->point[i]->addr <= last; i++) {
        struct point *w = l->point[i];

        if (!(w->kind & access) || !touches(w, addr, last) ||
            !changes(w, h, addr, last) || !stops(p, w, h, h ? h->priv : 0))
            continue;
        *hit = w->addr > addr ? w->addr : addr;
        return w;
    }
    return NULL;
}

/* Does it ask for this event? */
static bool asks_for(const struct point *c, const struct point_event *e)
{
    if (!(c->kind & e->kind) || (c->to && !(c->to >> e->to & 1)))
        return false;
    if (e->kind & (POINT_TRAP | POINT_IRQ))
        return c->addr == 0 || c->addr >> (e->at & 63) & 1;
    if (e->kind & POINT_PRIV)
        return true;
    return c->kind & e->access && touches(c, e->at, e->at);
}

const struct point *points_catch(struct points *p, struct hart *h,
                                 const struct point_event *e)
{
    const struct list *l = &p->list[CATCHES];

    for (size_t i = 0; i < l->n; i++)
        if (asks_for(l->point[i], e) && stops(p, l->point[i], h, e->from))
            return l->point[i];
    return NULL;
}
