/* SPDX-License-Identifier: MIT */
/* uart_test.c - NS16550A serial port. */
#include "emu/base/chardev.h"

#include "tests/unit/chip_rig.h"

enum { BASE = 0x10000000 };

enum {
    RBR = BASE,
    THR = BASE,
    IER = BASE + 1,
    IIR = BASE + 2,
    FCR = BASE + 2,
    LCR = BASE + 3,
    MCR = BASE + 4,
    LSR = BASE + 5,
    MSR = BASE + 6,
    SCR = BASE + 7,
};

/* A line to the world that the test holds the other end of. */
struct chardev {
    const struct chardev_front *front;
    void *opaque;
    struct buf out;
    int accepts;
    size_t refuse; /* takes nothing when not 0 */
};

bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err)
{
    if (c->front)
        return err_set(err, "Device 'serial0' is in use");
    c->front = front;
    c->opaque = opaque;
    return true;
}

void chardev_leave(struct chardev *c, void *opaque)
{
    cr_assert_eq(c->opaque, opaque);
    c->front = NULL;
}

size_t chardev_write(struct chardev *c, const void *data, size_t len)
{
    if (c->refuse)
        return 0;
    buf_add(&c->out, data, len);
    return len;
}

void chardev_accept(struct chardev *c) { c->accepts++; }

static struct rig g;
static struct wire wire;
static struct chardev chr;

static void set_up(void)
{
    wire = (struct wire){ 0 };
    chr = (struct chardev){ 0 };
    rig_init(&g);
    cr_assert(uart_new(&g.rooms, BASE, &chr, wire_irq(&wire, 0), NULL));
    devs_reset(g.rooms.devs);
}

static void tear_down(void)
{
    rig_fini(&g);
    buf_free(&chr.out);
}

TestSuite(uart, .init = set_up, .fini = tear_down);

static uint8_t get(uint64_t reg) { return (uint8_t)rig_read(&g, reg, 1); }
static void set(uint64_t reg, uint8_t v) { rig_write(&g, reg, 1, v); }

static size_t can(void) { return chr.front->can(chr.opaque); }

static void type(const char *text)
{
    chr.front->read(chr.opaque, text, strlen(text));
}

/* 1 start, 8 data and 1 stop bit at 39919 baud: 250505 ns. */
static void set_line(void)
{
    set(LCR, 0x83);
    set(THR, 0x0a);
    set(IER, 0);
    set(LCR, 0x03);
}

Test(uart, registers_after_reset)
{
    static const struct {
        uint64_t reg;
        uint8_t value;
    } want[] = { { IER, 0 },    { IIR, 0x01 }, { LCR, 0 }, { MCR, 0x08 },
                 { LSR, 0x60 }, { MSR, 0xb0 }, { SCR, 0 }, { RBR, 0 } };

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_assert_eq(get(want[i].reg), want[i].value, "register %zu", i);
    set(LCR, 0x80);
    cr_assert_eq(get(BASE), 0x0c);
    cr_assert_eq(get(BASE + 1), 0);
}

Test(uart, the_divisor_hides_behind_dlab)
{
    set(LCR, 0x83);
    set(BASE, 0x34);
    set(BASE + 1, 0x12);
    cr_assert_eq(get(BASE), 0x34);
    cr_assert_eq(get(BASE + 1), 0x12);
    set(LCR, 0x03);
    cr_assert_eq(get(IER), 0);
    cr_assert_eq(chr.out.len, 0);
}

Test(uart, the_scratch_register_keeps_what_is_written)
{
    set(SCR, 0xa5);
    cr_assert_eq(get(SCR), 0xa5);
}

Test(uart, ier_keeps_four_bits_and_mcr_five)
{
    set(IER, 0xff);
    cr_assert_eq(get(IER), 0x0f);
    set(MCR, 0xff);
    cr_assert_eq(get(MCR), 0x1f);
}

Test(uart, status_registers_cannot_be_written)
{
    set(LSR, 0);
    set(MSR, 0);
    cr_assert_eq(get(LSR), 0x60);
    cr_assert_eq(get(MSR), 0xb0);
}

/* Widths */

Test(uart, a_wide_write_touches_one_register)
{
    rig_write(&g, THR, 4, 0xffffff41);
    cr_assert_str_eq(buf_text(&chr.out), "A");
    cr_assert_eq(get(IER), 0);
    cr_assert_eq(get(LCR), 0);
}

Test(uart, a_wide_read_takes_one_register)
{
    cr_assert_eq(rig_read(&g, IER - 1, 8), 0);
    cr_assert_eq(rig_read(&g, MCR, 4), 0x08);
    cr_assert_eq(rig_read(&g, MSR, 2), 0xb0);
}

