/* SPDX-License-Identifier: MIT */
/*
 * fp_soft_test.c - the soft core against two others that know nothing of it:
 * the host's FPU in its four rounding modes, and a reference that computes in
 * 113-bit floating point, rounds that to odd, and rounds again by arithmetic.
 */
#include <criterion/criterion.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "emu/hart/fp.h"
#include "tests/unit/fp_vectors.h"

static const struct fp_format *const formats[] = { &fp_h, &fp_s, &fp_d };

static const char *format_name(const struct fp_format *f)
{
    return f->frac == 10 ? "half" : f->frac == 23 ? "single" : "double";
}

/* The reference ---------------------------------------------------------- */

#if LDBL_MANT_DIG == 113
#define QUAD long double
#else
#define QUAD __float128
#endif

__extension__ typedef unsigned __int128 bits128;

static bits128 quad_bits(QUAD q)
{
    bits128 v;

    memcpy(&v, &q, sizeof(v));
    return v;
}

static QUAD quad_of(bits128 v)
{
    QUAD q;

    memcpy(&q, &v, sizeof(q));
    return q;
}

static QUAD quad_pow2(int n) { return quad_of((bits128)(n + 16383) << 112); }

static int quad_exp(QUAD q)
{
    return (int)(quad_bits(q) >> 112 & 0x7fff) - 16383;
}

/* The value of a finite number. */
static QUAD value(const struct fp_format *f, uint64_t v)
{
    uint64_t mag = v & ~f->sign, frac = mag & ((UINT64_C(1) << f->frac) - 1);
    int exp = (int)(mag >> f->frac);
    QUAD q = (QUAD)(exp ? frac | UINT64_C(1) << f->frac : frac) *
             quad_pow2((exp ? exp : 1) - f->emax - f->frac);

    return v & f->sign ? -q : q;
}

/* x + y to odd: truncated, and the lowest bit set if that was a loss. */
static QUAD sum_to_odd(QUAD x, QUAD y)
{
    QUAD s = x + y, t = s - x, err = (x - (s - t)) + (y - t);
    bits128 v = quad_bits(s);

    if (err == 0)
        return s;
    if ((err < 0) != (s < 0))
        v--;
    return quad_of(v | 1);
}

/* Rounds |x| to a multiple of 2^exp by the rules of rm. */
static QUAD round_at(QUAD x, bool sign, int exp, unsigned rm, bool *inexact)
{
    QUAD n = x * quad_pow2(-exp), whole = (QUAD)(uint64_t)n, rest = n - whole;
    bool odd = (uint64_t)n & 1;
    bool up[] = {
        [RM_RNE] = rest > (QUAD)0.5 || (rest == (QUAD)0.5 && odd),
        [RM_RTZ] = false,
        [RM_RDN] = sign && rest > 0,
        [RM_RUP] = !sign && rest > 0,
        [RM_RMM] = rest >= (QUAD)0.5,
    };

    *inexact = rest > 0;
    return (whole + (QUAD)up[rm]) * quad_pow2(exp);
}

static uint64_t encode(const struct fp_format *f, QUAD x, bool sign)
{
    int exp = quad_exp(x), emin = 1 - f->emax;
    uint64_t v;

    if (x == 0)
        v = 0;
    else if (exp < emin)
        v = (uint64_t)(x * quad_pow2(f->frac - emin));
    else
        v = (uint64_t)(x * quad_pow2(f->frac - exp)) +
            ((uint64_t)(exp - emin) << f->frac);
    return v | (sign ? f->sign : 0);
}

