/* SPDX-License-Identifier: MIT */
/*
 * ops_mem.c - loads and stores, integer and floating point; cache blocks.
 *
 * The fast path is one compare with the TLB's tag, which an access that is
 * misaligned or needs any attention does not match. Everything else is in
 * cold functions behind a tail call, so that the ops keep no stack frame.
 */
#include <string.h>

#include "emu/bus/mem.h"
#include "emu/hart/csr.h"
#include "emu/hart/fp.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/trap.h"

#define COLD static __attribute__((noinline, cold)) const struct insn *

#define VA (X(rs1) + (uint64_t)i->imm)

/* What a load does with the bytes that it read. */
typedef void put_fn(struct hart *h, const struct insn *i, uint64_t v);

/* After a slow path that went well. */
static const struct insn *go_on(struct hart *h, const struct insn *i)
{
    if (h->attention)
        return leave(h, i);
    NEXT;
}

COLD slow_load(struct hart *h, const struct insn *i, unsigned size, put_fn *put)
{
    uint64_t v = 0;
    enum mmu_result r;

    h->at = i;
    r = mmu_load(h, i, VA, size, &v);
    if (r != MMU_OK)
        return mmu_left(i, r);
    put(h, i, v);
    return go_on(h, i);
}

COLD slow_store(struct hart *h, const struct insn *i, unsigned size, uint64_t v)
{
    enum mmu_result r;

    h->at = i;
    r = mmu_store(h, i, VA, size, v);
    return r == MMU_OK ? go_on(h, i) : mmu_left(i, r);
}

#define LOAD(name, type, put, enabled)                                         \
    OP(name)                                                                   \
    {                                                                          \
        uint64_t va = VA;                                                      \
        const struct tlb_entry *e = tlb_data(h, va);                           \
        type v;                                                                \
                                                                               \
        if (!(enabled))                                                        \
            return trap(h, i, CAUSE_ILLEGAL, i->raw);                          \
        if (__builtin_expect(e->read != tlb_tag(va, sizeof v), 0))             \
            return slow_load(h, i, sizeof v, put);                             \
        memcpy(&v, tlb_host(e, va), sizeof v);                                 \
        put(h, i, (uint64_t)v);                                                \
        NEXT;                                                                  \
    }

#define STORE(name, type, value, enabled)                                      \
    OP(name)                                                                   \
    {                                                                          \
        uint64_t va = VA;                                                      \
        const struct tlb_entry *e = tlb_data(h, va);                           \
        type v = (type)(value);                                                \
                                                                               \
        if (!(enabled))                                                        \
            return trap(h, i, CAUSE_ILLEGAL, i->raw);                          \
        if (__builtin_expect(e->write != tlb_tag(va, sizeof v), 0))            \
            return slow_store(h, i, sizeof v, v);                              \
        memcpy(tlb_host(e, va), &v, sizeof v);                                 \
        NEXT;                                                                  \
    }

/* Integer ------------------------------------------------------------------ */

#define PUT(name, value)                                                       \
    static inline void put_##name(struct hart *h, const struct insn *i,        \
                                  uint64_t v)                                  \
    {                                                                          \
        SET_RD(value);                                                         \
    }

PUT(b, (int8_t)v)
PUT(h, (int16_t)v)
PUT(w, (int32_t)v)
PUT(x, v)

LOAD(lb, uint8_t, put_b, true)
LOAD(lh, uint16_t, put_h, true)
LOAD(lw, uint32_t, put_w, true)
LOAD(ld, uint64_t, put_x, true)
LOAD(lbu, uint8_t, put_x, true)
LOAD(lhu, uint16_t, put_x, true)
LOAD(lwu, uint32_t, put_x, true)

STORE(sb, uint8_t, X(rs2), true)
STORE(sh, uint16_t, X(rs2), true)
STORE(sw, uint32_t, X(rs2), true)
STORE(sd, uint64_t, X(rs2), true)

/* Floating point: narrow values are boxed when read, not looked at when
 * written (volume I, chapter "D", "NaN boxing"). ----------------------------- */

#define PUT_F(name, value)                                                     \
    static inline void put_f##name(struct hart *h, const struct insn *i,       \
                                   uint64_t v)                                 \
    {                                                                          \
        h->f[i->rd] = (value);                                                 \
        fp_dirty(h);                                                           \
    }

PUT_F(h, fp_box_h((uint16_t)v))
PUT_F(w, fp_box_s((uint32_t)v))
PUT_F(d, v)

LOAD(flh, uint16_t, put_fh, fp_enabled(h))
LOAD(flw, uint32_t, put_fw, fp_enabled(h))
LOAD(fld, uint64_t, put_fd, fp_enabled(h))

STORE(fsh, uint16_t, h->f[i->rs2], fp_enabled(h))
STORE(fsw, uint32_t, h->f[i->rs2], fp_enabled(h))
STORE(fsd, uint64_t, h->f[i->rs2], fp_enabled(h))

/* Cache blocks: there is no cache, but the rights are checked --------------- */

static bool cbo_allowed(const struct hart *h, uint64_t bits)
{
    if (h->priv < PRIV_M && !(h->menvcfg & bits))
        return false;
    return h->priv > PRIV_U || h->senvcfg & bits;
}

/* The block that rs1 points into; sizes are powers of two. */
static uint64_t block_of(uint64_t va, unsigned size)
{
    return va & ~(uint64_t)(size - 1);
}

COLD cbo_manage(struct hart *h, const struct insn *i, uint64_t bits)
{
    unsigned size = h->cpu.cbom_block;
    enum mmu_result r;

    if (!cbo_allowed(h, bits))
        return trap(h, i, CAUSE_ILLEGAL, i->raw);
    r = mmu_manage(h, i, block_of(X(rs1), size), size);
    return r == MMU_OK ? go_on(h, i) : mmu_left(i, r);
}

OP(cbo_inval) { return cbo_manage(h, i, ENVCFG_CBIE); }
OP(cbo_clean) { return cbo_manage(h, i, ENVCFG_CBCFE); }
OP(cbo_flush) { return cbo_manage(h, i, ENVCFG_CBCFE); }

OP(cbo_zero)
{
    unsigned size = h->cpu.cboz_block;
    uint64_t va = block_of(X(rs1), size), pa;
    const struct tlb_entry *e = tlb_data(h, va);
    enum mmu_result r;

    if (!cbo_allowed(h, ENVCFG_CBZE))
        return trap(h, i, CAUSE_ILLEGAL, i->raw);
    if (e->write == tlb_tag(va, 1)) {
        memset(tlb_host(e, va), 0, size);
        NEXT;
    }
    h->at = i;
    r = mmu_atomic(h, i, va, size, ACCESS_WRITE, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    for (unsigned n = 0; n < size; n += 8)
        if (!mem_write(h->mem, pa + n, 8, 0, NULL))
            return trap(h, i, CAUSE_STORE_ACCESS, X(rs1));
    return go_on(h, i);
}

/* Zicbop: hints. */
OP(prefetch_i) { NEXT; }
OP(prefetch_r) { NEXT; }
OP(prefetch_w) { NEXT; }
