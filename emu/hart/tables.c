/* SPDX-License-Identifier: MIT */
/*
 * tables.c - page tables in use.
 *
 * For each page with such entries there is a struct table, for each TLB that
 * remembers something of it a struct table_use. A bit per entry says what: a
 * leaf of an ordinary page, of which one TLB entry came; instructions by such a
 * leaf; or anything else (an entry that leads to other tables, a superpage),
 * after which the TLB forgets all it knows.
 *
 * A page stays in use until all of its TLBs forget: a leaf of which the TLB
 * entry is gone still has its bit. Kernels clear the entry that leads to a table
 * before they use its page for something else, and then the page is free again.
 */
#include "emu/hart/tables.h"

#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/hart/mmu_walk.h"
#include "emu/hart/tlb.h"

enum {
    ENTRIES = MEM_PAGE / 8,
    WORDS = ENTRIES / 64,
    HASH_BITS = 10,
#ifdef HOSTILE
    MOST_USES = 8,
#else
    MOST_USES = 1 << 14, /* 4 MiB; the tables of 32 GiB of pages */
#endif
};

struct table {
    uint64_t pa;
    struct table *next; /* of the same hash */
    struct table_use *uses;
};

struct table_use {
    struct table *table;
    struct tlb *tlb;
    struct table_use *next_of_table, *next_of_tlb;
    uint64_t leaf[WORDS], code[WORDS], wide[WORDS];
};

struct tables {
    struct mem *mem;
    struct table *hash[1 << HASH_BITS];
    struct tables_info info;
};

static struct table **chain_of(struct tables *t, uint64_t page)
{
    return &t->hash[page / MEM_PAGE % (1 << HASH_BITS)];
}

static struct table *find(struct tables *t, uint64_t page)
{
    struct table *k = *chain_of(t, page);

    while (k && k->pa != page)
        k = k->next;
    return k;
}

/* Using --------------------------------------------------------------------- */

static struct table *add_table(struct tables *t, uint64_t page)
{
    struct table *k = xcalloc(1, sizeof *k), **chain = chain_of(t, page);

    k->pa = page;
    k->next = *chain;
    *chain = k;
    t->info.pages++;
    mem_attend(t->mem, page, MEM_ATTN_TABLE);
    return k;
}

static void enter(struct tables *t, struct table_use *u, uint64_t page)
{
    struct table *k = find(t, page);

    if (!k)
        k = add_table(t, page);
    u->table = k;
    u->next_of_table = k->uses;
    k->uses = u;
}

static struct table_use *find_use(struct tables *t, const struct tlb *tlb,
                                  uint64_t page)
{
    struct table *k = find(t, page);
    struct table_use *u = k ? k->uses : NULL;

    while (u && u->tlb != tlb)
        u = u->next_of_table;
    return u;
}

static struct table_use *use_of(struct tables *t, struct tlb *tlb,
                                uint64_t page)
{
    struct table_use *u = find_use(t, tlb, page);

    if (u)
        return u;
    u = xcalloc(1, sizeof *u);
    u->tlb = tlb;
    u->next_of_tlb = tlb->uses;
    tlb->uses = u;
    enter(t, u, page);
    t->info.uses++;
    return u;
}

static uint64_t entry_of(uint64_t page, unsigned n)
{
    return page + 8 * (uint64_t)n;
}

static void set(uint64_t *bits, uint64_t pte)
{
    uint64_t n = pte % MEM_PAGE / 8;

    bits[n / 64] |= UINT64_C(1) << n % 64;
}

/* There are too many: all harts forget all they know. */
static void start_again(struct tables *t)
{
    for (size_t n = 0; n < 1 << HASH_BITS; n++)
        while (t->hash[n])
            tlb_forget(t->hash[n]->uses->tlb);
}

void tables_use(struct tables *t, struct tlb *tlb, const struct mapping *m,
                bool exec)
{
    if (t->info.uses + (unsigned)m->levels > MOST_USES)
        start_again(t);
    for (int n = 0; n < m->levels; n++) {
        uint64_t pte = m->pte_addr[n], page = pte & -(uint64_t)MEM_PAGE;
        struct table_use *u = tlb->last[n];

        if (!u || u->table->pa != page)
            u = tlb->last[n] = use_of(t, tlb, page);
        set(pte == m->leaf ? u->leaf : u->wide, pte);
        if (exec && pte == m->leaf)
            set(u->code, pte);
        tlb->tangled |= n > 0 && u == tlb->last[0];
    }
}

void tables_use_leaf(struct tlb *tlb, const struct mapping *m)
{
    set(tlb->last[m->levels - 1]->leaf, m->leaf);
}

