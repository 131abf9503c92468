/* SPDX-License-Identifier: MIT */
/* ops_int_test.c - what the integer instructions compute. */
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

static struct rig *g;

static void set_up(void) { g = rig_new("max"); }
static void tear_down(void) { rig_free(g); }

TestSuite(ops_int, .init = set_up, .fini = tear_down);

enum { A0 = 10, A1 = 11, A2 = 12 };

/* a0 after word, with a1 = a and a2 = b. */
static uint64_t result(uint32_t word, uint64_t a, uint64_t b)
{
    PROGRAM(g, word);
    g->h->x[A0] = 0x5555;
    g->h->x[A1] = a;
    g->h->x[A2] = b;
    cr_assert_eq(hart_run(g->h, 1), 1);
    cr_assert_eq(g->h->pc, CODE + 4, "%08x trapped", word);
    return g->h->x[A0];
}

#define MIN64  (UINT64_C(1) << 63)
#define NEG(n) ((uint64_t) - (int64_t)(n))

struct r_row {
    enum op op;
    uint64_t a, b, want;
};

static void check_r(const struct r_row *t, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint64_t got = result(enc_r(t[k].op, A0, A1, A2), t[k].a, t[k].b);

        cr_assert_eq(got, t[k].want, "%s 0x%lx, 0x%lx: 0x%lx, not 0x%lx",
                     insn_name(t[k].op), t[k].a, t[k].b, got, t[k].want);
    }
}

struct i_row {
    enum op op;
    uint64_t a;
    int imm;
    uint64_t want;
};

static void check_i(const struct i_row *t, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint64_t got = result(enc_i(t[k].op, A0, A1, t[k].imm), t[k].a, 0);

        cr_assert_eq(got, t[k].want, "%s 0x%lx, %d: 0x%lx, not 0x%lx",
                     insn_name(t[k].op), t[k].a, t[k].imm, got, t[k].want);
    }
}

#define CHECK_R(...)                                                           \
    check_r((const struct r_row[]){ __VA_ARGS__ },                             \
            sizeof((const struct r_row[]){ __VA_ARGS__ }) /                    \
                sizeof(struct r_row))
#define CHECK_I(...)                                                           \
    check_i((const struct i_row[]){ __VA_ARGS__ },                             \
            sizeof((const struct i_row[]){ __VA_ARGS__ }) /                    \
                sizeof(struct i_row))

Test(ops_int, arithmetic_and_logic)
{
    CHECK_R({ OP_add, UINT64_MAX, 2, 1 }, { OP_sub, 1, 2, UINT64_MAX },
            { OP_and, 0xff0f, 0x0ff0, 0x0f00 }, { OP_or, 0xf0, 0x0f, 0xff },
            { OP_xor, 0xff, 0x0f, 0xf0 }, { OP_slt, NEG(1), 0, 1 },
            { OP_slt, 0, NEG(1), 0 }, { OP_sltu, NEG(1), 0, 0 },
            { OP_sltu, 0, NEG(1), 1 }, { OP_sll, 1, 63, MIN64 },
            { OP_sll, 1, 64 + 4, 16 }, { OP_srl, MIN64, 63, 1 },
            { OP_sra, MIN64, 63, NEG(1) }, { OP_sra, MIN64, 64, MIN64 });
    CHECK_I({ OP_addi, 5, -6, NEG(1) }, { OP_slti, NEG(5), -4, 1 },
            { OP_slti, NEG(4), -5, 0 }, { OP_sltiu, 5, -1, 1 },
            { OP_sltiu, NEG(1), -1, 0 }, { OP_xori, 5, -1, NEG(6) },
            { OP_ori, 1, -2048, NEG(2047) }, { OP_andi, NEG(1), 0x7f, 0x7f },
            { OP_slli, 1, 63, MIN64 }, { OP_srli, NEG(1), 63, 1 },
            { OP_srai, MIN64, 62, NEG(2) });
}

