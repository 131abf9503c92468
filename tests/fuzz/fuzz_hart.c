/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hart.c - any code on a hart in any state, run three times.
 *
 * Once interpreted, once translated, once in pieces, some of them translated,
 * logged, with caches dropped, breakpoints and watchpoints set, state saved and
 * loaded and a debugger looking on. Nothing of that is the guest's business:
 * all must end with the same state of hart, memory and device, at the same T.
 */
#include <assert.h>
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/hart.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"
#include "emu/hart/trace.h"
#include "emu/trans/trans.h"
#include "tests/fuzz/bytes.h"

#define RAM UINT64_C(0x80000000)
#define DEV UINT64_C(0x10000000)
enum { RAM_SIZE = 0x10000, TABLES = 0x8000, STEPS = 300, ROUNDS = 2000 };

struct rig {
    struct mem *mem;
    struct loop *loop;
    struct devs *devs;
    struct points *points;
    struct blocks *blocks;
    struct tables *tables;
    struct hart *h;
    bool translates;
    struct buf fresh; /* the state of devs at the beginning */
    uint64_t seen;    /* a hash of what the device was asked, and when */
};

static uint64_t mix(uint64_t hash, uint64_t v)
{
    return (hash ^ v) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

/* A device that remembers T, which must be exact in the midst of a block. */
static bool dev_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    struct rig *g = opaque;

    g->seen = mix(mix(g->seen, hart_steps(g->h)), off << 8 | size);
    *v = g->seen;
    return off < 0x800;
}

static bool dev_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct rig *g = opaque;

    g->seen = mix(mix(g->seen, hart_steps(g->h)), v ^ off << 8 ^ size);
    irq_set(hart_irq(g->h, IRQ_MSI + (int)(off / 8 % 3) * 4), v & 1);
    return off < 0x800;
}

static const struct mem_ops dev_ops = { .read = dev_read,
                                        .write = dev_write,
                                        .sizes = MEM_1 | MEM_4 | MEM_8 };

static uint64_t mtime(void *opaque)
{
    return hart_steps(((struct rig *)opaque)->h);
}

static int64_t now_ns(void *opaque) { return (int64_t)mtime(opaque); }

static int64_t to_ns(void *opaque, uint64_t ticks)
{
    (void)opaque;
    return ticks < INT64_MAX ? (int64_t)ticks : INT64_MAX;
}

static void deadline_moved(void *opaque)
{
    ((struct rig *)opaque)->h->attention |= ATTN_YIELD;
}

static void rig_init(struct rig *g, const char *model)
{
    struct cpu_config cpu;
    struct err err;

    *g = (struct rig){ .mem = mem_new(), .loop = loop_new() };
    if (!cpu_parse(model, &cpu, &err))
        abort();
    g->devs = devs_new();
    g->points = points_new();
    mem_add_ram(g->mem, "ram", RAM, RAM_SIZE, MEM_RAM, &err);
    mem_add_device(g->mem, "dev", DEV, 0x1000, &dev_ops, g);
    g->tables = tables_new(g->mem);
    g->blocks = blocks_new(g->mem, &cpu);
    g->h = hart_new(0, &cpu,
                    &(struct hart_wiring){ g->mem, g->loop, g->devs, g->points,
                                           g->blocks, g->tables });
    hart_time(g->h, mtime, to_ns, g);
    loop_virtual_clock(g->loop, now_ns, g);
    loop_on_virtual_set(g->loop, deadline_moved, g);
    devs_save(g->devs, &g->fresh);
}

/* Making a rig takes longer than running it: it is used again and again. */
static void rig_renew(struct rig *g)
{
    static const uint8_t zeros[RAM_SIZE];
    struct err err;

    points_remove_owner(g->points, NULL);
    mem_poke(g->mem, RAM, zeros, RAM_SIZE);
    if (!devs_load(g->devs, g->fresh.data, g->fresh.len, &err))
        abort();
    g->h->skip_points = false;
    g->seen = 0;
}

/* The state to start in ------------------------------------------------------ */

