/* SPDX-License-Identifier: MIT */
/*
 * fuzz_devices.c - a guest that does anything to any device of the board,
 * while time passes and somebody types.
 *
 * State that was saved, spoilt and loaded is what it was; looking changes
 * nothing.
 */
#include <assert.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/tap.h"

#include "board/map.h"
#include "board/virt.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "tests/fuzz/bytes.h"

enum { HARTS = 2, RAM_SIZE = 1 << 20, ACTIONS = 400 };

/* The serial line: somebody types, and reads or does not. */
struct chardev {
    const struct chardev_front *front;
    void *opaque;
    bool deaf;
};

bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err)
{
    (void)err;
    c->front = front;
    c->opaque = opaque;
    return true;
}

void chardev_leave(struct chardev *c, void *opaque)
{
    (void)opaque;
    c->front = NULL;
}

size_t chardev_write(struct chardev *c, const void *data, size_t len)
{
    (void)data;
    return c->deaf ? 0 : len;
}

void chardev_accept(struct chardev *c) { (void)c; }

struct rig {
    struct board_rooms rooms;
    struct virt_config config;
    struct virt_wires wires;
    struct virt *virt;
    struct roms *roms;
    struct chardev line;
    int64_t now;
    int levels[5 * HARTS]; /* of the harts' inputs */
};

static int64_t now_ns(void *opaque) { return ((struct rig *)opaque)->now; }

static uint64_t steps(void *opaque)
{
    return (uint64_t)((struct rig *)opaque)->now;
}

static void level(void *opaque, int n, bool on)
{
    ((struct rig *)opaque)->levels[n] = on;
}

static void off(void *opaque, bool panic, int code)
{
    (void)opaque, (void)panic;
    assert(code >= 0 && code <= 0xffff);
}

static void reset(void *opaque) { (void)opaque; }

static void wire(struct rig *g)
{
    struct irq *lines[] = { g->wires.msip, g->wires.mtip, g->wires.meip,
                            g->wires.seip, g->wires.ssip };

    for (int n = 0; n < HARTS; n++)
        for (int k = 0; k < 5; k++)
            lines[k][n] = (struct irq){ level, g, 5 * n + k };
    g->wires.finisher = (struct finisher_hooks){ off, reset, g };
    g->wires.serial0 = &g->line;
}

static void rig_init(struct rig *g, uint8_t how)
{
    struct board_rooms *r = &g->rooms;
    struct err err;
    bool ok;

    *g = (struct rig){ .config = { .ram_size = RAM_SIZE,
                                   .harts = HARTS,
                                   .aclint = how & 1,
                                   .virtio_legacy = how & 2,
                                   .isa = "rv64i",
                                   .isa_list = "i",
                                   .isa_list_len = 2,
                                   .mmu_type = "riscv,sv39" } };
    *r = (struct board_rooms){ loop_new(), mem_new(), devs_new(),
                               tap_new(steps, g) };
    loop_virtual_clock(r->loop, now_ns, g);
    wire(g);
    g->roms = roms_new(r->mem);
    g->virt = virt_new(r, g->roms, &g->config, &g->wires);
    virt_add_clint(g->virt);
    ok = virt_add_dram(g->virt, &err);
    virt_add_mrom(g->virt);
    ok = ok && virt_add_devices(g->virt, &err) &&
         virt_fwcfg_file(g->virt, "opt/x", "text", 4, &err);
    assert(ok);
    devs_reset(r->devs);
}

static void rig_fini(struct rig *g)
{
    devs_free(g->rooms.devs);
    virt_free(g->virt);
    roms_free(g->roms);
    tap_free(g->rooms.tap);
    mem_free(g->rooms.mem);
    loop_free(g->rooms.loop);
}

/* What can happen --------------------------------------------------------------- */

static uint64_t place(struct bytes *b)
{
    enum { SLOTS = MAP_COUNT };
    const struct map_slot *s = &virt_map[take8(b) % SLOTS];
    uint64_t size = s->size ? s->size : RAM_SIZE, at = take16(b);

    if (at & 0x8000) /* far into it */
        at = (at & 0x7fff) * (size >> 15) + (at & 7);
    return s->base + at % (size + 8);
}

