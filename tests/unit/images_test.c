/* SPDX-License-Identifier: MIT */
/* images_test.c - the files that were loaded, as debuggers see them. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "emu/bus/images.h"

static struct images *images;

static void setup(void) { images = images_new(); }
static void teardown(void) { images_free(images); }

TestSuite(images, .init = setup, .fini = teardown);

/* A kernel at 0x80200000, linked at 0xffffffff80000000. */
static struct image *kernel(void)
{
    static const char bytes[] = "\177ELF and so on";
    struct image *i =
        images_add(images, IMAGE_KERNEL, "/kernel", bytes, sizeof bytes - 1);

    image_add_segment(i, 0xffffffff80000000, 0x80200000, 0x1000);
    image_add_symbol(i, "second", 0xffffffff80000100, 0x10);
    image_add_symbol(i, "first", 0xffffffff80000000, 0);
    image_add_symbol(i, "alias", 0xffffffff80000100, 0x10);
    return i;
}

static void finds(uint64_t addr, const char *name, uint64_t offset)
{
    uint64_t off = 0;
    const char *found = images_symbol(images, addr, &off);

    cr_expect(found && !strcmp(found, name), "%s at 0x%lx", found, addr);
    cr_expect_eq(off, offset);
}

Test(images, symbols_are_found_at_both_addresses_of_a_kernel)
{
    kernel();
    finds(0xffffffff80000000, "first", 0);
    finds(0xffffffff800000ff, "first", 0xff);
    finds(0xffffffff80000104, "second", 4);
    finds(0x80200104, "second", 4);
}

Test(images, a_symbol_ends_and_so_does_a_program)
{
    uint64_t off;

    kernel();
    cr_expect_null(images_symbol(images, 0xffffffff80000110, &off));
    cr_expect_null(images_symbol(images, 0xffffffff80001000, &off));
    cr_expect_null(images_symbol(images, 0, &off));
}

Test(images, linked_addresses_lead_to_where_they_were_loaded)
{
    uint64_t pa = 0;

    kernel();
    cr_expect(images_physical(images, 0xffffffff80000fff, &pa));
    cr_expect_eq(pa, 0x80200fff);
    cr_expect_not(images_physical(images, 0xffffffff80001000, &pa));
}

Test(images, bytes_that_are_built_in_are_read)
{
    struct image *i = kernel();
    char data[32];

    cr_expect(i->elf);
    cr_expect_eq(image_length(i), 14);
    cr_expect_eq(image_read_at(i, 5, data, 3), 3);
    cr_expect_eq(memcmp(data, "and", 3), 0);
    cr_expect_eq(image_read_at(i, 14, data, 8), 0);
    cr_expect_eq(image_read_at(i, UINT64_MAX, data, 8), 0);
}

Test(images, a_file_that_was_replaced_is_read_as_it_was)
{
    char path[] = "/tmp/ebreak-images-XXXXXX", data[8] = "";
    int fd = mkstemp(path);
    struct image *i;

    cr_assert_eq(write(fd, "old", 3), 3);
    close(fd);
    i = images_add(images, IMAGE_LOADER, path, NULL, 0);
    unlink(path);
    cr_expect_not(i->elf);
    cr_expect_eq(image_length(i), 3);
    cr_expect_eq(image_read_at(i, 0, data, 8), 3);
    cr_expect_str_eq(data, "old");
    cr_expect_str_eq(i->path, path);
}

Test(images, what_is_no_ordinary_file_cannot_be_read_again)
{
    struct image *i = images_add(images, IMAGE_LOADER, "/dev/null", NULL, 0);
    char data[8];

    cr_expect_eq(image_read_at(i, 0, data, 8), -1);
    cr_expect_eq(image_length(i), -1);
}
