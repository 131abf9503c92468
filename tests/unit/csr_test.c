/* SPDX-License-Identifier: MIT */
#include "tests/unit/hart_rig.h"

static struct rig *g;

static void setup(void)
{
    g = rig_new("max");
    open_pmp(g);
}

static void teardown(void) { rig_free(g); }

TestSuite(csr, .init = setup, .fini = teardown);

static void with(const char *cpu)
{
    rig_free(g);
    g = rig_new(cpu);
    open_pmp(g);
}

static bool exists(const char *name)
{
    return csr_exists(g->h, (unsigned)csr_number(name));
}

static bool may(const char *name, bool write)
{
    return csr_allowed(g->h, (unsigned)csr_number(name), write);
}

/* What reads back after all ones, and after zero, were written. */
Test(csr, registers_keep_their_writable_bits)
{
    static const struct {
        const char *name;
        uint64_t ones, zeros;
    } rows[] = {
        { "sstatus", 0x80000002000c6122, 0x200000000 },
        { "mstatus", 0x8000000a007e79aa, 0xa00000000 },
        { "misa", 0x800000000014112f, 0x800000000014112f },
        { "medeleg", 0xb3ff, 0 },
        { "mideleg", 0x2222, 0 },
        { "mie", 0x2aaa, 0 },
        { "mip", 0x2222, 0 },
        { "sie", 0, 0 }, /* mideleg is 0 by then */
        { "mcounteren", 0x7ffff, 0 },
        { "scounteren", 0x7ffff, 0 },
        { "mcountinhibit", 0x7fffd, 0 },
        { "menvcfg", 0xe0000000000000f1, 0 },
        { "senvcfg", 0xf1, 0 },
        { "mepc", UINT64_MAX - 1, 0 },
        { "sepc", UINT64_MAX - 1, 0 },
        { "mcause", UINT64_MAX, 0 },
        { "scause", UINT64_MAX, 0 },
        { "mtval", UINT64_MAX, 0 },
        { "mscratch", UINT64_MAX, 0 },
        { "sscratch", UINT64_MAX, 0 },
        { "mhpmevent3", 0xf0ffffffffffffff, 0 },
        { "mhpmevent31", 0xf0ffffffffffffff, 0 },
        { "mhpmcounter3", UINT64_MAX, 0 },
        { "fcsr", 0xff, 0 },
        { "frm", 7, 0 },
        { "fflags", 31, 0 },
        { "tinfo", 0x4c, 0x4c },
        { "mcontext", 0x1fff, 0 },
        { "mvendorid", 0, 0 },
        { "mconfigptr", 0, 0 },
    };

    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        set_csr(g, rows[n].name, UINT64_MAX);
        cr_assert_eq(csr(g, rows[n].name), rows[n].ones, "%s %lx", rows[n].name,
                     csr(g, rows[n].name));
        set_csr(g, rows[n].name, 0);
        cr_assert_eq(csr(g, rows[n].name), rows[n].zeros, "%s %lx",
                     rows[n].name, csr(g, rows[n].name));
    }
}

Test(csr, mpp_does_not_become_2)
{
    set_csr(g, "mstatus", 1 << 11);
    set_csr(g, "mstatus", 2 << 11);
    cr_assert_eq(csr(g, "mstatus") >> 11 & 3, 1);
}

Test(csr, tvec_keeps_its_value_for_a_reserved_mode)
{
    set_csr(g, "stvec", 0x1001);
    set_csr(g, "stvec", UINT64_MAX);
    cr_assert_eq(csr(g, "stvec"), 0x1001);
}

Test(csr, satp_takes_the_modes_there_are)
{
    with("rv64,sv57=off");
    set_csr(g, "satp", UINT64_C(9) << 60 | 0x123);
    cr_assert_eq(csr(g, "satp"), UINT64_C(9) << 60 | 0x123);
    set_csr(g, "satp", UINT64_C(10) << 60 | 0x456);
    cr_assert_eq(csr(g, "satp"), UINT64_C(9) << 60 | 0x123);
    set_csr(g, "satp", UINT64_C(8) << 60 | ((UINT64_C(1) << 60) - 1));
    cr_assert_eq(csr(g, "satp"), UINT64_C(8) << 60 | ((UINT64_C(1) << 60) - 1),
                 "16 bits of ASID, 44 of PPN");
}

