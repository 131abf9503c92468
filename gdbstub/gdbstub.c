/* SPDX-License-Identifier: MIT */
/*
 * gdbstub.c - sessions: who is connected, what each waits for, and what a
 * stop looks like to it.
 *
 * All-stop mode. A session that resumed the machine is owed exactly one stop
 * reply, whoever stops the machine; a session that did not is told nothing,
 * whatever others do with the machine. Points belong to the session that set
 * them and go with it.
 */
#include "gdbstub/gdbstub.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "gdbstub/stub.h"

/* Threads ------------------------------------------------------------------ */

/* gdb needs a thread to talk to, also while no hart exists. */
int session_threads(const struct session *s)
{
    int harts = debug_harts(s->m);

    return harts > 0 ? harts : 1;
}

bool session_has_thread(const struct session *s, int thread)
{
    return thread >= 0 && thread < session_threads(s);
}

void session_thread(const struct session *s, struct buf *out, int hart)
{
    buf_printf(out, s->multiprocess ? "p1.%x" : "%x", (unsigned)hart + 1);
}

/* Before there is a hart there is nothing to translate with. */
enum debug_space session_space(const struct session *s)
{
    return s->physical || s->hart >= debug_harts(s->m) ? DEBUG_PHYS
                                                       : DEBUG_VIRT;
}

bool session_alone(const struct session *s)
{
    for (const struct session *t = s->stub->sessions; t; t = t->next)
        if (t != s && t->open && !t->letgo && t->owed != OWE_STOP)
            return false;
    return true;
}

bool session_has_read(struct session *s)
{
    bool others = false;

    s->reads = false;
    for (const struct session *t = s->stub->sessions; t; t = t->next)
        others |= t->reads;
    return others;
}

/* Replies ------------------------------------------------------------------ */

/* A text must not hold what means something to the framing. */
bool session_error(struct session *s, struct buf *out, unsigned code,
                   const char *fmt, ...)
{
    va_list ap;
    size_t at = out->len + 2;

    if (s->plain && !s->error_message) {
        buf_printf(out, "E%02x", code);
        return true;
    }
    buf_str(out, "E.");
    va_start(ap, fmt);
    buf_vprintf(out, fmt, ap);
    va_end(ap);
    for (; at < out->len; at++)
        if (strchr("#$}*", out->data[at]))
            out->data[at] = '?';
    return true;
}

void session_say(struct session *s, const char *text, size_t len)
{
    struct buf b = { 0 };

    for (size_t done = 0; done < len; done += STUB_CHUNK) {
        buf_clear(&b);
        buf_chr(&b, 'O');
        buf_hex(&b, text + done,
                len - done < STUB_CHUNK ? len - done : STUB_CHUNK);
        link_send(&s->link, b.data, b.len);
    }
    buf_free(&b);
}

void session_say_later(struct session *s)
{
    session_say(s, buf_text(&s->later), s->later.len);
    buf_clear(&s->later);
}

/* The registers that gdb asks for at every stop, sent without being asked. */
static void expedite(struct session *s, struct buf *out)
{
    static const unsigned numbers[] = { 32, 2, 8, 1 }; /* pc sp fp ra */

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        buf_printf(out, "%02x:", numbers[i]);
        registers_add(s, out, numbers[i]);
        buf_chr(out, ';');
    }
}

/* Why is ended by a ; or empty. The thread becomes current for g and m. */
static void stopped(struct session *s, enum signal signal, int hart,
                    const char *why, struct buf *out)
{
    s->hart = session_has_thread(s, hart) ? hart : 0;
    s->resumed = THREAD_ANY;
    buf_printf(out, "T%02xthread:", (unsigned)signal);
    session_thread(s, out, s->hart);
    buf_printf(out, ";core:%x;%s", (unsigned)s->hart, why);
    if (debug_harts(s->m) > 0)
        expedite(s, out);
}

void session_select(struct session *s)
{
    struct debug_stop stop;

    debug_last_stop(s->m, &stop);
    if (session_has_thread(s, stop.hart))
        s->hart = stop.hart;
}

void session_status(struct session *s, enum signal signal, struct buf *out)
{
    struct debug_stop stop;

    debug_last_stop(s->m, &stop);
    stopped(s, signal, stop.hart < 0 ? s->hart : stop.hart, "", out);
}

void session_library(struct session *s, struct buf *out)
{
    stopped(s, SIGNAL_TRAP, s->hart, "library:;", out);
}