Test(ops_int, words_are_sign_extended)
{
    CHECK_R({ OP_addw, 0x7fffffff, 1, 0xffffffff80000000 },
            { OP_addw, 0xffffffff00000001, 1, 2 },
            { OP_subw, 0x80000000, 1, 0x7fffffff },
            { OP_sllw, 1, 31, 0xffffffff80000000 },
            { OP_sllw, 0xff00000001, 32 + 4, 16 },
            { OP_srlw, 0xff80000000, 0, 0xffffffff80000000 },
            { OP_srlw, 0xff80000000, 31, 1 },
            { OP_sraw, 0x80000000, 31, NEG(1) },
            { OP_sraw, 0xff7fffffff, 0, 0x7fffffff });
    CHECK_I({ OP_addiw, 0x7fffffff, 1, 0xffffffff80000000 },
            { OP_addiw, 0xff00000000, -1, NEG(1) },
            { OP_slliw, 0x1ffffffff, 4, 0xfffffffffffffff0 },
            { OP_srliw, 0xff80000000, 4, 0x08000000 },
            { OP_sraiw, 0xff80000000, 4, 0xfffffffff8000000 });
}

Test(ops_int, upper_immediates)
{
    cr_assert_eq(result(enc_u(OP_lui, A0, 0x80000), 0, 0), 0xffffffff80000000);
    cr_assert_eq(result(enc_u(OP_auipc, A0, 0xfffff), 0, 0), CODE - 0x1000);
}

Test(ops_int, x0_is_never_written)
{
    result(enc_i(OP_addi, 0, A1, 7), 3, 0);
    cr_assert_eq(g->h->x[0], 0);
    cr_assert_eq(result(enc_r(OP_add, A0, 0, 0), 0, 0), 0);
}

Test(ops_int, multiplication)
{
    CHECK_R({ OP_mul, NEG(3), 5, NEG(15) }, { OP_mulh, NEG(1), NEG(1), 0 },
            { OP_mulh, MIN64, MIN64, UINT64_C(1) << 62 },
            { OP_mulh, MIN64, 2, NEG(1) }, { OP_mulhu, NEG(1), NEG(1), NEG(2) },
            { OP_mulhsu, NEG(1), NEG(1), NEG(1) }, { OP_mulhsu, 2, NEG(1), 1 },
            { OP_mulhsu, MIN64, MIN64, UINT64_C(3) << 62 },
            { OP_mulw, 0x10000, 0x8000, 0xffffffff80000000 });
}

Test(ops_int, division_by_zero_and_overflow_do_not_trap)
{
    CHECK_R({ OP_div, NEG(7), 2, NEG(3) }, { OP_div, 7, 0, NEG(1) },
            { OP_div, MIN64, NEG(1), MIN64 }, { OP_divu, 7, 0, NEG(1) },
            { OP_divu, NEG(1), 2, INT64_MAX }, { OP_rem, NEG(7), 2, NEG(1) },
            { OP_rem, 7, 0, 7 }, { OP_rem, MIN64, NEG(1), 0 },
            { OP_remu, 7, 0, 7 }, { OP_remu, NEG(1), 10, 5 },
            { OP_divw, 0x80000000, NEG(1), 0xffffffff80000000 },
            { OP_divw, 0xf00000007, 0xf00000002, 3 },
            { OP_divw, 7, 0xf00000000, NEG(1) },
            { OP_divuw, 0xfffffffe, 2, 0x7fffffff },
            { OP_divuw, 0xfffffffe, 1, NEG(2) }, { OP_divuw, 1, 0, NEG(1) },
            { OP_remw, 0x80000000, NEG(1), 0 },
            { OP_remw, 0x80000001, 0, 0xffffffff80000001 },
            { OP_remuw, 0x80000001, 0, 0xffffffff80000001 },
            { OP_remuw, 0xffffffff, 0xfffffff0, 15 });
}