/* What IEEE 754 says of an exact result x that is not zero. */
static uint64_t reference(const struct fp_format *f, QUAD x, struct fp_env *e)
{
    bool sign = x < 0, inexact, ignored;
    QUAD mag = sign ? -x : x, r, unbounded;
    int exp = quad_exp(mag), emin = 1 - f->emax;

    unbounded = round_at(mag, sign, exp - f->frac, e->rm, &ignored);
    r = round_at(mag, sign, (exp < emin ? emin : exp) - f->frac, e->rm,
                 &inexact);
    if (r >= quad_pow2(f->emax + 1)) {
        bool to_max = e->rm == RM_RTZ || e->rm == (sign ? RM_RUP : RM_RDN);

        e->flags |= FP_OF | FP_NX;
        return (to_max ? f->inf - 1 : f->inf) | (sign ? f->sign : 0);
    }
    if (inexact)
        e->flags |= unbounded < quad_pow2(emin) ? FP_UF | FP_NX : FP_NX;
    return encode(f, r, sign);
}

static bool finite_value(const struct fp_format *f, uint64_t v)
{
    return (v & ~f->sign) < f->inf;
}

static bool nonzero(const struct fp_format *f, uint64_t v)
{
    return finite_value(f, v) && (v & ~f->sign);
}

static void check(const char *what, const struct fp_format *f,
                  const uint64_t v[3], const struct fp_env *got_env,
                  uint64_t got, const struct fp_env *want_env, uint64_t want)
{
    if (got == want && got_env->flags == want_env->flags)
        return;
    cr_assert(false,
              "%s %s rm %u: %#lx %#lx %#lx: got %#lx flags %x, "
              "want %#lx flags %x",
              what, format_name(f), want_env->rm, (long)v[0], (long)v[1],
              (long)v[2], (long)got, got_env->flags, (long)want,
              want_env->flags);
}

/* Runs both and compares; x is the exact result. */
#define AGREE(what, call, x)                                                   \
    do {                                                                       \
        struct fp_env env = { .rm = (uint8_t)rm }, want_env = env;             \
        uint64_t got = call;                                                   \
        uint64_t want = reference(f, x, &want_env);                            \
                                                                               \
        check(what, f, v, &env, got, &want_env, want);                         \
    } while (0)

static void against_reference(const struct fp_format *f, unsigned rm,
                              const uint64_t v[3])
{
    QUAD a = value(f, v[0]), b = value(f, v[1]), c = value(f, v[2]);

    if (a + b != 0)
        AGREE("add", fp_add(f, v[0], v[1], &env), sum_to_odd(a, b));
    if (a - b != 0)
        AGREE("sub", fp_sub(f, v[0], v[1], &env), sum_to_odd(a, -b));
    if (a * b != 0)
        AGREE("mul", fp_mul(f, v[0], v[1], &env), a * b);
    if (a != 0 && b != 0)
        AGREE("div", fp_div(f, v[0], v[1], &env), a / b);
    if (a * b + c != 0)
        AGREE("fma", fp_fma(f, v[0], v[1], v[2], &env), sum_to_odd(a * b, c));
    if (f == &fp_h && a > 0)
        AGREE("sqrt", fp_sqrt(f, v[0], &env), (QUAD)sqrt((double)a));
}

Test(fp_soft, arithmetic_agrees_with_a_wider_reference)
{
    uint64_t seed = 1;

    for (long n = fp_count(200000); n--;) {
        const struct fp_format *f = formats[n % 3];
        uint64_t v[3];

        v[0] = fp_operand(f, f->one, &seed);
        v[1] = fp_operand(f, v[0], &seed);
        v[2] = fp_operand(f, fp_random(&seed) & 1 ? v[0] : v[1], &seed);
        if (finite_value(f, v[0]) && finite_value(f, v[1]) &&
            finite_value(f, v[2]))
            against_reference(f, (unsigned)(n / 3 % 5), v);
    }
}

Test(fp_soft, fma_agrees_where_the_product_cancels)
{
    uint64_t seed = 2;

    for (long n = fp_count(60000); n--;) {
        const struct fp_format *f = formats[n % 3];
        unsigned rm = (unsigned)(n / 3 % 5);
        struct fp_env env = { .rm = (uint8_t)rm };
        uint64_t v[3];

        v[0] = fp_operand(f, f->one, &seed);
        v[1] = fp_operand(f, f->one, &seed);
        v[2] = fp_mul(f, v[0], v[1], &env) ^ f->sign;
        v[2] += fp_random(&seed) % 3 - 1;
        if (nonzero(f, v[0]) && nonzero(f, v[1]) && nonzero(f, v[2]))
            against_reference(f, rm, v);
    }
}

