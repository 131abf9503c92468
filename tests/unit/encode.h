/* SPDX-License-Identifier: MIT */
/* encode.h - instruction words for tests, from insn.def's own patterns. */
#ifndef TESTS_UNIT_ENCODE_H
#define TESTS_UNIT_ENCODE_H

#include <stdint.h>
#include <stdlib.h>

#include "emu/hart/insn.h"

static const struct {
    enum op op;
    const char *pattern;
} insn_rows[] = {
#define INSN(name, pattern, ...) { OP_##name, pattern },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

/* The fixed bits of op; operands are 0. */
static inline uint32_t form(enum op op)
{
    uint32_t w = 0, n = 0;

    while (insn_rows[n].op != op)
        n++;
    for (const char *p = insn_rows[n].pattern; *p; p++)
        if (*p != ' ')
            w = w << 1 | (*p == '1');
    return w;
}

static inline uint32_t enc_r(enum op op, unsigned rd, unsigned rs1,
                             unsigned rs2)
{
    return form(op) | rd << 7 | rs1 << 15 | rs2 << 20;
}

/* Also shifts by a constant. */
static inline uint32_t enc_i(enum op op, unsigned rd, unsigned rs1, int imm)
{
    return form(op) | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static inline uint32_t enc_s(enum op op, unsigned rs2, unsigned rs1, int imm)
{
    uint32_t u = (uint32_t)imm;

    return form(op) | rs2 << 20 | rs1 << 15 | (u & 31) << 7 |
           (u >> 5 & 127) << 25;
}

static inline uint32_t enc_b(enum op op, unsigned rs1, unsigned rs2, int imm)
{
    uint32_t u = (uint32_t)imm;

    return form(op) | rs2 << 20 | rs1 << 15 | (u >> 1 & 15) << 8 |
           (u >> 5 & 63) << 25 | (u >> 11 & 1) << 7 | (u >> 12 & 1) << 31;
}

static inline uint32_t enc_u(enum op op, unsigned rd, uint32_t imm20)
{
    return form(op) | rd << 7 | imm20 << 12;
}

static inline uint32_t enc_j(enum op op, unsigned rd, int imm)
{
    uint32_t u = (uint32_t)imm;

    return form(op) | rd << 7 | (u >> 1 & 1023) << 21 | (u >> 11 & 1) << 20 |
           (u >> 12 & 255) << 12 | (u >> 20 & 1) << 31;
}

#endif
