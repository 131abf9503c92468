/* SPDX-License-Identifier: MIT */
/*
 * trap.h - exceptions, interrupts, xRET.
 *
 * Source: privileged manual, sections 3.1.6 (mstatus), 3.1.8-3.1.9
 * (delegation, mip/mie, priorities), 3.3.2 (xRET).
 */
#ifndef EMU_HART_TRAP_H
#define EMU_HART_TRAP_H

#include "emu/hart/hart.h"

/*
 * Takes an exception at instruction i: pc was h->pc + i->off. Sets pc to the
 * handler; counts as a step. For ops: `return trap(h, i, cause, tval);`
 */
const struct insn *trap(struct hart *h, const struct insn *i, uint64_t cause,
                        uint64_t tval);

/* The same where no instruction was decoded: a fetch that failed at pc.
 * hart_run counts the step. */
void trap_fetch(struct hart *h, uint64_t cause, uint64_t tval);

/* And between two instructions, for icount: like an interrupt, no step. */
void trap_between(struct hart *h, uint64_t cause, uint64_t tval);

/* Those that would be taken now, mip's bits: enabled here and pending. */
uint64_t trap_pending(const struct hart *h);

/* Takes the pending interrupt of the highest priority; false if none. */
bool trap_interrupt(struct hart *h);

/* For mret and sret: pops the privilege stack and returns the new pc. */
uint64_t trap_mret(struct hart *h);
uint64_t trap_sret(struct hart *h);

/* Called before each trap is taken: catchpoints and logs. May be NULL. */
const char *trap_cause_name(uint64_t cause); /* QEMU's desc, cli.md 4.1 */

#endif
