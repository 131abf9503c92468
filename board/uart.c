/* SPDX-License-Identifier: MIT */
/*
 * uart.c - NS16550A serial port.
 *
 * Sending takes no time: THR is always empty again when the guest looks, and
 * whether the other side keeps up never shows. Input comes through the tap,
 * between slices only, and only while the FIFO has room below its trigger.
 * Run again in the past, it sends nothing: that was seen before.
 *
 * An access of any width touches one register: the one at its address.
 *
 * Source: PC16550D data sheet (National Semiconductor, 1995), section 8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum { SIZE = 8, FIFO_SIZE = 16, HELD_SIZE = 256, BAUD_BASE = 399193 };

enum {
    REG_DATA,
    REG_IER,
    REG_IIR,
    REG_LCR,
    REG_MCR,
    REG_LSR,
    REG_MSR,
    REG_SCR
};

/* Bits, by the names of the data sheet's table of registers. */
enum {
    IER_RDA = 0x01,  /* received data available, and timeout */
    IER_THRE = 0x02, /* transmitter holding register empty */
    IER_RLS = 0x04,  /* receiver line status */
    IER_MS = 0x08,   /* modem status */

    IIR_NONE = 0x01,
    IIR_MS = 0x00,
    IIR_THRE = 0x02,
    IIR_RDA = 0x04,
    IIR_RLS = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_ID = 0x0f,
    IIR_FIFOS = 0xc0,

    FCR_ENABLE = 0x01,
    FCR_CLEAR_RX = 0x02,
    FCR_CLEAR_TX = 0x04,
    FCR_KEPT = 0xc9,

    LCR_BITS = 0x03, /* 5 to 8 */
    LCR_STOP = 0x04,
    LCR_PARITY = 0x08,
    LCR_DLAB = 0x80,

    MCR_DTR = 0x01,
    MCR_RTS = 0x02,
    MCR_OUTS = 0x0c, /* OUT1 and OUT2 */
    MCR_LOOP = 0x10,
    MCR_KEPT = 0x1f,

    LSR_DR = 0x01,
    LSR_OE = 0x02,
    LSR_BI = 0x10,
    LSR_ERRORS = 0x1e,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40,

    MSR_DELTAS = 0x0f,
    MSR_DSR = 0x20,
    MSR_RESET = 0xb0, /* DCD, DSR, CTS: somebody is there */
};

struct uart {
    int64_t timeout_at; /* virtual ns; INT64_MAX: no timeout is due */
    uint16_t divider;
    uint8_t rbr; /* what was received while the FIFO is off */
    uint8_t ier, iir, fcr, lcr, mcr, lsr, msr, scr;
    uint8_t thr_pending; /* "holding register empty" not yet told */
    uint8_t timed_out;
    uint8_t head, count; /* of fifo */
    uint8_t fifo[FIFO_SIZE];
    char padding;
    struct irq irq;
    struct loop *loop;
    struct timer *timeout;
    struct bh *accept; /* room in the FIFO: tell chr, but between slices */
    struct chardev *chr;
    struct tap *tap;
    int bytes, breaks; /* tap sources */
    uint32_t n_held;   /* typed in the past: for the present */
    uint8_t held[HELD_SIZE];
    char padding2[4];
};

static const struct field uart_fields[] = {
    STATE(struct uart, timeout_at),
    STATE(struct uart, divider),
    STATE(struct uart, rbr),
    STATE(struct uart, ier),
    STATE(struct uart, iir),
    STATE(struct uart, fcr),
    STATE(struct uart, lcr),
    STATE(struct uart, mcr),
    STATE(struct uart, lsr),
    STATE(struct uart, msr),
    STATE(struct uart, scr),
    STATE(struct uart, thr_pending),
    STATE(struct uart, timed_out),
    STATE(struct uart, head),
    STATE(struct uart, count),
    STATE_ARRAY(struct uart, fifo),
    HOST(struct uart, padding),
    HOST(struct uart, irq),
    HOST(struct uart, loop),
    HOST(struct uart, timeout),
    HOST(struct uart, accept),
    HOST(struct uart, chr),
    HOST(struct uart, tap),
    HOST(struct uart, bytes),
    HOST(struct uart, breaks),
    HOST(struct uart, n_held),
    HOST(struct uart, held),
    HOST(struct uart, padding2),
    FIELDS_END,
};

/* Interrupts ----------------------------------------------------------------*/

/* Bits 6 and 7 of FCR: how many bytes make "received data available". */
static unsigned trigger(const struct uart *u)
{
    static const uint8_t level[4] = { 1, 4, 8, 14 };

    return level[u->fcr >> 6];
}

