/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - the device tree of the virt board.
 *
 * Written from top to bottom, so the code reads as the tree does. The order
 * of nodes and properties, and the phandles, are those of QEMU's tree, whose
 * nodes come in the reverse order of their creation: harts get their phandles
 * from the last to the first, then the PLIC, then the test finisher.
 */
#include "board/fdt.h"

#include <assert.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "board/map.h"
#include "board/virt.h"

enum { TIMEBASE_HZ = 10000000, UART_CLOCK_HZ = 3686400, RNG_SEED_BYTES = 32 };

/* Interrupt inputs of a hart, as `interrupts-extended` counts them. */
enum { HART_SSI = 1, HART_MSI = 3, HART_MTI = 7, HART_SEI = 9, HART_MEI = 11 };

struct tree {
    void *dtb;
    const struct virt_config *c;
};

static uint32_t cpu_phandle(const struct tree *t, int hart)
{
    return 2 * (uint32_t)(t->c->harts - 1 - hart) + 1;
}

static uint32_t intc_phandle(const struct tree *t, int hart)
{
    return cpu_phandle(t, hart) + 1;
}

static uint32_t plic_phandle(const struct tree *t)
{
    return 2 * (uint32_t)t->c->harts + 1;
}

static uint32_t test_phandle(const struct tree *t)
{
    return plic_phandle(t) + 1;
}

/* Writing: the blob is sized so that libfdt cannot run out of it. */

static void begin(struct tree *t, const char *name)
{
    int rc = fdt_begin_node(t->dtb, name);
    assert(rc == 0);
}

static void begin_at(struct tree *t, const char *name, uint64_t address)
{
    char full[64];
    snprintf(full, sizeof full, "%s@%llx", name, (unsigned long long)address);
    begin(t, full);
}

static void end(struct tree *t)
{
    int rc = fdt_end_node(t->dtb);
    assert(rc == 0);
}

static void bytes(struct tree *t, const char *name, const void *data, int len)
{
    int rc = fdt_property(t->dtb, name, data, len);
    assert(rc == 0);
}

static void flag(struct tree *t, const char *name) { bytes(t, name, NULL, 0); }

static void text(struct tree *t, const char *name, const char *value)
{
    bytes(t, name, value, (int)strlen(value) + 1);
}

static void words(struct tree *t, const char *name, const uint32_t *v, int n)
{
    void *at;
    int rc = fdt_property_placeholder(t->dtb, name, n * 4, &at);
    assert(rc == 0);
    for (int i = 0; i < n; i++)
        fdt32_st((char *)at + (size_t)i * 4, v[i]);
}

