/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - CPU models and extensions: `-cpu rv64,svpbmt=on`.
 *
 * One table, ext.def, has a row per extension: name as in the ISA string, the
 * models that have it, and whether ebreak implements it. The device tree's
 * riscv,isa names what is on and implemented, no more.
 */
#ifndef EMU_HART_CPU_H
#define EMU_HART_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum ext {
#define EXT(id, ...) EXT_##id,
#include "emu/hart/ext.def"
#undef EXT
    EXT_COUNT
};

struct cpu_config {
    char model[32];
    uint64_t ext[(EXT_COUNT + 63) / 64]; /* bit n: enum ext n is on */
    bool sv39, sv48, sv57, pmp, mmu, debug;
    uint64_t mvendorid, marchid, mimpid;
    uint64_t resetvec; /* 0x1000 */
    uint32_t pmu_mask; /* which mhpmcounters exist; 0x7fff8 */
    uint16_t cbom_block, cbop_block, cboz_block; /* bytes: 64 */
};

static inline bool ext_on(const uint64_t *ext, enum ext e)
{
    return ext[e / 64] >> (e % 64) & 1;
}

/* "rv64", "max,sstc=off"; QEMU's error texts (facts/cpu.md section 1). */
bool cpu_parse(const char *text, struct cpu_config *c, struct err *err);

/* "rv64imafdc_zicsr_..." ; and the same as "i\0m\0a..." in *list. */
void cpu_isa(const struct cpu_config *c, struct buf *string, struct buf *list);
const char *cpu_mmu_type(const struct cpu_config *c); /* "riscv,sv57" */
uint64_t cpu_misa(const struct cpu_config *c);
void cpu_help(struct buf *out); /* -cpu help */

#endif
