/* SPDX-License-Identifier: MIT */
/*
 * fake_machine.c - as much of debug.h and chardev.h as the monitor uses, over
 * a small memory and a chardev that keeps what is written. Included by the
 * monitor's tests and its fuzz target.
 *
 * RAM is at fake_ram, the same in both views; the page at fake_mapped is seen
 * at fake_ram in the virtual view. Each instruction is four bytes of nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/debug.h"

/* Not every test that includes this needs every helper. */
#define MAYBE __attribute__((unused)) static

enum {
    FAKE_RAM = 0x8000,
    FAKE_REGS = 33 + 32 + 20,
    FAKE_MAX = 256,
    FAKE_READY = 5
};

static const uint64_t fake_ram = 0x80000000, fake_mapped = 0x3ffffff000;

struct fake_leaf {
    uint64_t va, pa, size, pte;
};

struct chardev {
    const char *id;
    struct chardev_front front;
    void *opaque;
    struct buf out; /* what the client has seen */
    struct buf ring;
    size_t room; /* what it takes before it stops reading */
    bool joined, open, tty, is_ring;
};

struct machine {
    struct loop *loop;
    int harts, phase;
    bool running, io, refuse;
    const char *state, *name;
    struct debug_hart hart[4];
    uint64_t reg[4][FAKE_REGS];
    uint8_t ram[FAKE_RAM];
    struct debug_point point[FAKE_MAX];
    size_t points;
    struct debug_resume resume;
    enum debug_irq irq;
    int resumes, interrupts, resets, powerdowns, quits, walks;
    struct {
        debug_listen_fn *fn;
        void *opaque;
    } listener[8];
    int listeners;
    const struct fake_leaf *leaf; /* NULL: no translation */
    size_t leaves;
    struct chardev *chardev[4];
};

static struct debug_reg fake_regs[FAKE_REGS];

static void fake_registers(void)
{
    static const char *const names[FAKE_REGS] = {
        "zero",
        "ra",
        "sp",
        "gp",
        "tp",
        "t0",
        "t1",
        "t2",
        "fp",
        "s1",
        "a0",
        "a1",
        "a2",
        "a3",
        "a4",
        "a5",
        "a6",
        "a7",
        "s2",
        "s3",
        "s4",
        "s5",
        "s6",
        "s7",
        "s8",
        "s9",
        "s10",
        "s11",
        "t3",
        "t4",
        "t5",
        "t6",
        "pc",
        "ft0",
        "ft1",
        "ft2",
        "ft3",
        "ft4",
        "ft5",
        "ft6",
        "ft7",
        "fs0",
        "fs1",
        "fa0",
        "fa1",
        "fa2",
        "fa3",
        "fa4",
        "fa5",
        "fa6",
        "fa7",
        "fs2",
        "fs3",
        "fs4",
        "fs5",
        "fs6",
        "fs7",
        "fs8",
        "fs9",
        "fs10",
        "fs11",
        "ft8",
        "ft9",
        "ft10",
        "ft11",
        /* CSRs, in the order of info registers, which does not matter */
        "fcsr",
        "mhartid",
        "mstatus",
        "mip",
        "mie",
        "mideleg",
        "medeleg",
        "mtvec",
        "stvec",
        "mepc",
        "sepc",
        "mcause",
        "scause",
        "mtval",
        "stval",
        "mscratch",
        "sscratch",
        "satp",
        "mcycle",
        "minstret",
    };

    for (unsigned i = 0; i < FAKE_REGS; i++)
        fake_regs[i] = (struct debug_reg){ .name = names[i],
                                           .type = "int",
                                           .number = i < 65 ? i : 1000 + i,
                                           .bits = 64,
                                           .csr = -1 };
}

static struct machine *fake_new(int harts)
{
    struct machine *m = xcalloc(1, sizeof *m);

    fake_registers();
    m->loop = loop_new();
    m->harts = harts;
    m->phase = harts ? FAKE_READY : 0;
    m->state = harts ? "paused" : "prelaunch";
    m->name = "";
    for (int h = 0; h < 4; h++) {
        m->hart[h].pc = m->reg[h][32] = fake_ram;
        m->reg[h][66] = (uint64_t)h;
    }
    for (size_t i = 0; i < FAKE_RAM; i++)
        m->ram[i] = (uint8_t)(i * 7);
    return m;
}

static void fake_free(struct machine *m)
{
    loop_free(m->loop);
    free(m);
}

MAYBE void fake_stop(struct machine *m, struct debug_stop stop)
{
    struct debug_event e = { .kind = DEBUG_EVENT_STOPPED, .stop = stop };

    m->running = false;
    for (int i = m->listeners; i-- > 0;)
        if (i < m->listeners)
            m->listener[i].fn(m->listener[i].opaque, &e);
}

