/* SPDX-License-Identifier: MIT */
/* clint_test.c - ACLINT: software interrupts and the machine timer. */
#include "tests/unit/chip_rig.h"

enum {
    BASE = 0x2000000,
    MTIMECMP = BASE + 0x4000,
    MTIME = BASE + 0xbff8,
    SETSSIP = 0x2f00000,
    HARTS = 2,
};

static struct rig g;
static struct wire msip[HARTS], mtip[HARTS], ssip[HARTS];
static struct clint *clint;

static void build(bool aclint)
{
    struct irq m[HARTS], t[HARTS], s[HARTS];

    memset(msip, 0, sizeof msip);
    memset(mtip, 0, sizeof mtip);
    memset(ssip, 0, sizeof ssip);
    for (int i = 0; i < HARTS; i++) {
        m[i] = wire_irq(msip, i);
        t[i] = wire_irq(mtip, i);
        s[i] = wire_irq(ssip, i);
    }
    rig_init(&g);
    clint = clint_new(&g.rooms, BASE, HARTS, m, t, s, aclint);
    devs_reset(g.rooms.devs);
}

static void set_up(void) { build(true); }
static void tear_down(void) { rig_fini(&g); }

TestSuite(clint, .init = set_up, .fini = tear_down);

/* Software interrupts */

Test(clint, msip_is_one_bit_and_drives_its_hart)
{
    rig_write(&g, BASE + 4, 4, 0xffffffff);
    cr_assert_eq(rig_read(&g, BASE + 4, 4), 1);
    cr_assert(msip[1].level);
    cr_assert_not(msip[0].level);
    rig_write(&g, BASE + 4, 4, 2);
    cr_assert_eq(rig_read(&g, BASE + 4, 4), 0);
    cr_assert_not(msip[1].level);
}

Test(clint, msip_takes_words_only)
{
    cr_assert(rig_read_faults(&g, BASE, 1));
    cr_assert(rig_read_faults(&g, BASE, 2));
    cr_assert(rig_read_faults(&g, BASE, 8));
    cr_assert(rig_write_faults(&g, BASE, 8));
}

Test(clint, registers_of_harts_that_do_not_exist_read_zero)
{
    rig_write(&g, BASE + 8, 4, 1);
    rig_write(&g, MTIMECMP + 16, 8, 5);
    cr_assert_eq(rig_read(&g, BASE + 8, 4), 0);
    cr_assert_eq(rig_read(&g, MTIMECMP + 16, 8), 0);
    cr_assert_eq(rig_read(&g, BASE + 0x3ffc, 4), 0);
}

Test(clint, setssip_is_an_edge_and_reads_zero)
{
    rig_write(&g, SETSSIP + 4, 4, 1);
    cr_assert_eq(ssip[1].raised, 1);
    cr_assert_eq(rig_read(&g, SETSSIP + 4, 4), 0);
    rig_write(&g, SETSSIP + 4, 4, 0);
    cr_assert_eq(ssip[1].raised, 1);
    cr_assert_eq(ssip[1].lowered, 0);
}

Test(clint, without_aclint_there_is_no_setssip)
{
    tear_down();
    build(false);
    cr_assert(rig_read_faults(&g, SETSSIP, 4));
}

Test(clint, behind_the_timer_is_a_hole)
{
    cr_assert(rig_read_faults(&g, BASE + 0xc000, 4));
    cr_assert_not(rig_read_faults(&g, BASE + 0xbffc, 4));
}

/* The timer */

Test(clint, mtip_is_pending_at_reset)
{
    cr_assert(mtip[0].level);
    cr_assert(mtip[1].level);
    cr_assert_eq(rig_read(&g, MTIMECMP, 8), 0);
}

Test(clint, mtime_counts_ten_million_a_second)
{
    rig_pass(&g, 1000000000);
    cr_assert_eq(rig_read(&g, MTIME, 8), 10000000);
    rig_pass(&g, 99);
    cr_assert_eq(clint_mtime(clint), 10000000);
    rig_pass(&g, 1);
    cr_assert_eq(clint_mtime(clint), 10000001);
}

Test(clint, mtip_rises_exactly_when_mtime_gets_there)
{
    rig_pass(&g, 50);
    rig_write(&g, MTIMECMP, 8, 10);
    cr_assert_not(mtip[0].level);
    rig_pass(&g, 949);
    cr_assert_not(mtip[0].level);
    rig_pass(&g, 1);
    cr_assert(mtip[0].level);
    cr_assert_eq(clint_mtime(clint), 10);
}

Test(clint, a_compare_value_in_the_past_raises_at_once)
{
    rig_pass(&g, 1000);
    rig_write(&g, MTIMECMP, 8, 11);
    cr_assert_not(mtip[0].level);
    rig_write(&g, MTIMECMP, 8, 10);
    cr_assert(mtip[0].level);
}

