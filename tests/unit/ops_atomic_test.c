/* SPDX-License-Identifier: MIT */
/* ops_atomic_test.c - LR and SC, AMOs of all sizes, compare and swap. */
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

static struct rig *g;

static void set_up(void) { g = rig_new("max"); }
static void tear_down(void) { rig_free(g); }

TestSuite(ops_atomic, .init = set_up, .fini = tear_down);

enum { A0 = 10, A1 = 11, A2 = 12, A3 = 13, A4 = 14, A5 = 15 };
#define DATA (RAM + 0x10000)

static void run_one(uint32_t word)
{
    PROGRAM(g, word);
    cr_assert_eq(hart_run(g->h, 1), 1);
}

static bool trapped(uint64_t cause, uint64_t tval)
{
    return g->h->pc == TRAPS && csr(g, "mcause") == cause &&
           csr(g, "mtval") == tval;
}

/* LR and SC --------------------------------------------------------------------- */

static uint64_t sc(enum op op, uint64_t va, uint64_t v)
{
    g->h->x[A1] = va;
    g->h->x[A2] = v;
    run_one(enc_r(op, A0, A1, A2));
    return g->h->x[A0];
}

static uint64_t lr(enum op op, uint64_t va)
{
    g->h->x[A1] = va;
    run_one(enc_r(op, A0, A1, 0));
    return g->h->x[A0];
}

Test(ops_atomic, sc_after_lr_stores_once)
{
    poke64(g, DATA, 0x80000000);
    cr_assert_eq(lr(OP_lr_w, DATA), 0xffffffff80000000);
    cr_assert_eq(sc(OP_sc_w, DATA, 5), 0);
    cr_assert_eq(peek64(g, DATA), 5);
    cr_assert_eq(sc(OP_sc_w, DATA, 6), 1);
    cr_assert_eq(peek64(g, DATA), 5);
    cr_assert_eq(lr(OP_lr_d, DATA), 5);
    cr_assert_eq(sc(OP_sc_d, DATA, UINT64_MAX), 0);
    cr_assert_eq(peek64(g, DATA), UINT64_MAX);
}

Test(ops_atomic, sc_elsewhere_or_after_another_value_fails)
{
    lr(OP_lr_d, DATA);
    cr_assert_eq(sc(OP_sc_d, DATA + 8, 5), 1);
    cr_assert_eq(peek64(g, DATA + 8), 0);
    lr(OP_lr_d, DATA);
    poke64(g, DATA, 1);
    cr_assert_eq(sc(OP_sc_d, DATA, 5), 1);
    cr_assert_eq(peek64(g, DATA), 1);
}

Test(ops_atomic, traps_and_other_harts_end_a_reservation)
{
    lr(OP_lr_d, DATA);
    run_one(ECALL);
    cr_assert_eq(sc(OP_sc_d, DATA, 5), 1);
    lr(OP_lr_d, DATA);
    hart_yielded(g->h);
    cr_assert_eq(sc(OP_sc_d, DATA, 5), 1);
}

Test(ops_atomic, misaligned_atomics_trap)
{
    lr(OP_lr_w, DATA + 2);
    cr_assert(trapped(CAUSE_LOAD_MISALIGNED, DATA + 2));
    sc(OP_sc_d, DATA + 4, 1);
    cr_assert(trapped(CAUSE_STORE_MISALIGNED, DATA + 4));
    g->h->x[A1] = DATA + 1;
    run_one(enc_r(OP_amoadd_h, A0, A1, A2));
    cr_assert(trapped(CAUSE_STORE_MISALIGNED, DATA + 1));
    g->h->x[A1] = DATA + 8;
    run_one(enc_r(OP_amocas_q, A0, A1, A2));
    cr_assert(trapped(CAUSE_STORE_MISALIGNED, DATA + 8));
}

Test(ops_atomic, faults_are_a_load_for_lr_and_a_store_otherwise)
{
    lr(OP_lr_d, 0x40);
    cr_assert(trapped(CAUSE_LOAD_ACCESS, 0x40));
    g->h->x[A1] = 0x40;
    run_one(enc_r(OP_amoswap_w, A0, A1, A2));
    cr_assert(trapped(CAUSE_STORE_ACCESS, 0x40));
    run_one(enc_r(OP_amocas_d, A0, A1, A2));
    cr_assert(trapped(CAUSE_STORE_ACCESS, 0x40));
    lr(OP_lr_d, DATA);
    sc(OP_sc_d, 0x40, 1);
    cr_assert(trapped(CAUSE_STORE_ACCESS, 0x40));
}

