/* SPDX-License-Identifier: MIT */
/*
 * virtio.c - virtio-mmio slots.
 *
 * An empty slot answers with its magic number, version and vendor, so that
 * one device tree fits every machine; it ignores the size of an access and
 * whatever is written.
 *
 * Source: virtio 1.2, section 4.2.2.
 */
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum { SIZE = 0x200 };

enum { REG_MAGIC = 0x00, REG_VERSION = 0x04, REG_VENDOR = 0x0c };

enum {
    MAGIC = 0x74726976,  /* "virt" */
    VENDOR = 0x554d4551, /* "QEMU" */
};

struct slot {
    struct irq irq;
    uint64_t base;
    int number;
    bool legacy; /* version 1 */
    char padding[3];
};

static const struct field slot_fields[] = {
    HOST(struct slot, irq),     HOST(struct slot, base),
    HOST(struct slot, number),  HOST(struct slot, legacy),
    HOST(struct slot, padding), FIELDS_END,
};

static bool slot_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct slot *s = opaque;

    (void)size;
    *v = off == REG_MAGIC     ? MAGIC
         : off == REG_VERSION ? (s->legacy ? 1 : 2)
         : off == REG_VENDOR  ? VENDOR
                              : 0;
    return true;
}

static bool slot_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    (void)opaque, (void)off, (void)size, (void)v;
    return true;
}

static void slot_describe(void *opaque, struct buf *out)
{
    const struct slot *s = opaque;

    buf_printf(out,
               "gpio-out \"sysbus-irq\" 1\n"
               "format_transport_address = true\n"
               "force-legacy = %s\n"
               "ioeventfd = false\n"
               "mmio %016llx/%016x\n"
               "bus: virtio-mmio-bus.%d\n"
               "  type virtio-mmio-bus\n",
               s->legacy ? "true" : "false", (unsigned long long)s->base, SIZE,
               s->number);
}

static const struct mem_ops slot_ops = {
    .read = slot_read,
    .write = slot_write,
    .peek = slot_read,
    .sizes = MEM_1 | MEM_2 | MEM_4 | MEM_SPLIT8,
};

void virtio_slot_new(const struct board_rooms *r, int slot, uint64_t base,
                     bool legacy, struct irq irq)
{
    struct slot *s = xcalloc(1, sizeof *s);
    char *name = xasprintf("virtio-mmio%d", slot);

    *s = (struct slot){ irq, base, slot, legacy, { 0 } };
    mem_add_device(r->mem, "virtio-mmio", base, SIZE, &slot_ops, s);
    dev_add(r->devs,
            &(struct dev_info){ .name = name,
                                .type = "virtio-mmio",
                                .fields = slot_fields,
                                .size = sizeof *s,
                                .version = 1,
                                .describe = slot_describe,
                                .free = free },
            s);
    free(name);
}