Test(ops_int, zba_makes_addresses)
{
    CHECK_R({ OP_sh1add, 3, 100, 106 }, { OP_sh2add, 3, 100, 112 },
            { OP_sh3add, NEG(1), 100, 92 },
            { OP_add_uw, 0xfffffffff, 1, 0x100000000 },
            { OP_sh1add_uw, NEG(1), 1, 0x1ffffffff },
            { OP_sh2add_uw, NEG(1), 0, 0x3fffffffc },
            { OP_sh3add_uw, NEG(1), 8, 0x800000000 });
    CHECK_I({ OP_slli_uw, NEG(1), 4, 0xffffffff0 },
            { OP_slli_uw, 1, 63, MIN64 });
}

Test(ops_int, zbb_bits)
{
    CHECK_R({ OP_andn, 0xff, 0x0f, 0xf0 }, { OP_orn, 0, 0xff, ~UINT64_C(255) },
            { OP_xnor, 0xff, 0x0f, ~UINT64_C(0xf0) }, { OP_max, NEG(1), 1, 1 },
            { OP_maxu, NEG(1), 1, NEG(1) }, { OP_min, NEG(1), 1, NEG(1) },
            { OP_minu, NEG(1), 1, 1 }, { OP_rol, 0x8000000000000001, 1, 3 },
            { OP_rol, 5, 64, 5 }, { OP_ror, 3, 1, 0x8000000000000001 },
            { OP_ror, 5, 0, 5 }, { OP_rolw, 0xf80000001, 1, 3 },
            { OP_rolw, 0x40000000, 1, 0xffffffff80000000 },
            { OP_rorw, 0xf00000003, 1, 0xffffffff80000001 },
            { OP_rorw, 0x80000000, 32, 0xffffffff80000000 });
    CHECK_I(
        { OP_rori, 1, 63, 2 }, { OP_rori, 1, 0, 1 },
        { OP_roriw, 1, 1, 0xffffffff80000000 }, { OP_roriw, 0xf00000001, 0, 1 },
        { OP_clz, 0, 0, 64 }, { OP_clz, 1, 0, 63 }, { OP_clz, NEG(1), 0, 0 },
        { OP_ctz, 0, 0, 64 }, { OP_ctz, MIN64, 0, 63 },
        { OP_cpop, NEG(1), 0, 64 }, { OP_clzw, 0xf00000000, 0, 32 },
        { OP_clzw, 1, 0, 31 }, { OP_ctzw, 0xf00000000, 0, 32 },
        { OP_ctzw, 8, 0, 3 }, { OP_cpopw, NEG(1), 0, 32 },
        { OP_sext_b, 0x180, 0, NEG(128) },
        { OP_sext_h, 0x18000, 0, NEG(32768) }, { OP_zext_h, NEG(1), 0, 0xffff },
        { OP_orc_b, 0x0100800000101000, 0, 0xff00ff0000ffff00 },
        { OP_rev8, 0x0102030405060708, 0, 0x0807060504030201 });
}

/* All 127 bits of the carry-less product, bit by bit. */
static void multiply(uint64_t a, uint64_t b, uint64_t *low, uint64_t *high)
{
    *low = *high = 0;
    for (int n = 0; n < 64; n++) {
        if (!(b >> n & 1))
            continue;
        *low ^= a << n;
        *high ^= n ? a >> (64 - n) : 0;
    }
}

Test(ops_int, carry_less_products)
{
    uint64_t a = 0x9e3779b97f4a7c15, b = 0xd1b54a32d192ed03, low, high;

    for (int n = 0; n < 100; n++) {
        multiply(a, b, &low, &high);
        CHECK_R({ OP_clmul, a, b, low }, { OP_clmulh, a, b, high },
                { OP_clmulr, a, b, high << 1 | low >> 63 });
        a = a * 6364136223846793005u + 1;
        b ^= a >> 7;
    }
    CHECK_R({ OP_clmulh, NEG(1), 0, 0 }, { OP_clmulr, NEG(1), 1, 1 });
}

