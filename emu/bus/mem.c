/* SPDX-License-Identifier: MIT */
/* mem.c - the physical address space: RAM, ROM and device windows. */
#include "emu/bus/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "emu/base/log.h"

enum { LISTENERS = 72 }; /* one per hart (64) and a few for the machine */

struct write_listener {
    unsigned bits; /* MEM_ATTN_ bits that it wants to hear of */
    mem_write_fn *fn;
    void *opaque;
};

struct flush_listener {
    mem_flush_fn *fn;
    void *opaque;
};

/* Regions in order of address. */
struct region_list {
    struct mem_region **region;
    size_t n;
};

struct mem {
    struct region_list all;  /* nested containers too, for info mtree */
    struct region_list map;  /* those that answer: never overlapping */
    struct mem_region *last; /* the last one found */
    struct write_listener writers[LISTENERS];
    struct flush_listener flushers[LISTENERS];
    size_t n_writers, n_flushers;
    mem_dma_fn *dma;
    void *dma_opaque;
    const char *master; /* whose DMA it is; NULL: nobody has said */
};

/* Lists of regions ---------------------------------------------------------*/

static bool contains(const struct mem_region *r, uint64_t pa)
{
    return pa - r->base < r->size;
}

/* Index of the first region that starts above pa. */
static size_t upper_bound(const struct region_list *l, uint64_t pa)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (l->region[mid]->base <= pa)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void insert(struct region_list *l, struct mem_region *r)
{
    size_t at = upper_bound(l, r->base);

    l->region = xrealloc(l->region, (l->n + 1) * sizeof *l->region);
    memmove(l->region + at + 1, l->region + at,
            (l->n - at) * sizeof *l->region);
    l->region[at] = r;
    l->n++;
}

static struct mem_region *search(const struct mem *m, uint64_t pa)
{
    size_t at;

    if (m->last && contains(m->last, pa))
        return m->last;
    at = upper_bound(&m->map, pa);
    if (at == 0 || !contains(m->map.region[at - 1], pa))
        return NULL;
    return m->map.region[at - 1];
}

/* As search, and remembers it. */
static struct mem_region *find(struct mem *m, uint64_t pa)
{
    struct mem_region *r = search(m, pa);

    if (r)
        m->last = r;
    return r;
}

static const struct mem_region *overlapping(const struct mem *m, uint64_t base,
                                            uint64_t size)
{
    for (size_t i = 0; i < m->map.n; i++) {
        const struct mem_region *r = m->map.region[i];

        if (base <= r->base + (r->size - 1) && r->base <= base + (size - 1))
            return r;
    }
    return NULL;
}

/* Host memory ---------------------------------------------------------------*/

/* Zeroed pages that cost nothing before they are touched; if possible where
 * the guest has them, which is of use to translated code. */
