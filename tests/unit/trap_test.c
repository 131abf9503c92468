/* SPDX-License-Identifier: MIT */
#include "emu/hart/trap.h"
#include "tests/unit/hart_rig.h"

#define INTERRUPT (UINT64_C(1) << 63)

static struct rig *g;

static void setup(void)
{
    g = rig_new("max");
    open_pmp(g);
}

static void teardown(void) { rig_free(g); }

TestSuite(trap, .init = setup, .fini = teardown);

static void run(uint64_t n) { cr_assert_eq(hart_run(g->h, n), n); }

static void expect_m(uint64_t cause, uint64_t epc, uint64_t tval)
{
    cr_assert_eq(g->h->priv, PRIV_M);
    cr_assert_eq(csr(g, "mcause"), cause, "cause %lx", csr(g, "mcause"));
    cr_assert_eq(csr(g, "mepc"), epc, "epc %lx", csr(g, "mepc"));
    cr_assert_eq(csr(g, "mtval"), tval, "tval %lx", csr(g, "mtval"));
}

Test(trap, an_illegal_instruction_gives_its_bits)
{
    PROGRAM(g, NOP, 0xffffffff);
    run(2);
    expect_m(CAUSE_ILLEGAL, CODE + 4, 0xffffffff);
    PROGRAM(g, 0x00000000);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE, 0);
    PROGRAM(g, 0x00018000 | 0x0001); /* c.nop, 0x0001 */
    poke32(g, CODE, 0x80020001);     /* c.nop, c.jr x0: reserved */
    run(2);
    expect_m(CAUSE_ILLEGAL, CODE + 2, 0x8002);
}

Test(trap, a_csr_that_is_not_there_gives_the_instruction)
{
    PROGRAM(g, csrrs(5, 0x7b0, 0));
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE, csrrs(5, 0x7b0, 0));
}

Test(trap, ecall_says_where_it_came_from)
{
    static const struct {
        unsigned priv, cause;
    } rows[] = { { PRIV_U, 8 }, { PRIV_S, 9 }, { PRIV_M, 11 } };

    PROGRAM(g, ECALL);
    for (size_t n = 0; n < 3; n++) {
        g->h->pc = CODE;
        set_priv(g, rows[n].priv);
        run(1);
        expect_m(rows[n].cause, CODE, 0);
        cr_assert_eq(csr(g, "mstatus") >> 11 & 3, rows[n].priv);
        cr_assert_eq(g->h->pc, TRAPS);
    }
}

Test(trap, ebreak_gives_its_address)
{
    PROGRAM(g, NOP, EBREAK);
    run(2);
    expect_m(CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
}

Test(trap, a_delegated_trap_goes_to_s_from_below_m_only)
{
    PROGRAM(g, ECALL, EBREAK);
    set_csr(g, "medeleg", 1 << CAUSE_ECALL_U | 1 << CAUSE_BREAKPOINT);
    set_csr(g, "stvec", TRAPS);
    set_csr(g, "sstatus", MSTATUS_SIE);
    set_priv(g, PRIV_U);
    run(1);
    cr_assert_eq(g->h->priv, PRIV_S);
    cr_assert_eq(csr(g, "scause"), CAUSE_ECALL_U);
    cr_assert_eq(csr(g, "sepc"), CODE);
    cr_assert_eq(csr(g, "sstatus") & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP),
                 MSTATUS_SPIE);
    set_priv(g, PRIV_M);
    g->h->pc = CODE + 4;
    run(1);
    expect_m(CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
}

Test(trap, mret_and_sret_pop_the_stack)
{
    PROGRAM(g, MRET);
    set_csr(g, "mepc", CODE + 0x100);
    poke32(g, CODE + 0x100, SRET);
    set_csr(g, "sepc", CODE + 0x200);
    poke32(g, CODE + 0x200, NOP);
    set_csr(g, "mstatus", MSTATUS_MPIE | 1 << 11 | MSTATUS_SPIE | MSTATUS_MPRV);
    run(1);
    cr_assert_eq(g->h->priv, PRIV_S);
    cr_assert_eq(g->h->pc, CODE + 0x100);
    cr_assert_eq(csr(g, "mstatus") & 0x3ffff,
                 MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_SPIE, "MPP U, no MPRV");
    run(1);
    cr_assert_eq(g->h->priv, PRIV_U);
    cr_assert_eq(g->h->pc, CODE + 0x200);
    cr_assert_eq(csr(g, "sstatus") & 0x3ffff, MSTATUS_SIE | MSTATUS_SPIE);
}

Test(trap, xret_below_its_mode_is_illegal)
{
    PROGRAM(g, MRET, SRET);
    set_priv(g, PRIV_S);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE, MRET);
    g->h->pc = CODE + 4;
    set_priv(g, PRIV_U);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE + 4, SRET);
    g->h->pc = CODE + 4;
    set_csr(g, "mstatus", MSTATUS_TSR);
    set_priv(g, PRIV_S);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE + 4, SRET);
}

