/* SPDX-License-Identifier: MIT */
/* fields_test.c - a struct that describes itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

struct chip {
    uint64_t counter;
    void *wire;
    uint32_t regs[3];
    uint16_t half;
    uint8_t flag, pad;
};

static const struct field fields[] = {
    STATE(struct chip, counter),
    HOST(struct chip, wire),
    STATE_ARRAY(struct chip, regs),
    STATE(struct chip, half),
    STATE(struct chip, flag),
    HOST(struct chip, pad),
    FIELDS_END,
};

/* The same without half, as an older or newer version has it. */
static const struct field fewer[] = {
    STATE(struct chip, counter),
    STATE_ARRAY(struct chip, regs),
    STATE(struct chip, flag),
    FIELDS_END,
};

/* The same in another order. */
static const struct field shuffled[] = {
    STATE(struct chip, flag),
    STATE_ARRAY(struct chip, regs),
    STATE(struct chip, half),
    STATE(struct chip, counter),
    FIELDS_END,
};

static const struct chip sample = {
    .counter = 0x123456789abcdef0, .regs = { 1, 2, 2 }, .half = 7, .flag = 1
};

static struct buf b;

static void done(void) { buf_free(&b); }

TestSuite(fields, .fini = done, .timeout = 10);

static bool load(const struct field *f, struct chip *c, struct err *err)
{
    const char *at = b.data;

    return fields_load(&at, b.data + b.len, f, c, err);
}

static bool same(const struct chip *x, const struct chip *y)
{
    return fields_diff(fields, x, y) == NULL;
}

Test(fields, what_is_saved_is_loaded)
{
    struct chip c = { .wire = &b };
    const char *at;

    fields_save(&b, fields, &sample);
    buf_str(&b, "rest");
    at = b.data;
    cr_assert(fields_load(&at, b.data + b.len, fields, &c, NULL));
    cr_assert_str_eq(at, "rest");
    cr_assert(same(&c, &sample));
    cr_assert_eq(c.wire, &b, "wiring was touched");
}

Test(fields, form_is_name_size_bytes)
{
    static const struct field one[] = { STATE(struct chip, half), FIELDS_END };

    fields_save(&b, one, &sample);
    cr_assert_eq(b.len, 1 + 4 + 4 + 2 + 1);
    cr_assert_eq(memcmp(b.data, "\x04half\x02\0\0\0\x07\0\0", 12), 0);
}

Test(fields, order_does_not_matter)
{
    struct chip c = { 0 };

    fields_save(&b, shuffled, &sample);
    cr_assert(load(fields, &c, NULL));
    cr_assert(same(&c, &sample));
}

Test(fields, unknown_field_is_an_error_and_changes_nothing)
{
    struct chip c = { .half = 99 };
    struct err err;

    fields_save(&b, fields, &sample);
    cr_assert_not(load(fewer, &c, &err));
    cr_assert_str_eq(err.text, "there is no field 'half'");
    cr_assert_eq(c.counter, 0);
    cr_assert_eq(c.half, 99);
}

Test(fields, missing_field_is_an_error_and_changes_nothing)
{
    struct chip c = { 0 };
    struct err err;

    fields_save(&b, fewer, &sample);
    cr_assert_not(load(fields, &c, &err));
    cr_assert_str_eq(err.text, "field 'half' is missing");
    cr_assert_eq(c.counter, 0);
}

Test(fields, other_size_is_an_error)
{
    struct chip c = { 0 };
    struct err err;

    fields_save(&b, fields, &sample);
    b.data[1 + 7] = 4; /* counter's size */
    cr_assert_not(load(fields, &c, &err));
}

Test(fields, every_truncation_is_an_error)
{
    struct chip c = { 0 };

    fields_save(&b, fields, &sample);
    for (size_t len = 0; len < b.len; len++) {
        const char *at = b.data;

        cr_assert_not(fields_load(&at, b.data + len, fields, &c, NULL));
        cr_assert_eq(c.counter, 0);
    }
}

Test(fields, print_shows_state_and_runs_of_elements)
{
    fields_print(&b, fields, &sample);
    cr_assert_str_eq(buf_text(&b), "counter=0x123456789abcdef0 "
                                   "regs=0x1,0x2*2 half=0x7 flag=0x1");
}

Test(fields, diff_finds_the_first_and_ignores_wiring)
{
    struct chip c = sample;

    c.wire = &c;
    cr_assert_null(fields_diff(fields, &sample, &c));
    c.flag = 0;
    c.regs[2] = 9;
    cr_assert_str_eq(fields_diff(fields, &sample, &c)->name, "regs");
}

Test(fields, hash_follows_state_only)
{
    struct chip c = sample;
    uint64_t h = fields_hash(1, fields, &sample);

    c.wire = &c;
    cr_assert_eq(fields_hash(1, fields, &c), h);
    cr_assert_neq(fields_hash(2, fields, &c), h);
    c.flag ^= 1;
    cr_assert_neq(fields_hash(1, fields, &c), h);
}

Test(fields, gap_counts_forgotten_bytes)
{
    cr_assert_eq(fields_gap(fields, sizeof(struct chip)), 0);
    cr_assert_eq(fields_gap(fewer, sizeof(struct chip)),
                 sizeof(void *) + 2 + 1);
}
