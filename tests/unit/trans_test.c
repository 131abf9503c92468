/* SPDX-License-Identifier: MIT */
/*
 * trans_test.c - translated code and the interpreter in lockstep.
 *
 * Two machines are given the same random program and state; one interprets,
 * the other translates, in slices of its own. All of the state of hart and
 * memory has to be the same, at every stop. Programs are made of the rows of
 * insn.def. TRANS_PROGRAMS=n runs n of them.
 */
#include "emu/base/buf.h"

#include "emu/hart/fp.h"
#include "emu/trans/trans.h"
#include "tests/unit/encode.h"
#include "tests/unit/hart_rig.h"

enum {
    WORDS = 48,
    STEPS = 400,
#ifdef HOSTILE
    PROGRAMS = 500,
#else
    PROGRAMS = 8500, /* each way */
#endif
};

#define DATA  (RAM + 0x10000)
#define TABLE (RAM + 0x40000)
#define SKIP  (RAM + 0x900) /* mtvec: goes on behind what trapped */

static struct rig *ref, *rig; /* the interpreter's; the translator's */
static struct trans *trans;
static uint64_t seed;

static uint64_t rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (seed >> 33) ^ (seed << 13);
}

static unsigned below(unsigned n) { return (unsigned)(rnd() >> 7) % n; }

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

/* Programs ------------------------------------------------------------------- */

struct row {
    const char *name, *pattern, *format;
};

static const struct row rows[] = {
#define INSN(name, pattern, format, ...) { #name, pattern, #format },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const uint8_t some_regs[] = { 0,  1,  2,  5,  8,  9,  10, 10,
                                     11, 12, 13, 14, 15, 16, 20, 28 };

static unsigned some_reg(void) { return some_regs[below(sizeof some_regs)]; }

static uint32_t with_bits(uint32_t w, unsigned at, unsigned bits, uint32_t v)
{
    uint32_t mask = ((UINT32_C(1) << bits) - 1) << at;

    return (w & ~mask) | (v << at & mask);
}

/* The word that a pattern draws, its dots random. */
static uint32_t fill(const char *pattern)
{
    uint32_t w = 0;

    for (; *pattern; pattern++)
        if (*pattern != ' ')
            w = w << 1 | (*pattern == '.' ? rnd() & 1 : *pattern == '1');
    return w;
}

static bool is_dots(const char *pattern, unsigned at, unsigned n)
{
    unsigned bit = 32;

    for (; *pattern; pattern++) {
        if (*pattern == ' ')
            continue;
        bit--;
        if (bit >= at && bit < at + n && *pattern != '.')
            return false;
    }
    return true;
}

static uint32_t branch_to(uint32_t w, unsigned k)
{
    int off = 4 * ((int)below(WORDS) - (int)k);
    uint32_t u = (uint32_t)off;

    if (below(16) == 0)
        off += 2;
    w = with_bits(w, 31, 1, u >> 12);
    w = with_bits(w, 25, 6, u >> 5);
    w = with_bits(w, 8, 4, u >> 1);
    return with_bits(w, 7, 1, u >> 11);
}

static uint32_t jump_to_word(uint32_t w, unsigned k)
{
    uint32_t u = (uint32_t)(4 * ((int)below(WORDS) - (int)k));

    return with_bits(w, 12, 20,
                     (u >> 20 & 1) << 19 | (u >> 1 & 0x3ff) << 9 |
                         (u >> 11 & 1) << 8 | (u >> 12 & 0xff));
}

/* Waiting would be the end of the program, and so would other modes. */
static bool tame(const char *name)
{
    return strcmp(name, "wfi") && strcmp(name, "mret") && strcmp(name, "sret");
}

/* CSRs that programs may play with: fflags, frm, fcsr, sscratch, sstatus,
 * mstatus (MPRV, SUM, MXR, FS ...), mscratch, satp, cycle, time, instret. */
static uint32_t some_csr(uint32_t w)
{
    static const uint16_t csrs[] = { 1,     2,     3,     0x140, 0x100, 0x300,
                                     0x300, 0x340, 0x180, 0xc00, 0xc01, 0xc02 };

    return with_bits(w, 20, 12, csrs[below(sizeof csrs / sizeof csrs[0])]);
}

static uint32_t random_word(unsigned k)
{
    const struct row *r = &rows[below(ROWS)];
    uint32_t w;

    while (!tame(r->name) || (below(3) && !strchr("ISBUJR", r->format[0])))
        r = &rows[below(ROWS)];
    w = fill(r->pattern);
    if (is_dots(r->pattern, 7, 5))
        w = with_bits(w, 7, 5, some_reg());
    if (is_dots(r->pattern, 15, 5))
        w = with_bits(w, 15, 5, some_reg());
    if (is_dots(r->pattern, 20, 5) && r->format[0] == 'R')
        w = with_bits(w, 20, 5, some_reg());
    if (!strcmp(r->format, "S"))
        w = with_bits(w, 20, 5, some_reg());
    if (!strcmp(r->format, "B"))
        w = branch_to(with_bits(w, 20, 5, some_reg()), k);
    if (!strcmp(r->format, "J"))
        w = jump_to_word(w, k);
    if (!strcmp(r->format, "CSR"))
        w = some_csr(w);
    if (!strcmp(r->format, "RM") || !strcmp(r->format, "R4"))
        w = with_bits(w, 12, 3, below(4) ? 7 : below(8));
    return w;
}

