/* SPDX-License-Identifier: MIT */
/* images.c - the files that were loaded, their symbols, the device tree. */
#include "emu/bus/images.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/bus/rom.h"
#include "emu/debug/hub.h"

static const struct image *nth(const struct machine *m, size_t n)
{
    return m->roms ? images_nth(roms_images(m->roms), n) : NULL;
}

bool debug_image(const struct machine *m, size_t n, struct debug_image *out)
{
    static const char *const roles[] = { [IMAGE_FIRMWARE] = "firmware",
                                         [IMAGE_KERNEL] = "kernel",
                                         [IMAGE_RAMDISK] = "ramdisk",
                                         [IMAGE_LOADER] = "loader" };
    const struct image *i = nth(m, n);

    if (!i)
        return false;
    *out = (struct debug_image){ i->path, roles[i->role], i->elf, i->segments };
    return true;
}

bool debug_segment(const struct machine *m, size_t image, size_t n,
                   struct debug_segment *out)
{
    const struct image *i = nth(m, image);
    const struct image_segment *g;

    if (!i || n >= i->segments)
        return false;
    g = &i->segment[n];
    *out = (struct debug_segment){ g->va, g->pa, g->size };
    return true;
}

int64_t debug_image_read(const struct machine *m, size_t image, uint64_t offset,
                         void *data, size_t len)
{
    const struct image *i = nth(m, image);

    errno = EBADF;
    return i ? image_read_at(i, offset, data, len) : -1;
}

int64_t debug_image_length(const struct machine *m, size_t image)
{
    const struct image *i = nth(m, image);

    errno = EBADF;
    return i ? image_length(i) : -1;
}

const char *debug_symbol(const struct machine *m, uint64_t addr,
                         uint64_t *offset)
{
    return m->roms ? images_symbol(roms_images(m->roms), addr, offset) : NULL;
}

void debug_fdt(const struct machine *m, struct buf *out)
{
    if (m->show_fdt)
        m->show_fdt(m->show_fdt_opaque, out);
}

/* Another firmware gets the kernel and its arguments elsewhere. */
static bool has_kernel(const struct machine *m)
{
    struct debug_image i;

    for (size_t n = 0; debug_image(m, n, &i); n++)
        if (strcmp(i.role, "kernel") == 0)
            return true;
    return false;
}

/* The device tree, and in *room how far it may reach: to the next blob. */
static const struct rom *find_fdt(const struct machine *m, uint64_t *room)
{
    const struct rom *r, *next;

    for (size_t n = 0; m->roms && (r = rom_nth(m->roms, n)); n++) {
        if (strcmp(r->name, "fdt") != 0)
            continue;
        next = rom_nth(m->roms, n + 1);
        *room = next ? next->addr - r->addr : UINT64_MAX;
        return r;
    }
    return NULL;
}

static int set_bootargs(void *blob, size_t room, const char *args)
{
    int chosen, rc = fdt_check_full(blob, room);

    if (!rc)
        rc = fdt_open_into(blob, blob, (int)room);
    chosen = rc ? rc : fdt_path_offset(blob, "/chosen");
    if (chosen < 0)
        return chosen;
    rc = fdt_setprop_string(blob, chosen, "bootargs", args);
    return rc ? rc : fdt_pack(blob);
}

/* Behind a device tree, too, there has to be memory. */
static bool put_fdt(struct machine *m, const struct rom *r, const void *blob,
                    uint64_t room, struct err *err)
{
    size_t size = fdt_totalsize(blob);
    void *there = xmalloc(size);
    bool fits = size <= room && debug_read(m, 0, DEBUG_PHYS, r->addr, there,
                                           size, NULL) == size;

    free(there);
    if (!fits)
        return err_set(err, "the device tree has no room for that");
    return debug_write(m, 0, DEBUG_PHYS, r->addr, blob, size, err) == size;
}

bool debug_bootargs(struct machine *m, const char *args, struct err *err)
{
    uint64_t room;
    const struct rom *r = find_fdt(m, &room);
    size_t size = r ? r->len + strlen(args) + 256 : 0;
    void *blob;
    bool ok = false;
    int rc;

    if (!r || !has_kernel(m))
        return err_set(err, "there is no kernel in memory to take arguments");
    blob = xcalloc(1, size);
    rom_read(m->roms, r, 0, blob, r->len);
    rc = set_bootargs(blob, size, args);
    if (rc)
        err_set(err, "cannot write the device tree: %s", fdt_strerror(rc));
    else
        ok = put_fdt(m, r, blob, room, err);
    free(blob);
    return ok;
}
