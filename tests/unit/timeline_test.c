/* SPDX-License-Identifier: MIT */
/*
 * timeline_test.c - the past is what it was, and the present comes back.
 *
 * The whole emulator, in this process, runs the demo kernel. A random walk
 * steps, runs, goes back and forth, types keys and pokes; wherever it stands
 * twice, everything must be the same, and a second machine without a timeline
 * that runs straight through the same log must come to the same states.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/debug.h"
#include "emu/hart/hart.h"
#include "emu/machine/seek.h"
#include "emu/machine/slice.h"
#include "emu/machine/timeline.h"
#include "tests/unit/machine_rig.h"

enum {
#if defined(HOSTILE)
    WALK = 150,
    TURNS = 60,
#elif defined(__SANITIZE_ADDRESS__)
    WALK = 150,
    TURNS = 2,
#else
    WALK = 400, /* three walks: more than a thousand in all */
    TURNS = 4,
#endif
    SEEN = 4096,
};

struct rig {
    struct options o;
    struct init *in;
    struct machine *m;
    struct serial_rig serial;
};

static void start(struct rig *r, const char *harts, const char *timeline)
{
    *r = (struct rig){ 0 };
    serial_open(&r->serial);
    const char *argv[] = { "ebreak",
                           "-smp",
                           harts,
                           "-m",
                           "4",
                           "-serial",
                           r->serial.chardev,
                           "-monitor",
                           "none",
                           "-icount",
                           "sleep=off",
                           "-rtc",
                           "base=2026-01-01",
                           "-S",
                           "-timeline",
                           timeline };
    r->in = machine_start(&r->o, sizeof argv / sizeof argv[0], argv);
    r->m = &r->in->m;
}

static void finish(struct rig *r)
{
    init_free(r->in);
    options_free(&r->o);
    serial_close(&r->serial);
}

/* Moving --------------------------------------------------------------------- */

static void wait_stop(struct rig *r)
{
    while (debug_running(r->m)) {
        loop_kick(r->m->loop); /* it may wait for a key, or for a debugger */
        cr_assert(init_turn(r->in));
    }
    cr_assert_not(r->m->run->timeline && r->m->run->timeline->diverged);
}

static enum debug_stop_reason reason(const struct rig *r)
{
    struct debug_stop stop;

    debug_last_stop(r->m, &stop);
    return stop.reason;
}

static void run_turns(struct rig *r, int turns)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };

    cr_assert(debug_resume(r->m, &all, NULL));
    for (int n = 0; n < turns && debug_running(r->m); n++) {
        loop_kick(r->m->loop);
        cr_assert(init_turn(r->in));
    }
    debug_interrupt(r->m);
    wait_stop(r);
}

static void step(struct rig *r, int hart)
{
    uint64_t bit = UINT64_C(1) << hart;
    struct debug_resume how = { .run = ~bit, .step = bit, .hart = hart };

    cr_assert(debug_resume(r->m, &how, NULL));
    for (int n = 0; n < 2 && debug_running(r->m); n++) {
        loop_kick(r->m->loop);
        cr_assert(init_turn(r->in));
    }
    debug_interrupt(r->m);
    wait_stop(r);
}

static void go(struct rig *r, const char *where)
{
    struct err err = { 0 };

    cr_assert(debug_goto(r->m, where, &err), "%s", err.text);
    wait_stop(r);
}

static void go_to(struct rig *r, uint64_t t)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)t);
    go(r, text);
    cr_assert_eq(debug_now(r->m), t);
}

static void reverse(struct rig *r, int hart, bool one)
{
    struct err err = { 0 };

    cr_assert(debug_reverse(r->m, hart, one, &err), "%s", err.text);
    wait_stop(r);
}

static uint64_t pc_of(const struct rig *r, int hart)
{
    struct debug_hart h;

    debug_hart(r->m, hart, &h);
    return h.pc;
}

static void add_point(struct rig *r, uint32_t kind, uint64_t addr, uint64_t len)
{
    struct debug_point p = {
        .kind = kind, .addr = addr, .len = len, .owner = r
    };

    cr_assert(debug_point_add(r->m, &p, NULL));
}

