/* SPDX-License-Identifier: MIT */
/*
 * trans_test.c - translated code and the interpreter in lockstep.
 *
 * Two machines are given the same random program and state; one interprets,
 * the other translates, in slices of its own. All of the state of hart and
 * memory has to be the same, at every stop. TRANS_PROGRAMS=n runs n of them.
 */
#include "emu/base/buf.h"

#include "emu/hart/fp.h"
#include "emu/trans/trans.h"
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"
#include "tests/unit/random_program.h"

enum {
    STEPS = 400,
#ifdef HOSTILE
    PROGRAMS = 500,
#else
    PROGRAMS = 8500, /* each way */
#endif
};

#define TABLE (RAM + 0x40000)
#define SKIP  (RAM + 0x900) /* mtvec: goes on behind what trapped */

static struct rig *ref, *rig; /* the interpreter's; the translator's */
static struct trans *trans;

static void translate_with(uint64_t cache, uint32_t hot)
{
    struct err err;

    trans = trans_new(rig->blocks, rig->points,
                      &(struct trans_config){ cache, hot, false }, &err);
    if (!trans)
        cr_skip_test("%s", err.text);
    trans_add_hart(trans, rig->h);
}

/* The one that is made first has its RAM where linear code wants it. */
static void set_up(void)
{
    rig = rig_new("max");
    ref = rig_new("max");
    translate_with(0, 1);
}

static void tear_down(void)
{
    trans_free(trans);
    rig_free(rig);
    rig_free(ref);
}

TestSuite(trans, .init = set_up, .fini = tear_down);

/* Both rigs ------------------------------------------------------------------ */

static void both_poke(uint64_t pa, uint64_t v)
{
    poke64(ref, pa, v);
    poke64(rig, pa, v);
}

static void same_state(void)
{
    struct buf a = { 0 };
    struct err err;

    devs_save(ref->devs, &a);
    cr_assert(devs_load(rig->devs, a.data, a.len, &err), "%s", err.text);
    buf_free(&a);
}

static void set_handler(void)
{
    static const uint32_t handler[] = {
        0x34102ff3, /* csrr t6,mepc */
        0x004f8f93, /* addi t6,t6,4 */
        0x341f9073, /* csrw mepc,t6 */
        0x30200073, /* mret */
        0x10417073, /* csrci sie,2 */
        0x10200073, /* sret */
    };

    for (unsigned n = 0; n < sizeof handler / sizeof handler[0]; n++) {
        poke32(ref, SKIP + 4 * n, handler[n]);
        poke32(rig, SKIP + 4 * n, handler[n]);
    }
    csr_poke(ref->h, 0x305, SKIP);
    csr_poke(ref->h, 0x105, SKIP + 16);
}

/* In S-mode an interrupt waits for SIE, in some programs; pages may be cleared,
 * in some. */
static void set_s(void)
{
    uint64_t waits = below(4) == 0 ? 2 : 0; /* SSIP */

    csr_poke(ref->h, 0x303, waits);
    csr_poke(ref->h, 0x304, waits);
    csr_poke(ref->h, 0x344, waits);
    csr_poke(ref->h, 0x30a, below(2) ? ENVCFG_CBZE : 0);
}

static void open_memory_to_s(void)
{
    csr_poke(ref->h, 0x3b0, UINT64_MAX);
    csr_poke(ref->h, 0x3a0, 0x1f);
    ref->h->priv = PRIV_S;
}

/*
 * Sv39: RAM's first pages where they are, but two data pages have changed
 * places, one may not be written, one has no D, one is not there, one is the
 * user's: any of those that are used most, or none of them. Programs run in
 * S-mode.
 */
