/* SPDX-License-Identifier: MIT */
/* csr_rows.h - the functions that csr.def names, shared by the csr_*.c. */
#ifndef EMU_HART_CSR_ROWS_H
#define EMU_HART_CSR_ROWS_H

#include "emu/hart/csr.h"

typedef bool csr_need_fn(const struct hart *h, unsigned number);
typedef uint64_t csr_get_fn(const struct hart *h, unsigned number);
typedef void csr_set_fn(struct hart *h, unsigned number, uint64_t v);

#define CSR(number, name, needs, get, set)                                     \
    csr_need_fn csr_need_##needs;                                              \
    csr_get_fn csr_get_##get;                                                  \
    csr_set_fn csr_set_##set;
#define CSR_STORED(number, name, needs, member, writable)                      \
    csr_need_fn csr_need_##needs;
#include "emu/hart/csr.def"
#undef CSR
#undef CSR_STORED

/* How they are written; most do not need all that they are told. */
#define UNUSED __attribute__((unused))
#define NEED(name)                                                             \
    bool csr_need_##name(UNUSED const struct hart *h, UNUSED unsigned number)
#define GET(name)                                                              \
    uint64_t csr_get_##name(UNUSED const struct hart *h, UNUSED unsigned number)
#define SET(name)                                                              \
    void csr_set_##name(UNUSED struct hart *h, UNUSED unsigned number,         \
                        UNUSED uint64_t v)

/* STIP and the timer behind it follow stimecmp, menvcfg.STCE and the time. */
void csr_stimer_update(struct hart *h);

#endif
