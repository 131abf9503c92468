/* SPDX-License-Identifier: MIT */
/* hmp.c - the tables of commands: find a row, check its phase, run it; help. */
#include <ctype.h>
#include <string.h>

#include "monitor/mon.h"

#define CMD(name, schema, params, help, from, fn)                              \
    { name, schema, params, help, from, hmp_##fn },
#define INFO(...)
const struct row command_rows[] = {
#include "monitor/hmp.def"
    { 0 },
};
#undef CMD
#undef INFO

#define CMD(...)
#define INFO(name, schema, params, help, from, fn)                             \
    { name, schema, params, help, from, info_##fn },
const struct row info_rows[] = {
#include "monitor/hmp.def"
    { 0 },
};
#undef CMD
#undef INFO

/* Is it one of "print|p"? */
static bool is_name(const char *names, const char *name, size_t len)
{
    while (*names) {
        size_t n = strcspn(names, "|");

        if (n == len && memcmp(names, name, n) == 0)
            return true;
        names += n;
        names += *names == '|';
    }
    return false;
}

const struct row *row_named(const struct row *rows, const char *name,
                            size_t len)
{
    for (; rows->name; rows++)
        if (is_name(rows->name, name, len))
            return rows;
    return NULL;
}

static bool allowed(const struct monitor *mon, const struct row *row)
{
    if (row->from == FROM_BOARD && debug_harts(mon->m) > 0)
        return true;
    return debug_phase(mon->m) >= (int)row->from;
}

static size_t word_length(const char *s)
{
    size_t n = 0;

    while (s[n] && !isspace((unsigned char)s[n]))
        n++;
    return n;
}

static const char *skip_blanks(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

/* Runs the row that the first word of line names; prefix is "" or "info ". */
static void run_row(struct monitor *mon, const struct row *rows,
                    const char *prefix, const char *line)
{
    size_t len = word_length(line);
    struct args args;
    const struct row *row;

    /* As in QEMU a format may follow its command without a blank. */
    if (memchr(line, '/', len))
        len = strcspn(line, "/");
    row = row_named(rows, line, len);
    if (!row) {
        mon_print(mon, "unknown command: '%s%.*s'\n", prefix,
                  (int)word_length(line), line);
        return;
    }
    if (!allowed(mon, row)) {
        mon_print(mon,
                  "Command '%s%.*s' is available from phase %s on"
                  " (it is %s now)\n",
                  prefix, (int)len, line, debug_phase_name((int)row->from),
                  debug_phase_name(debug_phase(mon->m)));
        return;
    }
    if (mon_args_parse(mon, row, line + len, &args))
        row->fn(mon, &args);
    else
        mon_print(mon, "Try \"help %s%.*s\" for more information\n", prefix,
                  (int)len, line);
    args_free(&args);
}

void mon_run(struct monitor *mon, const char *line)
{
    line = skip_blanks(line);
    if (*line)
        run_row(mon, command_rows, "", line);
}

/* Help -------------------------------------------------------------------- */

static void help_row(struct monitor *mon, const struct row *row,
                     const char *prefix)
{
    mon_print(mon, "%s%s %s -- %s\n", prefix, row->name, row->params,
              row->help);
}

static void help_rows(struct monitor *mon, const struct row *rows,
                      const char *prefix)
{
    for (; rows->name; rows++)
        help_row(mon, rows, prefix);
}

static void help_log(struct monitor *mon)
{
    struct buf b = { 0 };

    log_help(&b);
    mon_text(mon, buf_text(&b), b.len);
    buf_free(&b);
}

static void help_info(struct monitor *mon, const char *item)
{
    const struct row *row = row_named(info_rows, item, word_length(item));

    if (*item == 0)
        help_rows(mon, info_rows, "info ");
    else if (row)
        help_row(mon, row, "info ");
    else
        mon_print(mon, "unknown command: 'info %s'\n", item);
}

void mon_help_row(struct monitor *mon, const char *name)
{
    size_t len = word_length(name);
    const struct row *row = row_named(command_rows, name, len);

    if (!row)
        mon_print(mon, "unknown command: '%.*s'\n", (int)len, name);
    else if (row->fn == hmp_info)
        help_info(mon, skip_blanks(name + len));
    else if (row->fn == hmp_log)
        help_log(mon);
    else
        help_row(mon, row, "");
}

void hmp_help(struct monitor *mon, const struct args *a)
{
    const char *name = arg_text(a, "name");

    if (name)
        mon_help_row(mon, name);
    else
        help_rows(mon, command_rows, "");
}

void hmp_info(struct monitor *mon, const struct args *a)
{
    const char *item = arg_text(a, "item");

    if (item)
        run_row(mon, info_rows, "info ", item);
    else
        help_rows(mon, info_rows, "info ");
}
