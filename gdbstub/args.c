/* SPDX-License-Identifier: MIT */
/*
 * args.c - the arguments of a packet, taken apart by a schema before any
 * handler sees them.
 *
 * Nothing is read past the packet's end; a number that does not fit in 64
 * bits or a digit that is none makes the whole packet malformed.
 */
#include <string.h>

#include "gdbstub/stub.h"

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool take_char(struct cursor *c, char want)
{
    if (c->at == c->end || *c->at != want)
        return false;
    c->at++;
    return true;
}

bool take_hex(struct cursor *c, uint64_t *v)
{
    const char *start = c->at;

    *v = 0;
    while (c->at < c->end && hex_digit(*c->at) >= 0) {
        if (*v >> 60)
            return false;
        *v = *v << 4 | (uint64_t)hex_digit(*c->at++);
    }
    return c->at > start;
}

/* -1 or a hex number. */
static bool take_id(struct cursor *c, int64_t *id)
{
    uint64_t v;

    if (take_char(c, '-')) {
        *id = -1;
        return take_char(c, '1');
    }
    if (!take_hex(c, &v))
        return false;
    *id = v < INT32_MAX ? (int64_t)v : INT32_MAX;
    return true;
}

/*
 * tid, ppid, or ppid.tid. The machine is process 1; 0 stands for any thread
 * or process, -1 for all. Thread N + 1 is hart N.
 */
bool take_thread(struct cursor *c, int *thread)
{
    int64_t pid = 1, tid = -1;
    bool has_pid = take_char(c, 'p');

    if (has_pid && !take_id(c, &pid))
        return false;
    if ((!has_pid || take_char(c, '.')) && !take_id(c, &tid))
        return false;
    if (pid > 1)
        *thread = THREAD_NONE;
    else if (tid == -1)
        *thread = THREAD_ALL;
    else
        *thread = tid == 0 ? THREAD_ANY : (int)tid - 1;
    return true;
}

/* Pairs of digits to bytes, in place. */
static bool decode(struct cursor *c, struct args *a)
{
    size_t n = (size_t)(c->end - c->at) / 2;

    if ((c->end - c->at) % 2 != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(c->at[2 * i]), lo = hex_digit(c->at[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        c->at[i] = (char)(hi << 4 | lo);
    }
    a->rest = c->at;
    a->rest_len = n;
    a->rest[n] = '\0';
    c->at = c->end;
    return true;
}

static bool take_rest(struct cursor *c, struct args *a)
{
    a->rest = c->at;
    a->rest_len = (size_t)(c->end - c->at);
    c->at = c->end;
    return true;
}

static bool take_letter(struct cursor *c, struct args *a)
{
    if (c->at == c->end)
        return false;
    a->letter = *c->at++;
    return true;
}

static bool take(struct cursor *c, char kind, struct args *a)
{
    switch (kind) {
    case 'h':
        return a->count < 4 && take_hex(c, &a->n[a->count++]);
    case 'c':
        return take_letter(c, a);
    case 't':
        return take_thread(c, &a->thread);
    case 'b':
        return decode(c, a);
    case 'r':
        return take_rest(c, a);
    default:
        return take_char(c, kind);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): rows unescape in place */
bool args_parse(const char *schema, char *text, size_t len, struct args *a)
{
    struct cursor c = { text, text + len };

    *a = (struct args){ .thread = THREAD_ANY, .rest = c.end };
    for (; *schema; schema++) {
        if (*schema == '[' && c.at == c.end)
            return true;
        if (*schema != '[' && !take(&c, *schema, a))
            return false;
    }
    return c.at == c.end;
}