/* A list of strings is written as one literal, "first\0second". */
#define TEXTS(t, name, list) bytes(t, name, list, sizeof(list))
#define CELLS(t, name, ...)                                                    \
    words(t, name, (const uint32_t[]){ __VA_ARGS__ },                          \
          sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static void cell(struct tree *t, const char *name, uint32_t value)
{
    words(t, name, &value, 1);
}

static void reg(struct tree *t, uint64_t base, uint64_t size)
{
    CELLS(t, "reg", (uint32_t)(base >> 32), (uint32_t)base,
          (uint32_t)(size >> 32), (uint32_t)size);
}

static void slot_reg(struct tree *t, int slot)
{
    reg(t, virt_map[slot].base, virt_map[slot].size);
}

/* Opens a node named after the slot's address. */
static void begin_slot(struct tree *t, const char *name, int slot)
{
    begin_at(t, name, virt_map[slot].base);
}

/* For each hart its interrupt controller and one or two of its inputs. */
static void hart_wires(struct tree *t, uint32_t first, uint32_t second)
{
    uint32_t v[64 * 4];
    int n = 0;
    for (int h = 0; h < t->c->harts; h++) {
        v[n++] = intc_phandle(t, h);
        v[n++] = first;
        if (!second)
            continue;
        v[n++] = intc_phandle(t, h);
        v[n++] = second;
    }
    words(t, "interrupts-extended", v, n);
}

static void source(struct tree *t, uint32_t number)
{
    cell(t, "interrupts", number);
    cell(t, "interrupt-parent", plic_phandle(t));
}

/* Power */

static void syscon(struct tree *t, const char *name, uint32_t value,
                   const char *compatible)
{
    begin(t, name);
    cell(t, "value", value);
    cell(t, "offset", 0);
    cell(t, "regmap", test_phandle(t));
    text(t, "compatible", compatible);
    end(t);
}

/* Harts */

static void block_size(struct tree *t, const char *name, uint32_t size)
{
    if (size)
        cell(t, name, size);
}

static void cpu(struct tree *t, int hart)
{
    const struct virt_config *c = t->c;
    begin_at(t, "cpu", (uint64_t)hart);
    cell(t, "phandle", cpu_phandle(t, hart));
    text(t, "device_type", "cpu");
    cell(t, "reg", (uint32_t)hart);
    text(t, "status", "okay");
    text(t, "compatible", "riscv");
    block_size(t, "riscv,cbop-block-size", c->cbop_block);
    block_size(t, "riscv,cboz-block-size", c->cboz_block);
    block_size(t, "riscv,cbom-block-size", c->cbom_block);
    bytes(t, "riscv,isa-extensions", c->isa_list, (int)c->isa_list_len);
    text(t, "riscv,isa-base", "rv64i");
    text(t, "riscv,isa", c->isa);
    text(t, "mmu-type", c->mmu_type);
    begin(t, "interrupt-controller");
    cell(t, "#interrupt-cells", 1);
    flag(t, "interrupt-controller");
    text(t, "compatible", "riscv,cpu-intc");
    cell(t, "phandle", intc_phandle(t, hart));
    end(t);
    end(t);
}

static void cpu_map(struct tree *t)
{
    begin(t, "cpu-map");
    begin(t, "cluster0");
    for (int h = 0; h < t->c->harts; h++) {
        char name[16];
        snprintf(name, sizeof name, "core%d", h);
        begin(t, name);
        cell(t, "cpu", cpu_phandle(t, h));
        end(t);
    }
    end(t);
    end(t);
}

static void cpus(struct tree *t)
{
    begin(t, "cpus");
    cell(t, "#address-cells", 1);
    cell(t, "#size-cells", 0);
    cell(t, "timebase-frequency", TIMEBASE_HZ);
    for (int h = 0; h < t->c->harts; h++)
        cpu(t, h);
    cpu_map(t);
    end(t);
}

/*
 * Which counters may count which SBI event, for firmware: rows of first and
 * last event and a mask of counters (SBI specification, PMU extension).
 */
static void pmu(struct tree *t)
{
    begin(t, "pmu");
    CELLS(t, "riscv,event-to-mhpmcounters", /* clang-format off */
          0x00001, 0x00001, 0x7fff9,           /* cycles */
          0x00002, 0x00002, 0x7fffc,           /* instructions */
          0x10019, 0x10019, 0x7fff8,           /* data TLB read misses */
          0x1001b, 0x1001b, 0x7fff8,           /* data TLB write misses */
          0x10021, 0x10021, 0x7fff8);          /* fetch TLB misses */
    /* clang-format on */
    text(t, "compatible", "riscv,pmu");
    end(t);
}

/* Nodes outside of /soc */

static void platform_bus(struct tree *t)
{
    const struct map_slot *s = &virt_map[MAP_PLATFORM];
    begin_slot(t, "platform-bus", MAP_PLATFORM);
    cell(t, "interrupt-parent", plic_phandle(t));
    CELLS(t, "ranges", 0, 0, (uint32_t)s->base, (uint32_t)s->size);
    cell(t, "#address-cells", 1);
    cell(t, "#size-cells", 1);
    TEXTS(t, "compatible", "qemu,platform\0simple-bus");
    end(t);
}

static void memory(struct tree *t)
{
    begin_slot(t, "memory", MAP_DRAM);
    text(t, "device_type", "memory");
    reg(t, virt_map[MAP_DRAM].base, t->c->ram_size);
    end(t);
}

static void fw_cfg(struct tree *t)
{
    begin_slot(t, "fw-cfg", MAP_FWCFG);
    flag(t, "dma-coherent");
    slot_reg(t, MAP_FWCFG);
    text(t, "compatible", "qemu,fw-cfg-mmio");
    end(t);
}

static void flash(struct tree *t)
{
    const struct map_slot *a = &virt_map[MAP_FLASH0];
    const struct map_slot *b = &virt_map[MAP_FLASH1];
    begin_slot(t, "flash", MAP_FLASH0);
    cell(t, "bank-width", 4);
    CELLS(t, "reg", 0, (uint32_t)a->base, 0, (uint32_t)a->size, 0,
          (uint32_t)b->base, 0, (uint32_t)b->size);
    text(t, "compatible", "cfi-flash");
    end(t);
}

/*
 * QEMU's seed is new in every run. Here the same options give the same tree:
 * the bytes are a splitmix64 sequence (Steele, Lea, Flood, 2014) of the seed.
 */
static void rng_seed(uint64_t seed, uint8_t out[RNG_SEED_BYTES])
{
    for (int i = 0; i < RNG_SEED_BYTES; i += 8) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        fdt64_st(out + i, z ^ z >> 31);
    }
}