Test(fp_soft, conversions_agree_with_the_reference)
{
    uint64_t seed = 3;

    for (long n = fp_count(150000); n--;) {
        const struct fp_format *from = formats[n % 3], *f = formats[n / 3 % 3];
        unsigned rm = (unsigned)(n / 9 % 5);
        uint64_t v[3] = { fp_operand(from, from->one, &seed) };
        uint64_t i = fp_random(&seed) >> (fp_random(&seed) & 63);

        if (nonzero(from, v[0]))
            AGREE("convert", fp_convert(f, from, v[0], &env),
                  value(from, v[0]));
        if (!(uint32_t)i)
            continue;
        v[0] = i;
        AGREE("from u64", fp_from_int(f, i, FP_U64, &env), (QUAD)i);
        AGREE("from i64", fp_from_int(f, i, FP_I64, &env), (QUAD)(int64_t)i);
        AGREE("from u32", fp_from_int(f, i, FP_U32, &env), (QUAD)(uint32_t)i);
        AGREE("from i32", fp_from_int(f, i, FP_I32, &env), (QUAD)(int32_t)i);
    }
}

/* To integers: x rounded at the units, then the range. */
static uint64_t reference_int(QUAD x, enum fp_int type, struct fp_env *e)
{
    static const struct {
        double min, end;
        uint64_t lowest, highest;
    } range[] = {
        [FP_I32] = { -0x1p31, 0x1p31, (uint64_t)INT32_MIN, INT32_MAX },
        [FP_U32] = { 0, 0x1p32, 0, UINT64_MAX },
        [FP_I64] = { -0x1p63, 0x1p63, (uint64_t)INT64_MIN, INT64_MAX },
        [FP_U64] = { 0, 0x1p64, 0, UINT64_MAX },
    };
    bool inexact = false;
    QUAD mag = x < 0 ? -x : x;

    /* Too large anyway; round_at has 64 bits. */
    if (mag < (QUAD)0x1p63)
        mag = round_at(mag, x < 0, 0, e->rm, &inexact);
    x = x < 0 ? -mag : mag;
    if (x < (QUAD)range[type].min || x >= (QUAD)range[type].end) {
        e->flags |= FP_NV;
        return x < 0 ? range[type].lowest : range[type].highest;
    }
    e->flags |= inexact ? FP_NX : 0;
    if (type == FP_U32)
        return (uint64_t)(int32_t)(uint32_t)(uint64_t)x;
    return x < 0 ? -(uint64_t)-x : (uint64_t)x;
}

Test(fp_soft, integers_agree_with_the_reference)
{
    uint64_t seed = 4;

    for (long n = fp_count(300000); n--;) {
        const struct fp_format *f = formats[n % 3];
        enum fp_int type = n / 3 % 4;
        struct fp_env got = { .rm = (uint8_t)(n / 12 % 5) }, want = got;
        uint64_t near = fp_from_int(f, UINT64_C(1) << (fp_random(&seed) & 63),
                                    FP_U64, &want);
        uint64_t v[3] = { fp_operand(f, near, &seed) };

        want.flags = 0;
        if (!finite_value(f, v[0]))
            continue;

        uint64_t r = fp_to_int(f, v[0], type, &got);

        check("to int", f, v, &got, r, &want,
              reference_int(value(f, v[0]), type, &want));
    }
}

