/* SPDX-License-Identifier: MIT */
/* irq.h - an interrupt line, as a value: whom to tell, and which input. */
#ifndef EMU_BUS_IRQ_H
#define EMU_BUS_IRQ_H

#include <stdbool.h>
#include <stddef.h>

typedef void irq_fn(void *opaque, int n, bool level);

struct irq {
    irq_fn *set; /* NULL: not connected */
    void *opaque;
    int n;
};

static inline void irq_set(struct irq line, bool level)
{
    if (line.set)
        line.set(line.opaque, line.n, level);
}

#endif