Test(uart, an_access_past_the_last_register_faults)
{
    cr_assert(rig_read_faults(&g, BASE + 8, 1));
    cr_assert(rig_read_faults(&g, BASE + 7, 2));
    cr_assert(rig_read_faults(&g, BASE + 6, 4));
    cr_assert(rig_read_faults(&g, BASE + 4, 8));
}

/* Sending */

Test(uart, a_byte_is_sent_at_once)
{
    set(THR, 'h');
    set(THR, 'i');
    cr_assert_str_eq(buf_text(&chr.out), "hi");
    cr_assert_eq(get(LSR), 0x60);
}

Test(uart, the_guest_does_not_see_that_the_other_side_is_full)
{
    chr.refuse = 1;
    set(THR, 'h');
    cr_assert_eq(get(LSR), 0x60);
}

Test(uart, a_line_that_is_taken_is_refused)
{
    struct rig h;
    struct err err;

    rig_init(&h);
    cr_assert_not(uart_new(&h.rooms, BASE, &chr, wire_irq(&wire, 0), &err));
    cr_assert_str_eq(err.text, "Device 'serial0' is in use");
    rig_fini(&h);
}

Test(uart, without_a_line_bytes_are_lost)
{
    struct rig h;

    rig_init(&h);
    cr_assert(uart_new(&h.rooms, BASE, NULL, wire_irq(&wire, 0), NULL));
    rig_write(&h, THR, 1, 'x');
    cr_assert_eq(rig_read(&h, LSR, 1), 0x60);
    cr_assert_eq(rig_read(&h, RBR, 1), 0);
    rig_hammer(&h, BASE, 8, 1000);
    loop_turn(h.rooms.loop, 0);
    rig_fini(&h);
}

Test(uart, enabling_the_interrupt_of_an_empty_register_raises_it)
{
    set(IER, 2);
    cr_assert(wire.level);
    cr_assert_eq(get(IIR), 0x02);
}

Test(uart, reading_iir_clears_thr_empty)
{
    set(IER, 2);
    get(IIR);
    cr_assert_not(wire.level);
    cr_assert_eq(get(IIR), 0x01);
}

Test(uart, toggling_ier_raises_thr_empty_again)
{
    set(IER, 2);
    get(IIR);
    set(IER, 2);
    cr_assert_not(wire.level);
    set(IER, 0);
    set(IER, 2);
    cr_assert(wire.level);
}

Test(uart, writing_thr_lowers_and_raises_thr_empty)
{
    set(IER, 2);
    wire = (struct wire){ .level = true };
    set(THR, 'x');
    cr_assert_eq(wire.lowered, 1);
    cr_assert_eq(wire.raised, 1);
    cr_assert(wire.level);
}

/* Receiving */

Test(uart, without_fifo_one_byte_is_taken_at_a_time)
{
    cr_assert_eq(can(), 1);
    type("a");
    cr_assert_eq(can(), 0);
    cr_assert_eq(get(LSR), 0x61);
    cr_assert_eq(get(RBR), 'a');
    cr_assert_eq(get(LSR), 0x60);
    cr_assert_eq(can(), 1);
}

Test(uart, without_fifo_a_second_byte_overruns_the_first)
{
    type("ab");
    cr_assert_eq(get(LSR), 0x63);
    cr_assert_eq(get(LSR), 0x61);
    cr_assert_eq(get(RBR), 'b');
}

Test(uart, the_fifo_keeps_order_and_sixteen_bytes)
{
    set(FCR, 0x01);
    type("0123456789abcdef");
    cr_assert_eq(can(), 0);
    type("X");
    cr_assert_eq(get(LSR), 0x63);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(get(RBR), "0123456789abcdef"[i]);
    cr_assert_eq(get(LSR), 0x60);
    cr_assert_eq(get(RBR), 0);
}

Test(uart, room_is_offered_up_to_the_trigger_then_byte_by_byte)
{
    set(FCR, 0xc1);
    cr_assert_eq(can(), 14);
    type("0123456789");
    cr_assert_eq(can(), 4);
    type("abcd");
    cr_assert_eq(can(), 1);
    type("e");
    cr_assert_eq(can(), 1);
    type("f");
    cr_assert_eq(can(), 0);
}

Test(uart, data_interrupts_at_the_trigger)
{
    set(FCR, 0x41);
    set(IER, 1);
    type("abc");
    cr_assert_not(wire.level);
    type("d");
    cr_assert(wire.level);
    cr_assert_eq(get(IIR), 0xc4);
    get(RBR);
    cr_assert_not(wire.level);
}

