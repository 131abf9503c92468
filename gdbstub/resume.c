/* SPDX-License-Identifier: MIT */
/*
 * resume.c - the packets that let the machine run, start it anew or let it go.
 *
 * "Debugging with GDB", E.2 Packets: vCont, c, s, ?, D, k, vRun. All-stop
 * mode: to each resume there is exactly one stop reply, sent by gdbstub.c when
 * the machine has stopped.
 */
#include <stdio.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "gdbstub/stub.h"

static uint64_t mask_of(int harts)
{
    return harts >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << harts) - 1;
}

static uint64_t bit(int hart) { return UINT64_C(1) << (hart & 63); }

/* gdb's `run` continues by itself from where it came to. With a place to go
 * to that is where it is to stay. */
static bool has_arrived(struct session *s, const struct debug_resume *r)
{
    int64_t at = s->arrived_ns;

    s->arrived_ns = 0;
    return at && !r->step && !debug_running(s->m) &&
           loop_now(debug_loop(s->m), LOOP_REALTIME) - at < STUB_ARRIVED_NS;
}

/* gdb reads the list of libraries again and resumes by itself. Not while it
 * steps: it would put its breakpoints back under a step that is to leave one. */
static bool libraries_first(struct session *s, struct buf *out)
{
    if (debug_running(s->m) || !modules_due(s))
        return false;
    modules_told(s);
    session_library(s, out);
    return true;
}

/*
 * A machine that already runs (another client let it go) is joined: its next
 * stop is the reply. One that cannot run says why and has stopped again. One
 * that stopped for a new library waits until all have read it, for they have
 * breakpoints to set in it.
 */
static bool resume(struct session *s, struct debug_resume *r, struct buf *out)
{
    struct err err = { "" };

    if (has_arrived(s, r)) {
        session_status(s, SIGNAL_NONE, out);
        return true;
    }
    if (!r->step && libraries_first(s, out))
        return true;
    if (r->run == mask_of(debug_harts(s->m)))
        r->run = ~UINT64_C(0);
    r->irq = s->irq;
    s->owed = OWE_STOP;
    s->letgo = false;
    if (session_has_read(s) || debug_running(s->m))
        return false;
    if (debug_resume(s->m, r, &err))
        return false;
    s->owed = OWE_NOTHING;
    session_say(s, err.text, strlen(err.text));
    session_say(s, "\n", 1);
    session_status(s, SIGNAL_NONE, out);
    return true;
}

/* vCont -------------------------------------------------------------------- */

struct action {
    char kind; /* c C s S r t */
    uint64_t from, to;
    int thread;
};

static bool take_action(struct cursor *c, struct action *a)
{
    uint64_t signal;

    *a = (struct action){ .thread = THREAD_ALL };
    if (!take_char(c, ';') || c->at == c->end)
        return false;
    a->kind = *c->at++;
    if (!strchr("cCsSrt", a->kind) || a->kind == '\0')
        return false;
    if ((a->kind == 'C' || a->kind == 'S') && !take_hex(c, &signal))
        return false;
    if (a->kind == 'r' &&
        (!take_hex(c, &a->from) || !take_char(c, ',') || !take_hex(c, &a->to)))
        return false;
    return !take_char(c, ':') || take_thread(c, &a->thread);
}

/*
 * The leftmost action that names a hart is the one; a hart that none names
 * stays stopped. A range that not all stepping harts share is stepped through
 * an instruction at a time, which the protocol allows.
 */
struct plan {
    struct debug_resume r;
    uint64_t named;
};

static void add_action(struct plan *p, const struct action *a, int harts)
{
    uint64_t who = a->thread >= 0 ? bit(a->thread) : mask_of(harts);
    bool range = a->kind == 'r' && a->from < a->to;
    uint64_t from = range ? a->from : 0, to = range ? a->to : 0;

    who &= ~p->named;
    p->named |= who;
    if (who == 0 || a->kind == 't')
        return;
    if (a->kind == 'c' || a->kind == 'C') {
        p->r.run |= who;
        return;
    }
    if (p->r.step == 0) {
        p->r.from = from;
        p->r.to = to;
        p->r.hart = a->thread >= 0 ? a->thread : -1;
    } else if (p->r.from != from || p->r.to != to) {
        p->r.from = p->r.to = 0;
    }
    p->r.step |= who;
}

static bool vcont(struct session *s, struct args *a, struct buf *out)
{
    struct cursor c = { a->rest, a->rest + a->rest_len };
    struct plan plan = { .r = { .hart = -1 } };
    struct action act;

    do {
        if (!take_action(&c, &act))
            return session_error(s, out, STUB_EINVAL, "malformed vCont");
        if (act.thread == THREAD_NONE ||
            (act.thread >= 0 && !session_has_thread(s, act.thread)))
            return session_error(s, out, STUB_EINVAL,
                                 "vCont names a thread that is not there");
        add_action(&plan, &act, session_threads(s));
    } while (c.at < c.end);
    if ((plan.r.run | plan.r.step) == 0)
        return session_error(s, out, STUB_EINVAL, "vCont resumes nothing");
    if (plan.r.step && plan.r.hart < 0)
        plan.r.hart = s->hart;
    return resume(s, &plan.r, out);
}

