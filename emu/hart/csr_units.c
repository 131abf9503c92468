/* SPDX-License-Identifier: MIT */
/* csr_units.c - CSRs of fcsr, PMP and triggers, and who this hart is. */
#include "emu/hart/csr_rows.h"
#include "emu/hart/fp.h"
#include "emu/hart/pmp.h"
#include "emu/hart/triggers.h"

/* Floating point --------------------------------------------------------------*/

NEED(fp) { return ext_on(h->cpu.ext, EXT_F); }

GET(fflags) { return fp_flags(h); }

SET(fflags)
{
    fp_set_flags(h, v & 31);
    fp_dirty(h);
}

GET(frm) { return h->frm; }

SET(frm)
{
    h->frm = v & 7;
    fp_dirty(h);
}

GET(fcsr) { return (uint64_t)h->frm << 5 | fp_flags(h); }

SET(fcsr)
{
    h->frm = v >> 5 & 7;
    fp_set_flags(h, v & 31);
    fp_dirty(h);
}

/* Identity --------------------------------------------------------------------*/

GET(mvendorid) { return h->cpu.mvendorid; }

GET(marchid) { return h->cpu.marchid; }

GET(mimpid) { return h->cpu.mimpid; }

GET(mhartid) { return h->hartid; }

GET(mconfigptr) { return 0; /* there is no configuration structure */ }

/* PMP -------------------------------------------------------------------------*/

NEED(pmp) { return h->cpu.pmp; }

NEED(smepmp)
{
    return csr_need_pmp(h, number) && ext_on(h->cpu.ext, EXT_SMEPMP);
}

/* pmpcfg0 and pmpcfg2 hold eight entries each; RV64 has no odd ones. */
GET(pmpcfg) { return h->pmpcfg[(number & 15) / 2]; }
SET(pmpcfg) { pmp_write_cfg(h, (number & 15) / 2, v); }
GET(pmpaddr) { return h->pmpaddr[number & 15]; }
SET(pmpaddr) { pmp_write_addr(h, number & 15, v); }

GET(mseccfg) { return h->mseccfg; }

SET(mseccfg) { pmp_write_mseccfg(h, v); }

/* Triggers --------------------------------------------------------------------*/

NEED(sdtrig) { return h->cpu.debug; }

GET(tselect) { return h->tselect; }

SET(tselect)
{
    if (v < TRIGGERS)
        h->tselect = v;
}

GET(tdata) { return trigger_read(h, number & 3); }
SET(tdata) { trigger_write(h, number & 3, v); }

GET(tinfo) { return trigger_info(h); }
