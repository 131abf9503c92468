/* SPDX-License-Identifier: MIT */
/* look_test.c - where points stop a hart: physical ones, filters, events. */
#include "emu/hart/mmu_walk.h"
#include "emu/hart/trap.h"
#include "tests/unit/hart_rig.h"

#define DATA  (RAM + 0x10000)
#define TABLE (RAM + 0x20000)
/* Where Sv39 shows RAM's first gigabyte, and again. */
#define HIGH  UINT64_C(0xffffffff80000000)
#define LOW   UINT64_C(0x40000000)
#define STVEC 0x105
#define SATP  0x180

static struct rig *g;

static void setup(void)
{
    g = rig_new("rv64");
    open_pmp(g);
}

static void teardown(void) { rig_free(g); }

TestSuite(look, .init = setup, .fini = teardown);

/* RAM at LOW and at HIGH for S mode, with these bits in both leaves. */
static void sv39(uint64_t bits)
{
    poke64(g, TABLE + 8 * (LOW >> 30), RAM >> 2 | bits);
    poke64(g, TABLE + 8 * (HIGH >> 30 & 511), RAM >> 2 | bits);
    set_csr(g, "satp", UINT64_C(8) << 60 | TABLE >> 12);
    set_priv(g, PRIV_S);
    g->h->pc = HIGH;
}

enum { BITS = PTE_V | PTE_R | PTE_W | PTE_X, BITS_AD = BITS | PTE_A | PTE_D };

static void add(uint32_t kind, uint32_t flags, uint64_t addr, uint64_t len)
{
    points_add(g->points,
               &(struct point){
                   .kind = kind, .flags = flags, .addr = addr, .len = len });
}

/* Runs to a stop, tells what kind, and makes ready to go on. */
static unsigned run(void)
{
    unsigned kind;

    hart_run(g->h, 50);
    kind = g->h->stop.kind;
    g->h->stop.kind = HART_STOP_NONE;
    g->h->attention &= ~(uint32_t)ATTN_STOP;
    g->h->skip_points = SKIP_ALL;
    return kind;
}

