/* SPDX-License-Identifier: MIT */
/* chardev_mem.c - byte streams that end in memory: null, vc and ringbuf. */
#include <stdlib.h>
#include <string.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/log.h"
#include "emu/base/opts.h"

/* null and vc -------------------------------------------------------------- */

static bool null_open(struct chardev *c, struct opts *o, struct err *err)
{
    (void)o, (void)err;
    chardev_set_open(c, true);
    return true;
}

/* A window that nobody sees: there is no display. */
static bool vc_open(struct chardev *c, struct opts *o, struct err *err)
{
    static const char *const sizes[] = { "width", "height", "cols", "rows" };
    uint64_t v;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!opts_number(o, sizes[i], 0, &v, err))
            return false;
    return null_open(c, o, err);
}

static size_t null_write(struct chardev *c, const void *data, size_t len)
{
    (void)c, (void)data;
    return len;
}

const struct chardev_ops chardev_null = {
    .name = "null",
    .open = null_open,
    .write = null_write,
};

const struct chardev_ops chardev_vc = {
    .name = "vc",
    .open = vc_open,
    .write = null_write,
};

/* ringbuf ------------------------------------------------------------------ */

/* Keeps the last size bytes. Positions count for ever; size is a power of
 * two, so they fall on a byte by their low bits. */
struct ring {
    uint64_t size, written, taken;
    char bytes[];
};

static bool ring_open(struct chardev *c, struct opts *o, struct err *err)
{
    uint64_t size;

    if (!opts_size(o, "size", 65536, &size, err))
        return false;
    if (size == 0 || (size & (size - 1)) != 0)
        return err_set(err, "size of ringbuf chardev must be power of two");
    if (size > UINT64_C(1) << 30)
        return err_set(err, "size of ringbuf chardev must be at most 1 GiB");
    struct ring *r = xcalloc(1, sizeof *r + size);

    r->size = size;
    c->impl = r;
    chardev_set_open(c, true);
    return true;
}

static void ring_close(struct chardev *c)
{
    free(c->impl);
    c->impl = NULL;
}

static size_t ring_write(struct chardev *c, const void *data, size_t len)
{
    struct ring *r = c->impl;
    const char *p = data;

    for (size_t i = 0; i < len; i++)
        r->bytes[r->written++ & (r->size - 1)] = p[i];
    if (r->written - r->taken > r->size)
        r->taken = r->written - r->size;
    return len;
}

const struct chardev_ops chardev_ringbuf = {
    .name = "ringbuf",
    .open = ring_open,
    .close = ring_close,
    .write = ring_write,
};

/* QEMU's old name for it. */
const struct chardev_ops chardev_memory = {
    .name = "memory",
    .open = ring_open,
    .close = ring_close,
    .write = ring_write,
};

bool chardev_is_ring(const struct chardev *c)
{
    return c->ops->open == ring_open;
}

size_t chardev_ring_read(struct chardev *c, void *data, size_t size)
{
    struct ring *r = c->impl;
    char *p = data;
    size_t n = 0;

    while (n < size && r->taken < r->written)
        p[n++] = r->bytes[r->taken++ & (r->size - 1)];
    return n;
}
