/* SPDX-License-Identifier: MIT */
/*
 * pmp.c - physical memory protection, Smepmp included.
 *
 * Source: privileged manual, section 3.7, and chapter "Smepmp".
 */
#include "emu/hart/pmp.h"

#include "emu/hart/mmu.h"

/* pmpcfg, one byte per entry. Bits 5 and 6 read 0. */
enum {
    CFG_R = 1,
    CFG_W = 2,
    CFG_X = 4,
    CFG_A = 3 << 3,
    CFG_L = 1 << 7,
    CFG_BITS = CFG_R | CFG_W | CFG_X | CFG_A | CFG_L,
};
enum { A_OFF, A_TOR, A_NA4, A_NAPOT };

#define ADDR_BITS ((UINT64_C(1) << 54) - 1)

enum {
    R = ACCESS_READ,
    RW = ACCESS_READ | ACCESS_WRITE,
    X = ACCESS_EXEC,
    RX = ACCESS_READ | ACCESS_EXEC,
    RWX = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC,
};

/* Smepmp's truth table for mseccfg.MML = 1, by L and XWR. */
/* clang-format off */
static const uint8_t mml_m[2][8] = {
    /* ---  --R  -W-  -WR  X--  X-R  XW-  XWR */
    {    0,   0,  RW,   0,   0,   0,  RW,   0 },
    {    0,   R,   X,  RW,   X,  RX,  RX,   R },
};
static const uint8_t mml_su[2][8] = {
    {    0,   R,   R,  RW,   X,  RX,  RW, RWX },
    {    0,   0,   X,   0,   0,   0,   X,   R },
};
/* clang-format on */

static unsigned cfg_of(const struct hart *h, unsigned n)
{
    return h->pmpcfg[n / 8] >> (n % 8 * 8) & 0xff;
}

static unsigned mode_of(const struct hart *h, unsigned n)
{
    return cfg_of(h, n) >> 3 & 3;
}

/* What entry n gives to priv. */
static unsigned rights_of(const struct hart *h, unsigned n, unsigned priv)
{
    unsigned cfg = cfg_of(h, n), locked = cfg >> 7, bits = cfg & 7;

    if (h->mseccfg & MSECCFG_MML)
        return priv == PRIV_M ? mml_m[locked][bits] : mml_su[locked][bits];
    if (priv == PRIV_M && !locked)
        return RWX;
    return bits; /* the same order as ACCESS_ bits */
}

/* Where no entry matches. */
static unsigned default_rights(const struct hart *h, unsigned priv)
{
    if (priv != PRIV_M || h->mseccfg & MSECCFG_MMWP)
        return 0;
    return h->mseccfg & MSECCFG_MML ? RW : RWX;
}

unsigned pmp_rights(const struct hart *h, uint64_t pa, uint64_t size,
                    unsigned priv)
{
    uint64_t last = pa + size - 1;

    if (!h->cpu.pmp)
        return RWX;
    for (unsigned n = 0; n < PMP_ENTRIES; n++) {
        uint64_t lo = h->mmu.pmp_first[n], hi = h->mmu.pmp_last[n];

        if (pa > hi || last < lo)
            continue;
        /* An entry that matches only a part of it makes it fail. */
        return pa >= lo && last <= hi ? rights_of(h, n, priv) : 0;
    }
    return default_rights(h, priv);
}

bool pmp_allows(const struct hart *h, uint64_t pa, uint64_t size,
                unsigned access, unsigned priv)
{
    return (pmp_rights(h, pa, size, priv) & access) == access;
}

bool pmp_page_uniform(const struct hart *h, uint64_t pa)
{
    uint64_t first = pa & ~UINT64_C(0xfff), last = first | 0xfff;

    for (unsigned n = 0; h->cpu.pmp && n < PMP_ENTRIES; n++) {
        uint64_t lo = h->mmu.pmp_first[n], hi = h->mmu.pmp_last[n];

        if (first <= hi && last >= lo)
            return first >= lo && last <= hi;
    }
    return true;
}

