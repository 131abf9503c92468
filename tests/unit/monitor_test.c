/* SPDX-License-Identifier: MIT */
/* monitor_test.c - sessions on a chardev: editing, focus, back pressure. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "monitor/mon.h"
#include "tests/unit/fake_machine.c"

#define BANNER "ebreak 0.1 monitor - type 'help' for more information\r\n"

static struct machine *m;
static struct chardev c;
static struct monitor *mon;

static void start(bool tty)
{
    m = fake_new(2);
    chr_init(&c);
    c.tty = tty;
    setenv("EBREAK_HISTORY", "", 1);
    setenv("TERM", "xterm", 1);
    mon = monitor_new(m, &c, NULL, NULL);
}

static void setup(void)
{
    start(false);
    chr_event(&c, CHARDEV_OPENED);
    buf_clear(&c.out);
}

static void teardown(void)
{
    monitor_free(mon);
    monitor_fini();
    buf_free(&c.out);
    fake_free(m);
}

TestSuite(monitor, .init = setup, .fini = teardown, .timeout = 20);

static const char *seen(void) { return buf_text(&c.out); }

/* What is seen after typing. */
#define TYPED(text, want)                                                      \
    do {                                                                       \
        buf_clear(&c.out);                                                     \
        chr_type(&c, text);                                                    \
        cr_assert_str_eq(seen(), want, "%s", seen());                          \
    } while (0)

static void turn(void)
{
    while (loop_turn(m->loop, 0))
        continue;
}

Test(monitor, greets_each_client_with_banner_and_prompt)
{
    teardown();
    start(false);
    cr_assert_str_eq(seen(), "");
    chr_event(&c, CHARDEV_OPENED);
    cr_assert_str_eq(seen(), BANNER "(qemu) ");
    chr_type(&c, "half a li");
    chr_event(&c, CHARDEV_CLOSED);
    buf_clear(&c.out);
    chr_event(&c, CHARDEV_OPENED);
    cr_assert_str_eq(seen(), BANNER "(qemu) ");
    TYPED("\r", "\r\n(qemu) ");
}

Test(monitor, echoes_and_answers)
{
    TYPED("p/d 6*7\r", "p/d 6*7\r\n42\r\n(qemu) ");
    TYPED("info status\n", "info status\r\nVM status: paused\r\n(qemu) ");
    TYPED("\r\n", "\r\n(qemu) ");
    TYPED("nosuch\r", "nosuch\r\nunknown command: 'nosuch'\r\n(qemu) ");
}

Test(monitor, takes_several_lines_at_once)
{
    TYPED("p/d 1\np 2\n", "p/d 1\r\n1\r\n(qemu) p 2\r\n2\r\n(qemu) ");
}

Test(monitor, edits_the_line)
{
    TYPED("p/d 12\x7f\b3\r", "p/d 12\b \b\b \b3\r\n3\r\n(qemu) ");
    TYPED("ab\x15p 4\r", "ab\b \b\b \bp 4\r\n4\r\n(qemu) ");
    TYPED("p xy\x17"
          "5\r",
          "p xy\b \b\b \b5\r\n5\r\n(qemu) ");
    TYPED("\x7f\x1b[D\x1bOH\x1b[1;5Cp 6\r", "p 6\r\n6\r\n(qemu) ");
    TYPED("junk\x03", "junk\r\n(qemu) ");
}

Test(monitor, recalls_lines)
{
    chr_type(&c, "p/d 1\rp 2\r");
    TYPED("\x1b[A\x1b[A\r", "p 2\b \b\b \b\b \bp/d 1\r\n1\r\n(qemu) ");
    TYPED("\x1b[A\x1b[B", "p/d 1\b \b\b \b\b \b\b \b\b \b");
    TYPED("info history\r", "info history\r\n0: 'p/d 1'\r\n1: 'p 2'\r\n"
                            "2: 'p/d 1'\r\n3: 'info history'\r\n(qemu) ");
}