static void set_paging(void)
{
    enum { V = 1, RWX = 14, U = 16, A = 64, D = 128 };
    const uint64_t users = 13 + below(4);

    for (uint64_t n = 0; n < 32; n++) {
        uint64_t pa = RAM + n * 4096, flags = V | RWX | A | D;

        pa ^= n == 14 || n == 15 ? 4096 : 0;
        flags &= ~(uint64_t)(n == 17 ? 4 : n == 18 ? D : n == 19 ? V : 0);
        flags |= n == users ? U : 0;
        both_poke(TABLE + 0x2000 + 8 * n, pa >> 2 | flags);
    }
    both_poke(TABLE + 16, (TABLE + 0x1000) >> 2 | V);
    both_poke(TABLE + 0x1000, (TABLE + 0x2000) >> 2 | V);
    open_memory_to_s();
    csr_poke(ref->h, 0x180, UINT64_C(8) << 60 | TABLE >> 12);
}

static void new_program(bool paging)
{
    for (unsigned n = 0; n < 1024; n++)
        both_poke(DATA - 4096 + 8 * n, random_value());
    for (unsigned k = 0; k < WORDS;) {
        uint32_t w[4] = { random_word(k) };
        unsigned n = below(5) ? 1 : random_idiom(w);

        for (unsigned m = 0; m < n && k < WORDS; m++, k++) {
            poke32(ref, CODE + 4 * k, w[m]);
            poke32(rig, CODE + 4 * k, w[m]);
        }
    }
    poke32(ref, CODE + 4 * WORDS, enc_j(OP_jal, 0, -4 * WORDS));
    poke32(rig, CODE + 4 * WORDS, enc_j(OP_jal, 0, -4 * WORDS));
    set_handler();
    set_s();
    ref->h->pc = CODE;
    ref->h->priv = PRIV_M;
    for (unsigned n = 1; n < 32; n++)
        ref->h->x[n] = random_value();
    for (unsigned n = 0; n < 32; n++)
        ref->h->f[n] = random_float();
    ref->h->mstatus = MSTATUS_FS | MSTATUS_MPP;
    ref->h->fflags = below(2) ? (uint8_t)below(32) : 0;
    ref->h->frm = below(4) ? 0 : (uint8_t)below(8);
    csr_poke(ref->h, 0x180, 0);
    if (paging && below(4) == 0)
        ref->h->mstatus |= MSTATUS_TVM; /* fences trap */
    if (paging)
        set_paging();
    else if (below(4) == 0)
        open_memory_to_s();
    mmu_context_changed(ref->h);
    memcpy(rig->reg, ref->reg, sizeof rig->reg);
    same_state();
}

static void expect_same(uint64_t program, uint64_t t)
{
    struct buf a = { 0 }, b = { 0 };
    const struct hart *r = ref->h, *h = rig->h;

    for (unsigned n = 1; n < 32; n++)
        cr_assert_eq(h->x[n], r->x[n],
                     "program %lu, step %lu: x%u is %lx, not %lx", program, t,
                     n, h->x[n], r->x[n]);
    for (unsigned n = 0; n < 32; n++)
        cr_assert_eq(h->f[n], r->f[n],
                     "program %lu, step %lu: f%u is %lx, not %lx", program, t,
                     n, h->f[n], r->f[n]);
    cr_assert_eq(h->pc, r->pc, "program %lu, step %lu: pc %lx, not %lx",
                 program, t, h->pc, r->pc);
    cr_assert_eq(h->fflags, r->fflags, "program %lu, step %lu: fflags %x, %x",
                 program, t, h->fflags, r->fflags);
    devs_save(ref->devs, &a);
    devs_save(rig->devs, &b);
    cr_assert(a.len == b.len && !memcmp(a.data, b.data, a.len),
              "program %lu, step %lu: the harts differ", program, t);
    buf_free(&a);
    buf_free(&b);
}

static void expect_same_memory(uint64_t program)
{
    static uint8_t a[0x14000], b[sizeof a];

    mem_peek(ref->mem, RAM, a, sizeof a);
    mem_peek(rig->mem, RAM, b, sizeof b);
    cr_assert(!memcmp(a, b, sizeof a), "program %lu: memory differs", program);
    cr_assert(!memcmp(ref->reg, rig->reg, sizeof ref->reg));
}

