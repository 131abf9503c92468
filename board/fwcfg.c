/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.c - QEMU's fw_cfg: items that the board tells firmware, by number,
 * and files, by name, read byte by byte or by DMA.
 *
 * Nothing here can be written: every write by DMA ends in an error, as in
 * QEMU for items without a device behind them.
 *
 * Source: QEMU's docs/specs/fw_cfg.rst.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum { DATA_SIZE = 8, SELECTOR = 8, SELECTOR_SIZE = 2, DMA = 16, DMA_SIZE = 8 };

enum {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_DIRECTORY = 0x19,
    KEY_FILES = 0x20,
    MAX_FILES = 32,
    KEYS = KEY_FILES + MAX_FILES,
    KEY_WRITE_CHANNEL = 0x4000, /* of old: means nothing */
    KEY_NONE = 0xffff,
    ID_TRADITIONAL = 1,
    ID_DMA = 2,
};

enum {
    CONTROL_ERROR = 1,
    CONTROL_READ = 2,
    CONTROL_SKIP = 4,
    CONTROL_SELECT = 8,
    CONTROL_WRITE = 16,
};

struct item {
    uint8_t *data;
    uint32_t len;
    char name[56]; /* of a file */
};

/* An entry of the directory, and the whole, as the guest reads them. */
struct entry {
    uint32_t size; /* big-endian */
    uint16_t key;  /* big-endian */
    uint16_t reserved;
    char name[56];
};

struct directory {
    uint32_t count; /* big-endian */
    struct entry entry[MAX_FILES];
};

/* A DMA request as it lies in guest memory; all big-endian. */
struct request {
    uint32_t control, length;
    uint64_t address;
};

struct fwcfg {
    uint64_t dma_addr; /* the half that was written, until the other is */
    uint32_t offset;   /* of the next byte of the selected item */
    uint16_t key;      /* selected; KEY_NONE */
    char padding[2];
    struct item item[KEYS];
    uint64_t files;
    struct mem *mem;
    uint64_t base;
};

static const struct field fwcfg_fields[] = {
    STATE(struct fwcfg, dma_addr),
    STATE(struct fwcfg, offset),
    STATE(struct fwcfg, key),
    HOST(struct fwcfg, padding),
    HOST(struct fwcfg, item),
    HOST(struct fwcfg, files),
    HOST(struct fwcfg, mem),
    HOST(struct fwcfg, base),
    FIELDS_END,
};

/* The selected item ---------------------------------------------------------*/

static void select_key(struct fwcfg *f, uint16_t key)
{
    key &= (uint16_t)~KEY_WRITE_CHANNEL;
    f->key = key < KEYS ? key : KEY_NONE;
    f->offset = 0;
}

/* What is left of it: *left bytes. */
static const uint8_t *rest(const struct fwcfg *f, uint32_t *left)
{
    const struct item *i = f->key < KEYS ? &f->item[f->key] : NULL;

    *left = i && f->offset < i->len ? i->len - f->offset : 0;
    return *left ? i->data + f->offset : NULL;
}

/* The first byte goes to the lowest address; past the end there are zeros. */
static bool data_peek(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    uint32_t left;
    const uint8_t *data = rest(opaque, &left);

    (void)off;
    *v = 0;
    if (data)
        memcpy(v, data, size < left ? size : left);
    return true;
}

static bool data_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    struct fwcfg *f = opaque;
    uint32_t left;

    data_peek(opaque, off, size, v);
    rest(f, &left);
    f->offset += size < left ? size : left;
    return true;
}

static bool data_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    (void)opaque, (void)off, (void)size, (void)v;
    log_guest("fw_cfg: items cannot be written");
    return true;
}

static bool selector_read(void *opaque, uint64_t off, unsigned size,
                          uint64_t *v)
{
    (void)opaque, (void)off, (void)size;
    *v = 0;
    return false;
}