static void chosen(struct tree *t)
{
    uint8_t seed[RNG_SEED_BYTES];
    rng_seed(t->c->rng_seed, seed);
    begin(t, "chosen");
    text(t, "stdout-path", "/soc/serial@10000000");
    bytes(t, "rng-seed", seed, sizeof seed);
    end(t);
}

/* /soc */

static void rtc(struct tree *t)
{
    begin_slot(t, "rtc", MAP_RTC);
    source(t, SOURCE_RTC);
    slot_reg(t, MAP_RTC);
    text(t, "compatible", "google,goldfish-rtc");
    end(t);
}

static void serial(struct tree *t)
{
    begin_slot(t, "serial", MAP_UART);
    source(t, SOURCE_UART);
    cell(t, "clock-frequency", UART_CLOCK_HZ);
    slot_reg(t, MAP_UART);
    text(t, "compatible", "ns16550a");
    end(t);
}

static void test(struct tree *t)
{
    begin_slot(t, "test", MAP_TEST);
    cell(t, "phandle", test_phandle(t));
    slot_reg(t, MAP_TEST);
    TEXTS(t, "compatible", "sifive,test1\0sifive,test0\0syscon");
    end(t);
}

static void virtio(struct tree *t)
{
    const struct map_slot *s = &virt_map[MAP_VIRTIO];
    for (uint32_t n = VIRTIO_SLOTS; n-- > 0;) {
        uint64_t base = s->base + n * s->size;
        begin_at(t, "virtio_mmio", base);
        source(t, SOURCE_VIRTIO + n);
        reg(t, base, s->size);
        text(t, "compatible", "virtio,mmio");
        end(t);
    }
}