/* In the order of section 3.1.9. */
Test(trap, interrupts_come_by_priority)
{
    static const uint8_t order[] = { 11, 3, 7, 9, 1, 5, 13 };

    PROGRAM(g, NOP);
    for (size_t n = 0; n < sizeof order; n++) {
        g->h->mip = 0;
        for (size_t later = n; later < sizeof order; later++)
            g->h->mip |= UINT64_C(1) << order[later];
        g->h->pc = CODE;
        set_csr(g, "mie", UINT64_MAX);
        set_csr(g, "mstatus", MSTATUS_MIE);
        cr_assert(trap_interrupt(g->h));
        expect_m(INTERRUPT | order[n], CODE, 0);
    }
}

Test(trap, m_interrupts_are_masked_by_mie_in_m_only)
{
    g->h->mip = 1 << IRQ_MTI;
    set_csr(g, "mie", 1 << IRQ_MTI);
    cr_assert_eq(trap_pending(g->h), 0);
    set_csr(g, "mstatus", MSTATUS_MIE);
    cr_assert_eq(trap_pending(g->h), 1 << IRQ_MTI);
    set_csr(g, "mstatus", 0);
    set_priv(g, PRIV_S);
    cr_assert_eq(trap_pending(g->h), 1 << IRQ_MTI);
}

Test(trap, delegated_interrupts_are_masked_in_m_and_by_sie_in_s)
{
    g->h->mip = 1 << IRQ_STI;
    set_csr(g, "mie", 1 << IRQ_STI);
    set_csr(g, "mideleg", 1 << IRQ_STI);
    set_csr(g, "mstatus", MSTATUS_MIE);
    cr_assert_eq(trap_pending(g->h), 0);
    set_priv(g, PRIV_S);
    cr_assert_eq(trap_pending(g->h), 0);
    set_csr(g, "sstatus", MSTATUS_SIE);
    cr_assert_eq(trap_pending(g->h), 1 << IRQ_STI);
    set_csr(g, "sstatus", 0);
    set_priv(g, PRIV_U);
    cr_assert_eq(trap_pending(g->h), 1 << IRQ_STI);
    g->h->mip |= 1 << IRQ_MSI;
    set_csr(g, "mie", 1 << IRQ_MSI | 1 << IRQ_STI);
    cr_assert_eq(trap_pending(g->h), 1 << IRQ_MSI, "M's go first");
}

Test(trap, vectored_mode_spreads_interrupts_only)
{
    PROGRAM(g, ECALL);
    set_csr(g, "mtvec", (TRAPS + 0x100) | 1);
    run(1);
    cr_assert_eq(g->h->pc, TRAPS + 0x100);
    g->h->mip = 1 << IRQ_MTI;
    set_csr(g, "mie", 1 << IRQ_MTI);
    set_csr(g, "mstatus", MSTATUS_MIE);
    cr_assert(trap_interrupt(g->h));
    cr_assert_eq(g->h->pc, TRAPS + 0x100 + 4 * IRQ_MTI);
}

