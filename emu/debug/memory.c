/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory as a debugger sees it: no faults, no side effects, and an
 * explanation where it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/bus/images.h"
#include "emu/bus/mem.h"
#include "emu/bus/rom.h"
#include "emu/debug/hub.h"
#include "emu/hart/hart.h"
#include "emu/hart/insn.h"
#include "emu/hart/mmu.h"
#include "emu/machine/run.h"
#include "emu/machine/timeline.h"

/* Pokes -------------------------------------------------------------------- */

bool poke(struct machine *m, const struct poke *p, const void *data, size_t len)
{
    char *bytes = xmalloc(sizeof *p + len);
    bool ok;

    memcpy(bytes, p, sizeof *p);
    if (len)
        memcpy(bytes + sizeof *p, data, len);
    timeline_poke(m);
    ok = tap_put(m->tap, m->debug->source, bytes, sizeof *p + len);
    free(bytes);
    return ok;
}

void poke_delivered(void *machine, const void *data, size_t len)
{
    struct machine *m = machine;
    struct debug_hub *d = m->debug;
    struct poke p;

    if (len < sizeof p)
        return;
    memcpy(&p, data, sizeof p);
    switch (p.kind) {
    case POKE_MEM:
        mem_poke(m->mem, p.addr, (const char *)data + sizeof p, len - sizeof p);
        break;
    case POKE_REG:
        registers_write(m, (int)p.hart, (unsigned)p.addr, p.value);
        break;
    case POKE_IO_READ:
        d->io_ok = mem_read(m->mem, p.addr, p.size, &d->io_value, NULL);
        break;
    case POKE_IO_WRITE:
        d->io_ok = mem_write(m->mem, p.addr, p.size, p.value, NULL);
        break;
    }
}

/* Translation --------------------------------------------------------------- */

static void from_mmu(struct debug_walk *to, const struct mmu_walk *w)
{
    to->pa = w->pa;
    to->page_size = w->page_size;
    to->levels = w->levels;
    memcpy(to->pte_addr, w->pte_addr, sizeof to->pte_addr);
    memcpy(to->pte, w->pte, sizeof to->pte);
    to->fault = w->fault;
}

bool debug_translate(struct machine *m, int hart, uint64_t va,
                     struct debug_walk *out)
{
    struct mmu_walk w = { 0 };
    bool ok;

    memset(out, 0, sizeof *out);
    out->fault = "there is no hart yet";
    if (hart < 0 || hart >= m->harts)
        return false;
    ok = mmu_debug_walk(m->hart[hart], va, false, &w);
    from_mmu(out, &w);
    return ok;
}

/* Where the bytes at addr are; *fault: why there are none. */
static bool locate(struct machine *m, int hart, enum debug_space s,
                   uint64_t addr, uint64_t *pa, const char **fault)
{
    struct mmu_walk w = { 0 };
    bool found;

    *fault = "there is no memory there";
    *pa = addr;
    if (s == DEBUG_PHYS)
        return true;
    if (hart < 0 || hart >= m->harts)
        return false;
    found = mmu_debug_find(m->hart[hart], addr, &w);
    *pa = w.pa;
    if (w.fault)
        *fault = w.fault;
    return found;
}

/*
 * Before page tables are on a kernel's own addresses lead nowhere, but gdb
 * wants to see its code there. Reads find what was loaded for them.
 */
static bool as_loaded(const struct machine *m, int hart, enum debug_space s,
                      uint64_t addr, uint64_t *pa)
{
    return s == DEBUG_VIRT && hart >= 0 && hart < m->harts &&
           !m->hart[hart]->satp && !mem_find(m->mem, addr) &&
           images_physical(roms_images(m->roms), addr, pa);
}

static const char *mode_name(const struct machine *m, int hart)
{
    static const char *const names[] = { "U", "S", "?", "M" };

    if (hart < 0 || hart >= m->harts)
        return "?";
    return names[m->hart[hart]->priv & 3];
}

static void explain(struct machine *m, int hart, enum debug_space s,
                    uint64_t addr, const char *fault, struct err *err)
{
    static const char *const modes[16] = {
        [0] = "Bare", [8] = "Sv39", [9] = "Sv48", [10] = "Sv57"
    };
    uint64_t satp;

    if (s == DEBUG_PHYS || hart < 0 || hart >= m->harts) {
        err_set(err, "address 0x%llx: %s", (unsigned long long)addr, fault);
        return;
    }
    satp = m->hart[hart]->satp;
    err_set(err, "address 0x%llx not mapped: %s (hart%d, %s-mode, satp=%s)",
            (unsigned long long)addr, fault, hart, mode_name(m, hart),
            modes[satp >> 60] ? modes[satp >> 60] : "?");
}

/* Reading and writing ------------------------------------------------------- */

static size_t to_page_end(uint64_t addr, size_t len)
{
    size_t room = MEM_PAGE - addr % MEM_PAGE;

    return len < room ? len : room;
}

static bool is_device(struct machine *m, uint64_t pa)
{
    const struct mem_region *r = mem_find(m->mem, pa);

    return r && r->ops && !(r->kind == MEM_ROMD && r->romd);
}

static unsigned io_size(uint64_t pa, size_t len)
{
    unsigned size = 8;

    while (size > len || pa % size)
        size /= 2;
    return size;
}

