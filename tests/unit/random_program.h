/* SPDX-License-Identifier: MIT */
/*
 * random_program.h - instructions, values and FP numbers by chance, from seed.
 *
 * Instructions are of the rows of insn.def, or what compilers and kernels say in
 * some in a row. Registers are few, so that they meet each other.
 */
#ifndef TESTS_UNIT_RANDOM_PROGRAM_H
#define TESTS_UNIT_RANDOM_PROGRAM_H

#include "emu/hart/csr.h"
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

enum { WORDS = 48 }; /* of a program */

#define DATA (RAM + 0x10000)

static uint64_t seed;

static uint64_t rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (seed >> 33) ^ (seed << 13);
}

static unsigned below(unsigned n) { return (unsigned)(rnd() >> 7) % n; }

struct row {
    const char *name, *pattern, *format;
};

static const struct row rows[] = {
#define INSN(name, pattern, format, ...) { #name, pattern, #format },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const uint8_t some_regs[] = { 0,  1,  2,  5,  8,  9,  10, 10,
                                     11, 12, 13, 14, 15, 16, 20, 28 };

static unsigned some_reg(void) { return some_regs[below(sizeof some_regs)]; }

static uint32_t with_bits(uint32_t w, unsigned at, unsigned bits, uint32_t v)
{
    uint32_t mask = ((UINT32_C(1) << bits) - 1) << at;

    return (w & ~mask) | (v << at & mask);
}

/* The word that a pattern draws, its dots random. */
static uint32_t fill(const char *pattern)
{
    uint32_t w = 0;

    for (; *pattern; pattern++)
        if (*pattern != ' ')
            w = w << 1 | (*pattern == '.' ? rnd() & 1 : *pattern == '1');
    return w;
}

static bool is_dots(const char *pattern, unsigned at, unsigned n)
{
    unsigned bit = 32;

    for (; *pattern; pattern++) {
        if (*pattern == ' ')
            continue;
        bit--;
        if (bit >= at && bit < at + n && *pattern != '.')
            return false;
    }
    return true;
}

static uint32_t branch_to(uint32_t w, unsigned k)
{
    int off = 4 * ((int)below(WORDS) - (int)k);
    uint32_t u = (uint32_t)off;

    if (below(16) == 0)
        off += 2;
    w = with_bits(w, 31, 1, u >> 12);
    w = with_bits(w, 25, 6, u >> 5);
    w = with_bits(w, 8, 4, u >> 1);
    return with_bits(w, 7, 1, u >> 11);
}

static uint32_t jump_to_word(uint32_t w, unsigned k)
{
    uint32_t u = (uint32_t)(4 * ((int)below(WORDS) - (int)k));

    return with_bits(w, 12, 20,
                     (u >> 20 & 1) << 19 | (u >> 1 & 0x3ff) << 9 |
                         (u >> 11 & 1) << 8 | (u >> 12 & 0xff));
}

/* Waiting would be the end of the program, and so would other modes. */
static bool tame(const char *name)
{
    return strcmp(name, "wfi") && strcmp(name, "mret") && strcmp(name, "sret");
}

/* CSRs that programs may play with: fflags, frm, fcsr, sscratch, sstatus,
 * mstatus (MPRV, SUM, MXR, FS ...), mscratch, satp, cycle, time, instret. */
static uint32_t some_csr(uint32_t w)
{
    static const uint16_t csrs[] = { 1,     2,     3,     0x140, 0x100, 0x300,
                                     0x300, 0x340, 0x180, 0xc00, 0xc01, 0xc02 };

    return with_bits(w, 20, 12, csrs[below(sizeof csrs / sizeof csrs[0])]);
}

static uint32_t random_word(unsigned k)
{
    const struct row *r = &rows[below(ROWS)];
    uint32_t w;

    while (!tame(r->name) || (below(3) && !strchr("ISBUJR", r->format[0])))
        r = &rows[below(ROWS)];
    w = fill(r->pattern);
    if (is_dots(r->pattern, 7, 5))
        w = with_bits(w, 7, 5, some_reg());
    if (is_dots(r->pattern, 15, 5))
        w = with_bits(w, 15, 5, some_reg());
    if (is_dots(r->pattern, 20, 5) && r->format[0] == 'R')
        w = with_bits(w, 20, 5, some_reg());
    if (!strcmp(r->format, "S"))
        w = with_bits(w, 20, 5, some_reg());
    if (!strcmp(r->format, "B"))
        w = branch_to(with_bits(w, 20, 5, some_reg()), k);
    if (!strcmp(r->format, "J"))
        w = jump_to_word(w, k);
    if (!strcmp(r->format, "CSR"))
        w = some_csr(w);
    if (!strcmp(r->format, "RM") || !strcmp(r->format, "R4"))
        w = with_bits(w, 12, 3, below(4) ? 7 : below(8));
    return w;
}

