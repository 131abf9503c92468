/* SPDX-License-Identifier: MIT */
/* guess.c - which pages of memory will be written. */
#include "emu/machine/guess.h"

#include <stdlib.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"

enum {
#ifdef HOSTILE
    HOT = 1,
    STEADY_DOUBT = 2,
#else
    HOT = 3, /* intervals in a row in which a page was written */
    STEADY_DOUBT = 32,
#endif
    DOUBT = 8, /* once in so many intervals a hot page is left out */
};

void guess_init(struct guess *g, const struct mem *mem, size_t most)
{
    const struct mem_region *r;

    *g = (struct guess){ .most = most, .interval = 2 /* no note says it */ };
    for (; (r = mem_nth(mem, g->notes)); g->notes++) {
        g->note = xrealloc(g->note, (g->notes + 1) * sizeof *g->note);
        /* Of 64 GiB, too: what is not touched costs nothing. */
        g->note[g->notes] =
            r->host ? xcalloc(r->size / MEM_PAGE + 1, sizeof **g->note) : NULL;
    }
}

void guess_fini(struct guess *g)
{
    for (size_t n = 0; n < g->notes; n++)
        free(g->note[n]);
    free(g->note);
    free(g->recent.at);
    free(g->hot.at);
    *g = (struct guess){ 0 };
}

static void add(struct page_list *l, struct page_place p)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->at = xrealloc(l->at, l->room * sizeof *l->at);
    }
    l->at[l->n++] = p;
}

void guess_written(struct guess *g, struct page_place p)
{
    struct page_note *n = guess_note(g, p);

    if (n->last == g->interval || g->recent.n >= g->most)
        return;
    if (n->last == (uint8_t)(g->interval - 1))
        g->again++;
    else
        n->streak = 0;
    n->streak += n->streak < UINT8_MAX;
    n->last = g->interval;
    add(&g->recent, p);
}

/* Was nearly all that could show it written again? */
static bool is_steady(const struct guess *g)
{
    return g->asked && g->again + g->asked / 8 >= g->asked;
}

static bool is_hot(const struct guess *g, struct page_place p, bool steady)
{
    return guess_note(g, p)->streak >= (steady ? 1 : HOT) &&
           (p.page + g->interval) % (steady ? STEADY_DOUBT : DOUBT);
}

void guess_next(struct guess *g)
{
    struct page_list were = g->recent;
    bool steady = is_steady(g);

    g->recent = g->hot;
    g->recent.n = 0;
    g->hot = (struct page_list){ 0 };
    g->interval++;
    for (size_t i = 0; i < were.n; i++) {
        if (!is_hot(g, were.at[i], steady))
            continue;
        add(&g->hot, were.at[i]);
        add(&g->recent, were.at[i]);
        guess_note(g, were.at[i])->last = g->interval;
    }
    g->asked = were.n - g->hot.n;
    g->again = 0;
    free(were.at);
}
