/* SPDX-License-Identifier: MIT */
/*
 * fake_debug.c - debug.h over a small array of memory, a few registers and a
 * machine that stops when the test says so. Included by the gdb stub's tests.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/debug.h"

enum {
    FAKE_REGS = 33 + 32 + 8,
    FAKE_POINTS = 4096,
    FAKE_LISTENERS = 4,
    FAKE_RAM = 0x8000,
};

/* RAM is seen at two virtual addresses and, with all bits inverted, at a
 * physical one, so that a test can tell the views apart. */
static const uint64_t fake_virt = 0x80000000, fake_phys = 0x40000000;

struct machine {
    struct loop *loop;
    int harts, phase;
    bool running, io, refuse, no_images;
    const void *ramdisk; /* instead of the usual one's bytes */
    size_t ramdisk_len;
    struct debug_hart hart[64];
    uint64_t reg[64][FAKE_REGS];
    uint8_t ram[FAKE_RAM];
    struct debug_point point[FAKE_POINTS];
    size_t points;
    struct debug_resume resume;
    struct debug_stop stop;
    debug_takes_fn *takes;
    void *takes_opaque;
    const char *call;
    char bootargs[64];
    int64_t call_result;
    int call_error;
    int resumes, interrupts, resets, pokes, quits;
    struct {
        debug_listen_fn *fn;
        void *opaque;
    } listener[FAKE_LISTENERS];
    int listeners;
};

static struct debug_reg fake_regs[FAKE_REGS];

static struct debug_reg fake_reg(const char *name, unsigned number,
                                 enum debug_group group, int csr)
{
    return (struct debug_reg){ name, NULL, "int", number, group, 64, csr };
}

