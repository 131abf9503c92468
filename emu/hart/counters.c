/* SPDX-License-Identifier: MIT */
/*
 * counters.c - mcycle, minstret, mhpmcounter3..31 and Sscofpmf.
 *
 * mcycle counts steps, minstret those that were instructions. The events that
 * hpm counters know are these two: 1, cycles, and 2, instructions.
 *
 * Source: privileged manual, sections 3.1.10-3.1.12 and "Sscofpmf".
 */
#include "emu/hart/counters.h"

#include "emu/hart/csr.h"

/* mhpmevent with Sscofpmf. */
#define EVENT_OF   (UINT64_C(1) << 63)
#define EVENT_MINH (UINT64_C(1) << 62)
#define EVENT_SINH (UINT64_C(1) << 61)
#define EVENT_UINH (UINT64_C(1) << 60)

enum { EVENT_NONE, EVENT_CYCLES, EVENT_INSTRUCTIONS };

static bool has_filters(const struct hart *h)
{
    return ext_on(h->cpu.ext, EXT_SSCOFPMF);
}

/* What counter n counts: of enum EVENT_. */
static unsigned event_of(const struct hart *h, unsigned n)
{
    uint64_t event;

    if (n == COUNTER_CYCLE || n == COUNTER_INSTRET)
        return n == COUNTER_CYCLE ? EVENT_CYCLES : EVENT_INSTRUCTIONS;
    event = h->mhpmevent[n - COUNTER_HPM];
    if (has_filters(h))
        event &= ~(UINT64_C(0xff) << 56);
    return event <= EVENT_INSTRUCTIONS ? (unsigned)event : EVENT_NONE;
}

static uint64_t mode_bit(unsigned priv)
{
    return priv == PRIV_M   ? EVENT_MINH
           : priv == PRIV_S ? EVENT_SINH
                            : EVENT_UINH;
}

static bool runs(const struct hart *h, unsigned n, unsigned priv)
{
    if (h->mcountinhibit >> n & 1 || event_of(h, n) == EVENT_NONE)
        return false;
    return n < COUNTER_HPM || !has_filters(h) ||
           !(h->mhpmevent[n - COUNTER_HPM] & mode_bit(priv));
}

/* What counter n would be if it had always run; pending steps included. */
static uint64_t raw(const struct hart *h, unsigned n, unsigned pending)
{
    uint64_t steps = hart_steps(h) + pending;

    return event_of(h, n) == EVENT_CYCLES ? steps : steps - h->exceptions;
}

static const uint64_t *offset_of(const struct hart *h, unsigned n)
{
    return n == COUNTER_CYCLE     ? &h->mcycle_offset
           : n == COUNTER_INSTRET ? &h->minstret_offset
                                  : &h->hpm_offset[n - COUNTER_HPM];
}

static uint64_t value(const struct hart *h, unsigned n, unsigned priv,
                      unsigned pending)
{
    return *offset_of(h, n) + (runs(h, n, priv) ? raw(h, n, pending) : 0);
}

static void set_value(struct hart *h, unsigned n, unsigned priv,
                      unsigned pending, uint64_t v)
{
    uint64_t *offset = n == COUNTER_CYCLE     ? &h->mcycle_offset
                       : n == COUNTER_INSTRET ? &h->minstret_offset
                                              : &h->hpm_offset[n - COUNTER_HPM];

    *offset = v - (runs(h, n, priv) ? raw(h, n, pending) : 0);
    h->hpm_armed &= ~(UINT64_C(1) << n);
    h->hpm_armed |= (uint64_t)(v != 0) << n;
    h->attention |= ATTN_IRQ; /* counters_due may say something new */
}

/* A CSR instruction is a step that is still to be counted when it writes;
 * what is written is what the next one reads. A debugger's write is none. */
static unsigned writer(const struct hart *h) { return h->block ? 1 : 0; }

static bool present(const struct hart *h, unsigned n)
{
    return (h->cpu.pmu_mask | 5) >> n & 1;
}

uint64_t counter_read(const struct hart *h, unsigned n)
{
    return value(h, n, h->priv, 0);
}

void counter_write(struct hart *h, unsigned n, uint64_t v)
{
    set_value(h, n, h->priv, writer(h), v);
}

void counters_inhibit(struct hart *h, uint64_t v)
{
    uint64_t changed = h->mcountinhibit ^ v, was[32] = { 0 };
    unsigned pending = writer(h);

    for (unsigned n = 0; n < 32; n++)
        if (changed >> n & 1 && present(h, n))
            was[n] = value(h, n, h->priv, pending);
    h->mcountinhibit = v;
    for (unsigned n = 0; n < 32; n++)
        if (changed >> n & 1 && present(h, n))
            set_value(h, n, h->priv, pending, was[n]);
}

void counters_changed(struct hart *h)
{
    h->hpm_live = 0;
    for (unsigned n = COUNTER_HPM; n < 32; n++)
        if (present(h, n) && event_of(h, n) != EVENT_NONE)
            h->hpm_live |= UINT32_C(1) << n;
}

void counters_event(struct hart *h, unsigned n, uint64_t v)
{
    unsigned pending = writer(h);
    uint64_t was = value(h, n, h->priv, pending);

    h->mhpmevent[n - COUNTER_HPM] = v;
    set_value(h, n, h->priv, pending, was);
    counters_changed(h);
}

uint32_t counters_overflowed(const struct hart *h)
{
    uint32_t bits = 0;

    for (unsigned n = COUNTER_HPM; n < 32; n++)
        if (present(h, n) && h->mhpmevent[n - COUNTER_HPM] & EVENT_OF)
            bits |= UINT32_C(1) << n;
    return bits;
}

void counters_priv_slow(struct hart *h, unsigned priv, unsigned pending)
{
    for (unsigned n = COUNTER_HPM; n < 32; n++) {
        uint64_t v;

        if (!(h->hpm_live >> n & 1) || runs(h, n, h->priv) == runs(h, n, priv))
            continue;
        v = value(h, n, h->priv, pending);
        set_value(h, n, priv, pending, v);
    }
}

/*
 * Overflow is exact: a counter of cycles that stands at -k overflows in k
 * steps; one of instructions not before. Only one whose OF is clear is waited
 * for: the others raise no interrupt.
 */
static uint64_t steps_to_overflow(const struct hart *h, unsigned n)
{
    if (!((h->hpm_live & h->hpm_armed) >> n & 1) || !runs(h, n, h->priv) ||
        h->mhpmevent[n - COUNTER_HPM] & EVENT_OF)
        return UINT64_MAX;
    return -value(h, n, h->priv, 0);
}

uint64_t counters_due(const struct hart *h)
{
    uint64_t due = UINT64_MAX;

    for (unsigned n = COUNTER_HPM; h->hpm_live && n < 32; n++) {
        uint64_t steps = steps_to_overflow(h, n);

        due = steps < due ? steps : due;
    }
    return has_filters(h) ? due : UINT64_MAX;
}

void counters_look(struct hart *h)
{
    if (!has_filters(h))
        return;
    for (unsigned n = COUNTER_HPM; n < 32; n++) {
        if (steps_to_overflow(h, n) != 0)
            continue;
        h->mhpmevent[n - COUNTER_HPM] |= EVENT_OF;
        h->mip |= 1 << IRQ_LCOFI;
        h->attention |= ATTN_IRQ;
    }
}