#define STOPS(kind, at)                                                        \
    do {                                                                       \
        cr_assert_eq(run(), HART_STOP_##kind);                                 \
        cr_assert_eq(g->h->pc, at, "pc 0x%llx", (unsigned long long)g->h->pc); \
    } while (0)

/* Physical points ------------------------------------------------------------ */

Test(look, a_physical_breakpoint_is_hit_by_every_address)
{
    PROGRAM(g, NOP, NOP, NOP, 0x0000006f);
    sv39(BITS_AD);
    add(POINT_BREAK, POINT_PHYS, CODE + 4, 2);
    STOPS(BREAK, HIGH + 4);
    cr_assert_eq(g->h->stop.pa, CODE + 4);
    g->h->pc = LOW;
    g->h->skip_points = 0;
    STOPS(BREAK, LOW + 4);
    set_priv(g, PRIV_M);
    g->h->pc = CODE;
    g->h->skip_points = 0;
    STOPS(BREAK, CODE + 4);
    cr_assert_eq(points_nth(g->points, 0)->hits, 3);
}

Test(look, a_physical_watchpoint_sees_every_alias)
{
    uint64_t off = DATA - RAM;

    PROGRAM(g, store(3, 6, 5), load(3, 7, 5), store(3, 6, 8), 0x0000006f);
    sv39(BITS_AD);
    add(POINT_WRITE, POINT_PHYS, DATA + 4, 1);
    g->h->x[5] = HIGH + off;
    g->h->x[8] = LOW + off;
    STOPS(WATCH, HIGH);
    cr_assert_eq(g->h->stop.addr, HIGH + off + 4);
    cr_assert_eq(g->h->stop.pa, DATA + 4);
    STOPS(WATCH, HIGH + 8);
    cr_assert_eq(g->h->stop.addr, LOW + off + 4);
    STOPS(NONE, HIGH + 12);
}

Test(look, a_physical_watchpoint_on_reads_sees_no_writes)
{
    PROGRAM(g, store(3, 6, 5), load(3, 7, 5), store(3, 6, 5), 0x0000006f);
    add(POINT_READ, POINT_PHYS, DATA, 8);
    g->h->x[5] = DATA;
    STOPS(WATCH, CODE + 4);
    cr_assert_eq(g->h->stop.access, POINT_READ);
    STOPS(NONE, CODE + 12);
}

Test(look, a_watched_page_is_fast_but_for_the_watched_bytes)
{
    PROGRAM(g, store(3, 6, 5), store(3, 6, 8), store(3, 6, 9), 0x0000006f);
    add(POINT_WRITE, 0, DATA + 0x100, 8);
    g->h->x[5] = DATA;
    g->h->x[6] = 7;
    g->h->x[8] = DATA + 0x108;
    g->h->x[9] = DATA + 0xff9; /* and across the page's end */
    STOPS(NONE, CODE + 12);
    cr_assert_eq(peek64(g, DATA), 7);
    cr_assert_eq(peek64(g, DATA + 0x108), 7);
    cr_assert_eq(peek64(g, DATA + 0xff9), 7);
    g->h->x[9] = DATA + 0xf9;
    g->h->pc = CODE;
    g->h->skip_points = 0;
    STOPS(WATCH, CODE + 8);
    cr_assert_eq(g->h->stop.addr, DATA + 0x100);
}

Test(look, setting_the_accessed_bit_is_a_write_by_the_walker)
{
    uint64_t pte = TABLE + 8 * (LOW >> 30);

    PROGRAM(g, load(3, 7, 5), NOP, 0x0000006f);
    sv39(BITS_AD);
    poke64(g, pte, RAM >> 2 | BITS);
    add(POINT_WRITE, POINT_PHYS, pte, 8);
    g->h->x[5] = LOW;
    STOPS(WATCH, HIGH);
    cr_assert(g->h->stop.walker);
    cr_assert_eq(g->h->stop.pa, pte);
    cr_assert_eq(g->h->stop.addr, LOW);
    cr_assert_eq(peek64(g, pte) & PTE_A, 0);
    STOPS(NONE, HIGH + 8);
    cr_assert_neq(peek64(g, pte) & PTE_A, 0);
}

Test(look, a_fetch_sets_the_accessed_bit_too)
{
    uint64_t pte = TABLE + 8 * (HIGH >> 30 & 511);

    PROGRAM(g, NOP, 0x0000006f);
    sv39(BITS_AD);
    poke64(g, pte, RAM >> 2 | BITS);
    add(POINT_WRITE, POINT_PHYS, pte, 8);
    STOPS(WATCH, HIGH);
    cr_assert(g->h->stop.walker);
    cr_assert_eq(peek64(g, pte) & PTE_A, 0);
    STOPS(NONE, HIGH + 4);
}

Test(look, a_watchpoint_that_stops_has_set_no_bit)
{
    uint64_t pte = TABLE + 8 * (LOW >> 30);

    PROGRAM(g, store(3, 6, 5), 0x0000006f);
    sv39(BITS_AD);
    poke64(g, pte, RAM >> 2 | BITS);
    add(POINT_WRITE, 0, LOW + 0x10000, 8);
    g->h->x[5] = LOW + 0x10000;
    STOPS(WATCH, HIGH);
    cr_assert_eq(peek64(g, pte), RAM >> 2 | BITS);
    STOPS(NONE, HIGH + 4);
    cr_assert_eq(peek64(g, pte), RAM >> 2 | BITS_AD);
}

Test(look, an_access_that_faults_is_none)
{
    PROGRAM(g, store(3, 6, 5), 0x0000006f);
    sv39(BITS_AD);
    set_csr(g, "stvec", HIGH + 4);
    set_csr(g, "medeleg", 1 << CAUSE_STORE_PAGE);
    g->h->x[5] = 0x8000;
    add(POINT_WRITE, 0, 0x8000, 8);
    STOPS(NONE, HIGH + 4);
    cr_assert_eq(csr(g, "scause"), CAUSE_STORE_PAGE);
}

struct dma {
    int told;
    uint64_t pa;
    size_t len;
    bool write;
};

static void on_dma(void *opaque, const char *by, uint64_t pa, size_t len,
                   bool write)
{
    struct dma *d = opaque;

    cr_assert_str_eq(by, "disk");
    *d = (struct dma){ d->told + 1, pa, len, write };
}

Test(look, dma_to_a_watched_page_is_told)
{
    struct dma d = { 0 };
    char data[0x2000] = { 0 };

    mem_on_dma(g->mem, on_dma, &d);
    mem_master(g->mem, "disk");
    add(POINT_WRITE, POINT_PHYS, DATA + 0x1010, 4);
    mem_dma_write(g->mem, DATA - 0x1000, data, 0x2000);
    cr_assert_eq(d.told, 0);
    mem_dma_write(g->mem, DATA + 0x800, data, 0x1000);
    cr_assert_eq(d.told, 1);
    cr_assert_eq(d.pa, DATA + 0x1000);
    cr_assert_eq(d.len, 0x800);
    cr_assert(d.write);
    mem_dma_read(g->mem, DATA + 0x1000, data, 1);
    cr_assert_not(d.write);
    points_remove_owner(g->points, NULL);
    mem_dma_write(g->mem, DATA + 0x1000, data, 8);
    cr_assert_eq(d.told, 2);
    mem_master(g->mem, NULL);
}

Test(look, attention_stays_while_another_watchpoint_needs_it)
{
    add(POINT_WRITE, POINT_PHYS, DATA, 8);
    add(POINT_WRITE, POINT_PHYS, DATA + 0xff0, 0x20);
    points_remove(g->points, &(struct point){ .kind = POINT_WRITE,
                                              .flags = POINT_PHYS,
                                              .addr = DATA,
                                              .len = 8 });
    cr_assert_eq(mem_attention(g->mem, DATA), MEM_ATTN_WATCH);
    cr_assert_eq(mem_attention(g->mem, DATA + 0x1000), MEM_ATTN_WATCH);
    points_remove_owner(g->points, NULL);
    cr_assert_eq(mem_attention(g->mem, DATA), 0);
    cr_assert_eq(mem_attention(g->mem, DATA + 0x1000), 0);
}

/* sc, and what a stop is passed by ------------------------------------------- */

static uint32_t lr_d(unsigned rd, unsigned rs1)
{
    return 0x1000302f | rs1 << 15 | rd << 7;
}

static uint32_t sc_d(unsigned rd, unsigned rs2, unsigned rs1)
{
    return 0x1800302f | rs2 << 20 | rs1 << 15 | rd << 7;
}

Test(look, a_store_conditional_that_fails_writes_nothing)
{
    PROGRAM(g, lr_d(7, 5), store(3, 6, 8), sc_d(7, 6, 5), 0x0000006f);
    g->h->x[5] = g->h->x[8] = DATA;
    g->h->x[6] = 1;
    add(POINT_WRITE, 0, DATA, 8);
    STOPS(WATCH, CODE + 4); /* the store that breaks the reservation */
    STOPS(NONE, CODE + 12);
    cr_assert_eq(g->h->x[7], 1);
    g->h->x[8] = DATA + 64;
    g->h->pc = CODE;
    g->h->skip_points = 0;
    STOPS(WATCH, CODE + 8); /* the one that holds */
    STOPS(NONE, CODE + 12);
    cr_assert_eq(g->h->x[7], 0);
}

Test(look, an_amo_reads_where_only_reads_are_watched)
{
    uint32_t amoadd_d = 0x0000302f | 6 << 20 | 5 << 15 | 7 << 7;

    PROGRAM(g, store(3, 6, 5), amoadd_d, 0x0000006f);
    g->h->x[5] = DATA;
    add(POINT_READ, 0, DATA, 8);
    STOPS(WATCH, CODE + 4);
    cr_assert_eq(g->h->stop.access, POINT_READ);
    STOPS(NONE, CODE + 8);
}

/* What gdb's watch wants: a store of the bytes that are there is no change. */
Test(look, a_watchpoint_on_changes_passes_over_stores_of_the_same)
{
    PROGRAM(g, 0x00b53023 /* sd a1,0(a0) */, 0x00b53023, 0x0000006f);
    g->h->x[10] = DATA;
    g->h->x[11] = 0x1122334455667788;
    add(POINT_WRITE, POINT_CHANGE, DATA + 2, 2);
    STOPS(WATCH, CODE);
    STOPS(NONE, CODE + 8); /* it is there now */
    g->h->pc = CODE;
    g->h->x[11] ^= UINT64_C(0xff00ffffffff00ff); /* but for bytes 2 and 3 */
    g->h->x[11] ^= UINT64_C(0x00000000ffff0000);
    STOPS(NONE, CODE + 8);
    g->h->pc = CODE;
    g->h->skip_points = 0;
    g->h->x[11] ^= UINT64_C(0x01000000);
    STOPS(WATCH, CODE);
    cr_assert_eq(g->h->stop.addr, DATA + 2);
}

Test(look, a_store_over_two_pages_may_change_either)
{
    uint64_t end = DATA + 4096;

    PROGRAM(g, 0x00b53023 /* sd a1,0(a0) */, 0x0000006f);
    g->h->x[10] = end - 3;
    add(POINT_WRITE, POINT_CHANGE, end - 1, 2);
    STOPS(NONE, CODE + 4); /* zeroes onto zeroes */
    g->h->pc = CODE;
    g->h->skip_points = 0;
    g->h->x[11] = UINT64_C(1) << 24;
    STOPS(WATCH, CODE);
    cr_assert_eq(g->h->stop.addr, end);
    STOPS(NONE, CODE + 4);
    g->h->pc = CODE;
    g->h->skip_points = 0;
    g->h->x[11] |= UINT64_C(1) << 23;
    STOPS(WATCH, CODE);
    cr_assert_eq(g->h->stop.addr, end - 1);
}

Test(look, an_atomic_is_a_hit_whatever_it_writes)
{
    PROGRAM(g, 0x00b5202f /* amoadd.w zero,a1,(a0) */, 0x0000006f);
    g->h->x[10] = DATA;
    add(POINT_WRITE, POINT_CHANGE, DATA, 4);
    STOPS(WATCH, CODE);
}

Test(look, a_breakpoint_comes_before_a_watchpoint_of_its_instruction)
{
    PROGRAM(g, store(3, 6, 5), 0x0000006f);
    g->h->x[5] = DATA;
    add(POINT_WRITE, 0, DATA, 8);
    add(POINT_BREAK, 0, CODE, 2);
    STOPS(BREAK, CODE);
    g->h->skip_points = SKIP_BREAKS;
    STOPS(WATCH, CODE);
    STOPS(NONE, CODE + 4);
}

Test(look, an_interrupt_first_ends_the_skip)
{
    PROGRAM(g, NOP, 0x0000006f);
    add(POINT_BREAK, 0, CODE, 2);
    add(POINT_BREAK, 0, TRAPS, 2);
    STOPS(BREAK, CODE);
    set_csr(g, "mie", 1 << IRQ_MSI);
    set_csr(g, "mstatus", MSTATUS_MIE);
    irq_set(hart_irq(g->h, IRQ_MSI), true);
    STOPS(BREAK, TRAPS);
}

/* Events --------------------------------------------------------------------- */

static void catch_event(struct point p)
{
    p.len = p.len ? p.len : 1;
    points_add(g->points, &p);
}

Test(look, a_trap_is_caught_at_the_handlers_first_instruction)
{
    PROGRAM(g, NOP, EBREAK, ECALL);
    catch_event((struct point){ .kind = POINT_TRAP,
                                .addr = 1 << CAUSE_BREAKPOINT,
                                .privs = 1 << PRIV_M });
    STOPS(CATCH, TRAPS);
    cr_assert_eq(g->h->steps, 2);
    cr_assert_eq(g->h->stop.event, POINT_TRAP);
    cr_assert_eq(g->h->stop.addr, CAUSE_BREAKPOINT);
    cr_assert_eq(csr(g, "mepc"), CODE + 4);
    STOPS(NONE, TRAPS);
    g->h->pc = CODE + 8; /* a cause that nobody asked for */
    STOPS(NONE, TRAPS);
}

Test(look, traps_are_told_apart_by_the_modes_before_and_after)
{
    PROGRAM(g, ECALL);
    catch_event((struct point){ .kind = POINT_TRAP, .to = 1 << PRIV_S });
    STOPS(NONE, TRAPS);
    set_csr(g, "medeleg", 1 << CAUSE_ECALL_U);
    set_csr(g, "stvec", TRAPS);
    g->h->pc = CODE;
    set_priv(g, PRIV_U);
    STOPS(CATCH, TRAPS);
    cr_assert_eq(g->h->stop.from, PRIV_U);
    cr_assert_eq(g->h->stop.to, PRIV_S);
}

Test(look, a_fetch_that_faults_is_a_trap_as_well)
{
    g->h->pc = 0x70000000;
    catch_event((struct point){ .kind = POINT_TRAP });
    STOPS(CATCH, TRAPS);
    cr_assert_eq(g->h->stop.addr, CAUSE_FETCH_ACCESS);
    cr_assert_eq(g->h->steps, 1);
}

Test(look, an_interrupt_is_caught_when_it_is_taken)
{
    PROGRAM(g, NOP, NOP, 0x0000006f);
    catch_event((struct point){ .kind = POINT_IRQ, .addr = 1 << IRQ_MSI });
    STOPS(NONE, CODE + 8);
    set_csr(g, "mie", 1 << IRQ_MSI);
    irq_set(hart_irq(g->h, IRQ_MSI), true);
    STOPS(NONE, CODE + 8); /* pending, but not enabled */
    set_csr(g, "mstatus", MSTATUS_MIE);
    g->h->attention |= ATTN_IRQ;
    uint64_t steps = g->h->steps;
    STOPS(CATCH, TRAPS);
    cr_assert_eq(g->h->steps, steps);
    cr_assert_eq(g->h->stop.addr, UINT64_C(1) << 63 | IRQ_MSI);
    STOPS(NONE, TRAPS);
}

Test(look, a_change_of_mode_is_caught_behind_it)
{
    PROGRAM(g, MRET, NOP, NOP);
    set_csr(g, "mepc", CODE + 8);
    catch_event((struct point){ .kind = POINT_PRIV });
    set_csr(g, "mstatus", (uint64_t)PRIV_M << 11);
    g->h->pc = CODE;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->stop.kind, HART_STOP_NONE); /* from M to M */
    set_csr(g, "mstatus", (uint64_t)PRIV_U << 11);
    g->h->pc = CODE;
    STOPS(CATCH, CODE + 8);
    cr_assert_eq(g->h->stop.from, PRIV_M);
    cr_assert_eq(g->h->stop.to, PRIV_U);
}

