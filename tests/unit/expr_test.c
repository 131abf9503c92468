/* SPDX-License-Identifier: MIT */
/* expr_test.c - expressions in the monitor. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "emu/hart/agent.h"
#include "emu/hart/hart.h"
#include "monitor/mon.h"
#include "tests/unit/fake_machine.c"

struct good {
    char text[64];
    uint64_t value;
};

struct bad {
    char text[80];
    char error[48];
};

ParameterizedTestParameters(expr, has_the_value_c_gives_it)
{
    static struct good rows[] = {
        { "0", 0 },
        { "0x10", 16 },
        { "010", 8 },
        { "'A'", 65 },
        { " 1 + 2 ", 3 },
        { "1+2*3", 7 },
        { "(1+2)*3", 9 },
        { "10-2-3", 5 },
        { "1<<4", 16 },
        { "1<<4+1", 32 },
        { "0xff>>4", 15 },
        { "-8>>1", (uint64_t)-4 },
        { "1+2&3", 3 },
        { "6&3|8", 10 },
        { "6^3", 5 },
        { "1|2==2", 1 },
        { "2&&3", 1 },
        { "0||0", 0 },
        { "!5", 0 },
        { "~0", UINT64_MAX },
        { "- -5", 5 },
        { "-5/2", (uint64_t)-2 },
        { "-5%3", (uint64_t)-2 },
        { "-1<1", 1 },
        { "0xffffffff80000000>1", 1 },
        { "0xffffffff80000000>>12", 0xffffffff80000 },
        { "3<=3&&4>=5", 0 },
        { "1!=2", 1 },
        { "0&&1/0", 0 },
        { "1||1/0", 1 },
        { "1<<64", 0 },
        { "-1>>99", UINT64_MAX },
        { "-9223372036854775807-1", 1ull << 63 },
        { "(-9223372036854775807-1)/-1", 1ull << 63 },
        { "(-9223372036854775807-1)%-1", 0 },
        { "0xffffffffffffffff", UINT64_MAX },
        { "$pc", 0x80000000 },
        { "$pc+4", 0x80000004 },
        { "($a0&0xff)<<3", 0x7f8 },
        { "$x10", 0xfff },
        { "$x2 == $sp", 1 },
        { "$s0 + 0", 0 },
        { "$f0", 0 },
        { "$mhartid", 0 },
    };

    return cr_make_param_array(struct good, rows, ARRAY_LEN(rows));
}

/* What its bytecode gives on a hart with the fake's registers. */
static bool run_compiled(struct machine *m, const char *text, uint64_t *v)
{
    struct hart *h = xcalloc(1, sizeof *h);
    struct bytecode code;
    struct buf b = { 0 };
    struct err err;
    bool ok = expr_compile(m, 0, &text, &b, &err);

    memset(h->cpu.ext, 0xff, sizeof h->cpu.ext);
    memcpy(h->x, m->reg[0], 32 * sizeof h->x[0]);
    h->pc = m->reg[0][32];
    code = (struct bytecode){ (const uint8_t *)b.data, b.len };
    ok = ok && agent_eval(h, &code, NULL, v);
    buf_free(&b);
    free(h);
    return ok;
}

ParameterizedTest(struct good *row, expr, has_the_value_c_gives_it)
{
    struct machine *m = fake_new(1);
    const char *at = row->text;
    struct err err = { "" };
    uint64_t v;

    m->reg[0][10] = 0xfff;
    if (strncmp(row->text, "$s0", 3) == 0)
        fake_regs[8].name = "s0";
    cr_assert(expr_parse(m, 0, &at, &v, &err), "%s: %s", row->text, err.text);
    cr_assert_eq(v, row->value, "%s: %llx", row->text, (unsigned long long)v);
    cr_assert_eq(*at, 0);
    if (strcmp(row->text, "$mhartid") != 0) { /* the fake's have no numbers */
        cr_assert(run_compiled(m, row->text, &v), "%s", row->text);
        cr_assert_eq(v, row->value, "%s: compiled, %llx", row->text,
                     (unsigned long long)v);
    }
    fake_free(m);
}

Test(expr, compiles_what_cannot_be_known_yet)
{
    struct machine *m = fake_new(1);
    uint64_t v;

    m->reg[0][10] = 0;
    cr_assert_not(run_compiled(m, "1 / $a0", &v));
    m->reg[0][10] = 3;
    cr_assert(run_compiled(m, "9 / $a0 == 3 && ($sp || $a0 > 2)", &v));
    cr_assert_eq(v, 1);
    cr_assert_not(run_compiled(m, "1 + ", &v));
    cr_assert_not(run_compiled(m, "$nosuch", &v));
    fake_free(m);
}

ParameterizedTestParameters(expr, says_what_is_wrong)
{
    static struct bad rows[] = {
        { "", "unexpected end of expression" },
        { "1+", "unexpected end of expression" },
        { "(1", "')' expected" },
        { "1/0", "division by zero" },
        { "1%0", "division by zero" },
        { "tmp", "invalid char 't' in expression" },
        { "8/tmp", "invalid char 't' in expression" },
        { "$nosuch", "unknown register" },
        { "$x32", "unknown register" },
        { "$", "unknown register" },
        { "'", "character constant expected" },
        { "'ab", "missing terminating ' character" },
        { "18446744073709551616", "number too large" },
    };

    return cr_make_param_array(struct bad, rows, ARRAY_LEN(rows));
}

ParameterizedTest(struct bad *row, expr, says_what_is_wrong)
{
    struct machine *m = fake_new(1);
    const char *at = row->text;
    struct err err = { "" };
    uint64_t v;

    cr_assert_not(expr_parse(m, 0, &at, &v, &err), "%s", row->text);
    cr_assert_str_eq(err.text, row->error, "%s: %s", row->text, err.text);
    fake_free(m);
}

static bool parses(const char *text, struct err *err)
{
    struct machine *m = fake_new(1);
    uint64_t v;
    bool ok = expr_parse(m, 0, &text, &v, err);

    fake_free(m);
    return ok;
}

Test(expr, refuses_to_nest_without_end)
{
    struct err err = { "" };
    char text[100000];

    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cr_assert_not(parses(text, &err));
    cr_assert_str_eq(err.text, "expression is nested too deeply");
    memset(text, '-', sizeof text - 1);
    cr_assert_not(parses(text, &err));
}

Test(expr, stops_where_the_next_argument_begins)
{
    struct machine *m = fake_new(1);
    const char *at = "0x80000000 64";
    struct err err;
    uint64_t v;

    cr_assert(expr_parse(m, 0, &at, &v, &err));
    cr_assert_eq(v, 0x80000000);
    cr_assert_str_eq(at, "64");
    fake_free(m);
}

Test(expr, knows_no_register_before_there_is_a_hart)
{
    struct machine *m = fake_new(0);
    const char *at = "$pc";
    struct err err;
    uint64_t v;

    cr_assert_not(expr_parse(m, 0, &at, &v, &err));
    cr_assert_str_eq(err.text, "unknown register");
    fake_free(m);
}

Test(expr, looks_at_the_hart_it_is_asked_about)
{
    struct machine *m = fake_new(2);
    const char *at = "$mhartid";
    struct err err;
    uint64_t v;

    cr_assert(expr_parse(m, 1, &at, &v, &err));
    cr_assert_eq(v, 1);
    fake_free(m);
}
