/* SPDX-License-Identifier: MIT */
/*
 * csr.c - finding CSRs, and who may access them.
 *
 * What a CSR does is in csr_trap.c, csr_counters.c and csr_units.c.
 */
#include "emu/hart/csr.h"

#include <string.h>

#include "emu/hart/counters.h"
#include "emu/hart/csr_rows.h"
#include "emu/hart/fp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/mmu_walk.h"
#include "emu/hart/pmp.h"
#include "emu/hart/triggers.h"

enum {
    /* All exceptions but the ecall from M, which cannot come from below. */
    MEDELEG_BITS = 0x3ff | 1 << CAUSE_FETCH_PAGE | 1 << CAUSE_LOAD_PAGE |
                   1 << CAUSE_STORE_PAGE,
};

struct row {
    const char *name;
    csr_need_fn *needs;
    csr_get_fn *get; /* NULL: stored */
    csr_set_fn *set;
    uint64_t writable; /* stored */
    uint16_t number, member;
};

static const struct row rows[] = {
    { .name = NULL },
#define CSR(number, name, needs, get, set)                                     \
    { #name, csr_need_##needs, csr_get_##get, csr_set_##set, 0, number, 0 },
#define CSR_STORED(number, name, needs, member, writable)                      \
    { #name,                                                                   \
      csr_need_##needs,                                                        \
      NULL,                                                                    \
      NULL,                                                                    \
      writable,                                                                \
      number,                                                                  \
      offsetof(struct hart, member) },
#include "emu/hart/csr.def"
#undef CSR
#undef CSR_STORED
};

enum row_index {
    ROW_NONE,
#define CSR(number, name, ...)        ROW_##name,
#define CSR_STORED(number, name, ...) ROW_##name,
#include "emu/hart/csr.def"
#undef CSR
#undef CSR_STORED
    ROW_COUNT
};
_Static_assert(ROW_COUNT <= 256, "a row's index is a byte");

static const uint8_t row_of[4096] = {
#define CSR(number, name, ...)        [number] = ROW_##name,
#define CSR_STORED(number, name, ...) [number] = ROW_##name,
#include "emu/hart/csr.def"
#undef CSR
#undef CSR_STORED
};

static uint64_t *stored(struct hart *h, const struct row *r)
{
    return (uint64_t *)(void *)((char *)h + r->member);
}

static uint64_t get(const struct hart *h, const struct row *r)
{
    uint64_t v;

    if (r->get)
        return r->get(h, r->number);
    memcpy(&v, (const char *)h + r->member, sizeof v);
    return v;
}

static void set(struct hart *h, const struct row *r, uint64_t v)
{
    uint64_t *at = stored(h, r);

    if (r->set)
        r->set(h, r->number, v);
    else
        *at = (*at & ~r->writable) | (v & r->writable);
}

/* Access --------------------------------------------------------------------*/

/* mcounteren opens a counter to S, both mcounteren and scounteren to U. */
static bool counter_enabled(const struct hart *h, unsigned n)
{
    uint64_t open = h->priv == PRIV_M   ? UINT64_MAX
                    : h->priv == PRIV_S ? h->mcounteren
                                        : h->mcounteren & h->scounteren;

    return open >> n & 1;
}

/* Sections 12.1.11 (TVM), 3.1.6.6 (FS), 3.1.11 (counteren), Sstc. */
static bool allowed(const struct hart *h, unsigned number)
{
    switch (number) {
    case 0x001: /* fflags, frm, fcsr */
    case 0x002:
    case 0x003:
        return fp_enabled(h);
    case 0x180: /* satp */
        return h->priv == PRIV_M || !(h->mstatus & MSTATUS_TVM);
    case 0x14d: /* stimecmp */
        return h->priv == PRIV_M ||
               (h->menvcfg & MENVCFG_STCE && counter_enabled(h, 1));
    default:
        return (number & ~31u) != 0xc00 || counter_enabled(h, number & 31);
    }
}

static bool read_only(unsigned number) { return number >> 10 == 3; }

bool csr_exists(const struct hart *h, unsigned number)
{
    const struct row *r = number < 4096 ? &rows[row_of[number]] : rows;

    return r->name && r->needs(h, number);
}

bool csr_allowed(struct hart *h, unsigned number, bool write)
{
    return csr_exists(h, number) && (number >> 8 & 3) <= h->priv &&
           !(write && read_only(number)) && allowed(h, number);
}

bool csr_read(struct hart *h, unsigned number, uint64_t *v)
{
    return csr_allowed(h, number, false) && csr_peek(h, number, v);
}

bool csr_write(struct hart *h, unsigned number, uint64_t v)
{
    return csr_allowed(h, number, true) && csr_poke(h, number, v);
}

bool csr_peek(struct hart *h, unsigned number, uint64_t *v)
{
    if (!csr_exists(h, number))
        return false;
    *v = get(h, &rows[row_of[number]]);
    return true;
}

bool csr_poke(struct hart *h, unsigned number, uint64_t v)
{
    if (!csr_exists(h, number))
        return false;
    if (!read_only(number))
        set(h, &rows[row_of[number]], v);
    return true;
}

const char *csr_name(unsigned number)
{
    return number < 4096 ? rows[row_of[number]].name : NULL;
}

int csr_number(const char *name)
{
    for (size_t i = 1; i < ROW_COUNT; i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].number;
    return -1;
}

/* All of them at once ---------------------------------------------------------*/

void csr_changed(struct hart *h)
{
    counters_changed(h);
    pmp_changed(h); /* flushes the MMU, too */
    triggers_changed(h);
    csr_stimer_update(h);
    h->attention |= ATTN_IRQ;
}

void csr_reset(struct hart *h)
{
    h->mstatus &= ~(uint64_t)(MSTATUS_MIE | MSTATUS_MPRV);
    h->mcause = 0;
    h->menvcfg = 0;
    if (ext_on(h->cpu.ext, EXT_SVADU) && !ext_on(h->cpu.ext, EXT_SVADE))
        h->menvcfg = MENVCFG_ADUE;
    h->mip &= ~(UINT64_C(1) << IRQ_STI);
    h->reserved_addr = UINT64_MAX;
    pmp_reset(h);
    triggers_reset(h);
    csr_changed(h);
}