/* Harts and registers ----------------------------------------------------- */

int debug_harts(const struct machine *m) { return m->harts; }

void debug_hart(const struct machine *m, int hart, struct debug_hart *out)
{
    *out = m->hart[hart];
}

const struct debug_reg *debug_regs(const struct machine *m, size_t *n)
{
    *n = m->harts ? FAKE_REGS : 0;
    return fake_regs;
}

const struct debug_reg *debug_reg_named(const struct machine *m,
                                        const char *name)
{
    for (size_t i = 0; m->harts && i < FAKE_REGS; i++)
        if (strcmp(fake_regs[i].name, name) == 0)
            return &fake_regs[i];
    return NULL;
}

const struct debug_reg *debug_reg_numbered(const struct machine *m,
                                           unsigned number)
{
    for (size_t i = 0; m->harts && i < FAKE_REGS; i++)
        if (fake_regs[i].number == number)
            return &fake_regs[i];
    return NULL;
}

bool debug_reg_get(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t *v)
{
    if (hart < 0 || hart >= m->harts)
        return false;
    *v = m->reg[hart][r - fake_regs];
    return true;
}

/* Memory ------------------------------------------------------------------ */

size_t debug_read(struct machine *m, int hart, enum debug_space s,
                  uint64_t addr, void *data, size_t len, struct err *err)
{
    uint64_t base = fake_ram;
    size_t at;

    (void)hart;
    if (s == DEBUG_VIRT && addr - fake_mapped < 0x1000)
        base = fake_mapped;
    if (addr - base >= FAKE_RAM) {
        err_set(err, "not mapped");
        return 0;
    }
    at = (size_t)(addr - base);
    if (len > FAKE_RAM - at)
        len = FAKE_RAM - at;
    memcpy(data, m->ram + at, len);
    return len;
}

bool debug_io(struct machine *m, int on)
{
    if (on >= 0)
        m->io = on;
    return m->io;
}

bool debug_translate(struct machine *m, int hart, uint64_t va,
                     struct debug_walk *w)
{
    bool mapped = va - fake_mapped < 0x1000;

    (void)m;
    (void)hart;
    *w = (struct debug_walk){
        .pa = fake_ram + va % 0x1000,
        .page_size = 0x1000,
        .levels = 2,
        .pte_addr = { 0x80007000, 0x80006ff8 },
        .pte = { 0x20001801, mapped ? 0x2000004b : 0 },
        .fault = mapped ? NULL : "the entry is not valid",
    };
    return mapped;
}

bool debug_leaves(struct machine *m, int hart, debug_leaf_fn *fn, void *opaque)
{
    (void)hart;
    for (size_t i = 0; m->leaf && i < m->leaves; i++)
        fn(opaque, m->leaf[i].va, m->leaf[i].pa, m->leaf[i].size,
           m->leaf[i].pte);
    return m->leaf != NULL;
}

bool debug_region(const struct machine *m, size_t n, struct debug_region *out)
{
    const struct debug_region regions[] = {
        { "riscv_virt_board.mrom", 0x1000, 0xf000, "rom", false,
          (uint8_t *)(uintptr_t)0x1234000 },
        { "gpex_ioport_window", 0x3000000, 0x10000, "i/o", false, NULL },
        { "gpex_ioport", 0x3000000, 0x10000, "i/o", true, NULL },
        { "serial", 0x10000000, 8, "i/o", false, NULL },
        { "riscv_virt_board.ram", fake_ram, FAKE_RAM, "ram", false,
          (uint8_t *)(uintptr_t)m->ram },
    };

    if (m->phase == 0 || n >= sizeof regions / sizeof regions[0])
        return false;
    *out = regions[n];
    return true;
}

bool debug_rom(const struct machine *m, size_t n, struct debug_rom *out)
{
    static const struct debug_rom roms[] = {
        { "mrom.reset", 0x1000, 0x28, false },
        { "fdt", 0x87e00000, 0x176c, true },
    };

    if (m->phase == 0 || n >= sizeof roms / sizeof roms[0])
        return false;
    *out = roms[n];
    return true;
}

int debug_disas(struct machine *m, int hart, enum debug_space s, uint64_t addr,
                uint32_t *raw, char *text, size_t size)
{
    static const char *const texts[] = {
        "auipc                   t0,0                    # 0x1000",
        "addi a2,t0,40",
        "ecall",
    };
    uint8_t bytes[4];

    if (debug_read(m, hart, s, addr, bytes, 4, NULL) < 4)
        return 0;
    *raw = 0x00000297;
    snprintf(text, size, "%s", texts[addr / 4 % 3]);
    return 4;
}

