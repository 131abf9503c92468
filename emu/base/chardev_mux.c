/* SPDX-License-Identifier: MIT */
/*
 * chardev_mux.c - several front ends on one line, and the escape key.
 *
 * The mux is the one front end of the chardev below it. It takes the line's
 * bytes even when the front end that has the keyboard cannot, up to
 * TYPE_AHEAD, so that C-a x still ends a machine whose guest does not read.
 * Texts: facts/hmp.md section 5.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

enum { TYPE_AHEAD = 4096 };

struct mux {
    bool escaped; /* the last byte was the escape key */
    bool stamping, line_start;
    int64_t stamp_zero; /* realtime ns of the first stamp, -1 before it */
};

/* Output ------------------------------------------------------------------- */

static void write_stamp(struct chardev *c)
{
    struct mux *m = c->impl;
    int64_t now = loop_now(c->set->loop, LOOP_REALTIME);
    char text[64];

    if (m->stamp_zero < 0)
        m->stamp_zero = now;
    int64_t ms = (now - m->stamp_zero) / 1000000;
    int n = snprintf(text, sizeof text, "[%02d:%02d:%02d.%03d] ",
                     (int)(ms / 3600000), (int)(ms / 60000 % 60),
                     (int)(ms / 1000 % 60), (int)(ms % 1000));

    chardev_write(c->below, text, (size_t)n);
}

/* Line by line, each behind its time. */
static size_t write_stamped(struct chardev *c, const char *data, size_t len)
{
    struct mux *m = c->impl;
    size_t done = 0;

    while (done < len) {
        const char *end = memchr(data + done, '\n', len - done);
        size_t line = end ? (size_t)(end + 1 - (data + done)) : len - done;

        if (m->line_start)
            write_stamp(c);
        m->line_start = end != NULL;
        done += chardev_write(c->below, data + done, line);
        if (done < line)
            break;
    }
    return done;
}

static size_t mux_write(struct chardev *c, const void *data, size_t len)
{
    const struct mux *m = c->impl;

    if (m->stamping)
        return write_stamped(c, data, len);
    return chardev_write(c->below, data, len);
}

static void say(struct chardev *c, const char *text)
{
    chardev_write(c->below, text, strlen(text));
}

/* The escape key ----------------------------------------------------------- */

static void key_exit(struct chardev *c)
{
    say(c, "ebreak: Terminated\n\r");
    if (c->set->on_exit != NULL)
        c->set->on_exit(c->set->exit_opaque);
}

static void key_save(struct chardev *c)
{
    say(c, "\n\rThere are no disks: nothing to save\n\r");
}

static void key_stamps(struct chardev *c)
{
    struct mux *m = c->impl;

    m->stamping = !m->stamping;
    m->stamp_zero = -1;
    m->line_start = false;
}

static void key_break(struct chardev *c)
{
    chardev_event_focus(c, CHARDEV_BREAK);
}

static void key_switch(struct chardev *c)
{
    if (c->nfronts < 2)
        return;
    chardev_event_focus(c, CHARDEV_MUX_OUT);
    c->focus = (c->focus + 1) % c->nfronts;
    chardev_event_focus(c, CHARDEV_MUX_IN);
}

static const struct {
    char key;
    void (*fn)(struct chardev *c); /* NULL: prints this table */
    const char *help;
} keys[] = {
    { 'h', NULL, "print this help" },
    { 'x', key_exit, "exit emulator" },
    { 's', key_save, "save disk data back to file (if -snapshot)" },
    { 't', key_stamps, "toggle console timestamps" },
    { 'b', key_break, "send break (magic sysrq)" },
    { 'c', key_switch, "switch between console and monitor" },
    { '?', NULL, NULL },
};

enum { NKEYS = sizeof keys / sizeof *keys };

