/* SPDX-License-Identifier: MIT */
/*
 * expr.c - expressions with $registers: ($a0 & 0xff) << 3.
 *
 * C's operators with C's precedence and, for values of 64 bits, C's rule on
 * signs: a result is unsigned when an operand is. Registers and numbers past
 * INT64_MAX are unsigned, so that kernel addresses compare and shift as
 * addresses. (QEMU has three levels of its own and no shifts.) What C leaves
 * undefined has a value here: a shift by 64 or more moves every bit out, the
 * most negative number divided by -1 is itself.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/mon.h"

enum { MAX_DEPTH = 64, NAME_LIMIT = 32 };

struct value {
    uint64_t v;
    bool is_unsigned;
};

struct parser {
    struct machine *m;
    int hart;
    const char *at;
    struct err *err;
    int depth;
    int dead; /* > 0: the side of && or || that C would not evaluate */
};

enum binary {
    OR_OR,
    AND_AND,
    OR,
    XOR,
    AND,
    EQ,
    NE,
    LE,
    GE,
    SHL,
    SHR,
    LT,
    GT,
    ADD,
    SUB,
    MUL,
    DIV,
    REM,
    BINARIES
};

/* C17 6.5.5 to 6.5.14. A longer spelling stands before its prefix. */
static const struct {
    const char *text;
    int level;
} binary[BINARIES] = {
    [OR_OR] = { "||", 1 }, [AND_AND] = { "&&", 2 }, [OR] = { "|", 3 },
    [XOR] = { "^", 4 },    [AND] = { "&", 5 },      [EQ] = { "==", 6 },
    [NE] = { "!=", 6 },    [LE] = { "<=", 7 },      [GE] = { ">=", 7 },
    [SHL] = { "<<", 8 },   [SHR] = { ">>", 8 },     [LT] = { "<", 7 },
    [GT] = { ">", 7 },     [ADD] = { "+", 9 },      [SUB] = { "-", 9 },
    [MUL] = { "*", 10 },   [DIV] = { "/", 10 },     [REM] = { "%", 10 },
};