/* The walk -------------------------------------------------------------------- */

/* What was seen at which T of the present branch. */
static struct {
    uint64_t t, hash;
    size_t log;      /* how many inputs had come, in bytes */
    struct buf devs; /* to say in what it differs */
} seen[SEEN];
static size_t n_seen;

static size_t seen_at(uint64_t t)
{
    size_t n = 0;

    while (n < n_seen && seen[n].t != t)
        n++;
    return n;
}

static void forget(size_t n)
{
    buf_free(&seen[n].devs);
    seen[n] = seen[--n_seen];
    memset(&seen[n_seen], 0, sizeof seen[0]);
}

static void forget_from(uint64_t t)
{
    for (size_t n = n_seen; n-- > 0;)
        if (seen[n].t >= t)
            forget(n);
}

/* While every hart waits, time passes at the same T. */
static bool all_wait(const struct machine *m)
{
    bool all = true;

    for (int n = 0; n < m->harts; n++)
        all = all && m->hart[n]->waiting && !hart_wakes(m->hart[n]);
    return all;
}

/* debug_hash without 64 MiB of flash that nobody writes here. */
static uint64_t hash_of(const struct machine *m)
{
    const struct mem_region *r = mem_find(m->mem, 0x80000000);
    uint64_t hash = devs_hash(m->devs), word;

    for (uint64_t at = 0; at < r->size; at += sizeof word) {
        memcpy(&word, r->host + at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    }
    return hash;
}

static void look(const struct rig *r)
{
    enum debug_stop_reason why = reason(r);
    uint64_t t = debug_now(r->m), hash;
    struct err err = { "memory" };
    size_t n;

    /* At a point the hart may have taken an interrupt at this T, or not. */
    if (why == DEBUG_STOP_BREAK || why == DEBUG_STOP_WATCH || n_seen == SEEN ||
        all_wait(r->m))
        return;
    if (seen_at(t) < n_seen && seen[seen_at(t)].log != tap_place(r->m->tap))
        forget(seen_at(t)); /* more came at this T */
    hash = hash_of(r->m);
    n = seen_at(t);
    if (n < n_seen) {
        if (seen[n].hash != hash)
            devs_match(r->m->devs, seen[n].devs.data, seen[n].devs.len, &err);
        cr_assert_eq(seen[n].hash, hash, "T=%llu: %s", (unsigned long long)t,
                     err.text);
        return;
    }
    seen[n].t = t;
    seen[n].log = tap_place(r->m->tap);
    devs_save(r->m->devs, &seen[n].devs);
    seen[n_seen++].hash = hash;
}

static void poke(struct rig *r)
{
    const struct debug_reg *t6 = debug_reg_named(r->m, "t6");
    int hart = rand() % debug_harts(r->m);

    forget_from(debug_now(r->m));
    cr_assert(debug_reg_set(r->m, hart, t6, (uint64_t)rand()));
    cr_assert_not(debug_past(r->m));
}

/* Into a register of a device that cannot switch the machine off. */
static void feed_device(struct rig *r)
{
    static const struct {
        uint64_t base, size;
    } devices[] = { { 0x101000, 0x24 },                       /* rtc */
                    { 0x2000000, 0xc000 },                    /* clint */
                    { 0xc000000, 0x4000 },                    /* plic */
                    { 0xc201000, 8 },      { 0x10000000, 8 }, /* uart */
                    { 0x10100000, 8 } };
    size_t n = (size_t)rand() % (sizeof devices / sizeof devices[0]);
    uint64_t at = devices[n].base + (uint64_t)rand() % devices[n].size;
    uint64_t value = (uint64_t)rand() * (uint64_t)rand();
    size_t size = n == 4 ? 1 : 4;

    if (debug_past(r->m))
        return;
    forget_from(debug_now(r->m));
    debug_io(r->m, 1);
    debug_write(r->m, 0, DEBUG_PHYS, at & ~(size - 1), &value, size, NULL);
    debug_io(r->m, 0);
}

static bool feeding;

static void back_to_point(struct rig *r, int hart)
{
    if (rand() % 2)
        add_point(r, DEBUG_BREAK, pc_of(r, hart) + 2 * (uint64_t)(rand() % 8),
                  2);
    else
        add_point(r, DEBUG_WRITE, r->m->hart[hart]->x[2] & ~UINT64_C(15), 64);
    reverse(r, hart, false);
    debug_points_clear(r->m, r);
}

/* To where it stood at one of the last stops, or nowhere. */
static void browse(struct rig *r)
{
    struct err err = { 0 };

    if (debug_back(r->m, rand() % 3 == 0, &err))
        wait_stop(r);
}

static void list(struct rig *r)
{
    struct err err = { 0 };
    uint64_t t = debug_now(r->m), hash = hash_of(r->m);

    cr_assert(debug_last_steps(r->m, 1 + (uint64_t)rand() % 50, &err));
    wait_stop(r);
    cr_assert_eq(debug_now(r->m), t);
    if (!all_wait(r->m))
        cr_assert_eq(hash_of(r->m), hash, "a list moves the machine");
}

/* As a checkpoint that is due does it; nothing can be seen of it. */
static void foresee(struct rig *r)
{
    chain_next_interval(r->m->run->timeline->chain);
    chain_foresee(r->m->run->timeline->chain);
}

static void wander(struct rig *r)
{
    int hart = rand() % debug_harts(r->m);
    uint64_t end = timeline_end(r->m);

    if (feeding && rand() % 4 == 0)
        feed_device(r);
    if (rand() % 4 == 0)
        foresee(r);
    switch (rand() % 20) {
    case 0:
    case 1:
        run_turns(r, 1 + rand() % TURNS);
        break;
    case 2:
        go_to(r, end - (uint64_t)rand() % (end / 2 + 1));
        break;
    case 3:
        go_to(r, (uint64_t)rand() % (end + 1));
        break;
    case 4:
        go(r, "end");
        cr_assert_not(debug_past(r->m));
        break;
    case 5:
        if (rand() % 4 == 0)
            poke(r);
        break;
    case 6:
        if (!debug_past(r->m))
            cr_assert_eq(write(r->serial.keyboard, "xyz", 3), 3);
        break;
    case 7:
        back_to_point(r, hart);
        break;
    case 8:
    case 9:
        browse(r);
        break;
    case 10:
        list(r);
        break;
    case 11:
    case 12:
    case 13:
    case 14:
        reverse(r, hart, true);
        break;
    default:
        step(r, hart);
    }
}

static int by_t(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b; /* the first member of what seen holds */

    return *x < *y ? -1 : *x > *y;
}

/* A machine without a past comes by the same states. */
static void run_straight(const struct rig *a, const char *harts)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };
    struct buf log = { 0 };
    struct err err = { 0 };
    size_t compared = 0;
    struct rig b;

    qsort(seen, n_seen, sizeof seen[0], by_t);
    tap_save(a->m->tap, &log);
    start(&b, harts, "off");
    cr_assert(tap_replay(b.m->tap, log.data, log.len, &err), "%s", err.text);
    for (size_t n = 0; n < n_seen; n++) {
        if (seen[n].t > debug_now(b.m)) {
            cr_assert(debug_resume(b.m, &all, NULL));
            b.m->run->until = seen[n].t;
            wait_stop(&b);
        }
        slice_arrive(b.m);
        cr_assert_eq(debug_now(b.m), seen[n].t);
        if (tap_place(b.m->tap) != seen[n].log)
            continue; /* more came at this T when nobody looked */
        compared++;
        cr_assert_eq(hash_of(b.m), seen[n].hash,
                     "T=%llu: the straight run differs",
                     (unsigned long long)seen[n].t);
    }
    cr_assert_gt(compared, n_seen / 2);
    buf_free(&log);
    finish(&b);
}

