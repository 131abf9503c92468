/* SPDX-License-Identifier: MIT */
/*
 * pages.h - copies of pages of memory, by the thousand.
 *
 * Private to this room.
 */
#ifndef EMU_MACHINE_PAGES_H
#define EMU_MACHINE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages for copies; freed ones are kept for the next. */
struct pages {
    uint8_t **slab;
    uint8_t **free; /* a stack: a free page itself is not touched */
    size_t slabs, frees, used;
    int64_t grown_ns; /* what it took to be given memory */
};

enum { PAGES_SLAB = 512 }; /* that are asked for at once: 2 MiB */

/* A copy of a page, or of size bytes, the rest being anything. NULL if a whole
 * page is all zeros. */
uint8_t *page_copy(struct pages *p, const uint8_t *from, size_t size);
void page_free(struct pages *p, uint8_t *page); /* or NULL */
bool page_is_zero(const uint8_t *page);
size_t pages_spare(const struct pages *p); /* without asking for more */
void pages_free_all(struct pages *p);

/* ns of the host's processor that were used, by this thread. */
int64_t pages_clock(void);

#endif
