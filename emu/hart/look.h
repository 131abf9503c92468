/* SPDX-License-Identifier: MIT */
/*
 * look.h - where the paths of a hart look for points: accesses, traps, CSRs.
 *
 * All of it is off the fast paths. h->looking says which kinds of points there
 * are at all (points_kinds), so that without any a hook is one test.
 *
 * A watchpoint, and a catchpoint on a CSR or on a device, stops the hart before
 * the instruction; nothing has happened then, not even an A bit was set. A
 * catchpoint on a trap, an interrupt or a change of mode stops it after that,
 * in front of the first instruction of the new context.
 */
#ifndef EMU_HART_LOOK_H
#define EMU_HART_LOOK_H

#include "emu/hart/mmu.h"

/*
 * Instruction i is about to access size bytes at va: MMU_STOPPED if a point
 * wants it so (see mmu.h), MMU_OK otherwise, also where it will fault.
 */
enum mmu_result look_access(struct hart *h, const struct insn *i, uint64_t va,
                            unsigned size, unsigned access);

/* The instruction at pc is about to be fetched: MMU_OK and where it is, or
 * MMU_TRAPPED if it will fault, or MMU_STOPPED. */
enum mmu_result look_fetch(struct hart *h, uint64_t pc, uint64_t *pa);

/* Instruction i is about to access a CSR: true if the hart is to stop. */
bool look_csr(struct hart *h, const struct insn *i, unsigned number,
              uint32_t access);

/* The hart came from one mode to its present one: by a trap, whose cause this
 * is, or by mret or sret, to pc. */
void look_trap(struct hart *h, uint64_t cause, unsigned from);
void look_return(struct hart *h, unsigned from, uint64_t pc);

/* The hart is to stop in front of pc, for a breakpoint. */
void look_break(struct hart *h, const struct point *p, uint64_t pa);

#endif
