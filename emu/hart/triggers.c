/* SPDX-License-Identifier: MIT */
/* triggers.c - Sdtrig: mcontrol, mcontrol6 and icount. */
#include "emu/hart/triggers.h"

#include "emu/hart/csr.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"
#include "emu/hart/trap.h"

/* tdata1.type */
enum { TYPE_MCONTROL = 2, TYPE_ICOUNT = 3, TYPE_MCONTROL6 = 6 };

/* mcontrol and mcontrol6: the same places for what is implemented here, but
 * for size. match (equal), select (address), chain and action (breakpoint
 * exception) are read-only 0. */
enum { MC_LOAD = 1, MC_STORE = 2, MC_EXECUTE = 4 };
enum { MC_U = 1 << 3, MC_S = 1 << 4, MC_M = 1 << 6 };
enum {
    MC_WRITABLE = MC_LOAD | MC_STORE | MC_EXECUTE | MC_U | MC_S | MC_M,
    MC2_SIZELO = 3 << 16, /* and sizehi at bit 21 */
    MC2_SIZEHI = 3 << 21,
    MC6_SIZE = 7 << 16,
    MC6_HIT0 = 1 << 22,
    MC2_HIT = 1 << 20,
};

/* icount */
enum {
    IC_U = 1 << 6,
    IC_S = 1 << 7,
    IC_PENDING = 1 << 8,
    IC_M = 1 << 9,
    IC_COUNT = 0x3fff << 10,
    IC_HIT = 1 << 24,
    IC_WRITABLE = IC_U | IC_S | IC_PENDING | IC_M | IC_COUNT | IC_HIT,
};

static unsigned type_of(const struct trigger *t) { return t->tdata1 >> 60; }

static bool is_mcontrol(const struct trigger *t)
{
    return type_of(t) == TYPE_MCONTROL || type_of(t) == TYPE_MCONTROL6;
}

/*
 * Section 5.4, "native triggers": a breakpoint exception where a trap could
 * not return from would lose its state, so those modes do not match while
 * their interrupts are off.
 */
static bool reentrant(const struct hart *h)
{
    if (h->priv == PRIV_M)
        return h->mstatus & MSTATUS_MIE;
    if (h->priv == PRIV_S && h->medeleg >> CAUSE_BREAKPOINT & 1)
        return h->mstatus & MSTATUS_SIE;
    return true;
}

static bool mode_matches(const struct hart *h, const struct trigger *t)
{
    bool mc = is_mcontrol(t);
    unsigned bit = h->priv == PRIV_M   ? mc ? MC_M : IC_M
                   : h->priv == PRIV_S ? mc ? MC_S : IC_S
                   : mc                ? MC_U
                                       : IC_U;

    return t->tdata1 & bit && reentrant(h);
}

/* The size that matches in bytes; 0: any. */
static unsigned size_of(const struct trigger *t)
{
    static const uint8_t bytes[8] = { 0, 1, 2, 4, 6, 8, 10, 12 };
    unsigned code = t->tdata1 >> 16 & 7;

    if (type_of(t) == TYPE_MCONTROL)
        code = (t->tdata1 >> 16 & 3) | (t->tdata1 >> 21 & 1) << 2;
    return bytes[code];
}

bool trigger_exec(const struct hart *h, uint64_t pc)
{
    for (unsigned n = 0; n < TRIGGERS; n++) {
        const struct trigger *t = &h->trigger[n];

        if (is_mcontrol(t) && t->tdata1 & MC_EXECUTE && t->tdata2 == pc &&
            mode_matches(h, t))
            return true;
    }
    return false;
}

bool trigger_access(const struct hart *h, uint64_t va, unsigned size,
                    uint32_t access)
{
    unsigned want = (access & POINT_READ ? MC_LOAD : 0) |
                    (access & POINT_WRITE ? MC_STORE : 0);

    for (unsigned n = 0; n < TRIGGERS; n++) {
        const struct trigger *t = &h->trigger[n];

        if (t->tdata1 & want && is_mcontrol(t) && t->tdata2 - va < size &&
            (size_of(t) == 0 || size_of(t) == size) && mode_matches(h, t))
            return true;
    }
    return false;
}

bool trigger_watches(const struct hart *h, uint64_t va, uint64_t len)
{
    for (unsigned n = 0; n < TRIGGERS; n++) {
        const struct trigger *t = &h->trigger[n];

        if (t->tdata1 & (MC_LOAD | MC_STORE) && is_mcontrol(t) &&
            t->tdata2 - va < len)
            return true;
    }
    return false;
}