static void run_both(uint64_t program)
{
    uint64_t t = 0;

    while (t < STEPS) {
        uint64_t n = 1 + below(below(2) ? 300 : 20);

        cr_assert_eq(hart_run(ref->h, n), n);
        for (uint64_t done = 0; done < n;) {
            uint64_t some = 1 + below((unsigned)(n - done));

            cr_assert_eq(trans_run(rig->h, some), some);
            done += some;
        }
        t += n;
        expect_same(program, t);
    }
    expect_same_memory(program);
}

/* Runs the translator in a range; every one of the steps began in it. */
static void run_range(uint64_t program, uint64_t t, uint64_t from, uint64_t to)
{
    uint64_t want = 1 + below(200), done = 0;

    while (done < want && rig->h->pc >= from && rig->h->pc < to) {
        uint64_t n = trans_run_range(rig->h, want - done, from, to);

        cr_assert(n > 0 && n <= want - done);
        done += n;
        while (n-- > 0) {
            cr_assert(ref->h->pc >= from && ref->h->pc < to,
                      "program %lu, step %lu: left the range at %lx", program,
                      t + done, ref->h->pc);
            cr_assert_eq(hart_run(ref->h, 1), 1);
        }
    }
    expect_same(program, t + done);
}

/* Ranges around pc, some of them again and again, and runs in between. No
 * interrupts: they leave a range without a step. */
static void run_ranges(uint64_t program)
{
    uint64_t from = 0, to = 0, n;

    csr_poke(ref->h, 0x304, 0);
    csr_poke(rig->h, 0x304, 0);
    for (uint64_t t = 0; t < 30; t++) {
        if (below(3)) {
            from = ref->h->pc - below(48);
            to = ref->h->pc + 1 + below(100);
        }
        run_range(program, t, from, to);
        n = 1 + below(40);
        cr_assert_eq(hart_run(ref->h, n), trans_run(rig->h, n));
        expect_same(program, t);
    }
    expect_same_memory(program);
}

/* Some bytes of what programs read and write, or of what they seldom do. */
static void watch_somewhere(void)
{
    struct point p = { .kind = below(2) ? POINT_WRITE : POINT_READ,
                       .addr = DATA - 512 + below(below(2) ? 1024 : 4096),
                       .len = 1 + below(16),
                       .flags = below(4) ? 0 : POINT_PHYS };

    points_add(ref->points, &p);
    points_add(rig->points, &p);
}

/* What both did; where a watchpoint stopped them they do the step after all. */
static uint64_t run_to_stop(uint64_t program, uint64_t n)
{
    uint64_t done = hart_run(ref->h, n);
    bool stopped = ref->h->attention & ATTN_STOP;

    cr_assert_eq(trans_run(rig->h, n), done, "program %lu", program);
    cr_assert_eq(stopped, (rig->h->attention & ATTN_STOP) != 0,
                 "program %lu: one stops", program);
    if (!stopped)
        return done;
    cr_assert_eq(ref->h->stop.addr, rig->h->stop.addr, "program %lu", program);
    ref->h->attention &= ~(uint32_t)ATTN_STOP;
    rig->h->attention &= ~(uint32_t)ATTN_STOP;
    ref->h->skip_points = rig->h->skip_points = SKIP_ALL;
    cr_assert_eq(hart_run(ref->h, 1), trans_run(rig->h, 1));
    return done + 1;
}

/* Long enough for sites to be judged. */
static void run_watched(uint64_t program)
{
    for (unsigned n = below(4); n > 0; n--)
        watch_somewhere();
    for (uint64_t t = 0; t < 10 * STEPS;) {
        t += run_to_stop(program, 1 + below(below(2) ? 2000 : 20));
        expect_same(program, t);
    }
    expect_same_memory(program);
    points_remove_owner(ref->points, NULL);
    points_remove_owner(rig->points, NULL);
}

static uint64_t programs(void)
{
    const char *n = getenv("TRANS_PROGRAMS");

    return n ? strtoull(n, NULL, 0) : PROGRAMS;
}

