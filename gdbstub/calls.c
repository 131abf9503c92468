/* SPDX-License-Identifier: MIT */
/*
 * calls.c - semihosting calls that gdb answers: File-I/O.
 *
 * "Debugging with GDB", E.13. The request goes out instead of a stop reply;
 * gdb reads and writes the guest's memory itself, then replies, and still
 * waits for the stop.
 */
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/stub.h"

enum { FILEIO_EIO = 5 };

/* One who waits for a stop can be asked: gdb looks at the line then. */
bool calls_takes(void *opaque)
{
    struct gdbstub *g = opaque;

    for (g->caller = g->sessions; g->caller; g->caller = g->caller->next)
        if (g->caller->open && g->caller->owed == OWE_STOP)
            return true;
    return false;
}

static void request(const struct session *s, struct buf *out)
{
    buf_printf(out, "F%s", debug_call(s->m));
}

void calls_ask(struct gdbstub *g)
{
    struct buf out = { 0 };

    if (!g->caller || !debug_call(g->m))
        return;
    session_select(g->caller);
    request(g->caller, &out);
    link_send(&g->caller->link, out.data, out.len);
    buf_free(&out);
}

/* Nobody will answer: the call fails. */
void calls_lost(struct session *s)
{
    if (s->stub->caller != s)
        return;
    s->stub->caller = NULL;
    if (!debug_call(s->m))
        return;
    while (!debug_call_answer(s->m, -1, FILEIO_EIO))
        continue;
    debug_resume_again(s->m, NULL);
}

static bool take_signed(struct cursor *c, int64_t *v)
{
    bool minus = take_char(c, '-');
    uint64_t n;

    if (!take_hex(c, &n) || n > INT64_MAX)
        return false;
    *v = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

/* A call is gone when the machine was reset meanwhile: that is a stop. */
static bool late(struct session *s, struct buf *out)
{
    if (s->owed != OWE_STOP || debug_running(s->m))
        return false;
    s->owed = OWE_NOTHING;
    session_status(s, SIGNAL_TRAP, out);
    return true;
}

/* Fresult[,errno[,C]]: C is Ctrl-C, pressed while gdb was at it. */
static bool file_reply(struct session *s, struct args *a, struct buf *out)
{
    struct cursor c = { a->rest, a->rest + a->rest_len };
    int64_t result = -1, error = 0;
    bool good = take_signed(&c, &result);

    if (good && take_char(&c, ','))
        good = take_signed(&c, &error);
    if (!good) {
        result = -1;
        error = FILEIO_EIO;
    }
    if (s->stub->caller != s || !debug_call(s->m))
        return late(s, out);
    if (!debug_call_answer(s->m, result, (int)(error & 0xffff))) {
        request(s, out);
        return true;
    }
    s->stub->caller = NULL;
    debug_resume_again(s->m, NULL);
    if (take_char(&c, ',') && take_char(&c, 'C'))
        debug_interrupt(s->m);
    return false;
}

/* clang-format off */
const struct packet call_packets[] = {
    /* name  arguments  handler     plain */
    { "F",   "r",       file_reply, false },
    { NULL,  NULL,      NULL,       false },
};
/* clang-format on */
