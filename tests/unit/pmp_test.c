/* SPDX-License-Identifier: MIT */
#include "emu/hart/pmp.h"
#include "tests/unit/hart_rig.h"

enum { R = ACCESS_READ, W = ACCESS_WRITE, X = ACCESS_EXEC };
enum { TOR = 1 << 3, NA4 = 2 << 3, NAPOT = 3 << 3, L = 1 << 7 };

static struct rig *g;

static void setup(void) { g = rig_new("max"); }
static void teardown(void) { rig_free(g); }

TestSuite(pmp, .init = setup, .fini = teardown);

static void entry(unsigned n, unsigned cfg, uint64_t addr)
{
    uint64_t all = csr(g, n < 8 ? "pmpcfg0" : "pmpcfg2");
    unsigned shift = n % 8 * 8;

    csr_poke(g->h, 0x3b0 + n, addr);
    all = (all & ~(UINT64_C(0xff) << shift)) | (uint64_t)cfg << shift;
    set_csr(g, n < 8 ? "pmpcfg0" : "pmpcfg2", all);
}

static unsigned rights(uint64_t pa, uint64_t size, unsigned priv)
{
    return pmp_rights(g->h, pa, size, priv);
}

Test(pmp, without_an_active_entry_only_m_has_rights)
{
    cr_assert_eq(rights(RAM, 8, PRIV_M), R | W | X);
    cr_assert_eq(rights(RAM, 8, PRIV_S), 0);
    cr_assert_eq(rights(RAM, 8, PRIV_U), 0);
}

Test(pmp, a_hart_without_pmp_allows_everything)
{
    rig_free(g);
    g = rig_new("rva22s64");
    cr_assert_eq(rights(RAM, 8, PRIV_U), R | W | X);
    cr_assert(pmp_page_uniform(g->h, RAM));
    cr_assert_not(csr_exists(g->h, 0x3a0));
}

Test(pmp, napot_covers_a_power_of_two)
{
    entry(0, NAPOT | R, (RAM + 0x1000) >> 2 | 0x1ff); /* 4 KiB */
    cr_assert_eq(rights(RAM + 0x1000, 8, PRIV_S), R);
    cr_assert_eq(rights(RAM + 0x1ff8, 8, PRIV_S), R);
    cr_assert_eq(rights(RAM + 0xff8, 8, PRIV_S), 0);
    cr_assert_eq(rights(RAM + 0x2000, 8, PRIV_S), 0);
    entry(0, NAPOT | W | R, UINT64_MAX); /* all of it */
    cr_assert_eq(rights(0, 8, PRIV_S), R | W);
    cr_assert_eq(rights((UINT64_C(1) << 56) - 8, 8, PRIV_S), R | W);
}

Test(pmp, tor_covers_from_the_entry_below)
{
    entry(0, TOR | R, RAM >> 2);
    entry(1, TOR | X, (RAM + 0x2000) >> 2);
    cr_assert_eq(rights(RAM - 8, 8, PRIV_U), R);
    cr_assert_eq(rights(RAM, 8, PRIV_U), X);
    cr_assert_eq(rights(RAM + 0x1ffc, 4, PRIV_U), X);
    cr_assert_eq(rights(RAM + 0x2000, 4, PRIV_U), 0);
}

Test(pmp, na4_covers_four_bytes_and_no_part_of_more)
{
    entry(0, NA4 | R, RAM >> 2);
    entry(1, NAPOT | R | W, UINT64_MAX);
    cr_assert_eq(rights(RAM, 4, PRIV_S), R);
    cr_assert_eq(rights(RAM + 4, 4, PRIV_S), R | W);
    cr_assert_eq(rights(RAM, 8, PRIV_S), 0, "an edge crosses the access");
    cr_assert_not(pmp_page_uniform(g->h, RAM + 0x800));
    cr_assert(pmp_page_uniform(g->h, RAM + 0x1000));
}

Test(pmp, the_lowest_entry_that_matches_decides)
{
    entry(3, NAPOT | R | W | X, UINT64_MAX);
    entry(2, NAPOT, RAM >> 2 | 0x1ff);
    cr_assert_eq(rights(RAM, 8, PRIV_S), 0);
    cr_assert_eq(rights(RAM + 0x1000, 8, PRIV_S), R | W | X);
}

Test(pmp, a_locked_entry_binds_m_and_stays)
{
    entry(0, NAPOT | R | L, RAM >> 2 | 0x1ff);
    cr_assert_eq(rights(RAM, 8, PRIV_M), R);
    set_csr(g, "pmpcfg0", 0);
    set_csr(g, "pmpaddr0", 0);
    cr_assert_eq(rights(RAM, 8, PRIV_M), R);
    csr_reset(g->h);
    cr_assert_eq(rights(RAM, 8, PRIV_M), R | W | X);
    cr_assert_eq(csr(g, "pmpaddr0"), RAM >> 2 | 0x1ff, "addresses stay");
}