Test(fp_soft, rounding_to_integral_agrees_with_the_reference)
{
    uint64_t seed = 5;

    for (long n = fp_count(150000); n--;) {
        const struct fp_format *f = formats[n % 3];
        struct fp_env got = { .rm = (uint8_t)(n / 3 % 5) }, want = got;
        uint64_t v[3] = { fp_operand(f, f->one + (UINT64_C(9) << f->frac),
                                     &seed) };

        if (!finite_value(f, v[0]))
            continue;

        bool sign = v[0] & f->sign, inexact = false;
        QUAD mag = value(f, v[0] & ~f->sign);

        if (mag < (QUAD)0x1p63)
            mag = round_at(mag, sign, 0, want.rm, &inexact);

        uint64_t r = encode(f, mag, sign), quiet = fp_round(f, v[0], &got);

        check("round", f, v, &got, quiet, &want, r);
        want.flags = inexact ? FP_NX : 0;
        check("round nx", f, v, &got, fp_round_nx(f, v[0], &got), &want, r);
    }
}

/* The host's FPU ----------------------------------------------------------- */

static const int host_modes[] = {
    [RM_RNE] = FE_TONEAREST,
    [RM_RTZ] = FE_TOWARDZERO,
    [RM_RDN] = FE_DOWNWARD,
    [RM_RUP] = FE_UPWARD,
};

static uint8_t host_flags(void)
{
    int raised = fetestexcept(FE_ALL_EXCEPT);

    return (uint8_t)((raised & FE_INEXACT ? FP_NX : 0) |
                     (raised & FE_UNDERFLOW ? FP_UF : 0) |
                     (raised & FE_OVERFLOW ? FP_OF : 0) |
                     (raised & FE_DIVBYZERO ? FP_DZ : 0) |
                     (raised & FE_INVALID ? FP_NV : 0));
}

enum host_op { ADD, SUB, MUL, DIV, SQRT, CONVERT, HOST_OPS };

static const char *const op_names[] = {
    [ADD] = "add", [SUB] = "sub",   [MUL] = "mul",
    [DIV] = "div", [SQRT] = "sqrt", [CONVERT] = "convert",
};

static uint64_t bits_d(double d)
{
    uint64_t v;

    memcpy(&v, &d, sizeof(v));
    return fp_is_nan(&fp_d, v) ? fp_d.nan : v;
}

static uint64_t bits_s(float s)
{
    uint32_t v;

    memcpy(&v, &s, sizeof(v));
    return fp_is_nan(&fp_s, v) ? fp_s.nan : v;
}

static double as_d(uint64_t v)
{
    double d;

    memcpy(&d, &v, sizeof(d));
    return d;
}

static float as_s(uint64_t v)
{
    uint32_t word = (uint32_t)v;
    float s;

    memcpy(&s, &word, sizeof(s));
    return s;
}

/* volatile: computed here and now, not before fesetround or after. */
static uint64_t host_double(enum host_op op, uint64_t va, uint64_t vb)
{
    volatile double a = as_d(va), b = as_d(vb), r;
    volatile float narrow;

    if (op == CONVERT) {
        narrow = (float)a;
        return bits_s(narrow);
    }
    r = op == ADD   ? a + b
        : op == SUB ? a - b
        : op == MUL ? a * b
        : op == DIV ? a / b
                    : sqrt(a);
    return bits_d(r);
}

static uint64_t host_single(enum host_op op, uint64_t va, uint64_t vb)
{
    volatile float a = as_s(va), b = as_s(vb), r;
    volatile double wide;

    if (op == CONVERT) {
        wide = (double)a;
        return bits_d(wide);
    }
    r = op == ADD   ? a + b
        : op == SUB ? a - b
        : op == MUL ? a * b
        : op == DIV ? a / b
                    : sqrtf(a);
    return bits_s(r);
}

static uint64_t soft(enum host_op op, const struct fp_format *f,
                     const uint64_t v[2], struct fp_env *e)
{
    switch (op) {
    case ADD:
        return fp_add(f, v[0], v[1], e);
    case SUB:
        return fp_sub(f, v[0], v[1], e);
    case MUL:
        return fp_mul(f, v[0], v[1], e);
    case DIV:
        return fp_div(f, v[0], v[1], e);
    case SQRT:
        return fp_sqrt(f, v[0], e);
    default:
        return fp_convert(f == &fp_d ? &fp_s : &fp_d, f, v[0], e);
    }
}