Test(monitor, completes_on_tab)
{
    TYPED("info stat\t", "info status ");
    TYPED("\r", "\r\nVM status: paused\r\n(qemu) ");
    TYPED("mem\t", "mem\r\nmem       memsave   \r\n(qemu) mem");
}

Test(monitor, bounds_the_length_of_a_line)
{
    char text[3000];

    memset(text, 'a', sizeof text);
    chr_input(&c, text, sizeof text);
    chr_input(&c, text, sizeof text);
    cr_assert_leq(c.out.len, (size_t)LINE_LIMIT);
    chr_type(&c, "\r");
    cr_assert(strstr(seen(), "unknown command: 'aaa"));
}

Test(monitor, holds_output_for_a_client_that_does_not_read)
{
    struct timespec ms20 = { 0, 20 * 1000 * 1000 };

    c.room = 10;
    chr_type(&c, "p/d 1234\rp/d 5678\r");
    cr_assert_str_eq(seen(), "p/d 1234\r\n");
    cr_assert_eq(c.front.can(c.opaque), 0); /* it must read first */
    c.room = SIZE_MAX;
    nanosleep(&ms20, NULL);
    loop_turn(m->loop, 0);
    cr_assert_str_eq(seen(), "p/d 1234\r\n1234\r\n(qemu) p/d 5678\r\n5678\r\n"
                             "(qemu) ");
    cr_assert_gt(c.front.can(c.opaque), 0);
}

Test(monitor, says_when_output_was_lost)
{
    c.room = 0;
    chr_type(&c, "x/9999999bx 0x80000000\r");
    chr_type(&c, "x/9999999bx 0x80000000\r");
    cr_assert_leq(mon->out.len, OUT_LIMIT + 100u);
}

Test(monitor, output_for_nobody_is_dropped)
{
    c.room = 0;
    chr_type(&c, "help\r");
    cr_assert_gt(mon->out.len, 0);
    chr_event(&c, CHARDEV_CLOSED);
    cr_assert_eq(mon->out.len, 0);
}

Test(monitor, is_silent_without_the_keyboard_of_a_mux)
{
    teardown();
    start(false);
    c.front.event(c.opaque, CHARDEV_MUX_IN);
    c.front.event(c.opaque, CHARDEV_MUX_OUT); /* the serial line came */
    chr_event(&c, CHARDEV_OPENED);
    cr_assert_str_eq(seen(), "");
    c.front.event(c.opaque, CHARDEV_MUX_IN);
    cr_assert_str_eq(seen(), BANNER "(qemu) ");
    TYPED("p/d 1", "p/d 1");
    buf_clear(&c.out);
    c.front.event(c.opaque, CHARDEV_MUX_OUT);
    cr_assert_str_eq(seen(), "\r\n");
    buf_clear(&c.out);
    c.front.event(c.opaque, CHARDEV_MUX_IN);
    cr_assert_str_eq(seen(), "(qemu) p/d 1");
    TYPED("1\r", "1\r\n11\r\n(qemu) ");
}

Test(monitor, step_waits_and_shows_the_instruction)
{
    TYPED("step 2\rp/d 5\r", "step 2\r\n");
    turn();
    cr_assert_str_eq(seen(), "step 2\r\n"
                             "0x80000008:  00000297          addi"
                             "                    a2,t0,40\r\n"
                             "(qemu) p/d 5\r\n5\r\n(qemu) ");
}

Test(monitor, ctrl_c_interrupts_a_long_step)
{
    chr_type(&c, "step 1000000\r");
    chr_type(&c, "\x03");
    cr_assert_eq(m->interrupts, 1);
}

Test(monitor, a_session_that_ends_takes_its_step_along)
{
    chr_type(&c, "step 1000000\r");
    monitor_free(mon);
    turn();
    cr_assert_leq(m->resumes, 2);
    mon = monitor_new(m, &c, NULL, NULL);
}