/*
 * What compilers say in two to four words, written to w[], and translate.c in
 * less; how many they are. Mostly the same registers all through.
 */
static unsigned random_idiom(uint32_t *w)
{
    static const uint16_t right[] = { OP_srli, OP_srai, OP_srliw, OP_sraiw };
    static const uint16_t words[] = { OP_addw, OP_subw, OP_mulw, OP_sllw,
                                      OP_srlw, OP_sraw, OP_xor,  OP_add };
    static const uint16_t others[] = { OP_mulhu, OP_div, OP_czero_eqz, OP_min };
    static const uint16_t loads[] = { OP_lb,  OP_lh,  OP_lw, OP_ld,
                                      OP_lbu, OP_lhu, OP_lwu };
    static const uint8_t shift[] = { 1, 2, 3, 16, 24, 32, 48, 56 };
    unsigned t = some_reg(), a = some_reg(), b = some_reg(), n = below(8);
    unsigned d = below(4) ? t : some_reg();
    int off = 8 * (int)below(8) - (below(8) ? 0 : (int)below(40));

    switch (below(13)) {
    case 12: /* some bits out of many */
        w[0] = enc_i(OP_srli, t, a, (int)below(64));
        w[1] = enc_r(words[below(8)], d, b, below(8) ? b : t);
        w[2] = enc_i(OP_andi, t, below(8) ? t : a, (int)below(2048));
        return 3;
    case 11: /* a page is cleared */
        w[0] = form(OP_cbo_zero) | a << 15;
        return 1;
    case 10: /* interrupts are turned on or off */
        w[0] = enc_i(OP_addi, a, 0, below(4) ? MSTATUS_SIE : (int)below(40));
        w[1] = form(below(2) ? OP_csrrs : OP_csrrc) | d << 7 | a << 15;
        if (below(2))
            w[1] = form(below(2) ? OP_csrrsi : OP_csrrci) | d << 7 |
                   (below(4) ? MSTATUS_SIE : below(32)) << 15;
        w[1] = with_bits(w[1], 20, 12, CSR_SSTATUS);
        return 2;
    case 9: /* what is read is written, perhaps */
        w[0] = enc_i(loads[below(7)], t, a, off);
        w[1] = below(2)   ? enc_r(words[below(8)], t, t, b)
               : below(2) ? enc_r(others[below(4)], t, t, b)
               : below(2) ? enc_r(OP_amoadd_d, d, b, t)
                          : enc_b(OP_beq, t, b, 8);
        w[2] = enc_s(n & 1 ? OP_sd : OP_sw, t, a, below(4) ? off : off + 8);
        w[3] = enc_i(loads[below(7)], d, a, off);
        return 4;
    case 8: /* a group of accesses */
        for (unsigned m = 0; m < 4; m++) {
            off = 8 * (int)below(8) - (below(8) ? 0 : (int)below(40));
            w[m] = n & 1 && below(8)
                       ? enc_s(below(4) ? OP_sd : OP_sb, some_reg(), a, off)
                       : enc_i(loads[below(7)], some_reg(), a, off);
        }
        return 4;
    case 7: /* a reservation, and perhaps not to the end */
        w[0] = enc_r(below(2) ? OP_lr_w : OP_lr_d, t, a, 0);
        w[1] = enc_r(words[below(8)], t, d, b);
        w[2] = below(4) ? enc_r(OP_amoadd_d, d, b, t) : enc_i(OP_addi, t, t, 1);
        w[3] = enc_r(below(4) ? OP_sc_w : OP_sc_d, d, below(4) ? a : b, t);
        return 4;
    case 5: /* a branch over one instruction */
        w[0] = enc_b(OP_beq, a, b, 8);
        w[0] ^= (below(8) << 12) & 0x5000; /* bne, bge, blt and their like */
        w[1] = below(2)
                   ? enc_r(words[below(8)], t, d, b)
                   : enc_i(below(2) ? OP_addi : OP_andi, t, d, (int)below(300));
        return 2;
    case 6: /* or three */
        w[0] = enc_b(OP_bltu, a, b, 4 + 4 * (int)(1 + below(3)));
        w[1] = enc_r(words[below(8)], t, a, d);
        if (below(2)) {
            w[1] = enc_i(OP_addi, t, a, (int)below(2) * 8);
            w[2] = enc_i(OP_addi, d, below(2) ? t : 0, (int)below(2) * 8);
            w[3] = enc_i(OP_addi, b, d, 0);
            return 4;
        }
        w[2] = enc_i(OP_slli, t, below(4) ? t : a, shift[n]);
        w[3] = enc_i(below(2) ? OP_srli : OP_srai, t, t, shift[n]);
        return 4;
    case 0: /* an extension */
        n = shift[n];
        w[0] = enc_i(n > 24 || below(2) ? OP_slli : OP_slliw, t, a, (int)n);
        w[1] = enc_i(right[below(n > 24 ? 2 : 4)], d, t,
                     below(4) ? (int)n : (int)below(32));
        return 2;
    case 1: /* an array's element */
        w[0] = enc_i(OP_slli, t, below(2) ? a : t, (int)below(4));
        w[1] = below(2) ? enc_r(OP_add, d, t, b) : enc_r(OP_add, d, b, t);
        w[2] = enc_i(loads[below(7)], below(4) ? d : b, d, (int)below(64));
        return 3;
    case 2:
        w[0] = enc_r(below(4) ? OP_add : OP_sh2add, t, a, b);
        w[1] = enc_i(loads[below(7)], d, t, (int)below(64));
        return 2;
    case 3: /* a constant, or a place in the program */
        w[0] = form(below(2) ? OP_lui : OP_auipc) | t << 7 |
               (below(2) ? (uint32_t)rnd() << 12 : 0);
        w[1] = enc_i(below(2)   ? OP_addi
                     : below(2) ? OP_addiw
                                : OP_jalr,
                     d, t, 4 * (int)below(WORDS));
        return 2;
    default: /* words upon words */
        w[0] = enc_r(words[below(8)], t, a, b);
        w[1] = enc_r(words[below(8)], d, t, below(2) ? a : t);
        w[2] = enc_i(below(2) ? OP_addiw : OP_sraiw, below(2) ? d : a, d, 0);
        return 3;
    }
}

