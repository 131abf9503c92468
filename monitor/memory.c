/* SPDX-License-Identifier: MIT */
/* memory.c - memory and values: x, xp, p, sum, memsave, translations. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monitor/mon.h"

enum { CHUNK = 64 * 1024, TEXT_LIMIT = 128 };

/* Values ------------------------------------------------------------------ */

static void put_char(struct monitor *mon, unsigned char c)
{
    static const char plain[] = "'\\\n\r", spelt[] = "'\\nr";
    const char *e = c ? strchr(plain, c) : NULL;

    if (e)
        mon_print(mon, "'\\%c'", spelt[e - plain]);
    else if (c >= ' ' && c <= '~')
        mon_print(mon, "'%c'", c);
    else
        mon_print(mon, "'\\x%02x'", c);
}

void hmp_print(struct monitor *mon, const struct args *a)
{
    uint64_t v = arg_number(a, "val", 0);

    switch (a->format.letter) {
    case 'o':
        mon_print(mon, "%#" PRIo64 "\n", v);
        break;
    case 'x':
        mon_print(mon, "%#" PRIx64 "\n", v);
        break;
    case 'u':
        mon_print(mon, "%" PRIu64 "\n", v);
        break;
    case 'c':
        put_char(mon, (unsigned char)v);
        mon_print(mon, "\n");
        break;
    default:
        mon_print(mon, "%" PRId64 "\n", (int64_t)v);
        break;
    }
}

/* x and xp ---------------------------------------------------------------- */

/* text is a mnemonic, blanks, operands, perhaps a comment: QEMU's columns. */
static void put_columns(struct monitor *mon, const char *text)
{
    size_t name = strcspn(text, " \t");
    const char *rest = text + name + strspn(text + name, " \t");
    size_t operands = strcspn(rest, "#");
    const char *comment = rest + operands;

    while (*comment && operands > 0 && rest[operands - 1] == ' ')
        operands--;
    mon_print(mon, "%-24.*s", (int)name, text);
    if (*comment)
        mon_print(mon, "%-24.*s%s\n", (int)operands, rest, comment);
    else
        mon_print(mon, "%s\n", rest);
}

static void cannot_access(struct monitor *mon, uint64_t addr)
{
    mon_print(mon, "%016" PRIx64 ": Cannot access memory\n", addr);
}

bool mon_disas(struct monitor *mon, enum debug_space s, uint64_t *addr)
{
    char text[TEXT_LIMIT];
    uint32_t raw = 0;
    int len = debug_disas(mon->m, mon->hart, s, *addr, &raw, text, sizeof text);

    if (len == 0) {
        cannot_access(mon, *addr);
        return false;
    }
    mon_print(mon, "0x%08" PRIx64 ":  %0*" PRIx32 "%*s", *addr, 2 * len, raw,
              18 - 2 * len, "");
    put_columns(mon, text);
    *addr += (uint64_t)len;
    return true;
}

static void put_value(struct monitor *mon, char letter, const uint8_t *bytes,
                      unsigned size)
{
    unsigned bits = 8 * size;
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    mon_print(mon, " ");
    switch (letter) {
    case 'x':
        mon_print(mon, "0x%0*" PRIx64, (int)(2 * size), v);
        break;
    case 'o':
        mon_print(mon, "0%0*" PRIo64, (int)((bits + 2) / 3), v);
        break;
    case 'c':
        put_char(mon, (unsigned char)v);
        break;
    default: /* u and d alike: zero-extended, QEMU's width */
        mon_print(mon, "%*" PRIu64, (int)((bits * 10 + 32) / 33), v);
        break;
    }
}

static void dump(struct monitor *mon, enum debug_space s, struct format f,
                 uint64_t addr)
{
    size_t row = f.size == 1 ? 8 : 16;
    unsigned size = f.letter == 'c' ? 1 : f.size;
    uint64_t left;

    if (__builtin_mul_overflow(f.count, f.size, &left))
        left = UINT64_MAX;
    while (left > 0 && !mon_full(mon)) {
        uint8_t bytes[16];
        size_t n = left < row ? (size_t)left : row;

        if (debug_read(mon->m, mon->hart, s, addr, bytes, n, NULL) < n) {
            cannot_access(mon, addr);
            return;
        }
        mon_print(mon, "%016" PRIx64 ":", addr);
        for (size_t i = 0; i < n; i += size)
            put_value(mon, f.letter, bytes + i, size);
        mon_print(mon, "\n");
        addr += n;
        left -= n;
    }
}

static void examine(struct monitor *mon, enum debug_space s,
                    const struct args *a)
{
    uint64_t addr = arg_number(a, "addr", 0);
    uint64_t left = a->format.count;

    if (a->format.letter != 'i') {
        dump(mon, s, a->format, addr);
        return;
    }
    while (left-- > 0 && !mon_full(mon))
        if (!mon_disas(mon, s, &addr))
            return;
}

void hmp_x(struct monitor *mon, const struct args *a)
{
    examine(mon, DEBUG_VIRT, a);
}

void hmp_xp(struct monitor *mon, const struct args *a)
{
    examine(mon, DEBUG_PHYS, a);
}

/* Whole regions ----------------------------------------------------------- */

typedef bool chunk_fn(void *opaque, const uint8_t *data, size_t len,
                      struct err *err);

struct range {
    enum debug_space space;
    uint64_t addr, size;
};

/* Gives all of it to fn, piece by piece. */
static bool each_chunk(struct monitor *mon, struct range r, chunk_fn *fn,
                       void *opaque, struct err *err)
{
    static uint8_t data[CHUNK];

    while (r.size > 0) {
        size_t want = r.size < CHUNK ? (size_t)r.size : CHUNK;
        size_t got =
            debug_read(mon->m, mon->hart, r.space, r.addr, data, want, NULL);

        if (got > 0 && !fn(opaque, data, got, err))
            return false;
        if (got < want)
            return err_set(err, "Cannot access memory at 0x%" PRIx64,
                           r.addr + got);
        r.addr += got;
        r.size -= got;
    }
    return true;
}

