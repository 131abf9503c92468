/* SPDX-License-Identifier: MIT */
/*
 * interp_test.c - running in blocks: exact counts, code that changes, pages,
 * breakpoints, interrupts. What a guest sees must not depend on how its
 * instructions were cut into blocks and slices.
 */
#include "emu/base/buf.h"

#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

static struct rig *g;

static void set_up(void) { g = rig_new("rv64"); }
static void tear_down(void) { rig_free(g); }

TestSuite(interp, .init = set_up, .fini = tear_down);

enum { A0 = 10, A1 = 11, A2 = 12, A3 = 13 };

static struct point break_at(uint64_t va)
{
    return (struct point){ .kind = POINT_BREAK, .addr = va, .len = 4 };
}

/* Counting ------------------------------------------------------------------- */

Test(interp, runs_exactly_as_many_steps_as_asked)
{
    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), addi(A0, A0, 1),
            enc_j(OP_jal, 0, -12));
    for (uint64_t n = 0; n < 40; n++) {
        uint64_t before = g->h->steps;

        cr_assert_eq(hart_run(g->h, n), n);
        cr_assert_eq(g->h->steps, before + n);
    }
    cr_assert_eq(g->h->x[A0], 780 / 4 * 3);
}

Test(interp, a_long_run_needs_no_stack)
{
    PROGRAM(g, enc_j(OP_jal, 0, 4), enc_b(OP_beq, 0, 0, -4));
    cr_assert_eq(hart_run(g->h, 2000000), 2000000);
}

Test(interp, any_slicing_gives_the_same_state)
{
    static const uint32_t program[] = {
        0x00150513, /* addi a0,a0,1 */
        0x00a5c5b3, /* xor a1,a1,a0 */
        0x00b50463, /* beq a0,a1,.+8 */
        0x00b606b3, /* add a3,a2,a1 */
        0x00d60633, /* add a2,a2,a3 */
        0x00c585b3, /* add a1,a1,a2 */
        0xfe5ff06f, /* j .-28 */
    };
    uint64_t want[32];

    rig_program(g, program, 7);
    g->h->pc = CODE + 4;
    poke32(g, CODE + 24, enc_j(OP_jal, 0, -24));
    cr_assert_eq(hart_run(g->h, 1000), 1000);
    memcpy(want, g->h->x, sizeof want);
    uint64_t pc = g->h->pc;
    for (uint64_t slice = 1; slice < 9; slice++) {
        memset(g->h->x, 0, sizeof g->h->x);
        g->h->pc = CODE + 4;
        for (uint64_t done = 0; done < 1000; done += slice)
            hart_run(g->h, slice < 1000 - done ? slice : 1000 - done);
        cr_assert_arr_eq(g->h->x, want, sizeof want);
        cr_assert_eq(g->h->pc, pc);
    }
}

Test(interp, a_trap_is_a_step_and_so_is_a_failed_fetch)
{
    PROGRAM(g, NOP, 0xffffffff);
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(g->h->pc, TRAPS);
    cr_assert_eq(csr(g, "mcause"), CAUSE_ILLEGAL);
    cr_assert_eq(csr(g, "mtval"), 0xffffffff);
    cr_assert_eq(csr(g, "mepc"), CODE + 4);

    g->h->pc = 0x40; /* nothing is there */
    cr_assert_eq(hart_run(g->h, 1), 1);
    cr_assert_eq(g->h->pc, TRAPS);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_ACCESS);
    cr_assert_eq(csr(g, "mtval"), 0x40);
}

Test(interp, a_device_sees_the_exact_count_within_a_block)
{
    PROGRAM(g, NOP, NOP, load(2, A0, A1), NOP, store(2, A0, A1), NOP);
    g->h->x[A1] = DEV;
    hart_run(g->h, 4);
    cr_assert_eq(g->steps_seen, 2);
    hart_run(g->h, 2);
    cr_assert_eq(g->steps_seen, 4);
    cr_assert_eq(hart_steps(g->h), 6);
}

Test(interp, devices_are_not_executed)
{
    g->h->pc = DEV;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_ACCESS);
    cr_assert_eq(csr(g, "mepc"), DEV);
}

/* Code that changes ------------------------------------------------------------ */

