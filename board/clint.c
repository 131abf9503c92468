/* SPDX-License-Identifier: MIT */
/*
 * clint.c - ACLINT: machine software interrupts (MSWI), the machine timer
 * (MTIMER) and supervisor software interrupts (SSWI).
 *
 * mtime is the virtual clock in ticks of 100 ns, plus an offset. mtimecmp is
 * 0 when the machine is made and, as in QEMU, survives resets: at the first
 * one MTIP is already pending.
 *
 * Source: RISC-V ACLINT specification 1.0-rc4.
 */
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum {
    HARTS = 64,
    TICK_NS = 100,
    SWI_SIZE = 0x4000,
    MTIMER_OFFSET = 0x4000, /* from the CLINT's base */
    MTIMER_SIZE = 0x8000,
    MTIME = 0x7ff8,               /* within MTIMER */
    SSWI = 0x2f00000 - 0x2000000, /* from the CLINT's base */
};

/* MSWI or SSWI --------------------------------------------------------------*/

struct swi {
    uint8_t msip[HARTS]; /* MSWI only: SSIP is in the hart */
    struct irq out[HARTS];
    uint64_t base;
    int harts;
    bool supervisor;
    char padding[3];
};

static const struct field swi_fields[] = {
    STATE_ARRAY(struct swi, msip),
    HOST(struct swi, out),
    HOST(struct swi, base),
    HOST(struct swi, harts),
    HOST(struct swi, supervisor),
    HOST(struct swi, padding),
    FIELDS_END,
};

static bool no_hart(const char *what, uint64_t off)
{
    log_guest("clint: no hart has the %s register at 0x%llx", what,
              (unsigned long long)off);
    return true;
}

static bool swi_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct swi *s = opaque;
    uint64_t hart = off / 4;

    (void)size;
    *v = hart < (uint64_t)s->harts ? s->msip[hart] : 0;
    return true;
}

static bool swi_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct swi *s = opaque;

    swi_peek(opaque, off, size, v);
    return off / 4 < (uint64_t)s->harts || no_hart("software interrupt", off);
}

static bool swi_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct swi *s = opaque;
    uint64_t hart = off / 4;

    (void)size;
    if (hart >= (uint64_t)s->harts)
        return no_hart("software interrupt", off);
    if (!s->supervisor) {
        s->msip[hart] = v & 1;
        irq_set(s->out[hart], v & 1);
    } else if (v & 1) {
        irq_set(s->out[hart], true); /* an edge: SETSSIP reads 0 */
    }
    return true;
}

static void swi_reset(void *opaque)
{
    struct swi *s = opaque;

    for (int i = 0; i < s->harts; i++) {
        s->msip[i] = 0;
        if (!s->supervisor)
            irq_set(s->out[i], false);
    }
}

static void swi_describe(void *opaque, struct buf *out)
{
    const struct swi *s = opaque;

    buf_printf(out,
               "gpio-out \"\" %d\n"
               "hartid-base = 0 (0x0)\n"
               "num-harts = %d (0x%x)\n"
               "sswi = %d (0x%x)\n"
               "mmio %016llx/%016x\n",
               s->harts, s->harts, (unsigned)s->harts, s->supervisor,
               s->supervisor, (unsigned long long)s->base, SWI_SIZE);
}

static const struct mem_ops swi_ops = {
    .read = swi_read,
    .write = swi_write,
    .peek = swi_peek,
    .sizes = MEM_4,
};

static void swi_new(const struct board_rooms *r, uint64_t base, int harts,
                    const struct irq *out, bool supervisor)
{
    struct swi *s = xcalloc(1, sizeof *s);

    s->base = base;
    s->harts = harts;
    s->supervisor = supervisor;
    for (int i = 0; i < harts; i++)
        s->out[i] = out[i];
    mem_add_device(r->mem, "riscv.aclint.swi", base, SWI_SIZE, &swi_ops, s);
    dev_add(r->devs,
            &(struct dev_info){ .name = supervisor ? "sswi" : "mswi",
                                .type = "riscv.aclint.swi",
                                .fields = swi_fields,
                                .size = sizeof *s,
                                .version = 1,
                                .reset = swi_reset,
                                .describe = swi_describe,
                                .free = free },
            s);
}

/* MTIMER --------------------------------------------------------------------*/

struct line {
    struct clint *clint;
    struct timer *timer;
    struct irq out;
};

struct clint {
    uint64_t offset; /* mtime = ticks of the virtual clock + offset */
    uint64_t mtimecmp[HARTS];
    int64_t deadline[HARTS]; /* virtual ns; INT64_MAX: the timer is off */
    struct line line[HARTS];
    struct loop *loop;
    uint64_t base;
    uint64_t harts;
};

static const struct field clint_fields[] = {
    STATE(struct clint, offset),
    STATE_ARRAY(struct clint, mtimecmp),
    STATE_ARRAY(struct clint, deadline),
    HOST(struct clint, line),
    HOST(struct clint, loop),
    HOST(struct clint, base),
    HOST(struct clint, harts),
    FIELDS_END,
};

static uint64_t clock_ticks(const struct clint *c)
{
    return (uint64_t)loop_now(c->loop, LOOP_VIRTUAL) / TICK_NS;
}

uint64_t clint_mtime(void *clint)
{
    const struct clint *c = clint;

    return clock_ticks(c) + c->offset;
}

