/* SPDX-License-Identifier: MIT */
/*
 * chip_rig.h - what a chip of the board needs around it to be tested alone:
 * memory, a loop with a virtual clock that the test moves, wires that count.
 */
#ifndef TESTS_UNIT_CHIP_RIG_H
#define TESTS_UNIT_CHIP_RIG_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

struct rig {
    struct board_rooms rooms;
    int64_t now; /* virtual ns */
    uint64_t seed;
};

struct wire {
    bool level;
    int raised, lowered; /* calls, whether the level changed or not */
};

static inline int64_t rig_now(void *opaque)
{
    return ((struct rig *)opaque)->now;
}

static inline uint64_t rig_steps(void *opaque)
{
    return (uint64_t)((struct rig *)opaque)->now;
}

static inline void rig_init(struct rig *g)
{
    *g = (struct rig){ .seed = 1 };
    g->rooms.loop = loop_new();
    g->rooms.mem = mem_new();
    g->rooms.devs = devs_new();
    g->rooms.tap = tap_new(rig_steps, g);
    loop_virtual_clock(g->rooms.loop, rig_now, g);
}

static inline void rig_fini(struct rig *g)
{
    devs_free(g->rooms.devs);
    mem_free(g->rooms.mem);
    tap_free(g->rooms.tap);
    loop_free(g->rooms.loop);
}

/* Moves virtual time, stopping at each deadline on the way. */
static inline void rig_pass(struct rig *g, int64_t ns)
{
    int64_t until = g->now + ns, next;

    while ((next = loop_deadline(g->rooms.loop, LOOP_VIRTUAL)) <= until) {
        g->now = next > g->now ? next : g->now;
        loop_run_timers(g->rooms.loop, LOOP_VIRTUAL);
    }
    g->now = until;
}

static inline uint64_t rig_read(struct rig *g, uint64_t pa, unsigned size)
{
    uint64_t v = 0;

    cr_assert(mem_read(g->rooms.mem, pa, size, &v, NULL),
              "reading %u bytes at 0x%llx faults", size,
              (unsigned long long)pa);
    return v;
}

static inline void rig_write(struct rig *g, uint64_t pa, unsigned size,
                             uint64_t v)
{
    cr_assert(mem_write(g->rooms.mem, pa, size, v, NULL),
              "writing %u bytes at 0x%llx faults", size,
              (unsigned long long)pa);
}

static inline bool rig_read_faults(struct rig *g, uint64_t pa, unsigned size)
{
    uint64_t v;

    return !mem_read(g->rooms.mem, pa, size, &v, NULL);
}

static inline bool rig_write_faults(struct rig *g, uint64_t pa, unsigned size)
{
    return !mem_write(g->rooms.mem, pa, size, 0, NULL);
}

/* A debugger's look, which must change nothing. */
static inline uint64_t rig_peek(struct rig *g, uint64_t pa, unsigned size)
{
    uint64_t v = 0;

    cr_assert_eq(mem_peek(g->rooms.mem, pa, &v, size), size);
    return v;
}

/* A random number that is the same in every run (splitmix64). */
static inline uint64_t rig_random(struct rig *g)
{
    uint64_t z = g->seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Saved, spoilt and loaded again, the state is what it was. */
static inline void rig_round_trip(struct rig *g)
{
    uint64_t want = devs_hash(g->rooms.devs);
    struct buf saved = { 0 }, again = { 0 };
    struct err err;

    devs_save(g->rooms.devs, &saved);
    devs_reset(g->rooms.devs);
    cr_assert(devs_load(g->rooms.devs, saved.data, saved.len, &err), "%s",
              err.text);
    cr_assert_eq(devs_hash(g->rooms.devs), want);
    devs_save(g->rooms.devs, &again);
    cr_assert_eq(again.len, saved.len);
    cr_assert_eq(memcmp(again.data, saved.data, saved.len), 0);
    buf_free(&saved);
    buf_free(&again);
}

/* A random access near base; half of the values are small. */
static inline void rig_poke_at_random(struct rig *g, uint64_t base,
                                      uint64_t size)
{
    uint64_t r = rig_random(g), v = rig_random(g);
    uint64_t pa = base + rig_random(g) % size;
    unsigned width = 1u << (r & 3);

    if (r & 4)
        pa &= -(uint64_t)width;
    if (r & 8)
        v &= 0xff;
    if (r & 16)
        mem_read(g->rooms.mem, pa, width, &v, NULL);
    else
        mem_write(g->rooms.mem, pa, width, v, NULL);
    if (r % 64 == 0)
        rig_pass(g, (int64_t)(r >> 50));
}

/* n random accesses, with looks and round trips in between. */
static inline void rig_hammer(struct rig *g, uint64_t base, uint64_t size,
                              int n)
{
    uint64_t look = size < 256 ? size : 256, before;
    uint8_t seen[256];

    for (int i = 0; i < n; i++) {
        rig_poke_at_random(g, base, size);
        if (i % 1024 != 0)
            continue;
        before = devs_hash(g->rooms.devs);
        mem_peek(g->rooms.mem, base + rig_random(g) % size, seen, look);
        cr_assert_eq(devs_hash(g->rooms.devs), before);
        rig_round_trip(g);
    }
}

static inline void wire_set(void *opaque, int n, bool level)
{
    struct wire *w = (struct wire *)opaque + n;

    w->level = level;
    w->raised += level;
    w->lowered += !level;
}

/* The n-th of an array of wires. */
static inline struct irq wire_irq(struct wire *w, int n)
{
    return (struct irq){ wire_set, w, n };
}

/* What `info qtree` would say of the device called name. */
static inline void rig_describe(struct rig *g, const char *name,
                                struct buf *out)
{
    void *opaque;
    const struct dev_info *info = dev_find(g->rooms.devs, name, &opaque);

    cr_assert_not_null(info, "there is no device '%s'", name);
    info->describe(opaque, out);
}

#endif
