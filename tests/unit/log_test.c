/* SPDX-License-Identifier: MIT */
/* log_test.c - errors, and what -d writes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

TestSuite(log, .timeout = 10);

static uint32_t parse(const char *items)
{
    uint32_t mask = 0;
    struct err err;

    cr_assert(log_parse(items, &mask, &err), "%s", err.text);
    return mask;
}

/* What fn writes to the log. */
static char *written(void (*fn)(void))
{
    char path[] = "/tmp/ebreak-log-XXXXXX";
    static char text[1 << 20];
    int fd = mkstemp(path);

    cr_assert(log_file(path, NULL));
    fn();
    cr_assert(log_file(NULL, NULL));
    ssize_t n = read(fd, text, sizeof text - 1);
    cr_assert_geq(n, 0);
    text[n] = 0;
    close(fd);
    unlink(path);
    return text;
}

Test(log, err_set_returns_false_and_keeps_the_sentence)
{
    struct err err;

    cr_assert_not(err_set(&err, "bad %s %d", "thing", 3));
    cr_assert_str_eq(err.text, "bad thing 3");
    cr_assert_not(err_prefix(&err, "-m %s", "x"));
    cr_assert_str_eq(err.text, "-m x: bad thing 3");
    cr_assert_not(err_set(NULL, "nobody wants to know"));
    cr_assert_not(err_prefix(NULL, "nor this"));
}

Test(log, long_sentence_is_cut)
{
    struct err err;

    err_set(&err, "%2000d", 1);
    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
    err_prefix(&err, "%1100d", 2);
    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
}

Test(log, parses_a_list_of_items)
{
    cr_assert_eq(parse("in_asm,int"), LOG_IN_ASM | LOG_INT);
    cr_assert_eq(parse("none"), 0);
    cr_assert_eq(parse("commits"), LOG_COMMITS);
    cr_assert_eq(parse("guest_errors,trace:virtio_*"), LOG_GUEST | LOG_OTHER);
    cr_assert_eq(parse("all") & LOG_CPU_RESET, LOG_CPU_RESET);
}

Test(log, names_the_bad_item)
{
    uint32_t mask = 7;
    struct err err;

    cr_assert_not(log_parse("int,nosuch,cpu", &mask, &err));
    cr_assert_str_eq(err.text, "Invalid log item 'nosuch'");
    cr_assert_eq(mask, 7);
    cr_assert_not(log_parse("", &mask, &err));
}

Test(log, names_are_those_that_parse)
{
    struct buf b = { 0 };

    log_names(LOG_INT | LOG_GUEST, &b);
    cr_assert_str_eq(buf_text(&b), "int,guest_errors");
    buf_clear(&b);
    log_names(0, &b);
    cr_assert_str_eq(buf_text(&b), "none");
    buf_free(&b);
}

Test(log, help_has_qemus_lines)
{
    struct buf b = { 0 };

    log_help(&b);
    cr_assert(strstr(buf_text(&b), "Log items (comma separated):\n"
                                   "none            remove all logs\n"
                                   "out_asm         show generated host "));
    cr_assert(strstr(buf_text(&b), "\ncommits "));
    buf_free(&b);
}

static void write_two(void)
{
    log_mask = LOG_INT;
    log_to(LOG_INT, "yes %d\n", 1);
    log_to(LOG_CPU, "no\n");
}

Test(log, writes_only_items_that_are_on)
{
    cr_assert_str_eq(written(write_two), "yes 1\n");
}

static void write_guest(void)
{
    log_mask = LOG_GUEST;
    for (int i = 0; i < 100000; i++)
        log_guest("guest's mistake %d", i);
}

Test(log, guest_in_a_loop_is_cut_off)
{
    const char *text = written(write_guest);
    size_t lines = 0;

    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    cr_assert_geq(lines, 100);
    cr_assert_leq(lines, 1000);
}

Test(log, percent_d_in_the_file_name_is_the_process)
{
    char *path = xasprintf("/tmp/ebreak-log-%d-test", (int)getpid());

    cr_assert(log_file("/tmp/ebreak-log-%d-test", NULL));
    cr_assert_eq(access(path, F_OK), 0);
    log_file(NULL, NULL);
    unlink(path);
    free(path);
}

Test(log, bad_file_names_are_refused)
{
    struct err err;

    cr_assert_not(log_file("a%s", &err));
    cr_assert_str_eq(err.text, "Bad logfile template: a%s");
    cr_assert_not(log_file("a%d%d", &err));
    cr_assert_not(log_file("/nosuch/dir/log", &err));
    cr_assert_str_eq(err.text, "Error opening logfile /nosuch/dir/log: "
                               "No such file or directory");
}