static void walk(const char *harts, const char *timeline, unsigned seed)
{
    struct rig r;

    srand(seed);
    n_seen = 0;
    start(&r, harts, timeline);
    run_turns(&r, 3 * TURNS);
    for (int n = 0; n < WALK; n++) {
        wander(&r);
        look(&r);
    }
    go(&r, "end");
    cr_assert_not(debug_past(r.m));
    run_straight(&r, harts);
    forget_from(0);
    finish(&r);
}

Test(timeline, a_random_walk_of_one_hart_meets_the_same_states)
{
    walk("1", "mem=64M", 1);
}

Test(timeline, a_random_walk_of_two_harts_meets_the_same_states)
{
    walk("2", "mem=64M", 2);
}

Test(timeline, a_walk_in_little_memory_meets_the_same_states)
{
    walk("3", "mem=1M", 3);
}

Test(timeline, a_walk_with_devices_fed_at_random_meets_the_same_states)
{
    feeding = true;
    walk("2", "mem=64M", 4);
}

Test(timeline, back_and_forward_go_through_the_stops)
{
    struct err err = { 0 };
    struct rig r;
    uint64_t stop[4];

    start(&r, "2", "mem=64M");
    for (int n = 0; n < 4; n++) {
        go(&r, "+5000");
        stop[n] = debug_now(r.m);
    }
    for (int n = 3; n-- > 0;) {
        cr_assert(debug_back(r.m, false, &err), "%s", err.text);
        wait_stop(&r);
        cr_assert_eq(debug_now(r.m), stop[n]);
    }
    for (int n = 1; n < 4; n++) {
        cr_assert(debug_back(r.m, true, &err), "%s", err.text);
        wait_stop(&r);
        cr_assert_eq(debug_now(r.m), stop[n]);
    }
    cr_assert_not(debug_back(r.m, true, &err));
    cr_assert_str_eq(err.text, "the machine has not stopped after this");
    for (int n = 0; n < 20; n++) /* steps are one place */
        step(&r, 0);
    uint64_t t = debug_now(r.m);
    cr_assert(debug_back(r.m, false, &err), "%s", err.text);
    wait_stop(&r);
    cr_assert_eq(debug_now(r.m), stop[3]);
    cr_assert(debug_back(r.m, true, &err), "%s", err.text);
    wait_stop(&r);
    cr_assert_eq(debug_now(r.m), t);
    go(&r, "-7000");
    poke(&r); /* what lies ahead is another future's */
    cr_assert_not(debug_back(r.m, true, &err));
    finish(&r);
}