Test(clint, mtimecmp_is_written_in_halves_too)
{
    rig_write(&g, MTIMECMP + 12, 4, 0x12345678);
    rig_write(&g, MTIMECMP + 8, 4, 0x9abcdef0);
    cr_assert_eq(rig_read(&g, MTIMECMP + 8, 8), 0x123456789abcdef0);
    cr_assert_eq(rig_read(&g, MTIMECMP + 12, 4), 0x12345678);
    cr_assert_eq(rig_read(&g, MTIMECMP + 8, 4), 0x9abcdef0);
}

Test(clint, the_end_of_time_never_comes)
{
    static const uint64_t far[] = { UINT64_MAX, INT64_MAX, UINT64_MAX / 100,
                                    INT64_MAX / 100, INT64_MAX / 10 };

    rig_pass(&g, 12345);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        rig_write(&g, MTIMECMP, 8, far[i]);
        rig_write(&g, MTIMECMP + 8, 8, far[i]);
        cr_assert_not(mtip[0].level);
        cr_assert_gt(loop_deadline(g.rooms.loop, LOOP_VIRTUAL), INT64_MAX / 2);
    }
    rig_write(&g, MTIMECMP, 8, UINT64_MAX);
    rig_write(&g, MTIMECMP + 8, 8, UINT64_MAX);
    cr_assert_eq(loop_deadline(g.rooms.loop, LOOP_VIRTUAL), INT64_MAX);
}

Test(clint, writing_mtime_moves_all_deadlines)
{
    rig_write(&g, MTIMECMP, 8, 1000);
    rig_write(&g, MTIMECMP + 8, 8, 2000);
    rig_write(&g, MTIME, 8, 1500);
    cr_assert(mtip[0].level);
    cr_assert_not(mtip[1].level);
    cr_assert_eq(loop_deadline(g.rooms.loop, LOOP_VIRTUAL), 50000);
    rig_pass(&g, 50000);
    cr_assert(mtip[1].level);
}

Test(clint, mtime_is_written_in_halves_too)
{
    rig_write(&g, MTIME + 4, 4, 1);
    rig_write(&g, MTIME, 4, 7);
    cr_assert_eq(rig_read(&g, MTIME, 8), 0x100000007);
    cr_assert_eq(rig_read(&g, MTIME + 4, 4), 1);
}

Test(clint, mtime_wraps_around)
{
    rig_write(&g, MTIME, 8, UINT64_MAX);
    rig_pass(&g, 100);
    cr_assert_eq(rig_read(&g, MTIME, 8), 0);
}

Test(clint, reset_starts_time_anew_and_keeps_mtimecmp)
{
    rig_pass(&g, 123450);
    rig_write(&g, MTIMECMP, 8, 5000);
    rig_write(&g, BASE, 4, 1);
    devs_reset(g.rooms.devs);
    cr_assert_eq(rig_read(&g, MTIME, 8), 0);
    cr_assert_eq(rig_read(&g, BASE, 4), 0);
    cr_assert_not(msip[0].level);
    cr_assert_eq(rig_read(&g, MTIMECMP, 8), 5000);
    cr_assert_not(mtip[0].level);
    cr_assert(mtip[1].level);
}

Test(clint, ticks_are_told_in_virtual_nanoseconds)
{
    rig_pass(&g, 1050);
    cr_assert_eq(clint_mtime_to_ns(clint, 20), 2000);
    cr_assert_eq(clint_mtime_to_ns(clint, 0), 1000);
    cr_assert_eq(clint_mtime_to_ns(clint, UINT64_MAX), INT64_MAX);
}

Test(clint, a_deadline_survives_save_and_load)
{
    struct buf b = { 0 };

    rig_write(&g, MTIMECMP, 8, 100);
    rig_write(&g, MTIMECMP + 8, 8, UINT64_MAX);
    devs_save(g.rooms.devs, &b);
    rig_write(&g, MTIMECMP, 8, UINT64_MAX);
    rig_write(&g, MTIMECMP + 8, 8, 50);
    cr_assert(devs_load(g.rooms.devs, b.data, b.len, NULL));
    cr_assert_eq(loop_deadline(g.rooms.loop, LOOP_VIRTUAL), 10000);
    rig_pass(&g, 10000);
    cr_assert(mtip[0].level);
    buf_free(&b);
}

Test(clint, random_accesses_do_no_harm)
{
    rig_hammer(&g, BASE - 8, 0x40, 100000);
    rig_hammer(&g, MTIMECMP - 8, 0x40, 100000);
    rig_hammer(&g, MTIME - 8, 0x10, 100000);
    rig_hammer(&g, SETSSIP - 8, 0x4010, 50000);
}

Test(clint, describes_itself)
{
    struct buf out = { 0 };

    rig_describe(&g, "mswi", &out);
    cr_assert_str_eq(buf_text(&out),
                     "gpio-out \"\" 2\n"
                     "hartid-base = 0 (0x0)\n"
                     "num-harts = 2 (0x2)\n"
                     "sswi = 0 (0x0)\n"
                     "mmio 0000000002000000/0000000000004000\n");
    buf_free(&out);
}
