/* SPDX-License-Identifier: MIT */
/*
 * counters.h - mcycle, minstret and mhpmcounter3..31, as csr.c and trap.c
 * see them.
 *
 * A counter is not counted: it is an offset to the steps of the hart, so
 * counting costs nothing. One that stands still (mcountinhibit, its event,
 * the privilege modes of Sscofpmf) has its value as the offset.
 */
#ifndef EMU_HART_COUNTERS_H
#define EMU_HART_COUNTERS_H

#include "emu/hart/hart.h"

enum { COUNTER_CYCLE = 0, COUNTER_INSTRET = 2, COUNTER_HPM = 3 };

/* n is the counter's number, 0 to 31, as in mcounteren. */
uint64_t counter_read(const struct hart *h, unsigned n);
void counter_write(struct hart *h, unsigned n, uint64_t v);

void counters_inhibit(struct hart *h, uint64_t v);           /* mcountinhibit */
void counters_event(struct hart *h, unsigned n, uint64_t v); /* mhpmeventN */
uint32_t counters_overflowed(const struct hart *h);          /* scountovf */

/*
 * The privilege mode becomes priv. steps of the present block were done
 * before that, not counting the one that does it (pending: 1, or 0).
 */
void counters_priv_slow(struct hart *h, unsigned priv, unsigned pending);
static inline void counters_priv(struct hart *h, unsigned priv,
                                 unsigned pending)
{
    if (__builtin_expect(h->hpm_live != 0, 0))
        counters_priv_slow(h, priv, pending);
}

/* For csr_due and csr_look: overflows that raise an interrupt. */
uint64_t counters_due(const struct hart *h);
void counters_look(struct hart *h);

/* After a load: what is cached. */
void counters_changed(struct hart *h);

#endif
