/* SPDX-License-Identifier: MIT */
/*
 * hart_rig.h - a hart with memory around it, to be tested without a board,
 * and a few instructions spelled as words.
 */
#ifndef TESTS_UNIT_HART_RIG_H
#define TESTS_UNIT_HART_RIG_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/hart.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"

#define RAM   UINT64_C(0x80000000)
#define ROM   UINT64_C(0x1000)
#define DEV   UINT64_C(0x10000000) /* a device of four-byte registers */
#define CODE  RAM                  /* programs start here */
#define TRAPS (RAM + 0x800)        /* mtvec: an endless loop */
enum { RAM_SIZE = 1 << 21, ROM_SIZE = 0x1000 };

struct rig {
    struct mem *mem;
    struct loop *loop;
    struct devs *devs;
    struct points *points;
    struct blocks *blocks;
    struct tables *tables;
    struct hart *h;
    uint64_t reg[4]; /* the device's */
    int reads, writes;
    uint64_t steps_seen; /* hart_steps at the last access */
};

static inline bool rig_read(void *opaque, uint64_t off, unsigned size,
                            uint64_t *v)
{
    struct rig *g = opaque;

    (void)size;
    g->reads++;
    g->steps_seen = hart_steps(g->h);
    *v = g->reg[off / 4 % 4];
    return true;
}

static inline bool rig_write(void *opaque, uint64_t off, unsigned size,
                             uint64_t v)
{
    struct rig *g = opaque;

    (void)size;
    g->writes++;
    g->steps_seen = hart_steps(g->h);
    g->reg[off / 4 % 4] = v;
    return true;
}

static const struct mem_ops rig_ops = { .read = rig_read,
                                        .write = rig_write,
                                        .sizes = MEM_4 };

/* One tick of mtime and one ns of virtual time are a step each. */
static inline uint64_t rig_mtime(void *opaque)
{
    return hart_steps(((struct rig *)opaque)->h);
}

static inline int64_t rig_now(void *opaque)
{
    return (int64_t)rig_mtime(opaque);
}

static inline int64_t rig_to_ns(void *opaque, uint64_t ticks)
{
    (void)opaque;
    return ticks < INT64_MAX ? (int64_t)ticks : INT64_MAX;
}

static inline void poke32(struct rig *g, uint64_t pa, uint32_t v)
{
    cr_assert_eq(mem_poke(g->mem, pa, &v, 4), 4);
}

static inline void poke64(struct rig *g, uint64_t pa, uint64_t v)
{
    cr_assert_eq(mem_poke(g->mem, pa, &v, 8), 8);
}

static inline uint64_t peek64(struct rig *g, uint64_t pa)
{
    uint64_t v = 0;

    cr_assert_eq(mem_peek(g->mem, pa, &v, 8), 8);
    return v;
}

static inline struct rig *rig_new(const char *cpu)
{
    struct rig *g = calloc(1, sizeof *g);
    struct cpu_config c;
    struct err err;

    cr_assert(cpu_parse(cpu, &c, &err), "%s", err.text);
    g->mem = mem_new();
    g->loop = loop_new();
    g->devs = devs_new();
    g->points = points_new();
    mem_add_ram(g->mem, "ram", RAM, RAM_SIZE, MEM_RAM, &err);
    mem_add_ram(g->mem, "rom", ROM, ROM_SIZE, MEM_ROM, &err);
    mem_add_device(g->mem, "dev", DEV, 0x1000, &rig_ops, g);
    g->tables = tables_new(g->mem);
    g->blocks = blocks_new(g->mem, &c);
    g->h = hart_new(0, &c,
                    &(struct hart_wiring){ g->mem, g->loop, g->devs, g->points,
                                           g->blocks, g->tables });
    hart_time(g->h, rig_mtime, rig_to_ns, g);
    loop_virtual_clock(g->loop, rig_now, g);
    g->h->pc = CODE;
    csr_poke(g->h, 0x305, TRAPS);
    poke32(g, TRAPS, 0x0000006f); /* j . */
    return g;
}

static inline void rig_free(struct rig *g)
{
    devs_free(g->devs);
    blocks_free(g->blocks);
    tables_free(g->tables);
    points_free(g->points);
    mem_free(g->mem);
    loop_free(g->loop);
    free(g);
}

/* Puts a program of n words at CODE and the hart in front of it. */
#define PROGRAM(g, ...)                                                        \
    rig_program(g, (const uint32_t[]){ __VA_ARGS__ },                          \
                sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static inline void rig_program(struct rig *g, const uint32_t *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        poke32(g, CODE + 4 * i, word[i]);
    g->h->pc = CODE;
}

static inline uint64_t csr(struct rig *g, const char *name)
{
    uint64_t v = 0;

    cr_assert(csr_peek(g->h, (unsigned)csr_number(name), &v), "%s", name);
    return v;
}

static inline void set_csr(struct rig *g, const char *name, uint64_t v)
{
    cr_assert(csr_poke(g->h, (unsigned)csr_number(name), v), "%s", name);
}

/* In mode priv from now on, as after an mret. */
static inline void set_priv(struct rig *g, unsigned priv)
{
    g->h->priv = (uint8_t)priv;
    mmu_context_changed(g->h);
}

/* PMP lets everything through. */
static inline void open_pmp(struct rig *g)
{
    if (!g->h->cpu.pmp)
        return;
    set_csr(g, "pmpaddr0", UINT64_MAX);
    set_csr(g, "pmpcfg0", 0x1f);
}

/* Instructions ---------------------------------------------------------------*/

enum { ECALL = 0x73, EBREAK = 0x100073, MRET = 0x30200073, SRET = 0x10200073 };
enum { WFI = 0x10500073, NOP = 0x13, SFENCE_VMA = 0x12000073 };
enum { C_NOP2 = 0x00010001, FENCE_I = 0x100f };

static inline uint32_t i_csr(unsigned funct3, unsigned rd, unsigned csr_number,
                             unsigned rs1)
{
    return csr_number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73;
}

static inline uint32_t csrrw(unsigned rd, unsigned n, unsigned rs1)
{
    return i_csr(1, rd, n, rs1);
}

static inline uint32_t csrrs(unsigned rd, unsigned n, unsigned rs1)
{
    return i_csr(2, rd, n, rs1);
}

static inline uint32_t csrrc(unsigned rd, unsigned n, unsigned rs1)
{
    return i_csr(3, rd, n, rs1);
}

static inline uint32_t addi(unsigned rd, unsigned rs1, int imm)
{
    return (uint32_t)imm << 20 | rs1 << 15 | rd << 7 | 0x13;
}

/* funct3: 0 lb, 1 lh, 2 lw, 3 ld, 4 lbu ... */
static inline uint32_t load(unsigned funct3, unsigned rd, unsigned rs1)
{
    return rs1 << 15 | funct3 << 12 | rd << 7 | 0x03;
}

static inline uint32_t store(unsigned funct3, unsigned rs2, unsigned rs1)
{
    return rs2 << 20 | rs1 << 15 | funct3 << 12 | 0x23;
}

#endif
