/* SPDX-License-Identifier: MIT */
/* checkpoint.c - a run as a chain of checkpoints, in memory. */
#include "emu/machine/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/hart.h"
#include "emu/machine/guess.h"
#include "emu/machine/pages.h"
#include "emu/machine/semihost.h"
#include "emu/machine/slice.h"

enum {
    PER_OCTAVE = 8, /* checkpoints per doubling of the distance from now */
    SAMPLE = 64,    /* of so many copies one is timed */
    COPY_NS = 1000, /* what one takes, as long as none was timed */
    MISS_NS = 300,  /* to find out that one is wanted, about */
    ZERO_NS = 150,  /* to find out that a page is all zeros */
    /* Slabs: how often one more (see chain_make_room), and how much of their
     * price is due for each interval. */
    SLAB_NS = 400000000,
    DUE_NS = 1000000,
};

struct chain {
    struct machine *m;
    struct checkpoint **at;
    size_t n, room;
    size_t here;        /* memory is as of at[here], but for working */
    struct gap working; /* pages written since, as they were */
    struct pages pages;
    struct guess guess;
    size_t limit;     /* bytes */
    size_t state;     /* bytes of all states */
    size_t entries;   /* of all gaps */
    size_t beside;    /* bytes that others have */
    int64_t copy_ns;  /* what it takes to copy a page when it is written */
    int64_t clock_ns; /* and to ask for the time */
    int64_t spent_ns; /* on what is in working */
    int64_t born_ns;
    size_t copies;  /* pages in working that are not zeros */
    bool restoring; /* these writes are ours */
    bool relieving; /* a yield was asked for */
};

/* Pages ---------------------------------------------------------------------- */

static const struct mem_region *region_of(const struct chain *c,
                                          const struct page_copy *p)
{
    return mem_nth(c->m->mem, p->region);
}

/* The last page of a region may be cut short. */
static size_t size_of(const struct mem_region *r, uint32_t page)
{
    uint64_t left = r->size - (uint64_t)page * MEM_PAGE;

    return left < MEM_PAGE ? (size_t)left : MEM_PAGE;
}

/* A copy of what is in memory there now. */
static uint8_t *copy_of(struct chain *c, const struct mem_region *r,
                        uint32_t page)
{
    return page_copy(&c->pages, r->host + (uint64_t)page * MEM_PAGE,
                     size_of(r, page));
}

/* Is memory there as the copy says? */
static bool is_same(const struct chain *c, const struct page_copy *p)
{
    const struct mem_region *r = region_of(c, p);
    const uint8_t *now = r->host + (uint64_t)p->page * MEM_PAGE;
    size_t size = size_of(r, p->page);

    if (p->data)
        return !memcmp(now, p->data, size);
    return size == MEM_PAGE && page_is_zero(now);
}

/* Others that care for the page (decoded code) are told as of any write. */
static void put_back(struct chain *c, const struct page_copy *p)
{
    const struct mem_region *r = region_of(c, p);
    uint64_t off = (uint64_t)p->page * MEM_PAGE;
    size_t size = size_of(r, p->page);

    if (is_same(c, p))
        return;
    mem_before_write(c->m->mem, r, r->base + off, size);
    if (p->data)
        memcpy(r->host + off, p->data, size);
    else
        memset(r->host + off, 0, size);
}

static void arm(const struct chain *c, const struct page_copy *p)
{
    region_of(c, p)->attn[p->page] |= MEM_ATTN_COPY;
}

/* Gaps ------------------------------------------------------------------------ */

static void gap_add(struct gap *g, struct page_copy p)
{
    if (g->n == g->room) {
        g->room = g->room ? 2 * g->room : 64;
        g->page = xrealloc(g->page, g->room * sizeof *g->page);
    }
    g->page[g->n++] = p;
}

static void gap_free(struct chain *c, struct gap *g)
{
    for (size_t i = 0; i < g->n; i++)
        page_free(&c->pages, g->page[i].data);
    c->entries -= g->n;
    free(g->page);
    *g = (struct gap){ 0 };
}

static struct page_place place_of(const struct page_copy *p)
{
    return (struct page_place){ p->region, p->page };
}

