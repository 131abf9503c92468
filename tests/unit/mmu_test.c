/* SPDX-License-Identifier: MIT */
#include "emu/hart/mmu_walk.h"
#include "tests/unit/hart_rig.h"

enum { PTE_RWX = PTE_R | PTE_W | PTE_X };
enum { ALL = PTE_V | PTE_RWX | PTE_A | PTE_D };

#define TABLES (RAM + 0x100000) /* page tables, one after the other */
#define PAGE   (RAM + 0x40000)  /* what is mapped */
#define VA     UINT64_C(0x123456000)

static struct rig *g;
static uint64_t next_table;

static void with(const char *cpu)
{
    if (g)
        rig_free(g);
    g = rig_new(cpu);
    next_table = TABLES + 0x1000;
    open_pmp(g);
}

static void setup(void) { with("max"); }
static void teardown(void) { rig_free(g); }

TestSuite(mmu, .init = setup, .fini = teardown);

static uint64_t pte(uint64_t pa, uint64_t flags)
{
    return pa >> 12 << 10 | flags;
}

/* Where the PTE of va at this level lies; tables on the way are made. */
static uint64_t pte_at(uint64_t va, int levels, int level)
{
    uint64_t table = TABLES;

    for (int n = levels - 1;; n--) {
        uint64_t at = table + 8 * (va >> (12 + 9 * n) & 511), v = peek64(g, at);

        if (n == level)
            return at;
        if (!v) {
            v = pte(next_table, PTE_V);
            poke64(g, at, v);
            next_table += 0x1000;
        }
        table = v >> 10 << 12;
    }
}

static void map(uint64_t va, uint64_t pa, uint64_t flags)
{
    poke64(g, pte_at(va, 3, 0), pte(pa, flags));
}

static uint64_t leaf(uint64_t va) { return peek64(g, pte_at(va, 3, 0)); }

/* Sv39 on, and the program's page mapped to itself for S and U. */
static void translate(unsigned priv)
{
    map(CODE, CODE,
        PTE_V | PTE_X | PTE_R | PTE_A | (priv == PRIV_U ? PTE_U : 0));
    set_csr(g, "satp", UINT64_C(8) << 60 | TABLES >> 12);
    set_priv(g, priv);
}

/* Runs one instruction with t1 (x6) as its address and t0 (x5) as data. */
static void run_one(uint32_t word, uint64_t va)
{
    PROGRAM(g, word);
    g->h->x[6] = va;
    cr_assert_eq(hart_run(g->h, 1), 1);
}

static void expect_trap(uint64_t cause, uint64_t tval)
{
    cr_assert_eq(g->h->priv, PRIV_M);
    cr_assert_eq(csr(g, "mcause"), cause, "%lu", csr(g, "mcause"));
    cr_assert_eq(csr(g, "mtval"), tval, "%lx", csr(g, "mtval"));
    cr_assert_eq(csr(g, "mepc"), CODE);
}

static void expect_load(uint64_t va, uint64_t v)
{
    run_one(load(3, 5, 6), va);
    cr_assert_eq(g->h->pc, CODE + 4, "cause %lu", csr(g, "mcause"));
    cr_assert_eq(g->h->x[5], v, "%lx", g->h->x[5]);
}

static void expect_fault(uint32_t word, uint64_t va, uint64_t cause)
{
    unsigned priv = g->h->priv;

    run_one(word, va);
    expect_trap(cause, va);
    set_priv(g, priv);
}

#define LD load(3, 5, 6)
#define SD store(3, 5, 6)

Test(mmu, a_page_is_translated)
{
    poke64(g, PAGE + 0x18, 77);
    map(VA, PAGE, ALL);
    translate(PRIV_S);
    expect_load(VA + 0x18, 77);
    expect_load(VA + 0x18, 77); /* from the TLB */
    g->h->x[5] = 78;
    run_one(SD, VA + 0x20);
    cr_assert_eq(peek64(g, PAGE + 0x20), 78);
}

Test(mmu, every_mode_walks_its_levels)
{
    for (int levels = 3; levels <= 5; levels++) {
        /* The highest bit of the lower half, so that all levels matter. */
        uint64_t va = (UINT64_C(1) << (12 + 9 * levels - 2)) | VA;
        struct mmu_walk w;

        with("max");
        poke64(g, pte_at(va, levels, 0), pte(PAGE, ALL));
        poke64(g, pte_at(CODE, levels, 0), pte(CODE, ALL));
        poke64(g, PAGE, 100 + (uint64_t)levels);
        set_csr(g, "satp", (uint64_t)(levels + 5) << 60 | TABLES >> 12);
        set_priv(g, PRIV_S);
        expect_load(va, 100 + (uint64_t)levels);
        cr_assert(mmu_debug_walk(g->h, va, false, &w));
        cr_assert_eq(w.levels, levels);
        cr_assert_eq(w.pa, PAGE);
    }
}