Test(timeline, back_is_where_a_breakpoint_stopped)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };
    struct err err = { 0 };
    struct rig r;
    uint64_t t[2], hash[2];

    start(&r, "1", "mem=64M");
    go(&r, "20000");
    add_point(&r, DEBUG_CATCH_TRAP, 0, 1);
    for (int n = 0; n < 2; n++) {
        cr_assert(debug_resume(r.m, &all, NULL));
        wait_stop(&r);
        cr_assert_eq(reason(&r), DEBUG_STOP_CATCH);
        t[n] = debug_now(r.m);
        hash[n] = hash_of(r.m);
    }
    cr_assert(debug_back(r.m, false, &err), "%s", err.text);
    wait_stop(&r);
    cr_assert_eq(reason(&r), DEBUG_STOP_CATCH);
    cr_assert_eq(debug_now(r.m), t[0]);
    cr_assert_eq(hash_of(r.m), hash[0]);
    cr_assert(debug_resume(r.m, &all, NULL)); /* it is passed, as then */
    wait_stop(&r);
    cr_assert_eq(debug_now(r.m), t[1]);
    cr_assert_eq(hash_of(r.m), hash[1]);
    finish(&r);
}

Test(timeline, of_many_branches_the_oldest_are_dropped)
{
    struct err err = { 0 };
    struct rig r;

    n_seen = 0;
    start(&r, "1", "mem=64M");
    run_turns(&r, TURNS);
    for (int n = 0; n < 70; n++) {
        go(&r, "+9"); /* a poke at the end is no branch */
        go(&r, "-3");
        poke(&r);
    }
    cr_assert_eq(r.m->run->timeline->branches, 64);
    cr_assert_not(debug_branch_switch(r.m, 1, &err));
    finish(&r);
}

