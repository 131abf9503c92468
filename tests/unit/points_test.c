/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "emu/hart/hart.h"
#include "emu/hart/points.h"

static struct points *p;
static struct hart *h;

static void setup(void)
{
    p = points_new();
    h = calloc(1, sizeof *h);
}

static void teardown(void)
{
    points_free(p);
    free(h);
}

TestSuite(points, .init = setup, .fini = teardown);

static void add(uint32_t kind, uint64_t addr, uint64_t len)
{
    points_add(p, &(struct point){ .kind = kind, .addr = addr, .len = len });
}

static void count(void *opaque) { ++*(int *)opaque; }

Test(points, a_breakpoint_matches_its_address_only)
{
    add(POINT_BREAK, 0x1000, 4);
    cr_assert_not_null(points_break(p, h, 0x1000, 0));
    cr_assert_null(points_break(p, h, 0x1002, 0));
    cr_assert_null(points_break(p, h, 0xffe, 0));
}

Test(points, the_next_breakpoint_is_the_lowest_in_the_range)
{
    add(POINT_BREAK, 0x1010, 2);
    add(POINT_BREAK, 0x1004, 2);
    cr_assert_eq(points_next_break(p, h, 0x1000, 0x100, 0), 0x1004);
    cr_assert_eq(points_next_break(p, h, 0x1006, 0x100, 0), 0x1010);
    cr_assert_eq(points_next_break(p, h, 0x1006, 10, 0), 0x1010);
    cr_assert_eq(points_next_break(p, h, 0x1012, 0x20, 0), 0x1032);
}

Test(points, adding_the_same_point_again_changes_nothing)
{
    int changes = 0;

    points_on_change(p, count, &changes);
    add(POINT_BREAK, 0x1000, 4);
    add(POINT_BREAK, 0x1000, 4);
    cr_assert_eq(changes, 1);
    cr_assert_null(points_nth(p, 1));
    cr_assert(points_remove(
        p, &(struct point){ .kind = POINT_BREAK, .addr = 0x1000, .len = 4 }));
    cr_assert_eq(changes, 2);
    cr_assert_null(points_nth(p, 0));
}

Test(points, removing_what_is_not_there_says_so)
{
    add(POINT_BREAK, 0x1000, 4);
    cr_assert_not(points_remove(
        p, &(struct point){ .kind = POINT_WRITE, .addr = 0x1000, .len = 4 }));
    cr_assert_not(points_remove(
        p, &(struct point){ .kind = POINT_BREAK, .addr = 0x1000, .len = 2 }));
}

Test(points, a_session_removes_its_own_points_only)
{
    int a, b;

    points_add(p, &(struct point){
                      .kind = POINT_BREAK, .addr = 8, .len = 2, .owner = &a });
    points_add(p, &(struct point){
                      .kind = POINT_BREAK, .addr = 8, .len = 2, .owner = &b });
    points_add(p, &(struct point){
                      .kind = POINT_READ, .addr = 8, .len = 2, .owner = &a });
    points_remove_owner(p, &a);
    cr_assert_eq(points_nth(p, 0)->owner, &b);
    cr_assert_null(points_nth(p, 1));
}

static int asked; /* which hart, or -1 */
static bool answer;

static bool asks(void *opaque, int hart)
{
    asked = hart;
    return *(bool *)opaque;
}

Test(points, a_debugger_is_asked_and_yields_to_its_user)
{
    struct point own = { .kind = POINT_BREAK,
                         .addr = 0x1000,
                         .len = 2,
                         .owner = &asked,
                         .asks = asks,
                         .asks_opaque = &answer };

    points_add(p, &own);
    h->hartid = 3;
    cr_assert_null(points_break(p, h, 0x1000, 0));
    cr_assert_eq(asked, 3);
    answer = true;
    cr_assert_not_null(points_break(p, h, 0x1000, 0)->asks);
    add(POINT_BREAK, 0x1000, 2);
    cr_assert_null(points_break(p, h, 0x1000, 0)->asks);
}

