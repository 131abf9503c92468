/* SPDX-License-Identifier: MIT */
/*
 * points.h - breakpoints and watchpoints, as many as wanted.
 *
 * A point is identified by its value (kind, addr, len, owner), as gdb's Z and
 * z are. Guest memory is never patched. A breakpoint matches the virtual pc
 * before it is fetched; a watchpoint the bytes of an access before it is
 * done. Where there are none, nothing is checked: pages with watchpoints
 * never enter the TLB, blocks end before a breakpoint.
 *
 * The guest's own triggers (Sdtrig) are points with the flag POINT_GUEST.
 */
#ifndef EMU_HART_POINTS_H
#define EMU_HART_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct points;
struct hart;

enum point_kind {
    POINT_BREAK = 1, /* execution of addr */
    POINT_READ = 2,
    POINT_WRITE = 4, /* kinds are bits: READ | WRITE is gdb's access watch */
};

struct point {
    uint32_t kind;     /* POINT_ bits */
    uint32_t flags;    /* POINT_HW: asked for as Z1, reported as hwbreak */
    uint64_t addr;     /* virtual */
    uint64_t len;      /* bytes watched; a breakpoint's is 2 or 4, unused */
    uint64_t harts;    /* bit n: hart n; 0: all of them */
    const void *owner; /* the session that set it */
};

/* POINT_GUEST: a trigger of the guest's (triggers.h). A breakpoint of that
 * kind only ends a block; whether it matches, trigger_exec says. */
enum { POINT_HW = 1, POINT_GUEST = 2 };

struct points *points_new(void);
void points_free(struct points *p);

/* Adds a copy; adding the same again changes nothing. */
void points_add(struct points *p, const struct point *pt);
bool points_remove(struct points *p, const struct point *pt); /* was there */
void points_remove_owner(struct points *p, const void *owner);
const struct point *points_nth(const struct points *p, size_t n);

/* Everyone who caches what points say must be told: harts flush. */
void points_on_change(struct points *p, void (*fn)(void *), void *opaque);

/* A breakpoint for this hart at exactly va, or NULL. */
const struct point *points_break(const struct points *p, const struct hart *h,
                                 uint64_t va);
/* The lowest breakpoint address in [va, va+len), or va+len. */
uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t va, uint64_t len);
/* Is there any watchpoint on this page? Then it must not enter the TLB. */
bool points_watch_page(const struct points *p, const struct hart *h,
                       uint64_t va_page);
/* The first watchpoint that an access of len bytes at va touches, or NULL;
 * *hit is the first touched byte within the watched range. */
const struct point *points_watch(const struct points *p, const struct hart *h,
                                 uint64_t va, uint64_t len, uint32_t access,
                                 uint64_t *hit);

#endif