static void mark(const struct chain *c, const struct gap *g, bool on)
{
    for (size_t i = 0; i < g->n; i++)
        guess_note(&c->guess, place_of(&g->page[i]))->marked = on;
}

static bool is_marked(const struct chain *c, const struct page_copy *p)
{
    return guess_note(&c->guess, place_of(p))->marked;
}

/* Both become one, first; where both have a page, that of first is the one. */
static void gap_merge(struct chain *c, struct gap *first, struct gap *second)
{
    mark(c, first, true);
    for (size_t i = 0; i < second->n; i++)
        if (is_marked(c, &second->page[i])) {
            page_free(&c->pages, second->page[i].data);
            c->entries--;
        } else {
            gap_add(first, second->page[i]);
        }
    mark(c, first, false);
    free(second->page);
    *second = (struct gap){ 0 };
}

/* Memory goes to the gap's other end. */
static void gap_exchange(struct chain *c, struct gap *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct page_copy *p = &g->page[i];
        uint8_t *now = copy_of(c, region_of(c, p), p->page);

        put_back(c, p);
        page_free(&c->pages, p->data);
        p->data = now;
    }
}

/* Before a write: keep what is there --------------------------------------- */

static uint32_t number_of(const struct mem *mem, const struct mem_region *r)
{
    uint32_t n = 0;

    while (mem_nth(mem, n) != r)
        n++;
    return n;
}

/* The host gives a page of its own at the first write. To be read before that
 * it would be given one of zeros first, and then another. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written to */
static void touch(uint8_t *page)
{
    __atomic_fetch_or(page, 0, __ATOMIC_RELAXED);
}

/* It may be written now. */
static void add_working(struct chain *c, struct page_copy p)
{
    region_of(c, &p)->attn[p.page] &= (uint8_t)~MEM_ATTN_COPY;
    gap_add(&c->working, p);
    c->entries++;
    c->copies += p.data != NULL;
}

static struct page_copy keep(struct chain *c, uint64_t pa)
{
    struct mem *mem = c->m->mem;
    const struct mem_region *r = mem_find(mem, pa);
    struct page_copy p = { .region = number_of(mem, r) };

    p.page = (uint32_t)((pa - r->base) / MEM_PAGE);
    touch(r->host + (uint64_t)p.page * MEM_PAGE);
    p.data = copy_of(c, r, p.page);
    add_working(c, p);
    guess_written(&c->guess, place_of(&p));
    return p;
}

/* The same, with an eye on how long it takes; the host may have been busy. */
static struct page_copy keep_timed(struct chain *c, uint64_t pa)
{
    int64_t grown = c->pages.grown_ns, began = chain_clock(), took;
    struct page_copy p = keep(c, pa);

    took = chain_clock() - began - c->clock_ns - (c->pages.grown_ns - grown);
    if (!p.data)
        return p;
    if (took > 2 * c->copy_ns)
        took = 2 * c->copy_ns;
    c->copy_ns += (took - c->copy_ns) / 8;
    return p;
}

static void written(void *opaque, uint64_t pa, size_t len)
{
    struct chain *c = opaque;
    struct page_copy p;

    (void)len;
    if (c->restoring)
        return;
    p = c->working.n % SAMPLE ? keep(c, pa) : keep_timed(c, pa);
    c->spent_ns += p.data ? c->copy_ns + MISS_NS : ZERO_NS;
    if (chain_full(c) && !c->relieving && c->m->run->running) {
        c->relieving = true;
        c->m->run->running->attention |= ATTN_YIELD;
    }
}

/* All pages want a copy, or none. */
static void arm_all(struct chain *c, bool on)
{
    const struct mem_region *r;

    for (size_t n = 0; (r = mem_nth(c->m->mem, n)); n++)
        for (uint64_t page = 0; r->host && page * MEM_PAGE < r->size; page++)
            r->attn[page] = (uint8_t)((r->attn[page] & ~MEM_ATTN_COPY) |
                                      (on ? MEM_ATTN_COPY : 0));
    mem_flush(c->m->mem);
}

/* Memory is paid for little by little. */
static int64_t due(const struct chain *c)
{
    return c->pages.grown_ns < DUE_NS ? c->pages.grown_ns : DUE_NS;
}