Test(uart, every_byte_raises_again_for_the_plic_to_count)
{
    set(FCR, 0x01);
    set(IER, 1);
    type("ab");
    cr_assert_eq(wire.raised, 2);
    get(RBR);
    cr_assert_eq(wire.raised, 3);
}

Test(uart, bytes_below_the_trigger_are_told_of_after_four_characters)
{
    set_line();
    set(FCR, 0xc1);
    set(IER, 1);
    type("a");
    rig_pass(&g, 1002019);
    cr_assert_not(wire.level);
    rig_pass(&g, 1);
    cr_assert(wire.level);
    cr_assert_eq(get(IIR), 0xcc);
    cr_assert_eq(get(RBR), 'a');
    cr_assert_not(wire.level);
    cr_assert_eq(get(IIR), 0xc1);
}

Test(uart, the_timeout_starts_again_with_every_byte_in_or_out)
{
    set_line();
    set(FCR, 0xc1);
    set(IER, 1);
    type("a");
    rig_pass(&g, 900000);
    type("b");
    rig_pass(&g, 900000);
    cr_assert_not(wire.level);
    get(RBR);
    rig_pass(&g, 900000);
    cr_assert_not(wire.level);
    rig_pass(&g, 110000);
    cr_assert(wire.level);
}

Test(uart, clearing_the_fifo_drops_bytes_and_timeout)
{
    set(FCR, 0xc1);
    set(IER, 1);
    type("abc");
    set(FCR, 0xc3);
    cr_assert_eq(get(LSR), 0x60);
    rig_pass(&g, 1000000000);
    cr_assert_not(wire.level);
    cr_assert_eq(get(RBR), 0);
}

Test(uart, switching_the_fifo_clears_it)
{
    set(FCR, 0x01);
    type("abc");
    set(FCR, 0x00);
    cr_assert_eq(get(LSR), 0x60);
    cr_assert_eq(get(IIR), 0x01);
}

Test(uart, fcr_keeps_trigger_and_switch)
{
    set(FCR, 0x01);
    cr_assert_eq(get(IIR), 0xc1);
}

Test(uart, line_status_comes_before_data_before_thr_empty)
{
    set(IER, 7);
    type("ab");
    cr_assert_eq(get(IIR), 0x06);
    get(LSR);
    cr_assert_eq(get(IIR), 0x04);
    get(RBR);
    cr_assert_eq(get(IIR), 0x02);
    cr_assert_eq(get(IIR), 0x01);
}

Test(uart, a_break_is_a_zero_with_a_mark)
{
    chr.front->event(chr.opaque, CHARDEV_BREAK);
    cr_assert_eq(get(LSR), 0x71);
    cr_assert_eq(get(LSR), 0x61);
    cr_assert_eq(get(RBR), 0);
    cr_assert_eq(get(LSR), 0x60);
}

Test(uart, a_read_offers_its_room_to_the_line_when_the_loop_turns)
{
    loop_turn(g.rooms.loop, 0);
    chr.accepts = 0;
    type("a");
    get(RBR);
    cr_assert_eq(chr.accepts, 0);
    loop_turn(g.rooms.loop, 0);
    cr_assert_eq(chr.accepts, 1);
}

Test(uart, a_debuggers_look_takes_no_byte)
{
    set(FCR, 0x01);
    type("ab");
    cr_assert_eq(rig_peek(&g, RBR, 1), 'a');
    cr_assert_eq(rig_peek(&g, BASE, 8), 0x00b0610800c10061);
    cr_assert_eq(get(RBR), 'a');
}

Test(uart, a_debuggers_look_at_iir_acknowledges_nothing)
{
    set(IER, 2);
    cr_assert_eq(rig_peek(&g, IIR, 1), 0x02);
    cr_assert(wire.level);
}

/* Loop mode: how Linux finds out what it has before it */

Test(uart, in_loop_mode_what_is_sent_is_received)
{
    set(MCR, 0x10);
    set(THR, 'x');
    cr_assert_eq(chr.out.len, 0);
    cr_assert_eq(get(LSR), 0x61);
    cr_assert_eq(get(RBR), 'x');
}

Test(uart, in_loop_mode_the_modem_answers_with_its_outputs)
{
    static const struct {
        uint8_t mcr, msr;
    } want[] = { { 0x10, 0 },    { 0x11, 0x20 }, { 0x12, 0x10 },
                 { 0x14, 0x40 }, { 0x18, 0x80 }, { 0x1a, 0x90 } };

    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        set(MCR, want[i].mcr);
        cr_assert_eq(get(MSR), want[i].msr);
    }
    set(MCR, 0);
    cr_assert_eq(get(MSR), 0xb0);
}

