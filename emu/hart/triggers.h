/* SPDX-License-Identifier: MIT */
/*
 * triggers.h - the guest's own breakpoints and watchpoints: Sdtrig.
 *
 * Two triggers of type mcontrol (2), icount (3) or mcontrol6 (6), that match
 * an equal address and raise a breakpoint exception. Those that look at
 * addresses are also points (POINT_GUEST), which keeps blocks and TLB out of
 * their way: unused they cost nothing.
 *
 * Source: RISC-V Debug Specification 1.0, chapter 5 "Sdtrig".
 */
#ifndef EMU_HART_TRIGGERS_H
#define EMU_HART_TRIGGERS_H

#include "emu/hart/hart.h"

/* Does one match execution at pc now? Then a breakpoint exception (cause 3,
 * tval = pc) is to be taken before the instruction. */
bool trigger_exec(const struct hart *h, uint64_t pc);

/* Does one match an access? POINT_READ and POINT_WRITE bits. */
bool trigger_access(const struct hart *h, uint64_t va, unsigned size,
                    uint32_t access);
/* Does one watch anything in [va, va+len)? */
bool trigger_watches(const struct hart *h, uint64_t va, uint64_t len);

/* The CSRs tdata1..3 of the selected trigger. */
uint64_t trigger_read(const struct hart *h, unsigned n);
void trigger_write(struct hart *h, unsigned n, uint64_t v);
uint64_t trigger_info(const struct hart *h);
void triggers_reset(struct hart *h);

/* After a load: points follow the triggers again. */
void triggers_changed(struct hart *h);

/* Is one an icount? Then whoever changes the privilege mode sets ATTN_IRQ. */
bool triggers_counting(const struct hart *h);

/* For csr_due and csr_look: icount. */
uint64_t triggers_due(struct hart *h);
void triggers_look(struct hart *h);

#endif
