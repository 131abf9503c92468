/* SPDX-License-Identifier: MIT */
/* opts_test.c - QEMU's "-opt key=value,key=value". */
#include <criterion/criterion.h>

#include "emu/base/log.h"
#include "emu/base/opts.h"

static struct opts o;
static struct err err;

static void done(void) { opts_free(&o); }

TestSuite(opts, .fini = done, .timeout = 10);

static const char *get(const char *key)
{
    const char *value = opts_get(&o, key, "(none)");

    return value;
}

Test(opts, first_bare_word_is_the_implied_key)
{
    cr_assert(opts_parse(&o, "virt,aclint=on", "type", &err));
    cr_assert_str_eq(get("type"), "virt");
    cr_assert_str_eq(get("aclint"), "on");
}

Test(opts, first_word_with_a_value_is_a_key)
{
    cr_assert(opts_parse(&o, "cpus=4,maxcpus=8", "cpus", &err));
    cr_assert_str_eq(get("cpus"), "4");
    cr_assert_str_eq(get("maxcpus"), "8");
}

Test(opts, double_comma_is_a_comma)
{
    cr_assert(opts_parse(&o, "a,,b,path=x,,,y=1,z=,,", "file", &err));
    cr_assert_str_eq(get("file"), "a,b");
    cr_assert_str_eq(get("path"), "x,");
    cr_assert_str_eq(get("y"), "1");
    cr_assert_str_eq(get("z"), ",");
}

Test(opts, later_bare_words_are_flags)
{
    cr_assert(opts_parse(&o, "path,server,nowait", "path", &err));
    cr_assert_str_eq(get("server"), "on");
    cr_assert_str_eq(get("wait"), "off");
}

Test(opts, later_key_wins)
{
    cr_assert(opts_parse(&o, "a=1,a=2", NULL, &err));
    opts_set(&o, "a", "3");
    cr_assert_str_eq(get("a"), "3");
    cr_assert(opts_done(&o, &err));
}

Test(opts, value_may_hold_equal_signs_and_be_empty)
{
    cr_assert(opts_parse(&o, "append=root=/dev/vda rw,x=", NULL, &err));
    cr_assert_str_eq(get("append"), "root=/dev/vda rw");
    cr_assert_str_eq(get("x"), "");
}

Test(opts, empty_key_is_refused)
{
    cr_assert_not(opts_parse(&o, "a=1,=2", NULL, &err));
    cr_assert_str_eq(err.text, "Invalid parameter ''");
}

Test(opts, unasked_key_is_refused)
{
    cr_assert(opts_parse(&o, "a=1,typo=2", NULL, &err));
    get("a");
    cr_assert(opts_has(&o, "typo"));
    cr_assert_not(opts_done(&o, &err));
    cr_assert_str_eq(err.text, "Invalid parameter 'typo'");
}

Test(opts, bool_says_what_it_expects)
{
    bool v;

    cr_assert(opts_parse(&o, "a=on,b=no,c=2", NULL, &err));
    cr_assert(opts_bool(&o, "a", false, &v, &err) && v);
    cr_assert(opts_bool(&o, "b", true, &v, &err) && !v);
    cr_assert(opts_bool(&o, "d", true, &v, &err) && v);
    cr_assert_not(opts_bool(&o, "c", false, &v, &err));
    cr_assert_str_eq(err.text, "Parameter 'c' expects 'on' or 'off'");
}

Test(opts, number_says_what_it_expects)
{
    uint64_t v;

    cr_assert(
        opts_parse(&o, "a=0x10,b=ten,c=99999999999999999999", NULL, &err));
    cr_assert(opts_number(&o, "a", 0, &v, &err) && v == 16);
    cr_assert(opts_number(&o, "z", 5, &v, &err) && v == 5);
    cr_assert_not(opts_number(&o, "b", 0, &v, &err));
    cr_assert_str_eq(err.text, "Parameter 'b' expects a number");
    cr_assert_not(opts_number(&o, "c", 0, &v, &err));
    cr_assert_str_eq(err.text, "Value '99999999999999999999' is too large "
                               "for parameter 'c'");
}

Test(opts, size_says_what_it_expects)
{
    uint64_t v;

    cr_assert(opts_parse(&o, "a=64K,b=-1", NULL, &err));
    cr_assert(opts_size(&o, "a", 0, &v, &err) && v == 65536);
    cr_assert_not(opts_size(&o, "b", 0, &v, &err));
    cr_assert_str_eq(err.text, "Parameter 'b' expects a non-negative number "
                               "below 2^64");
}

Test(opts, sizes_in_all_their_spellings)
{
    static const struct {
        const char *text;
        char unit;
        uint64_t v;
    } good[] = {
        { "128", 'M', 128ull << 20 },
        { "2G", 'M', 2ull << 30 },
        { "512k", 'M', 512 << 10 },
        { "7b", 'M', 7 },
        { "1.5G", 'M', 3ull << 29 },
        { "0x20", 'b', 32 },
        { "010", 'b', 10 },
        { "15E", 'b', 15ull << 60 },
        { "0", 'M', 0 },
    };
    static const char *const bad[] = { "",   "x",   "1x",  "-1", "1kk",
                                       "1.", "16E", "1.5", " 1", "G" };
    uint64_t v;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(parse_size(good[i].text, good[i].unit, &v), "%s",
                  good[i].text);
        cr_assert_eq(v, good[i].v, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(parse_size(bad[i], 'b', &v), "%s", bad[i]);
}

Test(opts, numbers_are_the_whole_text)
{
    uint64_t v;

    cr_assert(parse_u64("0xffffffffffffffff", &v) && v == UINT64_MAX);
    cr_assert(parse_u64("017", &v) && v == 15);
    cr_assert_not(parse_u64("", &v));
    cr_assert_not(parse_u64("12 ", &v));
    cr_assert_not(parse_u64("-1", &v));
    cr_assert_not(parse_u64("0x10000000000000000", &v));
}
