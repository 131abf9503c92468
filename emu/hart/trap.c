/* SPDX-License-Identifier: MIT */
/* trap.c - exceptions, interrupts, xRET. */
#include "emu/hart/trap.h"

#include <inttypes.h>

#include "emu/base/log.h"

#include "emu/hart/counters.h"
#include "emu/hart/csr.h"
#include "emu/hart/look.h"
#include "emu/hart/mmu.h"
#include "emu/hart/triggers.h"

#define CAUSE_INTERRUPT (UINT64_C(1) << 63)

/* QEMU's names (facts/cli.md section 4.1). */
static const char *const exception_names[] = {
    "misaligned_fetch", "fault_fetch",      "illegal_instruction",
    "breakpoint",       "misaligned_load",  "fault_load",
    "misaligned_store", "fault_store",      "user_ecall",
    "supervisor_ecall", "hypervisor_ecall", "machine_ecall",
    "exec_page_fault",  "load_page_fault",  "reserved",
    "store_page_fault",
};

static const char *const interrupt_names[] = {
    "u_software", "s_software",       "vs_software", "m_software",
    "u_timer",    "s_timer",          "vs_timer",    "m_timer",
    "u_external", "s_external",       "vs_external", "m_external",
    "reserved",   "counter_overflow",
};

/* Privileged manual, section 3.1.9 and Sscofpmf: highest priority first. */
static const uint8_t priorities[] = {
    IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI, IRQ_LCOFI,
};

const char *trap_cause_name(uint64_t cause)
{
    bool interrupt = cause & CAUSE_INTERRUPT;
    uint64_t n = cause & ~CAUSE_INTERRUPT;
    size_t known = interrupt
                       ? sizeof interrupt_names / sizeof interrupt_names[0]
                       : sizeof exception_names / sizeof exception_names[0];

    if (n >= known)
        return "reserved";
    return interrupt ? interrupt_names[n] : exception_names[n];
}

static void set_priv(struct hart *h, unsigned priv, unsigned pending,
                     const uint64_t *cause)
{
    if (__builtin_expect(h->on_priv != NULL, 0))
        h->on_priv(h->on_priv_opaque, h, cause);
    counters_priv(h, priv, pending);
    h->priv = (uint8_t)priv;
    h->reserved_addr = UINT64_MAX;
    mmu_context_changed(h);
    if (__builtin_expect(triggers_counting(h), 0))
        h->attention |= ATTN_IRQ;
}

/* tvec's mode 1: interrupts go to base + 4 * cause. */
static uint64_t vector(uint64_t tvec, uint64_t cause)
{
    uint64_t base = tvec & ~UINT64_C(3);

    return cause & CAUSE_INTERRUPT && tvec & 1 ? base + 4 * (cause & 63) : base;
}

static void enter_s(struct hart *h, uint64_t cause, uint64_t tval, uint64_t epc)
{
    uint64_t s =
        h->mstatus & ~(uint64_t)(MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SIE);

    s |= h->mstatus & MSTATUS_SIE ? MSTATUS_SPIE : 0;
    s |= h->priv == PRIV_S ? MSTATUS_SPP : 0;
    h->mstatus = s;
    h->scause = cause;
    h->stval = tval;
    h->sepc = epc;
    h->pc = vector(h->stvec, cause);
}

static void enter_m(struct hart *h, uint64_t cause, uint64_t tval, uint64_t epc)
{
    uint64_t s =
        h->mstatus & ~(uint64_t)(MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MIE);

    s |= h->mstatus & MSTATUS_MIE ? MSTATUS_MPIE : 0;
    s |= (uint64_t)h->priv << 11;
    h->mstatus = s;
    h->mcause = cause;
    h->mtval = tval;
    h->mepc = epc;
    h->pc = vector(h->mtvec, cause);
}

/* Takes a trap at epc; pending: steps that it ends but that are not counted
 * yet, 1 or 0. */