Test(fp_soft, arithmetic_agrees_with_the_hosts_fpu)
{
    uint64_t seed = 6;

    for (long n = fp_count(1000000); n--;) {
        const struct fp_format *f = n & 1 ? &fp_d : &fp_s;
        enum host_op op = n / 2 % HOST_OPS;
        struct fp_env got = { .rm = fp_random(&seed) & 3 }, want = got;
        uint64_t v[3] = { fp_operand(f, f->one, &seed) }, r;

        v[1] = fp_operand(f, v[0], &seed);
        fesetround(host_modes[got.rm]);
        feclearexcept(FE_ALL_EXCEPT);
        r = (f == &fp_d ? host_double : host_single)(op, v[0], v[1]);
        want.flags = host_flags();
        fesetround(FE_TONEAREST);
        check(op_names[op], f, v, &got, soft(op, f, v, &got), &want, r);
    }
}

/* What no random number tells ------------------------------------------------ */

Test(fp_soft, half_agrees_with_single_for_every_operand_of_a_conversion)
{
    for (unsigned v = 0; v < 0x10000; v++) {
        struct fp_env e = { 0 };
        uint64_t s = fp_convert(&fp_s, &fp_h, v, &e);

        if (fp_is_nan(&fp_h, v)) {
            cr_assert_eq(s, fp_s.nan);
            cr_assert_eq(e.flags, v & 0x200 ? 0 : FP_NV);
            continue;
        }
        cr_assert_eq(fp_convert(&fp_h, &fp_s, s, &e), v);
        cr_assert_eq(
            fp_convert(&fp_h, &fp_d, fp_convert(&fp_d, &fp_h, v, &e), &e), v);
        cr_assert_eq(e.flags, 0);
        cr_assert_eq(fp_class(&fp_h, v) == 1 << 5 || fp_class(&fp_h, v) == 4,
                     (v & 0x7fff) > 0 && (v & 0x7fff) < 0x400);
    }
}

struct row {
    uint64_t a, b, c, want;
    uint8_t flags;
};

static const uint64_t d_inf = UINT64_C(0x7ff0000000000000),
                      d_nan = UINT64_C(0x7ff8000000000000),
                      d_snan = UINT64_C(0x7ff0000000000001),
                      d_neg = UINT64_C(1) << 63,
                      d_one = UINT64_C(0x3ff0000000000000);

Test(fp_soft, fma_of_specials_follows_the_manual)
{
    struct row rows[] = {
        { d_inf, 0, d_nan, d_nan, FP_NV }, /* inf * 0 + qNaN is invalid */
        { 0, d_inf, d_one, d_nan, FP_NV },
        { d_inf, d_one, d_inf | d_neg, d_nan, FP_NV },
        { d_inf, d_one, d_inf, d_inf, 0 },
        { d_one, d_one, d_inf | d_neg, d_inf | d_neg, 0 },
        { d_nan, d_one, d_one, d_nan, 0 },
        { d_one, d_one, d_snan, d_nan, FP_NV },
        { d_neg, d_one, d_neg, d_neg, 0 },
        { d_neg, d_one, 0, 0, 0 },
        { d_one, d_one, d_one | d_neg, 0, 0 },
        { 0, 0, 1, 1, 0 }, /* a subnormal that is exact is no underflow */
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct fp_env e = { .rm = RM_RNE };

        cr_expect_eq(fp_fma(&fp_d, rows[n].a, rows[n].b, rows[n].c, &e),
                     rows[n].want, "row %zu", n);
        cr_expect_eq(e.flags, rows[n].flags, "row %zu", n);
    }
}