/* AMOs ---------------------------------------------------------------------------- */

struct amo_row {
    enum op op;
    uint64_t memory, src, stored, rd;
};

static void check(const struct amo_row *t, size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (int pass = 0; pass < 2; pass++) { /* TLB misses, then hits */
            poke64(g, DATA, t[k].memory);
            g->h->x[A1] = DATA;
            g->h->x[A2] = t[k].src;
            run_one(enc_r(t[k].op, A0, A1, A2));
            cr_assert_eq(peek64(g, DATA), t[k].stored, "%s: 0x%lx stored",
                         insn_name(t[k].op), peek64(g, DATA));
            cr_assert_eq(g->h->x[A0], t[k].rd, "%s: rd is 0x%lx",
                         insn_name(t[k].op), g->h->x[A0]);
        }
}

#define CHECK(...)                                                             \
    check((const struct amo_row[]){ __VA_ARGS__ },                             \
          sizeof((const struct amo_row[]){ __VA_ARGS__ }) /                    \
              sizeof(struct amo_row))

Test(ops_atomic, amos_of_words_and_double_words)
{
    uint64_t minus = UINT64_MAX;

    CHECK({ OP_amoswap_w, 0x180000000, 5, 0x100000005, 0xffffffff80000000 },
          { OP_amoadd_w, 0x1ffffffff, 1, 0x100000000, minus },
          { OP_amoxor_w, 0xff, 0xf0f, 0xff0, 0xff },
          { OP_amoand_w, 0xff, 0xf0f, 0x0f, 0xff },
          { OP_amoor_w, 0xff, 0xf0f, 0xfff, 0xff },
          { OP_amomin_w, 0xffffffff, 1, 0xffffffff, minus },
          { OP_amomax_w, 0xffffffff, 1, 1, minus },
          { OP_amominu_w, 0xffffffff, 1, 1, minus },
          { OP_amomaxu_w, 0xffffffff, 1, 0xffffffff, minus },
          { OP_amoswap_d, minus, 5, 5, minus },
          { OP_amoadd_d, minus, 2, 1, minus },
          { OP_amoxor_d, minus, 1, minus - 1, minus },
          { OP_amoand_d, minus, 8, 8, minus }, { OP_amoor_d, 1, 8, 9, 1 },
          { OP_amomin_d, minus, 1, minus, minus },
          { OP_amomax_d, minus, 1, 1, minus },
          { OP_amominu_d, minus, 1, 1, minus },
          { OP_amomaxu_d, minus, 1, minus, minus });
}

Test(ops_atomic, amos_of_bytes_and_half_words)
{
    CHECK({ OP_amoswap_b, 0x1180, 0xff05, 0x1105, UINT64_C(-128) },
          { OP_amoadd_b, 0x11ff, 1, 0x1100, UINT64_MAX },
          { OP_amoxor_b, 0x110f, 0xff, 0x11f0, 0x0f },
          { OP_amoand_b, 0x117f, 0x0f, 0x110f, 0x7f },
          { OP_amoor_b, 0x1101, 0x02, 0x1103, 1 },
          { OP_amomin_b, 0x11ff, 1, 0x11ff, UINT64_MAX },
          { OP_amomax_b, 0x11ff, 1, 0x1101, UINT64_MAX },
          { OP_amominu_b, 0x11ff, 1, 0x1101, UINT64_MAX },
          { OP_amomaxu_b, 0x11ff, 1, 0x11ff, UINT64_MAX },
          { OP_amoadd_h, 0x1ffff, 1, 0x10000, UINT64_MAX },
          { OP_amomin_h, 0x18000, 1, 0x18000, UINT64_C(-32768) },
          { OP_amomaxu_h, 0x10001, 0x8000, 0x18000, 1 });
}

Test(ops_atomic, rd_and_rs2_may_be_the_same_register)
{
    poke64(g, DATA, 40);
    g->h->x[A1] = DATA;
    g->h->x[A2] = 2;
    run_one(enc_r(OP_amoadd_d, A2, A1, A2));
    cr_assert_eq(g->h->x[A2], 40);
    cr_assert_eq(peek64(g, DATA), 42);
}