Test(mmu, an_address_that_is_not_canonical_faults)
{
    translate(PRIV_S);
    expect_fault(LD, UINT64_C(1) << 38, CAUSE_LOAD_PAGE);
    expect_fault(LD, UINT64_C(1) << 63, CAUSE_LOAD_PAGE);
    expect_fault(SD, UINT64_C(1) << 40, CAUSE_STORE_PAGE);
}

Test(mmu, ptes_that_make_no_sense_fault)
{
    static const uint64_t bad[] = {
        0,
        ALL & ~PTE_V,
        PTE_V | PTE_A | PTE_D,         /* no leaf at the end */
        PTE_V | PTE_W | PTE_A | PTE_D, /* W without R */
        ALL | UINT64_C(1) << 54,       /* reserved */
        ALL | UINT64_C(1) << 60,       /* reserved */
        ALL | UINT64_C(3) << 61,       /* PBMT 3 */
        ALL | UINT64_C(1) << 63,       /* NAPOT of no size */
    };

    set_csr(g, "menvcfg", MENVCFG_PBMTE | MENVCFG_ADUE);
    translate(PRIV_S);
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        map(VA, PAGE, bad[n]);
        mmu_flush(g->h);
        expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    }
}

Test(mmu, a_u_a_or_d_bit_in_a_pointer_faults)
{
    map(VA, PAGE, ALL);
    translate(PRIV_S);
    for (uint64_t bit = PTE_U; bit <= PTE_D; bit <<= 1) {
        uint64_t at = pte_at(VA, 3, 1), good = peek64(g, at);

        if (bit == 1 << 5) /* G is allowed */
            continue;
        poke64(g, at, good | bit);
        mmu_flush(g->h);
        expect_fault(LD, VA, CAUSE_LOAD_PAGE);
        poke64(g, at, good);
    }
}

Test(mmu, rights_are_the_leafs)
{
    translate(PRIV_S);
    map(VA, PAGE, PTE_V | PTE_R | PTE_A | PTE_D);
    expect_load(VA, 0);
    expect_fault(SD, VA, CAUSE_STORE_PAGE);
    map(VA, PAGE, PTE_V | PTE_X | PTE_A);
    mmu_flush(g->h);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    set_csr(g, "mstatus", MSTATUS_MXR);
    expect_load(VA, 0);
    set_csr(g, "mstatus", 0);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
}

Test(mmu, s_reaches_user_pages_with_sum_only)
{
    map(VA, PAGE, ALL | PTE_U);
    translate(PRIV_S);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    set_csr(g, "sstatus", MSTATUS_SUM);
    expect_load(VA, 0);
    set_csr(g, "sstatus", 0);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
}

Test(mmu, s_never_executes_user_pages)
{
    map(VA, PAGE, ALL | PTE_U);
    poke32(g, PAGE, NOP);
    translate(PRIV_S);
    set_csr(g, "sstatus", MSTATUS_SUM);
    g->h->pc = VA;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_PAGE);
    cr_assert_eq(csr(g, "mepc"), VA);
    cr_assert_eq(csr(g, "mtval"), VA);
}

Test(mmu, u_reaches_user_pages_only)
{
    map(VA, PAGE, ALL | PTE_U);
    map(VA + 0x1000, PAGE, ALL);
    translate(PRIV_U);
    expect_load(VA, 0);
    expect_fault(LD, VA + 0x1000, CAUSE_LOAD_PAGE);
    expect_fault(SD, VA + 0x1000, CAUSE_STORE_PAGE);
}

Test(mmu, mprv_loads_as_mpp)
{
    map(VA, PAGE, ALL);
    poke64(g, PAGE, 5);
    translate(PRIV_M);
    set_csr(g, "mstatus", MSTATUS_MPRV | 1 << 11);
    expect_load(VA, 5);
    set_csr(g, "mstatus", MSTATUS_MPRV | 3 << 11);
    expect_fault(LD, VA, CAUSE_LOAD_ACCESS); /* physical: nothing there */
    set_csr(g, "mstatus", MSTATUS_MPRV | 1 << 11);
    expect_fault(LD, VA + 0x1000, CAUSE_LOAD_PAGE);
}

