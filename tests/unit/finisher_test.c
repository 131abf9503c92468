/* SPDX-License-Identifier: MIT */
/* finisher_test.c - SiFive test finisher. */
#include "tests/unit/chip_rig.h"

enum { BASE = 0x100000 };

static struct rig g;
static int shutdowns, resets, last_code;
static bool last_panic;

static void on_shutdown(void *opaque, bool panic, int code)
{
    cr_assert_eq(opaque, &g);
    shutdowns++;
    last_panic = panic;
    last_code = code;
}

static void on_reset(void *opaque)
{
    cr_assert_eq(opaque, &g);
    resets++;
}

static void set_up(void)
{
    rig_init(&g);
    shutdowns = resets = 0;
    finisher_new(&g.rooms, BASE,
                 &(struct finisher_hooks){ on_shutdown, on_reset, &g });
}

static void tear_down(void) { rig_fini(&g); }

TestSuite(finisher, .init = set_up, .fini = tear_down);

Test(finisher, pass_shuts_down_with_its_code)
{
    rig_write(&g, BASE, 4, 0x00035555);
    cr_assert_eq(shutdowns, 1);
    cr_assert_not(last_panic);
    cr_assert_eq(last_code, 3);
}

Test(finisher, fail_is_a_panic_with_its_code)
{
    rig_write(&g, BASE, 4, 0x00073333);
    cr_assert_eq(shutdowns, 1);
    cr_assert(last_panic);
    cr_assert_eq(last_code, 7);
}

Test(finisher, a_half_word_is_enough)
{
    rig_write(&g, BASE, 2, 0x5555);
    cr_assert_eq(shutdowns, 1);
    cr_assert_eq(last_code, 0);
}

Test(finisher, reset_asks_for_a_reset)
{
    rig_write(&g, BASE, 4, 0x7777);
    cr_assert_eq(resets, 1);
    cr_assert_eq(shutdowns, 0);
}

Test(finisher, other_commands_and_offsets_do_nothing)
{
    rig_write(&g, BASE, 4, 0x1234);
    rig_write(&g, BASE + 4, 4, 0x5555);
    rig_write(&g, BASE + 0xffc, 4, 0x7777);
    cr_assert_eq(shutdowns + resets, 0);
}

Test(finisher, reads_give_zero)
{
    cr_assert_eq(rig_read(&g, BASE, 4), 0);
    cr_assert_eq(rig_read(&g, BASE + 0x10, 2), 0);
}

Test(finisher, bytes_and_double_words_fault)
{
    cr_assert(rig_read_faults(&g, BASE, 1));
    cr_assert(rig_read_faults(&g, BASE, 8));
    cr_assert(rig_write_faults(&g, BASE, 1));
    cr_assert(rig_write_faults(&g, BASE, 8));
}

Test(finisher, random_accesses_do_no_harm)
{
    rig_hammer(&g, BASE - 8, 0x1010, 200000);
}

Test(finisher, describes_itself)
{
    struct buf out = { 0 };

    rig_describe(&g, "finisher", &out);
    cr_assert_str_eq(buf_text(&out),
                     "mmio 0000000000100000/0000000000001000\n");
    buf_free(&out);
}