Test(fp_soft, exact_zero_sums_are_negative_only_when_rounding_down)
{
    for (uint8_t rm = RM_RNE; rm <= RM_RMM; rm++) {
        struct fp_env e = { .rm = rm };
        uint64_t want = rm == RM_RDN ? d_neg : 0;

        cr_expect_eq(fp_sub(&fp_d, d_one, d_one, &e), want);
        cr_expect_eq(fp_add(&fp_d, 0, d_neg, &e), want);
        cr_expect_eq(fp_add(&fp_d, d_neg, d_neg, &e), d_neg);
        cr_expect_eq(fp_add(&fp_d, 0, 0, &e), 0);
        cr_expect_eq(e.flags, 0);
    }
}

Test(fp_soft, division_by_zero_and_invalid_operations_raise_their_flags)
{
    struct fp_env e = { 0 };

    cr_expect_eq(fp_div(&fp_d, d_one, d_neg, &e), d_inf | d_neg);
    cr_expect_eq(e.flags, FP_DZ);
    e.flags = 0;
    cr_expect_eq(fp_div(&fp_d, 0, 0, &e), d_nan);
    cr_expect_eq(fp_div(&fp_d, d_inf, d_inf, &e), d_nan);
    cr_expect_eq(e.flags, FP_NV);
    e.flags = 0;
    cr_expect_eq(fp_div(&fp_d, d_inf, 0, &e), d_inf);
    cr_expect_eq(fp_sqrt(&fp_d, d_neg, &e), d_neg);
    cr_expect_eq(e.flags, 0);
    cr_expect_eq(fp_sqrt(&fp_d, d_one | d_neg, &e), d_nan);
    cr_expect_eq(e.flags, FP_NV);
}

Test(fp_soft, min_and_max_prefer_numbers_and_order_zeros)
{
    struct {
        fp_fn2 *fn;
        struct row row;
    } rows[] = {
        { fp_min, { 0, d_neg, 0, d_neg, 0 } },
        { fp_min, { d_neg, 0, 0, d_neg, 0 } },
        { fp_max, { d_neg, 0, 0, 0, 0 } },
        { fp_max, { 0, d_neg, 0, 0, 0 } },
        { fp_min, { d_nan, d_one, 0, d_one, 0 } },
        { fp_max, { d_one, d_nan, 0, d_one, 0 } },
        { fp_min, { d_snan, d_one, 0, d_one, FP_NV } },
        { fp_max, { d_nan | 5, d_nan | 7, 0, d_nan, 0 } },
        { fp_minm, { d_nan, d_one, 0, d_nan, 0 } },
        { fp_maxm, { d_one, d_snan, 0, d_nan, FP_NV } },
        { fp_maxm, { d_neg, 0, 0, 0, 0 } },
        { fp_minm, { d_inf, d_one, 0, d_one, 0 } },
        { fp_eq, { d_nan, d_nan, 0, 0, 0 } },
        { fp_eq, { d_snan, d_one, 0, 0, FP_NV } },
        { fp_eq, { 0, d_neg, 0, 1, 0 } },
        { fp_lt, { d_nan, d_one, 0, 0, FP_NV } },
        { fp_le, { d_one, d_nan, 0, 0, FP_NV } },
        { fp_ltq, { d_nan, d_one, 0, 0, 0 } },
        { fp_leq, { d_snan, d_one, 0, 0, FP_NV } },
        { fp_lt, { d_neg, 0, 0, 0, 0 } },
        { fp_le, { 0, d_neg, 0, 1, 0 } },
        { fp_lt, { d_inf | d_neg, d_one | d_neg, 0, 1, 0 } },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct fp_env e = { 0 };
        const struct row *r = &rows[n].row;

        cr_expect_eq(rows[n].fn(&fp_d, r->a, r->b, &e), r->want, "row %zu", n);
        cr_expect_eq(e.flags, r->flags, "row %zu", n);
    }
}