static bool vcont_query(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_str(out, "vCont;c;C;s;S;t;r");
    return true;
}

/* c, C, s, S: what clients without vCont use ------------------------------ */

static bool set_pc(struct session *s, uint64_t pc)
{
    const struct debug_reg *r = debug_reg_named(s->m, "pc");

    return r && s->hart < debug_harts(s->m) &&
           debug_reg_set(s->m, s->hart, r, pc);
}

static bool legacy(struct session *s, const uint64_t *pc, bool step,
                   struct buf *out)
{
    uint64_t all = mask_of(session_threads(s));
    uint64_t who = s->resumed >= 0 ? bit(s->resumed) : all;
    int hart = s->resumed >= 0 ? s->resumed : s->hart;
    struct debug_resume r = { .run = who, .hart = -1 };

    if (pc && !set_pc(s, *pc))
        return session_error(s, out, STUB_EFAULT, "pc cannot be written");
    if (step) {
        r.step = bit(hart);
        r.run = who & ~r.step;
        r.hart = hart;
    }
    return resume(s, &r, out);
}

static bool cont(struct session *s, struct args *a, struct buf *out)
{
    return legacy(s, a->count ? &a->n[0] : NULL, false, out);
}

static bool step(struct session *s, struct args *a, struct buf *out)
{
    return legacy(s, a->count ? &a->n[0] : NULL, true, out);
}

/* The signal means nothing to a machine. */
static bool cont_signal(struct session *s, struct args *a, struct buf *out)
{
    return legacy(s, a->count > 1 ? &a->n[1] : NULL, false, out);
}

static bool step_signal(struct session *s, struct args *a, struct buf *out)
{
    return legacy(s, a->count > 1 ? &a->n[1] : NULL, true, out);
}

/* Backward ----------------------------------------------------------------- */

/* Hc names the hart; without, it is the one gdb looks at. */
static bool reverse(struct session *s, bool step, struct buf *out)
{
    struct err err = { "" };

    s->letgo = false;
    if (!step && libraries_first(s, out))
        return true;
    s->owed = OWE_STOP;
    session_has_read(s);
    if (debug_running(s->m) ||
        debug_reverse(s->m, s->resumed >= 0 ? s->resumed : s->hart, step, &err))
        return false;
    s->owed = OWE_NOTHING;
    return session_error(s, out, STUB_EINVAL, "%s", err.text);
}

static bool reverse_step(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    return reverse(s, true, out);
}

static bool reverse_cont(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    return reverse(s, false, out);
}

/* Coming and going --------------------------------------------------------- */

static bool extended(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_str(out, "OK");
    return true;
}

/* ? and vAttach: stopped, or it will be soon. */
static bool status(struct session *s, struct args *a, struct buf *out)
{
    (void)a;
    s->letgo = false;
    if (debug_running(s->m)) {
        s->owed = OWE_STATUS;
        debug_interrupt(s->m);
        return false;
    }
    session_status(s, SIGNAL_TRAP, out);
    return true;
}

static bool attach(struct session *s, struct args *a, struct buf *out)
{
    if (a->n[0] != 1)
        return session_error(s, out, STUB_EINVAL, "the machine is process 1");
    session_restart_due(s);
    return status(s, a, out);
}

/* To the reset vector, with the images as they were loaded; stopped. */
static bool restart(struct session *s, struct err *err)
{
    if (debug_harts(s->m) == 0)
        return true;
    if (debug_running(s->m))
        debug_interrupt(s->m);
    err->text[0] = '\0';
    debug_reset_images(s->m, err);
    s->hart = 0;
    return err->text[0] == '\0';
}

static void let_run(struct session *s)
{
    struct debug_resume all = { .run = ~UINT64_C(0), .hart = -1 };

    if (session_alone(s) && !debug_running(s->m) && debug_harts(s->m) > 0)
        debug_resume(s->m, &all, NULL);
}

void session_settle(struct session *s, enum gdb_policy p, enum gdb_policy what)
{
    struct err err;

    switch (p == GDB_DEFAULT ? what : p) {
    case GDB_RUN:
        let_run(s);
        break;
    case GDB_STOP:
        if (session_alone(s) && debug_running(s->m))
            debug_interrupt(s->m);
        break;
    case GDB_RESET:
        restart(s, &err);
        break;
    case GDB_QUIT:
        debug_quit(s->m, 0);
        break;
    case GDB_DEFAULT:
    case GDB_KEEP:
        break;
    }
}

static void let_go(struct session *s)
{
    debug_points_clear(s->m, s);
    s->points = 0;
    s->letgo = true;
    s->owed = OWE_NOTHING;
    session_reads_no_more(s);
    calls_lost(s);
}