static void compare_programs(bool paging, uint64_t count,
                             void run(uint64_t program))
{
    const char *one = getenv("TRANS_PROGRAM");

    for (uint64_t n = 0; n < count; n++) {
        seed = one ? strtoull(one, NULL, 0) : n;
        new_program(paging);
        run(one ? strtoull(one, NULL, 0) : n);
        if (one)
            break;
    }
    cr_assert_gt(trans_info(trans).made, 0);
}

Test(trans, random_programs_do_what_the_interpreter_does, .timeout = 0)
{
    compare_programs(false, programs(), run_both);
}

Test(trans, random_programs_under_sv39_do_too, .timeout = 0)
{
    compare_programs(true, programs(), run_both);
}

/* Where no RAM is where linear code wants it. */
Test(trans, random_programs_do_with_ram_anywhere, .timeout = 0)
{
    trans_free(trans);
    struct rig *r = rig;
    rig = ref;
    ref = r;
    translate_with(1 << 18, 0);
    compare_programs(false, programs() / 4, run_both);
}

Test(trans, ranges_are_left_where_the_interpreter_leaves_them, .timeout = 0)
{
    compare_programs(false, programs() / 8, run_ranges);
    compare_programs(true, programs() / 8, run_ranges);
}

Test(trans, watchpoints_stop_programs_where_they_stop_the_interpreter,
     .timeout = 0)
{
    compare_programs(false, programs() / 8, run_watched);
    compare_programs(true, programs() / 8, run_watched);
}

/* What translated code knows of pages --------------------------------------------- */

static void run_loop_at_code(const uint32_t *word, unsigned n, uint64_t a1)
{
    for (unsigned k = 0; k < n; k++)
        poke32(rig, CODE + 4 * k, word[k]);
    rig->h->pc = CODE;
    rig->h->x[11] = a1;
    cr_assert_eq(trans_run(rig->h, 1000), 1000);
}

static unsigned told;

static void tell(void *opaque, uint64_t pa, size_t len)
{
    (void)opaque, (void)len;
    told++;
    mem_unattend(rig->mem, pa, MEM_ATTN_COPY);
}

Test(trans, a_page_that_wants_attention_gets_it_from_the_next_store_on)
{
    const uint32_t loop[] = { enc_s(OP_sd, 12, 11, 8),
                              enc_i(OP_addi, 12, 12, 1), enc_j(OP_jal, 0, -8) };

    told = 0;
    mem_on_write(rig->mem, MEM_ATTN_COPY, tell, NULL);
    run_loop_at_code(loop, 3, DATA);
    cr_assert_eq(told, 0);
    mem_attend(rig->mem, DATA, MEM_ATTN_COPY);
    trans_run(rig->h, 1000);
    cr_assert_eq(told, 1);
    cr_assert_eq(peek64(rig, DATA + 8), (rig->h->x[12] - 1));
}

/* Stores that are checked together, and the last one is on the next page. */
Test(trans, stores_side_by_side_ask_both_pages_they_are_in)
{
    const uint32_t loop[] = { enc_s(OP_sd, 12, 11, 0), enc_s(OP_sd, 12, 11, 8),
                              enc_s(OP_sd, 12, 11, 16),
                              enc_i(OP_addi, 12, 12, 1),
                              enc_j(OP_jal, 0, -16) };

    told = 0;
    mem_on_write(rig->mem, MEM_ATTN_COPY, tell, NULL);
    run_loop_at_code(loop, 5, DATA - 64);
    for (uint64_t a1 = DATA - 24; a1 < DATA; a1 += 4) {
        told = 0;
        mem_attend(rig->mem, DATA, MEM_ATTN_COPY);
        rig->h->x[11] = a1;
        trans_run(rig->h, 1000);
        cr_assert_eq(told, a1 > DATA - 24, "stores at %lx", a1);
        cr_assert_leq(rig->h->x[12] - peek64(rig, a1 + 16), 1);
    }
}