static void enter(struct hart *h, uint64_t cause, uint64_t tval, uint64_t epc,
                  unsigned pending)
{
    uint64_t deleg = cause & CAUSE_INTERRUPT ? h->mideleg : h->medeleg;
    bool to_s = h->priv != PRIV_M && deleg >> (cause & 63) & 1;
    unsigned from = h->priv;

    if (log_on(LOG_INT))
        log_to(LOG_INT,
               "riscv_cpu_do_interrupt: hart:%" PRIu64 ", async:%d, "
               "cause:%016" PRIx64 ", epc:0x%016" PRIx64 ", tval:0x%016" PRIx64
               ", desc=%s\n",
               h->hartid, cause >> 63 != 0, cause & ~CAUSE_INTERRUPT, epc, tval,
               trap_cause_name(cause));
    h->waiting = 0;
    if (to_s)
        enter_s(h, cause, tval, epc);
    else
        enter_m(h, cause, tval, epc);
    set_priv(h, to_s ? PRIV_S : PRIV_M, pending, &cause);
    if (cause & CAUSE_INTERRUPT)
        h->interrupted_at = h->steps;
    h->skip_points = 0; /* its instruction comes later, or not at all */
    look_trap(h, cause, from);
}

const struct insn *trap(struct hart *h, const struct insn *i, uint64_t cause,
                        uint64_t tval)
{
    h->at = i;
    h->exceptions++;
    enter(h, cause, tval, h->pc + i->off, 1);
    return i;
}

void trap_fetch(struct hart *h, uint64_t cause, uint64_t tval)
{
    h->exceptions++;
    enter(h, cause, tval, h->pc, 1);
}

void trap_between(struct hart *h, uint64_t cause, uint64_t tval)
{
    enter(h, cause, tval, h->pc, 0);
}

uint64_t trap_pending(const struct hart *h)
{
    uint64_t pending = csr_mip(h) & h->mie;
    uint64_t m = pending & ~h->mideleg, s = pending & h->mideleg;

    if (h->masked)
        return 0;
    if (h->priv == PRIV_M)
        return h->mstatus & MSTATUS_MIE ? m : 0;
    if (m)
        return m;
    return h->priv == PRIV_U || h->mstatus & MSTATUS_SIE ? s : 0;
}

bool trap_interrupt(struct hart *h)
{
    uint64_t pending = trap_pending(h);

    if (!pending)
        return false;
    for (size_t i = 0; i < sizeof priorities; i++) {
        if (!(pending >> priorities[i] & 1))
            continue;
        enter(h, CAUSE_INTERRUPT | priorities[i], 0, h->pc, 0);
        break;
    }
    return true;
}

/* Sections 3.1.6.1, 3.3.2; leaving M ends MPRV. */
uint64_t trap_mret(struct hart *h)
{
    unsigned priv = h->mstatus >> 11 & 3;
    uint64_t s = h->mstatus & ~(uint64_t)(MSTATUS_MIE | MSTATUS_MPP);

    s |= h->mstatus & MSTATUS_MPIE ? MSTATUS_MIE : 0;
    s |= MSTATUS_MPIE;
    h->mstatus = priv == PRIV_M ? s : s & ~(uint64_t)MSTATUS_MPRV;
    set_priv(h, priv, 1, NULL);
    h->attention |= ATTN_IRQ;
    look_return(h, PRIV_M, h->mepc);
    h->returns++;
    return h->mepc;
}

uint64_t trap_sret(struct hart *h)
{
    unsigned priv = h->mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U, from = h->priv;
    uint64_t s =
        h->mstatus & ~(uint64_t)(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);

    s |= h->mstatus & MSTATUS_SPIE ? MSTATUS_SIE : 0;
    h->mstatus = s | MSTATUS_SPIE;
    set_priv(h, priv, 1, NULL);
    h->attention |= ATTN_IRQ;
    look_return(h, from, h->sepc);
    h->returns++;
    return h->sepc;
}