static void plic(struct tree *t)
{
    begin_slot(t, "plic", MAP_PLIC);
    cell(t, "phandle", plic_phandle(t));
    cell(t, "riscv,ndev", SOURCE_LAST);
    slot_reg(t, MAP_PLIC);
    hart_wires(t, HART_MEI, HART_SEI);
    flag(t, "interrupt-controller");
    TEXTS(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    cell(t, "#address-cells", 0);
    cell(t, "#interrupt-cells", 1);
    end(t);
}

static void clint(struct tree *t)
{
    begin_slot(t, "clint", MAP_CLINT);
    hart_wires(t, HART_MSI, HART_MTI);
    slot_reg(t, MAP_CLINT);
    TEXTS(t, "compatible", "sifive,clint0\0riscv,clint0");
    end(t);
}

static void aclint_swi(struct tree *t, const char *name, uint64_t base,
                       uint32_t input, const char *compatible)
{
    begin_at(t, name, base);
    cell(t, "#interrupt-cells", 0);
    flag(t, "interrupt-controller");
    hart_wires(t, input, 0);
    reg(t, base, 0x4000);
    text(t, "compatible", compatible);
    end(t);
}

/* MTIME is the last register of the timer's window, the compares the rest. */
static void aclint(struct tree *t)
{
    uint64_t swi = virt_map[MAP_CLINT].base;
    uint32_t timer = (uint32_t)swi + 0x4000;
    aclint_swi(t, "sswi", virt_map[MAP_SSWI].base, HART_SSI,
               "riscv,aclint-sswi");
    begin_at(t, "mtimer", timer);
    hart_wires(t, HART_MTI, 0);
    CELLS(t, "reg", 0, timer + 0x7ff8, 0, 0x4008, 0, timer, 0, 0x7ff8);
    text(t, "compatible", "riscv,aclint-mtimer");
    end(t);
    aclint_swi(t, "mswi", swi, HART_MSI, "riscv,aclint-mswi");
}

static void soc(struct tree *t)
{
    begin(t, "soc");
    cell(t, "#address-cells", 2);
    cell(t, "#size-cells", 2);
    text(t, "compatible", "simple-bus");
    flag(t, "ranges");
    rtc(t);
    serial(t);
    test(t);
    virtio(t);
    plic(t);
    if (t->c->aclint)
        aclint(t);
    else
        clint(t);
    end(t);
}

static void root(struct tree *t)
{
    begin(t, "");
    cell(t, "#address-cells", 2);
    cell(t, "#size-cells", 2);
    text(t, "compatible", "riscv-virtio");
    text(t, "model", "riscv-virtio,qemu");
    syscon(t, "poweroff", 0x5555, "syscon-poweroff");
    syscon(t, "reboot", 0x7777, "syscon-reboot");
    platform_bus(t);
    memory(t);
    cpus(t);
    pmu(t);
    fw_cfg(t);
    flash(t);
    begin(t, "aliases");
    text(t, "serial0", "/soc/serial@10000000");
    end(t);
    chosen(t);
    soc(t);
    end(t);
}

/* Takes over a blob of libfdt's as the new content of dtb, packed. */
static void adopt(struct buf *dtb, void *blob)
{
    int rc = fdt_pack(blob);
    assert(rc == 0);
    buf_clear(dtb);
    buf_add(dtb, blob, fdt_totalsize(blob));
    free(blob);
}

static int set_chosen(void *blob, const char *bootargs, uint64_t start,
                      uint64_t stop)
{
    int node = fdt_path_offset(blob, "/chosen");
    if (node == -FDT_ERR_NOTFOUND)
        node = fdt_add_subnode(blob, 0, "chosen");
    int rc = node < 0 ? node : 0;
    if (!rc && start != stop)
        rc = fdt_setprop_u64(blob, node, "linux,initrd-start", start);
    if (!rc && start != stop)
        rc = fdt_setprop_u64(blob, node, "linux,initrd-end", stop);
    if (!rc && bootargs && *bootargs)
        rc = fdt_setprop_string(blob, node, "bootargs", bootargs);
    return rc;
}

void fdt_build(const struct virt_config *c, struct buf *out)
{
    assert(c->harts >= 1 && c->harts <= 64);
    size_t per_hart = strlen(c->isa) + c->isa_list_len + 1024;
    int size = (int)(16384 + (size_t)c->harts * per_hart);
    struct tree t = { xcalloc(1, (size_t)size), c };
    int rc = fdt_create(t.dtb, size);
    assert(rc == 0);
    rc = fdt_finish_reservemap(t.dtb);
    assert(rc == 0);
    root(&t);
    rc = fdt_finish(t.dtb);
    assert(rc == 0);
    adopt(out, t.dtb);
}

/*
 * Does each tag lead on to a later one? A property's length may be such that
 * adding it wraps around, and libfdt 1.6 then looks at one tag forever.
 */
static int check_tags(const void *dtb, size_t len)
{
    int rc = fdt_check_header(dtb), next = 0, at;
    uint32_t tag = FDT_NOP;
    if (!rc && fdt_totalsize(dtb) > len)
        rc = -FDT_ERR_TRUNCATED;
    while (!rc && tag != FDT_END) {
        at = next;
        tag = fdt_next_tag(dtb, at, &next);
        if (tag != FDT_END && next <= at)
            rc = -FDT_ERR_BADSTRUCTURE;
    }
    return rc;
}

/*
 * Formats before 16 (2005) had no names of their own in nodes; fdt_check_full
 * of libfdt 1.6 falls over one without a slash.
 */
bool fdt_accept(struct buf *dtb, struct err *err)
{
    enum { OLDEST_VERSION = 16 };
    int rc = -FDT_ERR_TRUNCATED;
    if (dtb->len >= sizeof(struct fdt_header))
        rc = fdt_magic(dtb->data) == FDT_MAGIC ? 0 : -FDT_ERR_BADMAGIC;
    if (!rc && fdt_version(dtb->data) < OLDEST_VERSION)
        rc = -FDT_ERR_BADVERSION;
    if (!rc)
        rc = check_tags(dtb->data, dtb->len);
    if (!rc)
        rc = fdt_check_full(dtb->data, dtb->len);
    if (rc)
        return err_set(err, "not a device tree blob: %s", fdt_strerror(rc));
    return true;
}

bool fdt_choose(struct buf *dtb, const char *bootargs, uint64_t initrd_start,
                uint64_t initrd_end, struct err *err)
{
    size_t room = 256 + (bootargs ? strlen(bootargs) : 0);
    size_t size = fdt_totalsize(dtb->data) + room;
    void *blob = xcalloc(1, size);
    int rc = fdt_open_into(dtb->data, blob, (int)size);
    if (!rc)
        rc = set_chosen(blob, bootargs, initrd_start, initrd_end);
    if (rc) {
        free(blob);
        return err_set(err, "cannot write /chosen of the device tree: %s",
                       fdt_strerror(rc));
    }
    adopt(dtb, blob);
    return true;
}
