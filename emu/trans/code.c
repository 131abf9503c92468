/* SPDX-License-Identifier: MIT */
/* code.c - the code cache, and the ways that lead to translations. */
#include "emu/trans/code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/mmu.h"
#include "emu/trans/x86.h"

/* Memory -------------------------------------------------------------------- */

/* perf knows shared memory without a name, and so our map (show.c). */
static bool map_twice(struct trans *t)
{
    uint8_t *rx;

    t->rw = mmap(NULL, t->size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t->rw == MAP_FAILED)
        return false;
    rx = mremap(t->rw, 0, t->size, MREMAP_MAYMOVE); /* the same once more */
    if (rx == MAP_FAILED || mprotect(rx, t->size, PROT_READ | PROT_EXEC) < 0) {
        munmap(t->rw, t->size);
        return false;
    }
    t->to_rx = rx - t->rw;
    return true;
}

bool code_cache_new(struct trans *t, size_t size, struct err *err)
{
    t->size = size;
    if (!map_twice(t)) {
        err_set(err, "no memory for translated code: %s", strerror(errno));
        return false;
    }
    t->notes_size = size / 2;
    t->notes = mmap(NULL, t->notes_size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->notes == MAP_FAILED)
        die("out of memory");
    return true;
}

void code_cache_free(struct trans *t)
{
    munmap(t->rw, t->size);
    munmap(t->rw + t->to_rx, t->size);
    munmap(t->notes, t->notes_size);
}

void *code_note(struct trans *t, size_t size)
{
    void *p = t->notes + t->notes_used;

    size = (size + 15) & ~(size_t)15;
    if (t->notes_size - t->notes_used < size)
        return NULL;
    t->notes_used += size;
    return memset(p, 0, size);
}

/* Finding ------------------------------------------------------------------- */

static struct code **page_of(struct trans *t, uint64_t va)
{
    return &t->page[va / MEM_PAGE % CODE_PAGES];
}

void code_keep(struct code *c)
{
    struct trans *t = c->t;
    struct code **page = page_of(t, c->pc);

    c->next_of_block = c->block->code;
    c->block->code = c;
    c->next_in_page = *page;
    *page = c;
    t->info.translations++;
    t->info.made++;
    t->info.insns += c->n;
}

unsigned code_kind(const struct hart *h)
{
    return (unsigned)h->priv << 1 | mmu_linear(h);
}

struct code *code_find(const struct block *b, uint64_t pc, const struct hart *h)
{
    unsigned kind = code_kind(h);
    struct code *c = b->code;

    while (c && (c->pc != pc || c->kind != kind || c->from != h->range.from ||
                 c->to != h->range.to))
        c = c->next_of_block;
    return c;
}

/* Sites ---------------------------------------------------------------------- */

uint32_t site_new(struct trans *t)
{
    if (t->sites == SITES)
        return 0;
    for (size_t n = 0; n < t->harts; n++) {
        struct sites *s = &hart_caches(t->hart[n])->sites;

        s->site[t->sites] = TLB_NONE;
        s->misses[t->sites] = SITE_MISSES;
    }
    return t->sites++;
}

/* Links --------------------------------------------------------------------- */

void code_link(struct link *l, struct code *to)
{
    x86_aim(l->site, to->entry - to->t->to_rx);
    l->next = to->in;
    to->in = l;
    to->t->info.links++;
}

/* An unlinked jump goes to what stands behind it. */
static void cut_links(struct code *c)
{
    for (struct link *l = c->in; l; l = l->next)
        x86_aim(l->site, l->site + 4);
    c->in = NULL;
}

void code_cut_at(struct trans *t, uint64_t va)
{
    for (struct code *c = *page_of(t, va); c; c = c->next_in_page)
        if (va - c->pc < c->bytes)
            cut_links(c);
}

void code_cut_phys(struct trans *t, uint64_t pa)
{
    for (size_t n = 0; n < CODE_PAGES; n++)
        for (struct code *c = t->page[n]; c; c = c->next_in_page)
            if (pa - c->block->pa < c->bytes)
                cut_links(c);
}

/* Forgetting ---------------------------------------------------------------- */

static void leave_page(struct code *c)
{
    struct code **p = page_of(c->t, c->pc);

    while (*p != c)
        p = &(*p)->next_in_page;
    *p = c->next_in_page;
}

void code_kill(struct code *c)
{
    struct trans *t = c->t;

    cut_links(c);
    leave_page(c);
    c->dead = true;
    for (size_t n = 0; n < t->harts; n++) {
        struct jump_entry *e = jump_entry(t->hart[n], c->pc);

        if (e->code == c->entry)
            e->code = t->hart[n]->fast.no_code;
    }
    t->info.translations--;
    t->info.insns -= c->n;
    t->info.killed++;
}

void code_remake(struct code *c)
{
    struct code **p = &c->block->code;

    if (c->dead)
        return;
    while (*p != c)
        p = &(*p)->next_of_block;
    *p = c->next_of_block;
    code_kill(c);
    c->t->info.remade++;
}

void code_flush(struct trans *t)
{
    for (size_t n = 0; n < t->harts; n++)
        sites_forget(t->hart[n]);
    t->sites = 1;
    memset(t->page, 0, sizeof t->page);
    t->used = t->first;
    t->notes_used = 0;
    t->info.translations = t->info.insns = 0;
    t->info.flushes++;
}
