/* SPDX-License-Identifier: MIT */
/* insn_test.c - the instruction table: decoding, reserved forms, assembly. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "emu/hart/cpu.h"
#include "emu/hart/insn.h"

static uint64_t all[sizeof((struct cpu_config *)0)->ext / 8];

static void set_up(void)
{
    insn_init();
    memset(all, 0xff, sizeof all);
}

TestSuite(insn, .init = set_up);

static struct insn decode(uint32_t word) { return insn_decode(word, all); }

/* Without some extensions. */
static enum op decode_without(uint32_t word, enum ext e)
{
    uint64_t ext[sizeof all / sizeof all[0]];

    memcpy(ext, all, sizeof ext);
    ext[e / 64] &= ~(UINT64_C(1) << e % 64);
    return (enum op)insn_decode(word, ext).op;
}

/* Every row decodes to itself ------------------------------------------------ */

static const struct row {
    const char *name, *pattern;
    enum op op;
} rows[] = {
#define INSN(name, pattern, ...)            { #name, pattern, OP_##name },
#define RVC(name, pattern, format, op, ext) { #name, pattern, OP_##op },
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static uint32_t seed = 1;

static uint32_t random_bit(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed >> 16 & 1;
}

/* A word of the row's form; operand bits are random. */
static uint32_t word_of(const char *pattern)
{
    uint32_t w = 0;

    for (const char *p = pattern; *p; p++)
        if (*p != ' ')
            w = w << 1 | (*p == '.' ? random_bit() : *p == '1');
    return w;
}

static bool matches(const char *pattern, uint32_t w)
{
    int n = w % 4 == 3 ? 31 : 15;

    for (const char *p = pattern; *p; p++) {
        if (*p == ' ')
            continue;
        if (n < 0 || (*p != '.' && (w >> n & 1) != (uint32_t)(*p - '0')))
            return false;
        n--;
    }
    return n == -1;
}

static const struct row *first_match(uint32_t w)
{
    for (size_t r = 0; r < ROWS; r++)
        if (matches(rows[r].pattern, w))
            return &rows[r];
    return NULL;
}

Test(insn, every_row_decodes_to_itself)
{
    for (size_t r = 0; r < ROWS; r++) {
        int hits = 0;

        for (int n = 0; n < 400; n++) {
            uint32_t w = word_of(rows[r].pattern);
            struct insn i = decode(w);

            if (first_match(w) != &rows[r])
                continue; /* a special case that stands further up */
            hits += i.op == rows[r].op;
            cr_assert(i.op == rows[r].op || i.op == OP_illegal,
                      "%s: %08x is %s", rows[r].name, w,
                      insn_name((enum op)i.op));
            cr_assert_eq(i.len, w % 4 == 3 ? 4 : 2);
        }
        cr_assert_gt(hits, 50, "%s is hidden by another row", rows[r].name);
    }
}

Test(insn, words_that_no_row_matches_are_illegal)
{
    for (int n = 0; n < 200000; n++) {
        uint32_t w = word_of("................................");
        struct insn i = decode(w);

        if (w % 4 != 3)
            w &= 0xffff;
        cr_assert_eq(i.raw, w);
        if (!first_match(w))
            cr_assert_eq(i.op, OP_illegal, "%08x", w);
    }
}

Test(insn, an_extension_that_is_off_has_no_instructions)
{
    cr_assert_eq(decode_without(0x02b50533, EXT_ZMMUL), OP_illegal); /* mul */
    cr_assert_eq(decode_without(0x02b54533, EXT_M), OP_illegal);     /* div */
    cr_assert_eq(decode_without(0x0505, EXT_ZCA), OP_illegal);
    cr_assert_eq(decode_without(0x9d4d, EXT_ZMMUL), OP_illegal); /* c.mul */
    cr_assert_eq(decode_without(0x9d4d, EXT_ZCB), OP_illegal);
    cr_assert_eq(decode_without(0x9d65, EXT_ZBB), OP_illegal); /* c.sext.b */
    cr_assert_eq(decode_without(0x2188, EXT_ZCD), OP_illegal); /* c.fld */
    cr_assert_eq(decode_without(0x2188, EXT_D), OP_illegal);
    cr_assert_eq(decode_without(0x00d00073, EXT_ZAWRS), OP_illegal);
}

Test(insn, hints_of_absent_extensions_are_what_they_were_before)
{
    cr_assert_eq(decode(0x00156013).op, OP_prefetch_r);
    cr_assert_eq(decode_without(0x00156013, EXT_ZICBOP), OP_ori);
    cr_assert_eq(decode(0x0100000f).op, OP_pause);
    cr_assert_eq(decode_without(0x0100000f, EXT_ZIHINTPAUSE), OP_fence);
}

Test(insn, rows_of_two_extensions_need_both)
{
    uint32_t fli_d = 0xf2178553, amocas_b = 0x28c5852f;

    cr_assert_eq(decode(fli_d).op, OP_fli_d);
    cr_assert_eq(decode_without(fli_d, EXT_D), OP_illegal);
    cr_assert_eq(decode_without(fli_d, EXT_ZFA), OP_illegal);
    cr_assert_eq(decode(amocas_b).op, OP_amocas_b);
    cr_assert_eq(decode_without(amocas_b, EXT_ZABHA), OP_illegal);
    cr_assert_eq(decode_without(amocas_b, EXT_ZACAS), OP_illegal);
}

Test(insn, reserved_forms_are_illegal)
{
    static const uint32_t reserved[] = {
        0x0000,     /* c.addi4spn sp, 0: the word that is all 0 */
        0x0008,     /* c.addi4spn with no immediate */
        0x2001,     /* c.addiw x0 */
        0x6101,     /* c.addi16sp 0 */
        0x6501,     /* c.lui a0, 0 */
        0x4002,     /* c.lwsp x0 */
        0x6002,     /* c.ldsp x0 */
        0x8002,     /* c.jr x0 */
        0x2e05552f, /* sub-word size 5 of AMOs */
        0x28b5462f, /* amocas.q of odd rs2 */
        0x28a546af, /* amocas.q of odd rd */
        0x0205151b, /* slliw by 32 */
        0x10100073, /* lr-like SYSTEM word: no such instruction */
        0xffffffff,
    };

    for (size_t n = 0; n < sizeof reserved / sizeof reserved[0]; n++)
        cr_assert_eq(decode(reserved[n]).op, OP_illegal, "%08x is %s",
                     reserved[n], insn_name((enum op)decode(reserved[n]).op));
}

Test(insn, compressed_hints_are_legal)
{
    static const uint32_t hints[] = {
        0x0001, /* c.nop */
        0x0005, /* c.nop 1 */
        0x0501, /* c.addi a0, 0 */
        0x4005, /* c.li x0, 1 */
        0x6005, /* c.lui x0, 1 */
        0x0502, /* c.slli a0, 0 */
        0x0006, /* c.slli x0, 1 */
        0x8101, /* c.srli a0, 0 */
        0x802a, /* c.mv x0, a0 */
        0x902a, /* c.add x0, a0 */
    };

    for (size_t n = 0; n < sizeof hints / sizeof hints[0]; n++)
        cr_assert_neq(decode(hints[n]).op, OP_illegal, "%04x", hints[n]);
}

Test(insn, immediates_have_their_signs_and_scales)
{
    static const struct {
        uint32_t word;
        int64_t imm;
    } table[] = {
        { 0x80000537, -2147483648 }, /* lui */
        { 0xfff50513, -1 },          /* addi */
        { 0xfea53c23, -8 },          /* sd a0,-8(a0) */
        { 0x80000063, -4096 },       /* beq */
        { 0x7e000fe3, 4094 },        /* beq */
        { 0x8000006f, -1048576 },    /* jal */
        { 0x7ffff06f, 1048574 },     /* jal */
        { 0x03f51513, 63 },          /* slli */
        { 0xb001, -2048 },           /* c.j */
        { 0xaffd, 2046 },            /* c.j */
        { 0xd101, -256 },            /* c.beqz */
        { 0xcd7d, 254 },             /* c.beqz */
        { 0x7101, -512 },            /* c.addi16sp */
        { 0x617d, 496 },             /* c.addi16sp */
        { 0x1fe8, 1020 },            /* c.addi4spn */
        { 0x7501, -131072 },         /* c.lui */
        { 0x557d, -1 },              /* c.li */
        { 0x5d7c, 124 },             /* c.lw */
        { 0x7d7c, 248 },             /* c.ld */
        { 0x557e, 252 },             /* c.lwsp */
        { 0x757e, 504 },             /* c.ldsp */
        { 0xdfaa, 252 },             /* c.swsp */
        { 0xffaa, 504 },             /* c.sdsp */
        { 0x157e, 63 },              /* c.slli */
        { 0x8168, 3 },               /* c.lbu: uimm[0|1] = 1 1 */
    };

    for (size_t n = 0; n < sizeof table / sizeof table[0]; n++) {
        struct insn i = decode(table[n].word);

        cr_assert_neq(i.op, OP_illegal, "%08x", table[n].word);
        cr_assert_eq(i.imm, table[n].imm, "%08x: %ld, not %ld", table[n].word,
                     (long)i.imm, (long)table[n].imm);
    }
}

Test(insn, only_instructions_with_an_f_destination_write_fprs)
{
    static const enum op yes[] = { OP_fld,     OP_flh,     OP_fadd_s,
                                   OP_fmadd_d, OP_fmv_d_x, OP_fcvt_s_w,
                                   OP_fli_h };
    static const enum op no[] = { OP_fsd,     OP_fcvt_w_s, OP_feq_d,
                                  OP_fmv_x_w, OP_fclass_h, OP_addi,
                                  OP_fence };

    for (size_t n = 0; n < sizeof yes / sizeof yes[0]; n++)
        cr_assert(insn_writes_fpr(yes[n]), "%s", insn_name(yes[n]));
    for (size_t n = 0; n < sizeof no / sizeof no[0]; n++)
        cr_assert_not(insn_writes_fpr(no[n]), "%s", insn_name(no[n]));
}

/* Assembly --------------------------------------------------------------------- */

static void prints(uint32_t word, const char *want)
{
    char text[128];
    struct insn i = decode(word);
    int n = insn_disas(text, sizeof text, 0x80000000, &i);

    cr_assert_str_eq(text, want, "%08x: '%s', not '%s'", word, text, want);
    cr_assert_eq(n, (int)strlen(want));
}

Test(insn, assembly_is_in_qemus_columns)
{
    prints(0x00000297, "auipc                   t0,0                    "
                       "# 0x80000000");
    prints(0x02828613, "addi                    a2,t0,40");
    prints(0xf1402573, "csrrs                   a0,mhartid,zero");
    prints(0x0202b583, "ld                      a1,32(t0)");
    prints(0x00028067, "jr                      t0");
    prints(0x0000, "illegal                 ");
    prints(0x00009117, "auipc                   sp,9                    "
                       "# 0x80009000");
    prints(0x6505, "lui                     a0,1");
    prints(0x02000537, "lui                     a0,8192");
    prints(0x14051073, "csrrw                   zero,sscratch,a0");
    prints(0xfc050ae3, "beqz                    a0,-44                  "
                       "# 0x7fffffd4");
    prints(0xfadff0ef, "jal                     ra,-84                  "
                       "# 0x7fffffac");
}

Test(insn, usual_special_cases_have_their_own_names)
{
    prints(0x00000013, "nop                     ");
    prints(0x0001, "nop                     ");
    prints(0x852e, "mv                      a0,a1");
    prints(0x8082, "ret                     ");
    prints(0xfff5c513, "not                     a0,a1");
    prints(0x0005851b, "sext.w                  a0,a1");
    prints(0x0805853b, "zext.w                  a0,a1");
    prints(0x00b03533, "snez                    a0,a1");
    prints(0x8330000f, "fence.tso               ");
    prints(0xc0102573, "rdtime                  a0");
    prints(0x22b58553, "fmv.d                   fa0,fa1");
    prints(0xb5b1, "j                       -436                    "
                   "# 0x7ffffe4c");
}

Test(insn, operands_of_every_kind_are_printed)
{
    prints(0x06c5a52f, "amoadd.w.aqrl           a0,a2,(a1)");
    prints(0x1405b52f, "lr.d.aq                 a0,(a1)");
    prints(0x00c5f553, "fadd.s                  dyn,fa0,fa1,fa2");
    prints(0x6ac59543, "fmadd.d                 rtz,fa0,fa1,fa2,fa3");
    prints(0x0310000f, "fence                   rw,w");
    prints(0x7c002573, "csrrs                   a0,0x7c0,zero");
    prints(0x3001d073, "csrrwi                  zero,mstatus,3");
    prints(0x00a13427, "fsd                     fa0,8(sp)");
    prints(0xf21b0553, "fli.d                   fa0,3.0");
    prints(0x0045200f, "cbo.zero                (a0)");
    prints(0x12b50073, "sfence.vma              a0,a1");
    prints(0x6305d513, "rori                    a0,a1,48");
}

Test(insn, a_prepared_x0_still_prints_as_zero)
{
    char text[64];
    struct insn i = decode(0x0ff5f013);

    i.rd = 32;
    insn_disas(text, sizeof text, 0, &i);
    cr_assert_str_eq(text, "andi                    zero,a1,255");
}
