/* SPDX-License-Identifier: MIT */
/* agent_test.c - every opcode of gdb's agent expressions, and hostile ones. */
#include "emu/base/buf.h"

#include "emu/hart/agent.h"
#include "tests/unit/hart_rig.h"

static struct rig *g;
static struct buf text;

static void setup(void) { g = rig_new("rv64"); }

static void teardown(void)
{
    buf_free(&text);
    rig_free(g);
}

TestSuite(agent, .init = setup, .fini = teardown);

#define C8(n) 0x22, (n)
#define END   0x27
#define CODE_OF(...)                                                           \
    (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define GIVES(want, ...)                                                       \
    do {                                                                       \
        uint64_t v_ = 77;                                                      \
        cr_assert(eval(CODE_OF(__VA_ARGS__), &v_));                            \
        cr_assert_eq(v_, (uint64_t)(want), "0x%llx", (unsigned long long)v_);  \
    } while (0)
#define FAILS(...)                                                             \
    do {                                                                       \
        uint64_t v_;                                                           \
        cr_assert_not(eval(CODE_OF(__VA_ARGS__), &v_));                        \
    } while (0)

/* From memory that ends where the code does, for the sanitizer's eyes. */
static bool eval_to(struct buf *to, const uint8_t *code, size_t len,
                    uint64_t *v)
{
    uint8_t *exact = malloc(len ? len : 1);
    struct bytecode c = { exact, len };
    bool ok;

    memcpy(exact, code, len);
    ok = agent_eval(g->h, &c, to, v);
    free(exact);
    return ok;
}

static bool eval(const uint8_t *code, size_t len, uint64_t *v)
{
    return eval_to(&text, code, len, v);
}

Test(agent, constants_of_each_size_are_zero_extended)
{
    GIVES(0xff, C8(0xff), END);
    GIVES(0xfffe, 0x23, 0xff, 0xfe, END);
    GIVES(0xfffefdfc, 0x24, 0xff, 0xfe, 0xfd, 0xfc, END);
    GIVES(0x8000000000000001, 0x25, 0x80, 0, 0, 0, 0, 0, 0, 1, END);
    GIVES(0, END);
}

Test(agent, arithmetic_wraps_at_64_bits)
{
    GIVES(9, C8(7), C8(2), 0x02, END);
    GIVES(-5, C8(2), C8(7), 0x03, END);
    GIVES(14, C8(7), C8(2), 0x04, END);
    GIVES(-3, C8(0), C8(7), 0x03, C8(2), 0x05, END);
    GIVES(3, C8(7), C8(2), 0x06, END);
    GIVES(-1, C8(0), C8(7), 0x03, C8(2), 0x07, END);
    GIVES(1, C8(7), C8(2), 0x08, END);
}

Test(agent, dividing_the_most_negative_number_by_minus_one_gives_itself)
{
    GIVES(1ull << 63, 0x25, 0x80, 0, 0, 0, 0, 0, 0, 0, C8(0), 0x12, 0x05, END);
    GIVES(0, 0x25, 0x80, 0, 0, 0, 0, 0, 0, 0, C8(0), 0x12, 0x07, END);
}

Test(agent, a_division_by_zero_is_an_error)
{
    FAILS(C8(1), C8(0), 0x05, END);
    FAILS(C8(1), C8(0), 0x06, END);
    FAILS(C8(1), C8(0), 0x07, END);
    FAILS(C8(1), C8(0), 0x08, END);
}

Test(agent, shifts_by_64_and_more_move_everything_out)
{
    GIVES(0x80, C8(1), C8(7), 0x09, END);
    GIVES(0, C8(1), C8(64), 0x09, END);
    GIVES(-1, C8(0), 0x12, C8(99), 0x0a, END);
    GIVES(-2, C8(0), C8(4), 0x03, C8(1), 0x0a, END);
    GIVES(0, C8(0), 0x12, C8(64), 0x0b, END);
    GIVES(1, C8(0), 0x12, C8(63), 0x0b, END);
    GIVES(5, C8(5), C8(0), 0x0a, END);
}

Test(agent, logic_and_comparisons)
{
    GIVES(1, C8(0), 0x0e, END);
    GIVES(0, C8(9), 0x0e, END);
    GIVES(8, C8(12), C8(10), 0x0f, END);
    GIVES(14, C8(12), C8(10), 0x10, END);
    GIVES(6, C8(12), C8(10), 0x11, END);
    GIVES(-1, C8(0), 0x12, END);
    GIVES(1, C8(3), C8(3), 0x13, END);
    GIVES(0, C8(3), C8(4), 0x13, END);
    GIVES(1, C8(0), 0x12, C8(0), 0x14, END);
    GIVES(0, C8(0), 0x12, C8(0), 0x15, END);
    GIVES(1, C8(0), C8(1), 0x15, END);
}

Test(agent, values_are_extended_from_any_number_of_bits)
{
    GIVES(-1, C8(0xff), 0x16, 8, END);
    GIVES(0x7f, C8(0x7f), 0x16, 8, END);
    GIVES(1, C8(0xff), 0x2a, 1, END);
    GIVES(0xff, C8(0xff), 0x2a, 64, END);
    FAILS(C8(1), 0x16, 0, END);
    FAILS(C8(1), 0x2a, 65, END);
}

Test(agent, memory_is_read_as_a_debugger_does)
{
    poke64(g, RAM + 0x100, 0x8877665544332211);
    GIVES(0x22, 0x24, 0x80, 0, 1, 1, 0x17, END);
    GIVES(0x3322, 0x24, 0x80, 0, 1, 1, 0x18, END);
    GIVES(0x55443322, 0x24, 0x80, 0, 1, 1, 0x19, END);
    GIVES(0x8877665544332211, 0x24, 0x80, 0, 1, 0, 0x1a, END);
    FAILS(0x24, 0x70, 0, 0, 0, 0x1a, END);
    FAILS(0x24, 0x10, 0, 0, 0, 0x19, END); /* a device without peek */
    cr_assert_eq(g->reads, 0);
}

Test(agent, memory_across_two_pages_is_one_value)
{
    poke64(g, RAM + 0xffc, 0x8877665544332211);
    GIVES(0x8877665544332211, 0x24, 0x80, 0, 0x0f, 0xfc, 0x1a, END);
    FAILS(0x24, 0x80, 0x1f, 0xff, 0xfc, 0x1a, END); /* RAM ends in it */
}

Test(agent, registers_have_gdbs_numbers)
{
    g->h->x[5] = 55;
    g->h->f[3] = 33;
    g->h->pc = RAM + 0x10;
    set_csr(g, "mscratch", 0x1234);
    GIVES(0, 0x26, 0, 0, END);
    GIVES(55, 0x26, 0, 5, END);
    GIVES(RAM + 0x10, 0x26, 0, 32, END);
    GIVES(33, 0x26, 0, 36, END);
    GIVES(0x1234, 0x26, 0x03, 0x81, END); /* 65 + 0x340 */
    GIVES(3, 0x26, 0x10, 0x41, END);      /* priv */
    FAILS(0x26, 0x0f, 0xff, END);         /* no such CSR */
    FAILS(0x26, 0xff, 0xff, END);
}

Test(agent, jumps_go_to_where_they_say)
{
    GIVES(2, C8(1), 0x20, 0, 8, C8(1), END, C8(2), END);
    GIVES(1, C8(0), 0x20, 0, 8, C8(1), END, C8(2), END);
    GIVES(2, 0x21, 0, 6, C8(1), END, C8(2), END);
    FAILS(0x21, 0, 99, END);
}

Test(agent, the_stack_is_shuffled)
{
    GIVES(14, C8(7), 0x28, 0x02, END);           /* dup */
    GIVES(7, C8(7), C8(8), 0x29, END);           /* pop */
    GIVES(1, C8(7), C8(8), 0x2b, 0x03, END);     /* swap */
    GIVES(5, C8(5), C8(6), C8(7), 0x32, 2, END); /* pick */
    GIVES(6, C8(5), C8(6), C8(7), 0x33, END);    /* rot: 7 5 6 */
    GIVES(5, C8(5), C8(6), C8(7), 0x33, 0x29, END);
    GIVES(7, C8(5), C8(6), C8(7), 0x33, 0x29, 0x29, END);
    FAILS(C8(5), 0x32, 1, END);
}

Test(agent, what_is_missing_is_an_error)
{
    FAILS(0x02, END);
    FAILS(C8(1), 0x02, END);
    FAILS(C8(1)); /* no end */
    FAILS(0x22);
    FAILS(0x25, 1, 2, 3);
    FAILS(0x33, END);
    FAILS(0x34, 0, 0);
    FAILS(0x20, 0, 0, END);
}

Test(agent, opcodes_of_traces_and_floats_are_errors)
{
    static const uint8_t unknown[] = { 0x00, 0x01, 0x0c, 0x0d, 0x1b, 0x1c,
                                       0x1d, 0x1e, 0x1f, 0x2c, 0x2d, 0x2e,
                                       0x2f, 0x30, 0x31, 0x35, 0xff };

    for (size_t i = 0; i < sizeof unknown; i++)
        FAILS(C8(1), C8(1), C8(1), unknown[i], 0, 0, 0, END);
}

Test(agent, an_endless_loop_ends)
{
    FAILS(0x21, 0, 0);
    FAILS(C8(1), 0x21, 0, 0);
    FAILS(0x21, 0, 3, 0x21, 0, 0);
}

Test(agent, the_stack_has_an_end)
{
    uint8_t code[2 * AGENT_STACK + 3];
    uint64_t v;

    for (unsigned n = 0; n <= AGENT_STACK; n++) {
        code[2 * n] = 0x22;
        code[2 * n + 1] = (uint8_t)n;
    }
    code[2 * AGENT_STACK + 2] = END;
    cr_assert_not(eval(code, sizeof code, &v));
    code[2 * AGENT_STACK] = END;
    cr_assert(eval(code, 2 * AGENT_STACK + 1, &v));
    cr_assert_eq(v, AGENT_STACK - 1);
}

/* An expression that prints a format and its arguments, the last one first. */
static bool prints(const char *format, unsigned nargs, const uint64_t *arg)
{
    struct buf code = { 0 };
    size_t len = strlen(format) + 1;
    uint64_t v;
    bool ok;

    for (unsigned n = nargs; n-- > 0;) {
        buf_chr(&code, 0x25);
        for (int shift = 56; shift >= 0; shift -= 8)
            buf_chr(&code, (char)(arg[n] >> shift));
    }
    buf_add(&code, "\x22\0\x22\0\x34", 5);
    buf_chr(&code, (char)nargs);
    buf_chr(&code, (char)(len >> 8));
    buf_chr(&code, (char)len);
    buf_add(&code, format, len);
    buf_chr(&code, END);
    buf_clear(&text);
    ok = eval((const uint8_t *)code.data, code.len, &v);
    buf_free(&code);
    return ok;
}

#define PRINTS(want, format, ...)                                              \
    do {                                                                       \
        const uint64_t a_[] = { __VA_ARGS__ };                                 \
        cr_assert(prints(format, sizeof a_ / 8, a_));                          \
        cr_assert_str_eq(buf_text(&text), want);                               \
    } while (0)

Test(agent, printf_knows_the_conversions_of_c)
{
    PRINTS("hit -1 ffffffff\n", "hit %d %lx\\n", UINT32_MAX, UINT32_MAX);
    PRINTS("-1 18446744073709551615", "%lld %llu", UINT64_MAX, UINT64_MAX);
    PRINTS("  007|7   |+7|0x1f", "%5.3d|%-4u|%+i|%#x", 7, 7, 7, 31);
    PRINTS("1F A 0xffffffff80000000", "%X %c %p", 31, 'A', 0xffffffff80000000);
    PRINTS("4294967295 17", "%u %o", UINT64_MAX, 15);
    PRINTS("100%\t\"\\", "100%%\\t\\\"\\\\", 1);
}

Test(agent, printf_reads_strings_from_memory)
{
    poke64(g, RAM + 0xffc, 0x0021646c726f7700); /* \0world! */
    PRINTS("[world!]", "[%s]", RAM + 0xffd);
    PRINTS("[  wo]", "[%4.2s]", RAM + 0xffd);
    PRINTS("[]", "[%s]", 0x70000000);
}

Test(agent, a_string_without_an_end_is_cut)
{
    for (uint64_t at = RAM + 0x2000; at < RAM + 0x8000; at += 8)
        poke64(g, at, 0x6161616161616161);
    cr_assert(
        prints("%s%s%s%s%s%s%s%s", 8,
               (const uint64_t[]){ RAM + 0x2000, RAM + 0x2000, RAM + 0x2000,
                                   RAM + 0x2000, RAM + 0x2000, RAM + 0x2000,
                                   RAM + 0x2000, RAM + 0x2000 }));
    cr_assert_leq(text.len, 2 * AGENT_TEXT);
}

Test(agent, formats_that_ask_for_too_much_are_errors)
{
    static const uint64_t one[] = { RAM };

    cr_assert_not(prints("%d %d", 1, one));
    cr_assert_not(prints("%n", 1, one));
    cr_assert_not(prints("%f", 1, one));
    cr_assert_not(prints("%*d", 1, one));
    cr_assert_not(prints("%9999d", 1, one));
    cr_assert_not(prints("%.9999d", 1, one));
    cr_assert_not(prints("%+-+-+-+-d", 1, one));
    cr_assert_not(prints("%", 1, one));
    cr_assert_not(prints("%l", 1, one));
}

Test(agent, printf_takes_its_arguments_off_the_stack)
{
    GIVES(5, C8(5), C8(6), C8(0), C8(0), 0x34, 1, 0, 1, 0, END);
    FAILS(C8(0), C8(0), 0x34, 1, 0, 1, 0, END);   /* no argument */
    FAILS(C8(0), C8(0), 0x34, 0, 0, 0, END);      /* no format */
    FAILS(C8(0), C8(0), 0x34, 0, 0, 9, 'a', END); /* it goes on */
    FAILS(C8(0), C8(0), 0x34, 0, 0, 1, 'a', END); /* and does not end */
}

Test(agent, a_condition_does_not_print)
{
    static const uint8_t code[] = { C8(0), C8(0), 0x34, 0, 0, 1, 0, END };
    uint64_t v;

    cr_assert(eval_to(&text, code, sizeof code, &v));
    cr_assert_not(eval_to(NULL, code, sizeof code, &v));
}

/* Points that have them ------------------------------------------------------ */

static const uint8_t a0_is_5[] = { 0x26, 0, 10, C8(5), 0x13, END };
static const uint8_t a0_is_7[] = { 0x26, 0, 10, C8(7), 0x13, END };
static const uint8_t broken[] = { 0x02 };
static const uint8_t say_a0[] = { 0x26, 0,   10,  C8(0), C8(0), 0x34, 1,  0,
                                  5,    '%', 'd', '\\',  'n',   0,    END };

static struct bytecode codes[2];

static struct bytecodes list(size_t n)
{
    return (struct bytecodes){ codes, n };
}

/* addi a0, a0, 1 four times: the point is at the second one, each time. */
static void loop_on(struct bytecodes when, struct bytecodes commands)
{
    g->h->x[10] = 0;
    PROGRAM(g, addi(10, 10, 1), addi(10, 10, 1), 0xff9ff06f /* j -8 */);
    points_add(g->points, &(struct point){ .kind = POINT_BREAK,
                                           .addr = CODE + 4,
                                           .len = 2,
                                           .when = when,
                                           .commands = commands });
}

Test(agent, a_false_condition_does_not_stop)
{
    codes[0] = (struct bytecode){ a0_is_5, sizeof a0_is_5 };
    loop_on(list(1), list(0));
    hart_run(g->h, 100);
    cr_assert_eq(g->h->stop.kind, HART_STOP_BREAK);
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert_eq(g->h->x[10], 5);
    cr_assert_eq(points_nth(g->points, 0)->hits, 1);
}

Test(agent, one_true_condition_is_enough)
{
    codes[0] = (struct bytecode){ a0_is_7, sizeof a0_is_7 };
    codes[1] = (struct bytecode){ a0_is_5, sizeof a0_is_5 };
    loop_on(list(2), list(0));
    hart_run(g->h, 100);
    cr_assert_eq(g->h->x[10], 5);
}

Test(agent, a_condition_that_is_an_error_stops)
{
    codes[0] = (struct bytecode){ broken, sizeof broken };
    loop_on(list(1), list(0));
    hart_run(g->h, 100);
    cr_assert_eq(g->h->x[10], 1);
}

Test(agent, adding_a_point_again_replaces_its_conditions)
{
    codes[0] = (struct bytecode){ a0_is_5, sizeof a0_is_5 };
    loop_on(list(1), list(0));
    codes[0] = (struct bytecode){ a0_is_7, sizeof a0_is_7 };
    loop_on(list(1), list(0));
    cr_assert_null(points_nth(g->points, 1));
    cr_assert_eq(points_code(g->points), sizeof a0_is_7);
    hart_run(g->h, 100);
    cr_assert_eq(g->h->x[10], 7);
}

static void got_text(void *opaque, const struct point *p, const char *t,
                     size_t len)
{
    (void)p;
    buf_add(opaque, t, len);
}

Test(agent, commands_print_and_do_not_stop)
{
    codes[0] = (struct bytecode){ say_a0, sizeof say_a0 };
    points_on_text(g->points, got_text, &text);
    loop_on(list(0), list(1));
    hart_run(g->h, 9);
    cr_assert_eq(g->h->stop.kind, HART_STOP_NONE);
    cr_assert_str_eq(buf_text(&text), "1\n3\n5\n");
    cr_assert_eq(points_nth(g->points, 0)->hits, 3);
}

/* The way to the point's block is known by then, but that block is no more. */
Test(agent, code_at_a_point_may_be_written_between_its_hits)
{
    codes[0] = (struct bytecode){ say_a0, sizeof say_a0 };
    points_on_text(g->points, got_text, &text);
    loop_on(list(0), list(1));
    hart_run(g->h, 6);
    mem_write(g->mem, CODE + 4, 4, addi(10, 10, 10), NULL);
    hart_run(g->h, 6);
    cr_assert_str_eq(buf_text(&text), "1\n3\n5\n16\n");
    cr_assert_eq(points_nth(g->points, 0)->hits, 4);
    cr_assert_eq(g->h->x[10], 26);
}

Test(agent, who_looks_again_hears_nothing)
{
    codes[0] = (struct bytecode){ say_a0, sizeof say_a0 };
    points_on_text(g->points, got_text, &text);
    loop_on(list(0), list(1));
    points_quiet(g->points, true);
    hart_run(g->h, 9);
    cr_assert_eq(text.len, 0);
    cr_assert_eq(points_nth(g->points, 0)->hits, 0);
}

Test(agent, commands_may_outlive_their_owner)
{
    struct point p = { .kind = POINT_BREAK,
                       .flags = POINT_PERSIST,
                       .addr = CODE,
                       .len = 2,
                       .owner = g };

    codes[0] = (struct bytecode){ say_a0, sizeof say_a0 };
    p.commands = list(1);
    points_add(g->points, &p);
    p.addr = CODE + 8;
    p.commands = list(0);
    points_add(g->points, &p);
    points_remove_owner(g->points, g);
    cr_assert_eq(points_nth(g->points, 0)->addr, CODE);
    cr_assert_null(points_nth(g->points, 0)->owner);
    cr_assert_null(points_nth(g->points, 1));
}

Test(agent, filters_decide_by_mode_and_address_space)
{
    struct point p = { .kind = POINT_BREAK, .addr = CODE, .len = 2 };

    p.privs = 1 << PRIV_S;
    points_add(g->points, &p);
    cr_assert_null(points_break(g->points, g->h, CODE, 0));
    g->h->priv = PRIV_S;
    cr_assert_not_null(points_break(g->points, g->h, CODE, 0));
    points_remove(g->points, &p);
    p.flags = POINT_SATP;
    p.satp = 0x8000000000087f5e;
    points_add(g->points, &p);
    cr_assert_null(points_break(g->points, g->h, CODE, 0));
    g->h->satp = p.satp;
    cr_assert_not_null(points_break(g->points, g->h, CODE, 0));
}
