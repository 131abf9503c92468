/* SPDX-License-Identifier: MIT */
/*
 * ops_sys.c - CSR instructions, traps and returns, waiting, fences.
 *
 * Whatever may change what the next instruction is allowed to do or see ends
 * its block, and CSR instructions do so that counters are exact.
 */
#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/interp.h"
#include "emu/hart/look.h"
#include "emu/hart/mmu.h"
#include "emu/hart/points.h"
#include "emu/hart/trap.h"

#define ILLEGAL return trap(h, i, CAUSE_ILLEGAL, i->raw)

/* Zicsr -----------------------------------------------------------------------*/

/*
 * What set and clear work on: for mip without the interrupt lines, or the
 * line of an external interrupt would become software's bit (3.1.9).
 */
static uint64_t modify_base(const struct hart *h, unsigned number, uint64_t v)
{
    return number == CSR_MIP ? h->mip : v;
}

/* rd = x0 does not read. */
static uint32_t csr_access(const struct insn *i, bool write)
{
    return (i->rd == X_SINK && write ? 0 : POINT_READ) |
           (write ? POINT_WRITE : 0);
}

static const struct insn *csr_swap(struct hart *h, const struct insn *i,
                                   uint64_t v)
{
    unsigned number = i->imm & 0xfff;
    uint64_t old;

    if (!csr_allowed(h, number, true))
        ILLEGAL;
    if (look_csr(h, i, number, csr_access(i, true)))
        return i - 1;
    h->at = i;
    csr_peek(h, number, &old);
    csr_poke(h, number, v);
    h->x[i->rd] = old;
    return leave(h, i);
}

/* rs1 = x0, or the constant 0, does not write at all. */
static const struct insn *csr_modify(struct hart *h, const struct insn *i,
                                     uint64_t set, uint64_t clear)
{
    unsigned number = i->imm & 0xfff;
    bool write = i->rs1 != 0;
    uint64_t old;

    if (!csr_allowed(h, number, write))
        ILLEGAL;
    if (look_csr(h, i, number, csr_access(i, write)))
        return i - 1;
    h->at = i;
    csr_peek(h, number, &old);
    if (write)
        csr_poke(h, number, (modify_base(h, number, old) | set) & ~clear);
    h->x[i->rd] = old;
    return leave(h, i);
}

OP(csrrw) { return csr_swap(h, i, X(rs1)); }
OP(csrrs) { return csr_modify(h, i, X(rs1), 0); }
OP(csrrc) { return csr_modify(h, i, 0, X(rs1)); }
OP(csrrwi) { return csr_swap(h, i, i->rs1); }
OP(csrrsi) { return csr_modify(h, i, i->rs1, 0); }
OP(csrrci) { return csr_modify(h, i, 0, i->rs1); }

/* Traps and returns -----------------------------------------------------------*/

OP(ecall)
{
    static const uint8_t cause[] = { [PRIV_U] = CAUSE_ECALL_U,
                                     [PRIV_S] = CAUSE_ECALL_S,
                                     [PRIV_M] = CAUSE_ECALL_M };

    return trap(h, i, cause[h->priv], 0);
}

/* Semihosting's mark around an ebreak: slli x0,x0,31 and srai x0,x0,7, all
 * three uncompressed and in one page. */
static bool is_semihosting(const struct hart *h, const struct insn *i)
{
    uint64_t pa = h->block->pa + i->off;
    uint32_t before, after;

    if (i->len != 4 || pa % MEM_PAGE < 4 || pa % MEM_PAGE > MEM_PAGE - 8)
        return false;
    mem_peek(h->mem, pa - 4, &before, 4);
    mem_peek(h->mem, pa + 4, &after, 4);
    return before == 0x01f01013 && after == 0x40705013;
}

OP(ebreak)
{
    h->at = i;
    if (h->semihost && is_semihosting(h, i) &&
        h->semihost(h->semihost_opaque, h)) {
        if (h->stop.kind != HART_STOP_SEMIHOST)
            return leave(h, i);
        h->pc = PC; /* again, when the answer is there */
        return mmu_left(i, MMU_STOPPED);
    }
    return trap(h, i, CAUSE_BREAKPOINT, PC);
}

OP(mret)
{
    if (h->priv != PRIV_M)
        ILLEGAL;
    h->at = i;
    return jump_to(h, i, trap_mret(h));
}

OP(sret)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->mstatus & MSTATUS_TSR))
        ILLEGAL;
    h->at = i;
    return jump_to(h, i, trap_sret(h));
}

/* Waiting ---------------------------------------------------------------------*/

/* mstatus.TW = 1 makes waiting below M illegal; at once, not after a time. */
static bool may_wait(const struct hart *h)
{
    return h->priv == PRIV_M || !(h->mstatus & MSTATUS_TW);
}

/* wfi is done when the wait begins: pc is behind it while the hart waits. */
OP(wfi)
{
    if (h->priv == PRIV_U || !may_wait(h))
        ILLEGAL;
    h->waiting = !hart_wakes(h);
    return leave(h, i);
}

/* A wait for a store that may end at any time ends at once. */
OP(wrs_nto)
{
    if (!may_wait(h))
        ILLEGAL;
    return leave(h, i);
}

OP(wrs_sto) { return leave(h, i); }

OP(pause) { NEXT; }

/* Fences: one thread runs all harts in program order -----------------------------*/

OP(fence) { NEXT; }

/* Stores drop the code they overwrite: the block must end, that is all. */
OP(fence_i) { return leave(h, i); }

/* What harts remember of page tables follows them: tables.h. */
static const struct insn *fence_vma(struct hart *h, const struct insn *i)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && h->mstatus & MSTATUS_TVM))
        ILLEGAL;
    NEXT;
}

OP(sfence_vma) { return fence_vma(h, i); }
OP(sinval_vma) { return fence_vma(h, i); }

static const struct insn *fence_inval(struct hart *h, const struct insn *i)
{
    if (h->priv == PRIV_U)
        ILLEGAL;
    NEXT;
}

OP(sfence_w_inval) { return fence_inval(h, i); }
OP(sfence_inval_ir) { return fence_inval(h, i); }
