/* SPDX-License-Identifier: MIT */
/* args.c - what stands behind a command, parsed as its row's schema says. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

/* The format a plain x or p falls back to: QEMU too keeps one for all. */
static struct format last = { 1, 'x', 4 };

struct reader {
    struct monitor *mon;
    const struct row *row;
    const char *at;
    struct args *args;
};

/* One item of a schema: "name:type?". */
struct item {
    const char *name;
    char type, flag;
    bool optional;
};

static void skip_blanks(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

/* Adds an argument; its name is compared up to the schema's colon. */
static struct arg *add(struct reader *r, const struct item *item)
{
    struct arg *a = &r->args->arg[r->args->n++];

    a->name = item->name;
    return a;
}

static bool say(struct reader *r, const char *what)
{
    mon_print(r->mon, "%s: %s\n", r->row->name, what);
    return false;
}

/* A backslash stands before n, r, ", ' and itself. */
static bool quoted(struct reader *r, struct buf *word)
{
    static const char escapes[] = "nr\"'\\", means[] = "\n\r\"'\\";

    for (r->at++; *r->at != '"'; r->at++) {
        const char *e;

        if (*r->at == 0) {
            mon_print(r->mon, "unterminated string\n");
            return false;
        }
        if (*r->at != '\\') {
            buf_chr(word, *r->at);
            continue;
        }
        r->at++;
        e = *r->at ? strchr(escapes, *r->at) : NULL;
        if (!e) {
            mon_print(r->mon, "unsupported escape code: '\\%c'\n", *r->at);
            return false;
        }
        buf_chr(word, means[e - escapes]);
    }
    r->at++;
    return true;
}

static bool word(struct reader *r, struct buf *out)
{
    if (*r->at == '"')
        return quoted(r, out);
    while (*r->at && !isspace((unsigned char)*r->at))
        buf_chr(out, *r->at++);
    return true;
}

static bool read_word(struct reader *r, const struct item *item)
{
    struct buf b = { 0 };

    skip_blanks(r);
    if (*r->at == 0)
        return item->optional || say(r, item->type == 'F' ? "filename expected"
                                                          : "string expected");
    if (!word(r, &b)) {
        buf_free(&b);
        return false;
    }
    add(r, item)->text = xstrdup(buf_text(&b));
    buf_free(&b);
    return true;
}

static bool read_rest(struct reader *r, const struct item *item)
{
    skip_blanks(r);
    if (*r->at == 0)
        return item->optional || say(r, "string expected");
    add(r, item)->text = xstrdup(r->at);
    r->at += strlen(r->at);
    return true;
}

static bool read_number(struct reader *r, const struct item *item)
{
    struct err err;
    uint64_t v;

    skip_blanks(r);
    if (*r->at == 0 && item->optional)
        return true;
    if (!expr_parse(r->mon->m, r->mon->hart, &r->at, &v, &err)) {
        mon_print(r->mon, "%s\n", err.text);
        return false;
    }
    if (item->type == 'i' && (int64_t)v != (int32_t)v)
        return say(r, "integer is for 32-bit values");
    add(r, item)->number = v;
    return true;
}

static bool read_flag(struct reader *r, const struct item *item)
{
    skip_blanks(r);
    if (r->at[0] != '-' || r->at[1] == 0 || isdigit((unsigned char)r->at[1]))
        return true;
    if (r->at[1] != item->flag ||
        (r->at[2] && !isspace((unsigned char)r->at[2]))) {
        mon_print(r->mon, "%s: unsupported option -%c\n", r->row->name,
                  r->at[1]);
        return false;
    }
    r->at += 2;
    add(r, item)->number = 1;
    return true;
}

/* One letter of a format; a size may follow its letter or come before. */
static bool format_letter(struct format *f, char c)
{
    static const char sizes[] = "bhwg";
    const char *s = strchr(sizes, c);

    if (s)
        f->size = 1u << (s - sizes);
    else if (strchr("xduoci", c))
        f->letter = c;
    else
        return false;
    return true;
}

static bool read_format(struct reader *r, const struct item *item)
{
    struct format f = last;
    char *end;

    (void)item;
    f.count = 1;
    skip_blanks(r);
    if (*r->at == '/') {
        r->at++;
        if (isdigit((unsigned char)*r->at)) {
            f.count = strtoull(r->at, &end, 10);
            r->at = end;
        }
        while (*r->at && format_letter(&f, *r->at))
            r->at++;
        if (*r->at && !isspace((unsigned char)*r->at)) {
            mon_print(r->mon, "invalid char in format: '%c'\n", *r->at);
            return false;
        }
    }
    last = r->args->format = f;
    return true;
}

static const struct {
    char type;
    bool (*read)(struct reader *r, const struct item *item);
} types[] = {
    { 's', read_word },   { 'F', read_word },   { 'S', read_rest },
    { 'l', read_number }, { 'i', read_number }, { '/', read_format },
    { '-', read_flag },
};

static bool read_item(struct reader *r, const struct item *item)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].type == item->type)
            return types[i].read(r, item);
    return false;
}

/* Takes the next "name:type" off a schema; NULL when there is none. */
static const char *next_item(const char *schema, struct item *item)
{
    const char *colon = strchr(schema, ':');
    const char *at = colon ? colon + 1 : NULL;

    if (!colon)
        return NULL;
    *item = (struct item){ .name = schema, .type = *at++ };
    if (item->type == '-')
        item->flag = *at++;
    if (*at == '?') {
        item->optional = true;
        at++;
    }
    return *at == ',' ? at + 1 : at;
}

static bool read_all(struct reader *r)
{
    struct item item;

    for (const char *s = r->row->schema; (s = next_item(s, &item));)
        if (!read_item(r, &item))
            return false;
    skip_blanks(r);
    return *r->at == 0 || say(r, "extraneous characters at the end of line");
}

bool mon_args_parse(struct monitor *mon, const struct row *row,
                    const char *text, struct args *a)
{
    struct reader r = { .mon = mon, .row = row, .at = text, .args = a };

    *a = (struct args){ 0 };
    return read_all(&r);
}

void args_free(struct args *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->arg[i].text);
}

static const struct arg *find(const struct args *a, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < a->n; i++)
        if (strncmp(a->arg[i].name, name, len) == 0 &&
            a->arg[i].name[len] == ':')
            return &a->arg[i];
    return NULL;
}

bool arg_given(const struct args *a, const char *name)
{
    return find(a, name) != NULL;
}

const char *arg_text(const struct args *a, const char *name)
{
    const struct arg *arg = find(a, name);

    return arg ? arg->text : NULL;
}

uint64_t arg_number(const struct args *a, const char *name, uint64_t def)
{
    const struct arg *arg = find(a, name);

    return arg ? arg->number : def;
}
