/* SPDX-License-Identifier: MIT */
/*
 * commit.h - what an instruction did, as a line of Spike's --log-commits:
 *
 *     core   0: 3 0x0000000080000004 (0x00b52023) mem 0x... 0x...
 *
 * Hart, privilege, pc, raw bytes; then what was written, by register number
 * (x before f before c of the same number, a CSR's being c320_sscratch); then
 * loads; then stores with their value in the width that was stored. CSRs that
 * are a part of others are logged as those (sstatus: mstatus; fcsr: fflags and
 * frm). fflags stands where an instruction raised a flag, mstatus where FS
 * became dirty and with xRET. What traps leaves no line.
 */
#ifndef EMU_HART_COMMIT_H
#define EMU_HART_COMMIT_H

#include "emu/hart/hart.h"
#include "emu/hart/insn.h"

/* An instruction about to be executed, and what has to be known of it. */
struct commit {
    struct insn i;
    uint64_t pc, mstatus;
    uint64_t va;     /* of its access, if it has one */
    uint64_t stored; /* the register whose value a store writes */
    uint64_t rd;     /* x[rd] */
    uint8_t priv, fflags;
    bool reserved; /* lr's reservation is there */
    bool raised;   /* commit_end: it raised flags */
};

/* Before the instruction i at h->pc is executed: flags that it raises can only
 * be seen where there are none. */
void commit_begin(struct hart *h, const struct insn *i, struct commit *c);

/* After it, retired or not: the flags that were there are there again. */
void commit_end(struct hart *h, struct commit *c);

/* Writes the line of one that retired, after commit_end. */
void commit_log(struct hart *h, const struct commit *c);

#endif
