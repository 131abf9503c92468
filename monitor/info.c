/* SPDX-License-Identifier: MIT */
/* info.c - what `info` shows of the machine, short of memory and registers. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/chardev.h"
#include "emu/base/version.h"

#include "monitor/mon.h"

typedef void describe_fn(const struct machine *m, struct buf *out);

static void put_text(struct monitor *mon, describe_fn *describe)
{
    struct buf b = { 0 };

    describe(mon->m, &b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

void info_version(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "%s\n", EBREAK_VERSION);
}

void info_status(struct monitor *mon, const struct args *a)
{
    const char *state = debug_state(mon->m);

    (void)a;
    if (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0)
        mon_print(mon, "VM status: %s\n", state);
    else
        mon_print(mon, "VM status: paused (%s)\n", state);
}

void info_phase(struct monitor *mon, const struct args *a)
{
    (void)a;
    put_text(mon, debug_phase_tree);
}

void info_name(struct monitor *mon, const struct args *a)
{
    const char *name = debug_name(mon->m);

    (void)a;
    mon_print(mon, "%s\n", name ? name : "");
}

void info_uuid(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "00000000-0000-0000-0000-000000000000\n");
}

void info_history(struct monitor *mon, const struct args *a)
{
    const char *text;

    (void)a;
    for (size_t i = 0; (text = history_line(i)); i++)
        mon_print(mon, "%zu: '%s'\n", i, text);
}

void info_chardev(struct monitor *mon, const struct args *a)
{
    struct chardevs *all = debug_chardevs(mon->m);
    struct chardev *c;

    (void)a;
    for (size_t i = 0; all && (c = chardev_nth(all, i)); i++)
        mon_print(mon, "%s: filename=%s\n", chardev_id(c), chardev_filename(c));
}

/* All harts run in the one thread of the process. */
void info_cpus(struct monitor *mon, const struct args *a)
{
    int harts = debug_harts(mon->m);

    (void)a;
    for (int i = 0; i < harts; i++)
        mon_print(mon, "%c CPU #%d: thread_id=%d\n", i == mon->hart ? '*' : ' ',
                  i, (int)getpid());
}

void info_jit(struct monitor *mon, const struct args *a)
{
    (void)a;
    put_text(mon, debug_jit);
}

void hmp_dump_code(struct monitor *mon, const struct args *a)
{
    struct buf text = { 0 };
    uint64_t va = arg_number(a, "addr", 0);

    if (debug_jit_code(mon->m, va, &text))
        mon_text(mon, buf_text(&text), text.len);
    else
        mon_print(mon, "nothing was translated from 0x%016" PRIx64 "\n", va);
    buf_free(&text);
}

void info_irq(struct monitor *mon, const struct args *a)
{
    (void)a;
    put_text(mon, debug_irqs);
}

void info_roms(struct monitor *mon, const struct args *a)
{
    struct debug_rom r;

    (void)a;
    for (size_t i = 0; debug_rom(mon->m, i, &r); i++)
        mon_print(mon,
                  "addr=%016" PRIx64 " size=0x%06" PRIx64
                  " mem=%s name=\"%s\"\n",
                  r.addr, r.size, r.ram ? "ram" : "rom", r.name);
}

void info_numa(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "0 nodes\n");
}

void info_replay(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "Record/replay is not active\n");
}

/* Devices ----------------------------------------------------------------- */

/* Puts each line of text behind so many blanks. */
static void put_indented(struct monitor *mon, int indent, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        mon_print(mon, "%*s%.*s\n", indent, "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void put_device(struct monitor *mon, size_t n)
{
    struct buf b = { 0 };
    const char *name, *type;

    debug_dev(mon->m, n, &name, &type);
    if (!type)
        return;
    mon_print(mon, "  dev: %s, id \"\"\n", type);
    debug_dev_describe(mon->m, n, &b);
    put_indented(mon, 4, buf_text(&b));
    buf_free(&b);
}

void info_qtree(struct monitor *mon, const struct args *a)
{
    const char *name, *type;
    size_t n = 0;

    (void)a;
    while (debug_dev(mon->m, n, &name, &type))
        n++;
    if (n == 0 && debug_phase(mon->m) < FROM_MACHINE)
        return;
    mon_print(mon, "bus: main-system-bus\n  type System\n");
    while (n-- > 0)
        put_device(mon, n);
}

void info_dev(struct monitor *mon, const struct args *a)
{
    const char *wanted = arg_text(a, "name"), *name, *type;
    struct buf b = { 0 };

    for (size_t n = 0; debug_dev(mon->m, n, &name, &type); n++) {
        if (!wanted)
            mon_print(mon, "%s\n", name);
        if (!wanted || strcmp(wanted, name) != 0)
            continue;
        debug_dev_fields(mon->m, n, &b);
        mon_print(mon, "%s\n", buf_text(&b));
        buf_free(&b);
        return;
    }
    if (wanted)
        mon_print(mon, "Error: Device '%s' not found\n", wanted);
}
