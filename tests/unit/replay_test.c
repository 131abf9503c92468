/* SPDX-License-Identifier: MIT */
/*
 * replay_test.c - the same run is the same run, to the bit.
 *
 * The whole emulator, in this process, runs the demo kernel while keys are
 * typed, registers and memory are poked and resets are asked for at random
 * moments of host time. At some of these moments the state of everything is
 * hashed, as an input of its own. A second machine that is given the log, and
 * nothing else, has to come to the same hashes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/debug.h"
#include "emu/machine/run.h"
#include "tests/unit/machine_rig.h"

/* A turn is a slice, and the kernel should get as far as running its tasks. */
enum {
    MARKS = 24,
/* Interrupts are far apart where a turn is one step. */
#if defined(HOSTILE)
    CAUGHT = 2,
#else
    CAUGHT = 12,
#endif
#if defined(HOSTILE)
    TURNS = 10000, /* of one step */
#elif defined(__SANITIZE_ADDRESS__)
    TURNS = 4,
#else
    TURNS = 20,
#endif
};

struct rig {
    struct options o;
    struct init *in;
    struct machine *m;
    struct serial_rig serial;
    int mark_source, marks;
    uint64_t hash[MARKS], t[MARKS];
};

static void marked(void *opaque, const void *data, size_t len)
{
    struct rig *r = opaque;

    (void)data;
    (void)len;
    if (tap_past(r->m->tap))
        return; /* `make hostile` goes through every slice twice */
    cr_assert_lt(r->marks, MARKS);
    r->t[r->marks] = debug_now(r->m);
    r->hash[r->marks++] = debug_hash(r->m);
}

static void start(struct rig *r, const char *harts, const char *icount)
{
    *r = (struct rig){ 0 };
    serial_open(&r->serial);
    const char *argv[] = {
        "ebreak",          "-smp",     harts,  "-m",      "16",   "-serial",
        r->serial.chardev, "-monitor", "none", "-icount", icount, "-rtc",
        "base=2026-01-01"
    };
    r->in = machine_start(&r->o, sizeof argv / sizeof argv[0], argv);
    r->m = &r->in->m;
    r->mark_source = tap_source(r->m->tap, "mark", marked, r);
}

static void finish(struct rig *r)
{
    init_free(r->in);
    options_free(&r->o);
    serial_close(&r->serial);
}

/* Something from outside, at a moment only the host knows. */
static void disturb(struct rig *r, unsigned what)
{
    const struct debug_reg *t6 = debug_reg_named(r->m, "t6");
    uint64_t word = what;

    switch (what % 8) {
    case 0:
        debug_reset(r->m);
        break;
    case 1:
        debug_reg_set(r->m, 0, t6, what);
        break;
    case 2:
        debug_write(r->m, 0, DEBUG_PHYS, 0x80f00000, &word, 8, NULL);
        break;
    default:
        cr_assert_eq(write(r->serial.keyboard, "xyz", 3), 3);
    }
}

static void live(struct rig *r, unsigned seed)
{
    srand(seed);
    while (r->marks < MARKS) {
        for (int n = rand() % TURNS; n >= 0; n--)
            cr_assert(init_turn(r->in));
        disturb(r, (unsigned)rand());
        cr_assert(init_turn(r->in));
        tap_put(r->m->tap, r->mark_source, NULL, 0);
    }
}

/* A debugger stops in front of handlers and changes what is there: the
 * interrupt has been taken then, before these inputs and at their T. */
static void live_caught(struct rig *r, unsigned seed)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };
    struct debug_point p = { .kind = DEBUG_CATCH_IRQ, .owner = r };
    const struct debug_reg *mtval = debug_reg_named(r->m, "mtval");

    cr_assert(debug_point_add(r->m, &p, NULL));
    while (r->marks < CAUGHT) {
        loop_kick(r->m->loop);
        cr_assert(init_turn(r->in));
        if (debug_running(r->m))
            continue;
        cr_assert(debug_reg_set(r->m, 0, mtval, seed++));
        tap_put(r->m->tap, r->mark_source, NULL, 0);
        cr_assert(debug_resume(r->m, &all, NULL));
    }
}

/* Most of the time nobody looks, or the run would not end. */
static void debugger_leaves(struct rig *r)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };

    log_mask = 0;
    debug_points_clear(r->m, r);
    cr_assert(debug_resume(r->m, &all, NULL));
}