static uint64_t address(uint8_t how)
{
    static const uint64_t bases[] = { RAM,         RAM + TABLES,
                                      RAM + 0xff8, RAM + RAM_SIZE - 8,
                                      DEV,         DEV + 0x7f8,
                                      0,           UINT64_MAX - 7 };

    return bases[how & 7] + (how >> 3);
}

/* Page tables: gigapages that map RAM onto itself, or whatever there is. */
static void set_tables(struct rig *g, uint8_t how, uint8_t flags)
{
    uint64_t leaf = RAM >> 2 | 0xc1 | flags, device = DEV >> 12 << 10 | 0xc7;

    if (how & 4)
        return; /* the tables are the bytes of the code */
    mem_poke(g->mem, RAM + TABLES + 2 * 8, &leaf, 8);
    mem_poke(g->mem, RAM + TABLES, &device, 8);
    csr_poke(g->h, 0x180, UINT64_C(8) << 60 | (RAM + TABLES) >> 12);
}

static void set_state(struct rig *g, struct bytes *b)
{
    struct hart *h = g->h;
    uint8_t how = take8(b), csrs = take8(b) % 32;

    csr_poke(h, 0x3b0, UINT64_MAX); /* PMP lets everything through */
    csr_poke(h, 0x3a0, 0x1f);
    csr_poke(h, 0x305, RAM + 0x40); /* mtvec, stvec */
    csr_poke(h, 0x105, RAM + 0x80);
    csr_poke(h, 0x300, UINT64_C(3) << 13);
    if (how & 8)
        set_tables(g, how, take8(b));
    for (int n = 1; n < 32; n++)
        h->x[n] = address(take8(b));
    for (int n = 0; n < 8; n++)
        h->f[n] = take64(b);
    while (csrs--) {
        uint16_t number = take16(b) & 0xfff;

        csr_poke(h, number, take64(b));
    }
    h->priv = (uint8_t)((how & 3) == 2 ? PRIV_M : how & 3);
    h->pc = how & 16 ? address(take8(b)) & ~UINT64_C(1) : RAM;
    csr_changed(h);
}

/* Running --------------------------------------------------------------------- */

static uint64_t steps_until_timer(struct rig *g, uint64_t n)
{
    int64_t deadline = loop_deadline(g->loop, LOOP_VIRTUAL);
    uint64_t now = g->h->steps;

    if (deadline == INT64_MAX || (uint64_t)deadline > now + n)
        return n;
    return (uint64_t)deadline > now ? (uint64_t)deadline - now : 1;
}

/* One go; what stops a debugger is passed over. */
static void run_some(struct rig *g, uint64_t n, uint32_t log)
{
    struct hart *h = g->h;

    loop_run_timers(g->loop, LOOP_VIRTUAL);
    n = steps_until_timer(g, n);
    log_mask = log;
    if (trace_on())
        trace_run(h, n);
    else if (g->translates)
        trans_run(h, n);
    else
        hart_run(h, n);
    log_mask = 0;
    if (h->stop.kind == HART_STOP_NONE)
        return;
    h->stop.kind = HART_STOP_NONE;
    h->attention &= ~(uint32_t)ATTN_STOP;
    h->skip_points = true;
}

static bool ended(const struct rig *g)
{
    return g->h->steps >= STEPS || (g->h->waiting && !hart_wakes(g->h));
}

static void run_through(struct rig *g)
{
    for (int n = 0; n < ROUNDS && !ended(g); n++)
        run_some(g, STEPS - g->h->steps, 0);
}

static void save_and_load(struct rig *g)
{
    struct buf state = { 0 };
    struct err err;

    devs_save(g->devs, &state);
    if (!devs_load(g->devs, state.data, state.len, &err))
        abort();
    blocks_flush(g->blocks);
    buf_free(&state);
}

static void look(struct rig *g, uint64_t va)
{
    struct mmu_walk w;
    uint64_t v;

    mmu_debug_walk(g->h, va, true, &w);
    mmu_debug_walk(g->h, g->h->pc, false, &w);
    for (unsigned n = 0; n < 4096; n += 7)
        csr_peek(g->h, n, &v);
}

