/* SPDX-License-Identifier: MIT */
/* info_mem.c - info mem, mtree, memory_size_summary. */
#include <inttypes.h>
#include <string.h>

#include "monitor/mon.h"

/* info mem ---------------------------------------------------------------- */

/* A run of pages with the same rights, one behind the other in both views. */
struct run {
    struct monitor *mon;
    uint64_t va, pa, size, page;
    unsigned attr;
    bool begun; /* the heading is printed */
};

static void put_run(const struct run *r)
{
    static const char letters[] = "rwxugad";

    if (r->size == 0)
        return;
    mon_print(r->mon, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " ", r->va,
              r->pa, r->size);
    for (int i = 0; letters[i]; i++)
        mon_print(r->mon, "%c", r->attr >> (i + 1) & 1 ? letters[i] : '-');
    mon_print(r->mon, "\n");
}

/* QEMU starts a row with each table: pages of one table are 512 in number. */
static bool joins(const struct run *r, uint64_t va, uint64_t pa, uint64_t size,
                  unsigned attr)
{
    return r->size > 0 && attr == r->attr && size == r->page &&
           va == r->va + r->size && pa == r->pa + r->size &&
           va % (size * 512) != 0;
}

static void put_heading(struct run *r)
{
    static const char line[] = "----------------";

    if (!r->begun)
        mon_print(r->mon, "%-16s %-16s %-16s attr\n%s %s %s -------\n", "vaddr",
                  "paddr", "size", line, line, line);
    r->begun = true;
}

static void leaf(void *opaque, uint64_t va, uint64_t pa, uint64_t size,
                 uint64_t pte)
{
    struct run *r = opaque;
    unsigned attr = pte & 0xff;

    if (joins(r, va, pa, size, attr)) {
        r->size += size;
        return;
    }
    put_heading(r);
    put_run(r);
    *r = (struct run){ r->mon, va, pa, size, size, attr, true };
}

void info_mem(struct monitor *mon, const struct args *a)
{
    struct run r = { .mon = mon };

    (void)a;
    if (!debug_leaves(mon->m, mon->hart, leaf, &r)) {
        mon_print(mon, "No translation or protection\n");
        return;
    }
    put_heading(&r);
    put_run(&r);
}

/* info mtree -------------------------------------------------------------- */

static void put_region(struct monitor *mon, int indent, uint64_t base,
                       uint64_t last, const char *type, const char *name)
{
    mon_print(mon, "%*s%016" PRIx64 "-%016" PRIx64 " (prio 0, %s): %s\n",
              indent, "", base, last, type, name);
}

/* What is nested is not in the flat view: the tree shows it, within the
 * region it lies in if there is one. */
static void put_regions(struct monitor *mon, int indent, bool nested)
{
    struct debug_region r, in = { 0 };

    for (size_t i = 0; debug_region(mon->m, i, &r); i++) {
        bool inside = r.nested && r.base - in.base < in.size;

        if (nested || !r.nested)
            put_region(mon, indent + (inside ? 2 : 0), r.base,
                       r.base + r.size - 1, r.type, r.name);
        if (!r.nested)
            in = r;
    }
}

static void flat_view(struct monitor *mon)
{
    mon_print(mon, "FlatView #0\n AS \"memory\", root: system\n");
    for (int i = 0; i < debug_harts(mon->m); i++)
        mon_print(mon, " AS \"cpu-memory-%d\", root: system\n", i);
    mon_print(mon, " Root memory region: system\n");
    put_regions(mon, 2, false);
    mon_print(mon, "\n");
}

static void tree(struct monitor *mon)
{
    for (int i = 0; i < debug_harts(mon->m); i++)
        mon_print(mon, "address-space: cpu-memory-%d\n", i);
    mon_print(mon, "address-space: memory\n");
    put_region(mon, 2, 0, UINT64_MAX, "i/o", "system");
    put_regions(mon, 4, true);
    mon_print(mon, "\n");
}

void info_mtree(struct monitor *mon, const struct args *a)
{
    struct debug_region r;

    if (!debug_region(mon->m, 0, &r) && debug_phase(mon->m) < FROM_MACHINE)
        return;
    if (arg_given(a, "flatview"))
        flat_view(mon);
    else
        tree(mon);
}

void info_memory_size_summary(struct monitor *mon, const struct args *a)
{
    struct debug_region r;
    uint64_t sum = 0;

    (void)a;
    for (size_t i = 0; debug_region(mon->m, i, &r); i++)
        if (strcmp(r.type, "ram") == 0)
            sum += r.size;
    mon_print(mon, "base memory: %" PRIu64 "\n", sum);
}
