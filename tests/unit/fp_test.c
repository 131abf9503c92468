/* SPDX-License-Identifier: MIT */
/*
 * fp_test.c - FP instructions, all of insn.def's: that the way over the
 * host's FPU and the way through the soft core agree, and what they do to FS,
 * boxes and rounding modes that do not exist.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "emu/hart/fp.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu.h"
#include "tests/unit/fp_vectors.h"

struct fp_op {
    const char *name, *operands;
    op_fn *fn;
};

static const struct fp_op all_ops[] = {
#define INSN(name, pattern, format, operands, ...)                             \
    { #name, operands, op_##name },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { OPS = sizeof(all_ops) / sizeof(all_ops[0]) };

/* FP instructions but for loads, stores, and those that are none. */
static bool is_fp(const struct fp_op *op)
{
    return op->name[0] == 'f' && !strchr(op->operands, '(') &&
           strncmp(op->name, "fence", 5);
}

static bool rounds(const struct fp_op *op)
{
    return !strncmp(op->operands, "rm,", 3) && strcmp(op->name, "fcvtmod_w_d");
}

static bool writes_f(const struct fp_op *op)
{
    return strstr(op->operands, "frd") != NULL;
}

static const struct fp_op *find(const char *name)
{
    for (size_t n = 0; n < OPS; n++)
        if (!strcmp(all_ops[n].name, name))
            return &all_ops[n];
    cr_assert(false, "no %s", name);
    return NULL;
}

static const struct fp_format *source_format(const struct fp_op *op)
{
    switch (op->name[strlen(op->name) - 1]) {
    case 'h':
        return &fp_h;
    case 's':
        return &fp_s;
    default:
        return &fp_d;
    }
}

static const struct insn *stop(struct hart *h, const struct insn *i)
{
    (void)h;
    return i - 1;
}

enum { CLEAN = 2 << 13, DIRTY = 3 << 13 };

static struct hart *new_hart(uint64_t mstatus)
{
    struct hart *h = calloc(1, sizeof(*h) + sizeof(struct hart_caches));

    mmu_flush(h);
    h->mstatus = mstatus;
    h->priv = PRIV_M;
    h->mtvec = 0x1000;
    return h;
}

/* rd is 4, the sources are 1, 2, 3. */
static void run(struct hart *h, const struct fp_op *op, unsigned rm)
{
    struct insn code[2] = {
        { .fn = op->fn,
          .raw = 0x12345678,
          .rd = 4,
          .rs1 = 1,
          .rs2 = 2,
          .rs3 = 3,
          .rm = (uint8_t)rm,
          .len = 4 },
        { .fn = stop },
    };

    cr_assert_eq(op->fn(h, code), code);
}

static bool trapped(const struct hart *h)
{
    return h->mcause == CAUSE_ILLEGAL && h->mtval == 0x12345678;
}

static uint64_t random_reg(const struct fp_format *f, uint64_t near,
                           uint64_t *seed)
{
    uint64_t v = fp_box(f, fp_operand(f, near & ~f->box, seed));

    /* Once in a while, a box that is none. */
    return fp_random(seed) % 32 ? v : v & fp_random(seed);
}

struct outcome {
    uint64_t f, x;
    uint8_t flags;
};

static struct outcome outcome(const struct hart *in, uint64_t fs,
                              const struct fp_op *op, unsigned rm)
{
    static struct hart *h;

    if (!h)
        h = new_hart(0);
    h->mstatus = fs;
    memcpy(h->x, in->x, sizeof(h->x));
    memcpy(h->f, in->f, sizeof(h->f));
    h->frm = in->frm;
    h->fflags = in->fflags;
    run(h, op, rm);
    return (struct outcome){ h->f[4], h->x[4], h->fflags };
}