/* Leaving ------------------------------------------------------------------- */

static void remove_table(struct tables *t, struct table *k)
{
    struct table **p = chain_of(t, k->pa);

    while (*p != k)
        p = &(*p)->next;
    *p = k->next;
    mem_unattend(t->mem, k->pa, MEM_ATTN_TABLE);
    t->info.pages--;
    free(k);
}

static void leave_table(struct tables *t, struct table_use *u)
{
    struct table *k = u->table;
    struct table_use **p = &k->uses;

    while (*p != u)
        p = &(*p)->next_of_table;
    *p = u->next_of_table;
    if (!k->uses)
        remove_table(t, k);
}

static void remove_use(struct tables *t, struct table_use *u)
{
    leave_table(t, u);
    t->info.uses--;
    free(u);
}

void tables_leave(struct tables *t, struct tlb *tlb)
{
    struct table_use *next;

    for (struct table_use *u = tlb->uses; u; u = next) {
        next = u->next_of_tlb;
        remove_use(t, u);
    }
    tlb->uses = NULL;
    tlb->tangled = false;
    memset(tlb->last, 0, sizeof tlb->last);
}

/* Writes -------------------------------------------------------------------- */

/* The first bit that is set in [from, to), or to. */
static unsigned next_bit(const uint64_t *bits, unsigned from, unsigned to)
{
    while (from < to) {
        uint64_t word = bits[from / 64] >> from % 64;

        if (word) {
            from += (unsigned)__builtin_ctzll(word);
            return from < to ? from : to;
        }
        from = (from | 63) + 1;
    }
    return to;
}

/* Entries [from, to) of u's table change. */
static void entries_change(struct tables *t, struct table_use *u, unsigned from,
                           unsigned to)
{
    if (next_bit(u->wide, from, to) < to) {
        t->info.forgot++;
        tlb_forget(u->tlb); /* and u is gone */
        return;
    }
    for (unsigned n = from; (n = next_bit(u->leaf, n, to)) < to; n++) {
        uint64_t bit = UINT64_C(1) << n % 64;

        t->info.leaves++;
        tlb_forget_leaf(u->tlb, entry_of(u->table->pa, n),
                        u->code[n / 64] & bit);
        u->leaf[n / 64] &= ~bit;
        u->code[n / 64] &= ~bit;
    }
}

/* A write listener: [pa, pa+len) lies in one page. */
static void written(void *opaque, uint64_t pa, size_t len)
{
    struct tables *t = opaque;
    uint64_t page = pa & -(uint64_t)MEM_PAGE;
    unsigned from = (unsigned)(pa - page) / 8,
             to = (unsigned)(pa - page + len + 7) / 8;
    struct table *k = find(t, page);
    struct table_use *u = k ? k->uses : NULL, *next;

    t->info.writes += u != NULL;
    for (; u; u = next) {
        next = u->next_of_table;
        entries_change(t, u, from, to);
    }
}

/* Moving -------------------------------------------------------------------- */

static uint64_t read_entry(struct tables *t, uint64_t page, unsigned n)
{
    uint64_t pte = 0;

    mem_peek(t->mem, entry_of(page, n), &pte, sizeof pte);
    return pte;
}

bool tables_move(struct tables *t, struct tlb *tlb, uint64_t root)
{
    struct table_use *u = tlb->last[0];

    if (!u)
        return !tlb->uses;
    for (unsigned n = 0; (n = next_bit(u->wide, n, ENTRIES)) < ENTRIES; n++)
        if (tlb->tangled ||
            read_entry(t, u->table->pa, n) != read_entry(t, root, n))
            return false;
    if (find_use(t, tlb, root))
        return false;
    leave_table(t, u);
    enter(t, u, root);
    return true;
}

/* --------------------------------------------------------------------------- */

struct tables *tables_new(struct mem *m)
{
    struct tables *t = xcalloc(1, sizeof *t);

    t->mem = m;
    mem_on_write(m, MEM_ATTN_TABLE, written, t);
    return t;
}

static void free_table(struct table *k)
{
    for (struct table_use *u = k->uses, *next; u; u = next) {
        next = u->next_of_table;
        free(u);
    }
    free(k);
}

void tables_free(struct tables *t)
{
    if (!t)
        return;
    for (size_t n = 0; n < 1 << HASH_BITS; n++)
        for (struct table *k = t->hash[n], *next; k; k = next) {
            next = k->next;
            free_table(k);
        }
    free(t);
}

struct tables_info tables_info(const struct tables *t) { return t->info; }
