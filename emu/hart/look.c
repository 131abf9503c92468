/* SPDX-License-Identifier: MIT */
/* look.c - a hart's paths ask for points, and the stops that follow. */
#include "emu/hart/look.h"

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu_walk.h"
#include "emu/hart/points.h"

enum {
    LOOK_WATCH = POINT_READ | POINT_WRITE,
    LOOK_WATCH_PHYS = LOOK_WATCH << POINTS_PHYS_SHIFT,
    LOOK_PLACE = POINT_DEVICE | POINT_UNMAPPED,
    LOOK_ACCESS = LOOK_WATCH | LOOK_WATCH_PHYS | LOOK_PLACE,
};

static void stop(struct hart *h, const struct hart_stop *why)
{
    h->stop = *why;
    h->attention |= ATTN_STOP;
}

void look_break(struct hart *h, const struct point *p, uint64_t pa)
{
    stop(h, &(struct hart_stop){
                .addr = h->pc, .pa = pa, .point = p, .kind = HART_STOP_BREAK });
}

/* Accesses ------------------------------------------------------------------*/

/* An access, page by page. */
struct looked {
    uint64_t va, pa;
    unsigned len;
    uint32_t access;       /* POINT_ bits */
    const uint8_t *stored; /* what a store puts there; NULL: not known */
};

static enum mmu_result stop_watch(struct hart *h, const struct looked *a,
                                  const struct point *p, uint64_t hit,
                                  bool walker)
{
    bool physical = p->flags & POINT_PHYS;

    stop(h, &(struct hart_stop){ .addr = physical ? a->va + (hit - a->pa) : hit,
                                 .pa = physical ? hit : a->pa + (hit - a->va),
                                 .point = p,
                                 .kind = HART_STOP_WATCH,
                                 .access = p->kind & a->access,
                                 .walker = walker });
    return MMU_STOPPED;
}

/* The walker is about to set A or D in the entry at pte. */
static enum mmu_result look_walker(struct hart *h, uint64_t va, uint64_t pte)
{
    struct looked a = { va, pte, 8, POINT_WRITE, NULL };
    const struct point *p;
    uint64_t hit;

    if (!(h->looking & LOOK_WATCH_PHYS))
        return MMU_OK;
    p = points_watch(h->points, h, pte, 8, POINT_WRITE, POINT_PHYS, &hit);
    return p ? stop_watch(h, &a, p, hit, true) : MMU_OK;
}

/* Catchpoints on what is there: a device, or nothing at all. */
static enum mmu_result look_place(struct hart *h, const struct looked *a)
{
    const struct mem_region *r = mem_find(h->mem, a->pa);
    bool device =
        r && (r->kind == MEM_DEVICE ||
              (r->kind == MEM_ROMD && (!r->romd || a->access & POINT_WRITE)));
    struct point_event e = { .kind = device ? POINT_DEVICE : POINT_UNMAPPED,
                             .access = a->access,
                             .at = a->pa,
                             .from = h->priv };
    const struct point *p;

    if ((r && !device) || !(h->looking & e.kind))
        return MMU_OK;
    p = points_catch(h->points, h, &e);
    if (!p)
        return MMU_OK;
    stop(h, &(struct hart_stop){ .addr = a->va,
                                 .pa = a->pa,
                                 .point = p,
                                 .kind = HART_STOP_CATCH,
                                 .access = a->access,
                                 .event = e.kind,
                                 .from = e.from,
                                 .to = e.from });
    return MMU_STOPPED;
}

/* Which bytes of memory a store leaves as they are. */
static uint64_t same_bytes(const struct hart *h, const struct looked *a)
{
    const struct mem_region *r = a->stored ? mem_find(h->mem, a->pa) : NULL;
    uint64_t same = 0;

    for (unsigned n = 0; r && r->kind == MEM_RAM && n < a->len; n++)
        if (r->host[a->pa - r->base + n] == a->stored[n])
            same |= UINT64_C(1) << n;
    return same;
}

static enum mmu_result look_piece(struct hart *h, const struct looked *a)
{
    const struct point *p;
    uint64_t hit;

