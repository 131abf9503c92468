/* SPDX-License-Identifier: MIT */
/* flash_test.c - CFI01 flash of two x16 chips. */
#include "tests/unit/chip_rig.h"

enum { BASE = 0x20000000, SIZE = 32 << 20, SECTOR = 256 << 10 };

static struct rig g;

static void build(bool readonly)
{
    rig_init(&g);
    flash_new(&g.rooms, "virt.flash0", BASE, "firmware", 8, readonly);
    devs_reset(g.rooms.devs);
}

static void set_up(void) { build(false); }
static void tear_down(void) { rig_fini(&g); }

TestSuite(flash, .init = set_up, .fini = tear_down);

/* A command to both chips. */
static void command(uint64_t off, uint32_t c)
{
    rig_write(&g, BASE + off, 4, c | c << 16);
}

static uint64_t word(uint64_t off) { return rig_read(&g, BASE + off, 4); }

Test(flash, the_image_is_there_and_the_rest_is_zero)
{
    cr_assert_eq(rig_read(&g, BASE, 8), 0x657261776d726966);
    cr_assert_eq(rig_read(&g, BASE + SIZE - 8, 8), 0);
}

Test(flash, an_image_longer_than_the_bank_is_cut)
{
    char *image = calloc(1, SIZE + 8);

    image[SIZE - 1] = 'e';
    flash_new(&g.rooms, "virt.flash1", BASE + SIZE, image, SIZE + 8, false);
    cr_assert_eq(rig_read(&g, BASE + 2 * (uint64_t)SIZE - 1, 1), 'e');
    free(image);
}

Test(flash, one_bank_begins_where_the_other_ends)
{
    flash_new(&g.rooms, "virt.flash1", BASE + SIZE, NULL, 0, false);
    cr_assert_eq(rig_read(&g, BASE + SIZE, 4), 0);
}

Test(flash, while_it_reads_the_array_it_is_plain_memory)
{
    uint64_t v;
    bool device = true;

    mem_read(g.rooms.mem, BASE, 8, &v, &device);
    cr_assert_not(device);
    command(0, 0x70);
    mem_read(g.rooms.mem, BASE, 4, &v, &device);
    cr_assert(device);
}

Test(flash, both_chips_tell_their_status)
{
    command(0, 0x70);
    cr_assert_eq(word(0x100), 0x00800080);
    cr_assert_eq(rig_read(&g, BASE, 2), 0x80);
    cr_assert_eq(rig_read(&g, BASE, 8), 0x0080008000800080);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x6d726966);
}

Test(flash, both_chips_tell_maker_and_device)
{
    command(0, 0x90);
    cr_assert_eq(word(0), 0x00890089);
    cr_assert_eq(word(4), 0x00180018);
    cr_assert_eq(word(8), 0);
}

Test(flash, the_query_tells_of_two_chips_of_16_mib)
{
    command(0x55 * 4, 0x98);
    cr_assert_eq(word(0x10 * 4), 0x00510051);
    cr_assert_eq(word(0x11 * 4), 0x00520052);
    cr_assert_eq(word(0x12 * 4), 0x00590059);
    cr_assert_eq(word(0x13 * 4), 0x00010001);
    cr_assert_eq(word(0x27 * 4), 0x00180018);
    cr_assert_eq(word(0x2a * 4), 0x000b000b);
    cr_assert_eq(word(0x2d * 4), 0x007f007f);
    cr_assert_eq(word(0x30 * 4), 0x00020002);
    cr_assert_eq(word(0x31 * 4), 0x00500050);
    cr_assert_eq(word(0x1000), 0);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x6d726966);
}

Test(flash, a_word_is_programmed)
{
    command(0, 0x40);
    rig_write(&g, BASE + 0x1000, 4, 0xdeadbeef);
    cr_assert_eq(word(0x1000), 0x00800080);
    command(0, 0xff);
    cr_assert_eq(word(0x1000), 0xdeadbeef);
    cr_assert_eq(word(0x1004), 0);
}

Test(flash, a_half_word_is_programmed)
{
    command(0, 0x10);
    rig_write(&g, BASE + 0x1002, 2, 0xbeef);
    command(0, 0xff);
    cr_assert_eq(word(0x1000), 0xbeef0000);
}

Test(flash, one_program_command_is_good_for_one_word)
{
    command(0, 0x40);
    rig_write(&g, BASE + 0x1000, 4, 1);
    rig_write(&g, BASE + 0x1004, 4, 0xff);
    cr_assert_eq(word(0x1004), 0);
}

Test(flash, a_sector_is_erased_once_confirmed)
{
    command(SECTOR - 4, 0x40);
    rig_write(&g, BASE + SECTOR - 4, 4, 0x11111111);
    command(SECTOR + 0x100, 0x20);
    cr_assert_eq(word(SECTOR), 0x00800080);
    command(SECTOR + 0x100, 0xd0);
    command(0, 0xff);
    cr_assert_eq(word(SECTOR), 0xffffffff);
    cr_assert_eq(word(2 * SECTOR - 4), 0xffffffff);
    cr_assert_eq(word(2 * SECTOR), 0);
    cr_assert_eq(word(SECTOR - 4), 0x11111111);
}