Test(csr, extensions_bring_their_registers)
{
    cr_assert(exists("mseccfg") && exists("scountovf") && exists("stimecmp"));
    with("rva22s64");
    cr_assert_not(exists("mseccfg"));
    cr_assert_not(exists("scountovf"));
    cr_assert_not(exists("stimecmp"));
    cr_assert_not(exists("pmpcfg0"));
    cr_assert_not(exists("pmpaddr15"));
    with("rv64,f=off,debug=off,pmu-num=1");
    cr_assert_not(exists("fcsr"));
    cr_assert_not(exists("tselect"));
    cr_assert(exists("mhpmcounter3"));
    cr_assert_not(exists("mhpmcounter4"));
    cr_assert_not(exists("hpmcounter4"));
    cr_assert(exists("mhpmevent31"));
}

Test(csr, what_qemu_has_for_the_hypervisor_is_absent)
{
    static const uint16_t absent[] = {
        0x200, 0x280, 0x34a, 0x34b, 0x600, 0x680,
        0x7b0, 0x7b1, 0x008, 0xc20, 0x015, 0x350
    };

    for (size_t n = 0; n < sizeof absent / sizeof absent[0]; n++)
        cr_assert_not(csr_exists(g->h, absent[n]), "%x", absent[n]);
}

Test(csr, names_and_numbers_agree)
{
    cr_assert_eq(csr_number("mstatus"), 0x300);
    cr_assert_eq(csr_number("nosuch"), -1);
    cr_assert_str_eq(csr_name(0xc1f), "hpmcounter31");
    cr_assert_null(csr_name(0x7b0));
    for (unsigned n = 0; n < 4096; n++)
        if (csr_name(n))
            cr_assert_eq(csr_number(csr_name(n)), (int)n);
}

Test(csr, privilege_is_in_the_number)
{
    set_priv(g, PRIV_S);
    cr_assert(may("sscratch", true));
    cr_assert_not(may("mscratch", false));
    set_priv(g, PRIV_U);
    cr_assert_not(may("sscratch", false));
    set_priv(g, PRIV_M);
    cr_assert(may("mhartid", false));
    cr_assert_not(may("mhartid", true));
}

Test(csr, tvm_keeps_s_from_satp)
{
    set_csr(g, "mstatus", MSTATUS_TVM);
    cr_assert(may("satp", true));
    set_priv(g, PRIV_S);
    cr_assert_not(may("satp", false));
    set_csr(g, "mstatus", 0);
    cr_assert(may("satp", false));
}

Test(csr, fcsr_is_there_while_fs_is_on_and_makes_it_dirty)
{
    cr_assert_not(may("fflags", false));
    set_csr(g, "mstatus", 1 << 13);
    cr_assert(may("fflags", false));
    set_csr(g, "frm", 1);
    cr_assert_eq(csr(g, "mstatus") & (MSTATUS_FS | UINT64_C(1) << 63),
                 MSTATUS_FS | UINT64_C(1) << 63);
    set_csr(g, "fflags", 3);
    cr_assert_eq(csr(g, "fcsr"), 0x23);
}

Test(csr, counteren_opens_counters_one_by_one)
{
    set_priv(g, PRIV_S);
    cr_assert_not(may("cycle", false));
    set_csr(g, "mcounteren", 1);
    cr_assert(may("cycle", false));
    cr_assert_not(may("instret", false));
    cr_assert_not(may("hpmcounter3", false));
    set_priv(g, PRIV_U);
    cr_assert_not(may("cycle", false));
    set_csr(g, "scounteren", 3);
    cr_assert(may("cycle", false));
    cr_assert_not(may("time", false));
}

Test(csr, stimecmp_needs_stce_and_tm_below_m)
{
    cr_assert(may("stimecmp", true));
    set_priv(g, PRIV_S);
    set_csr(g, "mcounteren", 2);
    cr_assert_not(may("stimecmp", true));
    set_csr(g, "menvcfg", UINT64_C(1) << 63);
    cr_assert(may("stimecmp", true));
    set_csr(g, "mcounteren", 0);
    cr_assert_not(may("stimecmp", true));
}

Test(csr, stip_is_the_comparison_with_time)
{
    set_csr(g, "menvcfg", UINT64_C(1) << 63);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_STI, "time >= 0");
    set_csr(g, "stimecmp", 100);
    cr_assert_eq(csr(g, "mip"), 0);
    set_csr(g, "mip", 1 << IRQ_STI);
    cr_assert_eq(csr(g, "mip"), 0, "software cannot set it");
    cr_assert_eq(timer_expires(g->h->stimer), 100);
    g->h->steps = 100;
    loop_run_timers(g->loop, LOOP_VIRTUAL);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_STI);
    set_csr(g, "menvcfg", 0);
    cr_assert_eq(csr(g, "mip"), 0);
    set_csr(g, "mip", 1 << IRQ_STI);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_STI);
}