Test(ops_int, single_bits_and_conditional_zero)
{
    CHECK_R({ OP_bclr, 0xff, 64 + 3, 0xf7 }, { OP_bext, 8, 3, 1 },
            { OP_bext, 8, 2, 0 }, { OP_binv, 8, 3, 0 },
            { OP_bset, 0, 63, MIN64 }, { OP_czero_eqz, 5, 0, 0 },
            { OP_czero_eqz, 5, 1, 5 }, { OP_czero_nez, 5, 0, 5 },
            { OP_czero_nez, 5, 1, 0 });
    CHECK_I({ OP_bclri, NEG(1), 63, INT64_MAX }, { OP_bexti, MIN64, 63, 1 },
            { OP_binvi, 0, 40, UINT64_C(1) << 40 }, { OP_bseti, 1, 1, 3 });
}

Test(ops_int, branches_compare)
{
    static const struct {
        enum op op;
        uint64_t a, b;
        bool taken;
    } t[] = {
        { OP_beq, 1, 1, true },       { OP_beq, 1, 2, false },
        { OP_bne, 1, 2, true },       { OP_bne, 1, 1, false },
        { OP_blt, NEG(1), 0, true },  { OP_blt, 0, 0, false },
        { OP_bge, 0, 0, true },       { OP_bge, NEG(1), 0, false },
        { OP_bltu, 0, NEG(1), true }, { OP_bltu, NEG(1), 0, false },
        { OP_bgeu, NEG(1), 0, true }, { OP_bgeu, 0, 1, false },
    };

    for (size_t n = 0; n < sizeof t / sizeof t[0]; n++) {
        PROGRAM(g, enc_b(t[n].op, A1, A2, 0x40), NOP);
        g->h->x[A1] = t[n].a;
        g->h->x[A2] = t[n].b;
        hart_run(g->h, 1);
        cr_assert_eq(g->h->pc, CODE + (t[n].taken ? 0x40 : 4), "%s",
                     insn_name(t[n].op));
    }
}

Test(ops_int, jumps_link)
{
    PROGRAM(g, enc_j(OP_jal, 1, 0x100));
    hart_run(g->h, 1);
    cr_assert_eq(g->h->pc, CODE + 0x100);
    cr_assert_eq(g->h->x[1], CODE + 4);

    PROGRAM(g, enc_i(OP_jalr, 1, 1, 3));
    g->h->x[1] = CODE + 0x200;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->pc, CODE + 0x202);
    cr_assert_eq(g->h->x[1], CODE + 4);
}

Test(ops_int, compressed_calls_link_to_two_bytes_on)
{
    PROGRAM(g, 0x9502); /* c.jalr a0 */
    g->h->x[A0] = CODE + 0x30;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->pc, CODE + 0x30);
    cr_assert_eq(g->h->x[1], CODE + 2);
}

Test(ops_int, without_c_a_jump_to_a_half_traps_at_the_jump)
{
    static const uint32_t jumps[] = { 0x0020006f /* j .+2 */,
                                      0x00000163 /* beqz zero, .+2 */ };

    rig_free(g);
    g = rig_new("rv64,c=off");
    for (size_t n = 0; n < 2; n++) {
        PROGRAM(g, jumps[n]);
        hart_run(g->h, 1);
        cr_assert_eq(g->h->pc, TRAPS);
        cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_MISALIGNED);
        cr_assert_eq(csr(g, "mepc"), CODE);
        cr_assert_eq(csr(g, "mtval"), CODE + 2);
    }
    PROGRAM(g, enc_i(OP_jalr, 1, A0, 0));
    g->h->x[A0] = CODE + 0x22;
    g->h->x[1] = 77;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mtval"), CODE + 0x22);
    cr_assert_eq(g->h->x[1], 77);
}

Test(ops_int, without_c_other_jumps_work)
{
    rig_free(g);
    g = rig_new("rv64,c=off");
    PROGRAM(g, enc_b(OP_bne, 0, 0, 6), enc_j(OP_jal, 1, 8), NOP,
            enc_b(OP_beq, 0, 0, -12));
    cr_assert_eq(hart_run(g->h, 3), 3);
    cr_assert_eq(g->h->pc, CODE);
    cr_assert_eq(g->h->x[1], CODE + 8);
}
