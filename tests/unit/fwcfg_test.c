/* SPDX-License-Identifier: MIT */
/* fwcfg_test.c - QEMU's fw_cfg. */
#include "tests/unit/chip_rig.h"

enum {
    BASE = 0x10100000,
    SELECTOR = BASE + 8,
    DMA = BASE + 16,
    RAM = 0x80000000u,
    RAM_SIZE = 0x10000,
    REQUEST = RAM + 0x100,
    TARGET = RAM + 0x1000,
};

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static struct rig g;
static struct fwcfg *f;

static void set_up(void)
{
    rig_init(&g);
    mem_add_ram(g.rooms.mem, "ram", RAM, RAM_SIZE, MEM_RAM, NULL);
    f = fwcfg_new(&g.rooms, BASE);
    fwcfg_add(f, 5, "\x04", 2);
    devs_reset(g.rooms.devs);
}

static void tear_down(void) { rig_fini(&g); }

TestSuite(fwcfg, .init = set_up, .fini = tear_down);

static void choose(uint16_t key)
{
    rig_write(&g, SELECTOR, 2, __builtin_bswap16(key));
}

/* What guests do: byte by byte. */
static void read_bytes(void *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)rig_read(&g, BASE, 1);
}

static uint32_t request(uint32_t control, uint32_t length, uint64_t address)
{
    uint64_t v;

    rig_write(&g, REQUEST, 4, __builtin_bswap32(control));
    rig_write(&g, REQUEST + 4, 4, __builtin_bswap32(length));
    rig_write(&g, REQUEST + 8, 8, __builtin_bswap64(address));
    rig_write(&g, DMA, 8, __builtin_bswap64(REQUEST));
    v = rig_read(&g, REQUEST, 4);
    return __builtin_bswap32((uint32_t)v);
}

Test(fwcfg, the_signature_is_selected_at_reset)
{
    char text[5] = "";

    read_bytes(text, 4);
    cr_assert_str_eq(text, "QEMU");
}

Test(fwcfg, the_selector_is_big_endian)
{
    choose(1);
    cr_assert_eq(rig_read(&g, BASE, 4), 3);
    rig_write(&g, SELECTOR, 2, 5);
    cr_assert_eq(rig_read(&g, BASE, 1), 0);
}

Test(fwcfg, the_selector_cannot_be_read_and_takes_half_words_only)
{
    cr_assert(rig_read_faults(&g, SELECTOR, 2));
    cr_assert(rig_write_faults(&g, SELECTOR, 1));
    cr_assert(rig_write_faults(&g, SELECTOR, 4));
}

Test(fwcfg, data_of_any_width_is_in_the_order_of_a_string)
{
    fwcfg_add_file(f, "opt/x", "0123456789", 10, NULL);
    choose(0x20);
    cr_assert_eq(rig_read(&g, BASE, 1), '0');
    cr_assert_eq(rig_read(&g, BASE, 2), '1' | '2' << 8);
    cr_assert_eq(rig_read(&g, BASE, 4), 0x36353433);
    cr_assert_eq(rig_read(&g, BASE, 8), 0x393837);
}

Test(fwcfg, beyond_the_end_there_are_zeros)
{
    choose(5);
    cr_assert_eq(rig_read(&g, BASE, 8), 4);
    cr_assert_eq(rig_read(&g, BASE, 8), 0);
    choose(0x1234);
    cr_assert_eq(rig_read(&g, BASE, 8), 0);
    choose(3);
    cr_assert_eq(rig_read(&g, BASE, 8), 0);
}

Test(fwcfg, selecting_again_starts_over)
{
    choose(0);
    rig_read(&g, BASE, 2);
    choose(0);
    cr_assert_eq(rig_read(&g, BASE, 1), 'Q');
}

Test(fwcfg, a_debuggers_look_takes_no_byte)
{
    choose(0);
    cr_assert_eq(rig_peek(&g, BASE, 1), 'Q');
    cr_assert_eq(rig_read(&g, BASE, 1), 'Q');
}

Test(fwcfg, the_directory_is_sorted_by_name)
{
    uint8_t d[4 + 2 * 64];

    cr_assert(fwcfg_add_file(f, "opt/zebra", "zz", 2, NULL));
    cr_assert(fwcfg_add_file(f, "etc/ant", "abc", 3, NULL));
    choose(0x19);
    read_bytes(d, sizeof d);
    cr_assert_arr_eq(d, ((uint8_t[]){ 0, 0, 0, 2, 0, 0, 0, 3, 0, 0x20 }), 10);
    cr_assert_str_eq((char *)d + 12, "etc/ant");
    cr_assert_arr_eq(d + 68, ((uint8_t[]){ 0, 0, 0, 2, 0, 0x21 }), 6);
    cr_assert_str_eq((char *)d + 76, "opt/zebra");
    choose(0x20);
    cr_assert_eq(rig_read(&g, BASE, 1), 'a');
    choose(0x21);
    cr_assert_eq(rig_read(&g, BASE, 1), 'z');
}

Test(fwcfg, bad_files_are_refused_with_a_sentence)
{
    struct err err;
    char name[64];

    memset(name, 'x', 56);
    name[56] = '\0';
    cr_assert_not(fwcfg_add_file(f, name, "", 0, &err));
    name[55] = '\0';
    cr_assert(fwcfg_add_file(f, name, "", 0, &err));
    cr_assert_not(fwcfg_add_file(f, name, "", 0, &err));
    cr_assert(strncmp(err.text, "duplicate fw_cfg file name: xxx", 30) == 0);
}

