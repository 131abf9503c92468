/* SPDX-License-Identifier: MIT */
/* agent.c - evaluates gdb's agent expressions against a hart. */
#include "emu/hart/agent.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "emu/base/buf.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/hart.h"
#include "emu/hart/mmu.h"

enum { AGENT_STRING = 1024 }; /* bytes of one %s */

enum {
#define CONST(name, code, ...)  OP_##name = (code),
#define BINARY(name, code, ...) OP_##name = (code),
#define OTHER(name, code, ...)  OP_##name = (code),
#include "emu/hart/agent.def"
#undef CONST
#undef BINARY
#undef OTHER
};

/* What the other opcodes take and give; known: it is one. */
struct shape {
    uint8_t operand, pops, pushes, known;
};

static const struct shape shapes[256] = {
#define CONST(...)
#define BINARY(...)
#define OTHER(name, code, operand, pops, pushes)                               \
    [code] = { operand, pops, pushes, 1 },
#include "emu/hart/agent.def"
#undef CONST
#undef BINARY
#undef OTHER
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

static inline uint64_t number_at(const uint8_t *at, unsigned bytes)
{
    uint64_t wide;
    uint32_t word;
    uint16_t half;

    switch (bytes) {
    case 1:
        return *at;
    case 2:
        memcpy(&half, at, sizeof half);
        return be16toh(half);
    case 4:
        memcpy(&word, at, sizeof word);
        return be32toh(word);
    case 8:
        memcpy(&wide, at, sizeof wide);
        return be64toh(wide);
    default: /* OP_PRINTF's is not one number */
        return 0;
    }
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

static bool jump(struct agent *g, unsigned op, uint64_t target)
{
    if (op == OP_GOTO || g->stack[--g->depth])
        g->at = (size_t)target;
    return g->at <= g->c->len;
}

static bool by_shape(struct agent *g, unsigned op, uint64_t operand)
{
    const struct shape *s = &shapes[op];
    uint64_t *top = &g->stack[g->depth];

    if (op == OP_IF_GOTO || op == OP_GOTO)
        return jump(g, op, operand);
    if (op == OP_PRINTF)
        return print(g);
    if (s->pops == 1 && s->pushes == 1)
        return unary(g, op, operand);
    if (s->pops != 2 || s->pushes != 1)
        return shuffle(g, op, operand);
    g->depth--;
    return divide(op, top[-2], top[-1], &top[-2]);
}

/* One of the others, g->at being behind the opcode. */
static __attribute__((noinline)) bool step(struct agent *g)
{
    const uint8_t *at = g->c->bytes + g->at;
    const struct shape *s = &shapes[at[-1]];

    if (!s->known || g->c->len - g->at < s->operand || g->depth < s->pops ||
        g->depth - s->pops + s->pushes > AGENT_STACK)
        return false;
    g->at += s->operand;
    return by_shape(g, at[-1], number_at(at, s->operand));
}

/* agent_eval's cases of agent.def. */
#define CONST(name, code, size)                                                \
    case code:                                                                 \
        if (c->len - at < (size) || depth == AGENT_STACK)                      \
            return false;                                                      \
        g.stack[depth++] = number_at(c->bytes + at, size);                     \
        at += (size);                                                          \
        break;
#define BINARY(name, code, value)                                              \
    case code:                                                                 \
        if (depth < 2)                                                         \
            return false;                                                      \
        b = g.stack[--depth];                                                  \
        a = g.stack[depth - 1];                                                \
        g.stack[depth - 1] = value;                                            \
        break;
#define OTHER(...)

/*
 * Conditions are evaluated millions of times. So what they are made of mostly
 * is done here, with place and depth in registers.
 */
bool agent_eval(struct hart *h, const struct bytecode *c, struct buf *text,
                uint64_t *v)
{
    static struct agent g; /* clearing it would take longer; one thread */
    uint64_t a, b;
    unsigned depth = 0;
    size_t at = 0;

    g.h = h;
    g.c = c;
    g.text = text;
    for (unsigned steps = 0; steps < AGENT_STEPS && at < c->len; steps++) {
        switch (c->bytes[at++]) {
#include "emu/hart/agent.def"
        case OP_REG:
            if (c->len - at < 2 || depth == AGENT_STACK ||
                !agent_register(h, (unsigned)number_at(c->bytes + at, 2), &a))
                return false;
            g.stack[depth++] = a;
            at += 2;
            break;
        case OP_END:
            *v = depth ? g.stack[depth - 1] : 0;
            return true;
        default:
            g.at = at;
            g.depth = depth;
            if (!step(&g))
                return false;
            at = g.at;
            depth = g.depth;
        }
    }
    return false;
}

#undef CONST
#undef BINARY
#undef OTHER
