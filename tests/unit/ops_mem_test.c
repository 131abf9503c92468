/* SPDX-License-Identifier: MIT */
/* ops_mem_test.c - loads, stores, and instructions on cache blocks. */
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

static struct rig *g;

static void set_up(void) { g = rig_new("max"); }
static void tear_down(void) { rig_free(g); }

TestSuite(ops_mem, .init = set_up, .fini = tear_down);

enum { A0 = 10, A1 = 11, A2 = 12, FA0 = 10 };
#define DATA (RAM + 0x10000)

static void run_one(uint32_t word)
{
    PROGRAM(g, word);
    cr_assert_eq(hart_run(g->h, 1), 1);
}

static bool trapped(uint64_t cause, uint64_t tval)
{
    return g->h->pc == TRAPS && csr(g, "mcause") == cause &&
           csr(g, "mtval") == tval && csr(g, "mepc") == CODE;
}

Test(ops_mem, loads_extend_as_their_names_say)
{
    static const struct {
        enum op op;
        uint64_t want;
    } t[] = {
        { OP_lb, 0xffffffffffffff88 }, { OP_lbu, 0x88 },
        { OP_lh, 0xffffffffffff9988 }, { OP_lhu, 0x9988 },
        { OP_lw, 0xffffffffbbaa9988 }, { OP_lwu, 0xbbaa9988 },
        { OP_ld, 0xffeeddccbbaa9988 },
    };

    poke64(g, DATA, 0xffeeddccbbaa9988);
    for (int pass = 0; pass < 2; pass++) /* a miss, then a hit of the TLB */
        for (size_t n = 0; n < sizeof t / sizeof t[0]; n++) {
            g->h->x[A1] = DATA + 16;
            run_one(enc_i(t[n].op, A0, A1, -16));
            cr_assert_eq(g->h->x[A0], t[n].want, "%s", insn_name(t[n].op));
        }
}

Test(ops_mem, stores_write_their_bytes_and_no_more)
{
    static const struct {
        enum op op;
        uint64_t want;
    } t[] = {
        { OP_sb, 0xffffffffffffff88 },
        { OP_sh, 0xffffffffffff7788 },
        { OP_sw, 0xffffffff55667788 },
        { OP_sd, 0x1122334455667788 },
    };

    for (int pass = 0; pass < 2; pass++)
        for (size_t n = 0; n < sizeof t / sizeof t[0]; n++) {
            poke64(g, DATA, UINT64_MAX);
            g->h->x[A0] = 0x1122334455667788;
            g->h->x[A1] = DATA + 5;
            run_one(enc_s(t[n].op, A0, A1, -5));
            cr_assert_eq(peek64(g, DATA), t[n].want, "%s", insn_name(t[n].op));
        }
}

Test(ops_mem, misaligned_accesses_work_also_across_pages)
{
    for (uint64_t at = DATA + 0xff9; at < DATA + 0x1001; at++) {
        g->h->x[A0] = 0x1122334455667788 + at;
        g->h->x[A1] = at;
        run_one(enc_s(OP_sd, A0, A1, 0));
        cr_assert_eq(peek64(g, at), 0x1122334455667788 + at);
        run_one(enc_i(OP_ld, A2, A1, 0));
        cr_assert_eq(g->h->x[A2], 0x1122334455667788 + at);
        run_one(enc_i(OP_lw, A2, A1, 1));
        cr_assert_eq(g->h->x[A2],
                     (uint64_t)(int32_t)((0x1122334455667788 + at) >> 8));
    }
}

Test(ops_mem, an_access_to_nothing_traps_and_leaves_rd_alone)
{
    g->h->x[A0] = 5;
    g->h->x[A1] = 0x40;
    run_one(enc_i(OP_ld, A0, A1, 8));
    cr_assert(trapped(CAUSE_LOAD_ACCESS, 0x48));
    cr_assert_eq(g->h->x[A0], 5);
    run_one(enc_s(OP_sd, A0, A1, 8));
    cr_assert(trapped(CAUSE_STORE_ACCESS, 0x48));
}

Test(ops_mem, a_load_to_x0_still_happens)
{
    g->h->x[A1] = DEV;
    run_one(enc_i(OP_lw, 0, A1, 0));
    cr_assert_eq(g->reads, 1);
    cr_assert_eq(g->h->x[0], 0);
}

Test(ops_mem, rd_may_be_the_address_register)
{
    poke64(g, DATA, 0x123456789);
    g->h->x[A1] = DATA;
    run_one(enc_i(OP_ld, A1, A1, 0));
    cr_assert_eq(g->h->x[A1], 0x123456789);
}

Test(ops_mem, a_watchpoint_stops_before_the_access)
{
    struct point p = { .kind = POINT_WRITE, .addr = DATA + 4, .len = 1 };

    points_add(g->points, &p);
    g->h->x[A0] = 7;
    g->h->x[A1] = DATA;
    PROGRAM(g, addi(A0, A0, 1), enc_s(OP_sd, A0, A1, 0), NOP);
    cr_assert_eq(hart_run(g->h, 3), 1);
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert_eq(g->h->stop.kind, HART_STOP_WATCH);
    cr_assert_eq(peek64(g, DATA), 0);
    g->h->attention = 0;
    g->h->skip_points = true;
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(peek64(g, DATA), 8);
}

/* Floating point ------------------------------------------------------------- */

static void fp_on(void) { g->h->mstatus |= MSTATUS_FS; }

