/* SPDX-License-Identifier: MIT */
/* rom.c - the blobs that are copied into memory at every reset. */
#include "emu/bus/rom.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"

struct roms {
    struct mem *mem;
    struct rom **rom; /* by address */
    size_t n;
};

struct roms *roms_new(struct mem *m)
{
    struct roms *s = xcalloc(1, sizeof *s);

    s->mem = m;
    return s;
}

void roms_free(struct roms *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->rom[i]->name);
        free(s->rom[i]->data);
        free(s->rom[i]);
    }
    free(s->rom);
    free(s);
}

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

    *r = (struct rom){ xstrdup(name), addr, size < len ? len : size,
                       xmalloc(len ? len : 1), len };
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

void roms_reset(struct roms *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct rom *r = s->rom[i];
        uint64_t skip = head(s->mem, r);

        mem_poke(s->mem, r->addr + skip, r->data + skip, r->len - skip);
        zero(s->mem, r->addr + r->len, r->size - r->len);
    }
}

const struct rom *rom_nth(const struct roms *s, size_t n)
{
    return n < s->n ? s->rom[n] : NULL;
}
