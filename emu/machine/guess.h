/* SPDX-License-Identifier: MIT */
/*
 * guess.h - which pages of memory will be written.
 *
 * Time is cut into intervals. What is written in one after the other will be
 * in the next one, too: such a page is hot. Since nobody sees whether a hot
 * page is written, some are left out in each interval: they show how true it
 * still is. A guess may be wrong, at the price of a copy.
 *
 * Private to this room.
 */
#ifndef EMU_MACHINE_GUESS_H
#define EMU_MACHINE_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

/* Which one: of mem_nth's regions, and in there. */
struct page_place {
    uint32_t region, page;
};

struct page_list {
    struct page_place *at;
    size_t n, room;
};

struct page_note {
    uint8_t last;   /* the interval in which it was last written */
    uint8_t streak; /* of how many in a row that was the last one */
    bool marked;    /* for who compares lists */
};

struct guess {
    struct page_note **note; /* for each region one for each page */
    size_t notes;
    size_t most;             /* pages that are counted in an interval */
    uint8_t interval;        /* modulo 256 */
    struct page_list recent; /* written in this interval */
    struct page_list hot;    /* will be, it is guessed */
    /* Pages that were written before and are not hot, those that were again. */
    size_t asked, again;
};

void guess_init(struct guess *g, const struct mem *mem, size_t most);
void guess_fini(struct guess *g);

void guess_written(struct guess *g, struct page_place p);
void guess_next(struct guess *g); /* an interval ends */

static inline struct page_note *guess_note(const struct guess *g,
                                           struct page_place p)
{
    return &g->note[p.region][p.page];
}

#endif