static bool add_up(void *opaque, const uint8_t *data, size_t len,
                   struct err *err)
{
    uint16_t sum = *(uint16_t *)opaque;

    (void)err;
    for (size_t i = 0; i < len; i++) {
        sum = (uint16_t)(sum >> 1 | sum << 15);
        sum = (uint16_t)(sum + data[i]);
    }
    *(uint16_t *)opaque = sum;
    return true;
}

void hmp_sum(struct monitor *mon, const struct args *a)
{
    struct range r = { DEBUG_PHYS, arg_number(a, "start", 0),
                       arg_number(a, "size", 0) };
    uint16_t sum = 0;
    struct err err;

    if (each_chunk(mon, r, add_up, &sum, &err))
        mon_print(mon, "%05d\n", sum);
    else
        mon_error(mon, &err);
}

static bool write_failed(struct err *err)
{
    return err_set(err, "writing memory to file failed: %s", strerror(errno));
}

static bool write_out(void *opaque, const uint8_t *data, size_t len,
                      struct err *err)
{
    return fwrite(data, 1, len, opaque) == len || write_failed(err);
}

static void save(struct monitor *mon, enum debug_space s, const struct args *a)
{
    struct range r = { s, arg_number(a, "val", 0), arg_number(a, "size", 0) };
    const char *name = arg_text(a, "filename");
    struct err err;
    FILE *f = fopen(name, "wbe");
    bool ok;

    if (!f) {
        mon_print(mon, "Error: Could not open '%s': %s\n", name,
                  strerror(errno));
        return;
    }
    ok = each_chunk(mon, r, write_out, f, &err);
    if (fclose(f) != 0 && ok)
        ok = write_failed(&err);
    if (!ok)
        mon_error(mon, &err);
}

void hmp_memsave(struct monitor *mon, const struct args *a)
{
    save(mon, DEBUG_VIRT, a);
}

void hmp_pmemsave(struct monitor *mon, const struct args *a)
{
    save(mon, DEBUG_PHYS, a);
}

/* Translations ------------------------------------------------------------ */

void hmp_gva2gpa(struct monitor *mon, const struct args *a)
{
    struct debug_walk w;

    if (debug_translate(mon->m, mon->hart, arg_number(a, "addr", 0), &w))
        mon_print(mon, "gpa: 0x%" PRIx64 "\n", w.pa);
    else
        mon_print(mon, "Unmapped\n");
}

/* The innermost region that holds addr, in an order with parents first. */
static bool region_at(struct monitor *mon, uint64_t addr,
                      struct debug_region *out)
{
    struct debug_region r;
    bool found = false;

    for (size_t i = 0; debug_region(mon->m, i, &r); i++)
        if (addr - r.base < r.size) {
            *out = r;
            found = true;
        }
    return found;
}

void hmp_gpa2hva(struct monitor *mon, const struct args *a)
{
    uint64_t addr = arg_number(a, "addr", 0);
    struct debug_region r;

    if (!region_at(mon, addr, &r))
        mon_print(mon, "No memory is mapped at address 0x%" PRIx64 "\n", addr);
    else if (!r.host)
        mon_print(mon, "Memory at address 0x%" PRIx64 " is not RAM\n", addr);
    else
        mon_print(mon, "Host virtual address for 0x%" PRIx64 " (%s) is %p\n",
                  addr, r.name, (void *)(r.host + (addr - r.base)));
}

void hmp_walk(struct monitor *mon, const struct args *a)
{
    static const char letters[] = "vrwxugad";
    uint64_t va = arg_number(a, "addr", 0);
    struct debug_walk w = { 0 };
    bool mapped = debug_translate(mon->m, mon->hart, va, &w);

    for (int i = 0; i < w.levels; i++) {
        mon_print(mon, "level %d: pte at %016" PRIx64 " is %016" PRIx64 " ",
                  w.levels - 1 - i, w.pte_addr[i], w.pte[i]);
        for (int bit = 0; bit < 8; bit++)
            mon_print(mon, "%c", w.pte[i] >> bit & 1 ? letters[bit] : '-');
        mon_print(mon, "\n");
    }
    if (mapped)
        mon_print(mon, "gpa: 0x%" PRIx64 " (page of 0x%" PRIx64 " bytes)\n",
                  w.pa, w.page_size);
    else
        mon_print(mon, "Unmapped: %s\n", w.fault ? w.fault : "no translation");
}

void hmp_symbol(struct monitor *mon, const struct args *a)
{
    uint64_t addr = arg_number(a, "addr", 0), offset = 0;
    const char *name = debug_symbol(mon->m, addr, &offset);

    if (name)
        mon_print(mon, "0x%" PRIx64 " is %s+0x%" PRIx64 "\n", addr, name,
                  offset);
    else
        mon_print(mon, "No symbol of a loaded program is at 0x%" PRIx64 "\n",
                  addr);
}

void hmp_mem(struct monitor *mon, const struct args *a)
{
    const char *how = arg_text(a, "how");
    bool on = how && strcmp(how, "on") == 0;

    if (strcmp(arg_text(a, "what"), "io") != 0 ||
        (how && !on && strcmp(how, "off") != 0)) {
        mon_help_row(mon, "mem");
        return;
    }
    on = debug_io(mon->m, how ? on : -1);
    if (!how)
        mon_print(mon, "reads %s devices\n", on ? "reach" : "do not reach");
}
