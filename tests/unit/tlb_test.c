/* SPDX-License-Identifier: MIT */
/*
 * tlb_test.c - what a hart remembers of page tables follows them, fence or not.
 *
 * At the end the proof by comparison: of two harts that do the same at random
 * one forgets everything before each step.
 */
#include "emu/hart/interp.h"
#include "emu/hart/tlb.h"
#include "tests/unit/hart_rig.h"

enum { LEAF = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D };
enum { TABLE_COUNT = 6, DATA_COUNT = 6 };

#define TABLE(n) (RAM + 0x100000 + 0x1000 * (uint64_t)(n))
#define DATA(n)  (RAM + 0x40000 + 0x1000 * (uint64_t)(n))
#define ROOT     TABLE(0)
#define SV39(n)  (UINT64_C(8) << 60 | TABLE(n) >> 12)
#define VA       UINT64_C(0x40205000) /* vpn 1, 1, 5 */
#define VA_PTE   (TABLE(2) + 8 * 5)

#define LD load(3, 5, 6)
#define SD store(3, 5, 6)

static struct rig *g;

static uint64_t pte(uint64_t pa, uint64_t flags)
{
    return pa >> 12 << 10 | flags;
}

/* VA is DATA(0) by tables 0, 1, 2; the program's page by 0, 3, 4. */
static void setup(void)
{
    g = rig_new("max");
    open_pmp(g);
    poke64(g, ROOT + 8, pte(TABLE(1), PTE_V));
    poke64(g, TABLE(1) + 8, pte(TABLE(2), PTE_V));
    poke64(g, VA_PTE, pte(DATA(0), LEAF));
    poke64(g, ROOT + 8 * (CODE >> 30 & 511), pte(TABLE(3), PTE_V));
    poke64(g, TABLE(3) + 8 * (CODE >> 21 & 511), pte(TABLE(4), PTE_V));
    poke64(g, TABLE(4) + 8 * (CODE >> 12 & 511), pte(CODE, LEAF));
    for (int n = 0; n < DATA_COUNT; n++)
        poke64(g, DATA(n), 100 + (uint64_t)n);
    set_csr(g, "satp", SV39(0));
    set_priv(g, PRIV_S);
}

static void teardown(void) { rig_free(g); }

TestSuite(tlb, .init = setup, .fini = teardown);

static void run_one(uint32_t word, uint64_t va)
{
    PROGRAM(g, word);
    g->h->x[6] = va;
    cr_assert_eq(hart_run(g->h, 1), 1);
}

static void expect(uint64_t va, uint64_t v)
{
    run_one(LD, va);
    cr_assert_eq(g->h->priv, PRIV_S, "cause %lu", csr(g, "mcause"));
    cr_assert_eq(g->h->x[5], v, "%lu, not %lu", g->h->x[5], v);
}

static void expect_fault(uint32_t word, uint64_t va, uint64_t cause)
{
    run_one(word, va);
    cr_assert_eq(g->h->priv, PRIV_M);
    cr_assert_eq(csr(g, "mcause"), cause);
    set_priv(g, PRIV_S);
}

/* An entry is soon another page's. */
enum { FEW = TLB_LEAST < 16 };

static bool remembers(uint64_t va)
{
    return FEW || tlb_data(g->h, va)->read == va;
}

static bool attended(uint64_t pa)
{
    return mem_attention(g->mem, pa) & MEM_ATTN_TABLE;
}

Test(tlb, a_leaf_that_changes_is_followed)
{
    expect(VA, 100);
    poke64(g, VA_PTE, pte(DATA(1), LEAF));
    expect(VA, 101);
    poke64(g, VA_PTE, 0);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    poke64(g, VA_PTE, pte(DATA(2), LEAF));
    expect(VA, 102);
}

Test(tlb, tables_above_the_leaf_are_followed)
{
    poke64(g, TABLE(5) + 8 * 5, pte(DATA(3), LEAF));
    expect(VA, 100);
    poke64(g, TABLE(1) + 8, pte(TABLE(5), PTE_V));
    expect(VA, 103);
    poke64(g, ROOT + 8, 0);
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
}

