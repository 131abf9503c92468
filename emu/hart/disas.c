/* SPDX-License-Identifier: MIT */
/*
 * disas.c - prints instructions as QEMU's disassembler does: the name padded
 * to 24 columns, operands without blanks, addresses as a comment behind.
 *
 * The operand templates of insn.def are words and punctuation; a word is
 * replaced by what its printer says. Usual special cases have names of their
 * own (volume I, chapter "Assembly listings", pseudoinstructions).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "emu/hart/csr.h"
#include "emu/hart/insn.h"

enum { OPERANDS_COLUMN = 24, COMMENT_COLUMN = 48 };

static const char *const xreg[] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "zero",
};

static const char *const freg[] = {
    "ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
    "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

/* Special cases ------------------------------------------------------------ */

enum {
    RD_0 = 1,
    RS1_0 = 2,
    RS1_RA = 4,
    RS2_0 = 8,
    RS1_RS2 = 16, /* the same register */
    IMM = 32,     /* equals the row's imm */
};

static const struct special {
    uint16_t op, when;
    int32_t imm;
    const char *name, *operands;
} specials[] = {
    { OP_addi, RD_0 | RS1_0 | IMM, 0, "nop", "" },
    { OP_addi, IMM, 0, "mv", "rd,rs1" },
    { OP_xori, IMM, -1, "not", "rd,rs1" },
    { OP_sub, RS1_0, 0, "neg", "rd,rs2" },
    { OP_subw, RS1_0, 0, "negw", "rd,rs2" },
    { OP_add, RS1_0, 0, "mv", "rd,rs2" },
    { OP_addiw, IMM, 0, "sext.w", "rd,rs1" },
    { OP_add_uw, RS2_0, 0, "zext.w", "rd,rs1" },
    { OP_sltiu, IMM, 1, "seqz", "rd,rs1" },
    { OP_sltu, RS1_0, 0, "snez", "rd,rs2" },
    { OP_slt, RS2_0, 0, "sltz", "rd,rs1" },
    { OP_slt, RS1_0, 0, "sgtz", "rd,rs2" },
    { OP_beq, RS2_0, 0, "beqz", "rs1,target" },
    { OP_bne, RS2_0, 0, "bnez", "rs1,target" },
    { OP_bge, RS1_0, 0, "blez", "rs2,target" },
    { OP_bge, RS2_0, 0, "bgez", "rs1,target" },
    { OP_blt, RS2_0, 0, "bltz", "rs1,target" },
    { OP_blt, RS1_0, 0, "bgtz", "rs2,target" },
    { OP_jal, RD_0, 0, "j", "target" },
    { OP_jalr, RD_0 | RS1_RA | IMM, 0, "ret", "" },
    { OP_jalr, RD_0 | IMM, 0, "jr", "rs1" },
    { OP_fence, IMM, 0x833, "fence.tso", "" },
    { OP_csrrs, RS1_0 | IMM, 0xc00, "rdcycle", "rd" },
    { OP_csrrs, RS1_0 | IMM, 0xc01, "rdtime", "rd" },
    { OP_csrrs, RS1_0 | IMM, 0xc02, "rdinstret", "rd" },
    { OP_csrrs, RS1_0 | IMM, 1, "frflags", "rd" },
    { OP_csrrs, RS1_0 | IMM, 2, "frrm", "rd" },
    { OP_csrrs, RS1_0 | IMM, 3, "frcsr", "rd" },
    { OP_csrrw, IMM, 1, "fsflags", "rd,rs1" },
    { OP_csrrw, IMM, 2, "fsrm", "rd,rs1" },
    { OP_csrrw, IMM, 3, "fscsr", "rd,rs1" },
    { OP_csrrwi, IMM, 1, "fsflagsi", "rd,zimm" },
    { OP_csrrwi, IMM, 2, "fsrmi", "rd,zimm" },
    { OP_fsgnj_s, RS1_RS2, 0, "fmv.s", "frd,frs1" },
    { OP_fsgnjn_s, RS1_RS2, 0, "fneg.s", "frd,frs1" },
    { OP_fsgnjx_s, RS1_RS2, 0, "fabs.s", "frd,frs1" },
    { OP_fsgnj_d, RS1_RS2, 0, "fmv.d", "frd,frs1" },
    { OP_fsgnjn_d, RS1_RS2, 0, "fneg.d", "frd,frs1" },
    { OP_fsgnjx_d, RS1_RS2, 0, "fabs.d", "frd,frs1" },
    { OP_fsgnj_h, RS1_RS2, 0, "fmv.h", "frd,frs1" },
    { OP_fsgnjn_h, RS1_RS2, 0, "fneg.h", "frd,frs1" },
    { OP_fsgnjx_h, RS1_RS2, 0, "fabs.h", "frd,frs1" },
};

static bool names_x0(uint8_t r) { return r == 0 || r == X_SINK; }

static unsigned traits(const struct insn *i, int32_t imm)
{
    return (names_x0(i->rd) ? RD_0 : 0u) | (i->rs1 == 0 ? RS1_0 : 0u) |
           (i->rs1 == 1 ? RS1_RA : 0u) | (i->rs2 == 0 ? RS2_0 : 0u) |
           (i->rs1 == i->rs2 ? RS1_RS2 : 0u) | (i->imm == imm ? IMM : 0u);
}

static const struct special *special_case(const struct insn *i)
{
    for (size_t n = 0; n < sizeof specials / sizeof specials[0]; n++) {
        const struct special *s = &specials[n];

        if (s->op == i->op && !(s->when & ~traits(i, s->imm)))
            return s;
    }
    return NULL;
}