/* Real accesses to a device, as wide as alignment allows. */
static size_t io_access(struct machine *m, uint64_t pa, void *get,
                        const void *put, size_t len)
{
    struct debug_hub *d = m->debug;
    size_t done = 0;

    while (done < len) {
        struct poke p = { .kind = put ? POKE_IO_WRITE : POKE_IO_READ,
                          .addr = pa + done };
        p.size = io_size(p.addr, len - done);
        if (put)
            memcpy(&p.value, (const char *)put + done, p.size);
        d->io_ok = false;
        if (!poke(m, &p, NULL, 0) || !d->io_ok)
            break;
        if (get)
            memcpy((char *)get + done, &d->io_value, p.size);
        done += p.size;
    }
    return done;
}

static size_t read_page(struct machine *m, uint64_t pa, void *data, size_t len)
{
    if (m->debug->io && is_device(m, pa))
        return io_access(m, pa, data, NULL, len);
    return mem_peek(m->mem, pa, data, len);
}

static size_t write_page(struct machine *m, uint64_t pa, const void *data,
                         size_t len)
{
    struct poke p = { .kind = POKE_MEM, .addr = pa };
    const struct mem_region *r = mem_find(m->mem, pa);

    if (is_device(m, pa))
        return m->debug->io ? io_access(m, pa, NULL, data, len) : 0;
    if (!r)
        return 0;
    if (len > r->base + r->size - pa)
        len = (size_t)(r->base + r->size - pa);
    return poke(m, &p, data, len) ? len : 0;
}

size_t debug_read(struct machine *m, int hart, enum debug_space s,
                  uint64_t addr, void *data, size_t len, struct err *err)
{
    size_t done = 0;

    while (m->mem && done < len) {
        const char *fault = "there is no memory there";
        size_t n = to_page_end(addr + done, len - done), got;
        uint64_t pa;

        got = as_loaded(m, hart, s, addr + done, &pa) ||
                      locate(m, hart, s, addr + done, &pa, &fault)
                  ? read_page(m, pa, (char *)data + done, n)
                  : 0;
        done += got;
        if (got < n) {
            explain(m, hart, s, addr + done, fault, err);
            break;
        }
    }
    if (!m->mem)
        err_set(err, "there is no memory yet");
    return done;
}

size_t debug_write(struct machine *m, int hart, enum debug_space s,
                   uint64_t addr, const void *data, size_t len, struct err *err)
{
    size_t done = 0;

    if (!m->mem || !m->tap) {
        err_set(err, "there is no memory yet");
        return 0;
    }
    if (tap_recorded(m->tap)) {
        err_set(err, "the machine replays a recording: it cannot be changed");
        return 0;
    }
    while (done < len) {
        const char *fault;
        size_t n = to_page_end(addr + done, len - done), got;
        uint64_t pa;

        got = locate(m, hart, s, addr + done, &pa, &fault)
                  ? write_page(m, pa, (const char *)data + done, n)
                  : 0;
        done += got;
        if (got < n) {
            explain(m, hart, s, addr + done, fault, err);
            break;
        }
    }
    return done;
}

bool debug_io(struct machine *m, int on)
{
    if (on >= 0)
        m->debug->io = on;
    return m->debug->io;
}

/* Maps ---------------------------------------------------------------------- */

bool debug_leaves(struct machine *m, int hart, debug_leaf_fn *fn, void *opaque)
{
    if (hart < 0 || hart >= m->harts)
        return false;
    return mmu_debug_leaves(m->hart[hart], fn, opaque);
}

bool debug_region(const struct machine *m, size_t n, struct debug_region *out)
{
    static const char *const types[] = { [MEM_RAM] = "ram",
                                         [MEM_ROM] = "rom",
                                         [MEM_ROMD] = "romd",
                                         [MEM_DEVICE] = "i/o" };
    const struct mem_region *r = m->mem ? mem_nth(m->mem, n) : NULL;

    if (!r)
        return false;
    *out = (struct debug_region){
        .name = r->name,
        .base = r->base,
        .size = r->size,
        .type = types[r->kind],
        .nested = r->nested,
        .host = r->kind == MEM_DEVICE ? NULL : r->host,
    };
    return true;
}

bool debug_rom(const struct machine *m, size_t n, struct debug_rom *out)
{
    const struct rom *r = m->roms ? rom_nth(m->roms, n) : NULL;
    const struct mem_region *in;

    if (!r)
        return false;
    in = mem_find(m->mem, r->addr);
    *out = (struct debug_rom){ r->name, r->addr, r->size,
                               in && in->kind == MEM_RAM };
    return true;
}

int debug_disas(struct machine *m, int hart, enum debug_space s, uint64_t addr,
                uint32_t *raw, char *text, size_t size)
{
    uint8_t bytes[4] = { 0 };
    struct insn i;

    if (!m->harts || debug_read(m, hart, s, addr, bytes, 2, NULL) < 2)
        return 0;
    if ((bytes[0] & 3) == 3 &&
        debug_read(m, hart, s, addr + 2, bytes + 2, 2, NULL) < 2)
        return 0;
    memcpy(raw, bytes, 4);
    i = insn_decode(*raw, m->hart[0]->cpu.ext);
    *raw = i.raw;
    insn_disas(text, size, addr, &i);
    return i.len;
}