int64_t clint_mtime_to_ns(void *clint, uint64_t ticks)
{
    const struct clint *c = clint;
    uint64_t now = clock_ticks(c), mtime = now + c->offset;
    uint64_t wait = ticks > mtime ? ticks - mtime : 0;

    if (wait >= (uint64_t)INT64_MAX / TICK_NS - now)
        return INT64_MAX; /* in 292 years */
    return (int64_t)((now + wait) * TICK_NS);
}

static void arm(struct clint *c, size_t hart)
{
    if (c->deadline[hart] != INT64_MAX)
        timer_set(c->line[hart].timer, c->deadline[hart]);
    else
        timer_del(c->line[hart].timer);
}

/*
 * MTIP is what the comparison says, at once; else it waits for the timer. The
 * wire is called even if its level stays: that tells a hart that mtime may
 * have been written, so that it looks at its stimecmp again.
 */
static void compare(struct clint *c, size_t hart)
{
    uint64_t cmp = c->mtimecmp[hart];
    bool reached = clint_mtime(c) >= cmp;

    c->deadline[hart] = reached ? INT64_MAX : clint_mtime_to_ns(c, cmp);
    arm(c, hart);
    irq_set(c->line[hart].out, reached);
}

static void compare_all(struct clint *c)
{
    for (size_t i = 0; i < c->harts; i++)
        compare(c, i);
}

static void fire(void *opaque)
{
    struct line *line = opaque;

    compare(line->clint, (size_t)(line - line->clint->line));
}

static bool has_register(const struct clint *c, uint64_t off)
{
    return off / 8 < c->harts || off >= MTIME;
}

static bool clint_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    struct clint *c = opaque;

    *v = off >= MTIME           ? clint_mtime(c)
         : has_register(c, off) ? c->mtimecmp[off / 8]
                                : 0;
    if (size == 4)
        *v = (uint32_t)(*v >> (off % 8 * 8));
    return true;
}

static bool clint_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    clint_peek(opaque, off, size, v);
    return has_register(opaque, off) || no_hart("mtimecmp", off);
}

/* Puts the 4 or 8 bytes that were written at off into a register. */
static uint64_t merge(uint64_t old, uint64_t off, unsigned size, uint64_t v)
{
    unsigned shift = off % 8 * 8;

    if (size == 8)
        return v;
    return (old & ~(UINT64_C(0xffffffff) << shift)) | v << shift;
}

static bool clint_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct clint *c = opaque;

    if (!has_register(c, off))
        return no_hart("mtimecmp", off);
    if (off >= MTIME) {
        c->offset = merge(clint_mtime(c), off, size, v) - clock_ticks(c);
        compare_all(c);
    } else {
        c->mtimecmp[off / 8] = merge(c->mtimecmp[off / 8], off, size, v);
        compare(c, off / 8);
    }
    return true;
}

static void clint_reset(void *opaque)
{
    struct clint *c = opaque;

    c->offset = -clock_ticks(c);
    compare_all(c);
}

static void clint_loaded(void *opaque)
{
    struct clint *c = opaque;

    for (size_t i = 0; i < c->harts; i++)
        arm(c, i);
}

static void clint_describe(void *opaque, struct buf *out)
{
    const struct clint *c = opaque;
    unsigned n = (unsigned)c->harts;

    buf_printf(out,
               "gpio-out \"\" %u\n"
               "hartid-base = 0 (0x0)\n"
               "num-harts = %u (0x%x)\n"
               "timecmp-base = 0 (0x0)\n"
               "time-base = 32760 (0x7ff8)\n"
               "aperture-size = 32768 (0x8000)\n"
               "timebase-freq = 10000000 (0x989680)\n"
               "mmio %016llx/%016x\n",
               n, n, n, (unsigned long long)c->base, MTIMER_SIZE);
}

static void clint_free(void *opaque)
{
    struct clint *c = opaque;

    for (size_t i = 0; i < c->harts; i++)
        timer_free(c->line[i].timer);
    free(c);
}

static const struct mem_ops clint_ops = {
    .read = clint_read,
    .write = clint_write,
    .peek = clint_peek,
    .sizes = MEM_4 | MEM_8,
};

static struct clint *mtimer_new(const struct board_rooms *r, uint64_t base,
                                int harts, const struct irq *mtip)
{
    struct clint *c = xcalloc(1, sizeof *c);

    c->loop = r->loop;
    c->base = base;
    c->harts = (uint64_t)harts;
    for (size_t i = 0; i < HARTS; i++)
        c->deadline[i] = INT64_MAX;
    for (size_t i = 0; i < c->harts; i++) {
        struct line *line = &c->line[i];

        line->timer = timer_new(r->loop, LOOP_VIRTUAL, "mtimer", fire, line);
        line->clint = c;
        line->out = mtip[i];
    }
    mem_add_device(r->mem, "riscv.aclint.mtimer", base, MTIMER_SIZE, &clint_ops,
                   c);
    dev_add(r->devs,
            &(struct dev_info){ .name = "mtimer",
                                .type = "riscv.aclint.mtimer",
                                .fields = clint_fields,
                                .size = sizeof *c,
                                .version = 1,
                                .reset = clint_reset,
                                .loaded = clint_loaded,
                                .describe = clint_describe,
                                .free = clint_free },
            c);
    return c;
}

struct clint *clint_new(const struct board_rooms *r, uint64_t base, int harts,
                        const struct irq *msip, const struct irq *mtip,
                        const struct irq *ssip, bool aclint)
{
    struct clint *c;

    swi_new(r, base, harts, msip, false);
    c = mtimer_new(r, base + MTIMER_OFFSET, harts, mtip);
    if (aclint)
        swi_new(r, base + SSWI, harts, ssip, true);
    return c;
}
