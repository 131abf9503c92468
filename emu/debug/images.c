/* SPDX-License-Identifier: MIT */
/* images.c - the files that were loaded, and their symbols. */
#include "emu/bus/images.h"

#include <errno.h>

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