Test(ops_mem, narrow_floats_are_boxed)
{
    fp_on();
    poke64(g, DATA, 0x4048f5c340490fdb);
    g->h->x[A1] = DATA;
    run_one(enc_i(OP_flw, FA0, A1, 0));
    cr_assert_eq(g->h->f[FA0], 0xffffffff40490fdb);
    run_one(enc_i(OP_flh, FA0, A1, 0));
    cr_assert_eq(g->h->f[FA0], 0xffffffffffff0fdb);
    run_one(enc_i(OP_fld, FA0, A1, 0));
    cr_assert_eq(g->h->f[FA0], 0x4048f5c340490fdb);
    run_one(enc_i(OP_fld, 0, A1, 0));
    cr_assert_eq(g->h->f[0], 0x4048f5c340490fdb, "f0 is a register");
}

Test(ops_mem, float_stores_take_the_low_bits)
{
    fp_on();
    g->h->f[FA0] = 0x1122334455667788;
    g->h->x[A1] = DATA;
    run_one(enc_s(OP_fsh, FA0, A1, 0));
    cr_assert_eq(peek64(g, DATA), 0x7788);
    run_one(enc_s(OP_fsw, FA0, A1, 0));
    cr_assert_eq(peek64(g, DATA), 0x55667788);
    run_one(enc_s(OP_fsd, FA0, A1, 1));
    cr_assert_eq(peek64(g, DATA + 1), 0x1122334455667788);
}

Test(ops_mem, float_accesses_need_fs_and_loads_dirty_it)
{
    g->h->mstatus &= ~(uint64_t)MSTATUS_FS;
    g->h->x[A1] = DATA;
    run_one(enc_i(OP_fld, FA0, A1, 0));
    cr_assert(trapped(CAUSE_ILLEGAL, enc_i(OP_fld, FA0, A1, 0)));
    run_one(enc_s(OP_fsd, FA0, A1, 0));
    cr_assert_eq(csr(g, "mcause"), CAUSE_ILLEGAL);
    g->h->mstatus |= 1 << 13; /* Initial */
    run_one(enc_s(OP_fsd, FA0, A1, 0));
    cr_assert_eq(g->h->mstatus >> 13 & 3, 1);
    run_one(enc_i(OP_flw, FA0, A1, 0));
    cr_assert_eq(g->h->mstatus >> 13 & 3, 3);
}

/* Cache blocks ---------------------------------------------------------------- */

Test(ops_mem, cbo_zero_clears_the_block_around_the_address)
{
    for (uint64_t n = 0; n < 24; n++)
        poke64(g, DATA + 8 * n, UINT64_MAX);
    g->h->x[A0] = DATA + 64 + 17;
    run_one(enc_i(OP_cbo_zero, 0, A0, 0));
    for (uint64_t n = 0; n < 24; n++)
        cr_assert_eq(peek64(g, DATA + 8 * n) == 0, n >= 8 && n < 16);
}

Test(ops_mem, cache_block_instructions_below_m_need_envcfg)
{
    static const struct {
        enum op op;
        uint64_t bit;
    } t[] = {
        { OP_cbo_zero, 1 << 7 },
        { OP_cbo_clean, 1 << 6 },
        { OP_cbo_flush, 1 << 6 },
        { OP_cbo_inval, 1 << 4 },
    };

    open_pmp(g);
    g->h->x[A0] = DATA;
    for (size_t n = 0; n < sizeof t / sizeof t[0]; n++)
        for (int have = 0; have < 4; have++)
            for (unsigned priv = PRIV_U; priv <= PRIV_M; priv++) {
                bool m = have & 1, s = have & 2;

                if (priv == 2)
                    continue;
                set_csr(g, "menvcfg", m ? t[n].bit : 0);
                set_csr(g, "senvcfg", s ? t[n].bit : 0);
                set_priv(g, priv);
                run_one(enc_i(t[n].op, 0, A0, 0));
                cr_assert_eq(g->h->pc == CODE + 4,
                             priv == PRIV_M || (m && (s || priv == PRIV_S)),
                             "%s in %u, envcfg %d", insn_name(t[n].op), priv,
                             have);
                set_priv(g, PRIV_M);
            }
}

Test(ops_mem, managing_a_block_that_is_not_there_is_a_store_fault)
{
    g->h->x[A0] = 0x47;
    run_one(enc_i(OP_cbo_flush, 0, A0, 0));
    cr_assert(trapped(CAUSE_STORE_ACCESS, 0x40));
}

Test(ops_mem, a_block_that_may_be_read_may_be_cleaned_but_not_zeroed)
{
    open_pmp(g);
    set_csr(g, "pmpaddr1", UINT64_MAX);
    set_csr(g, "pmpaddr0", (DATA >> 2) | 0x1ff); /* a page */
    set_csr(g, "pmpcfg0", 0x1f << 8 | 0x19);     /* is read-only */
    set_csr(g, "menvcfg", 0xf0);
    set_priv(g, PRIV_S);
    g->h->x[A0] = DATA + 0x85;
    run_one(enc_i(OP_cbo_clean, 0, A0, 0));
    cr_assert_eq(g->h->pc, CODE + 4);
    run_one(enc_i(OP_cbo_zero, 0, A0, 0));
    cr_assert(trapped(CAUSE_STORE_ACCESS, DATA + 0x80));
}

Test(ops_mem, prefetches_do_nothing)
{
    g->h->x[A0] = 0x40;
    PROGRAM(g, enc_r(OP_prefetch_r, 0, A0, 1), enc_r(OP_prefetch_w, 0, A0, 3),
            enc_r(OP_prefetch_i, 0, A0, 0));
    hart_run(g->h, 3);
    cr_assert_eq(g->h->pc, CODE + 12);
}
