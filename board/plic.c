/* SPDX-License-Identifier: MIT */
/*
 * plic.c - SiFive PLIC with 95 sources and 3 bits of priority.
 *
 * As QEMU's: a source's rising call sets its pending bit, a falling one does
 * nothing; completion does not look whether the line is still high (devices
 * raise again whenever something changed); a write to an enable register is
 * only seen at the next event.
 *
 * Source: RISC-V PLIC specification 1.0.0.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum {
    SIZE = 0x600000,
    SOURCES = 96, /* source 0 does not exist */
    WORDS = SOURCES / 32,
    CONTEXTS = 128, /* M and S of 64 harts */
    PRIORITY_MASK = 7,
};

struct plic {
    uint32_t pending[WORDS];
    uint32_t claimed[WORDS]; /* masked until completion */
    uint32_t enable[CONTEXTS][WORDS];
    uint8_t priority[SOURCES];
    uint8_t threshold[CONTEXTS];
    struct irq out[CONTEXTS];
    uint64_t base;
    uint64_t contexts;
};

static const struct field plic_fields[] = {
    STATE_ARRAY(struct plic, pending),
    STATE_ARRAY(struct plic, claimed),
    { "enable", offsetof(struct plic, enable), sizeof((struct plic *)0)->enable,
      4, FIELD_STATE },
    STATE_ARRAY(struct plic, priority),
    STATE_ARRAY(struct plic, threshold),
    HOST(struct plic, out),
    HOST(struct plic, base),
    HOST(struct plic, contexts),
    FIELDS_END,
};

static void set_bit(uint32_t *words, unsigned n, bool on)
{
    uint32_t bit = UINT32_C(1) << n % 32;

    words[n / 32] = on ? words[n / 32] | bit : words[n / 32] & ~bit;
}

static bool bit(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> n % 32 & 1;
}

/* The source that context c would claim now, 0 if none: the highest priority
 * above the threshold, the lowest number among equals. */
static unsigned best(const struct plic *p, uint64_t c)
{
    unsigned source = 0, priority = p->threshold[c];

    for (unsigned w = 0; w < WORDS; w++) {
        uint32_t set = p->pending[w] & ~p->claimed[w] & p->enable[c][w];

        for (; set; set &= set - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(set);

            if (p->priority[n] > priority) {
                source = n;
                priority = p->priority[n];
            }
        }
    }
    return source;
}

static void update(struct plic *p)
{
    for (uint64_t c = 0; c < p->contexts; c++)
        irq_set(p->out[c], best(p, c) != 0);
}

static void line(void *opaque, int source, bool level)
{
    struct plic *p = opaque;

    if (!level)
        return;
    set_bit(p->pending, (unsigned)source, true);
    update(p);
}

static unsigned claim(struct plic *p, uint64_t c)
{
    unsigned source = best(p, c);

    if (source) {
        set_bit(p->pending, source, false);
        set_bit(p->claimed, source, true);
    }
    update(p);
    return source;
}

static void complete(struct plic *p, uint32_t source)
{
    if (source >= SOURCES) {
        log_guest("plic: completion of source %u, which does not exist",
                  source);
        return;
    }
    set_bit(p->claimed, source, false);
    update(p);
}

/* Registers -----------------------------------------------------------------*/

/*
 * The map: each row is a run of equal blocks, one for each source, word or
 * context, and the functions for a register in one of them.
 */
struct window {
    uint64_t base, stride, count;
    bool (*read)(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v);
    bool (*write)(struct plic *p, uint64_t n, uint64_t reg, uint32_t v);
};

static bool read_priority(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v)
{
    (void)reg;
    *v = p->priority[n];
    return true;
}

static bool write_priority(struct plic *p, uint64_t n, uint64_t reg, uint32_t v)
{
    (void)reg;
    if (n == 0)
        return false;
    p->priority[n] = v & PRIORITY_MASK;
    update(p);
    return true;
}

static bool read_pending(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v)
{
    (void)reg;
    *v = p->pending[n];
    return true;
}

static bool write_pending(struct plic *p, uint64_t n, uint64_t reg, uint32_t v)
{
    (void)p, (void)n, (void)reg, (void)v;
    return false;
}

static bool read_enable(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v)
{
    if (n >= p->contexts || reg / 4 >= WORDS)
        return false;
    *v = p->enable[n][reg / 4];
    return true;
}

static bool write_enable(struct plic *p, uint64_t n, uint64_t reg, uint32_t v)
{
    if (n >= p->contexts || reg / 4 >= WORDS)
        return false;
    p->enable[n][reg / 4] = v;
    return true;
}

static bool peek_context(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v)
{
    if (n >= p->contexts || reg > 4)
        return false;
    *v = reg == 0 ? p->threshold[n] : best(p, n);
    return true;
}

static bool read_context(struct plic *p, uint64_t n, uint64_t reg, uint32_t *v)
{
    if (!peek_context(p, n, reg, v))
        return false;
    if (reg == 4)
        *v = claim(p, n);
    return true;
}

static bool write_context(struct plic *p, uint64_t n, uint64_t reg, uint32_t v)
{
    if (n >= p->contexts || reg > 4)
        return false;
    if (reg == 4) {
        complete(p, v);
        return true;
    }
    p->threshold[n] = v & PRIORITY_MASK;
    update(p);
    return true;
}

static const struct window windows[] = {
    /* base    stride   count */
    { 0x000000, 4, SOURCES, read_priority, write_priority },
    { 0x001000, 4, WORDS, read_pending, write_pending },
    { 0x002000, 0x80, CONTEXTS, read_enable, write_enable },
    { 0x200000, 0x1000, CONTEXTS, read_context, write_context },
};

