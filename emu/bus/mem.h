/* SPDX-License-Identifier: MIT */
/*
 * mem.h - the physical address space: RAM, ROM and device windows.
 *
 * A region is RAM or ROM (host memory), a device window (functions), or both
 * (romd: reads go to host memory while it is on, writes always to the
 * device: flash). Regions do not overlap.
 *
 * Every write to RAM by anybody but a hart's fast path comes through here, so
 * pages that need attention (code was translated from it, a physical
 * watchpoint, not yet copied since the last checkpoint) are seen whoever
 * writes: hart, page-table walker, DMA, debugger.
 */
#ifndef EMU_BUS_MEM_H
#define EMU_BUS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_PAGE 4096u

struct mem;
struct err;

enum mem_kind { MEM_RAM, MEM_ROM, MEM_ROMD, MEM_DEVICE };

/* Access sizes a device answers to; others fault. */
enum {
    MEM_1 = 1,
    MEM_2 = 2,
    MEM_4 = 4,
    MEM_8 = 8,
    MEM_SPLIT8 = 16, /* 8 bytes are done as two of 4, low half first */
};

/*
 * off is from the region's start; size 1, 2, 4 or 8; values little-endian in
 * the low bytes. False: the access faults. peek is read without any side
 * effect, for debuggers; NULL: the region cannot be peeked.
 */
struct mem_ops {
    bool (*read)(void *opaque, uint64_t off, unsigned size, uint64_t *v);
    bool (*write)(void *opaque, uint64_t off, unsigned size, uint64_t v);
    bool (*peek)(void *opaque, uint64_t off, unsigned size, uint64_t *v);
    unsigned sizes; /* MEM_1 | MEM_2 ... for read and write */
};

struct mem_region {
    const char *name; /* as in `info mtree` */
    uint64_t base, size;
    enum mem_kind kind;
    bool romd;   /* MEM_ROMD: reads go straight to host now */
    bool nested; /* MEM_DEVICE: an empty container, shown in info mtree only */
    const struct mem_ops *ops; /* MEM_DEVICE, MEM_ROMD */
    void *opaque;
    uint8_t *host; /* MEM_RAM, MEM_ROM, MEM_ROMD */
    uint8_t *attn; /* one byte of MEM_ATTN_ bits per page; not MEM_DEVICE */
    struct mem *mem;
};

/* Why a page's writes must come through mem. */
enum {
    MEM_ATTN_CODE = 1,   /* instructions were decoded or translated from it */
    MEM_ATTN_COPY = 2,   /* not copied since the last checkpoint */
    MEM_ATTN_WATCH = 4,  /* a watchpoint on physical memory */
    MEM_ATTN_IMAGE = 8,  /* an image lies there that resets need: rom.h */
    MEM_ATTN_TABLE = 16, /* page-table entries that harts remember */
};

struct mem *mem_new(void);
void mem_free(struct mem *m);

/*
 * Adds a region and maps it. RAM and ROM get zeroed host memory, reserved
 * lazily (64 GiB cost nothing until touched). False if it cannot be had or
 * overlaps.
 */
struct mem_region *mem_add_ram(struct mem *m, const char *name, uint64_t base,
                               uint64_t size, enum mem_kind kind,
                               struct err *err);
/* Without ops it is a nested container: shown, but nothing answers there. */
struct mem_region *mem_add_device(struct mem *m, const char *name,
                                  uint64_t base, uint64_t size,
                                  const struct mem_ops *ops, void *opaque);
/* A MEM_ROMD region: RAM-like host memory with a device behind it. */
struct mem_region *mem_add_romd(struct mem *m, const char *name, uint64_t base,
                                uint64_t size, const struct mem_ops *ops,
                                void *opaque, struct err *err);
void mem_set_romd(struct mem_region *r, bool on); /* tells the listeners */

/* Do reads go to host memory, now? */
bool mem_reads_host(const struct mem_region *r);

/* The region that holds pa, or NULL; regions in order of address. */
const struct mem_region *mem_find(const struct mem *m, uint64_t pa);
const struct mem_region *mem_nth(const struct mem *m, size_t n);

/*
 * One access of 1, 2, 4 or 8 bytes, any alignment. False: an access fault
 * (nothing there, wrong size for the device, or past the region's end).
 * Devices see a misaligned access as aligned pieces. Writes to ROM are
 * ignored. *device, if not NULL, says whether a device was touched.
 */
bool mem_read(struct mem *m, uint64_t pa, unsigned size, uint64_t *v,
              bool *device);
bool mem_write(struct mem *m, uint64_t pa, unsigned size, uint64_t v,
               bool *device);

/*
 * Block transfers by devices; how many bytes were done before a hole. A
 * device window is a hole: no device reaches another one, or itself, this way.
 */
size_t mem_dma_read(struct mem *m, uint64_t pa, void *data, size_t len);
size_t mem_dma_write(struct mem *m, uint64_t pa, const void *data, size_t len);

/*
 * Tells of DMA that is about to touch a page with MEM_ATTN_WATCH. by: who does
 * it, the window that is being accessed, or what mem_master said; what it was
 * comes back. Harts' own accesses that cross a page are not DMA.
 */
typedef void mem_dma_fn(void *opaque, const char *by, uint64_t pa, size_t len,
                        bool write);
void mem_on_dma(struct mem *m, mem_dma_fn *fn, void *opaque);
const char *mem_master(struct mem *m, const char *by);

/* As mem_dma_read and mem_dma_write, by a hart and untold. */
size_t mem_get(struct mem *m, uint64_t pa, void *data, size_t len);
size_t mem_put(struct mem *m, uint64_t pa, const void *data, size_t len);

/*
 * A debugger's view: no side effects, ROM and flash writable. Stops at the
 * first byte that cannot be read; returns how many were done.
 */
size_t mem_peek(struct mem *m, uint64_t pa, void *data, size_t len);
size_t mem_poke(struct mem *m, uint64_t pa, const void *data, size_t len);

/*
 * Attention. mem_attend sets bits on the page at pa, if it has host memory;
 * from then on a write to the page first calls the listeners that have asked
 * for one of them. mem_unattend takes bits away. Setting bits that were not set
 * also calls the flush listeners: nobody keeps a way to write around them.
 */
typedef void mem_write_fn(void *opaque, uint64_t pa, size_t len);
typedef void mem_flush_fn(void *opaque, uint64_t pa, size_t len);

void mem_attend(struct mem *m, uint64_t pa, unsigned bits);
void mem_unattend(struct mem *m, uint64_t pa, unsigned bits);
unsigned mem_attention(const struct mem *m, uint64_t pa);
void mem_on_write(struct mem *m, unsigned bits, mem_write_fn *fn, void *opaque);

/* fn: forget host pointers into [pa, pa+len); len 0 means all of them. */
void mem_on_flush(struct mem *m, mem_flush_fn *fn, void *opaque);

/*
 * For who sets bits on many pages at once, in a region's attn itself: calls
 * the flush listeners for all of memory, afterwards.
 */
void mem_flush(struct mem *m);

/* Calls the write listeners if a page in [pa, pa+len) asks for it. */
void mem_before_write(struct mem *m, const struct mem_region *r, uint64_t pa,
                      size_t len);

#endif
