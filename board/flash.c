/* SPDX-License-Identifier: MIT */
/*
 * flash.c - a bank of CFI01 flash: two x16 chips side by side, 32 MiB.
 *
 * While reading an array the bank is plain memory; a command turns it into a
 * device until "read array". A command goes to both chips at once (its low
 * byte counts) and both answer, each in its half of the 32-bit bus. Writing
 * stores the value as it is, as in QEMU: unlike the chip's, it can set bits.
 *
 * What the guest writes stays in the machine's memory, where checkpoints see
 * it; the image file is never changed.
 *
 * Source: Intel StrataFlash (28FxxxJ3) data sheet; JEDEC JESD68.01 (CFI).
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

#include "board/devices.h"
#include "emu/bus/dev.h"
#include "emu/bus/mem.h"

enum {
    SIZE = 32 << 20,
    SECTOR = 256 << 10,
    BUFFER = 4096, /* bytes that one buffered write may touch, both chips */
    BANK_WIDTH = 4,
    ID_SPAN = 256 * BANK_WIDTH, /* the answer to READ_ID repeats */
    BOTH = 0x00010001,          /* times a chip's answer: that of both */
    NO_BUFFER = -1,
};

enum {
    READ_ARRAY = 0xff,
    PROGRAM = 0x40,
    PROGRAM_TOO = 0x10,
    ERASE = 0x20,
    CLEAR_STATUS = 0x50,
    LOCK = 0x60,
    READ_STATUS = 0x70,
    READ_ID = 0x90,
    CFI_QUERY = 0x98,
    WRITE_BUFFER = 0xe8,
    CONFIRM = 0xd0,
    LOCK_SET = 0x01,
    AMD_RESET = 0xf0,
};

enum {
    STATUS_READY = 0x80,
    STATUS_ERASE_ERROR = 0x20,
    STATUS_PROGRAM_ERROR = 0x10,
};

/* Where a command of more than one write has got to. */
enum {
    CYCLE_FIRST,
    CYCLE_SECOND,
    CYCLE_FILL, /* WRITE_BUFFER: the words */
    CYCLE_CONFIRM,
};

struct flash {
    uint64_t buffer_at; /* offset of buffer in the bank; NO_BUFFER */
    uint32_t left;      /* words that the buffer still waits for, less one */
    uint8_t command;    /* 0: reading the array */
    uint8_t cycle;
    uint8_t status;
    char padding;
    uint8_t buffer[BUFFER];
    struct mem_region *region;
    struct mem *mem;
    const char *name;
    uint64_t readonly;
};

static const struct field flash_fields[] = {
    STATE(struct flash, buffer_at),    STATE(struct flash, left),
    STATE(struct flash, command),      STATE(struct flash, cycle),
    STATE(struct flash, status),       HOST(struct flash, padding),
    STATE_ARRAY(struct flash, buffer), HOST(struct flash, region),
    HOST(struct flash, mem),           HOST(struct flash, name),
    HOST(struct flash, readonly),      FIELDS_END,
};

/* Each chip: 128 blocks of 128 KiB. JESD68.01, tables 1 to 4. */
static const uint8_t cfi[0x52] = {
    [0x10] = 'Q',  'R',  'Y',
    [0x13] = 0x01, 0x00, /* Intel's extended command set */
    [0x15] = 0x31, 0x00, /* its table, below */
    [0x1b] = 0x45, 0x55, /* Vcc: 4.5 to 5.5 V */
    [0x1f] = 0x07, 0x07, 0x0a,
    0x00, /* typical times, 2^n us or ms */
    [0x23] = 0x04, 0x04, 0x04,
    0x00,                /* the longest, 2^n times typical */
    [0x27] = 24,         /* 2^24 bytes */
    [0x28] = 0x02, 0x00, /* x8 or x16 */
    [0x2a] = 0x0b, 0x00, /* 2^11 bytes of write buffer */
    [0x2c] = 0x01,       /* one region of equal blocks */
    [0x2d] = 127,  0,    /* their number less one */
    [0x2f] = 0x00, 0x02, /* their size in units of 256 bytes */
    [0x31] = 'P',  'R',  'I',
    '1',           '0',  [0x3f] = 0x01, /* protection fields */
};

static const uint8_t id[2] = { 0x89, 0x18 }; /* maker, device */