/* Memory ---------------------------------------------------------------------- */

/* An input of a page. */
static void write_page(const struct rig *r, int n)
{
    char page[4096];

    memset(page, n, sizeof page);
    cr_assert_eq(
        debug_write(r->m, 0, DEBUG_PHYS, 0x80300000, page, sizeof page, NULL),
        sizeof page);
}

Test(timeline, of_many_inputs_the_oldest_are_forgotten_with_their_time)
{
    struct rig r;
    uint64_t t, hash;

    start(&r, "1", "mem=1M");
    go(&r, "1000");
    for (int n = 0; n < 600; n++) { /* more than two MiB */
        run_turns(&r, 1);
        write_page(&r, n);
        cr_assert_leq(tap_bytes(r.m->tap), 600 << 10);
    }
    cr_assert_gt(timeline_begin(r.m), 1000, "history begins later");
    t = debug_now(r.m);
    hash = hash_of(r.m);
    go(&r, "start");
    cr_assert_eq(debug_now(r.m), timeline_begin(r.m));
    go(&r, "end");
    cr_assert_eq(debug_now(r.m), t);
    cr_assert_eq(hash_of(r.m), hash);
    finish(&r);
}

Test(timeline, branches_are_dropped_when_their_inputs_take_too_much)
{
    struct err err = { 0 };
    struct rig r;

    start(&r, "1", "mem=1M");
    for (int n = 0; n < 50; n++) {
        go(&r, "+1000");
        write_page(&r, n);
    }
    for (int n = 0; n < 8; n++) {
        go(&r, "+9");
        go(&r, "-3");
        poke(&r);
        run_turns(&r, 1);
    }
    cr_assert_lt(r.m->run->timeline->branches, 8);
    cr_assert_leq(log_bytes(r.m), 600 << 10);
    cr_assert(debug_branch_switch(r.m, 8, &err), "%s", err.text);
    wait_stop(&r);
    finish(&r);
}

Test(timeline, without_one_the_log_has_bounds_too)
{
    struct rig r;

    start(&r, "1", "off");
    for (int n = 0; n < 5000; n++) {
        write_page(&r, n);
        if (n % 100 == 0)
            run_turns(&r, 1);
        cr_assert_leq(tap_bytes(r.m->tap), 9 << 20);
    }
    finish(&r);
}

enum { PAGES = 200 };

static uint64_t page_at(int n) { return 0x80300000 + (uint64_t)n * MEM_PAGE; }

/* n into the first byte of each page, behind everybody's back. */
static void write_pages(const struct rig *r, int pages, uint8_t n)
{
    for (int i = 0; i < pages; i++)
        mem_poke(r->m->mem, page_at(i), &n, 1);
}

/* Those of which there is a copy since the last checkpoint. */
static int copied(const struct rig *r)
{
    int n = 0;

    for (int i = 0; i < PAGES; i++)
        n += !(mem_attention(r->m->mem, page_at(i)) & MEM_ATTN_COPY);
    return n;
}

static void interval(struct rig *r)
{
    chain_take(r->m->run->timeline->chain);
    cr_assert_eq(copied(r), 0);
    foresee(r);
}

static void check_pages(const struct rig *r, int pages, uint8_t n)
{
    uint8_t byte;

    for (int i = 0; i < pages; i++) {
        cr_assert_eq(mem_peek(r->m->mem, page_at(i), &byte, 1), 1);
        cr_assert_eq(byte, n, "page %d is %d, was %d", i, byte, n);
    }
}

