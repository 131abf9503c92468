/* SPDX-License-Identifier: MIT */
/*
 * seek_tell.c - what a search has found, in words; and the last instructions.
 *
 * `history` runs the last steps again one by one and notes each before it is
 * done: an interrupt is taken by hand first, so that the instruction is the
 * handler's. The machine then goes back to where it was.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/bus/images.h"
#include "emu/bus/rom.h"
#include "emu/hart/hart.h"
#include "emu/hart/insn.h"
#include "emu/hart/trace.h"
#include "emu/hart/trap.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"

static void add_place(const struct machine *m, uint64_t pc, struct buf *out)
{
    uint64_t offset;
    const char *name =
        m->roms ? images_symbol(roms_images(m->roms), pc, &offset) : NULL;

    buf_printf(out, "0x%" PRIx64, pc);
    if (name)
        buf_printf(out, " <%.120s+%" PRIu64 ">", name, offset);
}

void seek_tell_hit(const struct machine *m, const struct seek_hit *hit,
                   struct buf *out)
{
    const struct run_stop *stop = &hit->stop;

    buf_printf(out, "T=%" PRIu64 ": ", hit->t);
    if (stop->device[0]) {
        buf_printf(out, "%s, at 0x%" PRIx64 "\n", stop->device, stop->hit.addr);
        return;
    }
    buf_printf(out, "hart %d, ", stop->hart);
    if (stop->reason == RUN_STOP_CATCH)
        buf_printf(out, "cause %" PRIu64 " (%s), to ", stop->hit.addr,
                   trap_cause_name(stop->hit.addr));
    buf_str(out, "pc ");
    add_place(m, hit->pc, out);
    if (stop->reason != RUN_STOP_CATCH)
        buf_printf(out, ", at 0x%" PRIx64, stop->hit.addr);
    buf_chr(out, '\n');
}

/* The last instructions ------------------------------------------------------ */

static struct seek *seek_of(const struct machine *m)
{
    return &m->run->timeline->seek;
}

static uint64_t cause_of(const struct hart *h)
{
    return h->priv == PRIV_S ? h->scause : h->mcause;
}

/* The one that is about to be done; a point may come in between. */
static struct seek_line *next_line(struct seek *s, uint64_t t)
{
    if (s->lines && s->line[s->lines - 1].t == t)
        return &s->line[s->lines - 1];
    if (s->lines == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->line = xrealloc(s->line, s->room * sizeof *s->line);
    }
    s->line[s->lines] = (struct seek_line){ .t = t };
    return &s->line[s->lines++];
}

void seek_list(struct machine *m, int hart)
{
    struct seek *s = seek_of(m);
    struct hart *h = m->hart[hart];
    struct seek_line *line = next_line(s, m->run->clock.t);
    struct insn i = { 0 };

    while (h->attention & ATTN_IRQ && trap_interrupt(h)) {
        line->interrupt = true;
        line->interrupt_cause = cause_of(h);
    }
    line->hart = (uint8_t)hart;
    line->pc = h->pc;
    line->priv = h->priv;
    line->raw = trace_decode(h, &i) ? i.raw : 0;
    line->len = i.len;
    s->track.exceptions = h->exceptions;
}

void seek_listed(struct machine *m, int hart)
{
    struct seek *s = seek_of(m);
    const struct hart *h = m->hart[hart];
    struct seek_line *line = &s->line[s->lines - 1];

    line->done = m->run->clock.t > line->t;
    line->exception = h->exceptions != s->track.exceptions;
    line->cause = cause_of(h);
}

static void add_line(const struct machine *m, const struct seek_line *line,
                     struct buf *out)
{
    static const char modes[4] = { 'U', 'S', '?', 'M' };
    struct insn i = insn_decode(line->raw, m->hart[0]->cpu.ext);
    char text[128] = "(cannot be fetched)";

    if (line->interrupt)
        buf_printf(out, "            hart %d: interrupt %" PRIu64 " (%s)\n",
                   line->hart, line->interrupt_cause & INT64_MAX,
                   trap_cause_name(line->interrupt_cause));
    if (line->len)
        insn_disas(text, sizeof text, line->pc, &i);
    buf_printf(out, "T=%-10" PRIu64 " hart %d %c ", line->t, line->hart,
               modes[line->priv & 3]);
    add_place(m, line->pc, out);
    buf_chr(out, ' ');
    for (const char *at = text; *at; at++) /* columns are for `x` */
        if (*at != ' ' || at[1] != ' ')
            buf_chr(out, *at);
    if (line->exception)
        buf_printf(out, "; exception %" PRIu64 " (%s)", line->cause,
                   trap_cause_name(line->cause));
    buf_chr(out, '\n');
}

void seek_tell_lines(struct machine *m)
{
    const struct seek *s = seek_of(m);
    struct buf b = { 0 };

    for (size_t n = 0; n < s->lines; n++) {
        if (!s->line[n].done)
            continue;
        buf_clear(&b);
        add_line(m, &s->line[n], &b);
        run_say(m, buf_text(&b));
    }
    if (!s->lines)
        run_say(m, "no instruction was run since history begins\n");
    buf_free(&b);
}

void seek_forget_lines(struct seek *s)
{
    free(s->line);
    s->line = NULL;
    s->lines = s->room = 0;
}
