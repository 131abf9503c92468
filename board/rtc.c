/* SPDX-License-Identifier: MIT */
/*
 * rtc.c - Goldfish real-time clock: nanoseconds since the epoch, one alarm.
 *
 * The time is the date at T=0 plus the virtual clock, so that it is a
 * function of the run. As in QEMU, an alarm that is armed keeps its moment
 * when the time is set.
 */
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum { SIZE = 0x24 };

enum {
    TIME_LOW = 0x00, /* reading it latches the high half */
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08, /* writing it arms the alarm */
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

struct rtc {
    uint64_t offset; /* time = virtual ns + offset */
    uint64_t alarm;
    int64_t deadline; /* of the alarm, virtual ns; INT64_MAX: never */
    uint32_t time_high;
    uint8_t armed;
    uint8_t pending;
    uint8_t enabled;
    char padding;
    struct loop *loop;
    struct timer *timer;
    struct irq irq;
    uint64_t base;
    int64_t base_ns;
};

static const struct field rtc_fields[] = {
    STATE(struct rtc, offset),   STATE(struct rtc, alarm),
    STATE(struct rtc, deadline), STATE(struct rtc, time_high),
    STATE(struct rtc, armed),    STATE(struct rtc, pending),
    STATE(struct rtc, enabled),  HOST(struct rtc, padding),
    HOST(struct rtc, loop),      HOST(struct rtc, timer),
    HOST(struct rtc, irq),       HOST(struct rtc, base),
    HOST(struct rtc, base_ns),   FIELDS_END,
};

static uint64_t now(const struct rtc *r)
{
    return (uint64_t)loop_now(r->loop, LOOP_VIRTUAL) + r->offset;
}

static void update(struct rtc *r) { irq_set(r->irq, r->pending && r->enabled); }

static void arm(struct rtc *r)
{
    if (r->deadline != INT64_MAX)
        timer_set(r->timer, r->deadline);
    else
        timer_del(r->timer);
}

static void disarm(struct rtc *r)
{
    r->armed = false;
    r->deadline = INT64_MAX;
    arm(r);
}

static void fire(void *opaque)
{
    struct rtc *r = opaque;

    disarm(r);
    r->pending = true;
    update(r);
}

/* An alarm that lies in the past rings at once. */
static void set_alarm(struct rtc *r)
{
    uint64_t t = now(r), virtual_ns = t - r->offset;

    if (r->alarm <= t) {
        fire(r);
        return;
    }
    r->armed = true;
    r->deadline = r->alarm - t < (uint64_t)INT64_MAX - virtual_ns
                      ? (int64_t)(virtual_ns + (r->alarm - t))
                      : INT64_MAX;
    arm(r);
}

static uint64_t with_low(uint64_t old, uint32_t v)
{
    return (old & ~UINT64_C(0xffffffff)) | v;
}

static uint64_t with_high(uint64_t old, uint32_t v)
{
    return (uint32_t)old | (uint64_t)v << 32;
}

static void set_time(struct rtc *r, uint64_t time)
{
    r->offset += time - now(r);
}

static bool rtc_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct rtc *r = opaque;
    const uint32_t regs[SIZE / 4] = {
        [TIME_LOW / 4] = (uint32_t)now(r),
        [TIME_HIGH / 4] = r->time_high,
        [ALARM_LOW / 4] = (uint32_t)r->alarm,
        [ALARM_HIGH / 4] = (uint32_t)(r->alarm >> 32),
        [IRQ_ENABLED / 4] = r->enabled,
        [ALARM_STATUS / 4] = r->armed,
    };

    (void)size;
    *v = regs[off / 4];
    return true;
}

static bool rtc_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    struct rtc *r = opaque;

    rtc_peek(opaque, off, size, v);
    if (off == TIME_LOW)
        r->time_high = (uint32_t)(now(r) >> 32);
    return true;
}

static bool rtc_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct rtc *r = opaque;

    (void)size;
    switch (off) {
    case TIME_LOW:
        set_time(r, with_low(now(r), (uint32_t)v));
        break;
    case TIME_HIGH:
        set_time(r, with_high(now(r), (uint32_t)v));
        break;
    case ALARM_LOW:
        r->alarm = with_low(r->alarm, (uint32_t)v);
        set_alarm(r);
        break;
    case ALARM_HIGH:
        r->alarm = with_high(r->alarm, (uint32_t)v);
        break;
    case IRQ_ENABLED:
        r->enabled = v & 1;
        update(r);
        break;
    case CLEAR_ALARM:
        disarm(r);
        break;
    case CLEAR_INTERRUPT:
        r->pending = false;
        update(r);
        break;
    default:
        log_guest("rtc: write to 0x%llx, which cannot be written",
                  (unsigned long long)off);
    }
    return true;
}

static void rtc_reset(void *opaque)
{
    struct rtc *r = opaque;

    disarm(r);
    r->offset = (uint64_t)r->base_ns;
    r->alarm = 0;
    r->time_high = 0;
    r->pending = false;
    r->enabled = false;
    update(r);
}

static void rtc_loaded(void *opaque) { arm(opaque); }

static void rtc_describe(void *opaque, struct buf *out)
{
    const struct rtc *r = opaque;

    buf_printf(out,
               "gpio-out \"sysbus-irq\" 1\n"
               "big-endian = false\n"
               "mmio %016llx/%016x\n",
               (unsigned long long)r->base, SIZE);
}

static void rtc_free(void *opaque)
{
    struct rtc *r = opaque;

    timer_free(r->timer);
    free(r);
}

static const struct mem_ops rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .peek = rtc_peek,
    .sizes = MEM_4 | MEM_SPLIT8,
};

void rtc_new(const struct board_rooms *rooms, uint64_t base, int64_t base_ns,
             struct irq irq)
{
    struct rtc *r = xcalloc(1, sizeof *r);

    r->loop = rooms->loop;
    r->timer = timer_new(rooms->loop, LOOP_VIRTUAL, "rtc", fire, r);
    r->irq = irq;
    r->base = base;
    r->base_ns = base_ns;
    r->offset = (uint64_t)base_ns;
    r->deadline = INT64_MAX;
    mem_add_device(rooms->mem, "goldfish_rtc", base, SIZE, &rtc_ops, r);
    dev_add(rooms->devs,
            &(struct dev_info){ .name = "rtc",
                                .type = "goldfish_rtc",
                                .fields = rtc_fields,
                                .size = sizeof *r,
                                .version = 1,
                                .reset = rtc_reset,
                                .loaded = rtc_loaded,
                                .describe = rtc_describe,
                                .free = rtc_free },
            r);
}
