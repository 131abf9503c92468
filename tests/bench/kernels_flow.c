/* SPDX-License-Identifier: MIT */
/*
 * kernels_flow.c - jumps that depend on data, and memory in long rows.
 *
 * The same bytecode program is interpreted twice: by a switch, which is a jump
 * through a table, and by calls of function pointers.
 */
#include <stddef.h>

#include "tests/bench/kernels.h"

/* Bytecode ------------------------------------------------------------------ */

enum code { PUSH, LOAD, STORE, ADD, SUB, MUL, XOR, SHIFT, LESS, JUMP_IF, HALT };

/* x = 12345; do { x = (x * 29 ^ x >> 7) + n; } while (--n > 0) */
static const int32_t program[] = {
    PUSH,    12345, STORE, 0,                                         /* 0 */
    LOAD,    0,     PUSH,  29, MUL,   0, LOAD,  0, SHIFT, 7, XOR,  0, /* 4 */
    LOAD,    1,     ADD,   0,  STORE, 0,                              /* 16 */
    LOAD,    1,     PUSH,  1,  SUB,   0, STORE, 1, PUSH,  0, LOAD, 1,
    LESS,    0,               /* 22 */
    JUMP_IF, 4,     HALT,  0, /* 36 */
};

struct machine {
    uint64_t stack[16], var[4];
    uint64_t *top;
    const int32_t *pc;
};

static __attribute__((noinline)) uint64_t run_switch(uint64_t n)
{
    uint64_t stack[16], var[2] = { 0, n }, *top = stack;

    for (const int32_t *pc = program;; pc += 2)
        switch ((enum code)pc[0]) {
        case PUSH:
            *top++ = (uint64_t)pc[1];
            break;
        case LOAD:
            *top++ = var[pc[1]];
            break;
        case STORE:
            var[pc[1]] = *--top;
            break;
        case ADD:
            top--;
            top[-1] += top[0];
            break;
        case SUB:
            top--;
            top[-1] -= top[0];
            break;
        case MUL:
            top--;
            top[-1] *= top[0];
            break;
        case XOR:
            top--;
            top[-1] ^= top[0];
            break;
        case SHIFT:
            top[-1] >>= pc[1];
            break;
        case LESS:
            top--;
            top[-1] = top[-1] < top[0];
            break;
        case JUMP_IF:
            if (*--top)
                pc = program + pc[1] - 2;
            break;
        case HALT:
            return var[0];
        }
}

uint64_t kernel_bytecode_switch(void) { return run_switch(60000); }

typedef void code_fn(struct machine *m, int32_t operand);

static void do_push(struct machine *m, int32_t v) { *m->top++ = (uint64_t)v; }
static void do_load(struct machine *m, int32_t v) { *m->top++ = m->var[v]; }
static void do_store(struct machine *m, int32_t v) { m->var[v] = *--m->top; }

#define TWO(name, op)                                                          \
    static void do_##name(struct machine *m, int32_t v)                        \
    {                                                                          \
        (void)v;                                                               \
        m->top--;                                                              \
        m->top[-1] = m->top[-1] op m->top[0];                                  \
    }
TWO(add, +)
TWO(sub, -)
TWO(mul, *)
TWO(xor, ^)
TWO(less, <)

static void do_shift(struct machine *m, int32_t v) { m->top[-1] >>= v; }

static void do_jump_if(struct machine *m, int32_t v)
{
    if (*--m->top)
        m->pc = program + v;
}

static code_fn *volatile const code_fns[] = {
    do_push, do_load, do_store, do_add,  do_sub,
    do_mul,  do_xor,  do_shift, do_less, do_jump_if,
};

uint64_t kernel_bytecode_calls(void)
{
    static struct machine m;

    m.top = m.stack;
    m.pc = program;
    m.var[1] = 60000;
    while (m.pc[0] != HALT) {
        const int32_t *pc = m.pc;

        m.pc = pc + 2;
        code_fns[pc[0]](&m, pc[1]);
    }
    return m.var[0];
}

/* Pointers all over two megabytes ---------------------------------------------- */

enum { LINKS = 1 << 17 };
static struct link {
    struct link *next;
    uint64_t value;
} links[LINKS];
static uint32_t order[LINKS];

/* One cycle through all of them (Sattolo). */
static void make_cycle(void)
{
    uint64_t seed = 8;

    for (uint32_t n = 0; n < LINKS; n++)
        order[n] = n;
    for (uint32_t n = LINKS - 1; n > 0; n--) {
        uint32_t k = kernel_random(&seed) % n, t = order[n];

        order[n] = order[k];
        order[k] = t;
    }
    for (uint32_t n = 0; n < LINKS; n++) {
        links[order[n]].next = &links[order[(n + 1) % LINKS]];
        links[order[n]].value = n;
    }
}

uint64_t kernel_chase(void)
{
    const struct link *l = links;
    uint64_t sum = 0;

    if (!links[0].next)
        make_cycle();
    for (int n = 0; n < 1000000; n++) {
        sum = sum * 3 + l->value;
        l = l->next;
    }
    return sum;
}

/* Streams ------------------------------------------------------------------------ */

enum { WORDS = 1 << 14 };
static uint64_t from[WORDS], to[WORDS];

static __attribute__((noinline)) void copy_words(uint64_t *d, const uint64_t *s,
                                                 size_t n)
{
    for (size_t k = 0; k < n; k++)
        d[k] = s[k];
}

uint64_t kernel_copy(void)
{
    uint64_t sum = 0;

    for (unsigned pass = 0; pass < 100; pass++) {
        from[pass] = pass * UINT64_C(0x9e3779b97f4a7c15);
        copy_words(to, from, WORDS);
        sum = sum * 5 + to[pass];
    }
    return sum;
}

enum { NUMBERS = 100000 };
static uint8_t crossed[NUMBERS];

uint64_t kernel_sieve(void)
{
    uint64_t primes = 0;

    for (int pass = 0; pass < 5; pass++) {
        for (size_t n = 0; n < NUMBERS; n++)
            crossed[n] = 0;
        for (size_t n = 2; n < NUMBERS; n++) {
            if (crossed[n])
                continue;
            primes++;
            for (size_t k = n + n; k < NUMBERS; k += n)
                crossed[k] = 1;
        }
    }
    return primes;
}

static __attribute__((noinline)) uint16_t crc_byte(uint8_t v, uint16_t crc)
{
    for (int n = 0; n < 8; n++) {
        uint8_t out = (uint8_t)((v & 1) ^ (crc & 1));

        v >>= 1;
        if (out)
            crc ^= 0x4002;
        crc >>= 1;
        if (out)
            crc |= 0x8000;
        else
            crc &= 0x7fff;
    }
    return crc;
}

uint64_t kernel_crc_bits(void)
{
    uint16_t crc = 1;

    for (unsigned n = 0; n < 60000; n++)
        crc = crc_byte((uint8_t)(n * 7), crc);
    return crc;
}