Test(mmu, a_and_d_are_set_on_first_use)
{
    map(VA, PAGE, PTE_V | PTE_RWX);
    translate(PRIV_S);
    expect_load(VA, 0);
    cr_assert_eq(leaf(VA) & (PTE_A | PTE_D), PTE_A);
    run_one(SD, VA);
    cr_assert_eq(leaf(VA) & (PTE_A | PTE_D), PTE_A | PTE_D);
}

Test(mmu, without_adue_missing_a_or_d_faults)
{
    set_csr(g, "menvcfg", 0);
    map(VA, PAGE, PTE_V | PTE_RWX);
    translate(PRIV_S);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    map(VA, PAGE, PTE_V | PTE_RWX | PTE_A);
    expect_load(VA, 0);
    expect_fault(SD, VA, CAUSE_STORE_PAGE);
    cr_assert_eq(leaf(VA), pte(PAGE, PTE_V | PTE_RWX | PTE_A));
}

Test(mmu, svade_faults_and_neither_updates)
{
    with("rva22s64");
    map(VA, PAGE, PTE_V | PTE_RWX);
    translate(PRIV_S);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    with("rv64,svadu=off");
    map(VA, PAGE, PTE_V | PTE_RWX);
    translate(PRIV_S);
    expect_load(VA, 0);
}

Test(mmu, superpages_are_aligned)
{
    uint64_t va = VA & ~UINT64_C(0x1fffff), pa = RAM;

    poke64(g, pte_at(va, 3, 1), pte(pa, ALL));
    poke64(g, PAGE + 8, 9);
    translate(PRIV_S);
    expect_load(va + (PAGE - RAM) + 8, 9);
    poke64(g, pte_at(va, 3, 1), pte(pa + 0x1000, ALL));
    mmu_flush(g->h);
    expect_fault(LD, va, CAUSE_LOAD_PAGE);
}

Test(mmu, napot_maps_64_kib_as_one)
{
    uint64_t va = VA & ~UINT64_C(0xffff);
    uint64_t v = pte(PAGE + 0x8000, ALL) | UINT64_C(1) << 63;

    for (unsigned n = 0; n < 16; n++)
        poke64(g, pte_at(va + n * 0x1000, 3, 0), v);
    poke64(g, PAGE + 0x3010, 33);
    translate(PRIV_S);
    expect_load(va + 0x3010, 33);
    with("rv64"); /* no Svnapot */
    poke64(g, pte_at(va, 3, 0), v);
    translate(PRIV_S);
    expect_fault(LD, va, CAUSE_LOAD_PAGE);
}

Test(mmu, memory_types_need_pbmte)
{
    map(VA, PAGE, ALL | UINT64_C(1) << 61);
    translate(PRIV_S);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    set_csr(g, "menvcfg", MENVCFG_PBMTE);
    expect_load(VA, 0);
}

Test(mmu, tables_that_cannot_be_read_give_access_faults)
{
    translate(PRIV_S);
    poke64(g, pte_at(VA, 3, 2), pte(0x40000000, PTE_V)); /* nothing there */
    expect_fault(LD, VA, CAUSE_LOAD_ACCESS);
    expect_fault(SD, VA, CAUSE_STORE_ACCESS);
    poke64(g, pte_at(VA, 3, 2), pte(DEV, PTE_V));
    mmu_flush(g->h);
    expect_fault(LD, VA, CAUSE_LOAD_ACCESS);
    cr_assert_eq(g->reads, 0, "a walk does not touch devices");
}

Test(mmu, an_asid_is_ignored_but_a_change_of_satp_is_not)
{
    map(VA, PAGE, ALL);
    translate(PRIV_S);
    expect_load(VA, 0);
    map(VA, PAGE + 0x1000, ALL);
    poke64(g, PAGE + 0x1000, 1);
    set_csr(g, "satp", csr(g, "satp") | UINT64_C(7) << 44);
    expect_load(VA, 1);
}

Test(mmu, sfence_is_illegal_in_u_and_with_tvm_in_s)
{
    translate(PRIV_U);
    run_one(SFENCE_VMA, 0);
    expect_trap(CAUSE_ILLEGAL, SFENCE_VMA);
    with("max");
    translate(PRIV_S);
    set_csr(g, "mstatus", MSTATUS_TVM);
    run_one(SFENCE_VMA, 0);
    expect_trap(CAUSE_ILLEGAL, SFENCE_VMA);
}

Test(mmu, code_is_fetched_through_the_present_mapping)
{
    poke32(g, PAGE, addi(10, 0, 1));
    poke32(g, PAGE + 0x1000, addi(10, 0, 2));
    map(VA, PAGE, ALL);
    translate(PRIV_S);
    g->h->pc = VA;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->x[10], 1);
    map(VA, PAGE + 0x1000, ALL);
    run_one(SFENCE_VMA | 6 << 15, VA);
    g->h->pc = VA;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->x[10], 2);
}