static bool data_available(const struct uart *u)
{
    return (u->lsr & LSR_DR) &&
           (!(u->fcr & FCR_ENABLE) || u->count >= trigger(u));
}

/* Section 8.6.2, table of interrupt priorities: the first that holds. */
static uint8_t interrupt(const struct uart *u)
{
    if ((u->ier & IER_RLS) && (u->lsr & LSR_ERRORS))
        return IIR_RLS;
    if ((u->ier & IER_RDA) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_RDA) && data_available(u))
        return IIR_RDA;
    if ((u->ier & IER_THRE) && u->thr_pending)
        return IIR_THRE;
    if ((u->ier & IER_MS) && (u->msr & MSR_DELTAS))
        return IIR_MS;
    return IIR_NONE;
}

/* Says the level at each change, also when it stays: the PLIC counts calls. */
static void update(struct uart *u)
{
    u->iir = (u->iir & IIR_FIFOS) | interrupt(u);
    irq_set(u->irq, (u->iir & IIR_ID) != IIR_NONE);
}

/* Receiving -----------------------------------------------------------------*/

static int64_t char_ns(const struct uart *u)
{
    unsigned stop = u->lcr & LCR_STOP ? 2 : 1;
    unsigned parity = u->lcr & LCR_PARITY ? 1 : 0;
    int64_t bits = 1 + (u->lcr & LCR_BITS) + 5 + parity + stop;

    if (u->divider == 0)
        return bits * 1000000000 / 3500; /* as QEMU; the chip would stop */
    return bits * 1000000000 * u->divider / BAUD_BASE;
}

static void arm(struct uart *u)
{
    if (u->timeout_at != INT64_MAX)
        timer_set(u->timeout, u->timeout_at);
    else
        timer_del(u->timeout);
}

/* Bytes that lie below the trigger are told of after 4 character times. */
static void start_timeout(struct uart *u)
{
    u->timeout_at = loop_now(u->loop, LOOP_VIRTUAL) + 4 * char_ns(u);
    arm(u);
}

static void stop_timeout(struct uart *u)
{
    u->timed_out = false;
    u->timeout_at = INT64_MAX;
    arm(u);
}

static void time_out(void *opaque)
{
    struct uart *u = opaque;

    u->timeout_at = INT64_MAX;
    if (u->count == 0)
        return;
    u->timed_out = true;
    update(u);
}

static void push(struct uart *u, uint8_t byte)
{
    if (u->count < FIFO_SIZE)
        u->fifo[(u->head + u->count++) % FIFO_SIZE] = byte;
    else
        u->lsr |= LSR_OE; /* the FIFO keeps what it has */
    start_timeout(u);
}

static void receive_byte(struct uart *u, uint8_t byte)
{
    if (u->fcr & FCR_ENABLE) {
        push(u, byte);
    } else {
        if (u->lsr & LSR_DR)
            u->lsr |= LSR_OE; /* the new byte overwrites the old one */
        u->rbr = byte;
    }
    u->lsr |= LSR_DR;
    update(u);
}

static uint8_t pop(struct uart *u)
{
    uint8_t byte = u->fifo[u->head % FIFO_SIZE];

    if (u->count == 0)
        return 0;
    u->head = (u->head + 1) % FIFO_SIZE;
    u->count--;
    return byte;
}

static uint8_t read_data(struct uart *u)
{
    uint8_t byte = u->rbr;

    if (u->fcr & FCR_ENABLE)
        byte = pop(u);
    stop_timeout(u);
    if ((u->fcr & FCR_ENABLE) && u->count > 0)
        start_timeout(u);
    else
        u->lsr &= (uint8_t) ~(LSR_DR | LSR_BI);
    update(u);
    bh_schedule(u->accept);
    return byte;
}

/* From outside --------------------------------------------------------------*/

static void deliver_bytes(void *opaque, const void *data, size_t len)
{
    struct uart *u = opaque;

    for (size_t i = 0; i < len; i++)
        receive_byte(u, ((const uint8_t *)data)[i]);
}

/* A break is received as a byte of zeros (section 8.6.3, BI). */
static void deliver_break(void *opaque, const void *data, size_t len)
{
    struct uart *u = opaque;

    (void)data, (void)len;
    u->lsr |= LSR_BI;
    receive_byte(u, 0);
}

static size_t room(const struct uart *u)
{
    unsigned below = trigger(u);

    if (!(u->fcr & FCR_ENABLE))
        return !(u->lsr & LSR_DR);
    if (u->count < below)
        return below - u->count;
    return u->count < FIFO_SIZE;
}