Test(tlb, a_superpage_that_changes_is_followed)
{
    poke64(g, TABLE(1) + 8, pte(RAM, LEAF));
    for (int n = 0; n < 3; n++)
        expect(VA - 0x5000 + (DATA(n) - RAM), 100 + (uint64_t)n);
    poke64(g, TABLE(1) + 8, pte(TABLE(2), PTE_V));
    expect(VA, 100);
    expect_fault(LD, VA - 0x5000 + (DATA(1) - RAM), CAUSE_LOAD_PAGE);
}

Test(tlb, a_and_d_are_set_again_when_they_were_cleared)
{
    set_csr(g, "menvcfg", MENVCFG_ADUE);
    expect(VA, 100);
    run_one(SD, VA);
    poke64(g, VA_PTE, pte(DATA(0), LEAF & ~PTE_A & ~PTE_D));
    run_one(LD, VA);
    cr_assert_eq(peek64(g, VA_PTE), pte(DATA(0), LEAF & ~PTE_D));
    run_one(SD, VA);
    cr_assert_eq(peek64(g, VA_PTE), pte(DATA(0), LEAF));
}

Test(tlb, a_guest_that_writes_its_own_tables_sees_it_at_once)
{
    /* VA + 0x1000 is the table that has VA's entry. */
    poke64(g, VA_PTE + 8, pte(TABLE(2), LEAF));
    expect(VA, 100);
    g->h->x[5] = pte(DATA(4), LEAF);
    run_one(SD, VA + 0x1000 + 8 * 5);
    expect(VA, 104);
    poke64(g, VA_PTE + 16, pte(DATA(5), LEAF)); /* by another */
    expect(VA + 0x2000, 105);
}

Test(tlb, code_is_fetched_anew_within_a_block)
{
    uint64_t entry = TABLE(4) + 8 * (CODE >> 12 & 511);
    uint32_t other[] = { addi(7, 0, 1), addi(7, 0, 2), addi(7, 0, 3) };

    poke64(g, VA_PTE, pte(TABLE(4), LEAF));
    PROGRAM(g, SD, addi(7, 0, 11), addi(7, 0, 12));
    cr_assert_eq(mem_poke(g->mem, DATA(1) + CODE % 0x1000, other, sizeof other),
                 sizeof other);
    for (int n = 0; n < 3; n++) { /* until it is known */
        g->h->pc = CODE;
        g->h->x[5] = pte(CODE, LEAF);
        g->h->x[6] = VA + entry % 0x1000;
        cr_assert_eq(hart_run(g->h, 3), 3);
        cr_assert_eq(g->h->x[7], 12);
    }
    g->h->pc = CODE;
    g->h->x[5] = pte(DATA(1), LEAF);
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(g->h->x[7], 2, "%lu", g->h->x[7]);
}

/* Of two pages with code one is read first, and one changes before the other. */
Test(tlb, each_page_with_code_is_followed)
{
    for (int n = 0; n < DATA_COUNT; n++)
        poke32(g, DATA(n), addi(7, 0, n));
    poke64(g, VA_PTE + 8, pte(DATA(1), LEAF));
    run_one(LD, VA);
    for (int n = 0; n < 6; n++) {
        int page = n % 2;

        if (n >= 2)
            poke64(g, VA_PTE + 8 * (uint64_t)page, pte(DATA(n), LEAF));
        for (int again = 0; again < 2; again++) {
            g->h->pc = VA + 0x1000 * (uint64_t)page;
            cr_assert_eq(hart_run(g->h, 1), 1);
            cr_assert_eq(g->h->x[7], n, "%lu, not %d", g->h->x[7], n);
        }
    }
}

/* The halves of addi rd, x0, imm: the one says rd, the other imm. */
static void poke_low(uint64_t page, unsigned rd)
{
    uint16_t v = (uint16_t)addi(rd, 0, 0);

    mem_poke(g->mem, page + 0x1000 - 2, &v, 2);
}

