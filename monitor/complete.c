/* SPDX-License-Identifier: MIT */
/*
 * complete.c - what TAB adds: commands, `info` items, $registers, files.
 *
 * The same for every editor, so that a socket completes as a terminal does.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef USE_LIBEDIT
#include <editline/readline.h>
#else
#include <readline/readline.h>
#endif

#include "monitor/mon.h"

enum { COLUMNS = 80, NARROWEST = 10 };

struct matches {
    const char *word; /* what is there already */
    char **text;
    size_t n;
};

static void offer(struct matches *s, const char *text, size_t len)
{
    if (strncmp(s->word, text, strlen(s->word)) != 0 || len < strlen(s->word))
        return;
    s->text = xrealloc(s->text, (s->n + 1) * sizeof *s->text);
    s->text[s->n++] = xstrndup(text, len);
}

static void offer_rows(struct matches *s, const struct row *rows)
{
    for (; rows->name; rows++)
        for (const char *at = rows->name; *at;) {
            size_t len = strcspn(at, "|");

            offer(s, at, len);
            at += len + (at[len] == '|');
        }
}

static void offer_registers(struct matches *s, const struct machine *m)
{
    size_t n;
    const struct debug_reg *r = debug_regs(m, &n);

    for (size_t i = 0; i < n; i++) {
        offer(s, r[i].name, strlen(r[i].name));
        if (r[i].alias)
            offer(s, r[i].alias, strlen(r[i].alias));
    }
}

static void offer_files(struct matches *s)
{
    char *name;

    for (int i = 0; (name = rl_filename_completion_function(s->word, i)); i++) {
        offer(s, name, strlen(name));
        free(name);
    }
}

/* The row whose argument is being typed, if that is a file's name. */
static bool wants_file(const char *text)
{
    const struct row *row =
        row_named(command_rows, text, strcspn(text, " \t/"));

    return row && strstr(row->schema, ":F");
}

static void offer_all(struct matches *s, struct monitor *mon, const char *text)
{
    const char *dollar = strrchr(s->word, '$');

    if (dollar) {
        s->word = dollar + 1;
        offer_registers(s, mon->m);
    } else if (s->word == text || strncmp(text, "help ", 5) == 0 ||
               strncmp(text, "? ", 2) == 0) {
        offer_rows(s, strncmp(text, "help info ", 10) == 0 ? info_rows
                                                           : command_rows);
    } else if (strncmp(text, "info ", 5) == 0) {
        offer_rows(s, info_rows);
    } else if (wants_file(text)) {
        s->word += *s->word == '"';
        offer_files(s);
    }
}

static size_t common_length(const struct matches *s)
{
    size_t len = strlen(s->text[0]);

    for (size_t i = 1; i < s->n; i++) {
        size_t k = 0;

        while (k < len && s->text[0][k] == s->text[i][k])
            k++;
        len = k;
    }
    return len;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void columns(struct matches *s, struct buf *list)
{
    size_t width = NARROWEST, per_row;

    qsort(s->text, s->n, sizeof *s->text, by_name);
    for (size_t i = 0; i < s->n; i++)
        if (strlen(s->text[i]) + 2 > width)
            width = strlen(s->text[i]) + 2;
    per_row = width < COLUMNS ? COLUMNS / width : 1;
    for (size_t i = 0; i < s->n; i++)
        buf_printf(list, "%-*s%s", (int)width, s->text[i],
                   (i + 1) % per_row == 0 || i + 1 == s->n ? "\n" : "");
}

/* What stands behind a word that is complete: a path may go on. */
static char end_of(const char *word)
{
    struct stat st;

    return strchr(word, '/') && stat(word, &st) == 0 && S_ISDIR(st.st_mode)
               ? '/'
               : ' ';
}

void complete(struct monitor *mon, const char *text, struct buf *common,
              struct buf *list)
{
    struct matches s = { .word = text + strlen(text) };

    text += strspn(text, " \t");
    while (s.word > text && !isspace((unsigned char)s.word[-1]))
        s.word--;
    offer_all(&s, mon, text);
    if (s.n > 0) {
        size_t have = strlen(s.word), len = common_length(&s);

        buf_add(common, s.text[0] + have, len - have);
        if (s.n == 1)
            buf_chr(common, end_of(s.text[0]));
        else
            columns(&s, list);
    }
    for (size_t i = 0; i < s.n; i++)
        free(s.text[i]);
    free(s.text);
}