/* Points and run control -------------------------------------------------- */

static bool fake_same(const struct debug_point *a, const struct debug_point *b)
{
    return a->kind == b->kind && a->addr == b->addr && a->len == b->len &&
           a->owner == b->owner;
}

bool debug_point_add(struct machine *m, const struct debug_point *p,
                     struct err *err)
{
    for (size_t i = 0; i < m->points; i++)
        if (fake_same(&m->point[i], p))
            return true;
    if (m->points == FAKE_MAX)
        return err_set(err, "the fake is full");
    m->point[m->points++] = *p;
    return true;
}

bool debug_point_remove(struct machine *m, const struct debug_point *p)
{
    for (size_t i = 0; i < m->points; i++)
        if (fake_same(&m->point[i], p)) {
            m->point[i] = m->point[--m->points];
            return true;
        }
    return false;
}

bool debug_point(const struct machine *m, size_t n, struct debug_point *out)
{
    if (n >= m->points)
        return false;
    *out = m->point[n];
    return true;
}

enum debug_irq debug_step_irq(struct machine *m, enum debug_irq set)
{
    if (set != DEBUG_IRQ_SET)
        m->irq = set;
    return m->irq;
}

void debug_stop_text(struct machine *m, const struct debug_stop *s,
                     struct buf *out)
{
    buf_printf(out, "hart %d at 0x%llx", s->hart,
               (unsigned long long)m->hart[s->hart].pc);
    if (s->reason == DEBUG_STOP_WATCH)
        buf_printf(out, " writes 0x%llx", (unsigned long long)s->addr);
}

void debug_listen(struct machine *m, debug_listen_fn *fn, void *opaque)
{
    m->listener[m->listeners].fn = fn;
    m->listener[m->listeners++].opaque = opaque;
}

void debug_unlisten(struct machine *m, debug_listen_fn *fn, void *opaque)
{
    for (int i = 0; i < m->listeners; i++)
        if (m->listener[i].fn == fn && m->listener[i].opaque == opaque)
            m->listener[i--] = m->listener[--m->listeners];
}

bool debug_running(const struct machine *m) { return m->running; }

/* A step is over at once; anything else runs until it is stopped. */
bool debug_resume(struct machine *m, const struct debug_resume *r,
                  struct err *err)
{
    if (m->refuse)
        return err_set(err, "Resetting the Virtual Machine is required");
    m->resume = *r;
    m->resumes++;
    m->running = true;
    if (r->step) {
        m->hart[r->hart].pc += 4;
        fake_stop(m, (struct debug_stop){ .reason = DEBUG_STOP_STEP,
                                          .hart = r->hart });
    }
    return true;
}

void debug_interrupt(struct machine *m)
{
    m->interrupts++;
    m->running = false;
}

const char *debug_state(const struct machine *m) { return m->state; }

uint64_t debug_now(const struct machine *m) { return (uint64_t)m->resumes; }

int64_t debug_virtual_ns(const struct machine *m) { return m->resumes; }

uint64_t debug_hash(const struct machine *m) { return m->ram[0]; }

void debug_reset(struct machine *m) { m->resets++; }

void debug_powerdown(struct machine *m) { m->powerdowns++; }

void debug_quit(struct machine *m, int status)
{
    (void)status;
    m->quits++;
}

/* The machine ------------------------------------------------------------- */

/* The fake has one set of chardevs: the machine's own. */
struct chardevs *debug_chardevs(const struct machine *m)
{
    return (struct chardevs *)(uintptr_t)m;
}

struct loop *debug_loop(const struct machine *m) { return m->loop; }

const char *debug_name(const struct machine *m) { return m->name; }

bool debug_dev(const struct machine *m, size_t n, const char **name,
               const char **type)
{
    static const char *const devs[][2] = {
        { "hart0", NULL },
        { "plic", "riscv.sifive.plic" },
        { "uart0", "serial-mm" },
    };

    if (m->phase == 0 || n >= sizeof devs / sizeof devs[0])
        return false;
    *name = devs[n][0];
    *type = devs[n][1];
    return true;
}

void debug_dev_describe(const struct machine *m, size_t n, struct buf *out)
{
    (void)m;
    if (n == 2)
        buf_str(out, "gpio-out \"sysbus-irq\" 1\nregshift = 0 (0x0)\n");
}

void debug_dev_fields(const struct machine *m, size_t n, struct buf *out)
{
    (void)m;
    buf_printf(out, "ier=%zu", n);
}

void debug_jit(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "translations 7\n");
}

bool debug_jit_code(const struct machine *m, uint64_t va, struct buf *out)
{
    (void)m;
    buf_printf(out, "OUT: %#lx\n", va);
    return va == 0x80000000;
}