/*
 * What compilers say in two to four words, written to w[], and translate.c in
 * less; how many they are. Mostly the same registers all through.
 */
static unsigned random_idiom(uint32_t *w)
{
    static const uint16_t right[] = { OP_srli, OP_srai, OP_srliw, OP_sraiw };
    static const uint16_t words[] = { OP_addw, OP_subw, OP_mulw, OP_sllw,
                                      OP_srlw, OP_sraw, OP_xor,  OP_add };
    static const uint16_t others[] = { OP_mulhu, OP_div, OP_czero_eqz, OP_min };
    static const uint16_t loads[] = { OP_lb,  OP_lh,  OP_lw, OP_ld,
                                      OP_lbu, OP_lhu, OP_lwu };
    static const uint8_t shift[] = { 1, 2, 3, 16, 24, 32, 48, 56 };
    unsigned t = some_reg(), a = some_reg(), b = some_reg(), n = below(8);
    unsigned d = below(4) ? t : some_reg();
    int off = 8 * (int)below(8) - (below(8) ? 0 : (int)below(40));

    switch (below(14)) {
    case 13: /* a user's page, with the right to it or without */
        w[0] = form(OP_lui) | t << 7 |
               (below(8) ? MSTATUS_SUM : (uint32_t)rnd() << 12);
        w[1] = enc_i(loads[below(7)], some_reg(), a, off);
        w[2] = with_bits(form(below(2) ? OP_csrrs : OP_csrrc), 20, 12,
                         CSR_SSTATUS) |
               (below(2) ? d << 7 : 0) | t << 15;
        w[3] = n & 1 ? enc_s(OP_sd, b, a, off) : enc_i(OP_ld, d, a, off);
        return 4;
    case 12: /* some bits out of many */
        w[0] = enc_i(OP_srli, t, a, (int)below(64));
        w[1] = enc_r(words[below(8)], d, b, below(8) ? b : t);
        w[2] = enc_i(OP_andi, t, below(8) ? t : a, (int)below(2048));
        return 3;
    case 11: /* a page is cleared */
        w[0] = form(OP_cbo_zero) | a << 15;
        return 1;
    case 10: /* interrupts are turned on or off */
        w[0] = enc_i(OP_addi, a, 0, below(4) ? MSTATUS_SIE : (int)below(40));
        w[1] = form(below(2) ? OP_csrrs : OP_csrrc) | d << 7 | a << 15;
        if (below(2))
            w[1] = form(below(2) ? OP_csrrsi : OP_csrrci) | d << 7 |
                   (below(4) ? MSTATUS_SIE : below(32)) << 15;
        w[1] = with_bits(w[1], 20, 12, CSR_SSTATUS);
        return 2;
    case 9: /* what is read is written, perhaps */
        w[0] = enc_i(loads[below(7)], t, a, off);
        w[1] = below(2)   ? enc_r(words[below(8)], t, t, b)
               : below(2) ? enc_r(others[below(4)], t, t, b)
               : below(2) ? enc_r(OP_amoadd_d, d, b, t)
                          : enc_b(OP_beq, t, b, 8);
        w[2] = enc_s(n & 1 ? OP_sd : OP_sw, t, a, below(4) ? off : off + 8);
        w[3] = enc_i(loads[below(7)], d, a, off);
        return 4;
    case 8: /* a group of accesses */
        for (unsigned m = 0; m < 4; m++) {
            off = 8 * (int)below(8) - (below(8) ? 0 : (int)below(40));
            w[m] = n & 1 && below(8)
                       ? enc_s(below(4) ? OP_sd : OP_sb, some_reg(), a, off)
                       : enc_i(loads[below(7)], some_reg(), a, off);
        }
        return 4;
    case 7: /* a reservation, and perhaps not to the end */
        w[0] = enc_r(below(2) ? OP_lr_w : OP_lr_d, t, a, 0);
        w[1] = enc_r(words[below(8)], t, d, b);
        w[2] = below(4) ? enc_r(OP_amoadd_d, d, b, t) : enc_i(OP_addi, t, t, 1);
        w[3] = enc_r(below(4) ? OP_sc_w : OP_sc_d, d, below(4) ? a : b, t);
        return 4;
    case 5: /* a branch over one instruction */
        w[0] = enc_b(OP_beq, a, b, 8);
        w[0] ^= (below(8) << 12) & 0x5000; /* bne, bge, blt and their like */
        w[1] = below(2)
                   ? enc_r(words[below(8)], t, d, b)
                   : enc_i(below(2) ? OP_addi : OP_andi, t, d, (int)below(300));
        return 2;
    case 6: /* or three */
        w[0] = enc_b(OP_bltu, a, b, 4 + 4 * (int)(1 + below(3)));
        w[1] = enc_r(words[below(8)], t, a, d);
        if (below(2)) {
            w[1] = enc_i(OP_addi, t, a, (int)below(2) * 8);
            w[2] = enc_i(OP_addi, d, below(2) ? t : 0, (int)below(2) * 8);
            w[3] = enc_i(OP_addi, b, d, 0);
            return 4;
        }
        w[2] = enc_i(OP_slli, t, below(4) ? t : a, shift[n]);
        w[3] = enc_i(below(2) ? OP_srli : OP_srai, t, t, shift[n]);
        return 4;
    case 0: /* an extension */
        n = shift[n];
        w[0] = enc_i(n > 24 || below(2) ? OP_slli : OP_slliw, t, a, (int)n);
        w[1] = enc_i(right[below(n > 24 ? 2 : 4)], d, t,
                     below(4) ? (int)n : (int)below(32));
        return 2;
    case 1: /* an array's element */
        w[0] = enc_i(OP_slli, t, below(2) ? a : t, (int)below(4));
        w[1] = below(2) ? enc_r(OP_add, d, t, b) : enc_r(OP_add, d, b, t);
        w[2] = enc_i(loads[below(7)], below(4) ? d : b, d, (int)below(64));
        return 3;
    case 2:
        w[0] = enc_r(below(4) ? OP_add : OP_sh2add, t, a, b);
        w[1] = enc_i(loads[below(7)], d, t, (int)below(64));
        return 2;
    case 3: /* a constant, or a place in the program */
        w[0] = form(below(2) ? OP_lui : OP_auipc) | t << 7 |
               (below(2) ? (uint32_t)rnd() << 12 : 0);
        w[1] = enc_i(below(2)   ? OP_addi
                     : below(2) ? OP_addiw
                                : OP_jalr,
                     d, t, 4 * (int)below(WORDS));
        return 2;
    default: /* words upon words */
        w[0] = enc_r(words[below(8)], t, a, b);
        w[1] = enc_r(words[below(8)], d, t, below(2) ? a : t);
        w[2] = enc_i(below(2) ? OP_addiw : OP_sraiw, below(2) ? d : a, d, 0);
        return 3;
    }
}