/* Operands ------------------------------------------------------------------ */

struct line {
    char text[128];
    int len;
    uint64_t pc;
    const struct insn *i;
};

static void put(struct line *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct line *l, const char *fmt, ...)
{
    size_t room = sizeof l->text - (size_t)l->len;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->len, room, fmt, ap);
    va_end(ap);
    l->len += n < (int)room ? n : (int)room - 1;
}

static void put_rd(struct line *l) { put(l, "%s", xreg[l->i->rd]); }
static void put_rs1(struct line *l) { put(l, "%s", xreg[l->i->rs1]); }
static void put_rs2(struct line *l) { put(l, "%s", xreg[l->i->rs2]); }
static void put_frd(struct line *l) { put(l, "%s", freg[l->i->rd]); }
static void put_frs1(struct line *l) { put(l, "%s", freg[l->i->rs1]); }
static void put_frs2(struct line *l) { put(l, "%s", freg[l->i->rs2]); }
static void put_frs3(struct line *l) { put(l, "%s", freg[l->i->rs3]); }
static void put_imm(struct line *l) { put(l, "%" PRId64, l->i->imm); }
static void put_uimm(struct line *l) { put(l, "%" PRId64, l->i->imm >> 12); }
static void put_zimm(struct line *l) { put(l, "%u", l->i->rs1); }

static void put_address(struct line *l)
{
    put(l, "%*s# 0x%" PRIx64, COMMENT_COLUMN - l->len, "",
        l->pc + (uint64_t)l->i->imm);
}

static void put_target(struct line *l)
{
    put_imm(l);
    put_address(l);
}

static void put_pcimm(struct line *l)
{
    put_uimm(l);
    put_address(l);
}

static void put_rm(struct line *l)
{
    static const char *const rm[] = { "rne", "rtz", "rdn", "rup",
                                      "rmm", "inv", "inv", "dyn" };

    put(l, "%s", rm[l->i->rm]);
}

static void put_csr(struct line *l)
{
    const char *name = csr_name((unsigned)l->i->imm);

    if (name)
        put(l, "%s", name);
    else
        put(l, "0x%03x", (unsigned)l->i->imm);
}

/* Four bits that name what a fence orders. */
static void put_fence_set(struct line *l, int shift)
{
    for (int n = 0; n < 4; n++)
        if (l->i->imm >> shift & (8 >> n))
            put(l, "%c", "iorw"[n]);
}

static void put_pred(struct line *l) { put_fence_set(l, 4); }
static void put_succ(struct line *l) { put_fence_set(l, 0); }

/* Zfa: fli's 32 constants, by the number in rs1. */
static void put_fli(struct line *l)
{
    static const char *const fli[32] = {
        "-1.0",
        "min",
        "1.52587890625e-05",
        "3.0517578125e-05",
        "0.00390625",
        "0.0078125",
        "0.0625",
        "0.125",
        "0.25",
        "0.3125",
        "0.375",
        "0.4375",
        "0.5",
        "0.625",
        "0.75",
        "0.875",
        "1.0",
        "1.25",
        "1.5",
        "1.75",
        "2.0",
        "2.5",
        "3.0",
        "4.0",
        "8.0",
        "16.0",
        "128.0",
        "256.0",
        "32768.0",
        "65536.0",
        "inf",
        "nan",
    };

    put(l, "%s", fli[l->i->rs1]);
}

static const struct word {
    const char *name;
    void (*put)(struct line *l);
} words[] = {
    { "rd", put_rd },         { "rs1", put_rs1 },   { "rs2", put_rs2 },
    { "frd", put_frd },       { "frs1", put_frs1 }, { "frs2", put_frs2 },
    { "frs3", put_frs3 },     { "imm", put_imm },   { "uimm", put_uimm },
    { "pcimm", put_pcimm },   { "zimm", put_zimm }, { "csr", put_csr },
    { "target", put_target }, { "rm", put_rm },     { "pred", put_pred },
    { "succ", put_succ },     { "fli", put_fli },
};

static void put_word(struct line *l, const char *word, size_t len)
{
    for (size_t n = 0; n < sizeof words / sizeof words[0]; n++)
        if (strlen(words[n].name) == len && !memcmp(words[n].name, word, len))
            words[n].put(l);
}

static void put_operands(struct line *l, const char *template)
{
    while (*template) {
        size_t len = strspn(template, "abcdefghijklmnopqrstuvwxyz0123456789");

        if (len)
            put_word(l, template, len);
        else
            put(l, "%c", *template);
        template += len ? len : 1;
    }
}

static bool is_atomic(const struct insn *i)
{
    return (i->raw & 0x7f) == 0x2f && i->op != OP_illegal;
}

int insn_disas(char *buf, size_t size, uint64_t pc, const struct insn *i)
{
    static const char *const order[] = { "", ".rl", ".aq", ".aqrl" };
    const struct special *s = special_case(i);
    struct line l = { .pc = pc, .i = i };

    put(&l, "%s%s", s ? s->name : insn_name(i->op),
        is_atomic(i) ? order[i->rm] : "");
    put(&l, "%*s", l.len < OPERANDS_COLUMN ? OPERANDS_COLUMN - l.len : 1, "");
    put_operands(&l, s ? s->operands : insn_operands(i->op));
    return snprintf(buf, size, "%s", l.text);
}