/* What a debugger and the host may do at any time. */
static void disturb(struct rig *g, uint8_t how)
{
    struct point p = { .addr = address(how) & ~UINT64_C(1), .len = 8 };

    p.kind = how & 1 ? POINT_BREAK : POINT_READ | POINT_WRITE;
    p.flags = how & 2 ? POINT_PHYS : 0;
    switch (how >> 5) {
    case 0:
        hart_flush(g->h);
        break;
    case 1:
        blocks_flush(g->blocks);
        break;
    case 2:
        save_and_load(g);
        break;
    case 3:
        points_remove_owner(g->points, NULL);
        break;
    case 4:
        p.addr = g->h->pc + 2 * (how & 15);
        points_add(g->points, &p);
        break;
    case 5:
        points_add(g->points, &p);
        break;
    case 6: {
        static const uint32_t kinds[] = { POINT_TRAP, POINT_IRQ,     POINT_PRIV,
                                          POINT_CSR,  POINT_DEVICE,  POINT_TRAP,
                                          POINT_PRIV, POINT_UNMAPPED };

        p = (struct point){ .kind = kinds[how & 7], .len = UINT64_MAX };
        if (p.kind >= POINT_CSR)
            p.kind |= POINT_READ | POINT_WRITE;
        points_add(g->points, &p);
        break;
    }
    default:
        look(g, p.addr);
    }
}

enum { ALL_LOGS = LOG_OUT_ASM - 1 };

static void run_disturbed(struct rig *g, struct bytes *b)
{
    for (int n = 0; n < 20 * ROUNDS && !ended(g); n++) {
        uint8_t how = take8(b);
        uint64_t left = STEPS - g->h->steps, some = 1 + how % 64;

        if (b->left)
            disturb(g, take8(b));
        run_some(g, some < left ? some : left, how & 64 ? ALL_LOGS : 0);
    }
}

static void compare(struct rig *a, struct rig *b)
{
    static uint8_t ram[2][RAM_SIZE];

    assert(a->h->steps == b->h->steps);
    assert(a->seen == b->seen);
    assert(a->h->pc == b->h->pc);
    assert(!memcmp(a->h->x, b->h->x, 32 * 8));
    assert(devs_hash(a->devs) == devs_hash(b->devs));
    mem_peek(a->mem, RAM, ram[0], RAM_SIZE);
    mem_peek(b->mem, RAM, ram[1], RAM_SIZE);
    assert(!memcmp(ram[0], ram[1], RAM_SIZE));
}

/* The translator, if this host has it. */
static void translate(struct rig *g)
{
    struct trans_config c = { .cache = 1 << 20 };
    struct err err;
    struct trans *t = trans_new(g->blocks, g->points, &c, &err);

    g->translates = t;
    if (t)
        trans_add_hart(t, g->h);
}

enum { PLAIN, DISTURBED, TRANSLATED, WAYS };
static struct rig rigs[4][WAYS];

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const models[] = { "rv64", "max", "rva22s64",
                                          "rv64,sstc=off" };

    (void)argc, (void)argv;
    insn_init();
    if (!log_file("/dev/null", NULL))
        abort();
    for (int m = 0; m < 4; m++)
        for (int n = WAYS - 1; n >= 0; n--) {
            rig_init(&rigs[m][n], models[m]);
            if (n != PLAIN)
                translate(&rigs[m][n]);
        }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    struct rig *g = rigs[take8(&b) % 4];
    size_t code = take16(&b) % 1024;
    struct bytes start;

    for (int n = 0; n < WAYS; n++) {
        struct bytes copy = b;
        size_t len = code < copy.left ? code : copy.left;

        rig_renew(&g[n]);
        mem_poke(g[n].mem, RAM, copy.at, len);
        mem_poke(g[n].mem, RAM + TABLES, copy.at, len);
        copy.at += len;
        copy.left -= len;
        set_state(&g[n], &copy);
        start = copy;
    }
    run_through(&g[PLAIN]);
    run_through(&g[TRANSLATED]);
    compare(&g[PLAIN], &g[TRANSLATED]);
    run_disturbed(&g[DISTURBED], &start);
    compare(&g[PLAIN], &g[DISTURBED]);
    return 0;
}