static void poke_high(uint64_t page, int imm)
{
    uint16_t v = (uint16_t)(addi(0, 0, imm) >> 16);

    mem_poke(g->mem, page, &v, 2);
}

/* It is in the end of VA's page and the start of the next one. */
static void expect_across(unsigned rd, uint64_t imm)
{
    for (int again = 0; again < 2; again++) {
        g->h->pc = VA + 0x1000 - 2;
        g->h->x[7] = g->h->x[8] = 0;
        cr_assert_eq(hart_run(g->h, 1), 1);
        cr_assert_eq(g->h->pc, VA + 0x1000 + 2);
        cr_assert_eq(g->h->x[rd], imm, "%lu, not %lu", g->h->x[rd], imm);
    }
}

Test(tlb, both_pages_of_an_instruction_are_followed)
{
    poke_low(DATA(0), 7);
    poke_low(DATA(3), 8);
    poke_high(DATA(1), 11);
    poke_high(DATA(2), 12);
    poke64(g, VA_PTE + 8, pte(DATA(1), LEAF));
    expect_across(7, 11);
    poke64(g, VA_PTE + 8, pte(DATA(2), LEAF));
    expect_across(7, 12);
    poke_high(DATA(2), 20);
    expect_across(7, 20);
    poke64(g, VA_PTE, pte(DATA(3), LEAF));
    expect_across(8, 20);
    poke_low(DATA(3), 7);
    expect_across(7, 20);
    poke64(g, VA_PTE + 8, 0);
    g->h->pc = VA + 0x1000 - 2;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_PAGE);
    cr_assert_eq(csr(g, "mtval"), VA + 0x1000);
}

Test(tlb, an_address_space_is_remembered_and_still_followed)
{
    poke64(g, TABLE(5) + 8 * (CODE >> 30 & 511), pte(TABLE(3), PTE_V));
    expect(VA, 100);
    set_csr(g, "satp", SV39(5));
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
    poke64(g, VA_PTE, pte(DATA(1), LEAF));
    set_csr(g, "satp", SV39(0));
    expect(VA, 101);
}

Test(tlb, address_spaces_share_what_they_have_in_common)
{
    const struct tlb *of_s = g->h->mmu.here[CTX_S];

    memcpy(mem_find(g->mem, RAM)->host + (TABLE(5) - RAM),
           mem_find(g->mem, RAM)->host + (ROOT - RAM), 4096);
    expect(VA, 100);
    set_csr(g, "satp", SV39(5));
    cr_assert_eq(g->h->mmu.here[CTX_S], of_s);
    cr_assert(remembers(VA));
    cr_assert(!attended(ROOT) && attended(TABLE(5)));
    poke64(g, ROOT + 8, 0); /* not this one's */
    expect(VA, 100);
    set_csr(g, "satp", SV39(0));
    expect_fault(LD, VA, CAUSE_LOAD_PAGE);
}

Test(tlb, a_table_that_is_given_up_is_memory_again)
{
    expect(VA, 100);
    cr_assert(attended(TABLE(2)) && attended(TABLE(1)));
    poke64(g, VA_PTE, 0);
    poke64(g, TABLE(1) + 8, 0);
    cr_assert(!attended(TABLE(2)) && !attended(TABLE(1)));
}

Test(tlb, a_page_that_wanted_attention_once_is_fast_again)
{
    run_one(SD, VA);
    mem_attend(g->mem, DATA(0), MEM_ATTN_COPY);
    run_one(SD, VA);
    cr_assert_eq(tlb_data(g->h, VA)->write, TLB_NONE);
    mem_unattend(g->mem, DATA(0), MEM_ATTN_COPY);
    run_one(SD, VA);
    cr_assert(FEW || tlb_data(g->h, VA)->write == VA);
}

static uint64_t known(uint64_t va) { return ~tlb_data(g->h, va)->page & 7; }

