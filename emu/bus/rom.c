/* SPDX-License-Identifier: MIT */
/* rom.c - the blobs that are copied into memory at every reset. */
#include "emu/bus/rom.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/images.h"
#include "emu/bus/mem.h"

struct roms {
    struct mem *mem;
    struct rom **rom; /* by address */
    size_t n;
    struct images *images;
};

/* Images that lie in RAM ---------------------------------------------------- */

static uint64_t page_of(uint64_t pa) { return pa / MEM_PAGE; }

static size_t pages(const struct rom *r)
{
    return page_of(r->addr + r->len - 1) - page_of(r->addr) + 1;
}

static bool lies_in(const struct rom *r, uint64_t page)
{
    return r->saved && page >= page_of(r->addr) &&
           page - page_of(r->addr) < pages(r);
}

/* Before the first write to a page of an image: the page is kept. */
static void save_page(void *opaque, uint64_t pa, size_t len)
{
    const struct roms *s = opaque;
    uint64_t page = page_of(pa);

    (void)len;
    mem_unattend(s->mem, pa, MEM_ATTN_IMAGE);
    for (size_t i = 0; i < s->n; i++) {
        struct rom *r = s->rom[i];
        uint8_t **saved;

        if (!lies_in(r, page))
            continue;
        saved = &r->saved[page - page_of(r->addr)];
        if (!*saved) {
            *saved = xmalloc(MEM_PAGE);
            mem_peek(s->mem, page * MEM_PAGE, *saved, MEM_PAGE);
        }
    }
}

struct roms *roms_new(struct mem *m)
{
    struct roms *s = xcalloc(1, sizeof *s);

    s->mem = m;
    mem_on_write(m, MEM_ATTN_IMAGE, save_page, s);
    s->images = images_new();
    return s;
}

static void free_rom(struct rom *r)
{
    for (size_t n = 0; r->saved && n < pages(r); n++)
        free(r->saved[n]);
    free(r->saved);
    free(r->name);
    free(r->data);
    free(r);
}

void roms_free(struct roms *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free_rom(s->rom[i]);
    images_free(s->images);
    free(s->rom);
    free(s);
}

struct images *roms_images(const struct roms *s) { return s->images; }

static void insert(struct roms *s, struct rom *r)
{
    size_t at = s->n;

    s->rom = xrealloc(s->rom, (s->n + 1) * sizeof *s->rom);
    for (; at > 0 && s->rom[at - 1]->addr > r->addr; at--)
        s->rom[at] = s->rom[at - 1];
    s->rom[at] = r;
    s->n++;
}

struct rom *rom_add(struct roms *s, const char *name, uint64_t addr,
                    const void *data, size_t len, uint64_t size)
{
    struct rom *r = xmalloc(sizeof *r);

    *r = (struct rom){ .name = xstrdup(name),
                       .addr = addr,
                       .size = size < len ? len : size,
                       .len = len,
                       .data = xmalloc(len ? len : 1) };
    if (len)
        memcpy(r->data, data, len);
    insert(s, r);
    return r;
}

static bool keeps_bytes(const struct mem *m, uint64_t at)
{
    const struct mem_region *region = mem_find(m, at);

    return region && region->host;
}

/* The largest page that linkers align segments to. */
enum { HEAD_MAX = 0x10000 };

/*
 * How much of r comes before memory does. `ld -Ttext=0x80000000` maps the
 * file's own headers into the page below the text, where there is nothing;
 * QEMU drops them, and so many a bare-metal guest is linked like that.
 */
static uint64_t head(const struct mem *m, const struct rom *r)
{
    uint64_t n = 0;

    if (r->addr % MEM_PAGE)
        return 0;
    while (n <= HEAD_MAX && n < r->size && !keeps_bytes(m, r->addr + n))
        n += MEM_PAGE;
    return n <= HEAD_MAX && n < r->len ? n : 0;
}

/* Does memory that keeps bytes (RAM, ROM, flash) hold the rest of r? */
static bool fits(const struct mem *m, const struct rom *r)
{
    uint64_t skip = head(m, r);
    uint64_t at = r->addr + skip, left = r->size - skip, n;

    for (; left > 0; at += n, left -= n) {
        const struct mem_region *region = mem_find(m, at);

        if (!region || !region->host)
            return false;
        n = region->size - (at - region->base);
        n = n < left ? n : left;
    }
    return true;
}

