/* SPDX-License-Identifier: MIT */
/* agent.c - evaluates gdb's agent expressions against a hart. */
#include "emu/hart/agent.h"

#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/hart.h"
#include "emu/hart/mmu.h"

enum { AGENT_STRING = 1024 }; /* bytes of one %s */

/* Section F.2. Floating point and tracing are not part of conditions. */
enum {
    OP_ADD = 0x02,
    OP_SUB,
    OP_MUL,
    OP_DIV_SIGNED,
    OP_DIV_UNSIGNED,
    OP_REM_SIGNED,
    OP_REM_UNSIGNED,
    OP_LSH,
    OP_RSH_SIGNED,
    OP_RSH_UNSIGNED,
    OP_LOG_NOT = 0x0e,
    OP_BIT_AND,
    OP_BIT_OR,
    OP_BIT_XOR,
    OP_BIT_NOT,
    OP_EQUAL,
    OP_LESS_SIGNED,
    OP_LESS_UNSIGNED,
    OP_EXT,
    OP_REF8,
    OP_REF16,
    OP_REF32,
    OP_REF64,
    OP_IF_GOTO = 0x20,
    OP_GOTO,
    OP_CONST8,
    OP_CONST16,
    OP_CONST32,
    OP_CONST64,
    OP_REG,
    OP_END,
    OP_DUP,
    OP_POP,
    OP_ZERO_EXT,
    OP_SWAP,
    OP_PICK = 0x32,
    OP_ROT,
    OP_PRINTF,
};

/* What an opcode takes and gives; known: it has a row. */
struct shape {
    uint8_t operand, pops, pushes, known;
};

static const struct shape shapes[256] = {
    [OP_ADD] = { 0, 2, 1, 1 },          [OP_SUB] = { 0, 2, 1, 1 },
    [OP_MUL] = { 0, 2, 1, 1 },          [OP_DIV_SIGNED] = { 0, 2, 1, 1 },
    [OP_DIV_UNSIGNED] = { 0, 2, 1, 1 }, [OP_REM_SIGNED] = { 0, 2, 1, 1 },
    [OP_REM_UNSIGNED] = { 0, 2, 1, 1 }, [OP_LSH] = { 0, 2, 1, 1 },
    [OP_RSH_SIGNED] = { 0, 2, 1, 1 },   [OP_RSH_UNSIGNED] = { 0, 2, 1, 1 },
    [OP_LOG_NOT] = { 0, 1, 1, 1 },      [OP_BIT_AND] = { 0, 2, 1, 1 },
    [OP_BIT_OR] = { 0, 2, 1, 1 },       [OP_BIT_XOR] = { 0, 2, 1, 1 },
    [OP_BIT_NOT] = { 0, 1, 1, 1 },      [OP_EQUAL] = { 0, 2, 1, 1 },
    [OP_LESS_SIGNED] = { 0, 2, 1, 1 },  [OP_LESS_UNSIGNED] = { 0, 2, 1, 1 },
    [OP_EXT] = { 1, 1, 1, 1 },          [OP_REF8] = { 0, 1, 1, 1 },
    [OP_REF16] = { 0, 1, 1, 1 },        [OP_REF32] = { 0, 1, 1, 1 },
    [OP_REF64] = { 0, 1, 1, 1 },        [OP_IF_GOTO] = { 2, 1, 0, 1 },
    [OP_GOTO] = { 2, 0, 0, 1 },         [OP_CONST8] = { 1, 0, 1, 1 },
    [OP_CONST16] = { 2, 0, 1, 1 },      [OP_CONST32] = { 4, 0, 1, 1 },
    [OP_CONST64] = { 8, 0, 1, 1 },      [OP_REG] = { 2, 0, 1, 1 },
    [OP_END] = { 0, 0, 0, 1 },          [OP_DUP] = { 0, 1, 2, 1 },
    [OP_POP] = { 0, 1, 0, 1 },          [OP_ZERO_EXT] = { 1, 1, 1, 1 },
    [OP_SWAP] = { 0, 2, 2, 1 },         [OP_PICK] = { 1, 1, 2, 1 },
    [OP_ROT] = { 0, 3, 3, 1 },          [OP_PRINTF] = { 3, 2, 0, 1 },
};

struct agent {
    struct hart *h;
    const struct bytecode *c;
    size_t at; /* behind the present opcode and its operand */
    struct buf *text;
    unsigned depth;
    uint64_t stack[AGENT_STACK];
};

/* The hart ------------------------------------------------------------------ */

bool agent_register(struct hart *h, unsigned number, uint64_t *v)
{
    if (number < AGENT_PC)
        *v = h->x[number];
    else if (number == AGENT_PC)
        *v = h->pc;
    else if (number < AGENT_CSR && ext_on(h->cpu.ext, EXT_F))
        *v = h->f[number - AGENT_F];
    else if (number == AGENT_PRIV)
        *v = h->priv;
    else
        return number >= AGENT_CSR && csr_peek(h, number - AGENT_CSR, v);
    return true;
}