Test(pmp, a_locked_tor_entry_locks_the_address_below)
{
    entry(0, 0, RAM >> 2);
    entry(1, TOR | R | L, (RAM + 0x1000) >> 2);
    set_csr(g, "pmpaddr0", 0);
    cr_assert_eq(csr(g, "pmpaddr0"), RAM >> 2);
}

Test(pmp, registers_keep_what_there_is_only)
{
    set_csr(g, "pmpaddr5", UINT64_MAX);
    cr_assert_eq(csr(g, "pmpaddr5"), (UINT64_C(1) << 54) - 1);
    set_csr(g, "pmpcfg2", 0x62); /* bits 5 and 6, and W without R */
    cr_assert_eq(csr(g, "pmpcfg2"), 0);
    cr_assert_not(csr_exists(g->h, 0x3a1), "RV64 has no odd ones");
}

/* Smepmp's table, as it is printed: L R W X, then M's and S/U's rights. */
Test(pmp, mml_gives_the_rights_of_the_table)
{
    static const struct {
        unsigned lrwx, m, su;
    } rows[] = {
        { 0x0, 0, 0 },         { 0x1, 0, X },         { 0x2, R | W, R },
        { 0x3, R | W, R | W }, { 0x4, 0, R },         { 0x5, 0, R | X },
        { 0x6, 0, R | W },     { 0x7, 0, R | W | X }, { 0x8, 0, 0 },
        { 0x9, X, 0 },         { 0xa, X, X },         { 0xb, R | X, X },
        { 0xc, R, 0 },         { 0xd, R | X, 0 },     { 0xe, R | W, 0 },
        { 0xf, R, R },
    };

    set_csr(g, "mseccfg", MSECCFG_MML | MSECCFG_RLB);
    for (size_t n = 0; n < 16; n++) {
        unsigned b = rows[n].lrwx;
        unsigned cfg = NAPOT | (b & 8 ? L : 0) | (b & 4 ? 1 : 0) |
                       (b & 2 ? 2 : 0) | (b & 1 ? 4 : 0);

        entry(0, cfg, UINT64_MAX);
        cr_assert_eq(rights(RAM, 8, PRIV_M), rows[n].m, "row %x", b);
        cr_assert_eq(rights(RAM, 8, PRIV_S), rows[n].su, "row %x", b);
        cr_assert_eq(rights(RAM, 8, PRIV_U), rows[n].su, "row %x", b);
    }
}

Test(pmp, mml_and_mmwp_change_what_no_entry_says_and_stay)
{
    set_csr(g, "mseccfg", MSECCFG_MML);
    cr_assert_eq(rights(RAM, 8, PRIV_M), R | W);
    set_csr(g, "mseccfg", MSECCFG_MMWP);
    cr_assert_eq(csr(g, "mseccfg"), MSECCFG_MML | MSECCFG_MMWP);
    cr_assert_eq(rights(RAM, 8, PRIV_M), 0);
    csr_reset(g->h);
    cr_assert_eq(csr(g, "mseccfg"), 0);
}

Test(pmp, with_mml_no_rule_adds_code_to_m)
{
    set_csr(g, "mseccfg", MSECCFG_MML);
    entry(0, NAPOT | L | 5, UINT64_MAX); /* R and X for M only */
    cr_assert_eq(csr(g, "pmpcfg0"), 0);
    entry(0, NAPOT | L | 3, UINT64_MAX);
    cr_assert_eq(csr(g, "pmpcfg0"), NAPOT | L | 3);
}

Test(pmp, rlb_opens_locks_unless_there_is_one)
{
    set_csr(g, "mseccfg", MSECCFG_RLB);
    entry(0, NAPOT | L | R, UINT64_MAX);
    entry(0, NAPOT | R, UINT64_MAX);
    cr_assert_eq(csr(g, "pmpcfg0"), NAPOT | R, "RLB: locks can be taken off");
    entry(0, NAPOT | L | R, UINT64_MAX);
    set_csr(g, "mseccfg", 0);
    set_csr(g, "mseccfg", MSECCFG_RLB);
    cr_assert_eq(csr(g, "mseccfg"), 0);
}

Test(pmp, a_denied_access_traps_with_its_address)
{
    open_pmp(g);
    entry(0, NA4, (RAM + 0x1000) >> 2);
    entry(1, NAPOT | R | W | X, UINT64_MAX);
    PROGRAM(g, load(3, 5, 6)); /* ld t0, (t1) */
    g->h->x[6] = RAM + 0x1000;
    set_priv(g, PRIV_S);
    cr_assert_eq(hart_run(g->h, 1), 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_LOAD_ACCESS);
    cr_assert_eq(csr(g, "mtval"), RAM + 0x1000);
    cr_assert_eq(csr(g, "mepc"), CODE);
}

Test(pmp, a_denied_fetch_traps_within_a_page)
{
    entry(0, TOR | R | X, (CODE + 8) >> 2);
    PROGRAM(g, NOP, NOP, NOP);
    set_priv(g, PRIV_S);
    cr_assert_eq(hart_run(g->h, 3), 3);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_ACCESS);
    cr_assert_eq(csr(g, "mtval"), CODE + 8);
    cr_assert_eq(csr(g, "mepc"), CODE + 8);
}