/* The working pages have gone elsewhere: from now on writes count anew. */
static void begin_working(struct chain *c, const struct gap *were)
{
    for (size_t i = 0; i < were->n; i++)
        arm(c, &were->page[i]);
    mem_flush(c->m->mem);
    c->working = (struct gap){ 0 };
    c->pages.grown_ns -= due(c);
    c->spent_ns = 0;
}

/* In a row it takes a fraction of the time, and no write tag is lost. */
void chain_foresee(struct chain *c)
{
    int64_t began = chain_clock(), grown = c->pages.grown_ns;
    const struct page_list *hot = &c->guess.hot;

    for (size_t i = 0; i < hot->n && !chain_full(c); i++) {
        struct page_copy p = { .region = hot->at[i].region,
                               .page = hot->at[i].page };

        if (!(region_of(c, &p)->attn[p.page] & MEM_ATTN_COPY))
            continue;
        p.data = copy_of(c, region_of(c, &p), p.page);
        add_working(c, p);
    }
    c->spent_ns += chain_clock() - began - (c->pages.grown_ns - grown);
}

void chain_next_interval(struct chain *c) { guess_next(&c->guess); }

static int64_t clock_cost(void)
{
    int64_t best = INT64_MAX;

    for (int n = 0; n < SAMPLE; n++) {
        int64_t began = chain_clock(), took = chain_clock() - began;

        best = took < best ? took : best;
    }
    return best;
}

/* Chains ------------------------------------------------------------------------ */

int64_t chain_clock(void) { return pages_clock(); }

struct chain *chain_new(struct machine *m, size_t bytes)
{
    struct chain *c = xcalloc(1, sizeof *c);

    c->m = m;
    c->limit = bytes;
    c->copy_ns = COPY_NS;
    c->clock_ns = clock_cost();
    c->born_ns = chain_clock();
    guess_init(&c->guess, m->mem, bytes / MEM_PAGE);
    mem_on_write(m->mem, MEM_ATTN_COPY, written, c);
    arm_all(c, true);
    return c;
}

static void checkpoint_free(struct chain *c, struct checkpoint *k)
{
    c->state -= k->state.len + k->semihost.len;
    gap_free(c, &k->gap);
    buf_free(&k->state);
    buf_free(&k->semihost);
    free(k->name);
    free(k);
}

void chain_free(struct chain *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        checkpoint_free(c, c->at[i]);
    gap_free(c, &c->working);
    pages_free_all(&c->pages);
    guess_fini(&c->guess);
    free(c->at);
    free(c);
}

size_t chain_count(const struct chain *c) { return c->n; }

struct checkpoint *chain_nth(const struct chain *c, size_t n)
{
    return c->at[n];
}

size_t chain_here(const struct chain *c) { return c->here; }

int64_t chain_cost(const struct chain *c) { return c->spent_ns + due(c); }

size_t chain_bytes(const struct chain *c)
{
    return c->pages.used * MEM_PAGE + c->state +
           c->entries * sizeof(struct page_copy);
}

void chain_beside(struct chain *c, size_t bytes) { c->beside = bytes; }

bool chain_full(const struct chain *c)
{
    return chain_bytes(c) + c->beside > c->limit;
}

struct position chain_position(const struct machine *m)
{
    return (struct position){ .t = run_now(m),
                              .log = tap_place(m->tap),
                              .idle_ns = m->run->clock.idle_ns };
}

static bool same_place(const struct position *a, const struct position *b)
{
    return a->t == b->t && a->log == b->log && a->idle_ns == b->idle_ns;
}

bool chain_at(const struct chain *c, const struct checkpoint *k)
{
    struct position now = chain_position(c->m);

    return same_place(&now, &k->pos);
}

size_t chain_before(const struct chain *c, uint64_t t)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (c->at[mid]->pos.t < t)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? low - 1 : 0;
}

static void insert(struct chain *c, size_t n, struct checkpoint *k)
{
    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->at = xrealloc(c->at, c->room * sizeof(void *));
    }
    memmove(c->at + n + 1, c->at + n, (c->n - n) * sizeof(void *));
    c->at[n] = k;
    c->n++;
}

