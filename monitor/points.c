/* SPDX-License-Identifier: MIT */
/*
 * points.c - breakpoints and watchpoints that were set in a monitor.
 *
 * They belong to all monitors together (owner is this file's table) and have
 * numbers that are never used again, so that one session, or gdb's `monitor`,
 * can delete what another has set.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

struct numbered {
    int number;
    struct debug_point point;
};

static struct {
    struct numbered *row;
    size_t n;
    int last;
} table;

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {
        [DEBUG_BREAK] = "breakpoint",
        [DEBUG_READ] = "read watchpoint",
        [DEBUG_WRITE] = "watchpoint",
        [DEBUG_READ | DEBUG_WRITE] = "access watchpoint",
    };

    return kind < ARRAY_LEN(names) && names[kind] ? names[kind] : "point";
}

static bool same(const struct debug_point *a, const struct debug_point *b)
{
    return a->kind == b->kind && a->addr == b->addr && a->len == b->len &&
           a->owner == b->owner;
}

static const struct numbered *find(const struct debug_point *p)
{
    for (size_t i = 0; i < table.n; i++)
        if (same(&table.row[i].point, p))
            return &table.row[i];
    return NULL;
}

static int note(const struct debug_point *p)
{
    const struct numbered *old = find(p);

    if (old)
        return old->number;
    table.row = xrealloc(table.row, (table.n + 1) * sizeof *table.row);
    table.row[table.n++] = (struct numbered){ ++table.last, *p };
    return table.last;
}

static void add(struct monitor *mon, uint32_t kind, const struct args *a,
                uint64_t len)
{
    struct debug_point p = { .kind = kind,
                             .addr = arg_number(a, "addr", 0),
                             .len = arg_number(a, "len", len),
                             .owner = &table };
    struct err err;

    if (p.len == 0) {
        mon_print(mon, "Error: the length must be at least 1\n");
        return;
    }
    if (!debug_point_add(mon->m, &p, &err)) {
        mon_error(mon, &err);
        return;
    }
    mon_print(mon, "Point %d: %s at 0x%" PRIx64 "\n", note(&p), kind_name(kind),
              p.addr);
}

void hmp_break(struct monitor *mon, const struct args *a)
{
    add(mon, DEBUG_BREAK, a, 4);
}

void hmp_watch(struct monitor *mon, const struct args *a)
{
    add(mon, DEBUG_WRITE, a, 8);
}

void hmp_rwatch(struct monitor *mon, const struct args *a)
{
    add(mon, DEBUG_READ, a, 8);
}

void hmp_awatch(struct monitor *mon, const struct args *a)
{
    add(mon, DEBUG_READ | DEBUG_WRITE, a, 8);
}

void hmp_delete(struct monitor *mon, const struct args *a)
{
    bool all = !arg_given(a, "number");
    int number = (int)arg_number(a, "number", 0);
    size_t kept = 0;

    for (size_t i = 0; i < table.n; i++)
        if (all || table.row[i].number == number)
            debug_point_remove(mon->m, &table.row[i].point);
        else
            table.row[kept++] = table.row[i];
    if (kept == table.n && !all)
        mon_print(mon, "Error: no point number %d\n", number);
    table.n = kept;
}

void info_points(struct monitor *mon, const struct args *a)
{
    struct debug_point p;

    (void)a;
    for (size_t i = 0; debug_point(mon->m, i, &p); i++) {
        const struct numbered *ours = find(&p);

        if (ours)
            mon_print(mon, "%-4d", ours->number);
        else
            mon_print(mon, "%-4s", "-");
        mon_print(mon, "%-17s  0x%016" PRIx64, kind_name(p.kind), p.addr);
        if (p.kind != DEBUG_BREAK)
            mon_print(mon, "  %" PRIu64 " bytes", p.len);
        mon_print(mon, "%s\n", ours ? "" : "  set elsewhere");
    }
}

static void say(struct monitor *mon, const struct debug_stop *s, int number)
{
    static const char *const did[] = {
        [DEBUG_READ] = "reads",
        [DEBUG_WRITE] = "writes",
        [DEBUG_READ | DEBUG_WRITE] = "reads and writes",
    };
    struct debug_hart h;
    uint64_t pc;
    int hart = mon->hart;

    debug_hart(mon->m, s->hart, &h);
    mon_print(mon, "Point %d: hart %d at 0x%" PRIx64, number, s->hart, h.pc);
    if (s->reason == DEBUG_STOP_WATCH && s->access < ARRAY_LEN(did) &&
        did[s->access])
        mon_print(mon, " %s 0x%" PRIx64, did[s->access], s->addr);
    mon_print(mon, "\n");
    pc = h.pc;
    mon->hart = s->hart;
    mon_disas(mon, DEBUG_VIRT, &pc);
    mon->hart = hart;
}

bool points_stopped(struct monitor *mon, const struct debug_stop *s)
{
    const struct numbered *ours;

    if (s->reason != DEBUG_STOP_BREAK && s->reason != DEBUG_STOP_WATCH)
        return false;
    ours = find(&s->point);
    if (ours && mon)
        say(mon, s, ours->number);
    return ours != NULL;
}

bool points_are_ours(const void *owner)
{
    return owner == &table || owner == NULL;
}

void points_forget(void)
{
    free(table.row);
    memset(&table, 0, sizeof table);
}
