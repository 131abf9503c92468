/* SPDX-License-Identifier: MIT */
/* rom_test.c - the blobs that are copied into memory at every reset. */
#include <criterion/criterion.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/mem.h"
#include "emu/bus/rom.h"

enum { RAM = 0x80000000u };

static struct mem *m;
static struct roms *s;

static void set_up(void)
{
    m = mem_new();
    mem_add_ram(m, "ram", RAM, 0x10000, MEM_RAM, NULL);
    mem_add_ram(m, "mrom", 0x1000, 0xf000, MEM_ROM, NULL);
    s = roms_new(m);
}

static void tear_down(void)
{
    roms_free(s);
    mem_free(m);
}

TestSuite(rom, .init = set_up, .fini = tear_down);

static uint64_t read4(uint64_t pa)
{
    uint64_t v;

    cr_assert(mem_read(m, pa, 4, &v, NULL));
    return v;
}

Test(rom, blobs_are_listed_by_address)
{
    rom_add(s, "kernel", RAM, "k", 1, 1);
    rom_add(s, "mrom.reset", 0x1000, "r", 1, 1);
    rom_add(s, "fdt", RAM + 0x100, "f", 1, 1);
    cr_assert_str_eq(rom_nth(s, 0)->name, "mrom.reset");
    cr_assert_str_eq(rom_nth(s, 1)->name, "kernel");
    cr_assert_str_eq(rom_nth(s, 2)->name, "fdt");
    cr_assert_null(rom_nth(s, 3));
}

Test(rom, reset_copies_into_ram_and_rom)
{
    rom_add(s, "a", 0x1000, "abcd", 4, 4);
    rom_add(s, "b", RAM, "efgh", 4, 4);
    roms_reset(s);
    cr_assert_eq(read4(0x1000), 0x64636261);
    mem_write(m, RAM, 4, 0, NULL);
    roms_reset(s);
    cr_assert_eq(read4(RAM), 0x68676665);
}

Test(rom, what_lies_behind_the_data_is_zeroed)
{
    mem_write(m, RAM + 4, 8, UINT64_MAX, NULL);
    mem_write(m, RAM + 0x2000, 4, UINT64_MAX, NULL);
    rom_add(s, "bss", RAM, "efgh", 4, 0x2000);
    roms_reset(s);
    cr_assert_eq(read4(RAM + 4), 0);
    cr_assert_eq(read4(RAM + 0x2000), 0xffffffff);
}

Test(rom, reset_leaves_the_rest_of_ram_alone)
{
    mem_write(m, RAM + 4, 4, 0x1234, NULL);
    rom_add(s, "a", RAM, "abcd", 4, 4);
    roms_reset(s);
    cr_assert_eq(read4(RAM + 4), 0x1234);
}

Test(rom, the_data_is_copied_when_added)
{
    char data[] = "abcd";

    rom_add(s, "a", RAM, data, 4, 4);
    memset(data, 0, sizeof data);
    roms_reset(s);
    cr_assert_eq(read4(RAM), 0x64636261);
}

Test(rom, neighbours_do_not_overlap)
{
    rom_add(s, "a", RAM, "abcd", 4, 4);
    rom_add(s, "b", RAM + 4, "abcd", 4, 4);
    cr_assert(roms_check(s, NULL));
}

Test(rom, an_overlap_is_told_in_the_words_of_qemu)
{
    struct err err;

    rom_add(s, "k.elf", RAM, "abcd", 4, 8);
    rom_add(s, "fw.bin", RAM + 4, "abcd", 4, 0x100);
    cr_assert_not(roms_check(s, &err));
    cr_assert_str_eq(
        err.text,
        "Some ROM regions are overlapping\n"
        "These ROM regions might have been loaded by direct user request or "
        "by default.\n"
        "They could be BIOS/firmware images, a guest kernel, initrd or some "
        "other file loaded into guest memory.\n"
        "Check whether you intended to load all this guest code, and whether "
        "it has been built to load to the correct addresses.\n"
        "\n"
        "The following two regions overlap (in the memory address space):\n"
        "  k.elf (addresses 0x0000000080000000 - 0x0000000080000008)\n"
        "  fw.bin (addresses 0x0000000080000004 - 0x0000000080000104)");
}

