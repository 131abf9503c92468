/* SPDX-License-Identifier: MIT */
/*
 * csr_trap.c - CSRs of traps, interrupts, delegation and translation.
 *
 * Source: privileged manual, sections 3.1 (machine) and 12.1 (supervisor).
 */
#include "emu/hart/counters.h"
#include "emu/hart/csr_rows.h"
#include "emu/hart/mmu.h"
#include "emu/hart/mmu_walk.h"

enum {
    MSTATUS_BITS = SSTATUS_BITS | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP |
                   MSTATUS_MPRV | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR,
};

static bool on(const struct hart *h, enum ext e)
{
    return ext_on(h->cpu.ext, e);
}

static uint64_t merge(uint64_t old, uint64_t v, uint64_t bits)
{
    return (old & ~bits) | (v & bits);
}

NEED(always) { return true; }

SET(none) {}

/* mstatus, sstatus ----------------------------------------------------------*/

static void write_status(struct hart *h, uint64_t v, uint64_t bits)
{
    uint64_t old = h->mstatus;

    if (!on(h, EXT_F))
        bits &= ~(uint64_t)MSTATUS_FS;
    if ((v >> 11 & 3) == 2) /* there is no such privilege mode: MPP stays */
        bits &= ~(uint64_t)MSTATUS_MPP;
    h->mstatus = merge(old, v, bits);
    h->attention |= ATTN_IRQ;
    if ((old ^ h->mstatus) & MSTATUS_MXR)
        mmu_flush(h);
    else
        mmu_context_changed(h);
}

static uint64_t dirty(const struct hart *h)
{
    return (h->mstatus & MSTATUS_FS) == MSTATUS_FS ? MSTATUS_SD : 0;
}

GET(mstatus) { return h->mstatus | MSTATUS_UXL | MSTATUS_SXL | dirty(h); }

SET(mstatus) { write_status(h, v, MSTATUS_BITS); }

GET(sstatus) { return (h->mstatus & SSTATUS_BITS) | MSTATUS_UXL | dirty(h); }

SET(sstatus) { write_status(h, v, SSTATUS_BITS); }

GET(misa) { return cpu_misa(&h->cpu); }

/* Interrupts ----------------------------------------------------------------*/

static uint64_t lcofi(const struct hart *h)
{
    return on(h, EXT_SSCOFPMF) ? 1 << IRQ_LCOFI : 0;
}

static uint64_t s_interrupts(const struct hart *h)
{
    return 1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_SEI | lcofi(h);
}

GET(mideleg) { return h->mideleg; }

SET(mideleg)
{
    h->mideleg = v & s_interrupts(h);
    h->attention |= ATTN_IRQ;
}

static void write_ie(struct hart *h, uint64_t v, uint64_t bits)
{
    h->mie = merge(h->mie, v, bits);
    h->attention |= ATTN_IRQ;
}

GET(mie) { return h->mie; }

SET(mie)
{
    write_ie(h, v,
             s_interrupts(h) | 1 << IRQ_MSI | 1 << IRQ_MTI | 1 << IRQ_MEI);
}

GET(sie) { return h->mie & h->mideleg; }

SET(sie) { write_ie(h, v, h->mideleg); }

static void write_ip(struct hart *h, uint64_t v, uint64_t bits)
{
    h->mip = merge(h->mip, v, bits);
    h->attention |= ATTN_IRQ;
}

GET(mip) { return csr_mip(h); }

/* STIP is the comparison's result while menvcfg.STCE is set. */
SET(mip)
{
    uint64_t bits = s_interrupts(h);

    if (h->menvcfg & MENVCFG_STCE)
        bits &= ~(UINT64_C(1) << IRQ_STI);
    write_ip(h, v, bits);
}

GET(sip) { return csr_mip(h) & h->mideleg; }

/* Of sip only SSIP and LCOFIP can be written. */
SET(sip) { write_ip(h, v, h->mideleg & (1 << IRQ_SSI | lcofi(h))); }

/* Vectors and return addresses ------------------------------------------------*/

/* Modes 2 and 3 are reserved: the register keeps its value. */
static void write_tvec(uint64_t *tvec, uint64_t v)
{
    if (!(v & 2))
        *tvec = v;
}

GET(mtvec) { return h->mtvec; }

SET(mtvec) { write_tvec(&h->mtvec, v); }

GET(stvec) { return h->stvec; }

SET(stvec) { write_tvec(&h->stvec, v); }

/* Instructions are aligned to 2 bytes with C, to 4 without. */
static uint64_t legal_epc(const struct hart *h, uint64_t v)
{
    return v & ~(on(h, EXT_ZCA) ? UINT64_C(1) : UINT64_C(3));
}

GET(mepc) { return h->mepc; }

SET(mepc) { h->mepc = legal_epc(h, v); }

GET(sepc) { return h->sepc; }

SET(sepc) { h->sepc = legal_epc(h, v); }

/* Environment configuration ---------------------------------------------------*/

static uint64_t envcfg_bits(const struct hart *h, uint64_t v)
{
    uint64_t bits = ENVCFG_FIOM;

    if (on(h, EXT_ZICBOM))
        bits |= ENVCFG_CBCFE;
    if (on(h, EXT_ZICBOM) && (v & ENVCFG_CBIE) != 2 << 4) /* reserved */
        bits |= ENVCFG_CBIE;
    if (on(h, EXT_ZICBOZ))
        bits |= ENVCFG_CBZE;
    return bits;
}

GET(menvcfg) { return h->menvcfg; }

SET(menvcfg)
{
    uint64_t bits = envcfg_bits(h, v), old = h->menvcfg;

    bits |= on(h, EXT_SSTC) ? MENVCFG_STCE : 0;
    bits |= on(h, EXT_SVPBMT) ? MENVCFG_PBMTE : 0;
    bits |= on(h, EXT_SVADU) ? MENVCFG_ADUE : 0;
    h->menvcfg = merge(old, v, bits);
    if ((old ^ h->menvcfg) & (MENVCFG_PBMTE | MENVCFG_ADUE))
        mmu_flush(h);
    if ((old ^ h->menvcfg) & MENVCFG_STCE) {
        h->mip &= ~(UINT64_C(1) << IRQ_STI);
        csr_stimer_update(h);
    }
}

GET(senvcfg) { return h->senvcfg; }

SET(senvcfg) { h->senvcfg = merge(h->senvcfg, v, envcfg_bits(h, v)); }

/* satp ------------------------------------------------------------------------*/

static bool has_mode(const struct hart *h, unsigned mode)
{
    return mode == 0 || (mode == 8 && h->cpu.sv39) ||
           (mode == 9 && h->cpu.sv48) || (mode == 10 && h->cpu.sv57);
}

GET(satp) { return h->satp; }

/* A mode that there is not: the whole write has no effect (12.1.11). */
SET(satp)
{
    if (!h->cpu.mmu || !has_mode(h, v >> 60) || v == h->satp)
        return;
    h->satp = v;
    mmu_satp_changed(h);
}
