/* SPDX-License-Identifier: MIT */
/*
 * registers.c - the one table of registers, by gdb's canonical numbers.
 *
 * Names and types follow the target description gdb's riscv-tdep.c accepts
 * (features org.gnu.gdb.riscv.cpu, fpu, virtual, csr).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "emu/debug/hub.h"
#include "emu/hart/agent.h"
#include "emu/hart/csr.h"
#include "emu/hart/fp.h"
#include "emu/hart/hart.h"
#include "emu/hart/mmu.h"

enum {
    NUM_PC = AGENT_PC,
    NUM_F = AGENT_F,
    NUM_CSR = AGENT_CSR,
    NUM_PRIV = AGENT_PRIV,
};

/* Columns: ABI name, plain name, type. */
static const char *const gprs[33][3] = {
    { "zero", "x0", "int" },    { "ra", "x1", "code_ptr" },
    { "sp", "x2", "data_ptr" }, { "gp", "x3", "data_ptr" },
    { "tp", "x4", "data_ptr" }, { "t0", "x5", "int" },
    { "t1", "x6", "int" },      { "t2", "x7", "int" },
    { "fp", "x8", "data_ptr" }, { "s1", "x9", "int" },
    { "a0", "x10", "int" },     { "a1", "x11", "int" },
    { "a2", "x12", "int" },     { "a3", "x13", "int" },
    { "a4", "x14", "int" },     { "a5", "x15", "int" },
    { "a6", "x16", "int" },     { "a7", "x17", "int" },
    { "s2", "x18", "int" },     { "s3", "x19", "int" },
    { "s4", "x20", "int" },     { "s5", "x21", "int" },
    { "s6", "x22", "int" },     { "s7", "x23", "int" },
    { "s8", "x24", "int" },     { "s9", "x25", "int" },
    { "s10", "x26", "int" },    { "s11", "x27", "int" },
    { "t3", "x28", "int" },     { "t4", "x29", "int" },
    { "t5", "x30", "int" },     { "t6", "x31", "int" },
    { "pc", NULL, "code_ptr" },
};

static const char *const fprs[32][2] = {
    { "ft0", "f0" },  { "ft1", "f1" },  { "ft2", "f2" },   { "ft3", "f3" },
    { "ft4", "f4" },  { "ft5", "f5" },  { "ft6", "f6" },   { "ft7", "f7" },
    { "fs0", "f8" },  { "fs1", "f9" },  { "fa0", "f10" },  { "fa1", "f11" },
    { "fa2", "f12" }, { "fa3", "f13" }, { "fa4", "f14" },  { "fa5", "f15" },
    { "fa6", "f16" }, { "fa7", "f17" }, { "fs2", "f18" },  { "fs3", "f19" },
    { "fs4", "f20" }, { "fs5", "f21" }, { "fs6", "f22" },  { "fs7", "f23" },
    { "fs8", "f24" }, { "fs9", "f25" }, { "fs10", "f26" }, { "fs11", "f27" },
    { "ft8", "f28" }, { "ft9", "f29" }, { "ft10", "f30" }, { "ft11", "f31" },
};

static void add(struct debug_hub *d, struct debug_reg r)
{
    d->regs = xrealloc(d->regs, (d->nregs + 1) * sizeof *d->regs);
    d->regs[d->nregs++] = r;
}

void registers_build(struct machine *m)
{
    struct debug_hub *d = m->debug;
    const struct hart *h = m->hart[0];

    for (unsigned n = 0; n <= NUM_PC; n++)
        add(d, (struct debug_reg){ gprs[n][0], gprs[n][1], gprs[n][2], n,
                                   DEBUG_GPR, 64, -1 });
    for (unsigned n = 0; n < 32 && ext_on(h->cpu.ext, EXT_F); n++)
        add(d, (struct debug_reg){ fprs[n][0], fprs[n][1], "riscv_double",
                                   NUM_F + n, DEBUG_FPR, 64, -1 });
    for (unsigned n = 0; n < 4096; n++)
        if (csr_name(n) && csr_exists(h, n))
            add(d, (struct debug_reg){ csr_name(n), NULL, "int", NUM_CSR + n,
                                       DEBUG_CSR, 64, (int)n });
    add(d, (struct debug_reg){ "priv", NULL, "int", NUM_PRIV, DEBUG_VIRTUAL, 64,
                               -1 });
}

const struct debug_reg *debug_regs(const struct machine *m, size_t *n)
{
    *n = m->debug->nregs;
    return m->debug->regs;
}

const struct debug_reg *debug_reg_named(const struct machine *m,
                                        const char *name)
{
    const struct debug_hub *d = m->debug;

    if (!strcmp(name, "s0"))
        name = "fp";
    for (size_t n = 0; n < d->nregs; n++)
        if (!strcmp(d->regs[n].name, name) ||
            (d->regs[n].alias && !strcmp(d->regs[n].alias, name)))
            return &d->regs[n];
    return NULL;
}

const struct debug_reg *debug_reg_numbered(const struct machine *m,
                                           unsigned number)
{
    const struct debug_hub *d = m->debug;

    for (size_t n = 0; n < d->nregs; n++)
        if (d->regs[n].number == number)
            return &d->regs[n];
    return NULL;
}

bool debug_reg_get(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t *v)
{
    return hart >= 0 && hart < m->harts &&
           agent_register(m->hart[hart], r->number, v);
}

static void write_priv(struct hart *h, uint64_t v)
{
    h->priv = (uint8_t)((v & 3) == 2 ? PRIV_S : v & 3);
    csr_changed(h);
}

void registers_write(struct machine *m, int hart, unsigned number, uint64_t v)
{
    const struct debug_reg *r = debug_reg_numbered(m, number);
    struct hart *h;

    if (!r || hart < 0 || hart >= m->harts)
        return;
    h = m->hart[hart];
    if (number == NUM_PC)
        h->pc = v & ~UINT64_C(1);
    else if (r->group == DEBUG_GPR && number)
        h->x[number] = v;
    else if (r->group == DEBUG_FPR)
        h->f[number - NUM_F] = v;
    else if (r->group == DEBUG_VIRTUAL)
        write_priv(h, v);
    else if (r->group == DEBUG_CSR)
        csr_poke(h, (unsigned)r->csr, v);
}

bool debug_reg_set(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t v)
{
    struct poke p = { .kind = POKE_REG, .addr = r->number, .value = v };

    if (hart < 0 || hart >= m->harts)
        return false;
    p.hart = (uint32_t)hart;
    return poke(m, &p, NULL, 0);
}