Test(monitor, tells_where_its_points_stop)
{
    struct debug_stop s = { .reason = DEBUG_STOP_BREAK, .hart = 1 };

    chr_type(&c, "break 0x80000004\rcont\rinfo na");
    s.point = m->point[0];
    m->hart[1].pc = 0x80000004;
    buf_clear(&c.out);
    fake_stop(m, s);
    cr_assert_str_eq(seen(),
                     "\r\nPoint 1: hart 1 at 0x80000004\r\n"
                     "0x80000004:  00000297          auipc"
                     "                   t0,0                    "
                     "# 0x1000\r\n(qemu) info na",
                     "%s", seen());
}

Test(monitor, tells_what_a_watchpoint_saw)
{
    struct debug_stop s = { .reason = DEBUG_STOP_WATCH, .hart = 0 };

    chr_type(&c, "watch 0x80001000\r");
    s.point = m->point[0];
    s.addr = 0x80001004;
    s.access = DEBUG_WRITE;
    buf_clear(&c.out);
    fake_stop(m, s);
    cr_assert(strstr(seen(), "Point 1: hart 0 at 0x80000000 writes"
                             " 0x80001004\r\n"),
              "%s", seen());
}

Test(monitor, is_silent_about_the_points_of_others)
{
    struct debug_stop s = { .reason = DEBUG_STOP_BREAK, .hart = 0 };

    s.point = (struct debug_point){ .kind = DEBUG_BREAK, .owner = m };
    fake_stop(m, s);
    cr_assert_str_eq(seen(), "");
}

Test(monitor, each_session_has_its_own_default_hart)
{
    struct chardev d;
    struct monitor *other;

    chr_init(&d);
    other = monitor_new(m, &d, NULL, NULL);
    chr_event(&d, CHARDEV_OPENED);
    chr_type(&d, "cpu 1\r");
    buf_clear(&d.out);
    chr_type(&d, "p/d $mhartid\r");
    cr_assert_str_eq(buf_text(&d.out), "p/d $mhartid\r\n1\r\n(qemu) ");
    TYPED("p/d $mhartid\r", "p/d $mhartid\r\n0\r\n(qemu) ");
    monitor_free(other);
    buf_free(&d.out);
}

Test(monitor, quit_shows_no_more_prompts)
{
    TYPED("quit\rp 1\r", "quit\r\n");
    cr_assert_eq(m->quits, 1);
}

Test(monitor, lines_typed_before_the_end_of_input_are_run)
{
    chr_type(&c, "step 2\rquit\r");
    chr_event(&c, CHARDEV_CLOSED);
    turn();
    cr_assert_eq(m->quits, 1);
}

Test(monitor, refuses_a_chardev_that_is_taken)
{
    struct err err = { "" };

    cr_assert_null(monitor_new(m, &c, NULL, &err));
    cr_assert_str_eq(err.text, "Device 'mon0' is in use");
}

/* readline, or libedit: how they draw differs, what they do must not. ----- */

static void start_tty(void)
{
    start(true);
    chr_event(&c, CHARDEV_OPENED);
}

TestSuite(readline, .init = start_tty, .fini = teardown, .timeout = 20);

static void type_slowly(const char *text)
{
    for (; *text; text++)
        chr_input(&c, text, 1);
}

/* Types a line, and finds the answer between its end and the next prompt. */
static void answers(const char *typed, const char *want)
{
    struct buf pattern = { 0 };

    buf_clear(&c.out);
    type_slowly(typed);
    buf_printf(&pattern, "\n%s\r\n(qemu) ", want);
    cr_assert_not_null(strstr(seen(), pattern.data), "%s", seen());
    buf_free(&pattern);
}

Test(readline, greets_and_answers)
{
    cr_assert_str_eq(seen(), BANNER "(qemu) ");
    answers("p/d 6*7\r", "42");
    answers("p 1\r", "1");
}

