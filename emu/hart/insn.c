/* SPDX-License-Identifier: MIT */
/* insn.c - decode, straight from insn.def. The formats are in insn_fmt.h. */
#include "emu/hart/insn.h"

#include <assert.h>
#include <string.h>

#include "emu/hart/cpu.h"
#include "emu/hart/insn_fmt.h"

/* Rows that need two extensions name them in one word. */
enum { EXT_ZFA_D = EXT_COUNT, EXT_ZFA_ZFH, EXT_ZFHMIN_D, EXT_ZACAS_ZABHA };

static const uint8_t both[][2] = {
    [EXT_ZFA_D - EXT_COUNT] = { EXT_ZFA, EXT_D },
    [EXT_ZFA_ZFH - EXT_COUNT] = { EXT_ZFA, EXT_ZFH },
    [EXT_ZFHMIN_D - EXT_COUNT] = { EXT_ZFHMIN, EXT_D },
    [EXT_ZACAS_ZABHA - EXT_COUNT] = { EXT_ZACAS, EXT_ZABHA },
};

static bool have(const uint64_t *ext, unsigned e)
{
    if (e < EXT_COUNT)
        return ext_on(ext, e);
    const uint8_t *b = both[e - EXT_COUNT];
    return ext_on(ext, b[0]) && ext_on(ext, b[1]);
}

typedef bool format_fn(uint32_t w, struct insn *i);

static const struct row {
    const char *pattern;
    format_fn *format;
    uint16_t op;
    uint16_t ext;
} rows[] = {
#define INSN(name, pattern, format, operands, ext, flow)                       \
    { pattern, fmt_##format, OP_##name, EXT_##ext },
#define RVC(name, pattern, format, op, ext)                                    \
    { pattern, fmt_##format, OP_##op, EXT_##ext },
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

enum { ROWS = sizeof rows / sizeof rows[0] };

#define NEXT FLOW_NEXT
#define ENDS FLOW_ENDS
static const struct {
    const char *name, *operands;
    uint8_t flow;
    uint8_t ext;
} info[OP_COUNT] = {
    [OP_illegal] = { "illegal", "", ENDS, EXT_I },
    [OP_block_end] = { "block_end", "", ENDS, EXT_I },
#define INSN(name, pattern, format, operands, ext, flow)                       \
    [OP_##name] = { #name, operands, flow, EXT_##ext },
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
};

/*
 * A bucket holds the rows that one value of (major opcode, funct3) allows:
 * 256 for 32-bit words and, after those, 32 for compressed ones. Bucket b is
 * in_bucket[first[b]] up to in_bucket[first[b + 1]], rows in table order.
 */
enum { WIDE = 256, BUCKETS = WIDE + 32 };

static struct {
    uint32_t mask, match;
} code[ROWS];
static uint16_t first[BUCKETS + 1];
static uint16_t in_bucket[ROWS * 8];
static char names[OP_COUNT][20];

static uint32_t bucket_of(uint32_t w)
{
    if ((w & 3) == 3)
        return bits(w, 6, 2) | bits(w, 14, 12) << 5;
    return WIDE + (bits(w, 1, 0) | bits(w, 15, 13) << 2);
}

/* The smallest word that falls in bucket b. */
static uint32_t bucket_word(uint32_t b)
{
    if (b < WIDE)
        return 3 | bits(b, 4, 0) << 2 | bits(b, 7, 5) << 12;
    return bits(b, 1, 0) | bits(b, 4, 2) << 13;
}

static void read_pattern(size_t r)
{
    uint32_t mask = 0, match = 0, n = 0;

    for (const char *p = rows[r].pattern; *p; p++) {
        if (*p == ' ')
            continue;
        mask = mask << 1 | (*p != '.');
        match = match << 1 | (*p == '1');
        n++;
    }
    assert(n == ((match & 3) == 3 ? 32 : 16));
    code[r].mask = mask;
    code[r].match = match;
}

static bool row_falls_in(size_t r, uint32_t b)
{
    bool wide = (code[r].match & 3) == 3;
    uint32_t key = wide ? 0x707f : 0xe003;

    if (wide != (b < WIDE))
        return false;
    return !((bucket_word(b) ^ code[r].match) & code[r].mask & key);
}

static void name_ops(void)
{
    for (int op = 0; op < OP_COUNT; op++) {
        assert(strlen(info[op].name) < sizeof names[op]);
        memcpy(names[op], info[op].name, strlen(info[op].name) + 1);
        for (char *p = names[op]; *p; p++)
            if (*p == '_')
                *p = '.';
    }
}

void insn_init(void)
{
    size_t n = 0;

    for (size_t r = 0; r < ROWS; r++)
        read_pattern(r);
    for (uint32_t b = 0; b < BUCKETS; b++) {
        first[b] = (uint16_t)n;
        for (size_t r = 0; r < ROWS; r++)
            if (row_falls_in(r, b)) {
                assert(n < sizeof in_bucket / sizeof in_bucket[0]);
                in_bucket[n++] = (uint16_t)r;
            }
    }
    first[BUCKETS] = (uint16_t)n;
    name_ops();
}

static bool row_applies(const struct row *r, const uint64_t *ext)
{
    return have(ext, r->ext) && have(ext, info[r->op].ext);
}

struct insn insn_decode(uint32_t word, const uint64_t *ext)
{
    struct insn i = { .op = OP_illegal, .len = 4, .raw = word };
    uint32_t b = bucket_of(word);

    if (b >= WIDE) {
        i.len = 2;
        i.raw = word & 0xffff;
    }
    for (unsigned n = first[b]; n < first[b + 1]; n++) {
        const struct row *r = &rows[in_bucket[n]];

        if ((i.raw & code[in_bucket[n]].mask) != code[in_bucket[n]].match ||
            !row_applies(r, ext))
            continue;
        if (r->format(i.raw, &i))
            i.op = r->op;
        break;
    }
    return i;
}

const char *insn_name(enum op op) { return names[op]; }

const char *insn_operands(enum op op) { return info[op].operands; }

enum insn_flow insn_flow(enum op op) { return info[op].flow; }

bool insn_writes_fpr(enum op op)
{
    const char *o = info[op].operands;

    return !strncmp(o, "frd", 3) || !strncmp(o, "rm,frd", 6);
}