static const struct window *window(uint64_t off)
{
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        if (off - windows[i].base < windows[i].stride * windows[i].count)
            return &windows[i];
    return NULL;
}

static bool plic_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct window *w = window(off);
    uint32_t got = 0;

    (void)size;
    if (!w || !w->read(opaque, (off - w->base) / w->stride,
                       (off - w->base) % w->stride, &got))
        log_guest("plic: there is no register to read at 0x%llx",
                  (unsigned long long)off);
    *v = got;
    return true;
}

static bool plic_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    const struct window *w = window(off);

    (void)size;
    if (!w || !w->write(opaque, (off - w->base) / w->stride,
                        (off - w->base) % w->stride, (uint32_t)v))
        log_guest("plic: there is no register to write at 0x%llx",
                  (unsigned long long)off);
    return true;
}

static bool plic_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct window *w = window(off);
    uint32_t got = 0;

    (void)size;
    if (w)
        (w->read == read_context ? peek_context
                                 : w->read)(opaque, (off - w->base) / w->stride,
                                            (off - w->base) % w->stride, &got);
    *v = got;
    return true;
}

static const struct mem_ops plic_ops = {
    .read = plic_read,
    .write = plic_write,
    .peek = plic_peek,
    .sizes = MEM_4,
};

/* The device ----------------------------------------------------------------*/

static void plic_reset(void *opaque)
{
    struct plic *p = opaque;

    memset(p->pending, 0, sizeof p->pending);
    memset(p->claimed, 0, sizeof p->claimed);
    memset(p->enable, 0, sizeof p->enable);
    memset(p->priority, 0, sizeof p->priority);
    memset(p->threshold, 0, sizeof p->threshold);
    update(p);
}

static void plic_describe(void *opaque, struct buf *out)
{
    const struct plic *p = opaque;

    buf_printf(out, "gpio-in \"\" %d\ngpio-out \"\" %d\nhart-config = \"",
               SOURCES, (int)p->contexts);
    for (uint64_t c = 0; c < p->contexts; c += 2)
        buf_printf(out, "%sMS", c ? "," : "");
    buf_printf(out,
               "\"\n"
               "hartid-base = 0 (0x0)\n"
               "num-sources = 96 (0x60)\n"
               "num-priorities = 7 (0x7)\n"
               "priority-base = 0 (0x0)\n"
               "pending-base = 4096 (0x1000)\n"
               "enable-base = 8192 (0x2000)\n"
               "enable-stride = 128 (0x80)\n"
               "context-base = 2097152 (0x200000)\n"
               "context-stride = 4096 (0x1000)\n"
               "aperture-size = 6291456 (0x600000)\n"
               "mmio %016llx/%016x\n",
               (unsigned long long)p->base, SIZE);
}

struct plic *plic_new(const struct board_rooms *r, uint64_t base, int harts,
                      const struct irq *out)
{
    struct plic *p = xcalloc(1, sizeof *p);

    assert(harts > 0 && harts * 2 <= CONTEXTS);
    p->base = base;
    p->contexts = (uint64_t)harts * 2;
    for (uint64_t c = 0; c < p->contexts; c++)
        p->out[c] = out[c];
    mem_add_device(r->mem, "riscv.sifive.plic", base, SIZE, &plic_ops, p);
    dev_add(r->devs,
            &(struct dev_info){ .name = "plic",
                                .type = "riscv.sifive.plic",
                                .fields = plic_fields,
                                .size = sizeof *p,
                                .version = 1,
                                .reset = plic_reset,
                                .describe = plic_describe,
                                .free = free },
            p);
    return p;
}

struct irq plic_irq(struct plic *p, int source)
{
    assert(source > 0 && source < SOURCES);
    return (struct irq){ line, p, source };
}

/* For people ----------------------------------------------------------------*/

static bool enabled_anywhere(const struct plic *p, unsigned source)
{
    for (uint64_t c = 0; c < p->contexts; c++)
        if (bit(p->enable[c], source))
            return true;
    return false;
}

static void show_contexts(const struct plic *p, unsigned source,
                          struct buf *out)
{
    buf_str(out, " enabled");
    for (uint64_t c = 0; c < p->contexts; c++)
        if (bit(p->enable[c], source))
            buf_printf(out, " %d%c", (int)c / 2, c % 2 ? 'S' : 'M');
    buf_str(out, enabled_anywhere(p, source) ? "\n" : " nowhere\n");
}

static void show_source(const struct plic *p, unsigned source, struct buf *out)
{
    bool pending = bit(p->pending, source), claimed = bit(p->claimed, source);

    if (!p->priority[source] && !pending && !claimed &&
        !enabled_anywhere(p, source))
        return;
    buf_printf(out, "source %2u: priority %u%s%s", source, p->priority[source],
               pending ? " pending" : "", claimed ? " claimed" : "");
    show_contexts(p, source, out);
}

void plic_show(const struct plic *p, struct buf *out)
{
    for (unsigned n = 1; n < SOURCES; n++)
        show_source(p, n, out);
    for (uint64_t c = 0; c < p->contexts; c++) {
        unsigned next = best(p, c);

        buf_printf(out, "hart %d %c: threshold %u, ", (int)c / 2,
                   c % 2 ? 'S' : 'M', p->threshold[c]);
        if (next)
            buf_printf(out, "would claim source %u\n", next);
        else
            buf_str(out, "nothing to claim\n");
    }
}
