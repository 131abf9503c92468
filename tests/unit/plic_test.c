/* SPDX-License-Identifier: MIT */
/* plic_test.c - SiFive PLIC. */
#include "tests/unit/chip_rig.h"

enum {
    BASE = 0xc000000,
    PENDING = BASE + 0x1000,
    HARTS = 2,
    CONTEXTS = 4,
    UART = 10,
    RTC = 11,
};

static struct rig g;
static struct wire wires[CONTEXTS];
static struct plic *plic;

static void set_up(void)
{
    struct irq out[CONTEXTS];

    memset(wires, 0, sizeof wires);
    for (int i = 0; i < CONTEXTS; i++)
        out[i] = wire_irq(wires, i);
    rig_init(&g);
    plic = plic_new(&g.rooms, BASE, HARTS, out);
    devs_reset(g.rooms.devs);
}

static void tear_down(void) { rig_fini(&g); }

TestSuite(plic, .init = set_up, .fini = tear_down);

static uint64_t priority(unsigned n) { return BASE + 4 * n; }

static uint64_t enable(unsigned context, unsigned word)
{
    return BASE + 0x2000 + 0x80 * context + 4 * word;
}

static uint64_t threshold(unsigned context)
{
    return BASE + 0x200000 + 0x1000 * context;
}

static uint64_t claim(unsigned context) { return threshold(context) + 4; }

/* Source n with a priority, enabled for context 1 alone. */
static void prepare(unsigned n, unsigned prio)
{
    uint64_t word = enable(1, n / 32);

    rig_write(&g, priority(n), 4, prio);
    rig_write(&g, word, 4, rig_read(&g, word, 4) | UINT64_C(1) << n % 32);
}

static void raise(int n) { irq_set(plic_irq(plic, n), true); }

Test(plic, a_source_goes_through_pending_claimed_and_complete)
{
    prepare(UART, 1);
    raise(UART);
    cr_assert(wires[1].level);
    cr_assert_not(wires[0].level);
    cr_assert_eq(rig_read(&g, PENDING, 4), 1 << UART);
    cr_assert_eq(rig_read(&g, claim(1), 4), UART);
    cr_assert_not(wires[1].level);
    cr_assert_eq(rig_read(&g, PENDING, 4), 0);
    cr_assert_eq(rig_read(&g, claim(1), 4), 0);
    rig_write(&g, claim(1), 4, UART);
    cr_assert_not(wires[1].level);
}

Test(plic, a_claimed_source_waits_for_its_completion)
{
    prepare(UART, 1);
    raise(UART);
    rig_read(&g, claim(1), 4);
    raise(UART);
    cr_assert_not(wires[1].level);
    rig_write(&g, claim(1), 4, UART);
    cr_assert(wires[1].level);
    cr_assert_eq(rig_read(&g, claim(1), 4), UART);
}

Test(plic, completion_does_not_look_at_the_line)
{
    prepare(UART, 1);
    raise(UART);
    rig_read(&g, claim(1), 4);
    rig_write(&g, claim(1), 4, UART);
    cr_assert_eq(rig_read(&g, PENDING, 4), 0);
}

Test(plic, a_falling_line_stays_pending)
{
    prepare(UART, 1);
    raise(UART);
    irq_set(plic_irq(plic, UART), false);
    cr_assert(wires[1].level);
    cr_assert_eq(rig_read(&g, claim(1), 4), UART);
}

Test(plic, the_highest_priority_wins_and_then_the_lowest_number)
{
    prepare(40, 3);
    prepare(UART, 2);
    prepare(39, 3);
    raise(UART);
    raise(40);
    raise(39);
    cr_assert_eq(rig_read(&g, claim(1), 4), 39);
    cr_assert_eq(rig_read(&g, claim(1), 4), 40);
    cr_assert_eq(rig_read(&g, claim(1), 4), UART);
    cr_assert_eq(rig_read(&g, claim(1), 4), 0);
}

Test(plic, the_threshold_hides_what_is_not_above_it)
{
    prepare(UART, 3);
    rig_write(&g, threshold(1), 4, 3);
    raise(UART);
    cr_assert_not(wires[1].level);
    cr_assert_eq(rig_read(&g, claim(1), 4), 0);
    rig_write(&g, threshold(1), 4, 2);
    cr_assert(wires[1].level);
}

Test(plic, priority_zero_never_interrupts)
{
    prepare(UART, 0);
    raise(UART);
    cr_assert_not(wires[1].level);
    rig_write(&g, priority(UART), 4, 1);
    cr_assert(wires[1].level);
}

Test(plic, priorities_and_thresholds_have_three_bits)
{
    rig_write(&g, priority(5), 4, 0xfffffffa);
    cr_assert_eq(rig_read(&g, priority(5), 4), 2);
    rig_write(&g, threshold(0), 4, 15);
    cr_assert_eq(rig_read(&g, threshold(0), 4), 7);
}

