/* SPDX-License-Identifier: MIT */
/*
 * insn.h - a RISC-V instruction, decoded. All of it comes from insn.def.
 */
#ifndef EMU_HART_INSN_H
#define EMU_HART_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hart;
struct insn;

enum op {
    OP_illegal,
    OP_block_end, /* not an instruction: leaves a block that just stops */
#define INSN(name, ...) OP_##name,
#define RVC(...)
#include "emu/hart/insn.def"
#undef INSN
#undef RVC
    OP_COUNT
};

/*
 * What an op does: executes i, then calls the next one's fn (a tail call), or
 * leaves the block by returning. It returns the last insn that counts as a
 * step: i itself when i retired or trapped, i - 1 when i did not happen.
 */
typedef const struct insn *op_fn(struct hart *h, const struct insn *i);

struct insn {
    op_fn *fn; /* NULL until interp prepares it */
    int64_t imm;
    uint32_t raw; /* 16-bit ones zero-extended */
    uint16_t op;  /* enum op */
    uint16_t off; /* from its block's first byte to its own */
    uint8_t rd, rs1, rs2, rs3;
    uint8_t rm;    /* FP rounding mode field, or AMO's aq/rl */
    uint8_t len;   /* 2 or 4 bytes */
    uint16_t hint; /* emu/trans' own */
};

enum insn_flow {
    FLOW_NEXT, /* falls through */
    FLOW_ENDS, /* last of its block, but for some jumps: CSRs, fences, traps */
};

/* Builds the decoder's buckets from insn.def; call once, before the rest. */
void insn_init(void);

/*
 * Decodes the instruction in the low bits of word for a hart with the
 * extensions ext (see cpu.h); op is OP_illegal if there is none such.
 */
struct insn insn_decode(uint32_t word, const uint64_t *ext);

const char *insn_name(enum op op);     /* "fence.i" */
const char *insn_operands(enum op op); /* as in insn.def */
enum insn_flow insn_flow(enum op op);
bool insn_writes_fpr(enum op op); /* rd names an f register */

/*
 * Prints the assembly of i, which stands at pc, as QEMU's `x/i` does after
 * the raw bytes ("addi                    a0,a0,10"); returns its length.
 */
int insn_disas(char *buf, size_t size, uint64_t pc, const struct insn *i);

#endif
