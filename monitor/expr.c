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
    int dead;         /* > 0: the side of && or || that C would not evaluate */
    struct buf *code; /* not NULL: gdb's agent bytecode of the expression */
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

/* Bytecode -------------------------------------------------------------------
 *
 * "Debugging with GDB", appendix F.2. The value that is computed meanwhile is
 * not used, only whether it is unsigned. */

enum {
    OP_LOG_NOT = 0x0e,
    OP_BIT_NOT = 0x12,
    OP_IF_GOTO = 0x20,
    OP_GOTO = 0x21,
    OP_CONST8 = 0x22,
    OP_CONST64 = 0x25,
    OP_REG = 0x26,
    OP_END = 0x27,
};

static void emit(struct parser *p, const char *code, size_t len)
{
    if (p->code)
        buf_add(p->code, code, len);
}

static void emit_op(struct parser *p, unsigned op)
{
    char c = (char)op;

    emit(p, &c, 1);
}

static void emit_number(struct parser *p, unsigned op, uint64_t v, int bytes)
{
    emit_op(p, op);
    while (bytes-- > 0)
        emit_op(p, v >> (8 * bytes) & 0xff);
}

/* How each binary operator is done once its operands are on the stack: on
 * signed and on unsigned values. C decides shifts by their left side. */
static const char *const codes[BINARIES][2] = {
    [OR_OR] = { "\x0e\x0e", "\x0e\x0e" },
    [AND_AND] = { "\x0e\x0e", "\x0e\x0e" },
    [OR] = { "\x10", "\x10" },
    [XOR] = { "\x11", "\x11" },
    [AND] = { "\x0f", "\x0f" },
    [EQ] = { "\x13", "\x13" },
    [NE] = { "\x13\x0e", "\x13\x0e" },
    [LE] = { "\x2b\x14\x0e", "\x2b\x15\x0e" },
    [GE] = { "\x14\x0e", "\x15\x0e" },
    [SHL] = { "\x09", "\x09" },
    [SHR] = { "\x0a", "\x0b" },
    [LT] = { "\x14", "\x15" },
    [GT] = { "\x2b\x14", "\x2b\x15" },
    [ADD] = { "\x02", "\x02" },
    [SUB] = { "\x03", "\x03" },
    [MUL] = { "\x04", "\x04" },
    [DIV] = { "\x05", "\x06" },
    [REM] = { "\x07", "\x08" },
};

static void emit_binary(struct parser *p, enum binary op, struct value a,
                        struct value b)
{
    bool is_unsigned = a.is_unsigned || (op != SHR && b.is_unsigned);
    const char *code = codes[op][is_unsigned];

    emit(p, code, strlen(code));
}

/* && and || leave out the right side: 0 or 1, and a jump behind it, which
 * emit_target completes. */
static size_t emit_shortcut(struct parser *p, enum binary op)
{
    if (!p->code || (op != AND_AND && op != OR_OR))
        return 0;
    if (op == OR_OR)
        emit_op(p, OP_LOG_NOT);
    emit_number(p, OP_IF_GOTO, p->code->len + 3 + 2 + 3, 2);
    emit_number(p, OP_CONST8, op == OR_OR, 1);
    emit_number(p, OP_GOTO, 0, 2);
    return p->code->len - 2;
}

static void emit_target(struct parser *p, size_t at)
{
    if (at == 0)
        return;
    p->code->data[at] = (char)(p->code->len >> 8);
    p->code->data[at + 1] = (char)p->code->len;
}

/* Values --------------------------------------------------------------------- */

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
    r->is_unsigned = a.is_unsigned || b.is_unsigned;
    r->v = 0;
    if (b.v == 0)
        return p->dead || err_set(p->err, "division by zero");
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
    emit_number(p, OP_CONST64, r->v, 8);
    p->at = end;
    return true;
}

static bool character(struct parser *p, struct value *r)
{
    p->at++;
    if (*p->at == 0)
        return err_set(p->err, "character constant expected");
    as_sign(r, (unsigned char)*p->at++);
    emit_number(p, OP_CONST8, r->v, 1);
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
    emit_number(p, OP_REG, reg->number, 2);
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
        emit(p, "\x22\0\x2b\x03", 4); /* 0, swapped, minus */
        break;
    case '~':
        r->v = ~r->v;
        emit_op(p, OP_BIT_NOT);
        break;
    case '!':
        as_sign(r, !r->v);
        emit_op(p, OP_LOG_NOT);
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
        size_t target;

        p->at += strlen(binary[op].text);
        p->dead += dead;
        target = emit_shortcut(p, op);
        if (!expression(p, binary[op].level + 1, &right))
            return false;
        p->dead -= dead;
        emit_binary(p, op, *r, right);
        emit_target(p, target);
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

bool expr_compile(struct machine *m, int hart, const char **at,
                  struct buf *code, struct err *err)
{
    /* Dead: what a value is now does not matter. */
    struct parser p = {
        .m = m, .hart = hart, .at = *at, .err = err, .dead = 1, .code = code
    };
    struct value r = { 0, false };
    bool ok = expression(&p, 1, &r);

    emit_op(&p, OP_END);
    *at = p.at;
    return ok;
}