static void access(struct rig *g, struct bytes *b, bool write)
{
    uint64_t pa = place(b), v = take8(b);
    unsigned size = 1u << (v & 3);

    if (write) {
        v = v & 4 ? take64(b) : take8(b);
        mem_write(g->rooms.mem, pa, size, v, NULL);
    } else if (mem_read(g->rooms.mem, pa, size, &v, NULL)) {
        assert(size == 8 || v >> (8 * size) == 0);
    }
}

/* A fw_cfg DMA request, rather than waiting for one to come about. */
static void dma(struct rig *g, struct bytes *b)
{
    uint8_t request[16];
    uint64_t at = virt_map[MAP_DRAM].base + take8(b) * 8;

    take(b, request, sizeof request);
    if (request[0] & 1)
        memset(request, 0, 2);
    if (request[8] & 1)
        memcpy(request + 8, "\0\0\0\0\x80\0\1", 7);
    mem_dma_write(g->rooms.mem, at, request, sizeof request);
    mem_write(g->rooms.mem, virt_map[MAP_FWCFG].base + 16, 8,
              __builtin_bswap64(at), NULL);
}

static void pass_time(struct rig *g, struct bytes *b)
{
    int64_t until = g->now + (int64_t)(take16(b)) * take8(b) * 1000;
    int64_t next;

    while ((next = loop_deadline(g->rooms.loop, LOOP_VIRTUAL)) <= until) {
        g->now = next > g->now ? next : g->now;
        loop_run_timers(g->rooms.loop, LOOP_VIRTUAL);
    }
    g->now = until;
}

static void type(struct rig *g, struct bytes *b)
{
    const struct chardev_front *f = g->line.front;
    uint8_t text[64];
    size_t n = take8(b) % sizeof text, room = f->can(g->line.opaque);

    take(b, text, n);
    if (n == 0)
        f->event(g->line.opaque, CHARDEV_BREAK);
    else if (room)
        f->read(g->line.opaque, text, n < room ? n : room);
    g->line.deaf = n & 1;
    loop_turn(g->rooms.loop, 0);
}

static void look(struct rig *g)
{
    uint64_t before = devs_hash(g->rooms.devs);
    const struct dev_info *info;
    struct buf text = { 0 };
    uint8_t seen[0x120];
    void *opaque;

    for (int n = 0; n < MAP_COUNT; n++)
        mem_peek(g->rooms.mem, virt_map[n].base, seen, sizeof seen);
    for (size_t n = 0; (info = dev_nth(g->rooms.devs, n, &opaque)); n++)
        if (info->describe)
            info->describe(opaque, &text);
    virt_show_irqs(g->virt, &text);
    buf_free(&text);
    assert(devs_hash(g->rooms.devs) == before);
}

static void save_and_load(struct rig *g, bool spoil)
{
    uint64_t want = devs_hash(g->rooms.devs);
    struct buf state = { 0 };
    struct err err;

    devs_save(g->rooms.devs, &state);
    if (spoil)
        devs_reset(g->rooms.devs);
    if (!devs_load(g->rooms.devs, state.data, state.len, &err))
        assert(!"loads what it saved");
    assert(devs_hash(g->rooms.devs) == want);
    buf_free(&state);
}

/* State from who knows where: refused or not, it must do no harm. */
static void load_spoilt(struct rig *g, struct bytes *b)
{
    struct buf state = { 0 };
    struct err err;

    devs_save(g->rooms.devs, &state);
    for (int n = take8(b) % 8; n >= 0; n--)
        state.data[take16(b) % state.len] = (char)take8(b);
    devs_load(g->rooms.devs, state.data, state.len, &err);
    buf_free(&state);
}

static void act(struct rig *g, struct bytes *b)
{
    uint8_t what = take8(b) % 32;

    if (what < 12)
        access(g, b, true);
    else if (what < 22)
        access(g, b, false);
    else if (what < 24)
        dma(g, b);
    else if (what < 26)
        pass_time(g, b);
    else if (what < 28)
        type(g, b);
    else if (what == 28)
        look(g);
    else if (what == 29)
        save_and_load(g, take8(b) & 1);
    else if (what == 30)
        devs_reset(g->rooms.devs);
    else
        load_spoilt(g, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, size };
    struct rig g;

    rig_init(&g, take8(&b));
    for (int n = 0; n < ACTIONS && b.left; n++)
        act(&g, &b);
    rig_fini(&g);
    return 0;
}
