/* SPDX-License-Identifier: MIT */
/* rtc_test.c - Goldfish real-time clock. */
#include "tests/unit/chip_rig.h"

enum {
    BASE = 0x101000,
    TIME_LOW = BASE,
    TIME_HIGH = BASE + 4,
    ALARM_LOW = BASE + 8,
    ALARM_HIGH = BASE + 0xc,
    IRQ_ENABLED = BASE + 0x10,
    CLEAR_ALARM = BASE + 0x14,
    ALARM_STATUS = BASE + 0x18,
    CLEAR_INTERRUPT = BASE + 0x1c,
};

static const int64_t epoch = 1700000000000000000;
static struct rig g;
static struct wire wire;

static void set_up(void)
{
    wire = (struct wire){ 0 };
    rig_init(&g);
    rtc_new(&g.rooms, BASE, epoch, wire_irq(&wire, 0));
    devs_reset(g.rooms.devs);
}

static void tear_down(void) { rig_fini(&g); }

TestSuite(rtc, .init = set_up, .fini = tear_down);

static uint64_t time_now(void)
{
    uint64_t low = rig_read(&g, TIME_LOW, 4);

    return low | rig_read(&g, TIME_HIGH, 4) << 32;
}

static void set_alarm(uint64_t ns)
{
    rig_write(&g, ALARM_HIGH, 4, ns >> 32);
    rig_write(&g, ALARM_LOW, 4, (uint32_t)ns);
}

Test(rtc, the_time_is_the_date_plus_virtual_time)
{
    cr_assert_eq(time_now(), epoch);
    rig_pass(&g, 12345678901);
    cr_assert_eq(time_now(), epoch + 12345678901);
}

Test(rtc, reading_the_low_half_latches_the_high_one)
{
    rig_read(&g, TIME_LOW, 4);
    rig_pass(&g, INT64_C(1) << 32);
    cr_assert_eq(rig_read(&g, TIME_HIGH, 4), (uint64_t)epoch >> 32);
}

Test(rtc, eight_bytes_are_read_low_half_first)
{
    rig_pass(&g, INT64_C(5) << 32);
    cr_assert_eq(rig_read(&g, TIME_LOW, 8), epoch + (INT64_C(5) << 32));
}

Test(rtc, a_debuggers_look_latches_nothing)
{
    rig_read(&g, TIME_LOW, 4);
    rig_pass(&g, INT64_C(1) << 32);
    rig_peek(&g, TIME_LOW, 4);
    cr_assert_eq(rig_read(&g, TIME_HIGH, 4), (uint64_t)epoch >> 32);
}

Test(rtc, the_time_can_be_set_half_by_half)
{
    rig_write(&g, TIME_HIGH, 4, 0x11);
    rig_write(&g, TIME_LOW, 4, 0x22);
    cr_assert_eq(time_now(), 0x1100000022);
    rig_pass(&g, 8);
    cr_assert_eq(time_now(), 0x110000002a);
}

Test(rtc, the_alarm_rings_at_its_moment)
{
    rig_write(&g, IRQ_ENABLED, 4, 0xff);
    cr_assert_eq(rig_read(&g, IRQ_ENABLED, 4), 1);
    set_alarm((uint64_t)epoch + 1000);
    cr_assert_eq(rig_read(&g, ALARM_STATUS, 4), 1);
    cr_assert_eq(rig_read(&g, ALARM_LOW, 8), epoch + 1000);
    rig_pass(&g, 999);
    cr_assert_not(wire.level);
    rig_pass(&g, 1);
    cr_assert(wire.level);
    cr_assert_eq(rig_read(&g, ALARM_STATUS, 4), 0);
}

Test(rtc, an_alarm_in_the_past_rings_at_once)
{
    rig_write(&g, IRQ_ENABLED, 4, 1);
    set_alarm((uint64_t)epoch);
    cr_assert(wire.level);
    cr_assert_eq(rig_read(&g, ALARM_STATUS, 4), 0);
}

Test(rtc, only_an_enabled_alarm_is_heard)
{
    set_alarm(1);
    cr_assert_not(wire.level);
    rig_write(&g, IRQ_ENABLED, 4, 1);
    cr_assert(wire.level);
    rig_write(&g, IRQ_ENABLED, 4, 0);
    cr_assert_not(wire.level);
}

Test(rtc, clearing_the_interrupt_drops_the_line)
{
    rig_write(&g, IRQ_ENABLED, 4, 1);
    set_alarm(1);
    rig_write(&g, CLEAR_INTERRUPT, 4, 0);
    cr_assert_not(wire.level);
}

Test(rtc, a_cleared_alarm_does_not_ring)
{
    rig_write(&g, IRQ_ENABLED, 4, 1);
    set_alarm((uint64_t)epoch + 1000);
    rig_write(&g, CLEAR_ALARM, 4, 0);
    cr_assert_eq(rig_read(&g, ALARM_STATUS, 4), 0);
    rig_pass(&g, 2000);
    cr_assert_not(wire.level);
}

Test(rtc, an_alarm_at_the_end_of_time_is_armed_and_never_rings)
{
    rig_pass(&g, 1000);
    set_alarm(UINT64_MAX);
    cr_assert_eq(rig_read(&g, ALARM_STATUS, 4), 1);
    cr_assert_eq(loop_deadline(g.rooms.loop, LOOP_VIRTUAL), INT64_MAX);
}

Test(rtc, an_armed_alarm_survives_save_and_load)
{
    struct buf b = { 0 };

    rig_write(&g, IRQ_ENABLED, 4, 1);
    set_alarm((uint64_t)epoch + 1000);
    devs_save(g.rooms.devs, &b);
    rig_write(&g, CLEAR_ALARM, 4, 0);
    cr_assert(devs_load(g.rooms.devs, b.data, b.len, NULL));
    rig_pass(&g, 1000);
    cr_assert(wire.level);
    buf_free(&b);
}

Test(rtc, reset_brings_the_date_back)
{
    rig_write(&g, IRQ_ENABLED, 4, 1);
    rig_write(&g, TIME_HIGH, 4, 0);
    set_alarm(1);
    rig_pass(&g, 77);
    devs_reset(g.rooms.devs);
    cr_assert_not(wire.level);
    cr_assert_eq(time_now(), epoch + 77);
    cr_assert_eq(rig_read(&g, IRQ_ENABLED, 4), 0);
}

Test(rtc, takes_words_and_pairs_of_words)
{
    cr_assert(rig_read_faults(&g, BASE, 1));
    cr_assert(rig_read_faults(&g, BASE, 2));
    cr_assert(rig_read_faults(&g, BASE + 0x20, 8));
    cr_assert(rig_read_faults(&g, BASE + 0x24, 4));
    cr_assert_eq(rig_read(&g, BASE + 0x20, 4), 0);
}

Test(rtc, random_accesses_do_no_harm)
{
    rig_hammer(&g, BASE - 8, 0x40, 300000);
}
