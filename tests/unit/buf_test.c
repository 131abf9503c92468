/* SPDX-License-Identifier: MIT */
/* buf_test.c - a byte string that grows. */
#include <criterion/criterion.h>
#include <string.h>

#include "emu/base/buf.h"

static struct buf b;

static void done(void) { buf_free(&b); }

TestSuite(buf, .fini = done, .timeout = 10);

Test(buf, empty_one_reads_as_empty_text)
{
    cr_assert_str_eq(buf_text(&b), "");
    buf_clear(&b);
    buf_drop(&b, 0);
    cr_assert_str_eq(buf_text(&b), "");
}

Test(buf, is_a_string_after_each_piece)
{
    buf_str(&b, "ab");
    buf_chr(&b, 'c');
    buf_printf(&b, "%d-%s", 42, "x");
    cr_assert_str_eq(buf_text(&b), "abc42-x");
    cr_assert_eq(b.len, 7);
}

Test(buf, holds_zero_bytes)
{
    buf_add(&b, "a\0b", 3);
    buf_chr(&b, 0);
    cr_assert_eq(b.len, 4);
    cr_assert_eq(memcmp(b.data, "a\0b\0", 5), 0);
}

Test(buf, grows_far)
{
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "%05d", i);
    cr_assert_eq(b.len, 500000);
    cr_assert_eq(memcmp(b.data + 499995, "99999", 6), 0);
}

Test(buf, hex_is_lower_case)
{
    buf_hex(&b, "\x00\xfe\x5a", 3);
    cr_assert_str_eq(buf_text(&b), "00fe5a");
}

Test(buf, drop_keeps_the_rest)
{
    buf_str(&b, "packet rest");
    buf_drop(&b, 7);
    cr_assert_str_eq(buf_text(&b), "rest");
    buf_drop(&b, 4);
    cr_assert_str_eq(buf_text(&b), "");
}

Test(buf, clear_keeps_the_memory)
{
    buf_str(&b, "text");
    char *data = b.data;

    buf_clear(&b);
    cr_assert_eq(b.len, 0);
    buf_str(&b, "new");
    cr_assert_eq(b.data, data);
    cr_assert_str_eq(buf_text(&b), "new");
}