static bool selector_write(void *opaque, uint64_t off, unsigned size,
                           uint64_t v)
{
    (void)off, (void)size;
    select_key(opaque, be16toh((uint16_t)v));
    return true;
}

/* DMA -----------------------------------------------------------------------*/

static bool write_zeros(struct mem *m, uint64_t at, uint64_t left)
{
    static const char zeros[MEM_PAGE];

    while (left > 0) {
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;

        if (mem_dma_write(m, at, zeros, n) < n)
            return false;
        at += n;
        left -= n;
    }
    return true;
}

/* Reads, or skips, length bytes of the item; behind its end are zeros. */
static bool transfer(struct fwcfg *f, bool read, uint64_t at, uint32_t length)
{
    uint32_t left, n;
    const uint8_t *data = rest(f, &left);

    n = length < left ? length : left;
    f->offset += n;
    if (!read)
        return true;
    return (n == 0 || mem_dma_write(f->mem, at, data, n) == n) &&
           write_zeros(f->mem, at + n, length - n);
}

/* Carries r out; the control word that answers it. */
static uint32_t perform(struct fwcfg *f, const struct request *r)
{
    uint32_t control = be32toh(r->control), length = be32toh(r->length);
    uint64_t address = be64toh(r->address);
    bool ok = true;

    if (control & CONTROL_SELECT)
        select_key(f, (uint16_t)(control >> 16));
    if (control & CONTROL_READ)
        ok = transfer(f, true, address, length);
    else if (control & CONTROL_WRITE)
        ok = length == 0;
    else if (control & CONTROL_SKIP)
        ok = transfer(f, false, address, length);
    return ok ? 0 : CONTROL_ERROR;
}

static void start_dma(struct fwcfg *f)
{
    uint64_t at = f->dma_addr;
    uint32_t control = CONTROL_ERROR;
    struct request r;

    f->dma_addr = 0;
    if (mem_dma_read(f->mem, at, &r, sizeof r) == sizeof r)
        control = perform(f, &r);
    if (control & CONTROL_ERROR)
        log_guest("fw_cfg: the DMA request at 0x%llx failed",
                  (unsigned long long)at);
    control = htobe32(control);
    mem_dma_write(f->mem, at, &control, sizeof control);
}

static bool dma_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    (void)opaque;
    *v = 0;
    memcpy(v, &"QEMU CFG"[off], size);
    return true;
}

/* 8 bytes at once, or the high 4, then the low 4: these start it. */
static bool dma_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct fwcfg *f = opaque;

    if (size < 4)
        return false;
    if (size == 8)
        f->dma_addr = be64toh(v);
    else if (off == 0)
        f->dma_addr = (uint64_t)be32toh((uint32_t)v) << 32;
    else
        f->dma_addr |= be32toh((uint32_t)v);
    if (off + size == DMA_SIZE)
        start_dma(f);
    return true;
}

/* The items -----------------------------------------------------------------*/

static void set_item(struct item *i, const void *data, uint32_t len)
{
    free(i->data);
    i->data = len ? xmalloc(len) : NULL;
    i->len = len;
    if (len)
        memcpy(i->data, data, len);
}

void fwcfg_add(struct fwcfg *f, uint16_t key, const void *data, uint32_t len)
{
    if (key < KEYS)
        set_item(&f->item[key], data, len);
}

static void write_directory(struct fwcfg *f)
{
    static struct directory d;

    memset(&d, 0, sizeof d);
    d.count = htobe32((uint32_t)f->files);
    for (uint64_t n = 0; n < f->files; n++) {
        const struct item *file = &f->item[KEY_FILES + n];

        d.entry[n].size = htobe32(file->len);
        d.entry[n].key = htobe16((uint16_t)(KEY_FILES + n));
        memcpy(d.entry[n].name, file->name, sizeof file->name);
    }
    fwcfg_add(f, KEY_DIRECTORY, &d, sizeof d);
}