static void compare(const struct hart *in, const struct fp_op *op, unsigned rm)
{
    struct outcome host = outcome(in, DIRTY, op, rm);
    struct outcome soft = outcome(in, CLEAN, op, rm);

    if (host.f == soft.f && host.x == soft.x && host.flags == soft.flags)
        return;
    cr_assert(false,
              "%s rm %u frm %u flags %x f %#lx %#lx %#lx x %#lx: host %#lx "
              "%#lx flags %x, soft %#lx %#lx flags %x",
              op->name, rm, in->frm, in->fflags, (long)in->f[1], (long)in->f[2],
              (long)in->f[3], (long)in->x[1], (long)host.f, (long)host.x,
              host.flags, (long)soft.f, (long)soft.x, soft.flags);
}

Test(fp, the_hosts_fpu_and_the_soft_core_agree)
{
    struct hart *in = new_hart(0);
    uint64_t seed = 11;

    for (long n = fp_count(20000); n--;) {
        for (size_t k = 0; k < OPS; k++) {
            const struct fp_op *op = &all_ops[k];
            const struct fp_format *f = source_format(op);
            uint64_t r;

            if (!is_fp(op))
                continue;
            r = fp_random(&seed);
            in->f[1] = random_reg(f, f->one + ((r >> 48 & 63) << f->frac),
                                  &seed); /* 2^0 to 2^63 */
            in->f[2] = random_reg(f, in->f[1], &seed);
            in->f[3] = random_reg(f, in->f[r & 1 ? 1 : 2], &seed);
            in->x[1] = fp_random(&seed) >> (r >> 1 & 63);
            in->frm = r >> 8 & 7 ? RM_RNE : (r >> 16) % 5;
            in->fflags = r >> 24 & 3 ? FP_NX : 0;
            compare(in, op, r >> 32 & 1 ? RM_DYN : (r >> 40) % 5);
        }
    }
    free(in);
}

Test(fp, everything_is_illegal_while_fs_is_off)
{
    for (size_t k = 0; k < OPS; k++) {
        struct hart *h = new_hart(0);

        if (is_fp(&all_ops[k])) {
            run(h, &all_ops[k], RM_RNE);
            cr_expect(trapped(h), "%s", all_ops[k].name);
            cr_expect_eq(h->f[4], 0);
            cr_expect_eq(h->x[4], 0);
        }
        free(h);
    }
}

static bool illegal_with(const struct fp_op *op, unsigned rm, uint8_t frm)
{
    struct hart *h = new_hart(DIRTY);
    bool was;

    h->frm = frm;
    run(h, op, rm);
    was = trapped(h);
    free(h);
    return was;
}

Test(fp, reserved_rounding_modes_are_illegal_where_something_rounds)
{
    for (size_t k = 0; k < OPS; k++) {
        const struct fp_op *op = &all_ops[k];

        if (!is_fp(op))
            continue;
        for (uint8_t rm = 0; rm < 8; rm++) {
            bool reserved = rm > RM_RMM && rounds(op);

            cr_expect_eq(illegal_with(op, RM_DYN, rm), reserved, "%s frm %u",
                         op->name, rm);
            if (rm != RM_DYN)
                cr_expect_eq(illegal_with(op, rm, 0), reserved, "%s rm %u",
                             op->name, rm);
        }
    }
}

Test(fp, writing_an_f_register_makes_fs_dirty_and_reading_does_not)
{
    for (size_t k = 0; k < OPS; k++) {
        struct hart *h = new_hart(CLEAN);
        const struct fp_format *f = source_format(&all_ops[k]);

        h->f[1] = h->f[2] = h->f[3] = fp_box(f, f->one);
        if (is_fp(&all_ops[k])) {
            run(h, &all_ops[k], RM_RNE);
            cr_expect_eq(h->mstatus & MSTATUS_FS,
                         (uint64_t)(writes_f(&all_ops[k]) ? DIRTY : CLEAN),
                         "%s", all_ops[k].name);
        }
        free(h);
    }
}

Test(fp, raising_a_flag_makes_fs_dirty)
{
    struct hart *h = new_hart(CLEAN);

    h->f[1] = fp_d.inf + 1; /* signaling */
    run(h, find("feq_d"), 0);
    cr_expect_eq(h->fflags, FP_NV);
    cr_expect_eq(h->mstatus & MSTATUS_FS, (uint64_t)DIRTY);
    free(h);
}