/* The range of entry n as first and last byte; first > last: none. */
static void find_range(struct hart *h, unsigned n)
{
    uint64_t addr = h->pmpaddr[n], below = n ? h->pmpaddr[n - 1] : 0;
    uint64_t ones = addr ^ (addr + 1); /* the trailing ones and the 0 */
    uint64_t first = 1, last = 0;

    switch (mode_of(h, n)) {
    case A_TOR:
        if (addr > below) {
            first = below << 2;
            last = (addr << 2) - 1;
        }
        break;
    case A_NA4:
        first = addr << 2;
        last = first + 3;
        break;
    case A_NAPOT:
        first = (addr & ~ones) << 2;
        last = (addr | ones) << 2 | 3;
        break;
    default:
        break;
    }
    h->mmu.pmp_first[n] = first;
    h->mmu.pmp_last[n] = last;
}

void pmp_changed(struct hart *h)
{
    for (unsigned n = 0; n < PMP_ENTRIES; n++)
        find_range(h, n);
    mmu_flush(h);
}

static bool locked(const struct hart *h, unsigned n)
{
    return cfg_of(h, n) & CFG_L && !(h->mseccfg & MSECCFG_RLB);
}

/* With MML no rule may be added that lets M execute more. */
static bool adds_m_exec(const struct hart *h, unsigned cfg)
{
    return h->mseccfg & MSECCFG_MML && !(h->mseccfg & MSECCFG_RLB) &&
           cfg & CFG_L && mml_m[1][cfg & 7] & ACCESS_EXEC;
}

static unsigned legal_cfg(const struct hart *h, unsigned cfg)
{
    cfg &= CFG_BITS;
    /* R=0 W=1 is reserved where Smepmp does not give it a meaning. */
    if (!(h->mseccfg & MSECCFG_MML) && !(cfg & CFG_R))
        cfg &= ~(unsigned)CFG_W;
    return cfg;
}

void pmp_write_cfg(struct hart *h, unsigned n, uint64_t v)
{
    uint64_t before = h->pmpcfg[n];

    for (unsigned i = 0; i < 8; i++) {
        unsigned cfg = legal_cfg(h, v >> (8 * i) & 0xff);

        if (locked(h, 8 * n + i) || adds_m_exec(h, cfg))
            continue;
        h->pmpcfg[n] &= ~(UINT64_C(0xff) << (8 * i));
        h->pmpcfg[n] |= (uint64_t)cfg << (8 * i);
    }
    if (h->pmpcfg[n] != before)
        pmp_changed(h);
}

void pmp_write_addr(struct hart *h, unsigned n, uint64_t v)
{
    /* A locked TOR entry locks the address below it too. */
    if (locked(h, n) ||
        (n + 1 < PMP_ENTRIES && locked(h, n + 1) && mode_of(h, n + 1) == A_TOR))
        return;
    if (h->pmpaddr[n] == (v & ADDR_BITS))
        return;
    h->pmpaddr[n] = v & ADDR_BITS;
    pmp_changed(h);
}

static bool any_locked(const struct hart *h)
{
    const uint64_t l = UINT64_C(0x8080808080808080);

    return (h->pmpcfg[0] | h->pmpcfg[1]) & l;
}

void pmp_write_mseccfg(struct hart *h, uint64_t v)
{
    uint64_t sticky = h->mseccfg & (MSECCFG_MML | MSECCFG_MMWP);
    uint64_t rlb = v & MSECCFG_RLB;

    if (!(h->mseccfg & MSECCFG_RLB) && any_locked(h))
        rlb = 0;
    h->mseccfg = sticky | (v & (MSECCFG_MML | MSECCFG_MMWP)) | rlb;
    pmp_changed(h);
}

void pmp_reset(struct hart *h)
{
    const uint64_t al = UINT64_C(0x9898989898989898);

    h->pmpcfg[0] &= ~al;
    h->pmpcfg[1] &= ~al;
    h->mseccfg = 0;
    pmp_changed(h);
}