bool fwcfg_add_file(struct fwcfg *f, const char *name, const void *data,
                    uint32_t len, struct err *err)
{
    struct item *first = &f->item[KEY_FILES], *at = first;

    if (strlen(name) >= sizeof at->name)
        return err_set(err, "fw_cfg file name '%s' is longer than %zu bytes",
                       name, sizeof at->name - 1);
    if (f->files == MAX_FILES)
        return err_set(err,
                       "there is no room for fw_cfg file '%s': "
                       "%d files are the most",
                       name, MAX_FILES);
    while (at < first + f->files && strcmp(at->name, name) < 0)
        at++;
    if (at < first + f->files && strcmp(at->name, name) == 0)
        return err_set(err, "duplicate fw_cfg file name: %s", name);
    memmove(at + 1, at, (size_t)(first + f->files - at) * sizeof *at);
    memset(at, 0, sizeof *at);
    memcpy(at->name, name, strlen(name));
    set_item(at, data, len);
    f->files++;
    write_directory(f);
    return true;
}

/* The device ----------------------------------------------------------------*/

static void fwcfg_reset(void *opaque)
{
    struct fwcfg *f = opaque;

    f->dma_addr = 0;
    select_key(f, KEY_SIGNATURE);
}

static void fwcfg_describe(void *opaque, struct buf *out)
{
    unsigned long long base = ((const struct fwcfg *)opaque)->base;

    buf_printf(out,
               "data_width = 8 (0x8)\n"
               "dma_enabled = true\n"
               "x-file-slots = %d (0x%x)\n"
               "acpi-mr-restore = true\n"
               "mmio %016llx/%016x\n"
               "mmio %016llx/%016x\n"
               "mmio %016llx/%016x\n",
               MAX_FILES, MAX_FILES, base + SELECTOR, SELECTOR_SIZE, base,
               DATA_SIZE, base + DMA, DMA_SIZE);
}

static void fwcfg_free(void *opaque)
{
    struct fwcfg *f = opaque;

    for (size_t i = 0; i < KEYS; i++)
        free(f->item[i].data);
    free(f);
}

static const struct mem_ops data_ops = {
    .read = data_read,
    .write = data_write,
    .peek = data_peek,
    .sizes = MEM_1 | MEM_2 | MEM_4 | MEM_8,
};

static const struct mem_ops selector_ops = {
    .read = selector_read,
    .write = selector_write,
    .sizes = MEM_2,
};

static const struct mem_ops dma_ops = {
    .read = dma_read,
    .write = dma_write,
    .peek = dma_read,
    .sizes = MEM_1 | MEM_2 | MEM_4 | MEM_8,
};

struct fwcfg *fwcfg_new(const struct board_rooms *r, uint64_t base)
{
    const uint32_t id = htole32(ID_TRADITIONAL | ID_DMA);
    struct fwcfg *f = xcalloc(1, sizeof *f);

    f->mem = r->mem;
    f->base = base;
    fwcfg_add(f, KEY_SIGNATURE, "QEMU", 4);
    fwcfg_add(f, KEY_ID, &id, sizeof id);
    write_directory(f);
    mem_add_device(r->mem, "fwcfg.data", base, DATA_SIZE, &data_ops, f);
    mem_add_device(r->mem, "fwcfg.ctl", base + SELECTOR, SELECTOR_SIZE,
                   &selector_ops, f);
    mem_add_device(r->mem, "fwcfg.dma", base + DMA, DMA_SIZE, &dma_ops, f);
    dev_add(r->devs,
            &(struct dev_info){ .name = "fw_cfg",
                                .type = "fw_cfg_mem",
                                .fields = fwcfg_fields,
                                .size = sizeof *f,
                                .version = 1,
                                .reset = fwcfg_reset,
                                .describe = fwcfg_describe,
                                .free = fwcfg_free },
            f);
    return f;
}