/* Leaf 5 is asked for, 0 to 7 are around it; A and D are left as they are. */
Test(tlb, pages_around_one_that_is_asked_for_are_found_too)
{
    const uint64_t one = MEM_PAGE;

    poke64(g, VA_PTE - 40, pte(DATA(1), LEAF));
    poke64(g, VA_PTE - 8, pte(DATA(2), LEAF & ~PTE_A));
    poke64(g, VA_PTE + 8, pte(DATA(3), LEAF & ~PTE_D));
    poke64(g, VA_PTE + 16, pte(DATA(4), LEAF | PTE_U));
    poke64(g, VA_PTE + 24, pte(DATA(5), LEAF));
    expect(VA, 100);
    if (!FEW) {
        cr_assert_eq(known(VA - 5 * one), ACCESS_READ | ACCESS_WRITE);
        cr_assert_eq(known(VA - one), 0);
        cr_assert_eq(known(VA + one), ACCESS_READ);
        cr_assert_eq(known(VA + 2 * one), 0);
        cr_assert_eq(known(VA + 3 * one), 0); /* another line */
    }
    cr_assert_eq(peek64(g, VA_PTE - 8), pte(DATA(2), LEAF & ~PTE_A));
    poke64(g, VA_PTE - 40, pte(DATA(5), LEAF));
    expect(VA - 5 * one, 105);
    poke64(g, VA_PTE + 8, 0);
    expect_fault(LD, VA + one, CAUSE_LOAD_PAGE);
}

/* All megapages are the same memory. */
Test(tlb, one_that_is_too_small_grows)
{
    const uint64_t base = VA & ~UINT64_C(0x3fffffff), pages = 2 * TLB_LEAST;
    uint64_t before = g->h->data_index, known = 0;

    for (uint64_t n = 0; n < 512; n++)
        poke64(g, TABLE(1) + 8 * n, pte(RAM, LEAF));
    for (uint64_t n = 0; n < 4 * pages; n++)
        run_one(LD, base + n % pages * 0x1000);
    cr_assert_gt(g->h->data_index, before);
    for (uint64_t n = 0; n < pages; n++)
        known += tlb_data(g->h, base + n * 0x1000)->read == base + n * 0x1000;
    /* The page with the program was written to meanwhile. */
    cr_assert(FEW || known + pages / 256 > pages, "%lu", known);
    expect(base + (DATA(1) - RAM), 101);
    poke64(g, TABLE(1), pte(TABLE(2), PTE_V));
    expect_fault(LD, base + (DATA(1) - RAM), CAUSE_LOAD_PAGE);
    expect(base + 0x5000, 100);
    mmu_flush(g->h);
    cr_assert_leq(g->h->data_index, before);
    expect(base + 0x5000, 100);
}

Test(tlb, fences_do_nothing_but_trap)
{
    expect(VA, 100);
    run_one(0x12000073, 0); /* sfence.vma */
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert(remembers(VA));
    set_priv(g, PRIV_U);
    poke64(g, TABLE(4) + 8 * (CODE >> 12 & 511), pte(CODE, LEAF | PTE_U));
    expect_fault(0x12000073, 0, CAUSE_ILLEGAL);
}

/* Two harts that do the same ------------------------------------------------- */

static uint64_t seed;

static uint64_t any(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (seed >> 33) % n;
}

/* Few values, so that tables are roots, leaves and each other's. */
static uint64_t any_pte(void)
{
    static const uint64_t flags[] = {
        LEAF,         LEAF | PTE_U,          LEAF & ~PTE_D,
        LEAF | PTE_U, LEAF & ~PTE_A,         PTE_V | PTE_X | PTE_A,
        LEAF,         PTE_V | PTE_R | PTE_U, 0,
    };

    if (any(2))
        return pte(TABLE(any(TABLE_COUNT)), PTE_V);
    return pte(any(3)   ? DATA(any(DATA_COUNT))
               : any(2) ? TABLE(any(TABLE_COUNT))
                        : RAM,
               flags[any(sizeof flags / sizeof flags[0])]);
}

