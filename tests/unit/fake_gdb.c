/* SPDX-License-Identifier: MIT */
/*
 * fake_gdb.c - a client of the gdb stub on the fake machine: packets in,
 * decoded replies out. Included by the stub's tests and its fuzz target.
 */
#include <stdio.h>

#include "gdbstub/gdbstub.h"
#include "tests/unit/fake_chardev.c"
#include "tests/unit/fake_debug.c"

struct gdb {
    struct chardev chr;
    struct buf reply; /* of the last ask(), decoded, packets joined by | */
    size_t seen;      /* of chr.out */
};

static struct machine *machine;
static struct gdbstub *stub;
static struct gdb gdb;

static void gdb_monitor(void *opaque, int hart, const char *line,
                        struct buf *out)
{
    struct machine *m = opaque;

    if (strcmp(line, "cont") == 0)
        fake_run(m);
    else if (strcmp(line, "big") == 0)
        for (int i = 0; i < 10000; i++)
            buf_printf(out, "line %d\n", i);
    else
        buf_printf(out, "%d:%s\n", hart, line);
}

static void gdb_start(int harts)
{
    struct gdbstub_config config = { .monitor = gdb_monitor };

    memset(&gdb, 0, sizeof gdb);
    machine = fake_new(harts);
    config.monitor_opaque = machine;
    chr_init(&gdb.chr, false);
    stub = gdbstub_new(machine, &gdb.chr, &config, NULL);
    chr_event(&gdb.chr, CHARDEV_OPENED);
}

static void gdb_end(void)
{
    gdbstub_free(stub);
    fake_free(machine);
    buf_free(&gdb.chr.out);
    buf_free(&gdb.reply);
}

/* Expands one frame's runs and escapes; returns what comes after it. */
static const char *gdb_frame(struct buf *out, const char *p, const char *end)
{
    size_t from = out->len;
    bool escaped = false;

    for (; p < end && *p != '#'; p++) {
        if (*p == '*') {
            char last = out->data[out->len - 1];

            for (int n = *++p - 29; n > 0 && out->len > from; n--)
                buf_chr(out, last);
        } else if (*p == '}') {
            escaped = true;
        } else {
            buf_chr(out, escaped ? *p ^ 0x20 : *p);
            escaped = false;
        }
    }
    return end - p >= 3 ? p + 3 : end;
}

/* All that was sent since the last look, acknowledgements left out. */
static const char *gdb_read(struct gdb *g)
{
    const char *p = buf_text(&g->chr.out) + g->seen;
    const char *end = buf_text(&g->chr.out) + g->chr.out.len;

    buf_clear(&g->reply);
    while (p < end) {
        if (*p++ != '$')
            continue;
        if (g->reply.len)
            buf_chr(&g->reply, '|');
        p = gdb_frame(&g->reply, p, end);
    }
    g->seen = g->chr.out.len;
    return buf_text(&g->reply);
}

static void gdb_send(struct gdb *g, const char *data, size_t len)
{
    struct buf b = { 0 };
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (uint8_t)data[i];
    buf_chr(&b, '$');
    buf_add(&b, data, len);
    buf_printf(&b, "#%02x", sum);
    chr_input(&g->chr, b.data, b.len);
    buf_free(&b);
}

/* Sends one packet and gives what came back. */
static inline const char *ask(const char *packet)
{
    gdb_send(&gdb, packet, strlen(packet));
    return gdb_read(&gdb);
}

static inline void gdb_turn(void) { loop_turn(machine->loop, 0); }
