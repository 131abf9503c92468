/* SPDX-License-Identifier: MIT */
/* virt.c - the virt board: which chip sits where on which wire. */
#include "board/virt.h"

#include <stdlib.h>
#include <string.h>

#include "emu/base/files.h"
#include "emu/base/log.h"

#include "board/boot.h"
#include "board/image.h"
#include "board/map.h"
#include "emu/bus/mem.h"

struct virt {
    struct board_rooms rooms;
    struct virt_config config;
    struct virt_wires wires;
    struct clint *clint;
    struct plic *plic;
    struct boot boot;
};

struct virt *virt_new(const struct board_rooms *r, struct roms *roms,
                      const struct virt_config *config,
                      const struct virt_wires *wires)
{
    struct virt *v = xcalloc(1, sizeof *v);
    v->rooms = *r;
    v->config = *config;
    v->wires = *wires;
    v->boot.config = &v->config;
    v->boot.roms = roms;
    return v;
}

void virt_free(struct virt *v)
{
    if (!v)
        return;
    boot_free(&v->boot);
    free(v);
}

void virt_add_clint(struct virt *v)
{
    const struct virt_wires *w = &v->wires;
    v->clint = clint_new(&v->rooms, virt_map[MAP_CLINT].base, v->config.harts,
                         w->msip, w->mtip, w->ssip, v->config.aclint);
}

bool virt_add_dram(struct virt *v, struct err *err)
{
    const struct map_slot *s = &virt_map[MAP_DRAM];
    return mem_add_ram(v->rooms.mem, s->name, s->base, v->config.ram_size,
                       MEM_RAM, err) != NULL;
}

void virt_add_mrom(struct virt *v)
{
    const struct map_slot *s = &virt_map[MAP_MROM];
    struct err err;
    if (!mem_add_ram(v->rooms.mem, s->name, s->base, s->size, MEM_ROM, &err))
        die("%s", err.text);
}

/* Where dynamic devices would be: an empty container, so accesses fault. */
static void add_platform_bus(struct virt *v)
{
    const struct map_slot *s = &virt_map[MAP_PLATFORM];
    mem_add_device(v->rooms.mem, s->name, s->base, s->size, NULL, NULL);
}

static void add_plic(struct virt *v)
{
    struct irq out[2 * 64];
    for (size_t h = 0; h < (size_t)v->config.harts; h++) {
        out[2 * h] = v->wires.meip[h];
        out[2 * h + 1] = v->wires.seip[h];
    }
    v->plic =
        plic_new(&v->rooms, virt_map[MAP_PLIC].base, v->config.harts, out);
}

static void add_virtio(struct virt *v)
{
    const struct map_slot *s = &virt_map[MAP_VIRTIO];
    for (int n = 0; n < VIRTIO_SLOTS; n++)
        virtio_slot_new(&v->rooms, n, s->base + (uint64_t)n * s->size,
                        v->config.virtio_legacy,
                        plic_irq(v->plic, SOURCE_VIRTIO + n));
}

/* What firmware asks of every machine; the rest of fw_cfg is in boot.c. */
static bool add_fwcfg(struct virt *v, struct err *err)
{
    enum { UUID = 0x02, NOGRAPHIC = 0x04, NB_CPUS = 0x05, BOOT_MENU = 0x0e };
    static const uint8_t zeros[16], fail_wait[4] = { 0xff, 0xff, 0xff, 0xff };
    const uint8_t cpus[2] = { (uint8_t)v->config.harts, 0 };
    struct fwcfg *f = fwcfg_new(&v->rooms, virt_map[MAP_FWCFG].base);
    v->boot.fwcfg = f;
    fwcfg_add(f, UUID, zeros, 16);
    fwcfg_add(f, NOGRAPHIC, (const uint8_t[]){ 1, 0 }, 2);
    fwcfg_add(f, NB_CPUS, cpus, sizeof cpus);
    fwcfg_add(f, BOOT_MENU, zeros, 2);
    return fwcfg_add_file(f, "bios-geometry", NULL, 0, err) &&
           fwcfg_add_file(f, "bootorder", NULL, 0, err) &&
           fwcfg_add_file(f, "etc/boot-fail-wait", fail_wait, 4, err);
}

static bool add_flash(struct virt *v, int bank, struct err *err)
{
    const struct map_slot *s = &virt_map[MAP_FLASH0 + bank];
    const char *path = v->config.pflash[bank];
    struct buf image = { 0 };
    bool ok = true;
    if (path && !files_read(v->config.files, path, &image, err)) {
        err_prefix(err, "Could not open '%s'", path);
        ok = false;
    } else if (path && image.len != s->size) {
        ok = err_set(err,
                     "device requires %llu bytes, pflash%d block backend "
                     "provides %zu bytes",
                     (unsigned long long)s->size, bank, image.len);
    }
    if (ok)
        flash_new(&v->rooms, s->name, s->base, image.data, image.len,
                  v->config.pflash_readonly[bank]);
    buf_free(&image);
    return ok;
}

bool virt_add_devices(struct virt *v, struct err *err)
{
    const struct board_rooms *r = &v->rooms;
    add_plic(v);
    add_platform_bus(v);
    if (!add_fwcfg(v, err))
        return false;
    finisher_new(r, virt_map[MAP_TEST].base, &v->wires.finisher);
    add_virtio(v);
    if (!uart_new(r, virt_map[MAP_UART].base, v->wires.serial0,
                  plic_irq(v->plic, SOURCE_UART), err))
        return false;
    rtc_new(r, virt_map[MAP_RTC].base, v->config.rtc_base_ns,
            plic_irq(v->plic, SOURCE_RTC));
    return add_flash(v, 0, err) && add_flash(v, 1, err);
}

bool virt_load(struct virt *v, const struct virt_loader *l, uint64_t *entry,
               struct err *err)
{
    return boot_extra(&v->boot, l, entry, err);
}

bool virt_fwcfg_file(struct virt *v, const char *name, const void *data,
                     uint32_t len, struct err *err)
{
    return fwcfg_add_file(v->boot.fwcfg, name, data, len, err);
}

bool virt_load_images(struct virt *v, struct err *err)
{
    return boot_load(&v->boot, err);
}

const void *virt_fdt(const struct virt *v, uint32_t *len)
{
    *len = (uint32_t)v->boot.fdt.len;
    return v->boot.fdt.data;
}

struct clint *virt_clint(struct virt *v) { return v->clint; }

void virt_show_irqs(const struct virt *v, struct buf *out)
{
    plic_show(v->plic, out);
}