Test(timeline, what_is_written_all_the_time_is_copied_at_once)
{
    enum { ROUNDS = 6 };
    size_t first, n;
    struct chain *c;
    struct rig r;

    start(&r, "1", "mem=64M");
    go(&r, "1000");
    c = r.m->run->timeline->chain;
    for (int i = 1; i <= ROUNDS; i++) {
        write_pages(&r, PAGES, (uint8_t)i);
        interval(&r); /* here it is i */
    }
    cr_assert(copied(&r) >= PAGES / 2 && copied(&r) < PAGES, "%d", copied(&r));
    first = chain_here(c) - ROUNDS + 1;
    write_pages(&r, PAGES, 99);
    for (int i = 1; i <= ROUNDS; i++) {
        n = first + (size_t)(i % 2 ? i / 2 : ROUNDS - i / 2); /* to and fro */
        chain_restore(c, n);
        check_pages(&r, PAGES, (uint8_t)(n - first + 1));
    }
    finish(&r);
}

Test(timeline, what_is_written_no_more_is_not_copied)
{
    struct chain *c;
    struct rig r;
    size_t n;

    start(&r, "1", "mem=64M");
    go(&r, "1000");
    c = r.m->run->timeline->chain;
    for (int i = 1; i <= 6; i++) {
        write_pages(&r, PAGES, (uint8_t)i);
        interval(&r);
    }
    n = chain_count(c);
    chain_take(c);
    cr_assert_eq(chain_count(c), n, "nothing was written");
    for (int i = 0; i < 12; i++) {
        go(&r, "+10");
        interval(&r);
    }
    cr_assert_eq(copied(&r), 0);
    finish(&r);
}

Test(timeline, what_will_be_written_is_not_copied_where_there_is_no_room)
{
    struct chain *c;
    struct rig r;

    start(&r, "1", "mem=1M");
    go(&r, "1000");
    c = r.m->run->timeline->chain;
    for (int i = 1; i <= 20; i++) {
        write_pages(&r, PAGES, (uint8_t)i);
        interval(&r);
        cr_assert_leq(chain_bytes(c), (2 << 20) + MEM_PAGE);
        chain_relieve(c);
        cr_assert_leq(chain_bytes(c), (1 << 20) + MEM_PAGE);
    }
    check_pages(&r, PAGES, 20);
    finish(&r);
}

/* A bug ------------------------------------------------------------------------ */

static char said[2048];

static void on_event(void *opaque, const struct debug_event *e)
{
    (void)opaque;
    if (e->kind == DEBUG_EVENT_SAY && strstr(e->text, "DIVERGENCE"))
        snprintf(said, sizeof said, "%s", e->text);
}

/* To the end again, after something was changed behind everybody's back. */
static void diverges(struct rig *r, const char *how)
{
    static const struct debug_resume all = { .run = UINT64_MAX, .hart = -1 };
    uint64_t from = debug_now(r->m), to = r->m->run->timeline->end.t;
    unsigned long long t = 0;

    debug_listen(r->m, on_event, NULL);
    cr_assert(debug_resume(r->m, &all, NULL));
    for (int n = 0; n < 1000000 && !said[0]; n++) {
        loop_kick(r->m->loop);
        cr_assert(init_turn(r->in));
    }
    cr_assert_eq(sscanf(said, "timeline: DIVERGENCE at T=%llu:", &t), 1);
    cr_assert(t > from && t <= to, "%s", said);
    cr_assert(strstr(said, how), "%s, not %s", said, how);
    debug_unlisten(r->m, on_event, NULL);
    finish(r);
}

Test(timeline, a_field_that_is_not_what_it_was_is_named)
{
    struct rig r;

    start(&r, "1", "mem=64M");
    go(&r, "50000");
    go(&r, "-100");
    r.m->hart[0]->mscratch ^= 1;
    diverges(&r, "hart0.mscratch is ");
}

Test(timeline, memory_that_is_not_what_it_was_is_named)
{
    uint8_t byte = 0x5a;
    struct rig r;

    start(&r, "1", "mem=64M");
    go(&r, "50000");
    go(&r, "-100");
    mem_poke(r.m->mem, 0x80300123, &byte, 1);
    diverges(&r, "memory at 0000000080300123 is 5a, was 00");
}