/* Misaligned, and devices ------------------------------------------------------*/

Test(mmu, a_misaligned_access_crosses_pages)
{
    map(VA, PAGE, ALL);
    map(VA + 0x1000, PAGE + 0x5000, ALL);
    translate(PRIV_S);
    g->h->x[5] = 0x1122334455667788;
    run_one(SD, VA + 0xffd);
    cr_assert_eq(peek64(g, PAGE + 0xff8) >> 40, 0x667788);
    cr_assert_eq(peek64(g, PAGE + 0x5000), 0x1122334455);
    expect_load(VA + 0xffd, 0x1122334455667788);
}

Test(mmu, a_crossing_store_that_faults_writes_nothing)
{
    map(VA, PAGE, ALL);
    translate(PRIV_S);
    g->h->x[5] = UINT64_MAX;
    run_one(SD, VA + 0xffd);
    expect_trap(CAUSE_STORE_PAGE, VA + 0x1000);
    cr_assert_eq(peek64(g, PAGE + 0xff8), 0);
    set_priv(g, PRIV_S);
    map(VA + 0x1000, PAGE, ALL);
    map(VA, 0, 0);
    mmu_flush(g->h);
    run_one(SD, VA + 0xffd);
    expect_trap(CAUSE_STORE_PAGE, VA + 0xffd);
}

Test(mmu, a_misaligned_access_within_a_page_works)
{
    poke64(g, PAGE + 8, 0x1122334455667788);
    expect_load(PAGE + 9, 0x11223344556677);
    expect_load(PAGE + 9, 0x11223344556677);
    g->h->x[5] = 0xaabb;
    run_one(store(1, 5, 6), PAGE + 11);
    cr_assert_eq(peek64(g, PAGE + 8), 0x112233aabb667788);
}

Test(mmu, half_an_access_does_not_reach_a_device)
{
    map(VA, PAGE, ALL);
    map(VA + 0x1000, DEV, ALL);
    translate(PRIV_S);
    run_one(store(2, 5, 6), VA + 0xffe);
    expect_trap(CAUSE_STORE_ACCESS, VA + 0x1000);
    cr_assert_eq(g->writes, 0);
}

Test(mmu, a_device_is_asked_each_time_and_knows_the_time)
{
    g->reg[1] = 44;
    PROGRAM(g, NOP, NOP, load(2, 5, 6), load(2, 5, 6));
    g->h->x[6] = DEV + 4;
    hart_run(g->h, 4);
    cr_assert_eq(g->h->x[5], 44);
    cr_assert_eq(g->reads, 2);
    cr_assert_eq(g->steps_seen, 3);
    PROGRAM(g, store(2, 5, 6));
    hart_run(g->h, 1);
    cr_assert_eq(g->writes, 1);
}

Test(mmu, a_device_faults_on_a_width_it_does_not_know)
{
    run_one(LD, DEV);
    expect_trap(CAUSE_LOAD_ACCESS, DEV);
    run_one(store(0, 5, 6), DEV + 1);
    expect_trap(CAUSE_STORE_ACCESS, DEV + 1);
}

Test(mmu, nothing_there_faults_and_rom_ignores_writes)
{
    run_one(LD, 0x40000000);
    expect_trap(CAUSE_LOAD_ACCESS, 0x40000000);
    poke64(g, ROM, 6);
    g->h->x[5] = 7;
    run_one(SD, ROM);
    run_one(SD, ROM);
    expect_load(ROM, 6);
}

Test(mmu, a_fetch_that_crosses_pages_names_the_half_that_fails)
{
    poke32(g, CODE + 0xffc, 0x00130001); /* c.nop, then half an addi */
    translate(PRIV_S);
    g->h->pc = CODE + 0xffe;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_PAGE);
    cr_assert_eq(csr(g, "mepc"), CODE + 0xffe);
    cr_assert_eq(csr(g, "mtval"), CODE + 0x1000);
}

Test(mmu, a_device_holds_no_code)
{
    g->h->pc = DEV;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_ACCESS);
    cr_assert_eq(csr(g, "mtval"), DEV);
    cr_assert_eq(g->reads, 0);
}

/* Watchpoints ------------------------------------------------------------------*/

static void watch(uint32_t kind, uint64_t addr, uint64_t len)
{
    points_add(g->points,
               &(struct point){ .kind = kind, .addr = addr, .len = len });
}