Test(interp, a_store_changes_the_very_next_instruction)
{
    PROGRAM(g, store(2, A0, A1), addi(A2, 0, 1), addi(A3, 0, 1));
    g->h->x[A0] = addi(A2, 0, 99);
    g->h->x[A1] = CODE + 4;
    cr_assert_eq(hart_run(g->h, 3), 3);
    cr_assert_eq(g->h->x[A2], 99);
    cr_assert_eq(g->h->x[A3], 1);
}

Test(interp, code_that_ran_often_is_forgotten_when_it_is_written)
{
    PROGRAM(g, addi(A0, A0, 1), enc_j(OP_jal, 0, -4));
    hart_run(g->h, 100);
    cr_assert_eq(g->h->x[A0], 50);
    poke32(g, CODE, addi(A0, A0, 2));
    hart_run(g->h, 100);
    cr_assert_eq(g->h->x[A0], 150);
    cr_assert_eq(blocks_info(g->blocks).invalidations, 1);
}

Test(interp, dma_into_code_is_seen)
{
    uint32_t word = addi(A0, A0, 3);

    PROGRAM(g, addi(A0, A0, 1), enc_j(OP_jal, 0, -4));
    hart_run(g->h, 10);
    cr_assert_eq(mem_dma_write(g->mem, CODE, &word, 4), 4);
    hart_run(g->h, 2);
    cr_assert_eq(g->h->x[A0], 5 + 3);
}

Test(interp, rom_is_executed_and_pokes_into_it_are_seen)
{
    poke32(g, ROM, addi(A0, A0, 1));
    poke32(g, ROM + 4, enc_j(OP_jal, 0, -4));
    g->h->pc = ROM;
    hart_run(g->h, 10);
    poke32(g, ROM, addi(A0, A0, 7));
    hart_run(g->h, 2);
    cr_assert_eq(g->h->x[A0], 12);
}

Test(interp, data_beside_code_drops_no_block)
{
    PROGRAM(g, store(2, A0, A1), addi(A0, A0, 1), enc_j(OP_jal, 0, -8));
    g->h->x[A1] = CODE + 0x100;
    hart_run(g->h, 300);
    cr_assert_eq(blocks_info(g->blocks).invalidations, 0);
    cr_assert_eq(peek64(g, CODE + 0x100), 99);

    g->h->x[A1] = CODE + 0x2000;
    hart_run(g->h, 300);
    cr_assert_eq(peek64(g, CODE + 0x2000), 199);
    cr_assert(mem_attention(g->mem, CODE) & MEM_ATTN_CODE);
    cr_assert_not(mem_attention(g->mem, CODE + 0x2000) & MEM_ATTN_CODE);
}

Test(interp, blocks_do_not_fill_memory_without_bound)
{
    enum { JUMPS = 60000 };

    for (uint64_t n = 0; n < JUMPS; n++)
        poke32(g, RAM + 0x10000 + 8 * n, enc_j(OP_jal, 0, 8));
    poke32(g, RAM + 0x10000 + 8 * JUMPS, enc_j(OP_jal, 0, 0));
    for (int pass = 0; pass < 4; pass++) {
        g->h->pc = RAM + 0x10000;
        hart_run(g->h, JUMPS + 5);
        cr_assert_eq(g->h->pc, RAM + 0x10000 + 8 * JUMPS);
        cr_assert_leq(blocks_info(g->blocks).bytes, 16 << 20);
    }
    blocks_flush(g->blocks);
    cr_assert_eq(blocks_info(g->blocks).blocks, 0);
    cr_assert_eq(hart_run(g->h, 5), 5);
}

/* Pages ------------------------------------------------------------------------- */

Test(interp, an_instruction_may_cross_a_page)
{
    uint64_t at = RAM + 0x2ffe;

    poke32(g, at, addi(A0, A0, 5));
    poke32(g, at + 4, enc_j(OP_jal, 0, -4));
    g->h->pc = at;
    cr_assert_eq(hart_run(g->h, 4), 4);
    cr_assert_eq(g->h->x[A0], 10);
    poke32(g, at, addi(A0, A0, 6)); /* both halves at once */
    hart_run(g->h, 2);
    cr_assert_eq(g->h->x[A0], 16);
}

Test(interp, a_second_half_that_cannot_be_fetched_is_the_fault_address)
{
    uint64_t at = RAM + RAM_SIZE - 2;

    cr_assert_eq(mem_poke(g->mem, at, "\x13\x05", 2), 2);
    g->h->pc = at;
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mcause"), CAUSE_FETCH_ACCESS);
    cr_assert_eq(csr(g, "mepc"), at);
    cr_assert_eq(csr(g, "mtval"), at + 2);
}