/* Reading -------------------------------------------------------------------*/

/* What both chips say at off, a table's byte in each half of the bus. */
static uint64_t both(const uint8_t *table, size_t n, uint64_t off)
{
    uint64_t at = off / BANK_WIDTH;

    return at < n ? (uint64_t)table[at] * BOTH : 0;
}

static bool flash_read(void *opaque, uint64_t off, unsigned size, uint64_t *v)
{
    const struct flash *f = opaque;

    if (f->command == 0) { /* only if a saved state is damaged */
        *v = 0;
        memcpy(v, f->region->host + off, size);
    } else if (f->command == READ_ID) {
        *v = both(id, sizeof id, off % ID_SPAN);
    } else if (f->command == CFI_QUERY) {
        *v = both(cfi, sizeof cfi, off);
    } else {
        *v = (uint64_t)f->status * (size > 2 ? BOTH : 1);
    }
    return true;
}

/* Programming ---------------------------------------------------------------*/

static void enter(struct flash *f, uint8_t command, uint8_t cycle)
{
    f->command = command;
    f->cycle = cycle;
    mem_set_romd(f->region, command == 0);
}

static void read_array(struct flash *f)
{
    f->buffer_at = (uint64_t)NO_BUFFER;
    enter(f, 0, CYCLE_FIRST);
}

static void store(struct flash *f, uint64_t off, const void *data, size_t len)
{
    mem_before_write(f->mem, f->region, f->region->base + off, len);
    memcpy(f->region->host + off, data, len);
}

static void erase(struct flash *f, uint64_t off)
{
    uint64_t at = off & -(uint64_t)SECTOR;

    if (f->readonly) {
        f->status |= STATUS_ERASE_ERROR;
        return;
    }
    mem_before_write(f->mem, f->region, f->region->base + at, SECTOR);
    memset(f->region->host + at, 0xff, SECTOR);
}

static void program(struct flash *f, uint64_t off, unsigned size, uint64_t v)
{
    f->status |= STATUS_READY;
    f->cycle = CYCLE_FIRST;
    if (f->readonly)
        f->status |= STATUS_PROGRAM_ERROR;
    else
        store(f, off, &v, size);
}

/* The buffer is filled from the array first; all words must fall into it. */
static void fill(struct flash *f, uint64_t off, unsigned size, uint64_t v)
{
    if (f->buffer_at >= SIZE) {
        f->buffer_at = off & -(uint64_t)BUFFER;
        memcpy(f->buffer, f->region->host + f->buffer_at, BUFFER);
    }
    f->status |= STATUS_READY;
    if (f->readonly || off - f->buffer_at > BUFFER - size)
        f->status |= STATUS_PROGRAM_ERROR;
    else
        memcpy(f->buffer + (off - f->buffer_at), &v, size);
    if (f->left-- == 0)
        f->cycle = CYCLE_CONFIRM;
}

static void flush_buffer(struct flash *f)
{
    if (f->buffer_at <= SIZE - BUFFER)
        store(f, f->buffer_at, f->buffer, BUFFER);
    f->buffer_at = (uint64_t)NO_BUFFER;
    f->status |= STATUS_READY;
    f->cycle = CYCLE_FIRST;
}

static void unknown(struct flash *f, uint64_t off, uint64_t v)
{
    log_guest("%s: 0x%llx written to 0x%llx is no command here (0x%x, %u)",
              f->name, (unsigned long long)v, (unsigned long long)off,
              f->command, f->cycle);
    read_array(f);
}

static void first_write(struct flash *f, uint64_t off, uint64_t v)
{
    uint8_t command = (uint8_t)v;

    switch (command) {
    case PROGRAM:
    case PROGRAM_TOO:
    case ERASE:
    case LOCK:
    case CFI_QUERY:
        enter(f, command, CYCLE_SECOND);
        break;
    case WRITE_BUFFER:
        f->status |= STATUS_READY;
        f->buffer_at = (uint64_t)NO_BUFFER;
        enter(f, command, CYCLE_SECOND);
        break;
    case READ_STATUS:
    case READ_ID:
        enter(f, command, CYCLE_FIRST);
        break;
    case CLEAR_STATUS:
        f->status = 0;
        read_array(f);
        break;
    case READ_ARRAY:
    case AMD_RESET:
    case 0:
        read_array(f);
        break;
    default:
        unknown(f, off, v);
    }
}