/* Entries 0 to 3 of each level, the last ones for the upper half. */
static uint64_t any_entry(void)
{
    uint64_t n = any(5);

    return TABLE(any(TABLE_COUNT)) + 8 * (n < 4 ? n : 511);
}

static uint64_t any_va(void)
{
    uint64_t va = any(4) << 30 | any(4) << 21 | any(4) << 12 | any(64) * 8;

    return any(4) ? va : va | ~UINT64_C(0) << 38;
}

struct step {
    enum { READ, WRITE, FETCH, ENTRY, SATP, STATUS, PRIV } kind;
    uint64_t at, v;
};

static struct step any_step(void)
{
    static const unsigned privs[] = { PRIV_U, PRIV_S, PRIV_S, PRIV_M };
    struct step s = { (unsigned)any(7), any_va(), any(UINT32_MAX) };

    if (any(3))
        s.kind = (unsigned)any(4);
    if (s.kind == ENTRY)
        s = (struct step){ ENTRY, any_entry(), any_pte() };
    else if (s.kind == WRITE && any(2))
        s.v = any_pte();
    else if (s.kind == SATP)
        s.v = any(20) ? SV39(any(4)) | any(4) << 44 : 0;
    else if (s.kind == STATUS)
        s.v = any(4) << 18 | (any(8) ? 0 : 1) << 17; /* SUM, MXR; MPRV */
    else if (s.kind == PRIV)
        s.v = privs[any(4)];
    return s;
}

/* What there is to see of it. */
static uint64_t do_step(struct rig *r, struct step s)
{
    static const struct insn none[2] = { { .fn = op_block_end } };
    struct hart *h = r->h;
    uint64_t v = 0, cause = 0;
    enum mmu_result m = MMU_OK;

    h->pc = CODE;
    switch (s.kind) {
    case READ:
        m = mmu_load(h, none, s.at, 8, &v);
        break;
    case WRITE:
        m = mmu_store(h, none, s.at, 8, s.v);
        break;
    case FETCH:
        return mmu_fetch(h, s.at, &v, &cause) ? v : cause;
    case ENTRY:
        poke64(r, s.at, s.v);
        break;
    case SATP:
        csr_poke(h, 0x180, s.v);
        break;
    case STATUS:
        csr_poke(h, 0x300, (h->mstatus & ~UINT64_C(0xe0000)) | s.v);
        break;
    case PRIV:
        set_priv(r, (unsigned)s.v);
        break;
    }
    if (m == MMU_OK)
        return v;
    cause = csr(r, "mcause") << 8 | 0xff;
    set_priv(r, PRIV_S);
    return cause;
}

static void compare(struct rig *a, struct rig *b)
{
    cr_assert_arr_eq(mem_find(a->mem, RAM)->host, mem_find(b->mem, RAM)->host,
                     TABLE(TABLE_COUNT) - RAM);
}

Test(tlb, no_guest_can_tell_what_is_remembered)
{
    struct rig *a = rig_new("max"), *b = rig_new("max");
    unsigned found = 0;

    open_pmp(a);
    open_pmp(b);
    set_csr(a, "menvcfg", MENVCFG_ADUE);
    set_csr(b, "menvcfg", MENVCFG_ADUE);
    for (unsigned n = 0; n < 600000; n++) {
        struct step s = any_step();
        uint64_t x, y;

        mmu_flush(b->h);
        x = do_step(a, s);
        y = do_step(b, s);
        found += s.kind <= FETCH && (x & 0xff) != 0xff;
        cr_assert_eq(x, y, "step %u (%u %lx %lx): %lx, not %lx", n, s.kind,
                     s.at, s.v, x, y);
        if (n % 1000 == 0)
            compare(a, b);
    }
    compare(a, b);
    cr_assert_gt(tables_info(a->tables).leaves, 1000);
    cr_assert_gt(tables_info(a->tables).forgot, 1000);
    cr_assert_gt(found, 100000);
    rig_free(a);
    rig_free(b);
}