static struct checkpoint *checkpoint_new(struct chain *c)
{
    struct checkpoint *k = xcalloc(1, sizeof *k);

    k->pos = chain_position(c->m);
    k->exact = c->m->run->stop_t != k->pos.t;
    devs_save(c->m->devs, &k->state);
    semihost_save(c->m, &k->semihost);
    c->state += k->state.len + k->semihost.len;
    return k;
}

/* Pages may have been copied that were not written after all. */
static bool is_unwritten(const struct chain *c, const struct gap *g)
{
    size_t i = 0;

    while (i < g->n && is_same(c, &g->page[i]))
        i++;
    return i == g->n;
}

/*
 * Between here and the next one: what redoes the whole gap also redoes its
 * second half, if for some pages needlessly.
 */
struct checkpoint *chain_take(struct chain *c)
{
    struct checkpoint *k;

    if (c->n && chain_at(c, c->at[c->here]) && is_unwritten(c, &c->working))
        return c->at[c->here];
    k = checkpoint_new(c);
    if (c->n) {
        k->gap = c->at[c->here]->gap;
        c->at[c->here]->gap = c->working;
        begin_working(c, &c->at[c->here]->gap);
        c->here++;
    }
    insert(c, c->here, k);
    return k;
}

/* Moving ------------------------------------------------------------------------- */

/*
 * Memory is as of at[here] again, and what is in working is a copy of it, as
 * good as one that is made when the same is run again.
 */
static void undo_working(struct chain *c)
{
    for (size_t i = 0; i < c->working.n; i++)
        put_back(c, &c->working.page[i]);
}

static void leave_working(struct chain *c)
{
    struct gap g = c->working;

    undo_working(c);
    begin_working(c, &g);
    gap_free(c, &g);
}

/* Back over the last gap: what memory becomes is there already, as a copy, and
 * what was written once will be written again. */
static void exchange_and_keep(struct chain *c, struct gap *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct page_copy *p = &g->page[i], was = *p;

        p->data = copy_of(c, region_of(c, p), p->page);
        put_back(c, &was);
        add_working(c, was);
    }
}

static bool has_room(const struct chain *c, const struct gap *g)
{
    return chain_bytes(c) + c->beside + g->n * MEM_PAGE <= c->limit;
}

static void go_back(struct chain *c, size_t n)
{
    struct gap *g;

    while (c->here > n) {
        g = &c->at[--c->here]->gap;
        if (c->here == n && has_room(c, g))
            exchange_and_keep(c, g);
        else
            gap_exchange(c, g);
    }
}

void chain_restore(struct chain *c, size_t n)
{
    struct checkpoint *k = c->at[n];

    c->restoring = true;
    if (n == c->here)
        undo_working(c);
    else
        leave_working(c);
    go_back(c, n);
    while (c->here < n)
        gap_exchange(c, &c->at[c->here++]->gap);
    c->restoring = false;
    c->spent_ns = 0;
    devs_restore(c->m->devs, k->state.data, k->state.len);
    semihost_load(c->m, k->semihost.data, k->semihost.len);
    tap_rewind(c->m->tap, k->pos.log);
    assert(chain_at(c, k));
}

static bool page_is(const struct chain *c, const struct page_copy *p,
                    struct err *err)
{
    static const uint8_t zeros[MEM_PAGE];
    const struct mem_region *r = region_of(c, p);
    const uint8_t *now = r->host + (uint64_t)p->page * MEM_PAGE;
    const uint8_t *was = p->data ? p->data : zeros;
    size_t n = 0;

    if (is_same(c, p))
        return true;
    while (now[n] == was[n])
        n++;
    return err_set(err, "memory at %016" PRIx64 " is %02x, was %02x",
                   r->base + (uint64_t)p->page * MEM_PAGE + n, now[n], was[n]);
}

/* Every page that either run wrote must be what the first one left. */
static bool memory_is(const struct chain *c, const struct gap *then,
                      struct err *err)
{
    const struct gap *now = &c->working;
    size_t i = 0, j = 0;

    mark(c, then, true);
    while (i < then->n && page_is(c, &then->page[i], err))
        i++;
    while (i == then->n && j < now->n &&
           (is_marked(c, &now->page[j]) || page_is(c, &now->page[j], err)))
        j++;
    mark(c, then, false);
    return i == then->n && j == now->n;
}

