/* SPDX-License-Identifier: MIT */
/*
 * points.h - breakpoints and watchpoints, as many as wanted.
 *
 * A point is identified by its value (what and where it is, whose, its
 * filters), as gdb's Z and z are. Guest memory is never patched. A breakpoint
 * matches the pc before it is fetched; a watchpoint the bytes of an access
 * before it is done. Where there are none, nothing is checked: the pages of
 * watchpoints keep out of the TLB, blocks end before a breakpoint.
 *
 * A point that matches is to stop the machine if its filters let the hart
 * through and one of its conditions is true (or is an error, or there are
 * none). If it has commands they are run instead, and nothing stops.
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

enum point_kind {
    POINT_BREAK = 1, /* execution of addr */
    POINT_READ = 2,
    POINT_WRITE = 4, /* kinds are bits: READ | WRITE is gdb's access watch */
};

enum {
    POINT_HW = 1,      /* asked for as Z1, reported as hwbreak */
    POINT_GUEST = 2,   /* a guest's trigger: only ends blocks (triggers.h) */
    POINT_SATP = 4,    /* only where satp is as given */
    POINT_PERSIST = 8, /* its commands outlive its owner */
};

struct point {
    uint32_t kind;  /* POINT_ bits */
    uint32_t flags; /* POINT_HW and its like */
    uint64_t addr;  /* virtual */
    uint64_t len;   /* bytes watched; a breakpoint's is 2 or 4, unused */
    uint64_t harts; /* bit n: hart n; 0: all of them */
    uint64_t satp;
    uint32_t privs;            /* bit n: in mode n (enum priv); 0: in all */
    struct bytecodes when;     /* conditions: any of them */
    struct bytecodes commands; /* run instead of stopping */
    uint64_t hits;             /* how often it stopped, or its commands ran */
    const void *owner;         /* the session that set it */
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

/* Where the text that commands print goes. */
typedef void points_text_fn(void *opaque, const struct point *pt,
                            const char *text, size_t len);
void points_on_text(struct points *p, points_text_fn *fn, void *opaque);

/* For who looks at the past again: nothing is counted, no command is run. */
void points_quiet(struct points *p, bool quiet);

/* The breakpoint at va that is to stop this hart, which is about to execute
 * there, or NULL. To be asked once per arrival. */
const struct point *points_break(struct points *p, struct hart *h, uint64_t va);
/* The lowest breakpoint address in [va, va+len), whatever its filters and
 * conditions say then, or va+len. */
uint64_t points_next_break(const struct points *p, const struct hart *h,
                           uint64_t va, uint64_t len);
/* Is there a breakpoint of whatever hart in [va, va+len)? */
bool points_anyone_breaks(const struct points *p, uint64_t va, uint64_t len);
/* Is there any watchpoint on this page? Then it must not enter the TLB. */
bool points_watch_page(const struct points *p, const struct hart *h,
                       uint64_t va_page);
/* The first watchpoint that an access of len bytes at va touches and that is
 * to stop the hart, or NULL; *hit is the first touched byte within the
 * watched range. */
const struct point *points_watch(struct points *p, struct hart *h, uint64_t va,
                                 uint64_t len, uint32_t access, uint64_t *hit);

#endif