Test(mmu, a_watchpoint_stops_before_the_access)
{
    PROGRAM(g, NOP, SD, NOP);
    g->h->x[5] = 1;
    g->h->x[6] = PAGE;
    watch(POINT_WRITE, PAGE + 4, 2);
    cr_assert_eq(hart_run(g->h, 3), 1);
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert_eq(g->h->stop.kind, HART_STOP_WATCH);
    cr_assert_eq(g->h->stop.addr, PAGE + 4);
    cr_assert_eq(g->h->stop.access, POINT_WRITE);
    cr_assert_eq(peek64(g, PAGE), 0);
    g->h->attention = 0;
    g->h->skip_points = true;
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(peek64(g, PAGE), 1);
}

Test(mmu, a_page_in_the_tlb_leaves_it_for_a_watchpoint)
{
    expect_load(PAGE, 0);
    watch(POINT_READ, PAGE + 0x800, 1);
    expect_load(PAGE, 0);
    PROGRAM(g, LD);
    g->h->x[6] = PAGE + 0x7fc;
    cr_assert_eq(hart_run(g->h, 1), 0);
    cr_assert_eq(g->h->stop.access, POINT_READ);
    cr_assert_eq(g->h->stop.addr, PAGE + 0x800);
}

Test(mmu, an_access_that_faults_is_not_watched)
{
    watch(POINT_READ | POINT_WRITE, VA, 8);
    translate(PRIV_S);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    cr_assert_eq(g->h->stop.kind, HART_STOP_NONE);
}

/* The debugger's walks -----------------------------------------------------------*/

Test(mmu, a_debuggers_walk_says_why_not)
{
    struct mmu_walk w;

    translate(PRIV_S);
    cr_assert_not(mmu_debug_walk(g->h, VA, false, &w));
    cr_assert_str_eq(w.fault, "the entry is not valid");
    cr_assert_eq(w.levels, 1);
    cr_assert_not(mmu_debug_walk(g->h, UINT64_C(1) << 62, false, &w));
    cr_assert_str_eq(w.fault, "the address is not canonical");
    set_priv(g, PRIV_M);
    cr_assert(mmu_debug_walk(g->h, VA, false, &w));
    cr_assert_eq(w.pa, VA);
    cr_assert_not(mmu_debug_walk(g->h, VA, true, &w), "as S");
}

Test(mmu, a_debuggers_walk_changes_nothing)
{
    struct mmu_walk w;

    map(VA, PAGE, PTE_V | PTE_R);
    translate(PRIV_S);
    cr_assert(mmu_debug_walk(g->h, VA + 5, false, &w));
    cr_assert_eq(w.pa, PAGE + 5);
    cr_assert_eq(leaf(VA), pte(PAGE, PTE_V | PTE_R));
}

struct leaf_seen {
    uint64_t va[8], pa[8], size[8];
    size_t n;
};

static void see(void *opaque, uint64_t va, uint64_t pa, uint64_t size,
                uint64_t entry)
{
    struct leaf_seen *s = opaque;

    (void)entry;
    if (s->n == 8)
        return;
    s->va[s->n] = va;
    s->pa[s->n] = pa;
    s->size[s->n++] = size;
}

Test(mmu, leaves_come_in_order_of_address)
{
    struct leaf_seen s = { .n = 0 };

    cr_assert_not(mmu_debug_leaves(g->h, see, &s));
    map(VA, PAGE, ALL);
    map(UINT64_C(0xffffffc000001000), PAGE, ALL);
    poke64(g, pte_at(0x40200000, 3, 1), pte(RAM, ALL));
    translate(PRIV_S);
    cr_assert(mmu_debug_leaves(g->h, see, &s));
    cr_assert_eq(s.n, 4);
    cr_assert_eq(s.va[0], 0x40200000);
    cr_assert_eq(s.size[0], 0x200000);
    cr_assert_eq(s.va[1], CODE);
    cr_assert_eq(s.va[2], VA);
    cr_assert_eq(s.pa[2], PAGE);
    cr_assert_eq(s.va[3], 0xffffffc000001000);
}

Test(mmu, leaves_end_in_tables_that_point_at_themselves)
{
    struct leaf_seen s = { .n = 0 };

    for (unsigned n = 0; n < 512; n++)
        poke64(g, TABLES + 8 * n, pte(TABLES, PTE_V));
    set_csr(g, "satp", UINT64_C(10) << 60 | TABLES >> 12);
    cr_assert(mmu_debug_leaves(g->h, see, &s));
    cr_assert_eq(s.n, 0);
}