Test(plic, source_0_has_no_priority)
{
    rig_write(&g, priority(0), 4, 1);
    cr_assert_eq(rig_read(&g, priority(0), 4), 0);
}

Test(plic, every_enable_bit_can_be_stored)
{
    rig_write(&g, enable(3, 0), 4, 0xffffffff);
    cr_assert_eq(rig_read(&g, enable(3, 0), 4), 0xffffffff);
    rig_write(&g, enable(3, 2), 4, 0x12345678);
    cr_assert_eq(rig_read(&g, enable(3, 2), 4), 0x12345678);
}

Test(plic, an_enable_write_is_seen_at_the_next_event)
{
    rig_write(&g, priority(UART), 4, 1);
    raise(UART);
    rig_write(&g, enable(1, 0), 4, 1 << UART);
    cr_assert_not(wires[1].level);
    raise(RTC);
    cr_assert(wires[1].level);
}

Test(plic, pending_bits_are_read_only)
{
    rig_write(&g, PENDING, 4, 0xffffffff);
    cr_assert_eq(rig_read(&g, PENDING, 4), 0);
}

Test(plic, completion_takes_any_source_and_ignores_nonsense)
{
    prepare(UART, 1);
    raise(UART);
    rig_read(&g, claim(1), 4);
    raise(UART);
    rig_write(&g, claim(3), 4, 96);
    rig_write(&g, claim(3), 4, 0xffffffff);
    cr_assert_not(wires[1].level);
    rig_write(&g, claim(3), 4, UART);
    cr_assert(wires[1].level);
}

Test(plic, contexts_that_do_not_exist_read_zero)
{
    rig_write(&g, enable(4, 0), 4, 1);
    rig_write(&g, threshold(4), 4, 1);
    cr_assert_eq(rig_read(&g, enable(4, 0), 4), 0);
    cr_assert_eq(rig_read(&g, threshold(4), 4), 0);
    cr_assert_eq(rig_read(&g, claim(100), 4), 0);
}

Test(plic, takes_words_only)
{
    cr_assert(rig_read_faults(&g, BASE + 4, 1));
    cr_assert(rig_read_faults(&g, BASE + 4, 2));
    cr_assert(rig_read_faults(&g, BASE, 8));
    cr_assert(rig_write_faults(&g, BASE, 8));
    cr_assert(rig_read_faults(&g, BASE + 2, 4));
}

Test(plic, a_debugger_sees_what_would_be_claimed_and_claims_nothing)
{
    prepare(UART, 1);
    raise(UART);
    cr_assert_eq(rig_peek(&g, claim(1), 4), UART);
    cr_assert_eq(rig_peek(&g, claim(1), 4), UART);
    cr_assert_eq(rig_read(&g, PENDING, 4), 1 << UART);
}

Test(plic, reset_forgets_everything)
{
    prepare(UART, 1);
    raise(UART);
    devs_reset(g.rooms.devs);
    cr_assert_not(wires[1].level);
    cr_assert_eq(rig_read(&g, PENDING, 4), 0);
    cr_assert_eq(rig_read(&g, priority(UART), 4), 0);
    cr_assert_eq(rig_read(&g, enable(1, 0), 4), 0);
}

Test(plic, info_irq_tells_a_person_what_is_going_on)
{
    struct buf out = { 0 };

    prepare(UART, 1);
    prepare(RTC, 2);
    raise(RTC);
    raise(UART);
    rig_read(&g, claim(1), 4);
    rig_write(&g, threshold(0), 4, 7);
    rig_write(&g, priority(33), 4, 1);
    plic_show(plic, &out);
    cr_assert_str_eq(buf_text(&out),
                     "source 10: priority 1 pending enabled 0S\n"
                     "source 11: priority 2 claimed enabled 0S\n"
                     "source 33: priority 1 enabled nowhere\n"
                     "hart 0 M: threshold 7, nothing to claim\n"
                     "hart 0 S: threshold 0, would claim source 10\n"
                     "hart 1 M: threshold 0, nothing to claim\n"
                     "hart 1 S: threshold 0, nothing to claim\n");
    buf_free(&out);
}

Test(plic, random_accesses_do_no_harm)
{
    for (int i = 0; i < 200; i++) {
        raise(1 + (int)(rig_random(&g) % 95));
        rig_hammer(&g, BASE, 0x200, 300);
        rig_hammer(&g, enable(0, 0), 0x210, 300);
        rig_hammer(&g, threshold(0), 0x5000, 300);
        rig_hammer(&g, BASE, 0x600000, 300);
    }
}

Test(plic, describes_itself)
{
    struct buf out = { 0 };

    rig_describe(&g, "plic", &out);
    cr_assert_not_null(strstr(buf_text(&out), "hart-config = \"MS,MS\"\n"));
    cr_assert_not_null(strstr(buf_text(&out), "gpio-out \"\" 4\n"));
    buf_free(&out);
}
