/* SPDX-License-Identifier: MIT */
/*
 * points.c - Z and z: breakpoints and watchpoints, their conditions and what
 * they print.
 *
 * "Debugging with GDB", E.2 Packets ("z0", "Z0") and appendix F. A condition
 * is evaluated by the machine; only when it is true gdb hears of it.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/stub.h"

/* By the digit of Z and z. Of Z2's hits gdb tells those that changed the value
 * and passes over the others, so it is not asked about those. */
static const struct {
    uint32_t kind;
    bool hw, change;
} point_types[] = {
    { DEBUG_BREAK, false, false },
    { DEBUG_BREAK, true, false },
    { DEBUG_WRITE, false, true },
    { DEBUG_READ, false, false },
    { DEBUG_READ | DEBUG_WRITE, false, false },
};

/* Conditions or commands, as many as a packet holds. */
struct code_list {
    struct bytecode *code;
    size_t n;
};

/* len,bytes: the digits are decoded where they stand. */
static bool take_code(struct cursor *c, struct code_list *l)
{
    uint8_t *to = (uint8_t *)c->at;
    uint64_t len;

    if (!take_hex(c, &len) || !take_char(c, ',') || len == 0 ||
        len > (uint64_t)(c->end - c->at) / 2)
        return false;
    for (uint64_t i = 0; i < len; i++, c->at += 2) {
        int hi = hex_digit(c->at[0]), lo = hex_digit(c->at[1]);

        if (hi < 0 || lo < 0)
            return false;
        to[i] = (uint8_t)(hi << 4 | lo);
    }
    l->code = xrealloc(l->code, (l->n + 1) * sizeof *l->code);
    l->code[l->n++] = (struct bytecode){ to, (size_t)len };
    return true;
}

/* X len,bytes one after the other, with or without a ; between them. */
static bool take_codes(struct cursor *c, struct code_list *l)
{
    while (take_char(c, 'X')) {
        if (!take_code(c, l))
            return false;
        if (c->end - c->at > 1 && c->at[0] == ';' && c->at[1] == 'X')
            c->at++;
    }
    return l->n > 0;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return false;
    c->at += n;
    return true;
}

struct codes {
    struct code_list when, commands;
    uint64_t persist;
};

/* [;X...][;cmds:persist,X...] */
static bool take_all(struct cursor *c, struct codes *k)
{
    while (c->at < c->end) {
        bool ok;

        if (take_word(c, ";cmds:"))
            ok = take_hex(c, &k->persist) && take_char(c, ',') &&
                 take_codes(c, &k->commands);
        else
            ok = take_char(c, ';') && take_codes(c, &k->when);
        if (!ok)
            return false;
    }
    return true;
}

static void codes_free(struct codes *k)
{
    free(k->when.code);
    free(k->commands.code);
}

/* False after a reply that says why; an empty one for an unknown type. */
static bool parse_point(struct session *s, const struct args *a,
                        struct debug_point *p, struct buf *out)
{
    uint64_t type = a->n[0], addr = a->n[1], len = a->n[2];

    if (type >= sizeof point_types / sizeof point_types[0])
        return false;
    *p = (struct debug_point){
        .kind = point_types[type].kind,
        .hw = point_types[type].hw,
        .change = point_types[type].change,
        .addr = addr,
        .len = len,
        .owner = s,
    };
    if (p->kind != DEBUG_BREAK && (len == 0 || addr + (len - 1) < addr))
        return !session_error(s, out, STUB_EINVAL,
                              "a watchpoint needs at least one byte, and may "
                              "not wrap around");
    return true;
}

static bool add_point(struct session *s, struct debug_point *p,
                      const struct codes *k, struct buf *out)
{
    struct err err = { "" };

    p->when = (struct bytecodes){ k->when.code, k->when.n };
    p->commands = (struct bytecodes){ k->commands.code, k->commands.n };
    p->persist = k->persist != 0;
    if (s->points >= STUB_POINTS)
        return session_error(s, out, STUB_ENOSPC, "too many points");
    if (!debug_point_add(s->m, p, &err))
        return session_error(s, out, STUB_EINVAL, "%s", err.text);
    s->points++;
    buf_str(out, "OK");
    return true;
}

static bool insert_point(struct session *s, struct args *a, struct buf *out)
{
    struct cursor c = { a->rest, a->rest + a->rest_len };
    struct codes k = { .persist = 0 };
    struct debug_point p;

    if (!parse_point(s, a, &p, out))
        return true;
    if (!take_all(&c, &k) || (p.kind != DEBUG_BREAK && a->rest_len > 0))
        session_error(s, out, STUB_EINVAL, "malformed Z packet");
    else
        add_point(s, &p, &k, out);
    codes_free(&k);
    return true;
}

static bool remove_point(struct session *s, struct args *a, struct buf *out)
{
    struct debug_point p;

    if (!parse_point(s, a, &p, out))
        return true;
    if (debug_point_remove(s->m, &p) && s->points > 0)
        s->points--;
    buf_str(out, "OK");
    return true;
}

/* clang-format off */
const struct packet point_packets[] = {
    /* name  arguments  handler       plain */
    { "Z",   "h,h,h[r", insert_point, false },
    { "z",   "h,h,h",   remove_point, false },
    { NULL,  NULL,      NULL,         false },
};
/* clang-format on */