void debug_irqs(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "plic: nothing pending\n");
}

bool debug_end_stops(struct machine *m, int on)
{
    (void)m;
    return on > 0;
}

const char *debug_symbol(const struct machine *m, uint64_t addr,
                         uint64_t *offset)
{
    (void)m;
    *offset = addr - 0x80000000;
    return *offset < 0x1000 ? "_start" : NULL;
}

void debug_fdt(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "/dts-v1/;\n");
}

int debug_phase(const struct machine *m) { return m->phase; }

const char *debug_phase_name(int phase)
{
    static const char *const names[] = {
        "none",
        "machine-created",
        "accel-created",
        "late-backends-created",
        "machine-initialized",
        "machine-ready",
    };

    return names[phase];
}

bool debug_phase_go(struct machine *m, enum debug_walk_how how,
                    const char *name, struct err *err)
{
    if (how == DEBUG_PHASE_UNTIL && strcmp(name, "board") != 0)
        return err_set(err, "there is no phase or step '%s'", name);
    m->walks++;
    if (how == DEBUG_PHASE_RUN)
        m->phase = FAKE_READY;
    return true;
}

void debug_phase_where(const struct machine *m, struct buf *out)
{
    buf_printf(out, "phase: %s\n", debug_phase_name(m->phase));
}

void debug_phase_tree(const struct machine *m, struct buf *out)
{
    buf_printf(out, "* %s\n", debug_phase_name(m->phase));
}

/* The chardev ------------------------------------------------------------- */

MAYBE void chr_init(struct chardev *c)
{
    *c = (struct chardev){ .id = "mon0", .room = SIZE_MAX };
}

MAYBE void chr_event(struct chardev *c, enum chardev_event e)
{
    if (e == CHARDEV_OPENED || e == CHARDEV_CLOSED)
        c->open = e == CHARDEV_OPENED;
    c->front.event(c->opaque, e);
}

/* Gives what the front end takes, as a back end does; the rest is lost. */
MAYBE void chr_input(struct chardev *c, const void *data, size_t len)
{
    size_t can = c->front.can(c->opaque);

    if (len > can)
        len = can;
    if (len > 0)
        c->front.read(c->opaque, data, len);
}

MAYBE void chr_type(struct chardev *c, const char *text)
{
    chr_input(c, text, strlen(text));
}

bool chardev_join(struct chardev *c, const struct chardev_front *front,
                  void *opaque, struct err *err)
{
    if (c->joined)
        return err_set(err, "Device '%s' is in use", c->id);
    c->front = *front;
    c->opaque = opaque;
    c->joined = true;
    return true;
}

void chardev_leave(struct chardev *c, void *opaque)
{
    (void)opaque;
    c->joined = false;
}

size_t chardev_write(struct chardev *c, const void *data, size_t len)
{
    size_t n = len < c->room ? len : c->room;

    if (c->is_ring) {
        buf_add(&c->ring, data, len);
        return len;
    }
    buf_add(&c->out, data, n);
    c->room -= n;
    return n;
}

size_t chardev_queued(const struct chardev *c)
{
    (void)c;
    return 0;
}

void chardev_accept(struct chardev *c) { (void)c; }

bool chardev_is_tty(const struct chardev *c) { return c->tty; }

bool chardev_is_ring(const struct chardev *c) { return c->is_ring; }

size_t chardev_ring_read(struct chardev *c, void *data, size_t size)
{
    size_t n = size < c->ring.len ? size : c->ring.len;

    if (n > 0)
        memcpy(data, c->ring.data, n);
    buf_drop(&c->ring, n);
    return n;
}

const char *chardev_id(const struct chardev *c) { return c->id; }

const char *chardev_filename(const struct chardev *c)
{
    return c->is_ring ? "ringbuf" : "null";
}

struct chardev *chardev_nth(struct chardevs *s, size_t n)
{
    struct machine *m = (struct machine *)s;

    return n < 4 ? m->chardev[n] : NULL;
}

struct chardev *chardev_find(struct chardevs *s, const char *id)
{
    struct chardev *c;

    for (size_t n = 0; (c = chardev_nth(s, n)); n++)
        if (strcmp(c->id, id) == 0)
            return c;
    return NULL;
}

struct chardev *chardev_add(struct chardevs *s, const char *text,
                            struct err *err)
{
    (void)s;
    err_set(err, "'%s' is not a valid char driver name", text);
    return NULL;
}

bool chardev_remove(struct chardevs *s, struct chardev *c, struct err *err)
{
    (void)s;
    return err_set(err, "Chardev '%s' is busy", c->id);
}

#include "tests/unit/fake_states.c"
#include "tests/unit/fake_time.c"