Test(ops_atomic, an_amo_on_a_device_reads_and_writes)
{
    g->reg[0] = 5;
    g->h->x[A1] = DEV;
    g->h->x[A2] = 2;
    run_one(enc_r(OP_amoadd_w, A0, A1, A2));
    cr_assert_eq(g->h->x[A0], 5);
    cr_assert_eq(g->reg[0], 7);
    cr_assert_eq(g->reads + g->writes, 2);
}

Test(ops_atomic, an_amo_on_code_is_seen_by_the_next_instruction)
{
    PROGRAM(g, enc_r(OP_amoswap_w, A0, A1, A2), addi(A3, 0, 1));
    g->h->x[A1] = CODE + 4;
    g->h->x[A2] = addi(A3, 0, 2);
    hart_run(g->h, 2);
    cr_assert_eq(g->h->x[A3], 2);
    cr_assert_eq((uint32_t)g->h->x[A0], addi(A3, 0, 1));
}

/* Zacas ----------------------------------------------------------------------------- */

static void cas(enum op op, uint64_t expected, uint64_t new)
{
    g->h->x[A0] = expected;
    g->h->x[A1] = DATA;
    g->h->x[A2] = new;
    run_one(enc_r(op, A0, A1, A2));
}

Test(ops_atomic, compare_and_swap_compares_its_own_width)
{
    poke64(g, DATA, 0x11111111fffffffe);
    cas(OP_amocas_w, 0xfffffffe, 7);
    cr_assert_eq(peek64(g, DATA), 0x1111111100000007);
    cr_assert_eq(g->h->x[A0], UINT64_C(-2));
    cas(OP_amocas_w, 8, 9);
    cr_assert_eq(peek64(g, DATA), 0x1111111100000007);
    cr_assert_eq(g->h->x[A0], 7);
    cas(OP_amocas_d, 7, 9);
    cr_assert_eq(g->h->x[A0], 0x1111111100000007);
    cas(OP_amocas_d, 0x1111111100000007, 9);
    cr_assert_eq(peek64(g, DATA), 9);
    cas(OP_amocas_b, 0xff09, 0x1288);
    cr_assert_eq(peek64(g, DATA), 0x88);
    cas(OP_amocas_h, 0x88, 0x1288);
    cr_assert_eq(peek64(g, DATA), 0x1288);
    cr_assert_eq(g->h->x[A0], 0x88);
}

Test(ops_atomic, compare_and_swap_with_x0_expects_zero)
{
    poke64(g, DATA, 0);
    g->h->x[X_SINK] = 99;
    g->h->x[A1] = DATA;
    g->h->x[A2] = 5;
    run_one(enc_r(OP_amocas_d, 0, A1, A2));
    cr_assert_eq(peek64(g, DATA), 5);
    cr_assert_eq(g->h->x[0], 0);
}

Test(ops_atomic, quad_compare_and_swap_uses_pairs)
{
    poke64(g, DATA, 1);
    poke64(g, DATA + 8, 2);
    g->h->x[A0] = 1;
    g->h->x[A1] = 3;
    g->h->x[A2] = 10;
    g->h->x[A3] = 20;
    g->h->x[A4] = DATA;
    run_one(enc_r(OP_amocas_q, A0, A4, A2));
    cr_assert_eq(g->h->x[A0], 1);
    cr_assert_eq(g->h->x[A1], 2);
    cr_assert_eq(peek64(g, DATA), 1);
    run_one(enc_r(OP_amocas_q, A0, A4, A2));
    cr_assert_eq(peek64(g, DATA), 10);
    cr_assert_eq(peek64(g, DATA + 8), 20);
}

Test(ops_atomic, the_pair_of_x0_is_zero_and_stays)
{
    g->h->x[1] = 77;
    g->h->x[A4] = DATA;
    poke64(g, DATA, 0);
    poke64(g, DATA + 8, 0);
    g->h->x[A2] = 1;
    g->h->x[A3] = 2;
    run_one(enc_r(OP_amocas_q, 0, A4, A2));
    cr_assert_eq(peek64(g, DATA + 8), 2);
    cr_assert_eq(g->h->x[1], 77);
    run_one(enc_r(OP_amocas_q, A2, A4, 0)); /* rs2 x0: stores zeroes */
    cr_assert_eq(peek64(g, DATA), 0);
    cr_assert_eq(peek64(g, DATA + 8), 0);
}