static void *reserve(uint64_t base, uint64_t size)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    void *p = mmap((void *)(uintptr_t)base, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static uint64_t pages(uint64_t size)
{
    return size / MEM_PAGE + (size % MEM_PAGE != 0);
}

static bool reserve_host(struct mem_region *r, struct err *err)
{
    r->host = reserve(r->kind == MEM_RAM ? r->base : 0, r->size);
    r->attn = reserve(0, pages(r->size));
    if (r->host && r->kind == MEM_RAM) /* the host has a TLB, too */
        madvise(r->host, r->size, MADV_HUGEPAGE);
    if (r->host && r->attn)
        return true;
    return err_set(err, "cannot set up guest memory '%s': %" PRIu64 " bytes",
                   r->name, r->size);
}

static void free_region(struct mem_region *r)
{
    if (r->host)
        munmap(r->host, r->size);
    if (r->attn)
        munmap(r->attn, pages(r->size));
    free(r);
}

static uint64_t load_le(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    switch (size) {
    case 1:
        return *p;
    case 4:
        memcpy(&v, p, 4);
        return v;
    case 8:
        memcpy(&v, p, 8);
        return v;
    default:
        memcpy(&v, p, size);
        return v;
    }
}

static bool is_host(const struct mem_region *r)
{
    return r->kind == MEM_RAM || r->kind == MEM_ROM;
}

/* May reads take r's host memory as it is? */
bool mem_reads_host(const struct mem_region *r)
{
    return is_host(r) || (r->kind == MEM_ROMD && r->romd);
}

/* Device windows ------------------------------------------------------------*/

static unsigned min_size(unsigned sizes) { return sizes & -sizes; }

static unsigned max_size(unsigned sizes)
{
    return sizes & (MEM_8 | MEM_SPLIT8) ? 8
           : sizes & MEM_4              ? 4
           : sizes & MEM_2              ? 2
                                        : 1;
}

/* QEMU's texts (facts/cli.md section 4.1). */
static bool rejected(const char *what, const struct mem_region *r, uint64_t at,
                     unsigned size)
{
    log_to(LOG_INVALID_MEM,
           "Invalid %s at addr 0x%" PRIX64
           ", size %u, region '%s', reason: rejected\n",
           what, at, size, r ? r->name : "(null)");
    return false;
}

static bool wrong_size(const char *what, const struct mem_region *r,
                       uint64_t off, unsigned size)
{
    log_to(LOG_INVALID_MEM,
           "Invalid %s at addr 0x%" PRIX64 ", size %u, region '%s', reason: "
           "invalid size (min:%u max:%u)\n",
           what, off, size, r->name, min_size(r->ops->sizes),
           max_size(r->ops->sizes));
    return false;
}

static bool read_piece(const struct mem_region *r, uint64_t off, unsigned size,
                       uint64_t *v)
{
    const struct mem_ops *ops = r->ops;
    uint64_t high = 0;

    if (size == 8 && (ops->sizes & MEM_SPLIT8)) {
        if (!ops->read(r->opaque, off, 4, v) ||
            !ops->read(r->opaque, off + 4, 4, &high))
            return rejected("read", r, off, size);
        *v = (uint32_t)*v | high << 32;
        return true;
    }
    if (!(size & ops->sizes))
        return wrong_size("read", r, off, size);
    return ops->read(r->opaque, off, size, v) || rejected("read", r, off, size);
}

static bool write_piece(const struct mem_region *r, uint64_t off, unsigned size,
                        uint64_t v)
{
    const struct mem_ops *ops = r->ops;

    if (size == 8 && (ops->sizes & MEM_SPLIT8))
        return (ops->write(r->opaque, off, 4, (uint32_t)v) &&
                ops->write(r->opaque, off + 4, 4, v >> 32)) ||
               rejected("write", r, off, size);
    if (!(size & ops->sizes))
        return wrong_size("write", r, off, size);
    return ops->write(r->opaque, off, size, v) ||
           rejected("write", r, off, size);
}

/* The longest aligned piece with which an access of size at off begins. */
static unsigned piece_size(uint64_t off, unsigned size)
{
    uint64_t bits = size | off;

    return (unsigned)(bits & -bits);
}

static uint64_t low_bytes(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

/*
 * Devices see aligned accesses only: a misaligned one is done in aligned
 * pieces, lowest address first, as QEMU 10 does. So it works where the pieces'
 * sizes do (UART, fw_cfg data) and faults elsewhere.
 */
static bool device_read(const struct mem_region *r, uint64_t off, unsigned size,
                        uint64_t *v)
{
    uint64_t piece, got = 0;

    for (unsigned done = 0, n; done < size; done += n) {
        n = piece_size(off + done, size - done);
        piece = 0;
        if (!read_piece(r, off + done, n, &piece))
            return false;
        got |= (piece & low_bytes(n)) << (8 * done);
    }
    *v = got;
    return true;
}

static bool device_write(const struct mem_region *r, uint64_t off,
                         unsigned size, uint64_t v)
{
    for (unsigned done = 0, n; done < size; done += n) {
        n = piece_size(off + done, size - done);
        if (!write_piece(r, off + done, n, v >> (8 * done) & low_bytes(n)))
            return false;
    }
    return true;
}

/*
 * A debugger's read of any length, put together from aligned accesses of a
 * size that the device knows; done bytes of data are filled.
 */
static size_t device_peek(const struct mem_region *r, uint64_t off,
                          uint8_t *data, size_t len)
{
    unsigned sizes = r->ops->sizes & 15, n, skip, take;
    size_t done = 0;
    uint64_t v;

    if (!r->ops->peek)
        return 0;
    for (; done < len; done += take) {
        n = piece_size(off + done, 8);
        while (n > 1 && (!(n & sizes) || n > len - done))
            n /= 2;
        if (!(n & sizes))
            n = min_size(sizes);
        skip = (unsigned)((off + done) % n);
        if (!r->ops->peek(r->opaque, off + done - skip, n, &v))
            break;
        v >>= 8 * skip;
        take = n - skip < len - done ? n - skip : (unsigned)(len - done);
        memcpy(data + done, &v, take);
    }
    return done;
}

/* Block transfers -----------------------------------------------------------*/

/* How many of the len bytes at pa lie in r. */
static size_t within(const struct mem_region *r, uint64_t pa, size_t len)
{
    uint64_t left = r->size - (pa - r->base);

    return len < left ? len : (size_t)left;
}

static void store_host(struct mem *m, struct mem_region *r, uint64_t pa,
                       const void *data, size_t len)
{
    mem_before_write(m, r, pa, len);
    memcpy(r->host + (pa - r->base), data, len);
}

/* Pages that are watched, before DMA touches them. */
static void tell_dma(struct mem *m, uint64_t pa, size_t len, bool write)
{
    for (size_t n; m->dma && len > 0; pa += n, len -= n) {
        n = MEM_PAGE - pa % MEM_PAGE;
        n = n < len ? n : len;
        if (!search(m, pa))
            return;
        if (mem_attention(m, pa) & MEM_ATTN_WATCH)
            m->dma(m->dma_opaque, m->master ? m->master : "a device", pa, n,
                   write);
    }
}

void mem_on_dma(struct mem *m, mem_dma_fn *fn, void *opaque)
{
    m->dma = fn;
    m->dma_opaque = opaque;
}

const char *mem_master(struct mem *m, const char *by)
{
    const char *was = m->master;

    m->master = by;
    return was;
}

size_t mem_dma_read(struct mem *m, uint64_t pa, void *data, size_t len)
{
    tell_dma(m, pa, len, false);
    return mem_get(m, pa, data, len);
}

size_t mem_dma_write(struct mem *m, uint64_t pa, const void *data, size_t len)
{
    tell_dma(m, pa, len, true);
    return mem_put(m, pa, data, len);
}

size_t mem_get(struct mem *m, uint64_t pa, void *data, size_t len)
{
    size_t done = 0, n;

    for (; done < len; done += n) {
        const struct mem_region *r = find(m, pa + done);

        if (!r || !mem_reads_host(r))
            break;
        n = within(r, pa + done, len - done);
        memcpy((char *)data + done, r->host + (pa + done - r->base), n);
    }
    return done;
}

size_t mem_put(struct mem *m, uint64_t pa, const void *data, size_t len)
{
    size_t done = 0, n;

    for (; done < len; done += n) {
        struct mem_region *r = find(m, pa + done);

        if (!r || !is_host(r))
            break;
        n = within(r, pa + done, len - done);
        if (r->kind == MEM_RAM)
            store_host(m, r, pa + done, (const char *)data + done, n);
    }
    return done;
}

size_t mem_peek(struct mem *m, uint64_t pa, void *data, size_t len)
{
    size_t done = 0, n, got;

    for (; done < len; done += got) {
        const struct mem_region *r = search(m, pa + done);

        if (!r)
            break;
        n = within(r, pa + done, len - done);
        got = n;
        if (r->host)
            memcpy((char *)data + done, r->host + (pa + done - r->base), n);
        else
            got =
                device_peek(r, pa + done - r->base, (uint8_t *)data + done, n);
        if (got < n)
            return done + got;
    }
    return done;
}

size_t mem_poke(struct mem *m, uint64_t pa, const void *data, size_t len)
{
    size_t done = 0, n;

    for (; done < len; done += n) {
        struct mem_region *r = search(m, pa + done);

        if (!r || !r->host)
            break;
        n = within(r, pa + done, len - done);
        store_host(m, r, pa + done, (const char *)data + done, n);
    }
    return done;
}

/* Attention -----------------------------------------------------------------*/

static uint8_t *attention(const struct mem *m, uint64_t pa)
{
    const struct mem_region *r = search(m, pa);

    return r && r->attn ? &r->attn[(pa - r->base) / MEM_PAGE] : NULL;
}

static void flush(struct mem *m, uint64_t pa, size_t len)
{
    for (size_t i = 0; i < m->n_flushers; i++)
        m->flushers[i].fn(m->flushers[i].opaque, pa, len);
}

void mem_attend(struct mem *m, uint64_t pa, unsigned bits)
{
    uint8_t *a = attention(m, pa);

    if (!a || (*a & bits) == bits)
        return;
    *a |= (uint8_t)bits;
    flush(m, pa & -(uint64_t)MEM_PAGE, MEM_PAGE);
}

void mem_unattend(struct mem *m, uint64_t pa, unsigned bits)
{
    uint8_t *a = attention(m, pa);

    if (a)
        *a &= (uint8_t)~bits;
}

unsigned mem_attention(const struct mem *m, uint64_t pa)
{
    const uint8_t *a = attention(m, pa);

    return a ? *a : 0;
}

void mem_on_write(struct mem *m, unsigned bits, mem_write_fn *fn, void *opaque)
{
    assert(m->n_writers < LISTENERS);
    m->writers[m->n_writers++] = (struct write_listener){ bits, fn, opaque };
}

void mem_on_flush(struct mem *m, mem_flush_fn *fn, void *opaque)
{
    assert(m->n_flushers < LISTENERS);
    m->flushers[m->n_flushers++] = (struct flush_listener){ fn, opaque };
}

void mem_flush(struct mem *m) { flush(m, 0, 0); }

void mem_before_write(struct mem *m, const struct mem_region *r, uint64_t pa,
                      size_t len)
{
    size_t n;

    for (; len > 0; pa += n, len -= n) {
        uint64_t off = pa - r->base;
        unsigned bits = r->attn[off / MEM_PAGE];

        n = MEM_PAGE - off % MEM_PAGE;
        n = n < len ? n : len;
        for (size_t i = 0; bits && i < m->n_writers; i++)
            if (bits & m->writers[i].bits)
                m->writers[i].fn(m->writers[i].opaque, pa, n);
    }
}

/* Single accesses -----------------------------------------------------------*/

/* The region that holds all of [pa, pa+size). */
static struct mem_region *find_whole(struct mem *m, uint64_t pa, unsigned size,
                                     bool *device)
{
    struct mem_region *r = find(m, pa);

    if (device)
        *device = r && !is_host(r);
    if (!r || r->size - (pa - r->base) < size)
        return NULL;
    return r;
}

bool mem_read(struct mem *m, uint64_t pa, unsigned size, uint64_t *v,
              bool *device)
{
    const struct mem_region *r = find_whole(m, pa, size, device);

    *v = 0;
    if (!r)
        return rejected("read", NULL, pa, size);
    if (!mem_reads_host(r)) {
        const char *was = mem_master(m, r->name);
        bool ok = device_read(r, pa - r->base, size, v);

        mem_master(m, was);
        return ok;
    }
    *v = load_le(r->host + (pa - r->base), size);
    if (device)
        *device = false;
    return true;
}

bool mem_write(struct mem *m, uint64_t pa, unsigned size, uint64_t v,
               bool *device)
{
    struct mem_region *r = find_whole(m, pa, size, device);

    if (!r)
        return rejected("write", NULL, pa, size);
    if (!is_host(r)) {
        const char *was = mem_master(m, r->name);
        bool ok = device_write(r, pa - r->base, size, v);

        mem_master(m, was);
        return ok;
    }
    if (r->kind == MEM_RAM)
        store_host(m, r, pa, &v, size);
    return true;
}

/* Building the map ----------------------------------------------------------*/

struct mem *mem_new(void) { return xcalloc(1, sizeof(struct mem)); }

void mem_free(struct mem *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->all.n; i++)
        free_region(m->all.region[i]);
    free(m->all.region);
    free(m->map.region);
    free(m);
}

static struct mem_region *new_region(struct mem *m, const char *name,
                                     uint64_t base, uint64_t size,
                                     enum mem_kind kind)
{
    struct mem_region *r = xcalloc(1, sizeof *r);

    assert(size > 0 && base + (size - 1) >= base);
    *r = (struct mem_region){
        .name = name, .base = base, .size = size, .kind = kind, .mem = m
    };
    return r;
}

static struct mem_region *add_host(struct mem *m, struct mem_region *r,
                                   struct err *err)
{
    const struct mem_region *other = overlapping(m, r->base, r->size);

    if (other)
        err_set(err, "memory region '%s' overlaps '%s'", r->name, other->name);
    if (other || !reserve_host(r, err)) {
        free_region(r);
        return NULL;
    }
    insert(&m->all, r);
    insert(&m->map, r);
    return r;
}

struct mem_region *mem_add_ram(struct mem *m, const char *name, uint64_t base,
                               uint64_t size, enum mem_kind kind,
                               struct err *err)
{
    assert(kind == MEM_RAM || kind == MEM_ROM);
    return add_host(m, new_region(m, name, base, size, kind), err);
}

struct mem_region *mem_add_romd(struct mem *m, const char *name, uint64_t base,
                                uint64_t size, const struct mem_ops *ops,
                                void *opaque, struct err *err)
{
    struct mem_region *r = new_region(m, name, base, size, MEM_ROMD);

    r->romd = true;
    r->ops = ops;
    r->opaque = opaque;
    return add_host(m, r, err);
}

struct mem_region *mem_add_device(struct mem *m, const char *name,
                                  uint64_t base, uint64_t size,
                                  const struct mem_ops *ops, void *opaque)
{
    struct mem_region *r = new_region(m, name, base, size, MEM_DEVICE);

    r->ops = ops;
    r->opaque = opaque;
    r->nested = !ops;
    insert(&m->all, r);
    if (!r->nested) {
        assert(!overlapping(m, base, size));
        insert(&m->map, r);
    }
    return r;
}

void mem_set_romd(struct mem_region *r, bool on)
{
    assert(r->kind == MEM_ROMD);
    if (r->romd == on)
        return;
    r->romd = on;
    flush(r->mem, r->base, r->size);
}

const struct mem_region *mem_find(const struct mem *m, uint64_t pa)
{
    return search(m, pa);
}

const struct mem_region *mem_nth(const struct mem *m, size_t n)
{
    return n < m->all.n ? m->all.region[n] : NULL;
}