static bool overlap(const struct rom *a, const struct rom *b, struct err *err)
{
    return err_set(
        err,
        "Some ROM regions are overlapping\n"
        "These ROM regions might have been loaded by direct user request or "
        "by default.\n"
        "They could be BIOS/firmware images, a guest kernel, initrd or some "
        "other file loaded into guest memory.\n"
        "Check whether you intended to load all this guest code, and whether "
        "it has been built to load to the correct addresses.\n"
        "\n"
        "The following two regions overlap (in the memory address space):\n"
        "  %s (addresses 0x%016" PRIx64 " - 0x%016" PRIx64 ")\n"
        "  %s (addresses 0x%016" PRIx64 " - 0x%016" PRIx64 ")",
        a->name, a->addr, a->addr + a->size, b->name, b->addr,
        b->addr + b->size);
}

bool roms_check(const struct roms *s, struct err *err)
{
    for (size_t i = 0; i + 1 < s->n; i++)
        if (s->rom[i + 1]->addr - s->rom[i]->addr < s->rom[i]->size)
            return overlap(s->rom[i], s->rom[i + 1], err);
    for (size_t i = 0; i < s->n; i++)
        if (!fits(s->mem, s->rom[i]))
            return err_set(err,
                           "%s (addresses 0x%016" PRIx64 " - 0x%016" PRIx64
                           ") does not lie in memory",
                           s->rom[i]->name, s->rom[i]->addr,
                           s->rom[i]->addr + s->rom[i]->size);
    return true;
}

static void zero(struct mem *m, uint64_t at, uint64_t left)
{
    static const char zeros[MEM_PAGE];

    while (left > 0) {
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;

        if (mem_poke(m, at, zeros, n) < n)
            return;
        at += n;
        left -= n;
    }
}

/* The part of page n of r that is the blob's. */
static size_t part(const struct rom *r, size_t n, uint64_t *pa)
{
    uint64_t end = (page_of(r->addr) + n + 1) * MEM_PAGE;

    *pa = n ? end - MEM_PAGE : r->addr;
    return (end < r->addr + r->len ? end : r->addr + r->len) - *pa;
}

static void put_back(struct mem *m, const struct rom *r)
{
    for (size_t n = 0; n < pages(r); n++) {
        uint64_t pa;
        size_t len = part(r, n, &pa);

        if (r->saved[n])
            mem_poke(m, pa, r->saved[n] + pa % MEM_PAGE, len);
    }
}

/* Its bytes are in memory now: if that is RAM, there they are kept. */
static void keep_in_ram(struct mem *m, struct rom *r)
{
    const struct mem_region *region = mem_find(m, r->addr);

    if (!r->len || !region || region->kind != MEM_RAM ||
        region->size - (r->addr - region->base) < r->len)
        return;
    free(r->data);
    r->data = NULL;
    r->saved = xcalloc(pages(r), sizeof *r->saved);
    for (size_t n = 0; n < pages(r); n++)
        mem_attend(m, (page_of(r->addr) + n) * MEM_PAGE, MEM_ATTN_IMAGE);
}

static void reset_rom(struct mem *m, struct rom *r)
{
    uint64_t skip = head(m, r);

    if (r->data)
        mem_poke(m, r->addr + skip, r->data + skip, r->len - skip);
    else
        put_back(m, r);
    zero(m, r->addr + r->len, r->size - r->len);
}

void roms_reset(struct roms *s)
{
    for (size_t i = 0; i < s->n; i++)
        reset_rom(s->mem, s->rom[i]);
    for (size_t i = 0; i < s->n; i++)
        if (s->rom[i]->data)
            keep_in_ram(s->mem, s->rom[i]);
}

void rom_read(const struct roms *s, const struct rom *r, uint64_t off,
              void *data, size_t n)
{
    size_t take;

    assert(off <= r->len && n <= r->len - off);
    for (uint8_t *to = data; n > 0; to += take, off += take, n -= take) {
        uint64_t pa = r->addr + off;
        const uint8_t *saved =
            r->saved ? r->saved[page_of(pa) - page_of(r->addr)] : NULL;

        take = MEM_PAGE - pa % MEM_PAGE;
        take = take < n ? take : n;
        if (r->data)
            memcpy(to, r->data + off, take);
        else if (saved)
            memcpy(to, saved + pa % MEM_PAGE, take);
        else
            mem_peek(s->mem, pa, to, take);
    }
}

const struct rom *rom_nth(const struct roms *s, size_t n)
{
    return n < s->n ? s->rom[n] : NULL;
}