static void print_help(struct chardev *c)
{
    int code = c->set->escape;
    struct buf b = { 0 };
    char name[16] = "Escape-Char";

    buf_str(&b, "\n\r");
    if (code > 0 && code < 26)
        snprintf(name, sizeof name, "C-%c", code - 1 + 'a');
    else
        buf_printf(&b, "Escape-Char set to Ascii: 0x%02x\n\r\n\r",
                   (unsigned)code);
    for (size_t i = 0; i < NKEYS; i++)
        if (keys[i].help != NULL)
            buf_printf(&b, "%s %c    %s\n\r", name, keys[i].key, keys[i].help);
    buf_printf(&b, "%s %s  sends %s\n\r", name, name, name);
    say(c, buf_text(&b));
    buf_free(&b);
}

static void press(struct chardev *c, char key)
{
    for (size_t i = 0; i < NKEYS; i++) {
        if (keys[i].key != key)
            continue;
        if (keys[i].fn != NULL)
            keys[i].fn(c);
        else
            print_help(c);
        return;
    }
}

/* Input -------------------------------------------------------------------- */

/* True if the byte is for the front end. */
static bool filter(struct chardev *c, char byte)
{
    struct mux *m = c->impl;
    bool is_escape = (unsigned char)byte == c->set->escape;

    if (m->escaped) {
        m->escaped = false;
        if (!is_escape)
            press(c, byte);
        return is_escape;
    }
    m->escaped = is_escape;
    return !is_escape;
}

/* Gives front end n what it can take of what is held for it. */
static void offer(struct chardev *c, size_t n)
{
    while (n < c->nfronts && c->fronts[n].held.len > 0) {
        char data[256];
        size_t can = chardev_front_can(c, n), len = c->fronts[n].held.len;

        if (can < len)
            len = can;
        if (sizeof data < len)
            len = sizeof data;
        if (len == 0)
            return;
        memcpy(data, c->fronts[n].held.data, len);
        buf_drop(&c->fronts[n].held, len);
        chardev_front_read(c, n, data, len);
    }
}

static void mux_drain(struct chardev *c)
{
    for (size_t n = 0; n < c->nfronts; n++)
        offer(c, n);
}

static size_t mux_can(void *opaque)
{
    struct chardev *c = opaque;

    if (c->nfronts == 0)
        return 0;
    size_t held = c->fronts[c->focus].held.len;

    return held < TYPE_AHEAD ? TYPE_AHEAD - held : 0;
}

static void mux_read(void *opaque, const void *data, size_t len)
{
    struct chardev *c = opaque;
    const char *p = data;

    for (size_t i = 0; i < len; i++) {
        if (!filter(c, p[i]) || c->nfronts == 0)
            continue;
        buf_chr(&c->fronts[c->focus].held, p[i]);
        offer(c, c->focus);
    }
}

/* A break on the line itself; C-a b is the other way to send one. */
static void mux_event(void *opaque, enum chardev_event e)
{
    if (e == CHARDEV_BREAK)
        chardev_event_focus(opaque, e);
}

/* Life --------------------------------------------------------------------- */

static void mux_close(struct chardev *c)
{
    if (c->below != NULL) {
        c->below->above = NULL;
        chardev_leave(c->below, c);
    }
    free(c->impl);
    c->impl = NULL;
}

const struct chardev_ops chardev_mux = {
    .name = "mux",
    .close = mux_close,
    .write = mux_write,
    .drain = mux_drain,
    .shared = true,
};

struct chardev *chardev_mux_new(struct chardevs *s, const char *id,
                                struct chardev *below, struct err *err)
{
    static const struct chardev_front front = { mux_can, mux_read, mux_event };
    struct chardev *c = chardev_make(s, id, &chardev_mux);

    c->impl = xcalloc(1, sizeof(struct mux));
    if (!chardev_join(below, &front, c, err)) {
        chardev_destroy(c);
        return NULL;
    }
    c->below = below;
    below->above = c;
    c->open = below->open;
    chardev_list(c);
    return c;
}
