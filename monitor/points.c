/* SPDX-License-Identifier: MIT */
/*
 * points.c - points that were set in a monitor.
 *
 * They belong to all monitors together (owner is this file's table) and have
 * numbers that are never used again, so that one session, or gdb's `monitor`,
 * can delete what another has set.
 */
#include "monitor/points.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

struct numbered {
    int number;
    bool enabled;
    struct debug_point point;
    struct buf code; /* of its condition */
    char *extra;     /* what was typed besides the address, "" */
    uint64_t hits;   /* before it was disabled */
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

    if (kind & DEBUG_CATCH)
        return "catchpoint";
    return kind < ARRAY_LEN(names) && names[kind] ? names[kind] : "point";
}

static bool same(const struct debug_point *a, const struct debug_point *b)
{
    return a->kind == b->kind && a->phys == b->phys && a->addr == b->addr &&
           a->len == b->len && a->harts == b->harts && a->privs == b->privs &&
           a->to == b->to && a->by_satp == b->by_satp && a->satp == b->satp &&
           a->owner == b->owner;
}

static struct numbered *find(const struct debug_point *p)
{
    for (size_t i = 0; i < table.n; i++)
        if (same(&table.row[i].point, p))
            return &table.row[i];
    return NULL;
}

static struct numbered *note(const struct debug_point *p)
{
    struct numbered *row = find(p);

    if (row)
        return row;
    table.row = xrealloc(table.row, (table.n + 1) * sizeof *table.row);
    row = &table.row[table.n++];
    *row = (struct numbered){ .number = ++table.last,
                              .point = *p,
                              .extra = xstrdup("") };
    return row;
}

static void forget(struct numbered *row)
{
    buf_free(&row->code);
    free(row->extra);
}

/* With its condition; code is copied. */
static bool enable(struct machine *m, struct numbered *row, struct err *err)
{
    struct bytecode code = { (const uint8_t *)buf_text(&row->code),
                             row->code.len };
    struct debug_point p = row->point;

    if (code.len > 0)
        p.when = (struct bytecodes){ &code, 1 };
    row->enabled = debug_point_add(m, &p, err);
    return row->enabled;
}

static uint64_t hits_of(const struct machine *m, const struct numbered *row)
{
    struct debug_point p;

    for (size_t i = 0; debug_point(m, i, &p); i++)
        if (same(&p, &row->point))
            return row->hits + p.hits;
    return row->hits;
}

static void disable(struct machine *m, struct numbered *row)
{
    row->hits = hits_of(m, row);
    row->enabled = false;
    debug_point_remove(m, &row->point);
}

static void add(struct monitor *mon, struct point_args *a)
{
    struct numbered *row = note(&a->p);

    buf_clear(&row->code);
    buf_add(&row->code, buf_text(&a->code), a->code.len);
    free(row->extra);
    row->extra = xstrdup(a->extra);
    if (!enable(mon->m, row, a->err)) {
        forget(row);
        memmove(row, row + 1,
                (size_t)(&table.row[--table.n] - row) * sizeof *row);
        mon_error(mon, a->err);
    } else if (a->p.kind & DEBUG_CATCH) {
        mon_print(mon, "Point %d: catchpoint, %s\n", row->number, row->extra);
    } else {
        mon_print(mon, "Point %d: %s at %s0x%" PRIx64 "\n", row->number,
                  kind_name(a->p.kind), a->p.phys ? "physical " : "",
                  a->p.addr);
    }
}

/* kind: what to watch for, 0 for breakpoints, DEBUG_CATCH for catchpoints. */
static void set_point(struct monitor *mon, const struct args *args,
                      uint32_t kind)
{
    struct err err;
    struct point_args a = { .m = mon->m,
                            .hart = mon->hart,
                            .at = arg_text(args, "what"),
                            .p = { .owner = &table },
                            .err = &err };
    bool ok = kind == 0             ? point_args_break(&a)
              : kind == DEBUG_CATCH ? point_args_catch(&a)
                                    : point_args_watch(&a, kind);

    if (ok)
        add(mon, &a);
    else
        mon_error(mon, &err);
    buf_free(&a.code);
}

void hmp_break(struct monitor *mon, const struct args *a)
{
    set_point(mon, a, 0);
}

void hmp_watch(struct monitor *mon, const struct args *a)
{
    set_point(mon, a, DEBUG_WRITE);
}

void hmp_rwatch(struct monitor *mon, const struct args *a)
{
    set_point(mon, a, DEBUG_READ);
}