/* Nor is the first store to a page after a checkpoint the end of a group. */
Test(trans, a_page_that_will_be_written_is_copied_when_it_is_read)
{
    const uint32_t loop[] = { enc_i(OP_ld, 12, 11, 8),
                              enc_i(OP_addi, 12, 12, 1),
                              enc_s(OP_sd, 12, 11, 8), enc_j(OP_jal, 0, -12) };
    const uint64_t page = RAM + UINT64_C(20) * MEM_PAGE;

    new_program(true);
    mem_on_write(rig->mem, MEM_ATTN_COPY, tell, NULL);
    run_loop_at_code(loop, 4, page);
    for (unsigned n = 1; n < 20; n++) {
        told = 0;
        mem_attend(rig->mem, page, MEM_ATTN_COPY);
        trans_run(rig->h, 1000);
        cr_assert_eq(told, 1);
    }
    cr_assert_eq(trans_info(trans).torn, 0);
    cr_assert_eq(trans_info(trans).remade, 0);
    cr_assert_leq(rig->h->x[12] - peek64(rig, page + 8), 1);
}

/* Both walk around in a page, in steps, and a little beyond it. */
static void walk_around(bool paging, uint32_t access, uint64_t step)
{
    const uint32_t loop[] = { access,
                              enc_i(OP_addi, 12, 12, 1),
                              enc_r(OP_add, 11, 11, 15),
                              enc_r(OP_and, 11, 11, 13),
                              enc_r(OP_or, 11, 11, 14),
                              enc_j(OP_jal, 0, -20) };

    new_program(paging);
    for (unsigned k = 0; k < 6; k++) {
        poke32(ref, CODE + 4 * k, loop[k]);
        poke32(rig, CODE + 4 * k, loop[k]);
    }
    ref->h->x[11] = ref->h->x[14] = DATA;
    ref->h->x[13] = 4095;
    ref->h->x[15] = step;
    same_state();
    for (uint64_t n = 0; n < 100; n++) {
        run_to_stop(step, 1 + below(2000));
        expect_same(step, n);
    }
    expect_same_memory(step);
}

static void walk_at_all_steps(bool paging)
{
    static const struct point watch = { .kind = POINT_READ | POINT_WRITE,
                                        .addr = DATA + 1028,
                                        .len = 4 };
    const uint32_t access[] = { enc_i(OP_ld, 16, 11, 8),
                                enc_s(OP_sd, 12, 11, 8),
                                enc_i(OP_lbu, 16, 11, 7),
                                enc_s(OP_sh, 12, 11, 8) };

    points_add(ref->points, &watch);
    points_add(rig->points, &watch);
    for (unsigned n = 0; n < 4; n++)
        for (uint64_t step = 0; step < 4096; step = step * 3 + 4)
            walk_around(paging, access[n], step);
}

Test(trans, all_of_a_watched_page_but_what_is_watched_is_like_others)
{
    walk_at_all_steps(false);
    walk_at_all_steps(true);
}

Test(trans, misaligned_accesses_go_where_they_should_at_pages_ends_too)
{
    const uint32_t access[] = { enc_i(OP_ld, 16, 11, 8),
                                enc_s(OP_sd, 12, 11, 8),
                                enc_i(OP_lw, 16, 11, 0),
                                enc_s(OP_sh, 12, 11, 3) };

    for (unsigned n = 0; n < 8; n++)
        for (uint64_t step = 1; step < 4096; step = step * 3 + 2)
            walk_around(n & 1, access[n / 2], step);
}

#ifndef HOSTILE /* there everything is forgotten all the time */
/* A load that goes to another page each time is translated once more. */
Test(trans, an_access_that_never_finds_the_same_page_gives_up_looking)
{
    const uint32_t loop[] = { enc_i(OP_ld, 12, 11, 0),
                              enc_r(OP_xor, 11, 11, 13), enc_j(OP_jal, 0, -8) };

    if (!mmu_linear(rig->h)) /* as where the sanitizer has its shadow */
        cr_skip_test("there is no room at RAM's own address");
    rig->h->x[13] = MEM_PAGE;
    run_loop_at_code(loop, 3, DATA);
    for (unsigned n = 0; n < 10; n++)
        trans_run(rig->h, 1000);
    cr_assert_eq(trans_info(trans).remade, 1);
    cr_assert_lt(trans_info(trans).fills, 500);
}
#endif
