/* SPDX-License-Identifier: MIT */
/*
 * csr_counters.c - CSRs of counters and time, Sstc among them.
 *
 * Source: privileged manual, sections 3.1.10-3.1.12, "Sstc", "Sscofpmf".
 */
#include "emu/base/loop.h"

#include "emu/hart/counters.h"
#include "emu/hart/csr_rows.h"
#include "emu/hart/mmu_walk.h"
#include "emu/hart/triggers.h"

/* The counter's number is in the low bits, the same in all ranges. */
static unsigned counter_of(unsigned number) { return number & 31; }

static uint64_t counter_mask(const struct hart *h)
{
    return h->cpu.pmu_mask | 7;
}

NEED(zicntr) { return ext_on(h->cpu.ext, EXT_ZICNTR); }

NEED(hpm) { return h->cpu.pmu_mask >> counter_of(number) & 1; }

NEED(zihpm) { return ext_on(h->cpu.ext, EXT_ZIHPM) && csr_need_hpm(h, number); }

NEED(sscofpmf) { return ext_on(h->cpu.ext, EXT_SSCOFPMF); }

NEED(sstc) { return ext_on(h->cpu.ext, EXT_SSTC); }

GET(counter) { return counter_read(h, counter_of(number)); }
SET(counter) { counter_write(h, counter_of(number), v); }

GET(mcounteren) { return h->mcounteren; }

SET(mcounteren) { h->mcounteren = v & counter_mask(h); }

GET(scounteren) { return h->scounteren; }

SET(scounteren) { h->scounteren = v & counter_mask(h); }

GET(mcountinhibit) { return h->mcountinhibit; }

/* There is no counter 1: time cannot be inhibited. */
SET(mcountinhibit) { counters_inhibit(h, v & counter_mask(h) & ~UINT64_C(2)); }

GET(mhpmevent) { return h->mhpmevent[counter_of(number) - COUNTER_HPM]; }

/* Sscofpmf: the byte on top is OF and the modes; those of H do not exist. */
SET(mhpmevent)
{
    if (ext_on(h->cpu.ext, EXT_SSCOFPMF))
        v &= ~(UINT64_C(15) << 56);
    counters_event(h, counter_of(number), v);
}

/* S sees the bits of counters it may read, M all. */
GET(scountovf)
{
    uint64_t bits = counters_overflowed(h);

    return h->priv == PRIV_M ? bits : bits & h->mcounteren;
}

/* Time ------------------------------------------------------------------------*/

static uint64_t now(const struct hart *h)
{
    return h->mtime ? h->mtime(h->mtime_opaque) : 0;
}

GET(time) { return now(h); }

void csr_stimer_update(struct hart *h)
{
    const uint64_t stip = UINT64_C(1) << IRQ_STI;

    if (!h->stimer)
        return;
    timer_del(h->stimer);
    if (!(h->menvcfg & MENVCFG_STCE))
        return;
    h->mip &= ~stip;
    if (now(h) >= h->stimecmp)
        h->mip |= stip;
    else if (h->mtime_to_ns)
        timer_set(h->stimer, h->mtime_to_ns(h->mtime_opaque, h->stimecmp));
    h->attention |= ATTN_IRQ;
}

void csr_stimer(void *hart) { csr_stimer_update(hart); }

GET(stimecmp) { return h->stimecmp; }

SET(stimecmp)
{
    h->stimecmp = v;
    csr_stimer_update(h);
}

/* Looking up after a number of steps --------------------------------------------*/

uint64_t csr_due(struct hart *h)
{
    uint64_t counters = counters_due(h), triggers = triggers_due(h);

    return counters < triggers ? counters : triggers;
}

void csr_look(struct hart *h)
{
    counters_look(h);
    triggers_look(h);
}