static void fake_registers(void)
{
    static const char *const x[] = {
        "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "fp", "s1", "a0",
        "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc",
    };
    static const char *const f[] = {
        "ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
        "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
        "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
        "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    };
    static const struct {
        const char *name;
        unsigned csr;
    } csrs[] = {
        { "sstatus", 0x100 }, { "sscratch", 0x140 }, { "satp", 0x180 },
        { "mstatus", 0x300 }, { "mie", 0x304 },      { "mtvec", 0x305 },
        { "mhartid", 0xf14 },
    };
    unsigned n = 0;

    for (unsigned i = 0; i < 33; i++)
        fake_regs[n++] = fake_reg(x[i], i, DEBUG_GPR, -1);
    fake_regs[32].type = "code_ptr";
    for (unsigned i = 0; i < 32; i++)
        fake_regs[n++] = fake_reg(f[i], 33 + i, DEBUG_FPR, -1);
    for (unsigned i = 0; i < sizeof csrs / sizeof csrs[0]; i++)
        fake_regs[n++] = fake_reg(csrs[i].name, 65 + csrs[i].csr, DEBUG_CSR,
                                  (int)csrs[i].csr);
    fake_regs[n++] = fake_reg("priv", 4161, DEBUG_VIRTUAL, -1);
}

static struct machine *fake_new(int harts)
{
    struct machine *m = xcalloc(1, sizeof *m);

    fake_registers();
    m->loop = loop_new();
    m->harts = harts;
    m->phase = harts ? 5 : 0;
    m->stop.hart = -1;
    for (int h = 0; h < 64; h++) {
        m->reg[h][32] = 0x80000000;
        m->hart[h].priv = 3;
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

static void fake_tell(struct machine *m, enum debug_event_kind kind, int status)
{
    struct debug_event e = { .kind = kind, .stop = m->stop, .status = status };

    for (int i = 0; i < m->listeners; i++)
        m->listener[i].fn(m->listener[i].opaque, &e);
}

static void fake_stop(struct machine *m, struct debug_stop stop)
{
    m->stop = stop;
    m->running = false;
    fake_tell(m, DEBUG_EVENT_STOPPED, 0);
}

/* Somebody else lets it run. */
static inline void fake_run(struct machine *m)
{
    m->running = true;
    fake_tell(m, DEBUG_EVENT_RUNNING, 0);
}

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
    *v = m->reg[hart][r - fake_regs];
    return true;
}

bool debug_reg_set(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t v)
{
    m->pokes++;
    m->reg[hart][r - fake_regs] = v;
    return true;
}

/* How much of [addr, addr + len) is there, and where. */
static size_t fake_span(enum debug_space s, uint64_t addr, size_t len,
                        size_t *at, struct err *err)
{
    uint64_t off = addr - (s == DEBUG_VIRT ? fake_virt : fake_phys);
    size_t n = off >= FAKE_RAM ? 0 : FAKE_RAM - (size_t)off;

    if (n < len)
        err_set(err, "address 0x%llx is not mapped: #%d*",
                (unsigned long long)(addr + n), 1);
    *at = (size_t)off;
    return len < n ? len : n;
}

size_t debug_read(struct machine *m, int hart, enum debug_space s,
                  uint64_t addr, void *data, size_t len, struct err *err)
{
    size_t at = 0, n = fake_span(s, addr, len, &at, err);
    uint8_t *out = data;

    (void)hart;
    for (size_t i = 0; i < n; i++)
        out[i] = s == DEBUG_VIRT ? m->ram[at + i] : (uint8_t)~m->ram[at + i];
    return n;
}

size_t debug_write(struct machine *m, int hart, enum debug_space s,
                   uint64_t addr, const void *data, size_t len, struct err *err)
{
    size_t at = 0, n = fake_span(s, addr, len, &at, err);

    (void)hart;
    memcpy(m->ram + at, data, n);
    m->pokes++;
    return n;
}

bool debug_io(struct machine *m, int on)
{
    bool was = m->io;

    if (on >= 0)
        m->io = on;
    return was;
}

static bool fake_same(const struct debug_point *a, const struct debug_point *b)
{
    return a->kind == b->kind && a->hw == b->hw && a->addr == b->addr &&
           a->len == b->len && a->owner == b->owner;
}

bool debug_point_add(struct machine *m, const struct debug_point *p,
                     struct err *err)
{
    for (size_t i = 0; i < m->points; i++)
        if (fake_same(&m->point[i], p))
            return true;
    if (m->points == FAKE_POINTS)
        return err_set(err, "the fake is full");
    m->point[m->points] = *p;
    m->point[m->points++].conditions = p->when.n;
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

void debug_points_clear(struct machine *m, const void *owner)
{
    for (size_t i = m->points; i-- > 0;)
        if (m->point[i].owner == owner)
            m->point[i] = m->point[--m->points];
}

void debug_stop_text(struct machine *m, const struct debug_stop *s,
                     struct buf *out)
{
    if (s->hart < 0)
        return; /* as emu/debug does: it is nobody's */
    buf_printf(out, "hart %d at 0x%llx", s->hart,
               (unsigned long long)m->reg[s->hart][32]);
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

bool debug_resume(struct machine *m, const struct debug_resume *r,
                  struct err *err)
{
    if (m->refuse || m->harts == 0)
        return err_set(err, "Resetting the Virtual Machine is required");
    m->resume = *r;
    m->resumes++;
    m->running = true;
    fake_tell(m, DEBUG_EVENT_RUNNING, 0);
    return true;
}

/* As the real one: at once. */
void debug_interrupt(struct machine *m)
{
    m->interrupts++;
    if (m->running)
        fake_stop(m, (struct debug_stop){ .reason = DEBUG_STOP_PAUSE,
                                          .hart = m->harts - 1 });
}

void debug_last_stop(const struct machine *m, struct debug_stop *out)
{
    *out = m->stop;
}

bool debug_bootargs(struct machine *m, const char *args, struct err *err)
{
    if (m->refuse)
        return err_set(err, "no kernel");
    snprintf(m->bootargs, sizeof m->bootargs, "%s", args);
    return true;
}

void debug_reset_images(struct machine *m, struct err *err)
{
    if (m->no_images) {
        err_set(err, "no images");
        return;
    }
    m->resets++;
    for (int h = 0; h < m->harts; h++)
        m->reg[h][32] = 0x1000;
}

void debug_quit(struct machine *m, int status)
{
    m->quits++;
    fake_tell(m, DEBUG_EVENT_EXIT, status);
}

/* A semihosting call of one request; the last who registers is asked. */
void debug_on_call(struct machine *m, debug_takes_fn *takes, void *opaque)
{
    m->takes = takes;
    m->takes_opaque = opaque;
}

void debug_off_call(struct machine *m, const void *opaque)
{
    (void)opaque;
    m->takes = NULL;
}

const char *debug_call(const struct machine *m) { return m->call; }

bool debug_call_answer(struct machine *m, int64_t result, int error)
{
    m->call_result = result;
    m->call_error = error;
    m->call = NULL;
    return true;
}

bool debug_resume_again(struct machine *m, struct err *err)
{
    return debug_resume(m, &m->resume, err);
}

/* The guest calls; false when nobody takes it. */
static inline bool fake_call(struct machine *m, const char *request)
{
    if (!m->takes || !m->takes(m->takes_opaque))
        return false;
    m->call = request;
    fake_stop(m, (struct debug_stop){ .reason = DEBUG_STOP_CALL, .hart = 1 });
    return true;
}

struct loop *debug_loop(const struct machine *m) { return m->loop; }

struct chardevs *debug_chardevs(const struct machine *m)
{
    (void)m;
    return NULL;
}

/* A firmware and a kernel that is linked elsewhere than it is loaded. */
static const struct {
    struct debug_image image;
    struct debug_segment segment;
    const char *bytes;
} fake_images[] = {
    { { "/fw.elf", "firmware", true, 1 },
      { 0x40000000, 0x40000000, 0x1000 },
      "\177ELF firmware" },
    { { "/dir/a<b&c.elf", "kernel", true, 1 },
      { 0x80000000, 0x40001000, 0x2000 },
      "\177ELF kernel #$}*" },
    { { "/ramdisk", "ramdisk", false, 1 },
      { 0x40004000, 0x40004000, 0x100 },
      "cpio" },
};

enum { FAKE_IMAGES = sizeof fake_images / sizeof fake_images[0] };

bool debug_image(const struct machine *m, size_t n, struct debug_image *out)
{
    if (n >= FAKE_IMAGES || m->no_images)
        return false;
    *out = fake_images[n].image;
    return true;
}

bool debug_segment(const struct machine *m, size_t image, size_t n,
                   struct debug_segment *out)
{
    (void)m;
    if (image >= FAKE_IMAGES || n > 0)
        return false;
    *out = fake_images[image].segment;
    return true;
}

static bool is_ramdisk(const struct machine *m, size_t image)
{
    return m->ramdisk && strcmp(fake_images[image].image.role, "ramdisk") == 0;
}

int64_t debug_image_length(const struct machine *m, size_t image)
{
    if (image >= FAKE_IMAGES)
        return -1;
    if (is_ramdisk(m, image))
        return (int64_t)m->ramdisk_len;
    return (int64_t)strlen(fake_images[image].bytes);
}

int64_t debug_image_read(const struct machine *m, size_t image, uint64_t offset,
                         void *data, size_t len)
{
    uint64_t size = (uint64_t)debug_image_length(m, image);

    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = size - offset;
    memcpy(data,
           (is_ramdisk(m, image) ? (const char *)m->ramdisk
                                 : fake_images[image].bytes) +
               offset,
           len);
    return (int64_t)len;
}

const char *debug_symbol(const struct machine *m, uint64_t addr,
                         uint64_t *offset)
{
    (void)m;
    *offset = addr - 0x80000000;
    return *offset < 0x100 ? "_start" : NULL;
}

bool debug_dev(const struct machine *m, size_t n, const char **name,
               const char **type)
{
    (void)m;
    *name = n ? "clock" : "uart0";
    *type = n ? NULL : "serial-mm";
    return n < 2;
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

void debug_checkpoints(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "before           T=1234\n");
}

void debug_irqs(const struct machine *m, struct buf *out)
{
    (void)m;
    buf_str(out, "hart0: mip 0080\nno colon here\n");
}

int debug_phase(const struct machine *m) { return m->phase; }

const char *debug_phase_name(int phase)
{
    return phase == 5 ? "machine-ready" : "none";
}

/* Time: a machine without a past. */
/* Where the machine was asked to go. */
static char fake_asked[64];

bool debug_past(const struct machine *m)
{
    (void)m;
    return false;
}

bool debug_goto(struct machine *m, const char *where, struct err *err)
{
    (void)m, (void)err;
    snprintf(fake_asked, sizeof fake_asked, "goto %s", where);
    return true;
}

bool debug_restart(struct machine *m, const char *name, struct err *err)
{
    (void)m, (void)err;
    snprintf(fake_asked, sizeof fake_asked, "restart %s", name);
    return true;
}

bool debug_seeking(const struct machine *m)
{
    (void)m;
    return false;
}

bool debug_reverse(struct machine *m, int hart, bool step, struct err *err)
{
    (void)m, (void)hart, (void)step;
    return err_set(err, "the timeline is off");
}
