/* SPDX-License-Identifier: MIT */
/* checkpoint.c - a run as a chain of checkpoints, in memory. */
#include "emu/machine/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/hart.h"
#include "emu/machine/semihost.h"
#include "emu/machine/slice.h"

enum {
    SLAB = 512,     /* pages that are asked for at once: 2 MiB */
    PER_OCTAVE = 8, /* checkpoints per doubling of the distance from now */
    SAMPLE = 64,    /* of so many copies one is timed */
    COPY_NS = 1000, /* what one takes, as long as none was timed */
    MISS_NS = 300,  /* to find out that one is wanted, about */
    ZERO_NS = 150,  /* to find out that a page is all zeros */
    /* Slabs that it may have, and how often one more: see chain_make_room. */
    SLABS = 8,
    SLAB_NS = 400000000,
};

/* Pages for copies; freed ones are kept for the next. */
struct pool {
    uint8_t **slab;
    size_t slabs, used;
    void *free;       /* each begins with a pointer to the next */
    int64_t grown_ns; /* what it took to be given memory */
};

struct chain {
    struct machine *m;
    struct checkpoint **at;
    size_t n, room;
    size_t here;        /* memory is as of at[here], but for working */
    struct gap working; /* pages written since, as they were */
    struct pool pool;
    size_t limit;     /* bytes */
    size_t state;     /* bytes of all states */
    size_t entries;   /* of all gaps */
    size_t beside;    /* bytes that others have */
    int64_t copy_ns;  /* what it takes to copy a page, lately */
    int64_t clock_ns; /* and to ask for the time */
    int64_t spent_ns; /* on what is in working */
    int64_t born_ns;
    size_t copies;  /* pages in working that are not zeros */
    bool restoring; /* these writes are ours */
    bool relieving; /* a yield was asked for */
};

/* Pages ---------------------------------------------------------------------- */

int64_t chain_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A slab is a huge page, where the host has such: to be given 512 small ones
 * takes longer than to fill them. */
static void add_slab(struct pool *p)
{
    size_t size = (size_t)SLAB * MEM_PAGE;
    int64_t began = chain_clock();
    uint8_t *slab = xaligned(size);

    madvise(slab, size, MADV_HUGEPAGE);
    p->slab = xrealloc(p->slab, (p->slabs + 1) * sizeof *p->slab);
    p->slab[p->slabs++] = slab;
    for (size_t n = 0; n < SLAB; n++) {
        void *page = slab + n * MEM_PAGE;

        memcpy(page, &p->free, sizeof p->free);
        p->free = page;
    }
    if (p->slabs > SLABS) /* what everybody needs has no price */
        p->grown_ns += chain_clock() - began;
}

static uint8_t *page_new(struct pool *p)
{
    uint8_t *page;

    if (!p->free)
        add_slab(p);
    page = p->free;
    memcpy(&p->free, page, sizeof p->free);
    p->used++;
    return page;
}

static void page_free(struct pool *p, uint8_t *page)
{
    if (!page)
        return;
    memcpy(page, &p->free, sizeof p->free);
    p->free = page;
    p->used--;
}

static bool is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, MEM_PAGE - 1);
}

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
    const uint8_t *from = r->host + (uint64_t)page * MEM_PAGE;
    size_t size = size_of(r, page);
    uint8_t *copy;

    if (size == MEM_PAGE && is_zero(from))
        return NULL;
    copy = page_new(&c->pool);
    memcpy(copy, from, size);
    return copy;
}

/* Others that care for the page (decoded code) are told as of any write. */
static void put_back(struct chain *c, const struct page_copy *p)
{
    const struct mem_region *r = region_of(c, p);
    uint64_t off = (uint64_t)p->page * MEM_PAGE;
    size_t size = size_of(r, p->page);

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
    g->sorted = false;
}

static void gap_free(struct chain *c, struct gap *g)
{
    for (size_t i = 0; i < g->n; i++)
        page_free(&c->pool, g->page[i].data);
    c->entries -= g->n;
    free(g->page);
    *g = (struct gap){ 0 };
}

static uint64_t key(const struct page_copy *p)
{
    return (uint64_t)p->region << 32 | p->page;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = key(a), y = key(b);

    return x < y ? -1 : x > y;
}

static void gap_sort(struct gap *g)
{
    if (!g->sorted && g->n)
        qsort(g->page, g->n, sizeof *g->page, by_key);
    g->sorted = true;
}

/* One gap of two; where both have a page, that of first is the one. */
static struct gap gap_merge(struct chain *c, struct gap *first,
                            struct gap *second)
{
    struct gap g = { 0 };
    size_t i = 0, j = 0;

    gap_sort(first);
    gap_sort(second);
    while (i < first->n || j < second->n) {
        uint64_t a = i < first->n ? key(&first->page[i]) : UINT64_MAX;
        uint64_t b = j < second->n ? key(&second->page[j]) : UINT64_MAX;

        gap_add(&g, a <= b ? first->page[i] : second->page[j]);
        if (a == b) {
            page_free(&c->pool, second->page[j].data);
            c->entries--;
        }
        i += a <= b;
        j += b <= a;
    }
    free(first->page);
    free(second->page);
    *first = *second = (struct gap){ 0 };
    g.sorted = true;
    return g;
}