Test(fwcfg, there_is_room_for_32_files)
{
    struct err err;
    char name[16];

    for (int i = 0; i < 32; i++) {
        snprintf(name, sizeof name, "opt/%d", i);
        cr_assert(fwcfg_add_file(f, name, "x", 1, &err));
    }
    cr_assert_not(fwcfg_add_file(f, "opt/more", "x", 1, &err));
    cr_assert_str_eq(err.text, "there is no room for fw_cfg file 'opt/more': "
                               "32 files are the most");
}

Test(fwcfg, the_dma_register_reads_as_a_signature)
{
    cr_assert_eq(rig_read(&g, DMA, 8), __builtin_bswap64(0x51454d5520434647));
    cr_assert_eq(rig_read(&g, DMA + 4, 4), 0x47464320);
    cr_assert_eq(rig_read(&g, DMA + 1, 1), 'E');
}

Test(fwcfg, dma_selects_and_reads_with_zeros_behind_the_end)
{
    rig_write(&g, TARGET, 8, UINT64_MAX);
    cr_assert_eq(request(SELECT | READ | 0 << 16, 6, TARGET), 0);
    cr_assert_eq(rig_read(&g, TARGET, 8), 0xffff000000000000 | 0x554d4551);
}

Test(fwcfg, dma_goes_on_where_the_last_one_ended)
{
    choose(0);
    cr_assert_eq(request(SKIP, 1, 0), 0);
    cr_assert_eq(request(READ, 2, TARGET), 0);
    cr_assert_eq(rig_read(&g, TARGET, 2), 'E' | 'M' << 8);
    cr_assert_eq(rig_read(&g, BASE, 1), 'U');
}

Test(fwcfg, dma_begins_with_the_low_half_of_its_address)
{
    rig_write(&g, REQUEST, 4, __builtin_bswap32(READ | SELECT));
    rig_write(&g, REQUEST + 4, 4, __builtin_bswap32(4));
    rig_write(&g, REQUEST + 8, 8, __builtin_bswap64(TARGET));
    rig_write(&g, DMA, 4, 0);
    cr_assert_eq(rig_read(&g, TARGET, 4), 0);
    rig_write(&g, DMA + 4, 4, __builtin_bswap32(REQUEST));
    cr_assert_eq(rig_read(&g, TARGET, 4), 0x554d4551);
}

Test(fwcfg, dma_into_a_hole_is_an_error)
{
    cr_assert_eq(request(SELECT | READ, 4, 0x1000), ERROR);
    cr_assert_eq(request(SELECT | READ, 4, RAM + RAM_SIZE - 2), ERROR);
}

Test(fwcfg, dma_of_four_gigabytes_ends_where_memory_does)
{
    cr_assert_eq(request(SELECT | READ, UINT32_MAX, TARGET), ERROR);
    cr_assert_eq(rig_read(&g, RAM + RAM_SIZE - 8, 8), 0);
}

Test(fwcfg, items_cannot_be_written)
{
    cr_assert_eq(request(SELECT | WRITE, 4, TARGET), ERROR);
    rig_write(&g, BASE, 4, 0x12345678);
    choose(0);
    cr_assert_eq(rig_read(&g, BASE, 1), 'Q');
}

Test(fwcfg, a_request_without_a_command_succeeds)
{
    cr_assert_eq(request(SELECT | 5u << 16, 4, 0), 0);
    cr_assert_eq(rig_read(&g, BASE, 1), 4);
}

Test(fwcfg, a_request_outside_of_memory_is_ignored)
{
    rig_write(&g, DMA, 8, __builtin_bswap64(0x1000));
    rig_write(&g, DMA, 8, UINT64_MAX);
    rig_write(&g, DMA, 8, __builtin_bswap64(RAM + RAM_SIZE - 8));
    cr_assert_eq(rig_read(&g, RAM + RAM_SIZE - 8, 4), 0x01000000);
}

Test(fwcfg, dma_writes_are_seen_by_whoever_watches_the_page)
{
    mem_attend(g.rooms.mem, TARGET, MEM_ATTN_CODE);
    cr_assert_eq(request(SELECT | READ, 4, TARGET), 0);
    cr_assert_eq(mem_attention(g.rooms.mem, TARGET), MEM_ATTN_CODE);
}

Test(fwcfg, random_accesses_do_no_harm)
{
    fwcfg_add_file(f, "opt/x", "0123456789", 10, NULL);
    rig_hammer(&g, BASE - 8, 0x28, 200000);
}

Test(fwcfg, random_requests_do_no_harm)
{
    fwcfg_add_file(f, "opt/x", "0123456789", 10, NULL);
    for (int i = 0; i < 20000; i++) {
        uint64_t r = rig_random(&g);
        uint32_t control = (uint32_t)(r & 0x1f) | (uint32_t)(r >> 8 & 0x3f)
                                                      << 16;

        request(control, (uint32_t)(r >> 16 & 0x3fff),
                RAM - 0x1000 + (r >> 32 & 0x1ffff));
    }
    rig_round_trip(&g);
}