bool chain_pass(struct chain *c, struct err *err)
{
    struct checkpoint *from = c->at[c->here], *to = c->at[c->here + 1];

    assert(c->here + 1 < c->n);
    if (!memory_is(c, &from->gap, err) ||
        (to->exact &&
         !devs_match(c->m->devs, to->state.data, to->state.len, err))) {
        chain_cut(c);
        return false;
    }
    gap_free(c, &from->gap);
    from->gap = c->working;
    begin_working(c, &from->gap);
    c->here++;
    return true;
}

/* Forgetting --------------------------------------------------------------------- */

void chain_cut(struct chain *c)
{
    while (c->n > c->here + 1)
        checkpoint_free(c, c->at[--c->n]);
    if (c->n)
        gap_free(c, &c->at[c->here]->gap);
}

void chain_clear(struct chain *c)
{
    struct gap g = c->working;

    while (c->n)
        checkpoint_free(c, c->at[--c->n]);
    c->here = 0;
    begin_working(c, &g);
    gap_free(c, &g);
}

static void take_out(struct chain *c, size_t n)
{
    checkpoint_free(c, c->at[n]);
    c->n--;
    memmove(c->at + n, c->at + n + 1, (c->n - n) * sizeof(void *));
    c->here -= n < c->here;
}

static bool may_go(const struct chain *c, size_t n)
{
    const struct checkpoint *k = c->at[n];

    return n > 0 && n + 1 < c->n && n != c->here && !k->name && !k->kept;
}

static void drop(struct chain *c, size_t n)
{
    struct gap *a = &c->at[n - 1]->gap, *b = &c->at[n]->gap, *g;

    g = n < c->here ? a : b;
    gap_merge(c, g, g == a ? b : a);
    if (g == b) {
        *a = *b;
        *b = (struct gap){ 0 };
    }
    take_out(c, n);
}

/* How far apart its neighbours are, and how far away from now it is. */
static uint64_t width(const struct chain *c, size_t n)
{
    return c->at[n + 1]->pos.t - c->at[n - 1]->pos.t;
}

static uint64_t distance(const struct chain *c, size_t n)
{
    uint64_t now = run_now(c->m), t = c->at[n]->pos.t;

    return now > t ? now - t : t - now;
}

void chain_thin(struct chain *c)
{
    for (size_t n = 1; n + 1 < c->n;)
        if (may_go(c, n) && width(c, n) <= distance(c, n) / PER_OCTAVE)
            drop(c, n);
        else
            n++;
}

/* The one whose loss matters least; 0: none may go. */
static size_t least(const struct chain *c)
{
    double best = 0;
    size_t found = 0;

    for (size_t n = 1; n + 1 < c->n; n++) {
        double score = (double)width(c, n) / ((double)distance(c, n) + 1);

        if (may_go(c, n) && (!found || score < best)) {
            best = score;
            found = n;
        }
    }
    return found;
}

/*
 * To be given memory takes the host longer than to copy pages: about as many
 * as were wanted last time are to be free. Where many are, they come from
 * old checkpoints, and from the host only as time goes by: but for enough for
 * three intervals, so that the last one is never far.
 */
void chain_make_room(struct chain *c)
{
    size_t want = c->copies,
           slabs = 3 * want / PAGES_SLAB + 1 +
                   (size_t)((chain_clock() - c->born_ns) / SLAB_NS),
           n;

    c->copies = 0;
    while (pages_spare(&c->pages) < want && c->pages.slabs >= slabs &&
           (n = least(c)))
        drop(c, n);
}

size_t chain_relieve(struct chain *c)
{
    size_t n, lost = 0;

    c->relieving = false;
    while (chain_full(c) && (n = least(c)))
        drop(c, n);
    while (chain_full(c) && c->here > 0 && !c->at[0]->kept) {
        take_out(c, 0);
        lost++;
    }
    return lost;
}

size_t chain_forget(struct chain *c, size_t log)
{
    size_t lost = 0;

    while (c->here > 0 && c->at[0]->pos.log < log && !c->at[0]->kept) {
        take_out(c, 0);
        lost++;
    }
    return lost;
}