static bool read_bytes(struct hart *h, uint64_t va, void *data, size_t len)
{
    for (size_t done = 0, n; done < len; done += n) {
        size_t room = MEM_PAGE - (va + done) % MEM_PAGE;
        struct mmu_walk w;

        n = len - done < room ? len - done : room;
        if (!mmu_debug_find(h, va + done, &w) ||
            mem_peek(h->mem, w.pa, (char *)data + done, n) < n)
            return false;
    }
    return true;
}

static bool reference(struct hart *h, unsigned size, uint64_t *v)
{
    uint64_t va = *v;

    *v = 0;
    return read_bytes(h, va, v, size);
}

/* Arithmetic ----------------------------------------------------------------- */

static uint64_t shift_right(uint64_t a, uint64_t by, bool is_signed)
{
    uint64_t sign = is_signed && a >> 63 ? UINT64_MAX : 0;

    if (by >= 64)
        return sign;
    return by ? a >> by | sign << (64 - by) : a;
}

/* C leaves the most negative number divided by -1 open: it is itself. */
static bool divide(unsigned op, uint64_t a, uint64_t b, uint64_t *r)
{
    if (b == 0)
        return false;
    if (op == OP_DIV_UNSIGNED)
        *r = a / b;
    else if (op == OP_REM_UNSIGNED)
        *r = a % b;
    else if (b == UINT64_MAX)
        *r = op == OP_DIV_SIGNED ? 0 - a : 0;
    else if (op == OP_DIV_SIGNED)
        *r = (uint64_t)((int64_t)a / (int64_t)b);
    else
        *r = (uint64_t)((int64_t)a % (int64_t)b);
    return true;
}

static bool binary(unsigned op, uint64_t a, uint64_t b, uint64_t *r)
{
    switch (op) {
    case OP_ADD:
        *r = a + b;
        return true;
    case OP_SUB:
        *r = a - b;
        return true;
    case OP_MUL:
        *r = a * b;
        return true;
    case OP_LSH:
        *r = b < 64 ? a << b : 0;
        return true;
    case OP_RSH_SIGNED:
    case OP_RSH_UNSIGNED:
        *r = shift_right(a, b, op == OP_RSH_SIGNED);
        return true;
    case OP_BIT_AND:
        *r = a & b;
        return true;
    case OP_BIT_OR:
        *r = a | b;
        return true;
    case OP_BIT_XOR:
        *r = a ^ b;
        return true;
    case OP_EQUAL:
        *r = a == b;
        return true;
    case OP_LESS_SIGNED:
        *r = (int64_t)a < (int64_t)b;
        return true;
    case OP_LESS_UNSIGNED:
        *r = a < b;
        return true;
    default:
        return divide(op, a, b, r);
    }
}

/* Keeps the low n bits, filled up with zeroes or the sign. */
static bool extend(uint64_t *v, uint64_t n, bool is_signed)
{
    if (n == 0 || n > 64)
        return false;
    *v = shift_right(*v << (64 - n), 64 - n, is_signed);
    return true;
}

/* Printing ------------------------------------------------------------------- */

/* One %... of a format: its text, and what decides how to print it. */
struct piece {
    char spec[24]; /* flags, width and precision */
    char letter;
    bool wide; /* l, ll, z, j, t */
};

static char escaped(char c)
{
    static const char names[] = "abefnrtv", means[] = "\a\b\033\f\n\r\t\v";
    const char *p = strchr(names, c);

    if (!p || !c)
        return c;
    return means[p - names];
}

/* Moves *at, behind a %, past the piece; false when it is none. */
static bool take_piece(const char **at, struct piece *p)
{
    size_t plain = strspn(*at, "-+ #0"), n;
    size_t width = strspn(*at + plain, "0123456789");

    n = plain + width;
    if ((*at)[n] == '.')
        n += 1 + strspn(*at + n + 1, "0123456789");
    if (plain > 5 || width > 3 || n - plain - width > 4)
        return false;
    snprintf(p->spec, sizeof p->spec, "%%%.*s", (int)n, *at);
    *at += n;
    n = strspn(*at, "hlzjt");
    p->wide = n > 0 && **at != 'h';
    *at += n;
    p->letter = *(*at)++;
    return p->letter && strchr("diouxXcsp", p->letter);
}

/* take_piece has left room for it. */
static void finish_spec(struct piece *p, const char *end)
{
    size_t n = strlen(p->spec);

    snprintf(p->spec + n, sizeof p->spec - n, "%s", end);
}

static bool print_string(struct agent *g, struct piece *p, uint64_t va)
{
    char text[AGENT_STRING + 1];
    size_t n = 0;

    while (n < AGENT_STRING && read_bytes(g->h, va + n, &text[n], 1) && text[n])
        n++;
    text[n] = '\0';
    finish_spec(p, "s");
    buf_printf(g->text, p->spec, text);
    return true;
}