/* Memory goes to the gap's other end. */
static void gap_exchange(struct chain *c, struct gap *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct page_copy *p = &g->page[i];
        uint8_t *now = copy_of(c, region_of(c, p), p->page);

        put_back(c, p);
        page_free(&c->pool, p->data);
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

static struct page_copy keep(struct chain *c, uint64_t pa)
{
    struct mem *mem = c->m->mem;
    const struct mem_region *r = mem_find(mem, pa);
    struct page_copy p = { .region = number_of(mem, r) };

    p.page = (uint32_t)((pa - r->base) / MEM_PAGE);
    touch(r->host + (uint64_t)p.page * MEM_PAGE);
    p.data = copy_of(c, r, p.page);
    r->attn[p.page] &= (uint8_t)~MEM_ATTN_COPY;
    gap_add(&c->working, p);
    c->entries++;
    return p;
}

/* The same, with an eye on how long it takes; the host may have been busy. */
static struct page_copy keep_timed(struct chain *c, uint64_t pa)
{
    int64_t grown = c->pool.grown_ns, began = chain_clock(), took;
    struct page_copy p = keep(c, pa);

    took = chain_clock() - began - c->clock_ns - (c->pool.grown_ns - grown);
    if (!p.data)
        return p;
    if (took > 2 * c->copy_ns)
        took = 2 * c->copy_ns;
    c->copy_ns += (took - c->copy_ns) / 8;
    return p;
}

static void written(void *opaque, uint64_t pa, size_t len, unsigned bits)
{
    struct chain *c = opaque;
    struct page_copy p;

    (void)len;
    if (!(bits & MEM_ATTN_COPY) || c->restoring)
        return;
    p = c->working.n % SAMPLE ? keep(c, pa) : keep_timed(c, pa);
    c->copies += p.data != NULL;
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

/* The working pages have gone elsewhere: from now on writes count anew. */
static void begin_working(struct chain *c, const struct gap *were)
{
    for (size_t i = 0; i < were->n; i++)
        arm(c, &were->page[i]);
    mem_flush(c->m->mem);
    c->working = (struct gap){ 0 };
}

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

struct chain *chain_new(struct machine *m, size_t bytes)
{
    struct chain *c = xcalloc(1, sizeof *c);

    c->m = m;
    c->limit = bytes;
    c->copy_ns = COPY_NS;
    c->clock_ns = clock_cost();
    c->born_ns = chain_clock();
    mem_on_write(m->mem, written, c);
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
    for (size_t i = 0; i < c->pool.slabs; i++)
        free(c->pool.slab[i]);
    free(c->pool.slab);
    free(c->at);
    free(c);
}

size_t chain_count(const struct chain *c) { return c->n; }

struct checkpoint *chain_nth(const struct chain *c, size_t n)
{
    return c->at[n];
}

size_t chain_here(const struct chain *c) { return c->here; }

int64_t chain_cost(const struct chain *c)
{
    return c->spent_ns + c->pool.grown_ns;
}

size_t chain_bytes(const struct chain *c)
{
    return c->pool.used * MEM_PAGE + c->state +
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

/*
 * Between here and the next one: what redoes the whole gap also redoes its
 * second half, if for some pages needlessly.
 */
struct checkpoint *chain_take(struct chain *c)
{
    struct checkpoint *k;

    if (c->n && !c->working.n && chain_at(c, c->at[c->here]))
        return c->at[c->here];
    k = checkpoint_new(c);
    c->spent_ns = c->pool.grown_ns = 0;
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

/* Memory is as of at[here] again. */
static void undo_working(struct chain *c)
{
    struct gap g = c->working;

    for (size_t i = 0; i < g.n; i++)
        put_back(c, &g.page[i]);
    begin_working(c, &g);
    gap_free(c, &g);
}

void chain_restore(struct chain *c, size_t n)
{
    struct checkpoint *k = c->at[n];

    c->restoring = true;
    undo_working(c);
    while (c->here > n)
        gap_exchange(c, &c->at[--c->here]->gap);
    while (c->here < n)
        gap_exchange(c, &c->at[c->here++]->gap);
    c->restoring = false;
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
    size_t n = 0, size = size_of(r, p->page);

    if (!memcmp(now, was, size))
        return true;
    while (now[n] == was[n])
        n++;
    return err_set(err, "memory at %016" PRIx64 " is %02x, was %02x",
                   r->base + (uint64_t)p->page * MEM_PAGE + n, now[n], was[n]);
}

/* Every page that either run wrote must be what the first one left. */
static bool memory_is(struct chain *c, struct gap *then, struct err *err)
{
    struct gap *now = &c->working;
    size_t i = 0, j = 0;

    gap_sort(then);
    gap_sort(now);
    while (i < then->n || j < now->n) {
        uint64_t a = i < then->n ? key(&then->page[i]) : UINT64_MAX;
        uint64_t b = j < now->n ? key(&now->page[j]) : UINT64_MAX;

        if (!page_is(c, a <= b ? &then->page[i] : &now->page[j], err))
            return false;
        i += a <= b;
        j += b <= a;
    }
    return true;
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
    struct gap *a = &c->at[n - 1]->gap, *b = &c->at[n]->gap;
    struct gap g = n < c->here ? gap_merge(c, a, b) : gap_merge(c, b, a);

    *a = g;
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
 * old checkpoints, and only as time goes by from the host.
 */
void chain_make_room(struct chain *c)
{
    const struct pool *p = &c->pool;
    int64_t slabs = SLABS + (chain_clock() - c->born_ns) / SLAB_NS;
    size_t n, want = c->copies;

    c->copies = 0;
    while (p->slabs * SLAB - p->used < want && (int64_t)p->slabs >= slabs &&
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
