/* SPDX-License-Identifier: MIT */
/*
 * fp_diff.c - FP instructions compared with another implementation:
 *
 *     fp_diff make COUNT SEED > in; qemu-riscv64 fp_exec < in > out
 *     fp_diff check in out
 *
 * Every row of insn.def that computes with f registers is encoded from its
 * pattern, COUNT operands each, in every static rounding mode and all dynamic
 * ones; ebreak decodes and executes it, twice: where the host's FPU may be
 * used and where it may not.
 */
#include "tests/diff/fp_diff.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "emu/hart/fp.h"
#include "emu/hart/interp.h"
#include "tests/unit/fp_vectors.h"

static const struct row {
    const char *name, *pattern, *operands, *ext;
    op_fn *fn;
} rows[] = {
#define INSN(name, pattern, format, operands, ext, ...)                        \
    { #name, pattern, operands, #ext, op_##name },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), RD = 10 };
enum { FIRST_OP = OP_block_end + 1 }; /* rows[0] */

/* skip: extensions the other side lacks, say "ZFA"; "" for none. */
static bool wanted(const struct row *r, const char *skip)
{
    return r->name[0] == 'f' && !strchr(r->operands, '(') &&
           strncmp(r->name, "fence", 5) &&
           (!*skip || strncmp(r->ext, skip, strlen(skip)));
}

/* The pattern's dots are fields, from bit 31 on: three bits are rm, five are
 * a register: by their place rs3, rs2, rs1, rd. */
static uint32_t encode(const struct row *r, uint32_t rm)
{
    uint32_t word = 0, fields = RD << 7 | (RD + 1) << 15 | (RD + 2) << 20 |
                                rm << 12 | (uint32_t)(RD + 3) << 27;
    int bit = 31;

    for (const char *p = r->pattern; *p; p++) {
        if (*p == ' ')
            continue;
        word |= (*p == '.' ? fields >> bit & 1 : (uint32_t)(*p == '1')) << bit;
        bit--;
    }
    assert(bit == -1);
    return word;
}

static const struct fp_format *source_format(const struct row *r)
{
    char last = r->name[strlen(r->name) - 1];

    return last == 'h' ? &fp_h : last == 's' ? &fp_s : &fp_d;
}

static uint64_t reg(const struct fp_format *f, uint64_t near, uint64_t *seed)
{
    uint64_t v = fp_box(f, fp_operand(f, near & ~f->box, seed));

    return fp_random(seed) % 32 ? v : v & fp_random(seed);
}

static void make_batch(const struct row *r, uint32_t rm, uint32_t count,
                       uint64_t *seed)
{
    const struct fp_format *f = source_format(r);
    struct fp_batch b = { encode(r, rm), count };

    fwrite(&b, sizeof(b), 1, stdout);
    while (count--) {
        uint64_t random = fp_random(seed);
        struct fp_in in = { .x = fp_random(seed) >> (random & 63) };

        in.f[0] = reg(f, f->one, seed);
        in.f[1] = reg(f, in.f[0], seed);
        in.f[2] = reg(f, in.f[random >> 8 & 1], seed);
        in.fcsr = (random >> 16) % 5 << 5 | (random >> 24 & 3 ? FP_NX : 0);
        fwrite(&in, sizeof(in), 1, stdout);
    }
}

static void make_batches(const struct row *r, uint32_t rm, uint32_t count,
                         uint64_t *seed)
{
    for (; count > FP_BATCH; count -= FP_BATCH)
        make_batch(r, rm, FP_BATCH, seed);
    make_batch(r, rm, count, seed);
}

static int make(uint32_t count, uint64_t seed, const char *skip)
{
    for (size_t n = 0; n < ROWS; n++) {
        bool rounds = strstr(rows[n].pattern, " ... ");

        if (!wanted(&rows[n], skip))
            continue;
        for (uint32_t rm = 0; rm < (rounds ? 8 : 1); rm++)
            if (rm != 5 && rm != 6)
                make_batches(&rows[n], rm, count, &seed);
    }
    return 0;
}

static const struct insn *stop(struct hart *h, const struct insn *i)
{
    (void)h;
    return i - 1;
}

static struct fp_out run(struct insn code[2], const struct fp_in *in,
                         uint64_t fs)
{
    static struct hart h;

    h.mstatus = fs;
    memcpy(&h.f[RD + 1], in->f, sizeof(in->f));
    h.f[RD] = 0;
    h.x[RD] = 0;
    h.x[RD + 1] = in->x;
    h.fflags = in->fcsr & 31;
    h.frm = (uint8_t)(in->fcsr >> 5);
    code->fn(&h, code);
    return (struct fp_out){ h.f[RD], h.x[RD], h.fflags | (uint64_t)h.frm << 5 };
}

static bool check_one(struct insn code[2], const struct fp_in *in,
                      const struct fp_out *want)
{
    static const uint64_t fs[] = { UINT64_C(3) << 13, UINT64_C(2) << 13 };

    for (int n = 0; n < 2; n++) {
        struct fp_out got = run(code, in, fs[n]);

        if (!memcmp(&got, want, sizeof(got)))
            continue;
        printf("%s %08x rm %u fcsr %02lx f %016lx %016lx %016lx x %016lx: "
               "%016lx %016lx %02lx, other %016lx %016lx %02lx\n",
               insn_name(code->op), code->raw, code->rm, (long)in->fcsr,
               (long)in->f[0], (long)in->f[1], (long)in->f[2], (long)in->x,
               (long)got.f, (long)got.x, (long)got.fcsr, (long)want->f,
               (long)want->x, (long)want->fcsr);
        return false;
    }
    return true;
}

static int check(FILE *in_file, FILE *out_file)
{
    uint64_t every[(EXT_COUNT + 63) / 64];
    struct fp_batch b;
    struct fp_in in;
    struct fp_out out;
    long total = 0, bad = 0;

    memset(every, 0xff, sizeof(every));
    insn_init();
    while (fread(&b, sizeof(b), 1, in_file)) {
        struct insn code[2] = { insn_decode(b.insn, every), { .fn = stop } };

        if (code->op < FIRST_OP) {
            printf("%08x is illegal\n", b.insn);
            return 1;
        }
        code->fn = rows[code->op - FIRST_OP].fn;
        for (; b.count; b.count--, total++) {
            if (!fread(&in, sizeof(in), 1, in_file) ||
                !fread(&out, sizeof(out), 1, out_file)) {
                printf("%s: no answer\n", insn_name(code->op));
                return 1;
            }
            bad += !check_one(code, &in, &out);
        }
    }
    printf("%ld FP instructions compared, %ld differ\n", total, bad);
    return bad || !total;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "make"))
        return make((uint32_t)atoi(argv[2]), strtoull(argv[3], NULL, 0),
                    argv[4]);
    if (argc == 4 && !strcmp(argv[1], "check")) {
        FILE *in = fopen(argv[2], "rb"), *out = fopen(argv[3], "rb");

        return in && out ? check(in, out) : 1;
    }
    fprintf(stderr, "usage: fp_diff make COUNT SEED SKIP\n"
                    "       fp_diff check IN OUT\n");
    return 2;
}
