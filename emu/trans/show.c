/* SPDX-License-Identifier: MIT */
/*
 * show.c - translations for people: -d out_asm, dump-code, a perf map.
 *
 * Host code is printed as bytes, one line per guest instruction: objdump -b
 * binary -m i386:x86-64 reads them.
 */
#include "emu/trans/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

static void bytes(const uint8_t *p, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%02x", i % 32 ? " " : "\n    ", p[i]);
    buf_str(out, "\n");
}

void code_show(const struct code *c, struct buf *out)
{
    const uint8_t *host = c->entry - c->t->to_rx;
    char text[128];

    buf_printf(out, "OUT: [size=%" PRIu32 "] %s\n  -- prologue", c->size,
               c->linear ? "linear" : "paged");
    bytes(host, c->at[0], out);
    for (uint32_t k = 0; k < c->n; k++) {
        const struct insn *i = &c->block->insn[k];

        insn_disas(text, sizeof text, c->pc + i->off, i);
        buf_printf(out, "  -- guest addr 0x%016" PRIx64 " %s", c->pc + i->off,
                   text);
        bytes(host + c->at[k], c->at[k + 1] - c->at[k], out);
    }
    buf_str(out, "  -- ways out, slow paths");
    bytes(host + c->at[c->n], c->size - c->at[c->n], out);
    buf_str(out, "\n");
}

void code_log(const struct code *c)
{
    struct buf b = { 0 };

    code_show(c, &b);
    log_to(LOG_OUT_ASM, "%s", buf_text(&b));
    buf_free(&b);
}