Test(interp, a_block_falls_from_one_page_into_the_next)
{
    for (uint64_t n = 0; n < 2048; n++)
        poke32(g, RAM + 0x4000 + 4 * n, addi(A0, A0, 1));
    g->h->pc = RAM + 0x4000;
    cr_assert_eq(hart_run(g->h, 2048), 2048);
    cr_assert_eq(g->h->x[A0], 2048);
    cr_assert_eq(g->h->pc, RAM + 0x6000);
}

/* Breakpoints --------------------------------------------------------------------- */

#ifndef HOSTILE /* blocks are short there */
/* A jump that a branch goes over is in the middle of its block; a call is not,
 * nor a jump that nothing goes over. */
Test(interp, a_block_goes_on_behind_a_jump_that_is_gone_over)
{
    const struct {
        uint32_t branch, jump;
        unsigned n;
    } cases[] = {
        { enc_b(OP_beq, A1, 0, 8), enc_j(OP_jal, 0, 64), 5 },
        { enc_b(OP_beq, A1, 0, 8), enc_i(OP_jalr, 0, 1, 0), 5 },
        { enc_b(OP_beq, A1, 0, 12), enc_j(OP_jal, 0, 64), 5 },
        { enc_b(OP_beq, A1, 0, 8), enc_j(OP_jal, 1, 64), 3 },
        { enc_b(OP_beq, A1, 0, 4), enc_j(OP_jal, 0, 64), 3 },
        { enc_b(OP_beq, A1, 0, -4), enc_j(OP_jal, 0, 64), 3 },
        { enc_b(OP_beq, A1, 0, 2048), enc_j(OP_jal, 0, 64), 3 },
    };

    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        PROGRAM(g, addi(A0, 0, 1), cases[n].branch, cases[n].jump,
                addi(A0, 0, 2), EBREAK);
        hart_run(g->h, 1);
        cr_assert_eq(blocks_get(g->blocks, CODE, MEM_PAGE)->n, cases[n].n,
                     "case %zu", n);
        cr_assert_eq(hart_run(g->h, 2), 2);
        cr_assert_eq(g->h->x[A0], n < 2 || n == 3 ? 2 : 1, "case %zu", n);
    }
}
#endif

Test(interp, a_breakpoint_stops_before_its_instruction)
{
    struct point p = break_at(CODE + 8);

    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), addi(A0, A0, 1),
            enc_j(OP_jal, 0, -12));
    hart_run(g->h, 40);
    points_add(g->points, &p);
    cr_assert_eq(hart_run(g->h, 40), 2);
    cr_assert_eq(g->h->pc, CODE + 8);
    cr_assert_eq(g->h->stop.kind, HART_STOP_BREAK);
    cr_assert_eq(g->h->stop.addr, CODE + 8);
    cr_assert_eq(g->h->stop.point->addr, CODE + 8);
    cr_assert_eq(hart_run(g->h, 40), 0, "until the machine has read it");
}

Test(interp, skipping_goes_over_a_breakpoint_once)
{
    struct point p = break_at(CODE);

    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), enc_j(OP_jal, 0, -8));
    points_add(g->points, &p);
    cr_assert_eq(hart_run(g->h, 10), 0);
    g->h->attention = 0;
    g->h->skip_points = true;
    cr_assert_eq(hart_run(g->h, 10), 3);
    cr_assert_eq(g->h->pc, CODE);
    cr_assert_not(g->h->skip_points);
    points_remove(g->points, &p);
    g->h->attention = 0;
    cr_assert_eq(hart_run(g->h, 10), 10);
}

Test(interp, a_breakpoint_in_the_middle_of_an_instruction_never_hits)
{
    struct point p = break_at(CODE + 2);

    PROGRAM(g, addi(A0, A0, 1), enc_j(OP_jal, 0, -4));
    points_add(g->points, &p);
    cr_assert_eq(hart_run(g->h, 10), 10);
}

#ifndef HOSTILE /* its arena forgets them */
Test(interp, blocks_beside_a_breakpoint_are_kept)
{
    struct point p = break_at(CODE + 12);

    PROGRAM(g, addi(A0, A0, 1), enc_b(OP_bne, A0, A1, -4), NOP, NOP,
            enc_j(OP_jal, 0, -16));
    g->h->x[A1] = 1000;
    points_add(g->points, &p);
    hart_run(g->h, 100);
    uint64_t before = blocks_info(g->blocks).blocks;
    cr_assert_eq(hart_run(g->h, 5000), 1901);
    cr_assert_eq(g->h->pc, CODE + 12);
    cr_assert_eq(blocks_info(g->blocks).blocks, before);
}
#endif