    h->same = h->looking & LOOK_WATCH ? same_bytes(h, a) : 0;
    if (h->looking & LOOK_WATCH) {
        p = points_watch(h->points, h, a->va, a->len, a->access, 0, &hit);
        if (p)
            return stop_watch(h, a, p, hit, false);
    }
    if (h->looking & LOOK_WATCH_PHYS) {
        p = points_watch(h->points, h, a->pa, a->len, a->access, POINT_PHYS,
                         &hit);
        if (p)
            return stop_watch(h, a, p, hit, false);
    }
    return h->looking & LOOK_PLACE ? look_place(h, a) : MMU_OK;
}

/*
 * First all of it is translated without setting anything, for an access that
 * faults is none, and one that a debugger stops has to leave no trace.
 */
static enum mmu_result look_all(struct hart *h, uint64_t va, unsigned size,
                                unsigned access)
{
    unsigned room = MEM_PAGE - (unsigned)(va % MEM_PAGE), rights = access & 7;
    const uint8_t *stored =
        access & ACCESS_VALUE ? (const uint8_t *)&h->storing : NULL;
    struct looked a[2] = {
        { va, 0, size < room ? size : room, rights * POINT_READ, stored },
        { va + room, 0, size > room ? size - room : 0, rights * POINT_READ,
          stored ? stored + room % 8 : NULL }
    };
    enum mmu_result r = MMU_OK;
    uint64_t pte;

    h->same = 0;
    for (unsigned n = 0; n < 2 && a[n].len; n++) {
        if (!mmu_look(h, a[n].va, a[n].len, rights, &a[n].pa, &pte))
            return MMU_OK;
        r = pte ? look_walker(h, a[n].va, pte) : MMU_OK;
        if (r != MMU_OK)
            return r;
    }
    if (access & ACCESS_COND && !mmu_reserved(h, a[0].pa, size))
        return MMU_OK;
    for (unsigned n = 0; n < 2 && a[n].len && r == MMU_OK; n++)
        r = look_piece(h, &a[n]);
    return r;
}

enum mmu_result look_access(struct hart *h, const struct insn *i, uint64_t va,
                            unsigned size, unsigned access)
{
    uint64_t pc = h->pc;
    enum mmu_result r;

    if (!(h->looking & LOOK_ACCESS) || h->skip_points & SKIP_ALL)
        return MMU_OK;
    h->pc = PC; /* for conditions, and where it stops */
    r = look_all(h, va, size, access);
    if (r == MMU_OK)
        h->pc = pc;
    return r;
}

enum mmu_result look_fetch(struct hart *h, uint64_t pc, uint64_t *pa)
{
    uint64_t pte;

    if (!mmu_look(h, pc, 2, ACCESS_EXEC, pa, &pte))
        return MMU_TRAPPED;
    return pte && !(h->skip_points & SKIP_ALL) ? look_walker(h, pc, pte)
                                               : MMU_OK;
}

/* Catchpoints ---------------------------------------------------------------*/

static bool caught(struct hart *h, const struct point_event *e)
{
    const struct point *p = points_catch(h->points, h, e);

    if (p)
        stop(h, &(struct hart_stop){ .addr = e->at,
                                     .point = p,
                                     .kind = HART_STOP_CATCH,
                                     .access = e->access,
                                     .event = e->kind,
                                     .from = e->from,
                                     .to = e->to });
    return p;
}

bool look_csr(struct hart *h, const struct insn *i, unsigned number,
              uint32_t access)
{
    struct point_event e = { POINT_CSR, access, number, h->priv, h->priv };
    uint64_t pc = h->pc;

    if (!(h->looking & POINT_CSR) || h->skip_points & SKIP_ALL)
        return false;
    h->at = i;
    h->pc = PC;
    if (caught(h, &e))
        return true;
    h->pc = pc;
    return false;
}

void look_trap(struct hart *h, uint64_t cause, unsigned from)
{
    struct point_event e = { cause >> 63 ? POINT_IRQ : POINT_TRAP, 0, cause,
                             (uint8_t)from, h->priv };

    if (h->looking & e.kind && caught(h, &e))
        return;
    e.kind = POINT_PRIV;
    if (h->looking & POINT_PRIV && e.from != e.to)
        caught(h, &e);
}

void look_return(struct hart *h, unsigned from, uint64_t pc)
{
    struct point_event e = { POINT_PRIV, 0, 0, (uint8_t)from, h->priv };
    uint64_t old = h->pc;

    if (!(h->looking & POINT_PRIV) || e.from == e.to)
        return;
    h->pc = pc; /* for conditions */
    caught(h, &e);
    h->pc = old;
}