Test(look, a_csr_is_caught_before_it_is_accessed)
{
    unsigned mscratch = 0x340;

    PROGRAM(g, csrrw(0, mscratch, 5), csrrs(6, mscratch, 0),
            csrrs(6, mscratch, 5), 0x0000006f);
    g->h->x[5] = 5;
    catch_event(
        (struct point){ .kind = POINT_CSR | POINT_WRITE, .addr = mscratch });
    STOPS(CATCH, CODE);
    cr_assert_eq(g->h->stop.access, POINT_WRITE);
    cr_assert_eq(csr(g, "mscratch"), 0);
    STOPS(CATCH, CODE + 8);
    cr_assert_eq(g->h->stop.access, POINT_READ | POINT_WRITE);
    cr_assert_eq(csr(g, "mscratch"), 5);
    STOPS(NONE, CODE + 12);
    points_remove_owner(g->points, NULL);
    catch_event(
        (struct point){ .kind = POINT_CSR | POINT_READ, .addr = mscratch });
    g->h->pc = CODE;
    g->h->skip_points = 0;
    STOPS(CATCH, CODE + 4);
}

Test(look, a_device_is_caught_before_it_is_accessed)
{
    PROGRAM(g, load(2, 6, 5), store(2, 6, 5), 0x0000006f);
    g->h->x[5] = DEV + 4;
    catch_event((struct point){
        .kind = POINT_DEVICE | POINT_WRITE, .addr = DEV, .len = 0x1000 });
    STOPS(CATCH, CODE + 4);
    cr_assert_eq(g->reads, 1);
    cr_assert_eq(g->writes, 0);
    cr_assert_eq(g->h->stop.pa, DEV + 4);
    STOPS(NONE, CODE + 8);
    cr_assert_eq(g->writes, 1);
}

Test(look, an_access_to_nothing_is_caught_before_it_faults)
{
    PROGRAM(g, load(2, 6, 5), 0x0000006f);
    g->h->x[5] = 0x70000000;
    catch_event((struct point){ .kind = POINT_UNMAPPED | POINT_READ,
                                .len = UINT64_MAX });
    STOPS(CATCH, CODE);
    cr_assert_eq(csr(g, "mcause"), 0);
    STOPS(NONE, TRAPS);
    cr_assert_eq(csr(g, "mcause"), CAUSE_LOAD_ACCESS);
}

Test(look, filters_hold_for_events_too)
{
    PROGRAM(g, ECALL);
    catch_event((struct point){ .kind = POINT_TRAP, .harts = 1 << 1 });
    catch_event((struct point){ .kind = POINT_TRAP, .privs = 1 << PRIV_S });
    catch_event(
        (struct point){ .kind = POINT_TRAP, .flags = POINT_SATP, .satp = 77 });
    STOPS(NONE, TRAPS);
}