Test(rom, a_blob_outside_of_memory_is_refused)
{
    struct err err;

    rom_add(s, "k", RAM + 0xfffe, "abcd", 4, 4);
    cr_assert_not(roms_check(s, &err));
    cr_assert_str_eq(err.text, "k (addresses 0x000000008000fffe - "
                               "0x0000000080010002) does not lie in memory");
}

Test(rom, a_blob_of_absurd_size_is_refused_at_once)
{
    rom_add(s, "k", RAM, "abcd", 4, UINT64_MAX);
    cr_assert_not(roms_check(s, NULL));
    roms_reset(s);
}

/* What ld -Ttext=0x80000000 makes of a small program. */
Test(rom, headers_below_memory_are_dropped)
{
    static uint8_t file[MEM_PAGE + 4];
    uint32_t v = 0;

    memcpy(file + MEM_PAGE, "text", 4);
    rom_add(s, "elf", RAM - MEM_PAGE, file, sizeof file, sizeof file);
    cr_assert(roms_check(s, NULL));
    roms_reset(s);
    cr_assert_eq(mem_peek(m, RAM, &v, 4), 4);
    cr_assert_arr_eq(&v, "text", 4);
}

/* Pages of a kernel ------------------------------------------------------- */

static uint8_t kernel[3 * MEM_PAGE];

static void load_kernel(void)
{
    for (size_t n = 0; n < sizeof kernel; n++)
        kernel[n] = (uint8_t)(n / 7);
    rom_add(s, "kernel", RAM + 16, kernel, sizeof kernel, sizeof kernel);
    rom_add(s, "initrd", RAM + 16 + sizeof kernel, "initrd", 6, 6);
    roms_reset(s);
}

static void cr_assert_kernel_is_there(void)
{
    uint8_t got[sizeof kernel];

    cr_assert_eq(mem_peek(m, RAM + 16, got, sizeof got), sizeof got);
    cr_assert_arr_eq(got, kernel, sizeof got);
}

Test(rom, an_image_in_ram_is_not_kept_twice)
{
    load_kernel();
    cr_assert_null(rom_nth(s, 0)->data);
    cr_assert_null(rom_nth(s, 0)->saved[1]);
    mem_write(m, RAM + MEM_PAGE, 4, 1, NULL);
    cr_assert_not_null(rom_nth(s, 0)->saved[1]);
    cr_assert_null(rom_nth(s, 0)->saved[2]);
}

Test(rom, what_was_overwritten_comes_back_at_each_reset)
{
    static uint8_t junk[0x8000];

    load_kernel();
    for (int n = 0; n < 2; n++) {
        mem_dma_write(m, RAM, junk, sizeof junk);
        roms_reset(s);
        cr_assert_kernel_is_there();
        cr_assert_eq(read4(RAM + 16 + sizeof kernel), 0x74696e69);
        cr_assert_eq(read4(RAM), 0);
    }
}

Test(rom, images_that_share_a_page_are_saved_together)
{
    load_kernel();
    mem_write(m, RAM + 16 + sizeof kernel, 4, 0, NULL);
    mem_write(m, RAM + 12 + sizeof kernel, 4, 0, NULL);
    roms_reset(s);
    cr_assert_kernel_is_there();
    cr_assert_eq(read4(RAM + 16 + sizeof kernel), 0x74696e69);
}

Test(rom, an_image_can_be_read_whatever_became_of_it)
{
    uint8_t got[MEM_PAGE + 20];

    load_kernel();
    mem_write(m, RAM + MEM_PAGE, 8, 0, NULL);
    rom_read(s, rom_nth(s, 0), 4000, got, sizeof got);
    cr_assert_arr_eq(got, kernel + 4000, sizeof got);
}