static void skip_blanks(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static bool as_sign(struct value *r, int64_t v)
{
    *r = (struct value){ (uint64_t)v, false };
    return true;
}

static bool less(struct value a, struct value b)
{
    if (a.is_unsigned || b.is_unsigned)
        return a.v < b.v;
    return (int64_t)a.v < (int64_t)b.v;
}

/* The sign of the left side decides how it shifts, as in C. */
static struct value shift_right(struct value a, uint64_t by)
{
    uint64_t sign = !a.is_unsigned && (int64_t)a.v < 0 ? ~0ull : 0;

    if (by >= 64)
        a.v = sign;
    else if (by > 0)
        a.v = a.v >> by | sign << (64 - by);
    return a;
}

static bool divide(struct parser *p, enum binary op, struct value a,
                   struct value b, struct value *r)
{
    if (b.v == 0) {
        *r = b;
        return p->dead || err_set(p->err, "division by zero");
    }
    r->is_unsigned = a.is_unsigned || b.is_unsigned;
    if (r->is_unsigned)
        r->v = op == DIV ? a.v / b.v : a.v % b.v;
    else if ((int64_t)b.v == -1)
        r->v = op == DIV ? 0 - a.v : 0;
    else if (op == DIV)
        r->v = (uint64_t)((int64_t)a.v / (int64_t)b.v);
    else
        r->v = (uint64_t)((int64_t)a.v % (int64_t)b.v);
    return true;
}

static bool apply(struct parser *p, enum binary op, struct value a,
                  struct value b, struct value *r)
{
    r->is_unsigned = a.is_unsigned || b.is_unsigned;
    switch (op) {
    case OR_OR:
        return as_sign(r, a.v || b.v);
    case AND_AND:
        return as_sign(r, a.v && b.v);
    case EQ:
        return as_sign(r, a.v == b.v);
    case NE:
        return as_sign(r, a.v != b.v);
    case LT:
        return as_sign(r, less(a, b));
    case GT:
        return as_sign(r, less(b, a));
    case LE:
        return as_sign(r, !less(b, a));
    case GE:
        return as_sign(r, !less(a, b));
    case SHL:
        *r = (struct value){ b.v < 64 ? a.v << b.v : 0, a.is_unsigned };
        return true;
    case SHR:
        *r = shift_right(a, b.v);
        return true;
    case OR:
        r->v = a.v | b.v;
        return true;
    case XOR:
        r->v = a.v ^ b.v;
        return true;
    case AND:
        r->v = a.v & b.v;
        return true;
    case ADD:
        r->v = a.v + b.v;
        return true;
    case SUB:
        r->v = a.v - b.v;
        return true;
    case MUL:
        r->v = a.v * b.v;
        return true;
    default:
        return divide(p, op, a, b, r);
    }
}

static bool number(struct parser *p, struct value *r)
{
    char *end;

    if (*p->at == 0)
        return err_set(p->err, "unexpected end of expression");
    if (!isdigit((unsigned char)*p->at))
        return err_set(p->err, "invalid char '%c' in expression", *p->at);
    errno = 0;
    r->v = strtoull(p->at, &end, 0);
    if (errno == ERANGE)
        return err_set(p->err, "number too large");
    r->is_unsigned = r->v > INT64_MAX;
    p->at = end;
    return true;
}

static bool character(struct parser *p, struct value *r)
{
    p->at++;
    if (*p->at == 0)
        return err_set(p->err, "character constant expected");
    as_sign(r, (unsigned char)*p->at++);
    if (*p->at != '\'')
        return err_set(p->err, "missing terminating ' character");
    p->at++;
    return true;
}

/* The table of registers has one spelling for s0 besides fp: x8 and f8 are
 * found by number here, as gdb counts them (x 0-31, f from 33 on). */
static const struct debug_reg *find_register(struct machine *m,
                                             const char *name)
{
    const struct debug_reg *r = debug_reg_named(m, name);
    char *end;

    if (!r && (name[0] == 'x' || name[0] == 'f') &&
        isdigit((unsigned char)name[1])) {
        unsigned long n = strtoul(name + 1, &end, 10);

        if (*end == 0 && n < 32)
            r = debug_reg_numbered(m, (unsigned)n + (name[0] == 'f' ? 33 : 0));
    }
    return r;
}

static bool register_value(struct parser *p, struct value *r)
{
    char name[NAME_LIMIT];
    size_t n = 0;
    const struct debug_reg *reg;

    p->at++;
    while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_')
        n++;
    if (n >= sizeof name)
        return err_set(p->err, "unknown register");
    memcpy(name, p->at, n);
    name[n] = 0;
    reg = find_register(p->m, name);
    if (!reg || !debug_reg_get(p->m, p->hart, reg, &r->v))
        return err_set(p->err, "unknown register");
    p->at += n;
    r->is_unsigned = true;
    return true;
}

static bool expression(struct parser *p, int level, struct value *r);

static bool parenthesis(struct parser *p, struct value *r)
{
    p->at++;
    if (!expression(p, 1, r))
        return false;
    if (*p->at != ')')
        return err_set(p->err, "')' expected");
    p->at++;
    return true;
}

static bool unary(struct parser *p, struct value *r);

static bool unary_operator(struct parser *p, struct value *r)
{
    char op = *p->at++;

    if (!unary(p, r))
        return false;
    switch (op) {
    case '-':
        r->v = 0 - r->v;
        break;
    case '~':
        r->v = ~r->v;
        break;
    case '!':
        as_sign(r, !r->v);
        break;
    default:
        break;
    }
    return true;
}

static bool operand(struct parser *p, struct value *r)
{
    if (*p->at && strchr("-+~!", *p->at))
        return unary_operator(p, r);
    switch (*p->at) {
    case '(':
        return parenthesis(p, r);
    case '\'':
        return character(p, r);
    case '$':
        return register_value(p, r);
    default:
        return number(p, r);
    }
}

static bool unary(struct parser *p, struct value *r)
{
    bool ok;

    if (p->depth == MAX_DEPTH)
        return err_set(p->err, "expression is nested too deeply");
    p->depth++;
    skip_blanks(p);
    ok = operand(p, r);
    skip_blanks(p);
    p->depth--;
    return ok;
}

static enum binary peek(const struct parser *p)
{
    enum binary op = 0;

    while (op < BINARIES &&
           strncmp(p->at, binary[op].text, strlen(binary[op].text)) != 0)
        op++;
    return op;
}

/* Reads operators that bind at least as tightly as level. */
static bool expression(struct parser *p, int level, struct value *r)
{
    enum binary op;

    if (!unary(p, r))
        return false;
    while ((op = peek(p)) < BINARIES && binary[op].level >= level) {
        bool dead = (op == OR_OR && r->v) || (op == AND_AND && !r->v);
        struct value right = { 0, false };

        p->at += strlen(binary[op].text);
        p->dead += dead;
        if (!expression(p, binary[op].level + 1, &right))
            return false;
        p->dead -= dead;
        if (!apply(p, op, *r, right, r))
            return false;
    }
    return true;
}

bool expr_parse(struct machine *m, int hart, const char **at, uint64_t *v,
                struct err *err)
{
    struct parser p = { .m = m, .hart = hart, .at = *at, .err = err };
    struct value r = { 0, false };
    bool ok = expression(&p, 1, &r);

    *at = p.at;
    *v = r.v;
    return ok;
}
