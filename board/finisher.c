/* SPDX-License-Identifier: MIT */
/* finisher.c - SiFive test finisher: power off, fail with a code, reset. */
#include <stdlib.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum { SIZE = 0x1000 };

enum { PASS = 0x5555, FAIL = 0x3333, RESET = 0x7777 };

struct finisher {
    struct finisher_hooks hooks;
    uint64_t base;
};

static const struct field finisher_fields[] = {
    HOST(struct finisher, hooks),
    HOST(struct finisher, base),
    FIELDS_END,
};

static bool finisher_read(void *opaque, uint64_t off, unsigned size,
                          uint64_t *v)
{
    (void)opaque, (void)off, (void)size;
    *v = 0;
    return true;
}

/* The command is in the low half, its exit code in the high half. */
static bool finisher_write(void *opaque, uint64_t off, unsigned size,
                           uint64_t v)
{
    const struct finisher_hooks *hooks = &((struct finisher *)opaque)->hooks;
    unsigned command = v & 0xffff;
    int code = (int)(v >> 16 & 0xffff);

    (void)size;
    if (off == 0 && (command == PASS || command == FAIL))
        hooks->shutdown(hooks->opaque, command == FAIL, code);
    else if (off == 0 && command == RESET)
        hooks->reset(hooks->opaque);
    else
        log_guest("finisher: nothing happens when 0x%llx is written to 0x%llx",
                  (unsigned long long)v, (unsigned long long)off);
    return true;
}

static void finisher_describe(void *opaque, struct buf *out)
{
    const struct finisher *f = opaque;

    buf_printf(out, "mmio %016llx/%016x\n", (unsigned long long)f->base, SIZE);
}

static const struct mem_ops finisher_ops = {
    .read = finisher_read,
    .write = finisher_write,
    .peek = finisher_read,
    .sizes = MEM_2 | MEM_4,
};

void finisher_new(const struct board_rooms *r, uint64_t base,
                  const struct finisher_hooks *hooks)
{
    struct finisher *f = xcalloc(1, sizeof *f);

    f->hooks = *hooks;
    f->base = base;
    mem_add_device(r->mem, "riscv.sifive.test", base, SIZE, &finisher_ops, f);
    dev_add(r->devs,
            &(struct dev_info){ .name = "finisher",
                                .type = "riscv.sifive.test",
                                .fields = finisher_fields,
                                .size = sizeof *f,
                                .version = 1,
                                .describe = finisher_describe,
                                .free = free },
            f);
}