/* A debugger at work: it must not be noticed. */
static void debug_at_random(struct rig *r)
{
    if (rand() % 4) {
        debugger_leaves(r);
        return;
    }
    int hart = rand() % debug_harts(r->m);
    struct debug_resume how = { .run = UINT64_MAX, .hart = -1 };
    struct debug_point p = { .kind = DEBUG_BREAK, .len = 2, .owner = r };
    uint8_t bytes[64];
    struct debug_hart h;
    struct debug_walk w;

    debug_hart(r->m, hart, &h);
    switch (rand() % 10) {
    case 8:
        p.phys = true;
        p.kind = rand() % 2 ? DEBUG_WRITE : DEBUG_READ | DEBUG_WRITE;
        p.addr = 0x80000000 + (uint64_t)(rand() % 0x100000);
        p.len = (uint64_t)(1 + rand() % 8192);
        cr_assert(debug_point_add(r->m, &p, NULL));
        break;
    case 9:
        p.kind = (1u << (3 + rand() % 6)) | DEBUG_WRITE;
        p.addr = p.kind & DEBUG_CATCH_CSR ? 0x300 : 0;
        p.len = p.kind & DEBUG_CATCH_CSR ? 0x100 : UINT64_MAX;
        cr_assert(debug_point_add(r->m, &p, NULL));
        break;
    case 0:
        p.addr = h.pc + (uint64_t)(rand() % 8) * 2;
        cr_assert(debug_point_add(r->m, &p, NULL));
        break;
    case 1:
        p.kind = rand() % 2 ? DEBUG_WRITE : DEBUG_READ | DEBUG_WRITE;
        p.addr = h.pc & ~UINT64_C(0xfff);
        p.len = (uint64_t)(1 + rand() % 8192);
        cr_assert(debug_point_add(r->m, &p, NULL));
        break;
    case 2:
        debug_read(r->m, hart, DEBUG_VIRT, h.pc, bytes, sizeof bytes, NULL);
        debug_translate(r->m, hart, h.pc, &w);
        break;
    case 3:
        log_mask = rand() % 8 ? 0 : LOG_COMMITS | LOG_INT;
        break;
    case 4:
        debug_interrupt(r->m);
        break;
    default:
        debug_points_clear(r->m, r);
    }
    if (debug_running(r->m))
        return;
    if (rand() % 2) {
        how.step = UINT64_C(1) << hart;
        how.run &= ~how.step;
    }
    cr_assert(debug_resume(r->m, &how, NULL));
}

typedef void live_fn(struct rig *r, unsigned seed);

static void compare_lives(live_fn *live_as, const char *harts,
                          const char *icount, unsigned seed, bool debugged)
{
    static struct rig a, b;
    struct buf log = { 0 };
    struct err err = { 0 };

    start(&a, harts, icount);
    live_as(&a, seed);
    tap_save(a.m->tap, &log);
    start(&b, harts, icount);
    cr_assert(log_file("/dev/null", &err));
    cr_assert(tap_replay(b.m->tap, log.data, log.len, &err), "%s", err.text);
    while (b.marks < a.marks && tap_next(b.m->tap) != UINT64_MAX) {
        loop_kick(b.m->loop); /* stopped at a point, nobody else would */
        cr_assert(init_turn(b.in));
        if (debugged)
            debug_at_random(&b);
    }
    log_mask = 0;
    cr_assert_eq(b.marks, a.marks, "only %d of the marks came", b.marks);
    for (int n = 0; n < a.marks; n++) {
        cr_assert_eq(b.t[n], a.t[n], "mark %d: T %llu, was %llu", n,
                     (unsigned long long)b.t[n], (unsigned long long)a.t[n]);
        cr_assert_eq(b.hash[n], a.hash[n], "mark %d at T=%llu differs", n,
                     (unsigned long long)a.t[n]);
    }
    cr_assert_gt(a.t[a.marks - 1], a.t[0]);
    cr_assert_neq(a.hash[a.marks - 1], a.hash[0]);
    buf_free(&log);
    finish(&a);
    finish(&b);
}

static void compare(const char *harts, const char *icount, unsigned seed,
                    bool debugged)
{
    compare_lives(live, harts, icount, seed, debugged);
}

Test(replay, what_is_changed_in_front_of_a_handler_comes_after_the_interrupt)
{
    compare_lives(live_caught, "1", "shift=0,sleep=off", 7, false);
    compare_lives(live_caught, "2", "shift=0,sleep=off", 8, true);
}

Test(replay, one_hart_replays_to_the_same_state)
{
    compare("1", "shift=0,sleep=off", 1, false);
}

Test(replay, two_harts_replay_to_the_same_state)
{
    compare("2", "shift=0,sleep=off", 2, false);
}

Test(replay, waiting_for_the_wall_clock_replays_without_it)
{
    compare("2", "shift=0,sleep=on", 3, false);
}

Test(replay, four_harts_and_slow_time_replay_to_the_same_state)
{
    compare("4", "shift=3,sleep=on", 4, false);
}

Test(replay, a_debugger_is_not_noticed_by_one_hart)
{
    compare("1", "shift=0,sleep=off", 5, true);
}

Test(replay, a_debugger_is_not_noticed_by_three_harts)
{
    compare("3", "shift=2,sleep=on", 6, true);
}
