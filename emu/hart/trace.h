/* SPDX-License-Identifier: MIT */
/*
 * trace.h - running a hart with the log looking on: -d in_asm, exec, cpu,
 * commits. One instruction at a time; the guest sees no difference.
 */
#ifndef EMU_HART_TRACE_H
#define EMU_HART_TRACE_H

#include "emu/base/log.h"

#include "emu/hart/hart.h"

static inline bool trace_on(void)
{
    return __builtin_expect(
        (log_mask & (LOG_IN_ASM | LOG_EXEC | LOG_CPU | LOG_COMMITS)) != 0, 0);
}

/* As hart_run. */
uint64_t trace_run(struct hart *h, uint64_t n);

/* What h would execute now, without touching TLB or A bits; false when it
 * cannot be fetched. */
struct insn;
bool trace_decode(struct hart *h, struct insn *i);

/* The register dump of `info registers`, without its "CPU#" line. */
struct buf;
void trace_registers(struct hart *h, bool fpu, struct buf *out);

#endif
