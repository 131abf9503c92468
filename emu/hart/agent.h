/* SPDX-License-Identifier: MIT */
/*
 * agent.h - gdb's agent expressions: conditions of points and what they print.
 *
 * Bytecode that a debugger sends and the hart evaluates where it stands, over
 * its registers (gdb's canonical numbers) and memory (the debugger's view: no
 * faults, no rights, no side effects). It is hostile: an expression that is
 * malformed, divides by zero, reads what is not there or runs too long is an
 * error, and a point whose condition is an error stops, so that the debugger
 * can say why.
 *
 * Source: "Debugging with GDB", appendix F "The GDB Agent Expression
 * Mechanism".
 */
#ifndef EMU_HART_AGENT_H
#define EMU_HART_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/base/bytecode.h"

struct hart;
struct buf;

enum {
    AGENT_STACK = 64,   /* values */
    AGENT_STEPS = 4096, /* opcodes in one evaluation */
    AGENT_TEXT = 4096,  /* bytes that one evaluation may print, about */
};

/*
 * True: it ended well, and *v is the top of the stack (0 when that is empty).
 * What it prints goes to text; with NULL, printing is an error.
 */
bool agent_eval(struct hart *h, const struct bytecode *c, struct buf *text,
                uint64_t *v);

/* A register by gdb's number: x 0-31, pc 32, f 33-64, CSRs from 65, priv
 * 4161. False: there is none. */
enum { AGENT_PC = 32, AGENT_F = 33, AGENT_CSR = 65, AGENT_PRIV = 4161 };
bool agent_register(struct hart *h, unsigned number, uint64_t *v);

#endif