static const char *watch_name(uint32_t kind)
{
    if (kind == DEBUG_READ)
        return "rwatch";
    return kind == DEBUG_WRITE ? "watch" : "awatch";
}

/* Only what this client asked for: a stop at another's point is a trap. */
static void why_stopped(const struct session *s, const struct debug_stop *stop,
                        char *why, size_t size)
{
    const struct debug_point *p = &stop->point;

    why[0] = '\0';
    if (stop->reason == DEBUG_STOP_BEGIN)
        snprintf(why, size, "replaylog:begin;");
    else if (stop->reason == DEBUG_STOP_END)
        snprintf(why, size, "replaylog:end;");
    if (p->asks)
        snprintf(why, size, "library:;");
    if (p->owner != s)
        return;
    if (stop->reason == DEBUG_STOP_WATCH)
        snprintf(why, size, "%s:%llx;", watch_name(p->kind),
                 (unsigned long long)stop->addr);
    else if (stop->reason == DEBUG_STOP_BREAK && p->hw && s->hwbreak)
        snprintf(why, size, "hwbreak:;");
    else if (stop->reason == DEBUG_STOP_BREAK && !p->hw && s->swbreak)
        snprintf(why, size, "swbreak:;");
}

void session_stop(struct session *s, const struct debug_stop *stop,
                  struct buf *out)
{
    enum signal signal = SIGNAL_TRAP;
    char why[48];

    if (stop->reason == DEBUG_STOP_PAUSE)
        signal = SIGNAL_INT;
    else if (stop->reason == DEBUG_STOP_SHUTDOWN)
        signal = SIGNAL_QUIT;
    why_stopped(s, stop, why, sizeof why);
    stopped(s, signal, stop->hart < 0 ? s->hart : stop->hart, why, out);
}

/* Events of the machine ---------------------------------------------------- */

/* What gdb cannot know of a point that is not its own. */
static void explain(struct session *s, const struct debug_stop *stop)
{
    struct buf text = { 0 };

    if (stop->point.owner == s || stop->point.asks ||
        (stop->reason != DEBUG_STOP_BREAK && stop->reason != DEBUG_STOP_WATCH &&
         stop->reason != DEBUG_STOP_CATCH))
        return;
    debug_stop_text(s->m, stop, &text);
    buf_chr(&text, '\n');
    session_say(s, buf_text(&text), text.len);
    buf_free(&text);
}

static void tell_stop(struct session *s, const struct debug_stop *stop)
{
    struct buf out = { 0 };

    session_say_later(s);
    if (s->owed == OWE_MONITOR) {
        buf_str(&out, "OK");
    } else if (s->owed == OWE_STOP) {
        s->reads = stop->point.asks;
        if (s->reads)
            modules_told(s);
        explain(s, stop);
        session_stop(s, stop, &out);
    } else {
        if (s->arrived_ns)
            s->arrived_ns = loop_now(debug_loop(s->m), LOOP_REALTIME);
        session_status(s, SIGNAL_TRAP, &out);
    }
    s->owed = OWE_NOTHING;
    link_send(&s->link, out.data, out.len);
    buf_free(&out);
}

/* While gdb waits for a stop it takes text, else it has to wait. */
static void tell_text(struct session *s, const char *text)
{
    if (s->owed == OWE_STOP)
        session_say(s, text, strlen(text));
    else if (s->later.len < STUB_CHUNK)
        buf_str(&s->later, text);
}

static void tell_exit(struct session *s, int status)
{
    char text[32];
    int n = snprintf(text, sizeof text, "W%02x%s", (unsigned)status & 0xff,
                     s->multiprocess ? ";process:1" : "");

    s->owed = OWE_NOTHING;
    link_send(&s->link, text, (size_t)n);
}

/*
 * A client that came during the start-up believes in a stopped machine: what
 * `phase run` or another monitor set going is stopped before it moves. Not
 * from within this event, which others have yet to hear.
 */
static void on_running(struct session *s)
{
    if (s->hold && s->owed == OWE_NOTHING && !s->letgo)
        bh_schedule(s->holder);
    s->hold = false;
}

static void on_hold(void *opaque)
{
    struct session *s = opaque;

    debug_interrupt(s->m);
}

/*
 * What a point of this client prints. gdb takes text only while it waits for
 * a stop, and one that reads more slowly than the guest prints loses lines.
 */
