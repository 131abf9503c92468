/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - a session of the human monitor on a chardev.
 *
 * Nothing here blocks: what the chardev does not take stays in out, and while
 * anything is in out no further line is read. A front end of a mux speaks
 * only while it has the keyboard.
 */
#include "monitor/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "emu/base/chardev.h"
#include "emu/base/loop.h"
#include "emu/base/version.h"

#include "monitor/mon.h"

enum { DRAIN_NS = 10 * 1000 * 1000, CTRL_C = 3 };

/* Output ------------------------------------------------------------------ */

bool mon_full(const struct monitor *mon) { return mon->out.len >= OUT_LIMIT; }

/* A terminal wants CR LF; gdb gets lines that end in \n. */
void mon_text(struct monitor *mon, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end && !mon_full(mon)) {
        size_t n = (size_t)(end - text);
        const char *lf = mon->c ? memchr(text, '\n', n) : NULL;

        if (lf)
            n = (size_t)(lf - text);
        buf_add(&mon->out, text, n);
        if (lf)
            buf_str(&mon->out, "\r\n");
        text += n + (lf != NULL);
    }
    mon->cut |= text < end;
}

void mon_print(struct monitor *mon, const char *fmt, ...)
{
    struct buf b = { 0 };
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

void mon_error(struct monitor *mon, const struct err *err)
{
    mon_print(mon, "Error: %s\n", err->text);
}

/* What the chardev's queue has no room for is not offered: it would be lost.
 * With nobody on the line nothing is held; stdin may have ended, though,
 * while stdout goes on. */
void mon_flush(struct monitor *mon)
{
    size_t n = mon->out.len, room;

    if (!mon->c || !mon->focus || n == 0)
        return;
    room = CHARDEV_QUEUE - chardev_queued(mon->c);
    n = chardev_write(mon->c, mon->out.data, n < room ? n : room);
    buf_drop(&mon->out, mon->open ? n : mon->out.len);
    if (mon->out.len > 0)
        timer_set(mon->drain,
                  loop_now(debug_loop(mon->m), LOOP_REALTIME) + DRAIN_NS);
}

static void say_if_cut(struct monitor *mon)
{
    static const char note[] = "\r\n(the rest of the output is lost)\r\n";

    if (mon->cut)
        buf_str(&mon->out, note);
    mon->cut = false;
}

/* Lines ------------------------------------------------------------------- */

static bool on_line(const struct monitor *mon)
{
    return mon->line && mon->greeted && mon->focus && !mon->leaving;
}

void mon_hide(struct monitor *mon)
{
    if (on_line(mon) && !mon->waiting)
        mon->line->ops->hide(mon->line);
}

void mon_show(struct monitor *mon)
{
    if (on_line(mon) && !mon->waiting)
        mon->line->ops->show(mon->line);
    mon_flush(mon);
}

void mon_line(struct monitor *mon, const char *text)
{
    history_note(text);
    mon_run(mon, text);
    say_if_cut(mon);
    mon_show(mon);
}

/* Feeds the editor a line at a time: a command may want to be waited for, or
 * write more than the chardev takes at once. */
static void feed(struct monitor *mon)
{
    while (mon->typed.len > 0 && mon->out.len == 0 && mon->focus &&
           !mon->waiting && !mon->leaving) {
        char piece[TYPEAHEAD_LIMIT];
        size_t n = 0;

        while (n < mon->typed.len && n < sizeof piece) {
            piece[n] = mon->typed.data[n];
            n++;
            if (piece[n - 1] == '\n' || piece[n - 1] == '\r')
                break;
        }
        buf_drop(&mon->typed, n);
        mon->line->ops->input(mon->line, piece, n);
        mon_flush(mon);
    }
}

static void drain(void *opaque)
{
    struct monitor *mon = opaque;

    mon_flush(mon);
    feed(mon);
    if (mon->out.len == 0)
        chardev_accept(mon->c);
}

void mon_wait(struct monitor *mon) { mon->waiting = mon->c != NULL; }

void mon_resume(struct monitor *mon)
{
    mon->waiting = false;
    mon_show(mon);
    drain(mon);
}

/* The chardev's side ------------------------------------------------------ */

static size_t can_read(void *opaque)
{
    const struct monitor *mon = opaque;

    if (mon->out.len > 0 && !mon->waiting)
        return 0;
    return TYPEAHEAD_LIMIT - mon->typed.len;
}

static void on_read(void *opaque, const void *data, size_t len)
{
    struct monitor *mon = opaque;
    size_t room = TYPEAHEAD_LIMIT - mon->typed.len;

    if (mon->waiting && memchr(data, CTRL_C, len)) {
        buf_clear(&mon->typed);
        if (!debug_done_cancel(mon->m, mon))
            debug_interrupt(mon->m);
        return;
    }
    buf_add(&mon->typed, data, len < room ? len : room);
    feed(mon);
}

static void greet(struct monitor *mon)
{
    if (!mon->open || !mon->focus)
        return;
    if (!mon->greeted)
        mon_print(mon, "ebreak " EBREAK_VERSION
                       " monitor - type 'help' for more information\n");
    mon->greeted = true;
    mon_show(mon);
}

static void opened(struct monitor *mon)
{
    if (mon->open)
        return;
    mon->open = true;
    mon->cut = false;
    buf_clear(&mon->out);
    buf_clear(&mon->typed);
    mon->line->ops->clear(mon->line);
    greet(mon);
}

/* Lines that were typed before are still run. */
static void closed(struct monitor *mon)
{
    mon->open = mon->greeted = false;
    timer_del(mon->drain);
    mon_flush(mon);
    feed(mon);
}

static void on_event(void *opaque, enum chardev_event e)
{
    struct monitor *mon = opaque;

    switch (e) {
    case CHARDEV_OPENED:
        opened(mon);
        break;
    case CHARDEV_CLOSED:
        closed(mon);
        break;
    case CHARDEV_MUX_IN:
        mon->focus = true;
        greet(mon);
        break;
    case CHARDEV_MUX_OUT:
        mon_hide(mon);
        mon_flush(mon);
        mon->focus = false;
        break;
    case CHARDEV_BREAK:
        break;
    }
}

/* The machine's side ------------------------------------------------------ */

static void on_machine(void *opaque, const struct debug_event *e)
{
    struct monitor *mon = opaque;

    if (e->kind == DEBUG_EVENT_SAY) {
        mon_hide(mon);
        mon_print(mon, "%s", e->text);
        mon_show(mon);
    }
    if (e->kind == DEBUG_EVENT_TEXT && points_are_ours(e->owner)) {
        mon_hide(mon);
        mon_text(mon, e->text, e->len);
        mon_show(mon);
    }
    if (e->kind != DEBUG_EVENT_STOPPED)
        return;
    if (points_stopped(NULL, &e->stop)) {
        mon_hide(mon);
        points_stopped(mon, &e->stop);
        mon_show(mon);
    }
}

struct monitor *monitor_new(struct machine *m, struct chardev *c,
                            const struct monitor_hooks *hooks, struct err *err)
{
    static const struct chardev_front front = {
        .can = can_read,
        .read = on_read,
        .event = on_event,
    };
    struct monitor *mon = xcalloc(1, sizeof *mon);

    mon->m = m;
    mon->c = c;
    mon->focus = true;
    if (hooks)
        mon->hooks = *hooks;
    mon->line = chardev_is_tty(c) ? line_new(mon) : NULL;
    if (!mon->line)
        mon->line = plain_new(mon);
    mon->drain =
        timer_new(debug_loop(m), LOOP_REALTIME, "monitor-drain", drain, mon);
    debug_listen(m, on_machine, mon);
    if (chardev_join(c, &front, mon, err))
        return mon;
    mon->c = NULL;
    monitor_free(mon);
    return NULL;
}

void monitor_free(struct monitor *mon)
{
    if (!mon)
        return;
    control_forget(mon);
    time_forget(mon);
    states_forget(mon);
    debug_unlisten(mon->m, on_machine, mon);
    if (mon->c)
        chardev_leave(mon->c, mon);
    mon->line->ops->free(mon->line);
    timer_free(mon->drain);
    buf_free(&mon->out);
    buf_free(&mon->typed);
    free(mon);
}

void monitor_run_line(struct machine *m, const struct monitor_hooks *hooks,
                      int hart, const char *line, struct buf *out)
{
    struct monitor mon = { .m = m, .hart = hart };

    if (hooks)
        mon.hooks = *hooks;
    mon_run(&mon, line);
    buf_add(out, buf_text(&mon.out), mon.out.len);
    if (mon.cut)
        buf_str(out, "\n(the rest of the output is lost)\n");
    buf_free(&mon.out);
}

void monitor_fini(void)
{
    history_forget();
    points_forget();
}