Test(csr, sip_and_sie_show_what_is_delegated)
{
    set_csr(g, "mie", 0xaaa);
    set_csr(g, "mip", 0x222);
    cr_assert_eq(csr(g, "sie") | csr(g, "sip"), 0);
    set_csr(g, "mideleg", 0x22);
    cr_assert_eq(csr(g, "sie"), 0x22);
    cr_assert_eq(csr(g, "sip"), 0x22);
    set_csr(g, "sip", 0);
    cr_assert_eq(csr(g, "mip"), 0x220, "of sip only SSIP can be written");
    set_csr(g, "sie", 0);
    cr_assert_eq(csr(g, "mie"), 0xa88);
}

Test(csr, seip_is_software_or_the_line_and_set_bits_do_not_copy_the_line)
{
    struct irq seip = hart_irq(g->h, IRQ_SEI);

    irq_set(seip, true);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_SEI);
    PROGRAM(g, csrrs(6, 0x344, 5));
    g->h->x[5] = 1 << IRQ_SSI;
    hart_run(g->h, 1);
    cr_assert_eq(g->h->x[6], 1 << IRQ_SEI);
    irq_set(seip, false);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_SSI);
}

Test(csr, set_and_clear_with_x0_do_not_write)
{
    PROGRAM(g, csrrs(5, 0xf14, 0), csrrc(5, 0xf14, 0), csrrs(5, 0xf14, 6));
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(g->h->pc, CODE + 8);
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_ILLEGAL);
}

Test(csr, instructions_swap_set_and_clear)
{
    PROGRAM(g, csrrw(5, 0x340, 6), csrrs(5, 0x340, 7), csrrc(5, 0x340, 8),
            i_csr(5, 5, 0x340, 21), i_csr(6, 5, 0x340, 8),
            i_csr(7, 5, 0x340, 1));
    g->h->x[6] = 0x1234;
    g->h->x[7] = 0xf;
    g->h->x[8] = 0xff;
    static const uint64_t after[] = { 0x1234, 0x123f, 0x1200, 21, 29, 28 };
    uint64_t before = 0;

    for (size_t n = 0; n < 6; n++) {
        cr_assert_eq(hart_run(g->h, 1), 1);
        cr_assert_eq(g->h->x[5], before);
        cr_assert_eq(csr(g, "mscratch"), after[n]);
        before = after[n];
    }
}

/* Counters ------------------------------------------------------------------*/

Test(csr, a_counter_reads_what_retired_before)
{
    PROGRAM(g, NOP, NOP, csrrs(5, 0xc02, 0), csrrs(6, 0xc02, 0), NOP,
            csrrs(7, 0xb00, 0));
    hart_run(g->h, 6);
    cr_assert_eq(g->h->x[5], 2);
    cr_assert_eq(g->h->x[6], 3);
    cr_assert_eq(g->h->x[7], 5);
}

Test(csr, what_is_written_is_what_the_next_instruction_reads)
{
    PROGRAM(g, NOP, csrrw(0, 0xb02, 5), csrrs(6, 0xb02, 0), NOP,
            csrrs(7, 0xb02, 0));
    g->h->x[5] = 1000;
    hart_run(g->h, 5);
    cr_assert_eq(g->h->x[6], 1000);
    cr_assert_eq(g->h->x[7], 1002);
}

Test(csr, an_inhibited_counter_stands_still)
{
    PROGRAM(g, NOP, NOP, csrrw(0, 0x320, 5), NOP, NOP, csrrs(6, 0xb00, 0),
            csrrs(7, 0xb02, 0), csrrw(0, 0x320, 0), NOP, csrrs(8, 0xb00, 0));
    g->h->x[5] = 1;
    hart_run(g->h, 10);
    cr_assert_eq(g->h->x[6], 3);
    cr_assert_eq(g->h->x[7], 6, "minstret is not inhibited");
    cr_assert_eq(g->h->x[8], 4);
}

