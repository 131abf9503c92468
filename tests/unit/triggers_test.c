/* SPDX-License-Identifier: MIT */
#include "tests/unit/hart_rig.h"

#define TYPE(n) ((uint64_t)(n) << 60)
#define PAGE    (RAM + 0x40000)

enum { LOAD = 1, STORE = 2, EXECUTE = 4, U = 1 << 3, S = 1 << 4, M = 1 << 6 };

static struct rig *g;

static void setup(void)
{
    g = rig_new("max");
    open_pmp(g);
    set_csr(g, "mstatus", MSTATUS_MIE); /* M's triggers need it */
}

static void teardown(void) { rig_free(g); }

TestSuite(triggers, .init = setup, .fini = teardown);

static void set_trigger(unsigned n, uint64_t tdata1, uint64_t tdata2)
{
    set_csr(g, "tselect", n);
    set_csr(g, "tdata2", tdata2);
    set_csr(g, "tdata1", tdata1);
}

static void expect_breakpoint(uint64_t epc, uint64_t tval)
{
    cr_assert_eq(csr(g, "mcause"), CAUSE_BREAKPOINT);
    cr_assert_eq(csr(g, "mepc"), epc, "%lx", csr(g, "mepc"));
    cr_assert_eq(csr(g, "mtval"), tval, "%lx", csr(g, "mtval"));
}

Test(triggers, registers_keep_what_is_implemented)
{
    set_csr(g, "tselect", 5);
    cr_assert_eq(csr(g, "tselect"), 0);
    set_csr(g, "tselect", 1);
    cr_assert_eq(csr(g, "tselect"), 1);
    cr_assert_eq(csr(g, "tdata1"), TYPE(2), "at reset");
    set_csr(g, "tdata1", UINT64_MAX);
    cr_assert_eq(csr(g, "tdata1"), TYPE(2), "there is no type 15");
    set_csr(g, "tdata1", TYPE(6) | ((UINT64_C(1) << 60) - 1));
    cr_assert_eq(csr(g, "tdata1"), TYPE(6) | 0x47005f);
    set_csr(g, "tdata1", TYPE(3) | ((UINT64_C(1) << 60) - 1));
    cr_assert_eq(csr(g, "tdata1"), TYPE(3) | 0x1ffffc0);
    set_csr(g, "tdata2", UINT64_MAX);
    cr_assert_eq(csr(g, "tdata2"), UINT64_MAX);
    set_csr(g, "tdata3", UINT64_MAX);
    cr_assert_eq(csr(g, "tdata3"), 0);
}

Test(triggers, execute_breaks_before_the_instruction)
{
    PROGRAM(g, NOP, NOP, addi(5, 0, 1));
    set_trigger(0, TYPE(6) | M | EXECUTE, CODE + 8);
    cr_assert_eq(hart_run(g->h, 3), 3);
    expect_breakpoint(CODE + 8, CODE + 8);
    cr_assert_eq(g->h->x[5], 0);
}

Test(triggers, execute_may_be_set_by_the_program_itself)
{
    PROGRAM(g, csrrw(0, 0x7a2, 5), csrrw(0, 0x7a1, 6), NOP, NOP);
    g->h->x[5] = CODE + 12;
    g->h->x[6] = TYPE(2) | M | EXECUTE;
    cr_assert_eq(hart_run(g->h, 4), 4);
    expect_breakpoint(CODE + 12, CODE + 12);
}

Test(triggers, a_trigger_matches_its_modes_only)
{
    PROGRAM(g, NOP, NOP);
    set_trigger(0, TYPE(6) | S | EXECUTE, CODE);
    hart_run(g->h, 1);
    cr_assert_eq(g->h->pc, CODE + 4);
    g->h->pc = CODE;
    set_priv(g, PRIV_S);
    hart_run(g->h, 1);
    expect_breakpoint(CODE, CODE);
}

Test(triggers, m_is_left_alone_while_it_cannot_be_interrupted)
{
    PROGRAM(g, NOP);
    set_trigger(0, TYPE(6) | M | EXECUTE, CODE);
    set_csr(g, "mstatus", 0);
    hart_run(g->h, 1);
    cr_assert_eq(g->h->pc, CODE + 4);
}

Test(triggers, loads_and_stores_break_before_the_access)
{
    PROGRAM(g, load(3, 5, 6), store(2, 7, 6));
    g->h->x[6] = PAGE;
    g->h->x[7] = 1;
    set_trigger(1, TYPE(6) | M | STORE, PAGE + 2);
    cr_assert_eq(hart_run(g->h, 2), 2);
    expect_breakpoint(CODE + 4, PAGE);
    cr_assert_eq(peek64(g, PAGE), 0);
    set_trigger(1, TYPE(2), 0);
    g->h->pc = CODE + 4;
    hart_run(g->h, 1);
    cr_assert_eq(peek64(g, PAGE), 1);
}

Test(triggers, a_size_has_to_match)
{
    PROGRAM(g, load(3, 5, 6), load(2, 5, 6));
    g->h->x[6] = PAGE;
    set_trigger(0, TYPE(6) | 3 << 16 | M | LOAD, PAGE); /* 32 bits */
    cr_assert_eq(hart_run(g->h, 2), 2);
    expect_breakpoint(CODE + 4, PAGE);
}

Test(triggers, a_debuggers_point_goes_first_and_the_trigger_follows)
{
    PROGRAM(g, NOP, NOP);
    set_trigger(0, TYPE(6) | M | EXECUTE, CODE);
    points_add(g->points,
               &(struct point){ .kind = POINT_BREAK, .addr = CODE, .len = 2 });
    cr_assert_eq(hart_run(g->h, 1), 0);
    cr_assert_eq(g->h->stop.kind, HART_STOP_BREAK);
    g->h->attention = 0;
    g->h->skip_points = true;
    cr_assert_eq(hart_run(g->h, 1), 1);
    expect_breakpoint(CODE, CODE);
}

Test(triggers, icount_fires_after_so_many_instructions)
{
    PROGRAM(g, NOP, NOP, NOP, NOP, NOP);
    set_trigger(0, TYPE(3) | 1 << 9 | 3 << 10, 0);
    cr_assert_eq(hart_run(g->h, 4), 4);
    expect_breakpoint(CODE + 12, 0);
    cr_assert_eq(csr(g, "tdata1"), TYPE(3) | 1 << 9 | 1 << 24);
}

/* A debugger's single step: mret to S, one instruction, back in M. */
Test(triggers, icount_of_1_is_a_single_step)
{
    PROGRAM(g, MRET);
    poke32(g, CODE + 0x100, NOP);
    set_csr(g, "mepc", CODE + 0x100);
    set_csr(g, "mstatus", 1 << 11);
    set_trigger(0, TYPE(3) | 1 << 7 | 1 << 10, 0);
    cr_assert_eq(hart_run(g->h, 3), 3);
    expect_breakpoint(CODE + 0x104, 0);
    cr_assert_eq(g->h->priv, PRIV_M);
}

Test(triggers, they_are_gone_after_a_reset)
{
    PROGRAM(g, NOP);
    set_trigger(0, TYPE(6) | M | EXECUTE, CODE);
    hart_reset(g->h);
    cr_assert_null(points_nth(g->points, 0));
    cr_assert_eq(csr(g, "tdata1"), TYPE(2));
}

Test(triggers, they_are_found_again_after_a_load)
{
    PROGRAM(g, NOP);
    set_trigger(0, TYPE(6) | M | EXECUTE, CODE);
    points_remove_owner(g->points, g->h->trigger);
    csr_changed(g->h);
    cr_assert_not_null(points_nth(g->points, 0));
}
