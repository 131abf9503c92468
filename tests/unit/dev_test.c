/* SPDX-License-Identifier: MIT */
/* dev_test.c - the list of everything that has state. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "emu/bus/dev.h"

struct thing {
    uint64_t a;
    uint8_t b[4];
    int loaded; /* host */
};

static const struct field thing_fields[] = {
    STATE(struct thing, a),
    STATE_ARRAY(struct thing, b),
    HOST(struct thing, loaded),
    FIELDS_END,
};

static char order[8]; /* first bytes of a, as things are reset or freed */

static void note(void *opaque)
{
    order[strlen(order)] = (char)((struct thing *)opaque)->a;
}

static void loaded(void *opaque) { ((struct thing *)opaque)->loaded++; }

static struct devs *s;
static struct thing x, y;

static void add(const char *name, struct thing *t)
{
    dev_add(s,
            &(struct dev_info){ .name = name,
                                .fields = thing_fields,
                                .size = sizeof *t,
                                .version = 1,
                                .reset = note,
                                .loaded = loaded,
                                .free = note },
            t);
}

static void set_up(void)
{
    memset(order, 0, sizeof order);
    x = (struct thing){ .a = 'x', .b = { 1, 2, 3, 4 } };
    y = (struct thing){ .a = 'y' };
    s = devs_new();
    add("x0", &x);
    add("y0", &y);
}

static void tear_down(void) { devs_free(s); }

TestSuite(dev, .init = set_up, .fini = tear_down);

Test(dev, things_are_found_by_name_and_by_number)
{
    void *opaque;

    cr_assert_str_eq(dev_find(s, "y0", &opaque)->name, "y0");
    cr_assert_eq(opaque, &y);
    cr_assert_str_eq(dev_nth(s, 0, &opaque)->name, "x0");
    cr_assert_eq(opaque, &x);
    cr_assert_null(dev_nth(s, 2, &opaque));
    cr_assert_null(dev_find(s, "z0", NULL));
}

Test(dev, the_name_is_copied)
{
    char name[] = "hart0";

    add(name, &x);
    name[0] = 'c';
    cr_assert_not_null(dev_find(s, "hart0", NULL));
}

Test(dev, a_name_that_is_taken_is_our_mistake, .signal = SIGABRT)
{
    add("x0", &x);
}

Test(dev, a_member_that_no_field_covers_is_our_mistake, .signal = SIGABRT)
{
    static const struct field some[] = { STATE(struct thing, a), FIELDS_END };

    dev_add(s,
            &(struct dev_info){ .name = "z", .fields = some, .size = sizeof x },
            &x);
}

Test(dev, reset_goes_in_order_of_addition)
{
    devs_reset(s);
    cr_assert_str_eq(order, "xy");
}

Test(dev, the_last_added_is_freed_first)
{
    devs_free(s);
    cr_assert_str_eq(order, "yx");
    s = NULL;
}

Test(dev, what_was_saved_is_loaded)
{
    struct buf b = { 0 };
    uint64_t hash = devs_hash(s);

    devs_save(s, &b);
    x.a = 5;
    y.b[2] = 7;
    cr_assert_neq(devs_hash(s), hash);
    cr_assert(devs_load(s, b.data, b.len, NULL));
    cr_assert_eq(x.a, 'x');
    cr_assert_eq(y.b[2], 0);
    cr_assert_eq(devs_hash(s), hash);
    cr_assert_eq(x.loaded, 1);
    cr_assert_eq(y.loaded, 1);
    buf_free(&b);
}

Test(dev, host_members_do_not_count)
{
    uint64_t hash = devs_hash(s);

    x.loaded = 99;
    cr_assert_eq(devs_hash(s), hash);
}

Test(dev, state_cut_short_anywhere_is_refused_and_changes_nothing)
{
    struct buf b = { 0 };

    devs_save(s, &b);
    x.a = 5;
    for (size_t len = 0; len < b.len; len++) {
        struct err err = { "" };

        cr_assert_not(devs_load(s, b.data, len, &err));
        cr_assert_neq(err.text[0], '\0');
        cr_assert_eq(x.a, 5);
        cr_assert_eq(x.loaded, 0);
    }
    buf_free(&b);
}

Test(dev, bytes_after_the_state_are_refused)
{
    struct buf b = { 0 };
    struct err err;

    devs_save(s, &b);
    buf_chr(&b, 0);
    cr_assert_not(devs_load(s, b.data, b.len, &err));
    cr_assert_str_eq(err.text, "the state goes on after the last device");
    buf_free(&b);
}

Test(dev, the_state_of_another_machine_is_refused)
{
    struct buf b = { 0 };
    struct err err;

    devs_save(s, &b);
    b.data[1] = 'X';
    cr_assert_not(devs_load(s, b.data, b.len, &err));
    cr_assert_str_eq(err.text,
                     "the state has 'X0' where this machine has 'x0'");
    buf_free(&b);
}

Test(dev, another_version_is_refused)
{
    struct buf b = { 0 };
    struct err err;

    devs_save(s, &b);
    b.data[3] = 9;
    cr_assert_not(devs_load(s, b.data, b.len, &err));
    cr_assert_str_eq(err.text, "x0: the state is version 9, not 1");
    buf_free(&b);
}

Test(dev, damaged_state_never_crashes)
{
    struct buf b = { 0 };

    devs_save(s, &b);
    for (size_t i = 0; i < b.len; i++) {
        for (int v = 0; v < 256; v++) {
            char was = b.data[i];

            b.data[i] = (char)v;
            devs_load(s, b.data, b.len, NULL);
            b.data[i] = was;
        }
    }
    buf_free(&b);
}