/* Interrupts, waiting, attention ----------------------------------------------------- */

static void enable(uint64_t irq)
{
    set_csr(g, "mie", UINT64_C(1) << irq);
    set_csr(g, "mstatus", MSTATUS_MIE);
}

Test(interp, an_interrupt_is_taken_before_the_next_instruction)
{
    PROGRAM(g, NOP, NOP, NOP, NOP);
    enable(IRQ_MTI);
    hart_run(g->h, 2);
    irq_set(hart_irq(g->h, IRQ_MTI), true);
    cr_assert(hart_interrupted(g->h));
    hart_run(g->h, 1);
    cr_assert_eq(csr(g, "mepc"), CODE + 8);
    cr_assert_eq(csr(g, "mcause"), (UINT64_C(1) << 63) | IRQ_MTI);
    cr_assert_eq(g->h->pc, TRAPS);
}

static bool raise(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    (void)opaque;
    (void)off;
    (void)size;
    irq_set(hart_irq(g->h, IRQ_MSI), v);
    return true;
}

Test(interp, a_store_that_raises_an_interrupt_is_the_last_before_it)
{
    static const struct mem_ops ops = { .write = raise, .sizes = MEM_4 };

    mem_add_device(g->mem, "msi", 0x2000000, 0x1000, &ops, NULL);
    PROGRAM(g, store(2, A0, A1), addi(A2, 0, 1));
    g->h->x[A0] = 1;
    g->h->x[A1] = 0x2000000;
    enable(IRQ_MSI);
    cr_assert_eq(hart_run(g->h, 2), 2);
    cr_assert_eq(csr(g, "mepc"), CODE + 4);
    cr_assert_eq(g->h->x[A2], 0);
}

Test(interp, a_waiting_hart_does_no_steps_until_it_wakes)
{
    PROGRAM(g, WFI, addi(A0, 0, 1));
    set_csr(g, "mie", 1 << IRQ_MEI); /* but interrupts are off */
    cr_assert_eq(hart_run(g->h, 10), 1);
    cr_assert(g->h->waiting);
    cr_assert_eq(hart_run(g->h, 10), 0);
    irq_set(hart_irq(g->h, IRQ_MEI), true);
    cr_assert(hart_wakes(g->h));
    cr_assert_eq(hart_run(g->h, 1), 1);
    cr_assert_eq(g->h->x[A0], 1);
    cr_assert_not(g->h->waiting);
}

Test(interp, an_interrupt_line_keeps_apart_from_softwares_bit)
{
    struct irq sei = hart_irq(g->h, IRQ_SEI);

    irq_set(sei, true);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_SEI);
    set_csr(g, "mip", 1 << IRQ_SEI);
    irq_set(sei, false);
    cr_assert_eq(csr(g, "mip"), 1 << IRQ_SEI);
    set_csr(g, "mip", 0);
    cr_assert_eq(csr(g, "mip"), 0);
}

Test(interp, a_yield_goes_back_to_the_machine_once)
{
    PROGRAM(g, enc_j(OP_jal, 0, 0));
    g->h->attention |= ATTN_YIELD;
    cr_assert_eq(hart_run(g->h, 10), 0);
    cr_assert_eq(hart_run(g->h, 10), 10);
}

/* Reset and state --------------------------------------------------------------------- */

Test(interp, a_reset_keeps_the_registers)
{
    g->h->x[A0] = 42;
    g->h->reserved_addr = RAM;
    g->h->waiting = 1;
    g->h->priv = PRIV_U;
    hart_reset(g->h);
    cr_assert_eq(g->h->x[A0], 42);
    cr_assert_eq(g->h->pc, 0x1000);
    cr_assert_eq(g->h->priv, PRIV_M);
    cr_assert_eq(g->h->waiting, 0);
    cr_assert_eq(g->h->reserved_addr, UINT64_MAX);
}