Test(fp, an_operand_that_is_not_boxed_is_the_canonical_nan)
{
    struct hart *h = new_hart(DIRTY);

    h->f[1] = fp_s.one; /* no ones above it */
    h->f[2] = fp_box(&fp_s, fp_s.one | fp_s.sign);
    run(h, find("fadd_s"), RM_RNE);
    cr_expect_eq(h->f[4], fp_box(&fp_s, fp_s.nan));
    cr_expect_eq(h->fflags, 0);
    run(h, find("fsgnj_s"), 0);
    cr_expect_eq(h->f[4], fp_box(&fp_s, fp_s.nan | fp_s.sign));
    run(h, find("fmin_s"), 0);
    cr_expect_eq(h->f[4], h->f[2]);
    run(h, find("fclass_s"), 0);
    cr_expect_eq(h->x[4], 1 << 9);
    run(h, find("fcvt_d_s"), RM_RNE);
    cr_expect_eq(h->f[4], fp_d.nan);
    h->f[1] = fp_box(&fp_s, fp_h.one); /* boxed for single only */
    run(h, find("fcvt_s_h"), RM_RNE);
    cr_expect_eq(h->f[4], fp_box(&fp_s, fp_s.nan));
    free(h);
}

Test(fp, moves_do_not_look_at_boxes)
{
    struct hart *h = new_hart(DIRTY);

    h->f[1] = UINT64_C(0x123456789abcdef0);
    run(h, find("fmv_x_w"), 0);
    cr_expect_eq(h->x[4], UINT64_C(0xffffffff9abcdef0));
    run(h, find("fmv_x_h"), 0);
    cr_expect_eq(h->x[4], UINT64_C(0xffffffffffffdef0));
    run(h, find("fmv_x_d"), 0);
    cr_expect_eq(h->x[4], h->f[1]);
    h->x[1] = UINT64_C(0x1111222233334444);
    run(h, find("fmv_w_x"), 0);
    cr_expect_eq(h->f[4], UINT64_C(0xffffffff33334444));
    run(h, find("fmv_h_x"), 0);
    cr_expect_eq(h->f[4], UINT64_C(0xffffffffffff4444));
    run(h, find("fmv_d_x"), 0);
    cr_expect_eq(h->f[4], h->x[1]);
    free(h);
}

Test(fp, fused_operations_negate_as_their_names_say)
{
    struct {
        const char *name;
        double want;
    } rows[] = {
        { "fmadd_d", 2.0 * 3 + 5 },
        { "fmsub_d", 2.0 * 3 - 5 },
        { "fnmsub_d", -(2.0 * 3) + 5 },
        { "fnmadd_d", -(2.0 * 3) - 5 },
    };
    double in[] = { 2, 3, 5 };

    for (int k = 0; k < 8; k++) {
        struct hart *h = new_hart(k & 1 ? CLEAN : DIRTY);
        double got;

        h->fflags = FP_NX;
        memcpy(&h->f[1], in, sizeof(in));
        run(h, find(rows[k / 2].name), RM_DYN);
        memcpy(&got, &h->f[4], sizeof(got));
        cr_expect_eq(got, rows[k / 2].want, "%s", rows[k / 2].name);
        free(h);
    }
}

Test(fp, integer_sources_are_as_wide_and_signed_as_their_names_say)
{
    struct {
        const char *name;
        double want;
    } rows[] = {
        { "fcvt_d_w", -1 },
        { "fcvt_d_wu", 0xffffffff },
        { "fcvt_d_l", -1 },
        { "fcvt_d_lu", 0x1p64 },
    };

    for (int k = 0; k < 8; k++) {
        struct hart *h = new_hart(k & 1 ? CLEAN : DIRTY);
        double got;

        h->x[1] = UINT64_MAX;
        run(h, find(rows[k / 2].name), RM_DYN);
        memcpy(&got, &h->f[4], sizeof(got));
        cr_expect_eq(got, rows[k / 2].want, "%s", rows[k / 2].name);
        free(h);
    }
}
