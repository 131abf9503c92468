/* SPDX-License-Identifier: MIT */
/* chardev_mux_test.c - several front ends on one line. */
#include "tests/unit/chardev_rig.h"

TestSuite(chardev_mux, .init = begin, .fini = end, .timeout = 20);

/* The mux ------------------------------------------------------------------ */

/* A mux on a socket, with a monitor and a console, the console in front. */
static struct front monitor, console;
static int keyboard;

static void mux_begin(void)
{
    struct chardev *c = add("socket,id=m,path=sock,server=on,wait=off,mux=on");

    join(&monitor, c);
    join(&console, c);
    keyboard = dial("sock");
    expect(&monitor, "<in><out><open>");
    expect(&console, "<in><open>");
}

static void mux_end(void)
{
    leave(&monitor);
    leave(&console);
    close(keyboard);
}

Test(chardev_mux, stands_on_a_base)
{
    mux_begin();
    cr_assert_str_eq(chardev_id(console.c), "m");
    cr_assert_str_eq(chardev_filename(console.c), "mux");
    cr_assert_str_eq(chardev_filename(chardev_find(set, "m-base")),
                     "unix:sock,server=on");
    cr_assert(chardev_is_open(console.c));
    mux_end();
}

Test(chardev_mux, key_c_moves_the_keyboard)
{
    mux_begin();
    say(keyboard, "ls\n\1cinfo\n\1cps");
    expect(&console, "ls\n<out><in>ps");
    expect(&monitor, "<in>info\n<out>");
    mux_end();
}

Test(chardev_mux, key_twice_sends_it_once)
{
    mux_begin();
    say(keyboard, "a\1\1b\1zc");
    expect(&console, "a\1bc");
    mux_end();
}

Test(chardev_mux, key_may_be_another)
{
    chardevs_escape(set, 0x14);
    mux_begin();
    say(keyboard, "\1c\x14"
                  "b\x14\x14");
    expect(&console, "\1c<break>\x14");
    mux_end();
}

Test(chardev_mux, key_b_is_a_break_for_the_console)
{
    mux_begin();
    say(keyboard, "\1b");
    expect(&console, "<break>");
    expect_nothing(&monitor);
    mux_end();
}

Test(chardev_mux, key_h_prints_qemus_help)
{
    mux_begin();
    say(keyboard, "\1h");
    expect_fd(keyboard, "\n\r"
                        "C-a h    print this help\n\r"
                        "C-a x    exit emulator\n\r"
                        "C-a s    save disk data back to file (if -snapshot)"
                        "\n\r"
                        "C-a t    toggle console timestamps\n\r"
                        "C-a b    send break (magic sysrq)\n\r"
                        "C-a c    switch between console and monitor\n\r"
                        "C-a C-a  sends C-a\n\r");
    mux_end();
}

Test(chardev_mux, key_s_says_that_there_is_nothing_to_save)
{
    mux_begin();
    say(keyboard, "\1s");
    expect_fd(keyboard, "\n\rThere are no disks: nothing to save\n\r");
    mux_end();
}

Test(chardev_mux, key_t_puts_the_time_before_each_line)
{
    char got[256] = "";

    mux_begin();
    say(keyboard, "\1t.");
    expect(&console, ".");
    put(console.c, "rest\nline\n");
    put(console.c, "par");
    put(console.c, "tial");
    loop_turn(l, 0);
    cr_assert_gt(read(keyboard, got, sizeof got - 1), 0);
    int h, m, s, ms, end = 0;
    sscanf(got, "rest\n[%2d:%2d:%2d.%3d] line\n[%*2d:%*2d:%*2d.%*3d] partial%n",
           &h, &m, &s, &ms, &end);
    cr_assert_gt(end, 0, "%s", got);
    cr_assert_eq(h + m, 0);
    mux_end();
}

static void on_exit_key(void *done) { *(bool *)done = true; }

Test(chardev_mux, key_x_ends_even_when_nobody_reads)
{
    bool done = false;

    mux_begin();
    chardevs_on_exit(set, on_exit_key, &done);
    console.room = 0;
    say(keyboard, "typed ahead\1x");
    for (int i = 0; i < 100 && !done; i++)
        loop_turn(l, MS);
    cr_assert(done);
    expect_fd(keyboard, "ebreak: Terminated\n\r");
    mux_end();
}

Test(chardev_mux, holds_what_the_console_cannot_take)
{
    mux_begin();
    console.room = 2;
    say(keyboard, "abcdef");
    expect(&console, "ab");
    console.room = 3;
    chardev_accept(console.c);
    cr_assert_str_eq(buf_text(&console.seen), "", "not from within");
    expect(&console, "cde");
    console.room = 9;
    chardev_accept(console.c);
    expect(&console, "f");
    mux_end();
}

Test(chardev_mux, type_ahead_is_bounded)
{
    char block[4096];
    size_t sent = 0;
    ssize_t n;

    mux_begin();
    console.room = 0;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1000; i++) {
        n = send(keyboard, block, sizeof block, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(l, 0);
    }
    cr_assert_lt(sent, sizeof block * 1000, "everything was read");
    mux_end();
}

Test(chardev_mux, gives_the_keyboard_back_when_one_leaves)
{
    mux_begin();
    leave(&console);
    expect(&monitor, "<in>");
    say(keyboard, "\1chelp");
    expect(&monitor, "help");
    leave(&monitor);
    close(keyboard);
}

Test(chardev_mux, base_is_not_for_others)
{
    struct front a;

    mux_begin();
    cr_assert_not(
        chardev_join(chardev_find(set, "m-base"), &front_fns, &a, &err));
    cr_assert_str_eq(err.text, "Device 'm-base' is in use");
    cr_assert_not(chardev_remove(set, chardev_find(set, "m-base"), &err));
    mux_end();
}

Test(chardev_mux, tells_all_when_the_line_goes)
{
    mux_begin();
    close(keyboard);
    expect(&console, "<close>");
    expect(&monitor, "<close>");
    keyboard = dial("sock");
    expect(&console, "<open>");
    expect(&monitor, "<open>");
    mux_end();
}