/* State */

Test(uart, reset_empties_everything)
{
    set(FCR, 0xc1);
    set(IER, 0x0f);
    set(LCR, 0x1b);
    type("abc");
    devs_reset(g.rooms.devs);
    cr_assert_not(wire.level);
    cr_assert_eq(get(LSR), 0x60);
    cr_assert_eq(get(IER), 0);
    cr_assert_eq(get(LCR), 0);
    rig_pass(&g, 1000000000);
    cr_assert_not(wire.level);
}

Test(uart, bytes_and_timeout_survive_save_and_load)
{
    struct buf b = { 0 };

    set(FCR, 0xc1);
    set(IER, 1);
    type("ab");
    devs_save(g.rooms.devs, &b);
    get(RBR);
    get(RBR);
    cr_assert(devs_load(g.rooms.devs, b.data, b.len, NULL));
    rig_pass(&g, 1000000000);
    cr_assert(wire.level);
    cr_assert_eq(get(RBR), 'a');
    cr_assert_eq(get(RBR), 'b');
    buf_free(&b);
}

Test(uart, loading_a_state_calls_no_wire)
{
    struct buf b = { 0 };

    set(IER, 2);
    devs_save(g.rooms.devs, &b);
    wire = (struct wire){ 0 };
    cr_assert(devs_load(g.rooms.devs, b.data, b.len, NULL));
    cr_assert_eq(wire.raised + wire.lowered, 0);
    buf_free(&b);
}

Test(uart, a_replay_takes_its_bytes_from_the_log_alone)
{
    struct buf log = { 0 };

    set(FCR, 0xc1);
    type("a");
    g.now = 1000;
    type("b");
    chr.front->event(chr.opaque, CHARDEV_BREAK);
    tap_save(g.rooms.tap, &log);
    g.now = 0;
    devs_reset(g.rooms.devs);
    cr_assert(tap_replay(g.rooms.tap, log.data, log.len, NULL));
    set(FCR, 0xc1);
    cr_assert_eq(can(), 0);
    type("never");
    cr_assert_eq(get(LSR), 0x60);
    cr_assert(tap_deliver(g.rooms.tap));
    cr_assert_not(tap_deliver(g.rooms.tap));
    cr_assert_eq(get(RBR), 'a');
    g.now = 1000;
    cr_assert(tap_deliver(g.rooms.tap));
    cr_assert(tap_deliver(g.rooms.tap));
    cr_assert_eq(get(RBR), 'b');
    cr_assert_eq(get(LSR), 0x71);
    buf_free(&log);
}

Test(uart, random_accesses_do_no_harm)
{
    for (int i = 0; i < 300; i++) {
        rig_hammer(&g, BASE - 8, 0x18, 1000);
        for (size_t n = can(); n > 0; n = can())
            type("!");
        type("too much for any fifo");
        loop_turn(g.rooms.loop, 0);
        buf_clear(&chr.out);
    }
}

Test(uart, describes_itself)
{
    struct buf out = { 0 };

    rig_describe(&g, "uart0", &out);
    cr_assert_str_eq(buf_text(&out),
                     "gpio-out \"sysbus-irq\" 1\n"
                     "regshift = 0 (0x0)\n"
                     "endianness = 2 (0x2)\n"
                     "mmio ffffffffffffffff/0000000000000008\n");
    buf_free(&out);
}

Test(uart, what_is_typed_in_the_past_comes_in_the_present)
{
    set(FCR, 0x01);
    tap_rewind(g.rooms.tap, 0);
    cr_assert_gt(can(), 0);
    type("ab");
    cr_assert_eq(get(LSR) & 0x01, 0);
    tap_present(g.rooms.tap); /* nobody needs to ask */
    while (loop_turn(g.rooms.loop, 0))
        ;
    cr_assert_eq(get(RBR), 'a');
    can();
    while (loop_turn(g.rooms.loop, 0))
        ;
    cr_assert_eq(get(RBR), 'b');
    cr_assert_gt(can(), 0);
}

Test(uart, what_was_sent_in_the_past_is_not_sent_again)
{
    tap_rewind(g.rooms.tap, 0);
    set(THR, 'x');
    cr_assert_eq(chr.out.len, 0);
    tap_present(g.rooms.tap);
    set(THR, 'y');
    cr_assert_eq(chr.out.len, 1);
}