void hmp_awatch(struct monitor *mon, const struct args *a)
{
    set_point(mon, a, DEBUG_READ | DEBUG_WRITE);
}

void hmp_catch(struct monitor *mon, const struct args *a)
{
    set_point(mon, a, DEBUG_CATCH);
}

/* A point whose owner has gone gets a number of ours, to be deleted by. */
static void adopt(struct machine *m)
{
    struct debug_point p;

    for (size_t i = 0; debug_point(m, i, &p); i++)
        if (!p.owner)
            note(&p)->enabled = true;
}

void hmp_delete(struct monitor *mon, const struct args *a)
{
    bool all = !arg_given(a, "number");
    int number = (int)arg_number(a, "number", 0);
    size_t kept = 0, were = table.n;

    for (size_t i = 0; i < were; i++) {
        struct numbered *row = &table.row[i];

        if (all || row->number == number) {
            debug_point_remove(mon->m, &row->point);
            forget(row);
        } else {
            table.row[kept++] = *row;
        }
    }
    table.n = kept;
    if (kept == were && !all)
        mon_print(mon, "Error: no point number %d\n", number);
}

static struct numbered *numbered(struct monitor *mon, const struct args *a)
{
    int number = (int)arg_number(a, "number", 0);

    for (size_t i = 0; i < table.n; i++)
        if (table.row[i].number == number)
            return &table.row[i];
    mon_print(mon, "Error: no point number %d\n", number);
    return NULL;
}

void hmp_enable(struct monitor *mon, const struct args *a)
{
    struct numbered *row = numbered(mon, a);
    struct err err;

    if (row && !row->enabled && !enable(mon->m, row, &err))
        mon_error(mon, &err);
}

void hmp_disable(struct monitor *mon, const struct args *a)
{
    struct numbered *row = numbered(mon, a);

    if (row && row->enabled)
        disable(mon->m, row);
}

static void describe(struct monitor *mon, const struct debug_point *p,
                     const char *extra)
{
    mon_print(mon, "%-17s  ", kind_name(p->kind));
    if (p->kind & DEBUG_CATCH) {
        mon_print(mon, "%s", extra);
        return;
    }
    mon_print(mon, "0x%016" PRIx64 "%s", p->addr, p->phys ? " physical" : "");
    if (p->kind != DEBUG_BREAK)
        mon_print(mon, "  %" PRIu64 " bytes", p->len);
    if (*extra)
        mon_print(mon, "  %s", extra);
}

static void print_hits(struct monitor *mon, uint64_t hits)
{
    if (hits > 0)
        mon_print(mon, "  hit %" PRIu64 " time%s", hits, hits > 1 ? "s" : "");
}

void info_points(struct monitor *mon, const struct args *a)
{
    struct debug_point p;

    (void)a;
    adopt(mon->m);
    for (size_t i = 0; i < table.n; i++) {
        const struct numbered *row = &table.row[i];

        mon_print(mon, "%-4d", row->number);
        describe(mon, &row->point, row->extra);
        print_hits(mon, row->enabled ? hits_of(mon->m, row) : row->hits);
        mon_print(mon, "%s%s\n", row->enabled ? "" : "  disabled",
                  row->point.owner ? "" : "  left behind");
    }
    for (size_t i = 0; debug_point(mon->m, i, &p); i++) {
        if (find(&p))
            continue;
        mon_print(mon, "%-4s", "-");
        describe(mon, &p, "");
        print_hits(mon, p.hits);
        mon_print(mon, "  set elsewhere\n");
    }
}

static void say(struct monitor *mon, const struct debug_stop *s, int number)
{
    struct debug_hart h;
    struct buf text = { 0 };
    uint64_t pc;
    int hart = mon->hart;

    debug_stop_text(mon->m, s, &text);
    mon_print(mon, "Point %d: %s\n", number, buf_text(&text));
    buf_free(&text);
    debug_hart(mon->m, s->hart, &h);
    pc = h.pc;
    mon->hart = s->hart;
    mon_disas(mon, DEBUG_VIRT, &pc);
    mon->hart = hart;
}

bool points_stopped(struct monitor *mon, const struct debug_stop *s)
{
    const struct numbered *ours;

    if (s->reason != DEBUG_STOP_BREAK && s->reason != DEBUG_STOP_WATCH &&
        s->reason != DEBUG_STOP_CATCH)
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
    for (size_t i = 0; i < table.n; i++)
        forget(&table.row[i]);
    free(table.row);
    memset(&table, 0, sizeof table);
}