Test(points, who_looks_at_the_past_is_not_asked)
{
    struct point own = { .kind = POINT_BREAK,
                         .addr = 0x1000,
                         .len = 2,
                         .asks = asks,
                         .asks_opaque = &answer };

    points_add(p, &own);
    answer = true;
    asked = -1;
    points_quiet(p, true);
    cr_assert_null(points_break(p, h, 0x1000, 0));
    cr_assert_eq(asked, -1);
    points_quiet(p, false);
    cr_assert_not_null(points_break(p, h, 0x1000, 0));
}

Test(points, a_point_may_be_for_some_harts)
{
    points_add(p, &(struct point){ .kind = POINT_BREAK,
                                   .addr = 0x1000,
                                   .len = 2,
                                   .harts = 1 << 3 });
    cr_assert_null(points_break(p, h, 0x1000, 0));
    h->hartid = 3;
    cr_assert_not_null(points_break(p, h, 0x1000, 0));
}

Test(points, the_guests_points_come_after_the_debuggers)
{
    points_add(p, &(struct point){ .kind = POINT_BREAK,
                                   .flags = POINT_GUEST,
                                   .addr = 0x1000,
                                   .len = 2,
                                   .owner = h });
    add(POINT_BREAK, 0x1000, 2);
    cr_assert_eq(points_break(p, h, 0x1000, 0)->flags, 0);
}

Test(points, a_watchpoint_matches_any_byte_of_an_access)
{
    uint64_t hit = 0;

    add(POINT_WRITE, 0x1004, 4);
    cr_assert_null(points_watch(p, h, 0x1000, 4, POINT_WRITE, 0, &hit));
    cr_assert_null(points_watch(p, h, 0x1008, 4, POINT_WRITE, 0, &hit));
    cr_assert_null(points_watch(p, h, 0x1004, 4, POINT_READ, 0, &hit));
    cr_assert_not_null(points_watch(p, h, 0x1000, 8, POINT_WRITE, 0, &hit));
    cr_assert_eq(hit, 0x1004);
    cr_assert_not_null(points_watch(p, h, 0x1007, 8, POINT_WRITE, 0, &hit));
    cr_assert_eq(hit, 0x1007);
}

Test(points, a_watchpoint_may_span_pages)
{
    uint64_t hit;

    add(POINT_READ | POINT_WRITE, 0x1ff8, 0x2010);
    cr_assert_not(points_watched(p, h, 0, 0x1000, 0));
    cr_assert(points_watched(p, h, 0x1000, 0x1000, 0));
    cr_assert(points_watched(p, h, 0x2000, 0x1000, 0));
    cr_assert(points_watched(p, h, 0x3000, 0x1000, 0));
    cr_assert(points_watched(p, h, 0x4000, 0x1000, 0));
    cr_assert_not(points_watched(p, h, 0x5000, 0x1000, 0));
    cr_assert_not_null(points_watch(p, h, 0x4007, 1, POINT_READ, 0, &hit));
    cr_assert_null(points_watch(p, h, 0x4008, 1, POINT_READ, 0, &hit));
}

Test(points, a_long_watchpoint_does_not_hide_behind_a_short_one)
{
    uint64_t hit;

    add(POINT_WRITE, 0x1000, 0x1000);
    add(POINT_WRITE, 0x1800, 1);
    cr_assert_not_null(points_watch(p, h, 0x1900, 4, POINT_WRITE, 0, &hit));
    cr_assert_eq(hit, 0x1900);
}

Test(points, a_watchpoint_may_end_where_the_address_space_does)
{
    uint64_t hit;

    add(POINT_READ, UINT64_MAX - 7, 8);
    cr_assert_not_null(points_watch(p, h, UINT64_MAX, 1, POINT_READ, 0, &hit));
    cr_assert_not_null(
        points_watch(p, h, UINT64_MAX - 15, 16, POINT_READ, 0, &hit));
    cr_assert_eq(hit, UINT64_MAX - 7);
    cr_assert_null(points_watch(p, h, 0, 8, POINT_READ, 0, &hit));
}

Test(points, there_can_be_very_many)
{
    for (uint64_t n = 0; n < 5000; n++)
        add(POINT_BREAK, n * 7919 % 5000 * 2, 2);
    for (uint64_t n = 0; n < 5000; n++)
        cr_assert_not_null(points_break(p, h, n * 2, 0));
    cr_assert_null(points_break(p, h, 10000, 0));
}
