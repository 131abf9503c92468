/* SPDX-License-Identifier: MIT */
/*
 * ops_atomic.c - Zalrsc, Zaamo, Zabha, Zacas.
 *
 * One host thread runs all harts in turns that end between instructions, so
 * every instruction is atomic as it is, and aq and rl have nothing to do.
 *
 * Source: volume I, chapters "A", "Zacas", "Zabha".
 */
#include <string.h>

#include "emu/bus/mem.h"
#include "emu/hart/interp.h"
#include "emu/hart/mmu.h"
#include "emu/hart/trap.h"

#define COLD static __attribute__((noinline, cold)) const struct insn *

static const struct insn *go_on(struct hart *h, const struct insn *i)
{
    if (h->attention)
        return leave(h, i);
    NEXT;
}

static uint64_t sign_extend(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(v << shift) >> shift);
}

static bool misaligned(uint64_t va, unsigned size) { return va & (size - 1); }

/* Load reserved, store conditional ----------------------------------------- */

/*
 * The reservation is a physical address and the value that was there. sc
 * succeeds if that value is there (again): nothing has to watch stores. What
 * ends a reservation besides: sc, a trap, xret, another hart's turn.
 */
COLD load_reserved(struct hart *h, const struct insn *i, unsigned size)
{
    uint64_t va = X(rs1), pa, v;
    enum mmu_result r;

    h->at = i;
    if (misaligned(va, size))
        return trap(h, i, CAUSE_LOAD_MISALIGNED, va);
    r = mmu_atomic(h, i, va, size, ACCESS_READ, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    if (!mem_read(h->mem, pa, size, &v, NULL))
        return trap(h, i, CAUSE_LOAD_ACCESS, va);
    h->reserved_addr = pa;
    h->reserved_value = sign_extend(v, size);
    SET_RD(h->reserved_value);
    return go_on(h, i);
}

COLD store_conditional(struct hart *h, const struct insn *i, unsigned size)
{
    uint64_t va = X(rs1), pa;
    enum mmu_result r;

    h->at = i;
    if (misaligned(va, size))
        return trap(h, i, CAUSE_STORE_MISALIGNED, va);
    if (h->reserved_addr == UINT64_MAX) {
        SET_RD(1);
        NEXT;
    }
    r = mmu_atomic(h, i, va, size, ACCESS_WRITE | ACCESS_COND, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    bool holds = mmu_reserved(h, pa, size);
    h->reserved_addr = UINT64_MAX;
    if (holds && !mem_write(h->mem, pa, size, X(rs2), NULL))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    SET_RD(!holds);
    return go_on(h, i);
}

OP(lr_w) { return load_reserved(h, i, 4); }
OP(lr_d) { return load_reserved(h, i, 8); }
OP(sc_w) { return store_conditional(h, i, 4); }
OP(sc_d) { return store_conditional(h, i, 8); }

/* AMOs ------------------------------------------------------------------------ */

/* What is stored: of the value that was there and rs2's. */
typedef uint64_t amo_fn(uint64_t old, uint64_t src);

COLD slow_amo(struct hart *h, const struct insn *i, unsigned size, amo_fn *fn)
{
    uint64_t va = X(rs1), pa, old;
    enum mmu_result r;

    h->at = i;
    if (misaligned(va, size))
        return trap(h, i, CAUSE_STORE_MISALIGNED, va);
    r = mmu_atomic(h, i, va, size, ACCESS_READ | ACCESS_WRITE, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    if (!mem_read(h->mem, pa, size, &old, NULL) ||
        !mem_write(h->mem, pa, size, fn(old, X(rs2)), NULL))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    SET_RD(sign_extend(old, size));
    return go_on(h, i);
}

/* A page that may be written may be read. */
#define AMO(name, type, new_value)                                             \
    static inline uint64_t amo_##name(uint64_t old, uint64_t src)              \
    {                                                                          \
        type a = (type)old, b = (type)src;                                     \
                                                                               \
        (void)a;                                                               \
        return (uint64_t)(new_value);                                          \
    }                                                                          \
                                                                               \
    OP(name)                                                                   \
    {                                                                          \
        uint64_t va = X(rs1);                                                  \
        const struct tlb_entry *e = tlb_data(h, va);                           \
        type old, new;                                                         \
                                                                               \
        if (__builtin_expect(e->write != tlb_tag(va, sizeof old), 0))          \
            return slow_amo(h, i, sizeof old, amo_##name);                     \
        void *host = tlb_host(e, va);                                          \
        memcpy(&old, host, sizeof old);                                        \
        new = (type)amo_##name((uint64_t)old, X(rs2));                         \
        memcpy(host, &new, sizeof new);                                        \
        SET_RD(sign_extend((uint64_t)old, sizeof old));                        \
        NEXT;                                                                  \
    }

#define AMOS(suffix, bits)                                                     \
    AMO(amoswap_##suffix, uint##bits##_t, b)                                   \
    AMO(amoadd_##suffix, uint##bits##_t, a + b)                                \
    AMO(amoxor_##suffix, uint##bits##_t, a ^ b)                                \
    AMO(amoand_##suffix, uint##bits##_t, a &b)                                 \
    AMO(amoor_##suffix, uint##bits##_t, a | b)                                 \
    AMO(amomin_##suffix, int##bits##_t, a < b ? a : b)                         \
    AMO(amomax_##suffix, int##bits##_t, a > b ? a : b)                         \
    AMO(amominu_##suffix, uint##bits##_t, a < b ? a : b)                       \
    AMO(amomaxu_##suffix, uint##bits##_t, a > b ? a : b)

AMOS(b, 8)
AMOS(h, 16)
AMOS(w, 32)
AMOS(d, 64)

/* Zacas: rd holds the expected value and gets the one found ------------------- */

COLD compare_and_swap(struct hart *h, const struct insn *i, unsigned size)
{
    uint64_t expected = i->rd == X_SINK ? 0 : X(rd);
    uint64_t va = X(rs1), pa, old;
    enum mmu_result r;

    h->at = i;
    if (misaligned(va, size))
        return trap(h, i, CAUSE_STORE_MISALIGNED, va);
    r = mmu_atomic(h, i, va, size, ACCESS_READ | ACCESS_WRITE, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    if (!mem_read(h->mem, pa, size, &old, NULL))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    old = sign_extend(old, size);
    if (old == sign_extend(expected, size) &&
        !mem_write(h->mem, pa, size, X(rs2), NULL))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    SET_RD(old);
    return go_on(h, i);
}

OP(amocas_b) { return compare_and_swap(h, i, 1); }
OP(amocas_h) { return compare_and_swap(h, i, 2); }
OP(amocas_w) { return compare_and_swap(h, i, 4); }
OP(amocas_d) { return compare_and_swap(h, i, 8); }

/* A pair of registers; the pair x0, x1 reads as 0 and is not written. */
struct pair {
    uint64_t low, high;
};

static struct pair read_pair(const struct hart *h, unsigned r)
{
    if (r == 0 || r == X_SINK)
        return (struct pair){ 0, 0 };
    return (struct pair){ h->x[r], h->x[r + 1] };
}

static bool load_pair(struct hart *h, uint64_t pa, struct pair *v)
{
    return mem_read(h->mem, pa, 8, &v->low, NULL) &&
           mem_read(h->mem, pa + 8, 8, &v->high, NULL);
}

static bool store_pair(struct hart *h, uint64_t pa, struct pair v)
{
    return mem_write(h->mem, pa, 8, v.low, NULL) &&
           mem_write(h->mem, pa + 8, 8, v.high, NULL);
}

OP(amocas_q)
{
    struct pair expected = read_pair(h, i->rd), old;
    uint64_t va = X(rs1), pa;
    enum mmu_result r;

    h->at = i;
    if (misaligned(va, 16))
        return trap(h, i, CAUSE_STORE_MISALIGNED, va);
    r = mmu_atomic(h, i, va, 16, ACCESS_READ | ACCESS_WRITE, &pa);
    if (r != MMU_OK)
        return mmu_left(i, r);
    if (!load_pair(h, pa, &old))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    if (old.low == expected.low && old.high == expected.high &&
        !store_pair(h, pa, read_pair(h, i->rs2)))
        return trap(h, i, CAUSE_STORE_ACCESS, va);
    if (i->rd != X_SINK) {
        h->x[i->rd] = old.low;
        h->x[i->rd + 1] = old.high;
    }
    return go_on(h, i);
}