Test(csr, hpm_counters_count_cycles_and_instructions)
{
    set_csr(g, "mhpmevent3", 1);
    set_csr(g, "mhpmevent4", 2);
    PROGRAM(g, NOP, ECALL);
    hart_run(g->h, 2);
    cr_assert_eq(csr(g, "mhpmcounter3"), 2);
    cr_assert_eq(csr(g, "mhpmcounter4"), 1);
    cr_assert_eq(csr(g, "mhpmcounter5"), 0);
    set_csr(g, "mhpmevent3", 77);
    hart_run(g->h, 5);
    cr_assert_eq(csr(g, "mhpmcounter3"), 2, "no such event");
}

Test(csr, hpm_counters_leave_modes_out)
{
    set_csr(g, "mhpmevent3", UINT64_C(1) << 62 | 1); /* not in M */
    PROGRAM(g, NOP, NOP, MRET);
    set_csr(g, "mepc", CODE + 0x100);
    set_csr(g, "mstatus", 0);
    poke32(g, CODE + 0x100, NOP);
    poke32(g, CODE + 0x104, NOP);
    poke32(g, CODE + 0x108, ECALL);
    hart_run(g->h, 3);
    cr_assert_eq(csr(g, "mhpmcounter3"), 0);
    hart_run(g->h, 3);
    cr_assert_eq(g->h->priv, PRIV_M);
    cr_assert_eq(csr(g, "mhpmcounter3"), 3);
    hart_run(g->h, 10);
    cr_assert_eq(csr(g, "mhpmcounter3"), 3);
}

Test(csr, overflow_interrupts_at_its_very_step)
{
    set_csr(g, "mhpmevent3", 1);
    set_csr(g, "mhpmcounter3", -UINT64_C(3));
    set_csr(g, "mie", 1 << IRQ_LCOFI);
    set_csr(g, "mstatus", MSTATUS_MIE);
    PROGRAM(g, NOP, NOP, NOP, NOP, NOP);
    hart_run(g->h, 4);
    cr_assert_eq(csr(g, "mepc"), CODE + 12);
    cr_assert_eq(csr(g, "mcause"), UINT64_C(1) << 63 | IRQ_LCOFI);
    cr_assert_eq(csr(g, "mhpmevent3") >> 63, 1);
    cr_assert_eq(csr(g, "scountovf"), 8);
    set_priv(g, PRIV_S);
    cr_assert_eq(csr(g, "scountovf"), 0, "mcounteren hides it");
}

Test(csr, an_overflow_that_the_program_sets_up_itself_is_seen)
{
    set_csr(g, "mhpmevent3", 2);
    set_csr(g, "mie", 1 << IRQ_LCOFI);
    set_csr(g, "mstatus", MSTATUS_MIE);
    PROGRAM(g, csrrw(0, 0xb03, 5), NOP, NOP, NOP, NOP);
    g->h->x[5] = -UINT64_C(2);
    hart_run(g->h, 100);
    cr_assert_eq(csr(g, "mepc"), CODE + 12);
}

Test(csr, a_counter_set_to_zero_has_not_overflowed)
{
    set_csr(g, "mhpmevent3", 1);
    set_csr(g, "mhpmcounter3", 0);
    cr_assert_eq(csr_due(g->h), UINT64_MAX);
    set_csr(g, "mhpmcounter3", UINT64_MAX);
    cr_assert_eq(csr_due(g->h), 1);
}

Test(csr, time_is_mtime)
{
    PROGRAM(g, NOP, NOP, csrrs(5, 0xc01, 0));
    hart_run(g->h, 3);
    cr_assert_eq(g->h->x[5], 2);
}

Test(csr, reset_leaves_most_registers_alone)
{
    set_csr(g, "mscratch", 1);
    set_csr(g, "mepc", 2);
    set_csr(g, "medeleg", 3);
    set_csr(g, "mcause", 4);
    set_csr(g, "menvcfg", 0);
    set_csr(g, "mstatus", MSTATUS_MIE | MSTATUS_MPRV | MSTATUS_SUM);
    hart_reset(g->h);
    cr_assert_eq(csr(g, "mscratch"), 1);
    cr_assert_eq(csr(g, "mepc"), 2);
    cr_assert_eq(csr(g, "medeleg"), 3);
    cr_assert_eq(csr(g, "mcause"), 0);
    cr_assert_eq(csr(g, "menvcfg"), UINT64_C(1) << 61, "ADUE");
    cr_assert_eq(csr(g, "mstatus"), 0xa00000000 | MSTATUS_SUM);
}