/* Whatever the block looks like: at the very next instruction. */
Test(trap, an_interrupt_is_taken_right_behind_the_write_that_enables_it)
{
    PROGRAM(g, NOP, csrrw(0, 0x304, 5), NOP, NOP);
    g->h->x[5] = 1 << IRQ_SSI;
    g->h->mip = 1 << IRQ_SSI;
    set_csr(g, "mstatus", MSTATUS_MIE);
    cr_assert_eq(hart_run(g->h, 3), 3); /* the third is in the handler */
    expect_m(INTERRUPT | IRQ_SSI, CODE + 8, 0);
}

Test(trap, a_trap_counts_as_a_step_and_not_as_an_instruction)
{
    PROGRAM(g, NOP, ECALL);
    run(2);
    cr_assert_eq(hart_steps(g->h), 2);
    cr_assert_eq(csr(g, "mcycle"), 2);
    cr_assert_eq(csr(g, "minstret"), 1);
}

Test(trap, a_trap_and_xret_end_a_reservation)
{
    PROGRAM(g, ECALL, MRET);
    g->h->reserved_addr = RAM;
    run(1);
    cr_assert_eq(g->h->reserved_addr, UINT64_MAX);
    g->h->reserved_addr = RAM;
    g->h->pc = CODE + 4;
    run(1);
    cr_assert_eq(g->h->reserved_addr, UINT64_MAX);
}

Test(trap, wfi_waits_and_is_done)
{
    PROGRAM(g, WFI, NOP);
    set_csr(g, "mie", 1 << IRQ_MTI);
    cr_assert_eq(hart_run(g->h, 5), 1);
    cr_assert(g->h->waiting);
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert_eq(csr(g, "minstret"), 1);
    g->h->mip = 1 << IRQ_MTI; /* wakes though mstatus.MIE is off */
    g->h->attention |= ATTN_IRQ;
    run(1);
    cr_assert_eq(g->h->pc, CODE + 8);
}

Test(trap, wfi_with_something_pending_goes_on)
{
    PROGRAM(g, WFI, NOP);
    set_csr(g, "mie", 1 << IRQ_MTI);
    g->h->mip = 1 << IRQ_MTI;
    run(2);
    cr_assert_eq(g->h->pc, CODE + 8);
}

Test(trap, wfi_is_illegal_in_u_and_with_tw_in_s)
{
    PROGRAM(g, WFI);
    set_priv(g, PRIV_U);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE, WFI);
    g->h->pc = CODE;
    set_csr(g, "mstatus", MSTATUS_TW);
    set_priv(g, PRIV_S);
    run(1);
    expect_m(CAUSE_ILLEGAL, CODE, WFI);
}

static bool semihost(void *opaque, struct hart *h)
{
    ++*(int *)opaque;
    h->x[10] = 42;
    return true;
}

Test(trap, semihosting_is_an_ebreak_between_two_marks)
{
    int calls = 0;

    g->h->semihost = semihost;
    g->h->semihost_opaque = &calls;
    PROGRAM(g, 0x01f01013, EBREAK, 0x40705013);
    run(3);
    cr_assert_eq(calls, 1);
    cr_assert_eq(g->h->x[10], 42);
    cr_assert_eq(g->h->pc, CODE + 12);
    PROGRAM(g, NOP, EBREAK, 0x40705013);
    run(2);
    expect_m(CAUSE_BREAKPOINT, CODE + 4, CODE + 4);
    cr_assert_eq(calls, 1);
}

Test(trap, causes_have_the_names_of_qemu)
{
    cr_assert_str_eq(trap_cause_name(2), "illegal_instruction");
    cr_assert_str_eq(trap_cause_name(INTERRUPT | 7), "m_timer");
    cr_assert_str_eq(trap_cause_name(62), "reserved");
}
