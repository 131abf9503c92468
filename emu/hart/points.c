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

#include "emu/base/log.h"

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
    struct listener *listener;
    size_t listeners;
};

static bool same(const struct point *a, const struct point *b)
{
    return a->kind == b->kind && a->addr == b->addr && a->len == b->len &&
           a->owner == b->owner && a->harts == b->harts;
}

static bool applies(const struct point *p, const struct hart *h)
{
    return p->harts == 0 || (h->hartid < 64 && p->harts >> h->hartid & 1);
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

static void insert(struct list *l, const struct point *pt)
{
    struct point *copy = xmalloc(sizeof *copy);
    size_t i = lower_bound(l, pt->addr);

    *copy = *pt;
    while (i < l->n && l->point[i]->addr == pt->addr &&
           !(l->point[i]->flags & POINT_GUEST))
        i++;
    l->point = xrealloc(l->point, (l->n + 1) * sizeof *l->point);
    memmove(l->point + i + 1, l->point + i, (l->n - i) * sizeof *l->point);
    l->point[i] = copy;
    l->n++;
}

static void remove_at(struct list *l, size_t i)
{
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

static void free_list(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->point[i]);
    free(l->point);
}

void points_free(struct points *p)
{
    if (!p)
        return;
    free_list(&p->breaks);
    free_list(&p->watches);
    free(p->listener);
    free(p);
}

void points_add(struct points *p, const struct point *pt)
{
    struct list *l = list_of(p, pt);

    assert(pt->kind == POINT_BREAK || !(pt->kind & POINT_BREAK));
    assert(pt->len > 0);
    if (find(l, pt) < l->n)
        return;
    insert(l, pt);
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
    remove_at(l, i);
    changed(p);
    return true;
}

static bool remove_owned(struct list *l, const void *owner)
{
    bool any = false;

    for (size_t i = l->n; i-- > 0;) {
        if (l->point[i]->owner != owner)
            continue;
        remove_at(l, i);
        any = true;
    }
    return any;
}

void points_remove_owner(struct points *p, const void *owner)
{
    bool breaks = remove_owned(&p->breaks, owner);

    if (remove_owned(&p->watches, owner) || breaks)
        changed(p);
}

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

const struct point *points_break(const struct points *p, const struct hart *h,
                                 uint64_t va)
{
    const struct list *l = &p->breaks;

    for (size_t i = lower_bound(l, va); i < l->n && l->point[i]->addr == va;
         i++)
        if (applies(l->point[i], h))
            return l->point[i];
    return NULL;
}

uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t va, uint64_t len)
{
    const struct list *l = &p->breaks;

    for (size_t i = lower_bound(l, va);
         i < l->n && l->point[i]->addr - va < len; i++)
        if (applies(l->point[i], h))
            return l->point[i]->addr;
    return va + len;
}

/* The first watchpoint of these kinds that touches [va, last]. */
static const struct point *touching(const struct points *p,
                                    const struct hart *h, uint64_t va,
                                    uint64_t last, uint32_t access)
{
    const struct list *l = &p->watches;
    size_t i = lower_bound(l, va > p->longest ? va - p->longest : 0);

    for (; i < l->n && l->point[i]->addr <= last; i++) {
        const struct point *w = l->point[i];

        if (w->kind & access && applies(w, h) && last_of(w->addr, w->len) >= va)
            return w;
    }
    return NULL;
}

bool points_watch_page(const struct points *p, const struct hart *h,
                       uint64_t va_page)
{
    return p->watches.n > 0 &&
           touching(p, h, va_page, va_page | 0xfff, POINT_READ | POINT_WRITE);
}

const struct point *points_watch(const struct points *p, const struct hart *h,
                                 uint64_t va, uint64_t len, uint32_t access,
                                 uint64_t *hit)
{
    const struct point *w;

    if (p->watches.n == 0)
        return NULL;
    w = touching(p, h, va, last_of(va, len), access);
    if (w)
        *hit = w->addr > va ? w->addr : va;
    return w;
}