static bool print_value(struct agent *g, struct piece *p, uint64_t v)
{
    bool is_signed = p->letter == 'd' || p->letter == 'i';
    char end[] = { 'l', 'l', p->letter, '\0' };

    if (p->letter == 's')
        return print_string(g, p, v);
    if (p->letter == 'c') {
        buf_chr(g->text, (char)v);
        return true;
    }
    if (p->letter == 'p') {
        buf_printf(g->text, "0x%llx", (unsigned long long)v);
        return true;
    }
    finish_spec(p, end);
    if (!p->wide)
        v = is_signed ? (uint64_t)(int64_t)(int32_t)v : (uint32_t)v;
    if (is_signed)
        buf_printf(g->text, p->spec, (long long)v);
    else
        buf_printf(g->text, p->spec, (unsigned long long)v);
    return true;
}

/* The first argument is on top; the format is as it was in C's source. */
static bool print_format(struct agent *g, const char *f, unsigned args)
{
    size_t start = g->text->len;
    struct piece p;

    while (*f && g->text->len - start < AGENT_TEXT) {
        if (*f == '\\' && f[1]) {
            buf_chr(g->text, escaped(f[1]));
            f += 2;
        } else if (*f != '%') {
            buf_chr(g->text, *f++);
        } else if (f[1] == '%') {
            buf_chr(g->text, '%');
            f += 2;
        } else {
            f++;
            if (args-- == 0 || !take_piece(&f, &p) ||
                !print_value(g, &p, g->stack[--g->depth]))
                return false;
        }
    }
    g->depth -= args;
    return true;
}

/* printf nargs, length, text: under the two that name a function and its
 * channel, which are gdb's way to say "the usual one", are the arguments. */
static bool print(struct agent *g)
{
    const uint8_t *operand = g->c->bytes + g->at - 3;
    size_t len = (size_t)operand[1] << 8 | operand[2];
    const char *format = (const char *)operand + 3;

    if (!g->text || len == 0 || g->c->len - g->at < len || format[len - 1])
        return false;
    g->at += len;
    g->depth -= 2;
    return operand[0] <= g->depth && print_format(g, format, operand[0]);
}

/* Evaluation ------------------------------------------------------------------ */

static uint64_t operand_of(const struct agent *g, unsigned size)
{
    uint64_t v = 0;

    for (size_t i = g->at - size; i < g->at; i++)
        v = v << 8 | g->c->bytes[i];
    return v;
}

/* Rows of shapes have seen to it that what is popped is there. */
static bool shuffle(struct agent *g, unsigned op, uint64_t n)
{
    uint64_t *top = &g->stack[g->depth - 1], t = *top;

    switch (op) {
    case OP_SWAP:
        top[0] = top[-1];
        top[-1] = t;
        return true;
    case OP_ROT: /* a b c: c a b */
        top[0] = top[-1];
        top[-1] = top[-2];
        top[-2] = t;
        return true;
    case OP_POP:
        g->depth--;
        return true;
    default: /* OP_DUP, OP_PICK */
        if (n >= g->depth)
            return false;
        top[1] = *(top - n);
        g->depth++;
        return true;
    }
}

static bool unary(struct agent *g, unsigned op, uint64_t operand)
{
    uint64_t *top = &g->stack[g->depth - 1];

    switch (op) {
    case OP_LOG_NOT:
        *top = !*top;
        return true;
    case OP_BIT_NOT:
        *top = ~*top;
        return true;
    case OP_EXT:
    case OP_ZERO_EXT:
        return extend(top, operand, op == OP_EXT);
    default:
        return reference(g->h, 1u << (op - OP_REF8), top);
    }
}

static bool push(struct agent *g, unsigned op, uint64_t operand)
{
    uint64_t *to = &g->stack[g->depth++];

    *to = operand;
    return op != OP_REG || agent_register(g->h, (unsigned)operand, to);
}

static bool jump(struct agent *g, unsigned op, uint64_t target)
{
    if (op == OP_GOTO || g->stack[--g->depth])
        g->at = (size_t)target;
    return true;
}

static bool step(struct agent *g, unsigned op)
{
    const struct shape *s = &shapes[op];
    uint64_t operand = operand_of(g, s->operand), r;

    if (op == OP_IF_GOTO || op == OP_GOTO)
        return jump(g, op, operand);
    if (op == OP_PRINTF)
        return print(g);
    if (s->pops == 0)
        return push(g, op, operand);
    if (s->pops == 1 && s->pushes == 1)
        return unary(g, op, operand);
    if (s->pops != 2 || s->pushes != 1)
        return shuffle(g, op, operand);
    if (!binary(op, g->stack[g->depth - 2], g->stack[g->depth - 1], &r))
        return false;
    g->stack[--g->depth - 1] = r;
    return true;
}

bool agent_eval(struct hart *h, const struct bytecode *c, struct buf *text,
                uint64_t *v)
{
    struct agent g = { .h = h, .c = c, .text = text };

    for (unsigned steps = 0; steps < AGENT_STEPS && g.at < c->len; steps++) {
        unsigned op = c->bytes[g.at++];
        const struct shape *s = &shapes[op];

        if (!s->known || c->len - g.at < s->operand || g.depth < s->pops ||
            g.depth - s->pops + s->pushes > AGENT_STACK)
            return false;
        if (op == OP_END) {
            *v = g.depth ? g.stack[g.depth - 1] : 0;
            return true;
        }
        g.at += s->operand;
        if (!step(&g, op))
            return false;
    }
    return false;
}
