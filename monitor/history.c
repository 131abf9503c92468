/* SPDX-License-Identifier: MIT */
/* history.c - the last lines typed in any session, for `info history`. */
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

static char *lines[HISTORY_LIMIT];
static size_t n_lines;

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t")] == 0;
}

void history_note(const char *text)
{
    if (is_blank(text) ||
        (n_lines > 0 && strcmp(lines[n_lines - 1], text) == 0))
        return;
    if (n_lines == HISTORY_LIMIT) {
        free(lines[0]);
        memmove(lines, lines + 1, (HISTORY_LIMIT - 1) * sizeof lines[0]);
        n_lines--;
    }
    lines[n_lines++] = xstrdup(text);
}

const char *history_line(size_t n) { return n < n_lines ? lines[n] : NULL; }

void history_forget(void)
{
    while (n_lines > 0)
        free(lines[--n_lines]);
}
