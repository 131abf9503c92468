/* SPDX-License-Identifier: MIT */
/* pages.c - copies of pages of memory, by the thousand. */
#include "emu/machine/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "emu/base/log.h"

#include "emu/bus/mem.h"

int64_t pages_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* To be given memory page by page takes longer than to copy them; a huge page
 * may have to be made first. */
static void populate(uint8_t *slab, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    madvise(slab, size, MADV_POPULATE_WRITE);
#else
    (void)slab, (void)size;
#endif
}

static void add_slab(struct pages *p)
{
    size_t size = (size_t)PAGES_SLAB * MEM_PAGE;
    int64_t began = pages_clock();
    uint8_t *slab = xaligned(size);

    populate(slab, size);
    p->slab = xrealloc(p->slab, (p->slabs + 1) * sizeof *p->slab);
    p->slab[p->slabs++] = slab;
    p->free = xrealloc(p->free, p->slabs * PAGES_SLAB * sizeof *p->free);
    for (size_t n = PAGES_SLAB; n-- > 0;)
        p->free[p->frees++] = slab + n * MEM_PAGE;
    p->grown_ns += pages_clock() - began;
}

static uint8_t *page_new(struct pages *p)
{
    if (!p->frees)
        add_slab(p);
    p->used++;
    return p->free[--p->frees];
}

void page_free(struct pages *p, uint8_t *page)
{
    if (!page)
        return;
    p->free[p->frees++] = page;
    p->used--;
}

bool page_is_zero(const uint8_t *page)
{
    uint64_t v[8], any = 0;

    for (size_t n = 0; n < MEM_PAGE && !any; n += sizeof v) {
        memcpy(v, page + n, sizeof v);
        any = v[0] | v[1] | v[2] | v[3] | v[4] | v[5] | v[6] | v[7];
    }
    return !any;
}

/* Past the caches: nobody will read the copy soon, and a line that is going to
 * be overwritten need not be read first. */
static void copy(uint8_t *to, const uint8_t *from)
{
#ifdef __SSE2__
    for (size_t n = 0; n < MEM_PAGE; n += 64) {
        __m128i v[4];

        memcpy(v, from + n, sizeof v);
        for (size_t i = 0; i < 4; i++)
            _mm_stream_si128((__m128i *)(void *)(to + n + 16 * i), v[i]);
    }
#else
    memcpy(to, from, MEM_PAGE);
#endif
}

uint8_t *page_copy(struct pages *p, const uint8_t *from, size_t size)
{
    uint8_t *page;

    if (size == MEM_PAGE && page_is_zero(from))
        return NULL;
    page = page_new(p);
    if (size == MEM_PAGE)
        copy(page, from);
    else
        memcpy(page, from, size);
    return page;
}

size_t pages_spare(const struct pages *p) { return p->frees; }

void pages_free_all(struct pages *p)
{
    for (size_t n = 0; n < p->slabs; n++)
        free(p->slab[n]);
    free(p->slab);
    free(p->free);
    *p = (struct pages){ 0 };
}
