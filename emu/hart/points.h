/* SPDX-License-Identifier: MIT */
/*
 * points.h - breakpoints, watchpoints and catchpoints, as many as wanted.
 *
 * A point is identified by its value (what and where it is, whose, its
 * filters), as gdb's Z and z are. Guest memory is never patched. A breakpoint
 * matches the pc before it is fetched; a watchpoint the bytes of an access
 * before it is done; a catchpoint an event. Where there are none, nothing is
 * checked: the pages of watchpoints keep out of the TLB, blocks end before a
 * breakpoint, and who may cause an event asks points_kinds once.
 *
 * A point that matches is to stop the machine if its filters let the hart
 * through and one of its conditions is true (or is an error, or there are
 * none). If it has commands they are run instead, and nothing stops.
 *
 * A debugger may be asked itself about each hit of a breakpoint: that one is of
 * its own making, not of its user's. It yields to any other at the same place,
 * and to who looks at the past again it is not there.
 *
 * The guest's own triggers (Sdtrig) are points with the flag POINT_GUEST.
 */
#ifndef EMU_HART_POINTS_H
#define EMU_HART_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/base/bytecode.h"

struct points;
struct hart;
struct mem;

/* READ and WRITE are bits: both are gdb's access watch. With CSR, DEVICE and
 * UNMAPPED they say which accesses are meant. */
enum point_kind {
    POINT_BREAK = 1, /* execution of addr */
    POINT_READ = 2,
    POINT_WRITE = 4,
    POINT_TRAP = 8,       /* an exception; addr: mask of causes, 0: any */
    POINT_IRQ = 16,       /* an interrupt that is taken; addr likewise */
    POINT_PRIV = 32,      /* a change of mode, by a trap or by mret, sret */
    POINT_CSR = 64,       /* an access to CSR addr, or one of len from there */
    POINT_DEVICE = 128,   /* to a device within len bytes from physical addr */
    POINT_UNMAPPED = 256, /* to nothing at all, there */
};
#define POINT_CATCH                                                            \
    (POINT_TRAP | POINT_IRQ | POINT_PRIV | POINT_CSR | POINT_DEVICE |          \
     POINT_UNMAPPED)

enum {
    POINT_HW = 1,      /* asked for as Z1, reported as hwbreak */
    POINT_GUEST = 2,   /* a guest's trigger: only ends blocks (triggers.h) */
    POINT_SATP = 4,    /* only where satp is as given */
    POINT_PERSIST = 8, /* its commands outlive its owner */
    POINT_MUTED = 64,  /* points_mute is on */
    POINT_PHYS = 16,   /* break, watch: addr is physical, whoever maps it */
    POINT_CHANGE = 32, /* not hit by a store of what is there already */
};

/* Within the instruction: is the hart to stop here? It only looks. */
typedef bool point_asks_fn(void *opaque, int hart);

struct point {
    uint32_t kind;  /* POINT_ bits */
    uint32_t flags; /* POINT_HW and its like */
    uint64_t addr;  /* virtual, unless it says otherwise */
    uint64_t len;   /* bytes watched; a breakpoint's is 2 or 4, unused */
    uint64_t harts; /* bit n: hart n; 0: all of them */
    uint64_t satp;
    uint32_t privs;            /* bit n: in mode n (enum priv), for an event:
                                  before it; 0: in all */
    uint32_t to;               /* TRAP, IRQ, PRIV: modes after it; 0: all */
    struct bytecodes when;     /* conditions: any of them */
    struct bytecodes commands; /* run instead of stopping */
    point_asks_fn *asks;       /* NULL: nobody is asked */
    void *asks_opaque;
    uint64_t hits;     /* how often it stopped, or its commands ran */
    const void *owner; /* the session that set it */
};

/* What a catchpoint is asked about. */
struct point_event {
    uint32_t kind;    /* one of POINT_CATCH */
    uint32_t access;  /* CSR, DEVICE, UNMAPPED: READ and WRITE bits */
    uint64_t at;      /* cause (bit 63: interrupt), CSR's number, address */
    uint8_t from, to; /* modes before and after */
};

struct points *points_new(void);
void points_free(struct points *p);

/* Adds a copy; adding the same again only replaces conditions and commands. */
void points_add(struct points *p, const struct point *pt);
bool points_remove(struct points *p, const struct point *pt); /* was there */
void points_remove_owner(struct points *p, const void *owner);
const struct point *points_nth(const struct points *p, size_t n);
/* Bytes of conditions and commands in all, for those who limit them. */
size_t points_code(const struct points *p);

/* Everyone who caches what points say must be told: harts flush. */
void points_on_change(struct points *p, void (*fn)(void *), void *opaque);

/* Where physical watchpoints are: they set MEM_ATTN_WATCH there. */
void points_memory(struct points *p, struct mem *m);

/* Where the text that commands print goes. */
typedef void points_text_fn(void *opaque, const struct point *pt,
                            const char *text, size_t len);
void points_on_text(struct points *p, points_text_fn *fn, void *opaque);

/* For who looks at the past again: nothing is counted, no command is run. */
void points_quiet(struct points *p, bool quiet);

/* For a while debuggers' points are as if they were not there, at no cost. */
void points_mute(struct points *p, bool mute);

/*
 * Which kinds there are at all, as POINT_ bits: those of physical points moved
 * up by POINTS_PHYS_SHIFT.
 */
enum { POINTS_PHYS_SHIFT = 16 };
uint32_t points_kinds(const struct points *p);

/*
 * In what follows flags is 0 for virtual addresses and POINT_PHYS for physical
 * ones. Who asks for a match gets the first point that is to stop the hart, or
 * NULL; conditions are evaluated and commands run, so it asks once per event.
 */

/* The hart is about to execute at addr. */
const struct point *points_break(struct points *p, struct hart *h,
                                 uint64_t addr, uint32_t flags);
/* The lowest breakpoint address in [addr, addr+len), whatever its filters and
 * conditions say then, or addr+len. */
uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t addr, uint64_t len, uint32_t flags);

/* Is there a breakpoint of whatever hart in [addr, addr+len)? */
bool points_anyone_breaks(const struct points *p, uint64_t addr, uint64_t len,
                          uint32_t flags);

/* Which accesses does a watchpoint ask for in [addr, addr+len): READ and WRITE
 * bits, whatever filters and conditions say then. */
uint32_t points_watched(const struct points *p, const struct hart *h,
                        uint64_t addr, uint64_t len, uint32_t flags);
/* The 64th parts of a page that watchpoints touch, a bit each. */
uint64_t points_parts(const struct points *p, const struct hart *h,
                      uint64_t page, uint32_t flags);
/* [*from, *to) becomes that part of it around addr in which no watchpoint is;
 * empty, if there is one at addr. */
void points_cut(const struct points *p, const struct hart *h, uint64_t addr,
                uint32_t flags, uint64_t *from, uint64_t *to);
/*
 * An access of len bytes at addr is about to be done. *hit is the first byte
 * that is watched. No hart: a device does it; filters by hart, mode and
 * address space then do not match, and conditions are not asked.
 */
const struct point *points_watch(struct points *p, struct hart *h,
                                 uint64_t addr, uint64_t len, uint32_t access,
                                 uint32_t flags, uint64_t *hit);

/* An event that a catchpoint may be for. */
const struct point *points_catch(struct points *p, struct hart *h,
                                 const struct point_event *e);

#endif