/* CSRs ----------------------------------------------------------------------*/

/* What of v can be stored. A type that is unknown leaves a disabled mcontrol;
 * dmode is a debugger's, and there is no debug mode. */
static uint64_t legal_tdata1(uint64_t v)
{
    uint64_t type = v >> 60;

    switch (type) {
    case TYPE_MCONTROL:
        return type << 60 |
               (v & (MC_WRITABLE | MC2_SIZELO | MC2_SIZEHI | MC2_HIT));
    case TYPE_MCONTROL6:
        return type << 60 | (v & (MC_WRITABLE | MC6_SIZE | MC6_HIT0));
    case TYPE_ICOUNT:
        return type << 60 | (v & IC_WRITABLE);
    default:
        return (uint64_t)TYPE_MCONTROL << 60;
    }
}

/* The owner of this hart's points. */
static const void *owner(const struct hart *h) { return h->trigger; }

void triggers_changed(struct hart *h)
{
    points_remove_owner(h->points, owner(h));
    for (unsigned n = 0; n < TRIGGERS; n++) {
        const struct trigger *t = &h->trigger[n];

        if (is_mcontrol(t) && t->tdata1 & MC_EXECUTE)
            points_add(h->points,
                       &(struct point){ .kind = POINT_BREAK,
                                        .flags = POINT_GUEST,
                                        .addr = t->tdata2,
                                        .len = 2,
                                        .harts = UINT64_C(1) << h->hartid % 64,
                                        .owner = owner(h) });
    }
    /* Pages with data triggers leave the TLB; triggers_due may have news. */
    mmu_flush(h);
    h->attention |= ATTN_IRQ;
}

uint64_t trigger_read(const struct hart *h, unsigned n)
{
    const struct trigger *t = &h->trigger[h->tselect];

    return n == 1 ? t->tdata1 : n == 2 ? t->tdata2 : t->tdata3;
}

void trigger_write(struct hart *h, unsigned n, uint64_t v)
{
    struct trigger *t = &h->trigger[h->tselect];

    if (n == 1)
        t->tdata1 = legal_tdata1(v);
    else if (n == 2)
        t->tdata2 = v;
    triggers_changed(h);
}

uint64_t trigger_info(const struct hart *h)
{
    (void)h; /* both triggers have the same types */
    return 1 << TYPE_MCONTROL | 1 << TYPE_ICOUNT | 1 << TYPE_MCONTROL6;
}

void triggers_reset(struct hart *h)
{
    for (unsigned n = 0; n < TRIGGERS; n++)
        h->trigger[n] = (struct trigger){ (uint64_t)TYPE_MCONTROL << 60, 0, 0 };
    h->tselect = 0;
    triggers_changed(h);
}

/* icount --------------------------------------------------------------------*/

/*
 * Debug Specification, "icount": a step in a mode that matches takes 1 off count; with the
 * last one the trigger becomes pending, and it fires before the next
 * instruction of a mode that matches.
 */
bool triggers_counting(const struct hart *h)
{
    return type_of(&h->trigger[0]) == TYPE_ICOUNT ||
           type_of(&h->trigger[1]) == TYPE_ICOUNT;
}

uint64_t triggers_due(struct hart *h)
{
    h->icount_live = 0;
    for (unsigned n = 0; n < TRIGGERS; n++) {
        const struct trigger *t = &h->trigger[n];

        if (type_of(t) != TYPE_ICOUNT || !mode_matches(h, t))
            continue;
        if (t->tdata1 & IC_PENDING)
            return 0;
        if (t->tdata1 & IC_COUNT)
            h->icount_live |= 1u << n;
    }
    return h->icount_live ? 1 : UINT64_MAX;
}

static void count(struct trigger *t)
{
    t->tdata1 -= 1 << 10;
    if (!(t->tdata1 & IC_COUNT))
        t->tdata1 |= IC_PENDING;
}

void triggers_look(struct hart *h)
{
    for (unsigned n = 0; n < TRIGGERS; n++)
        if (h->icount_live >> n & 1)
            count(&h->trigger[n]);
    h->icount_live = 0;
    for (unsigned n = 0; n < TRIGGERS; n++) {
        struct trigger *t = &h->trigger[n];

        if (type_of(t) != TYPE_ICOUNT || !(t->tdata1 & IC_PENDING) ||
            !mode_matches(h, t))
            continue;
        t->tdata1 = (t->tdata1 & ~(uint64_t)IC_PENDING) | IC_HIT;
        trap_between(h, CAUSE_BREAKPOINT, 0);
        return;
    }
}
