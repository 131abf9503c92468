/* SPDX-License-Identifier: MIT */
/*
 * csr.h - control and status registers, from csr.def.
 *
 * A row of csr.def: number, name, the extension it needs, where its value
 * lives or which functions read and write it, and its writable bits. Least
 * privilege and read-only are in the number (privileged manual, table 3).
 */
#ifndef EMU_HART_CSR_H
#define EMU_HART_CSR_H

#include "emu/hart/hart.h"

/* Does the CSR exist for this hart (extensions, PMP, counters)? */
bool csr_exists(const struct hart *h, unsigned number);
const char *csr_name(unsigned number); /* NULL when not in the table */
int csr_number(const char *name);      /* -1 */

/* A guest's access: checks privilege, counteren, TVM, FS, Sstc... False: the
 * instruction is illegal. */
bool csr_read(struct hart *h, unsigned number, uint64_t *v);
bool csr_write(struct hart *h, unsigned number, uint64_t v);
bool csr_allowed(struct hart *h, unsigned number, bool write);

/* A debugger's access: no privilege, no side effects on reading; WARL on
 * writing. False when there is no such CSR. */
bool csr_peek(struct hart *h, unsigned number, uint64_t *v);
bool csr_poke(struct hart *h, unsigned number, uint64_t v);

/* After a poke or load: caches, context, timers follow the CSRs again. */
void csr_changed(struct hart *h);

/* What a reset does to CSRs: facts/virt-machine.md section 4. Others keep
 * their values (at start they are 0). Ends with csr_changed. */
void csr_reset(struct hart *h);

/* h->stimer's callback: stimecmp is reached. */
void csr_stimer(void *hart);

/* mip as it reads: software's and the devices' bits, and the lines. */
static inline uint64_t csr_mip(const struct hart *h)
{
    return h->mip | h->mip_line;
}

/*
 * Counters that may raise an interrupt (Sscofpmf) and the guest's icount
 * triggers want to be looked at after a number of steps that is known
 * beforehand: hart_run does no more than csr_due(h) steps at a time (0: look
 * now, before any), and calls csr_look(h) after as many, between blocks.
 */
uint64_t csr_due(struct hart *h); /* UINT64_MAX: never */
void csr_look(struct hart *h);

/* The stack of FS/SD and the fields others need. */
enum {
    MSTATUS_SIE = 1 << 1,
    MSTATUS_MIE = 1 << 3,
    MSTATUS_SPIE = 1 << 5,
    MSTATUS_UBE = 1 << 6,
    MSTATUS_MPIE = 1 << 7,
    MSTATUS_SPP = 1 << 8,
    MSTATUS_MPP = 3 << 11,
    MSTATUS_FS = 3 << 13,
    MSTATUS_MPRV = 1 << 17,
    MSTATUS_SUM = 1 << 18,
    MSTATUS_MXR = 1 << 19,
    MSTATUS_TVM = 1 << 20,
    MSTATUS_TW = 1 << 21,
    MSTATUS_TSR = 1 << 22,
    SSTATUS_BITS = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS |
                   MSTATUS_SUM | MSTATUS_MXR,
};
#define MSTATUS_UXL (UINT64_C(2) << 32)
#define MSTATUS_SXL (UINT64_C(2) << 34)
#define MSTATUS_SD  (UINT64_C(1) << 63)

enum { CSR_SSTATUS = 0x100, CSR_MIP = 0x344 };

/* Bits of menvcfg and senvcfg. */
enum {
    ENVCFG_FIOM = 1,
    ENVCFG_CBIE = 3 << 4, /* Zicbom, Zicboz */
    ENVCFG_CBCFE = 1 << 6,
    ENVCFG_CBZE = 1 << 7,
};

#endif