Test(interp, a_hart_continues_from_its_saved_state)
{
    struct buf b = { 0 };
    struct err err;
    uint64_t x[32], pc;

    PROGRAM(g, addi(A0, A0, 1), enc_r(OP_add, A1, A1, A0),
            enc_j(OP_jal, 0, -8));
    hart_run(g->h, 100);
    devs_save(g->devs, &b);
    hart_run(g->h, 101);
    memcpy(x, g->h->x, sizeof x);
    pc = g->h->pc;
    cr_assert(devs_load(g->devs, b.data, b.len, &err), "%s", err.text);
    cr_assert_eq(g->h->steps, 100);
    hart_run(g->h, 101);
    cr_assert_arr_eq(g->h->x, x, sizeof x);
    cr_assert_eq(g->h->pc, pc);
    buf_free(&b);
}

/* Ranges ---------------------------------------------------------------------- */

Test(interp, a_range_is_left_in_the_middle_of_a_block)
{
    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), addi(A1, A1, 1),
            addi(A1, A1, 1));
    cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 8), 2);
    cr_assert_eq(g->h->pc, CODE + 8);
    cr_assert_eq(g->h->x[A1], 0);
}

Test(interp, a_loop_within_a_range_runs_for_as_long_as_asked)
{
    PROGRAM(g, addi(A0, A0, 1), enc_j(OP_jal, 0, -4), NOP);
    cr_assert_eq(hart_run(g->h, 100), 100); /* the way round is known */
    cr_assert_eq(hart_run_range(g->h, 1001, CODE, CODE + 8), 1001);
    cr_assert_eq(g->h->x[A0], 551);
    cr_assert_eq(g->h->pc, CODE + 4);
}

Test(interp, a_trap_leaves_a_range)
{
    PROGRAM(g, addi(A0, A0, 1), ECALL, NOP);
    cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 12), 2);
    cr_assert_eq(g->h->pc, TRAPS);
}

Test(interp, a_breakpoint_within_a_range_stops)
{
    struct point p = break_at(CODE + 4);

    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), enc_j(OP_jal, 0, -8));
    points_add(g->points, &p);
    cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 12), 1);
    cr_assert_eq(g->h->stop.kind, HART_STOP_BREAK);
    cr_assert_eq(g->h->pc, CODE + 4);
}

Test(interp, a_range_ends_before_an_interrupt_is_taken)
{
    PROGRAM(g, csrrs(0, 0x300, A0), NOP, NOP); /* mstatus |= a0 */
    g->h->x[A0] = MSTATUS_MIE;
    set_csr(g, "mie", 1 << IRQ_MEI);
    irq_set(hart_irq(g->h, IRQ_MEI), true);
    cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 12), 1);
    cr_assert_eq(g->h->pc, CODE + 4);
    cr_assert(hart_interrupted(g->h));
}

Test(interp, a_loop_before_more_code_stays_within_its_range)
{
    struct point p = break_at(CODE);

    PROGRAM(g, addi(A0, A0, -1), enc_b(OP_bne, A0, 0, -4), addi(A1, A1, 1));
    g->h->x[A0] = 500;
    cr_assert_eq(hart_run_range(g->h, 10000, CODE, CODE + 8), 1000);
    cr_assert_eq(g->h->pc, CODE + 8);
    cr_assert_eq(g->h->x[A1], 0);
    g->h->x[A0] = 500;
    g->h->pc = CODE + 4;
    points_add(g->points, &p);
    cr_assert_eq(hart_run_range(g->h, 10000, CODE, CODE + 8), 1);
    cr_assert_eq(g->h->stop.kind, HART_STOP_BREAK);
    cr_assert_eq(g->h->pc, CODE);
}

/* gdb's ranges end between instructions; other clients' need not. */
Test(interp, a_range_may_end_within_an_instruction)
{
    PROGRAM(g, addi(A0, A0, 1), addi(A0, A0, 1), enc_j(OP_jal, 0, -8));
    for (uint64_t n = 1; n < 4; n++) {
        g->h->pc = CODE;
        cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 4 + n), 2);
        cr_assert_eq(g->h->pc, CODE + 8);
    }
}

/* The entries that a range makes are its own, those of before are not. */
Test(interp, a_range_is_kept_to_when_all_ways_are_known)
{
    PROGRAM(g, addi(A0, A0, 1), enc_j(OP_jal, 0, 4), addi(A1, A1, 1),
            enc_j(OP_jal, 0, -12));
    for (int n = 0; n < 3; n++) {
        cr_assert_eq(hart_run(g->h, 400), 400);
        cr_assert_eq(hart_run_range(g->h, 100, CODE, CODE + 8), 2);
        cr_assert_eq(g->h->pc, CODE + 8);
        cr_assert_eq(hart_run(g->h, 2), 2);
    }
}