static void on_text(struct session *s, const struct debug_event *e)
{
    char lost[64];
    int n;

    if (s->owed != OWE_STOP || s->link.queue.len > STUB_TEXT) {
        s->lost++;
        return;
    }
    if (s->lost > 0) {
        n = snprintf(lost, sizeof lost, "[%zu texts lost]\n", s->lost);
        session_say(s, lost, (size_t)n);
    }
    s->lost = 0;
    session_say(s, e->text, e->len);
}

/* It waits for a stop, and this one is not for others only. */
static bool waits_for(struct session *s, const struct debug_stop *stop)
{
    if (s->owed == OWE_STOP && stop->point.asks)
        return modules_due(s);
    return s->owed != OWE_NOTHING;
}

static void on_event(void *opaque, const struct debug_event *e)
{
    struct gdbstub *g = opaque;

    if (e->kind == DEBUG_EVENT_STOPPED && e->stop.reason == DEBUG_STOP_CALL) {
        calls_ask(g);
        return;
    }
    for (struct session *s = g->sessions; s; s = s->next) {
        if (!s->open)
            continue;
        if (e->kind == DEBUG_EVENT_RUNNING)
            on_running(s);
        else if (e->kind == DEBUG_EVENT_STOPPED && waits_for(s, &e->stop))
            tell_stop(s, &e->stop);
        else if (e->kind == DEBUG_EVENT_SAY)
            tell_text(s, e->text);
        else if (e->kind == DEBUG_EVENT_EXIT && s->owed != OWE_NOTHING)
            tell_exit(s, e->status);
        else if (e->kind == DEBUG_EVENT_TEXT && e->owner == s)
            on_text(s, e);
    }
}

/* A client comes and goes -------------------------------------------------- */

static bool starting(const struct machine *m)
{
    return strcmp(debug_phase_name(debug_phase(m)), "machine-ready") != 0;
}

static void begin(struct session *s)
{
    if (s->open)
        return;
    link_reset(&s->link);
    s->open = true;
    s->hart = 0;
    s->resumed = THREAD_ANY;
    s->owed = OWE_NOTHING;
    s->points = s->lost = 0;
    s->arrived_ns = 0;
    s->restart_due = s->reads = false;
    buf_clear(&s->later);
    s->hold = starting(s->m);
    s->letgo = s->physical = false;
    s->multiprocess = s->swbreak = s->hwbreak = s->error_message = false;
    s->sstep = 7;
    memset(s->symbol, 0, sizeof s->symbol);
    s->symbols_asked = 0;
    s->comm = 0;
    modules_forget(s);
    s->irq = DEBUG_IRQ_SET;
    if (debug_running(s->m))
        debug_interrupt(s->m);
}

/* Whoever else was told of that library, or was not and waits, goes on. */
void session_reads_no_more(struct session *s)
{
    bool waits = false;

    if (!s->reads || session_has_read(s) || debug_running(s->m))
        return;
    for (const struct session *t = s->stub->sessions; t; t = t->next)
        waits |= t->open && t->owed == OWE_STOP;
    if (waits)
        debug_resume_again(s->m, NULL);
}

/* Without D: the machine stays as it was, unless told otherwise. */
static void end(struct session *s)
{
    if (!s->open)
        return;
    s->open = false;
    s->owed = OWE_NOTHING;
    session_reads_no_more(s);
    modules_forget(s);
    debug_points_clear(s->m, s);
    timer_del(s->drain);
    calls_lost(s);
    session_restart_due(s);
    if (!s->letgo)
        session_settle(s, s->stub->config.lost, GDB_KEEP);
}

/* The connection ----------------------------------------------------------- */

static void on_packet(void *opaque, char *data, size_t len)
{
    packets_handle(opaque, data, len);
}

/* Ctrl-C of a stop that is on its way already means that stop; of one that
 * another gdb was told alone, this one, too. */
static void on_interrupt(void *opaque)
{
    struct session *s = opaque;
    const struct debug_stop pause = { .reason = DEBUG_STOP_PAUSE, .hart = -1 };

    if (s->owed >= OWE_STOP && debug_running(s->m))
        debug_interrupt(s->m);
    else if (s->owed == OWE_STOP && !debug_call(s->m))
        tell_stop(s, &pause);
}

static size_t on_write(void *opaque, const void *data, size_t len)
{
    struct session *s = opaque;
    size_t room = CHARDEV_QUEUE - chardev_queued(s->chr);

    return chardev_write(s->chr, data, len < room ? len : room);
}