/* The write after ERASE, LOCK or CFI_QUERY. */
static void second_command(struct flash *f, uint64_t off, uint64_t v)
{
    uint8_t command = (uint8_t)v;
    bool confirmed =
        command == CONFIRM || (f->command == LOCK && command == LOCK_SET);

    if (command == READ_ARRAY) {
        read_array(f);
    } else if (f->command == CFI_QUERY) {
        first_write(f, off, v);
    } else if (confirmed) {
        f->status |= STATUS_READY;
        f->cycle = CYCLE_FIRST;
        if (f->command == ERASE)
            erase(f, off);
    } else {
        unknown(f, off, v);
    }
}

static void second_write(struct flash *f, uint64_t off, unsigned size,
                         uint64_t v)
{
    if (f->command == PROGRAM || f->command == PROGRAM_TOO) {
        program(f, off, size, v);
    } else if (f->command == WRITE_BUFFER) {
        f->left = (uint16_t)v; /* one chip's count */
        f->cycle = CYCLE_FILL;
    } else {
        second_command(f, off, v);
    }
}

static void confirm(struct flash *f, uint64_t off, uint64_t v)
{
    if ((uint8_t)v != CONFIRM)
        unknown(f, off, v);
    else if (f->status & STATUS_PROGRAM_ERROR)
        read_array(f);
    else
        flush_buffer(f);
}

static bool flash_write(void *opaque, uint64_t off, unsigned size, uint64_t v)
{
    struct flash *f = opaque;

    switch (f->cycle) {
    case CYCLE_SECOND:
        second_write(f, off, size, v);
        break;
    case CYCLE_FILL:
        fill(f, off, size, v);
        break;
    case CYCLE_CONFIRM:
        confirm(f, off, v);
        break;
    default:
        first_write(f, off, v);
    }
    return true;
}

/* The device ----------------------------------------------------------------*/

/* What was programmed stays: that is what flash is for. */
static void flash_reset(void *opaque)
{
    struct flash *f = opaque;

    f->status = STATUS_READY;
    f->left = 0;
    memset(f->buffer, 0, sizeof f->buffer);
    read_array(f);
}

static void flash_loaded(void *opaque)
{
    struct flash *f = opaque;

    mem_set_romd(f->region, f->command == 0);
}

static void flash_describe(void *opaque, struct buf *out)
{
    const struct flash *f = opaque;

    buf_printf(out,
               "drive = \"\"\n"
               "num-blocks = 128 (0x80)\n"
               "sector-length = 262144 (0x40000)\n"
               "width = 4 (0x4)\n"
               "device-width = 2 (0x2)\n"
               "max-device-width = 2 (0x2)\n"
               "big-endian = false\n"
               "secure = false\n"
               "id0 = 137 (0x89)\n"
               "id1 = 24 (0x18)\n"
               "id2 = 0 (0x0)\n"
               "id3 = 0 (0x0)\n"
               "name = \"%s\"\n"
               "old-multiple-chip-handling = false\n"
               "mmio ffffffffffffffff/%016x\n",
               f->name, SIZE);
}

static const struct mem_ops flash_ops = {
    .read = flash_read,
    .write = flash_write,
    .sizes = MEM_1 | MEM_2 | MEM_4 | MEM_SPLIT8,
};

void flash_new(const struct board_rooms *r, const char *name, uint64_t base,
               const void *image, uint64_t len, bool readonly)
{
    struct flash *f = xcalloc(1, sizeof *f);
    struct err err;

    f->mem = r->mem;
    f->name = name;
    f->readonly = readonly;
    f->region = mem_add_romd(r->mem, name, base, SIZE, &flash_ops, f, &err);
    if (!f->region)
        die("%s", err.text);
    if (image)
        memcpy(f->region->host, image, len < SIZE ? (size_t)len : SIZE);
    flash_reset(f);
    dev_add(r->devs,
            &(struct dev_info){ .name = name,
                                .type = "cfi.pflash01",
                                .fields = flash_fields,
                                .size = sizeof *f,
                                .version = 1,
                                .reset = flash_reset,
                                .loaded = flash_loaded,
                                .describe = flash_describe,
                                .free = free },
            f);
}
