/* SPDX-License-Identifier: MIT */
/*
 * plain.c - the line editor of pipes, sockets and ptys.
 *
 * Drivers of a monitor expect to see what they type: every character is
 * echoed as it is. Enough keys work for a person behind socat: backspace,
 * C-u, C-w, up and down for the history, TAB.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

enum { CTRL_C = 3, CTRL_U = 0x15, CTRL_W = 0x17, ESC = 0x1b, DEL = 0x7f };

enum escape { NO_ESCAPE, AFTER_ESC, IN_SEQUENCE };

struct plain {
    struct line line;
    size_t len;
    size_t back; /* lines of history gone up */
    enum escape escape;
    bool cr; /* the last byte was one: a LF that follows belongs to it */
    char text[LINE_LIMIT];
};

static void echo(struct plain *p, const char *text, size_t len)
{
    mon_text(p->line.mon, text, len);
}

static void insert(struct plain *p, const char *text, size_t len)
{
    size_t room = sizeof p->text - 1 - p->len;

    if (len > room)
        len = room;
    memcpy(p->text + p->len, text, len);
    p->len += len;
    echo(p, text, len);
}

static void rub_out(struct plain *p)
{
    if (p->len == 0)
        return;
    p->len--;
    echo(p, "\b \b", 3);
}

static void rub_out_all(struct plain *p)
{
    while (p->len > 0)
        rub_out(p);
}

static void rub_out_word(struct plain *p)
{
    while (p->len > 0 && isspace((unsigned char)p->text[p->len - 1]))
        rub_out(p);
    while (p->len > 0 && !isspace((unsigned char)p->text[p->len - 1]))
        rub_out(p);
}

static void show(struct line *l)
{
    struct plain *p = (struct plain *)l;

    mon_print(l->mon, PROMPT);
    echo(p, p->text, p->len);
}

static void hide(struct line *l) { mon_print(l->mon, "\n"); }

static void clear(struct line *l)
{
    struct plain *p = (struct plain *)l;

    p->len = p->back = 0;
    p->escape = NO_ESCAPE;
    p->cr = false;
}

static void enter(struct plain *p)
{
    char text[LINE_LIMIT];

    memcpy(text, p->text, p->len);
    text[p->len] = 0;
    p->len = p->back = 0;
    echo(p, "\n", 1);
    mon_line(p->line.mon, text);
}

static void abandon(struct plain *p)
{
    p->len = p->back = 0;
    hide(&p->line);
    show(&p->line);
}

static void tab(struct plain *p)
{
    struct buf common = { 0 }, list = { 0 };

    p->text[p->len] = 0;
    complete(p->line.mon, p->text, &common, &list);
    if (common.len > 0) {
        insert(p, common.data, common.len);
    } else if (list.len > 0) {
        hide(&p->line);
        echo(p, list.data, list.len);
        show(&p->line);
    }
    buf_free(&common);
    buf_free(&list);
}

static size_t history_length(void)
{
    size_t n = 0;

    while (history_line(n))
        n++;
    return n;
}

static void recall(struct plain *p, bool up)
{
    size_t n = history_length();

    if (up ? p->back == n : p->back == 0)
        return;
    p->back += up ? 1 : (size_t)-1;
    rub_out_all(p);
    if (p->back > 0 && p->back <= n) {
        const char *text = history_line(n - p->back);

        insert(p, text, strlen(text));
    }
}

/* ESC [ parameters letter; the letters of up and down mean something. */
static void in_escape(struct plain *p, unsigned char c)
{
    if (p->escape == AFTER_ESC) {
        p->escape = c == '[' || c == 'O' ? IN_SEQUENCE : NO_ESCAPE;
        return;
    }
    if (c >= '@' && c <= '~')
        p->escape = NO_ESCAPE;
    if (c == 'A' || c == 'B')
        recall(p, c == 'A');
}

static void key(struct plain *p, unsigned char c)
{
    switch (c) {
    case CTRL_C:
        abandon(p);
        break;
    case '\b':
    case DEL:
        rub_out(p);
        break;
    case CTRL_U:
        rub_out_all(p);
        break;
    case CTRL_W:
        rub_out_word(p);
        break;
    case '\t':
        tab(p);
        break;
    case ESC:
        p->escape = AFTER_ESC;
        break;
    default:
        if (c >= ' ')
            insert(p, (const char *)&c, 1);
        break;
    }
}

static void input(struct line *l, const char *data, size_t len)
{
    struct plain *p = (struct plain *)l;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        bool after_cr = p->cr;

        p->cr = c == '\r';
        if (c == '\r' || (c == '\n' && !after_cr))
            enter(p);
        else if (p->escape)
            in_escape(p, c);
        else if (c != '\n')
            key(p, c);
    }
}

static void plain_free(struct line *l) { free(l); }

struct line *plain_new(struct monitor *mon)
{
    static const struct line_ops ops = { plain_free, input, show, hide, clear };
    struct plain *p = xcalloc(1, sizeof *p);

    p->line = (struct line){ &ops, mon };
    return &p->line;
}