/* In the past nothing new is received: what is typed is kept, and said. */
static size_t chr_can(void *opaque)
{
    const struct uart *u = opaque;

    if (tap_past(u->tap))
        return HELD_SIZE - u->n_held;
    if (u->n_held)
        bh_schedule(u->accept);
    return tap_replaying(u->tap) || u->n_held ? 0 : room(u);
}

static void hold(struct uart *u, const void *data, size_t len)
{
    if (!u->n_held)
        fprintf(stderr, "ebreak: this is the past: what is typed on serial0 "
                        "waits for the present\n");
    memcpy(u->held + u->n_held, data, len);
    u->n_held += (uint32_t)len;
}

static void receive_held(struct uart *u)
{
    size_t n = room(u) < u->n_held ? room(u) : u->n_held;

    if (!n || tap_replaying(u->tap))
        return;
    tap_put(u->tap, u->bytes, u->held, n);
    u->n_held -= (uint32_t)n;
    memmove(u->held, u->held + n, u->n_held);
}

static void chr_read(void *opaque, const void *data, size_t len)
{
    struct uart *u = opaque;

    if (tap_past(u->tap))
        hold(u, data, len);
    else
        tap_put(u->tap, u->bytes, data, len);
}

static void chr_event(void *opaque, enum chardev_event e)
{
    struct uart *u = opaque;

    if (e == CHARDEV_BREAK)
        tap_put(u->tap, u->breaks, NULL, 0);
}

static const struct chardev_front uart_front = { chr_can, chr_read, chr_event };

static void accept_more(void *opaque)
{
    struct uart *u = opaque;

    receive_held(u);
    if (u->chr)
        chardev_accept(u->chr);
}

/* Behind a multiplexer nobody asks again of his own accord. */
static void is_live(void *opaque)
{
    const struct uart *u = opaque;

    bh_schedule(u->accept);
}

/* Registers -----------------------------------------------------------------*/

static void send(struct uart *u, uint8_t byte)
{
    u->thr_pending = false;
    update(u);
    if (u->mcr & MCR_LOOP)
        receive_byte(u, byte);
    else if (u->chr && !tap_past(u->tap))
        chardev_write(u->chr, &byte, 1);
    u->thr_pending = true;
    update(u);
}

/*
 * Linux depends on it: enabling the interrupt while the holding register is
 * empty raises it, even if it was told before.
 */
static void write_ier(struct uart *u, uint8_t v)
{
    uint8_t changed = (u->ier ^ v) & 0x0f;

    u->ier = v & 0x0f;
    if (changed & IER_THRE)
        u->thr_pending = (u->ier & IER_THRE) && (u->lsr & LSR_THRE);
    if (changed)
        update(u);
}

static void write_fcr(struct uart *u, uint8_t v)
{
    if ((v ^ u->fcr) & FCR_ENABLE) /* section 8.6.1: changing it clears both */
        v |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    if (v & FCR_CLEAR_RX) {
        u->lsr &= (uint8_t) ~(LSR_DR | LSR_BI);
        u->head = u->count = 0;
        stop_timeout(u);
    }
    if (v & FCR_CLEAR_TX)
        u->thr_pending = true;
    u->fcr = v & FCR_KEPT;
    u->iir = v & FCR_ENABLE ? IIR_FIFOS : 0;
    update(u);
}

static void write_reg(struct uart *u, unsigned reg, uint8_t v)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        if (dlab)
            u->divider = (u->divider & 0xff00) | v;
        else
            send(u, v);
        break;
    case REG_IER:
        if (dlab)
            u->divider = (uint16_t)(u->divider & 0x00ff) | (uint16_t)(v << 8);
        else
            write_ier(u, v);
        break;
    case REG_IIR:
        write_fcr(u, v);
        break;
    case REG_LCR:
        u->lcr = v;
        break;
    case REG_MCR:
        u->mcr = v & MCR_KEPT;
        break;
    case REG_SCR:
        u->scr = v;
        break;
    default: /* LSR, MSR: for the factory's tests only */
        break;
    }
}

/* In loop mode the modem's inputs are fed by its outputs (section 8.6.7). */
static uint8_t modem_status(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return u->msr;
    return (uint8_t)((u->mcr & MCR_OUTS) << 4 | (u->mcr & MCR_RTS) << 3 |
                     (u->mcr & MCR_DTR) << 5);
}