Test(readline, edits_with_cursor_keys)
{
    answers("p/d 13\x1b[D2\r", "123");
    answers("/d 5\x01p\x05"
            "1\r",
            "51");
    answers("p/d 12\x7f"
            "3\r",
            "13");
    answers("junk\x15p 4\r", "4");
    answers("junk\x03p 7\r", "7");
}

Test(readline, recalls_lines)
{
    answers("p/d 11\r", "11");
    answers("p 22\r", "22");
    answers("\x1b[A\x1b[A\r", "11");
}

Test(readline, completes_on_tab)
{
    answers("info stat\t\r", "VM status: paused");
    buf_clear(&c.out);
    type_slowly("mem\t");
    cr_assert(strstr(seen(), "\nmem       memsave   \r\n"), "%s", seen());
    answers("save\x15p/d 3\r", "3");
}

Test(readline, keeps_the_line_when_a_point_stops)
{
    struct debug_stop s = { .reason = DEBUG_STOP_BREAK, .hart = 1 };

    type_slowly("break 0x80000000\rp/d 4");
    s.point = m->point[0];
    buf_clear(&c.out);
    fake_stop(m, s);
    cr_assert(strstr(seen(), "\r\nPoint 1: hart 1 at 0x80000000\r\n"));
    cr_assert(strstr(seen(), "\r\n(qemu) "), "%s", seen());
    answers("2\r", "42");
}

Test(readline, keeps_the_line_over_a_switch_of_the_mux)
{
    type_slowly("p/d 1");
    c.front.event(c.opaque, CHARDEV_MUX_OUT);
    c.front.event(c.opaque, CHARDEV_MUX_IN);
    answers("2\r", "12");
}

Test(readline, is_had_by_one_session_at_a_time)
{
    struct chardev d;
    struct monitor *other;

    chr_init(&d);
    d.tty = true;
    other = monitor_new(m, &d, NULL, NULL);
    chr_event(&d, CHARDEV_OPENED);
    buf_clear(&d.out);
    chr_type(&d, "p/d 2\r");
    cr_assert_str_eq(buf_text(&d.out), "p/d 2\r\n2\r\n(qemu) ");
    answers("p/d 3\r", "3");
    monitor_free(other);
    buf_free(&d.out);
}

Test(readline, survives_very_long_lines)
{
    for (int i = 0; i < 3000; i++)
        chr_type(&c, "a");
    buf_clear(&c.out);
    chr_type(&c, "\r");
    cr_assert(strstr(seen(), "unknown command: 'aaa"));
    answers("p/d 3\r", "3");
}

Test(readline, waits_for_a_step)
{
    buf_clear(&c.out);
    type_slowly("step 2\rp/d 5\r");
    cr_assert_eq(strstr(seen(), "(qemu) "), NULL, "%s", seen());
    turn();
    cr_assert(strstr(seen(), "addi                    a2,t0,40\r\n(qemu) "));
    cr_assert(strstr(seen(), "5\r\n(qemu) "));
}

Test(readline, ends_no_session_on_ctrl_d)
{
    type_slowly("\x04");
    answers("p/d 3\r", "3");
}

Test(readline, keeps_its_history_in_a_file)
{
    char name[] = "/tmp/ebreak-history-XXXXXX", text[64] = "";
    FILE *f;

    close(mkstemp(name));
    setenv("EBREAK_HISTORY", name, 1);
    type_slowly("p/d 33\r");
    monitor_free(mon);
    f = fopen(name, "r");
    while (fgets(text, sizeof text, f) && strcmp(text, "p/d 33\n") != 0 &&
           strcmp(text, "p/d\\04033\n") != 0) /* libedit escapes blanks */
        continue;
    fclose(f);
    cr_assert_eq(text[0], 'p');
    mon = monitor_new(m, &c, NULL, NULL);
    c.open = false;
    chr_event(&c, CHARDEV_OPENED);
    answers("\x1b[A\r", "33");
    unlink(name);
}
