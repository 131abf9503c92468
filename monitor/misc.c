/* SPDX-License-Identifier: MIT */
/* misc.c - the emulator itself: log, gdb port, chardevs; the device
 * tree. */
#include <string.h>

#include "emu/base/chardev.h"

#include "monitor/mon.h"

void hmp_log(struct monitor *mon, const struct args *a)
{
    uint32_t mask;

    if (log_parse(arg_text(a, "items"), &mask, NULL))
        log_mask = mask;
    else
        mon_help_row(mon, "log");
}

void hmp_logfile(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!log_file(arg_text(a, "filename"), &err))
        mon_error(mon, &err);
}

/* From gdb it would close the port that the answer has to go to. */
void hmp_gdbserver(struct monitor *mon, const struct args *a)
{
    const char *dev = arg_text(a, "device");
    struct err err = { "there is no gdb stub here" };

    if (!mon->c) {
        mon_print(mon, "Error: gdb cannot close or move its own port\n");
        return;
    }
    if (!dev)
        dev = "tcp::1234";
    if (!mon->hooks.gdbserver ||
        !mon->hooks.gdbserver(mon->hooks.opaque, dev, &err))
        mon_print(mon, "Could not open gdbserver on device '%s': %s\n", dev,
                  err.text);
    else if (strcmp(dev, "none") == 0)
        mon_print(mon, "Disabled gdbserver\n");
    else
        mon_print(mon, "Waiting for gdb connection on device '%s'\n", dev);
}

void hmp_gdb_script(struct monitor *mon, const struct args *a)
{
    (void)a;
    mon_print(mon, "%s", mon->hooks.gdb_script ? mon->hooks.gdb_script : "");
}

void hmp_on_exit(struct monitor *mon, const struct args *a)
{
    const char *how = arg_text(a, "how");
    bool stop = how && strcmp(how, "stop") == 0;

    if (how && !stop && strcmp(how, "exit") != 0) {
        mon_help_row(mon, "on-exit");
        return;
    }
    stop = debug_end_stops(mon->m, how ? stop : -1);
    if (!how)
        mon_print(mon, "the guest's end %s\n",
                  stop ? "stops the machine" : "ends the emulator");
}

void hmp_fdt(struct monitor *mon, const struct args *a)
{
    struct buf text = { 0 };

    (void)a;
    debug_fdt(mon->m, &text);
    mon_text(mon, buf_text(&text), text.len);
    buf_free(&text);
}

/* Chardevs ---------------------------------------------------------------- */

void hmp_chardev_add(struct monitor *mon, const struct args *a)
{
    struct err err;

    if (!chardev_add(debug_chardevs(mon->m), arg_text(a, "args"), &err))
        mon_error(mon, &err);
}

static struct chardev *find_chardev(struct monitor *mon, const char *what,
                                    const char *id)
{
    struct chardev *c = chardev_find(debug_chardevs(mon->m), id);

    if (!c)
        mon_print(mon, "Error: %s '%s' not found\n", what, id);
    return c;
}

void hmp_chardev_remove(struct monitor *mon, const struct args *a)
{
    struct chardev *c = find_chardev(mon, "Chardev", arg_text(a, "id"));
    struct err err;

    if (c && !chardev_remove(debug_chardevs(mon->m), c, &err))
        mon_error(mon, &err);
}

static struct chardev *find_ring(struct monitor *mon, const char *id)
{
    struct chardev *c = find_chardev(mon, "Device", id);

    if (!c || chardev_is_ring(c))
        return c;
    mon_print(mon, "Error: %s is not a ringbuf device\n", id);
    return NULL;
}

void hmp_ringbuf_write(struct monitor *mon, const struct args *a)
{
    struct chardev *c = find_ring(mon, arg_text(a, "device"));
    const char *data = arg_text(a, "data");

    if (c)
        chardev_write(c, data, strlen(data));
}

/* Control characters are spelt out, so that the terminal stays whole. */
static void put_ring(struct monitor *mon, const unsigned char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = data[i];

        if (c == '\\')
            mon_print(mon, "\\\\");
        else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
            mon_print(mon, "\\u%04X", c);
        else
            mon_print(mon, "%c", c);
    }
    mon_print(mon, "\n");
}

void hmp_ringbuf_read(struct monitor *mon, const struct args *a)
{
    struct chardev *c = find_ring(mon, arg_text(a, "device"));
    int64_t left = (int64_t)arg_number(a, "size", 0);
    struct buf b = { 0 };
    unsigned char piece[256];
    size_t got = 1;

    if (c && left <= 0)
        mon_print(mon, "Error: size must be greater than zero\n");
    if (!c || left <= 0)
        return;
    while (left > 0 && got > 0 && b.len < OUT_LIMIT) {
        size_t want =
            left < (int64_t)sizeof piece ? (size_t)left : sizeof piece;

        got = chardev_ring_read(c, piece, want);
        buf_add(&b, piece, got);
        left -= (int64_t)got;
    }
    put_ring(mon, (const unsigned char *)buf_text(&b), b.len);
    buf_free(&b);
}