static uint8_t peek_reg(const struct uart *u, unsigned reg)
{
    bool dlab = u->lcr & LCR_DLAB, fifo = u->fcr & FCR_ENABLE;
    uint8_t front = u->count > 0 ? u->fifo[u->head % FIFO_SIZE] : 0;
    const uint8_t regs[SIZE] = {
        [REG_DATA] = dlab   ? (uint8_t)u->divider
                     : fifo ? front
                            : u->rbr,
        [REG_IER] = dlab ? (uint8_t)(u->divider >> 8) : u->ier,
        [REG_IIR] = u->iir,
        [REG_LCR] = u->lcr,
        [REG_MCR] = u->mcr,
        [REG_LSR] = u->lsr,
        [REG_MSR] = modem_status(u),
        [REG_SCR] = u->scr,
    };

    return regs[reg];
}

/* What reading a register changes; its value was taken before. */
static void after_read(struct uart *u, unsigned reg, uint8_t v)
{
    if (reg == REG_IIR && (v & IIR_ID) == IIR_THRE)
        u->thr_pending = false;
    else if (reg == REG_LSR && (v & (LSR_OE | LSR_BI)))
        u->lsr &= (uint8_t) ~(LSR_OE | LSR_BI);
    else if (reg == REG_MSR && !(u->mcr & MCR_LOOP) && (v & MSR_DELTAS))
        u->msr &= (uint8_t)~MSR_DELTAS;
    else
        return;
    update(u);
}

static bool uart_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    struct uart *u = opaque;

    (void)size;
    if (off == REG_DATA && !(u->lcr & LCR_DLAB)) {
        *v = read_data(u);
        return true;
    }
    *v = peek_reg(u, (unsigned)off);
    after_read(u, (unsigned)off, (uint8_t)*v);
    return true;
}

static bool uart_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    (void)size;
    write_reg(opaque, (unsigned)off, (uint8_t)v);
    return true;
}

/* A debugger, unlike the bus, wants all the registers it asks for. */
static bool uart_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    *v = 0;
    for (unsigned i = 0; i < size; i++)
        *v |= (uint64_t)peek_reg(opaque, (unsigned)off + i) << (8 * i);
    return true;
}

static const struct mem_ops uart_ops = {
    .read = uart_read,
    .write = uart_write,
    .peek = uart_peek,
    .sizes = MEM_1 | MEM_2 | MEM_4 | MEM_8,
};

/* The device ----------------------------------------------------------------*/

static void uart_reset(void *opaque)
{
    struct uart *u = opaque;

    stop_timeout(u);
    u->divider = 0x0c;
    u->rbr = u->ier = u->fcr = u->lcr = u->scr = 0;
    u->iir = IIR_NONE;
    u->mcr = 0x08;
    u->lsr = LSR_THRE | LSR_TEMT;
    u->msr = MSR_RESET;
    u->thr_pending = false;
    u->head = u->count = 0;
    memset(u->fifo, 0, sizeof u->fifo);
    irq_set(u->irq, false);
    bh_schedule(u->accept);
}

static void uart_loaded(void *opaque) { arm(opaque); }

static void uart_describe(void *opaque, struct buf *out)
{
    (void)opaque;
    buf_printf(out,
               "gpio-out \"sysbus-irq\" 1\n"
               "regshift = 0 (0x0)\n"
               "endianness = 2 (0x2)\n"
               "mmio ffffffffffffffff/%016x\n",
               SIZE);
}

static void uart_free(void *opaque)
{
    struct uart *u = opaque;

    if (u->chr)
        chardev_leave(u->chr, u);
    timer_free(u->timeout);
    bh_free(u->accept);
    free(u);
}

bool uart_new(const struct board_rooms *r, uint64_t base, struct chardev *chr,
              struct irq irq, struct err *err)
{
    struct uart *u = xcalloc(1, sizeof *u);

    u->irq = irq;
    u->loop = r->loop;
    u->tap = r->tap;
    u->timeout_at = INT64_MAX;
    u->timeout = timer_new(r->loop, LOOP_VIRTUAL, "uart0", time_out, u);
    u->accept = bh_new(r->loop, "uart0", accept_more, u);
    tap_on_live(r->tap, is_live, u);
    u->bytes = tap_source(r->tap, "serial0", deliver_bytes, u);
    u->breaks = tap_source(r->tap, "serial0.break", deliver_break, u);
    mem_add_device(r->mem, "serial", base, SIZE, &uart_ops, u);
    dev_add(r->devs,
            &(struct dev_info){ .name = "uart0",
                                .type = "serial-mm",
                                .fields = uart_fields,
                                .size = sizeof *u,
                                .version = 1,
                                .reset = uart_reset,
                                .loaded = uart_loaded,
                                .describe = uart_describe,
                                .free = uart_free },
            u);
    uart_reset(u);
    if (chr && !chardev_join(chr, &uart_front, u, err))
        return false;
    u->chr = chr;
    return true;
}