static uint64_t random_value(void)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    UINT64_MAX,
                                    INT64_MAX,
                                    UINT64_C(1) << 63,
                                    UINT64_C(0x80000000),
                                    UINT64_C(0x7fffffff),
                                    UINT64_C(0xffffffff80000000) };

    switch (below(8)) {
    case 0:
        return odd[below(8)];
    case 1:
        return rnd() << 32 ^ rnd();
    case 2:
        return DEV + 4 * below(8);
    case 3:
        return below(200);
    case 4: /* where pages meet */
        return DATA + 0xff0 + below(32);
    case 5:
        return CODE + 4 * below(WORDS);
    default:
        return DATA + 8 * below(512) - 2048;
    }
}

static uint64_t random_float(void)
{
    static const uint64_t odd[] = { 0,
                                    UINT64_C(1) << 63,
                                    UINT64_C(0x3ff0000000000000),
                                    UINT64_C(0x7ff0000000000000),
                                    UINT64_C(0xfff0000000000000),
                                    UINT64_C(0x7ff8000000000000),
                                    UINT64_C(0x7ff0000000000001),
                                    UINT64_C(0x0010000000000000),
                                    UINT64_C(0x000fffffffffffff),
                                    UINT64_C(0x7fefffffffffffff),
                                    UINT64_C(0xffffffff3f800000),
                                    UINT64_C(0xffffffff7fc00000),
                                    UINT64_C(0xffffffff7f800001),
                                    UINT64_C(0xffffffff00800000),
                                    UINT64_C(0xffffffff807fffff),
                                    UINT64_C(0x43e0000000000000) };
    double d = (double)(int64_t)(rnd() << 20) / (double)(1 + below(1000));
    float f = (float)d;
    uint64_t v = 0;

    switch (below(4)) {
    case 0:
        return odd[below(sizeof odd / sizeof odd[0])];
    case 1:
        memcpy(&v, &f, sizeof f);
        return v | ~UINT64_C(0) << 32;
    case 2:
        return rnd() << 32 ^ rnd();
    default:
        memcpy(&v, &d, sizeof d);
        return v;
    }
}

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
 * user's. Programs run in S-mode.
 */
static void set_paging(void)
{
    enum { V = 1, RWX = 14, U = 16, A = 64, D = 128 };

    for (uint64_t n = 0; n < 32; n++) {
        uint64_t pa = RAM + n * 4096, flags = V | RWX | A | D;

        pa ^= n == 14 || n == 15 ? 4096 : 0;
        flags &= ~(uint64_t)(n == 17 ? 4 : n == 18 ? D : n == 19 ? V : 0);
        both_poke(TABLE + 0x2000 + 8 * n, pa >> 2 | flags);
    }
    both_poke(TABLE + 0x2000 + 8 * 13,
              (RAM + 13 * 4096) >> 2 | V | RWX | U | A | D);
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

static void tell(void *opaque, uint64_t pa, size_t len, unsigned bits)
{
    (void)opaque, (void)len;
    if (bits & MEM_ATTN_COPY && pa / MEM_PAGE == DATA / MEM_PAGE)
        told++;
    mem_unattend(rig->mem, pa, MEM_ATTN_COPY);
}

Test(trans, a_page_that_wants_attention_gets_it_from_the_next_store_on)
{
    const uint32_t loop[] = { enc_s(OP_sd, 12, 11, 8),
                              enc_i(OP_addi, 12, 12, 1), enc_j(OP_jal, 0, -8) };

    told = 0;
    mem_on_write(rig->mem, tell, NULL);
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
    mem_on_write(rig->mem, tell, NULL);
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

/* Both walk around in a page, of which a watchpoint has some bytes. */
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