Test(flash, an_erase_that_is_not_confirmed_erases_nothing)
{
    command(0, 0x20);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x6d726966);
}

/* Writes n words from off on through the buffer, up to the confirmation. */
static void fill(uint64_t off, unsigned n)
{
    command(off, 0xe8);
    cr_assert_eq(word(off), 0x00800080);
    command(off, n - 1);
    for (unsigned i = 0; i < n; i++)
        rig_write(&g, BASE + off + 4 * i, 4, 0x1000 + i);
}

Test(flash, the_buffer_is_written_when_confirmed)
{
    fill(0x2100, 16);
    command(0x2100, 0xd0);
    cr_assert_eq(word(0x2100), 0x00800080);
    command(0, 0xff);
    cr_assert_eq(word(0x20fc), 0);
    cr_assert_eq(word(0x2100), 0x1000);
    cr_assert_eq(word(0x213c), 0x100f);
    cr_assert_eq(word(0x2140), 0);
}

Test(flash, a_buffer_of_one_word_works_too)
{
    fill(0x2000, 1);
    command(0x2000, 0xd0);
    command(0, 0xff);
    cr_assert_eq(word(0x2000), 0x1000);
}

Test(flash, a_buffer_that_is_not_confirmed_is_dropped)
{
    fill(0x2000, 2);
    command(0x2000, 0xff);
    cr_assert_eq(word(0x2000), 0);
}

Test(flash, a_word_outside_of_the_buffer_is_a_programming_error)
{
    command(0x2000, 0xe8);
    command(0x2000, 1);
    rig_write(&g, BASE + 0x2000, 4, 1);
    rig_write(&g, BASE + 0x8000, 4, 1);
    cr_assert_eq(word(0x2000), 0x00900090);
    command(0x2000, 0xd0);
    cr_assert_eq(word(0x2000), 0);
    command(0, 0x50);
    command(0, 0x70);
    cr_assert_eq(word(0), 0);
}

Test(flash, locks_are_accepted)
{
    command(0, 0x60);
    command(0, 0x01);
    cr_assert_eq(word(0), 0x00800080);
    command(0, 0x60);
    command(0, 0xd0);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x6d726966);
}

Test(flash, an_unknown_command_goes_back_to_the_array)
{
    command(0, 0x33);
    cr_assert_eq(word(0), 0x6d726966);
    command(0, 0xf0);
    cr_assert_eq(word(0), 0x6d726966);
}

Test(flash, a_readonly_bank_refuses_and_says_so)
{
    tear_down();
    build(true);
    command(0, 0x40);
    command(0, 0);
    cr_assert_eq(word(0), 0x00900090);
    command(0, 0x50);
    command(0, 0x20);
    command(0, 0xd0);
    cr_assert_eq(word(0) & 0x00200020, 0x00200020);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x6d726966);
}

static unsigned told;

static void tell(void *opaque, uint64_t pa, size_t len)
{
    (void)opaque, (void)pa;
    told += (unsigned)len;
}

Test(flash, programming_is_seen_by_whoever_watches_the_page)
{
    told = 0;
    mem_on_write(g.rooms.mem, MEM_ATTN_CODE, tell, NULL);
    mem_attend(g.rooms.mem, BASE + 0x1000, MEM_ATTN_CODE);
    command(0x1000, 0x40);
    cr_assert_eq(told, 0);
    rig_write(&g, BASE + 0x1000, 4, 1);
    cr_assert_eq(told, 4);
    command(0, 0x20);
    command(0, 0xd0);
    cr_assert_eq(told, 4 + MEM_PAGE);
}

Test(flash, a_debugger_always_sees_the_array)
{
    command(0, 0x70);
    cr_assert_eq(rig_peek(&g, BASE, 4), 0x6d726966);
    cr_assert_eq(mem_poke(g.rooms.mem, BASE, "FIRM", 4), 4);
    command(0, 0xff);
    cr_assert_eq(word(0), 0x4d524946);
}

Test(flash, reset_keeps_what_was_programmed)
{
    command(0, 0x40);
    rig_write(&g, BASE + 0x1000, 4, 0xdeadbeef);
    devs_reset(g.rooms.devs);
    cr_assert_eq(word(0x1000), 0xdeadbeef);
}

Test(flash, a_loaded_state_reads_as_it_was_saved)
{
    struct buf b = { 0 };

    command(0, 0x90);
    devs_save(g.rooms.devs, &b);
    command(0, 0xff);
    cr_assert(devs_load(g.rooms.devs, b.data, b.len, NULL));
    cr_assert_eq(word(0), 0x00890089);
    buf_free(&b);
}

Test(flash, random_accesses_do_no_harm)
{
    rig_hammer(&g, BASE, 0x3000, 150000);
    rig_hammer(&g, BASE, SIZE, 50000);
}

/* Random words from the commands that there are go deeper. */
Test(flash, random_commands_do_no_harm)
{
    static const uint8_t commands[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70,
                                        0x90, 0x98, 0xe8, 0xd0, 0xff, 0x01 };

    for (int i = 0; i < 100000; i++) {
        uint64_t r = rig_random(&g);

        command(r % 0x2000 * 4, commands[(r >> 32) % sizeof commands]);
        if (i % 1024 == 0)
            rig_round_trip(&g);
    }
}