static bool detach(struct session *s, struct args *a, struct buf *out)
{
    if (a->count && a->n[0] != 1)
        return session_error(s, out, STUB_EINVAL, "the machine is process 1");
    let_go(s);
    session_settle(s, s->stub->config.detach, GDB_RUN);
    buf_str(out, "OK");
    return true;
}

/* gdb kills before it runs anew. In the past the reset waits for that: it
 * would begin another future before `run cNAME` goes elsewhere. */
static void kill_machine(struct session *s)
{
    enum gdb_policy p = s->stub->config.kill;

    let_go(s);
    if ((p == GDB_DEFAULT || p == GDB_RESET) && debug_past(s->m))
        s->restart_due = true;
    else
        session_settle(s, p, GDB_RESET);
}

void session_restart_due(struct session *s)
{
    struct err err;

    if (s->restart_due)
        restart(s, &err);
    s->restart_due = false;
}

static bool kill_plain(struct session *s, struct args *a, struct buf *out)
{
    (void)a, (void)out;
    kill_machine(s);
    return false;
}

static bool kill_process(struct session *s, struct args *a, struct buf *out)
{
    if (a->count && a->n[0] != 1)
        return session_error(s, out, STUB_EINVAL, "the machine is process 1");
    kill_machine(s);
    buf_str(out, "OK");
    return true;
}

/* One of vRun's words, as a command line has it: Linux wants quotes around a
 * blank. */
static void add_word(struct buf *line, const char *word)
{
    bool quote = strchr(word, ' ') && !strchr(word, '"');

    buf_printf(line, "%s%s%s%s", line->len ? " " : "", quote ? "\"" : "", word,
               quote ? "\"" : "");
}

/* FILE;WORD;..., all in hex: the words to line. */
static bool take_words(struct args *a, struct buf *line)
{
    char *at = memchr(a->rest, ';', a->rest_len), *end = a->rest + a->rest_len;

    while (at && ++at < end) {
        char *next = memchr(at, ';', (size_t)(end - at));
        struct args word;

        if (!args_parse("b", at, (size_t)((next ? next : end) - at), &word))
            return false;
        add_word(line, word.rest);
        at = next;
    }
    return true;
}

/* run cNAME, run tT: to a checkpoint, to a T. Made-up names begin with a c
 * themselves. False: there is no such time. */
static bool run_to(struct session *s, const char *word)
{
    bool digits = strspn(word + 1, "0123456789") == strlen(word + 1);
    struct err err;

    if (!strchr("ct", *word) || !word[1] || (*word == 't' && !digits))
        return false;
    if (debug_running(s->m))
        debug_interrupt(s->m);
    return *word == 't' ? debug_goto(s->m, word + 1, &err)
                        : debug_restart(s->m, word + 1, &err) ||
                              debug_restart(s->m, word, &err);
}

/* It may take a while to get there, and its end is the reply. */
static bool run_there(struct session *s, struct args *a, struct buf *out)
{
    s->restart_due = false;
    s->arrived_ns = loop_now(debug_loop(s->m), LOOP_REALTIME);
    if (!debug_seeking(s->m))
        return status(s, a, out);
    s->letgo = false;
    s->owed = OWE_STATUS;
    return false;
}

/* The program's name is of no use: the images are the command line's. What
 * comes behind it is a time, or the kernel's, instead of -append's. */
static bool run(struct session *s, struct args *a, struct buf *out)
{
    struct buf line = { 0 };
    struct err err = { "malformed vRun packet" };
    bool ok = take_words(a, &line);
    bool there = ok && line.len && run_to(s, buf_text(&line));

    ok = there || (ok && restart(s, &err) &&
                   (!line.len || debug_bootargs(s->m, buf_text(&line), &err)));
    buf_free(&line);
    if (there)
        return run_there(s, a, out);
    s->restart_due = false;
    s->arrived_ns = 0;
    return ok ? status(s, a, out)
              : session_error(s, out, STUB_EINVAL, "%s", err.text);
}

static bool run_plain(struct session *s, struct args *a, struct buf *out)
{
    struct err err;

    (void)a, (void)out;
    restart(s, &err);
    return false;
}

/* clang-format off */
const struct packet resume_packets[] = {
    /* name       arguments  handler       plain */
    { "!",        "",        extended,     false },
    { "?",        "",        status,       false },
    { "vCont?",   "",        vcont_query,  false },
    { "vCont",    "r",       vcont,        false },
    { "c",        "[h",      cont,         false },
    { "C",        "h[;h",    cont_signal,  false },
    { "s",        "[h",      step,         false },
    { "S",        "h[;h",    step_signal,  false },
    { "bs",       "",        reverse_step, false },
    { "bc",       "",        reverse_cont, false },
    { "vAttach",  ";h",      attach,       false },
    { "D",        "[;h",     detach,       false },
    { "k",        "",        kill_plain,   false },
    { "vKill",    "[;h",     kill_process, false },
    { "vRun",     "[;r",     run,          false },
    { "R",        "[h",      run_plain,    false },
    { NULL,       NULL,      NULL,         false },
};
/* clang-format on */