Test(fp_soft, not_a_number_and_infinity_saturate_integers)
{
    struct {
        enum fp_int type;
        uint64_t nan, low;
    } rows[] = {
        { FP_I32, INT32_MAX, (uint64_t)INT32_MIN },
        { FP_U32, UINT64_MAX, 0 },
        { FP_I64, INT64_MAX, (uint64_t)INT64_MIN },
        { FP_U64, UINT64_MAX, 0 },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct fp_env e = { .rm = RM_RTZ };

        cr_expect_eq(fp_to_int(&fp_d, d_nan | d_neg, rows[n].type, &e),
                     rows[n].nan);
        cr_expect_eq(fp_to_int(&fp_d, d_inf, rows[n].type, &e), rows[n].nan);
        cr_expect_eq(fp_to_int(&fp_d, d_inf | d_neg, rows[n].type, &e),
                     rows[n].low);
        cr_expect_eq(e.flags, FP_NV);
    }
}

Test(fp_soft, modular_conversion_wraps_and_flags_like_fcvt_w)
{
    struct {
        double v;
        int32_t want;
        uint8_t flags;
    } rows[] = {
        { 0.0, 0, 0 },
        { -1.5, -1, FP_NX },
        { 0x1p31, INT32_MIN, FP_NV },
        { -0x1p31, INT32_MIN, 0 },
        { -0x1p31 - 0.5, INT32_MIN, FP_NX },
        { 0x1p32 + 5, 5, FP_NV },
        { -0x1p32 - 5, -5, FP_NV },
        { 0x1.000001p40, 0x10000, FP_NV },
        { 0x1.fffffffffffffp84, 0, FP_NV },
        { 0x1.fffffffffffffp83, INT32_MIN, FP_NV },
        { 0x1p95, 0, FP_NV },
        { 0x1p1000, 0, FP_NV },
        { (double)INFINITY, 0, FP_NV },
        { (double)NAN, 0, FP_NV },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct fp_env e = { .rm = RM_RTZ };
        uint64_t got = fp_to_int_modular(&fp_d, bits_d(rows[n].v), &e);

        cr_expect_eq(got, (uint64_t)rows[n].want, "row %zu: %#lx", n,
                     (long)got);
        cr_expect_eq(e.flags, rows[n].flags, "row %zu", n);
    }
}

Test(fp_soft, the_constants_of_fli_are_those_of_the_manual)
{
    double table[32] = {
        -1.0,
        0,
        0x1p-16,
        0x1p-15,
        0x1p-8,
        0x1p-7,
        0.0625,
        0.125,
        0.25,
        0.3125,
        0.375,
        0.4375,
        0.5,
        0.625,
        0.75,
        0.875,
        1.0,
        1.25,
        1.5,
        1.75,
        2.0,
        2.5,
        3.0,
        4.0,
        8.0,
        16.0,
        128.0,
        256.0,
        0x1p15,
        0x1p16,
        (double)INFINITY,
        0,
    };

    for (unsigned n = 0; n < 32; n++) {
        for (size_t k = 0; k < 3; k++) {
            const struct fp_format *f = formats[k];
            struct fp_env e = { 0 };
            uint64_t want = n == 1 ? UINT64_C(1) << f->frac
                            : n == 31
                                ? f->nan
                                : fp_convert(f, &fp_d, bits_d(table[n]), &e);

            cr_expect_eq(fp_constant(f, n), want, "%u", n);
        }
    }
}

Test(fp_soft, classes_are_told_apart)
{
    struct {
        uint64_t v, want;
    } rows[] = {
        { d_inf | d_neg, 1 << 0 },
        { d_one | d_neg, 1 << 1 },
        { d_neg | 1, 1 << 2 },
        { d_neg, 1 << 3 },
        { 0, 1 << 4 },
        { 1, 1 << 5 },
        { d_one, 1 << 6 },
        { d_inf, 1 << 7 },
        { d_snan, 1 << 8 },
        { d_nan | d_neg, 1 << 9 },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        cr_expect_eq(fp_class(&fp_d, rows[n].v), rows[n].want, "row %zu", n);
}
