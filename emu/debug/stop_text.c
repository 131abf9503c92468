/* SPDX-License-Identifier: MIT */
/* stop_text.c - what happened at a point, in words. */
#include <inttypes.h>

#include "emu/base/buf.h"

#include "emu/bus/mem.h"
#include "emu/debug/hub.h"
#include "emu/hart/csr.h"
#include "emu/hart/hart.h"
#include "emu/hart/trap.h"
#include "emu/machine/run.h"

static const char modes[4] = { 'U', 'S', '?', 'M' };

static const char *verb(uint32_t access)
{
    static const char *const verbs[] = {
        [DEBUG_READ] = "reads",
        [DEBUG_WRITE] = "writes",
        [DEBUG_READ | DEBUG_WRITE] = "reads and writes",
    };

    access &= DEBUG_READ | DEBUG_WRITE;
    return verbs[access] ? verbs[access] : "accesses";
}

/* Only what the address does not say. */
static void breakpoint(const struct debug_stop *s, const struct hart *h,
                       struct buf *out)
{
    if (s->point.phys)
        buf_printf(out, ", physical 0x%" PRIx64 ", in %c-mode", s->pa,
                   modes[h->priv & 3]);
}

static void watchpoint(struct machine *m, const struct debug_stop *s,
                       struct buf *out)
{
    if (s->walker)
        buf_str(out, ", walking page tables,");
    buf_printf(out, " %s ", verb(s->access));
    if (!s->point.phys) {
        buf_printf(out, "0x%" PRIx64, s->addr);
        return;
    }
    buf_printf(out, "physical 0x%" PRIx64, s->pa);
    if (s->walker)
        buf_printf(out, " (A or D bit) for 0x%" PRIx64, s->addr);
    else if (!s->device[0])
        buf_printf(out, ", virtual 0x%" PRIx64, s->addr);
    buf_printf(out, " at T=%" PRIu64, run_now(m));
}

static void trapped(const struct debug_stop *s, const struct hart *h,
                    struct buf *out)
{
    bool to_s = s->to == PRIV_S;

    buf_printf(out, ": %s %" PRIu64 " (%s)",
               s->event == DEBUG_CATCH_IRQ ? "interrupt" : "trap",
               s->addr << 1 >> 1, trap_cause_name(s->addr));
    buf_printf(out, " from %c to %c-mode, epc 0x%" PRIx64, modes[s->from & 3],
               modes[s->to & 3], to_s ? h->sepc : h->mepc);
    if (s->event == DEBUG_CATCH_TRAP)
        buf_printf(out, ", tval 0x%" PRIx64, to_s ? h->stval : h->mtval);
}

static void caught(struct machine *m, const struct debug_stop *s,
                   const struct hart *h, struct buf *out)
{
    const struct mem_region *r = mem_find(m->mem, s->pa);
    const char *name;

    switch (s->event) {
    case DEBUG_CATCH_TRAP:
    case DEBUG_CATCH_IRQ:
        trapped(s, h, out);
        break;
    case DEBUG_CATCH_PRIV:
        buf_printf(out, ": from %c to %c-mode", modes[s->from & 3],
                   modes[s->to & 3]);
        break;
    case DEBUG_CATCH_CSR:
        name = csr_name((unsigned)s->addr);
        buf_printf(out, " %s CSR %s (0x%x)", verb(s->access), name ? name : "?",
                   (unsigned)s->addr);
        break;
    default:
        buf_printf(out, " %s %s, physical 0x%" PRIx64, verb(s->access),
                   r ? r->name : "nothing", s->pa);
    }
}

void debug_stop_text(struct machine *m, const struct debug_stop *s,
                     struct buf *out)
{
    const struct hart *h;

    if (s->hart < 0 || s->hart >= m->harts)
        return;
    h = m->hart[s->hart];
    if (s->device[0])
        buf_printf(out, "device %s", s->device);
    else
        buf_printf(out, "hart %d at 0x%" PRIx64, s->hart, h->pc);
    if (s->reason == DEBUG_STOP_BREAK)
        breakpoint(s, h, out);
    else if (s->reason == DEBUG_STOP_WATCH)
        watchpoint(m, s, out);
    else if (s->reason == DEBUG_STOP_CATCH)
        caught(m, s, h, out);
}