static uint64_t random_value(void)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    UINT64_MAX,
                                    INT64_MAX,
                                    UINT64_C(1) << 63,
                                    UINT64_C(0x80000000),
                                    UINT64_C(0x7fffffff),
                                    UINT64_C(0xffffffff80000000) };

    switch (below(8)) {
    case 0:
        return odd[below(8)];
    case 1:
        return rnd() << 32 ^ rnd();
    case 2:
        return DEV + 4 * below(8);
    case 3:
        return below(200);
    case 4: /* where pages meet */
        return DATA + 0xff0 + below(32);
    case 5:
        return CODE + 4 * below(WORDS);
    default:
        return DATA + 8 * below(512) - 2048;
    }
}

static uint64_t random_float(void)
{
    static const uint64_t odd[] = { 0,
                                    UINT64_C(1) << 63,
                                    UINT64_C(0x3ff0000000000000),
                                    UINT64_C(0x7ff0000000000000),
                                    UINT64_C(0xfff0000000000000),
                                    UINT64_C(0x7ff8000000000000),
                                    UINT64_C(0x7ff0000000000001),
                                    UINT64_C(0x0010000000000000),
                                    UINT64_C(0x000fffffffffffff),
                                    UINT64_C(0x7fefffffffffffff),
                                    UINT64_C(0xffffffff3f800000),
                                    UINT64_C(0xffffffff7fc00000),
                                    UINT64_C(0xffffffff7f800001),
                                    UINT64_C(0xffffffff00800000),
                                    UINT64_C(0xffffffff807fffff),
                                    UINT64_C(0x43e0000000000000) };
    double d = (double)(int64_t)(rnd() << 20) / (double)(1 + below(1000));
    float f = (float)d;
    uint64_t v = 0;

    switch (below(4)) {
    case 0:
        return odd[below(sizeof odd / sizeof odd[0])];
    case 1:
        memcpy(&v, &f, sizeof f);
        return v | ~UINT64_C(0) << 32;
    case 2:
        return rnd() << 32 ^ rnd();
    default:
        memcpy(&v, &d, sizeof d);
        return v;
    }
}

#endif
