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

#include "emu/bus/mem.h"

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
               code_linear(c) ? "linear" : "paged");
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

bool trans_show(const struct trans *t, uint64_t va, struct buf *out)
{
    bool any = false;

    for (struct code *c = t->page[va / MEM_PAGE % CODE_PAGES]; c;
         c = c->next_in_page) {
        if (va - c->pc >= c->bytes)
            continue;
        code_show(c, out);
        any = true;
    }
    return any;
}

void trans_describe(const struct trans *t, struct buf *out)
{
    const struct trans_info i = trans_info(t);
    const struct {
        const char *what;
        uint64_t n;
    } row[] = {
        { "translations", i.translations },
        { "guest instructions in them", i.insns },
        { "bytes of host code", i.bytes },
        { "bytes there is room for", i.size },
        { "made since the start", i.made },
        { "dropped, their code being written", i.killed - i.remade },
        { "dropped, to be made better", i.remade },
        { "times all were dropped", i.flushes },
        { "jumps that go straight to another", i.links },
        { "entries from C", i.entries },
        { "exits for want of a jump entry", i.misses },
        { "exits for want of steps", i.outs },
        { "exits by jumps to be linked", i.unlinked },
        { "exits for the interpreter to go on", i.left },
        { "of these, groups of accesses torn", i.torn },
        { "instructions done by their ops", i.ops },
        { "blocks that were interpreted", i.interpreted },
        { "pages that accesses found anew", i.fills },
        { "times they all forgot theirs", i.forgotten },
    };

    for (size_t n = 0; n < sizeof row / sizeof row[0]; n++)
        buf_printf(out, "%-36s %" PRIu64 "\n", row[n].what, row[n].n);
}

/* The perf map: one line for each translation, as it is made. */
FILE *perf_map_open(void)
{
    char path[64];

    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
    return fopen(path, "we");
}

void perf_map_add(FILE *f, const struct code *c)
{
    fprintf(f, "%" PRIxPTR " %" PRIx32 " guest_%" PRIx64 "\n",
            (uintptr_t)c->entry, c->size, c->pc);
    fflush(f);
}