static void on_stalled(void *opaque)
{
    struct session *s = opaque;
    struct loop *l = debug_loop(s->m);

    timer_set(s->drain, loop_now(l, LOOP_REALTIME) + STUB_DRAIN_NS);
}

static void on_broken(void *opaque)
{
    struct session *s = opaque;

    fprintf(stderr, "ebreak: gdb on %s does not read its replies: dropped\n",
            chardev_id(s->chr));
    bh_schedule(s->reaper);
}

static const struct link_ops link_ops = {
    .packet = on_packet,
    .interrupt = on_interrupt,
    .write = on_write,
    .stalled = on_stalled,
    .broken = on_broken,
};

static void on_drain(void *opaque)
{
    struct session *s = opaque;

    if (s->open)
        link_flush(&s->link);
}

static void on_read(void *opaque, const void *data, size_t len)
{
    struct session *s = opaque;

    if (s->open)
        link_feed(&s->link, data, len);
}

static void on_chardev_event(void *opaque, enum chardev_event e)
{
    struct session *s = opaque;

    if (e == CHARDEV_OPENED) {
        begin(s);
    } else if (e == CHARDEV_CLOSED) {
        end(s);
        if (!s->client)
            return;
        s->chr = NULL; /* goes by itself */
        bh_schedule(s->reaper);
    }
}

static const struct chardev_front front = {
    .read = on_read,
    .event = on_chardev_event,
};

/* Sessions ----------------------------------------------------------------- */

static void session_fini(struct session *s)
{
    timer_free(s->drain);
    bh_free(s->reaper);
    bh_free(s->holder);
    modules_free(s->modules);
    link_fini(&s->link);
    buf_free(&s->later);
    free(s);
}

static void session_free(struct session *s)
{
    struct session **at = &s->stub->sessions;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    end(s);
    if (s->chr)
        chardev_leave(s->chr, s);
    if (s->chr && s->client)
        chardev_remove(debug_chardevs(s->m), s->chr, NULL);
    session_fini(s);
}

/* What may not be done from within a callback. */
static void on_reap(void *opaque)
{
    struct session *s = opaque;

    if (s->client) {
        session_free(s);
        return;
    }
    end(s);
    chardev_hangup(s->chr);
}

/* Joining may tell at once that somebody is there. */
static bool session_new(struct gdbstub *g, struct chardev *c, bool client,
                        struct err *err)
{
    struct session *s = xcalloc(1, sizeof *s);
    struct loop *l = debug_loop(g->m);

    s->stub = g;
    s->m = g->m;
    s->chr = c;
    s->client = client;
    s->drain = timer_new(l, LOOP_REALTIME, "gdb-drain", on_drain, s);
    s->reaper = bh_new(l, "gdb-reap", on_reap, s);
    s->holder = bh_new(l, "gdb-hold", on_hold, s);
    s->modules = modules_new(s);
    link_init(&s->link, &link_ops, s);
    s->next = g->sessions;
    if (!chardev_join(c, &front, s, err)) {
        session_fini(s);
        return false;
    }
    g->sessions = s;
    return true;
}

static void on_accept(void *opaque, struct chardev *client)
{
    struct gdbstub *g = opaque;
    int n = 0;

    for (struct session *s = g->sessions; s; s = s->next)
        n++;
    if (n >= STUB_CLIENTS || !session_new(g, client, true, NULL))
        chardev_remove(debug_chardevs(g->m), client, NULL);
}

struct gdbstub *gdbstub_new(struct machine *m, struct chardev *c,
                            const struct gdbstub_config *config,
                            struct err *err)
{
    struct gdbstub *g = xcalloc(1, sizeof *g);

    g->m = m;
    g->chr = c;
    g->config = *config;
    g->kofiles = kofiles_new(m, config->modules, config->nmodules);
    g->listening = chardev_on_accept(c, on_accept, g);
    if (!g->listening && !session_new(g, c, false, err)) {
        kofiles_free(g->kofiles);
        free(g);
        return NULL;
    }
    debug_listen(m, on_event, g);
    debug_on_call(m, calls_takes, g);
    return g;
}

void gdbstub_free(struct gdbstub *g)
{
    if (!g)
        return;
    debug_unlisten(g->m, on_event, g);
    debug_off_call(g->m, g);
    if (g->listening)
        chardev_on_accept(g->chr, NULL, NULL);
    while (g->sessions)
        session_free(g->sessions); /* unlinks it, NOLINT(*-unix.Malloc) */
    kofiles_free(g->kofiles);
    free(g);
}
