/* SPDX-License-Identifier: MIT */
/*
 * hart.h - one RISC-V hart: its state, and running it for a number of steps.
 *
 * A step is an instruction that retired or a synchronous exception that was
 * taken instead: T, the clock of the whole machine, is the sum of the steps
 * of all harts, so T also moves in a guest that only traps. minstret leaves
 * the exceptions out again. Taking an interrupt is not a step.
 *
 * The interpreter runs predecoded blocks (interp.h). Interrupts are looked at
 * when `attention` says so: after whatever may have changed them, at exactly
 * the next instruction boundary, wherever blocks begin and end.
 *
 * Source: RISC-V ISA manual, volumes I and II (20240411).
 */
#ifndef EMU_HART_HART_H
#define EMU_HART_HART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/bus/irq.h"
#include "emu/hart/cpu.h"
#include "emu/hart/insn.h"
#include "emu/hart/tables.h"

struct mem;
struct loop;
struct timer;
struct devs;
struct points;
struct blocks;
struct trans;
struct hart;

enum priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

enum {
    X_SINK = 32, /* rd of instructions that name x0: written, never read */
    PMP_ENTRIES = 16,
    HPM_COUNTERS = 29, /* mhpmcounter3..31 */
    TRIGGERS = 2,
#ifdef HOSTILE
    TLB_LEAST = 2, /* entries of a TLB; it grows where that is too few */
    TLB_MOST = 4,
    JUMP_ENTRIES = 1,
    SPACES = 2,
    SITES = 64,
    BLOCK_INSNS = 2,
#else
    TLB_LEAST = 2048,
    TLB_MOST = 32768,
    JUMP_ENTRIES = 65536,
    SPACES = 8, /* address spaces that are remembered, bare ones included */
    SITES = 1 << 18,
    BLOCK_INSNS = 64,
#endif
};

/* mip, mie, mideleg bits: 1 << IRQ_x. */
enum {
    IRQ_SSI = 1,
    IRQ_MSI = 3,
    IRQ_STI = 5,
    IRQ_MTI = 7,
    IRQ_SEI = 9,
    IRQ_MEI = 11,
    IRQ_LCOFI = 13,
};

enum cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

/* Why hart_run should look up from its work. */
enum {
    ATTN_IRQ = 1,   /* pending interrupts may have changed: check them */
    ATTN_YIELD = 2, /* go back to the machine: a deadline moved, a request */
    ATTN_STOP = 4,  /* a point was hit: see stop; go back to the machine */
    ATTN_CODE = 8,  /* code was written: leave the block, go on */
};

/*
 * A TLB entry maps one page for one translation context. A tag is the page's
 * virtual address, or TLB_NONE; host address = virtual address + addend. A
 * page that needs attention (device, watchpoint, code under stores, A or D
 * bit still to be set) has TLB_NONE and so always takes the slow path.
 */
#define TLB_NONE (~UINT64_C(0))
/* In a tag: but for watchpoints on parts of the page it were without it. */
#define TLB_WATCHED UINT64_C(0x800)
enum { TLB_SHIFT = 12 - 5 /* log2 of an entry's size */ };
struct tlb_entry {
    uint64_t read, write;
    uint64_t page; /* and ACCESS_ bits: the slow path has no right to these */
    uintptr_t addend;
};

/* What is known of an entry's page besides; as large as an entry, so that
 * translated code gets from one to the other by a constant. */
struct tlb_note {
    uint64_t pa;
    uint64_t parts; /* its 64th parts that are watched: see TLB_WATCHED */
    uint64_t leaf;  /* where its page-table entry is; 0: none, or a superpage */
    uint64_t next;  /* the one behind it in its list of tlb.of_page */
};

/* Translation contexts, each with TLBs of its own. */
enum { CTX_U, CTX_S, CTX_S_SUM, CTX_M, CTX_COUNT };

/* All that is remembered of one context under one satp, see tlb.h. */
struct tlb {
    struct tlb_entry entry[TLB_MOST];
    struct tlb_note note[TLB_MOST];
    /* Those of a physical page, by hash: n stands for entry n - 1, 0 for none.
     * Some were forgotten since. */
    uint16_t of_page[TLB_MOST];
    uint64_t index; /* of its entries: va >> TLB_SHIFT & this, in bytes */
    uint64_t evicted, since; /* pages that had to go for others, since when */
    uint64_t satp;           /* without the ASID */
    uint64_t used;           /* when, by h->mmu.switches; 0: it is free */
    uint64_t gen[2]; /* of jump entries, if it is for fetches: by GEN_LINEAR
                      * of the data context. Never 0 */
    struct hart *hart;
    struct table_use *uses;    /* the page tables it comes from */
    struct table_use *last[5]; /* by level: the last walk's, or NULL */
    uint32_t ctx;
    bool clean;   /* all entries are TLB_NONE */
    bool tangled; /* the root table is one of another level, too */
    uint8_t pad[2];
};

struct jump_entry {
    uint64_t pc;  /* virtual */
    uint64_t gen; /* valid while equal to hart's fetch_gen; or, with GEN_LOOK,
                   * for hart_find_block alone */
    struct block *block;
    const uint8_t *code; /* its translation, or fast.no_code; emu/trans */
};

/*
 * Ranges. In one, jump entries have a gen of their own with this bit, so that
 * no jump leads out of it unnoticed: they lead to blocks that end with it, and
 * to code that was translated for it.
 */
enum {
    GEN_LINEAR = 1,
    GEN_RANGE = 2,
    GEN_CTX = 4,
    GEN_LOOK = 16, /* a breakpoint is to be looked at before its block is run */
    GEN_STEP = 32
};
/* Only within one of these a block's code stays the same. */
enum { GEN_KIND = GEN_LINEAR | 3 * GEN_CTX };
struct hart_range {
    uint64_t from, to;  /* pc is to stay in [from, to); 0, 0: anywhere */
    uint64_t last[2];   /* the one before, */
    uint64_t gen, base; /* its gen, and that of its context without it */
};

/*
 * Where an access in translated code may go without asking: an aligned block of
 * addresses, as large as the code says; or TLB_NONE. Nobody but translated code
 * has sites; whoever takes rights out of a TLB empties all of them
 * (sites_forget).
 */
typedef uint64_t site_block;

/* Few of them are ever touched. */
struct sites {
    site_block site[SITES];
    int32_t misses[SITES];  /* how many more are nothing special */
    uint32_t filled[SITES]; /* offsets in site[] of those with a block */
};

/* What translated code (emu/trans) keeps in the hart. */
struct hart_fast {
    struct trans *trans;
    const uint8_t *no_code; /* leads back to it */
    uint64_t budget; /* at entry and exit: steps left, less CODE_MARGIN */
    uint64_t constant[6][2]; /* operands of FP instructions */
    uint32_t mxcsr, mxcsr_clean;
    int32_t delta;   /* linear contexts: host address = virtual + delta */
    uint32_t linear; /* there are such: see mmu_linear */
    uint32_t fp;     /* FP registers are in the host's: 1; will be again: 2 */
    uint32_t filled; /* how many of sites' filled there are */
    uint64_t fills;  /* of sites; and how often they were emptied */
    uint64_t forgotten;
    uint64_t lost;     /* times that rights were taken from a TLB */
    struct code *torn; /* a group of it, at torn_k, had to be left */
    uint32_t torn_k;
    uint64_t addend[4]; /* of groups' pages, within a translation */
};

/* mmu.c's and tlb.c's own. Rebuilt by csr_changed. */
struct mmu_cache {
    struct tlb *here[CTX_COUNT]; /* of the present satp */
    uint64_t switches;
    uint64_t pmp_first[PMP_ENTRIES], pmp_last[PMP_ENTRIES]; /* inclusive */
};

/* What stopped a hart in the middle of things; for the machine to report. */
enum hart_stop_kind {
    HART_STOP_NONE,
    HART_STOP_BREAK, /* before the instruction at pc */
    HART_STOP_WATCH, /* before the access to addr */
    HART_STOP_CATCH, /* look.h says where that is */
    HART_STOP_SEMIHOST,
};

/* What skip_points says: both kinds, or breakpoints alone. */
enum { SKIP_ALL = 1, SKIP_BREAKS = 2 };

struct hart_stop {
    uint64_t addr; /* virtual; CATCH: a cause, a CSR's number */
    uint64_t pa;   /* WATCH, CATCH of a place; BREAK by a physical point */
    const struct point *point;
    uint32_t kind;    /* enum hart_stop_kind */
    uint32_t access;  /* POINT_ bits of the access that was watched */
    uint32_t event;   /* CATCH: one of POINT_CATCH */
    uint8_t from, to; /* CATCH: modes before and after it */
    bool walker;      /* WATCH: the page-table walker sets A or D at pa */
};

struct trigger {
    uint64_t tdata1, tdata2, tdata3;
};

struct hart {
    /* What every instruction touches. */
    uint64_t x[33];     /* x[X_SINK]: where writes to x0 go */
    uint64_t pc;        /* within a block: the address of its first byte */
    uint64_t f[32];     /* NaN-boxed */
    uint64_t steps;     /* done before the present block */
    uint32_t attention; /* ATTN_ bits; leave the block when not 0 */
    uint8_t priv;       /* enum priv */
    uint8_t waiting;    /* wfi: until an enabled interrupt is pending */
    uint8_t frm;
    uint8_t fflags;             /* always exact, see fp.h */
    struct tlb_entry *data_tlb; /* of the present data context, */
    uint64_t data_index;        /* and its index */
    struct tlb *fetch_tlb;      /* of the present fetch context */
    const struct insn *at;      /* within a block: the insn in a slow path */
    const struct block *block;  /* the block that is running, else NULL */
    uint64_t fetch_gen;         /* key of jump entries of this context */

    /* Machine and supervisor state, in the manual's order. */
    uint64_t mstatus, medeleg, mideleg, mie, mtvec, mcounteren, menvcfg;
    uint64_t mcountinhibit, mscratch, mepc, mcause, mtval;
    uint64_t mip;      /* software-writable and device bits */
    uint64_t mip_line; /* SEIP as the PLIC drives it */
    uint64_t stvec, scounteren, senvcfg, sscratch, sepc, scause, stval, satp;
    uint64_t stimecmp, mseccfg, tselect, mcontext;
    uint64_t pmpcfg[2];
    uint64_t pmpaddr[PMP_ENTRIES];
    uint64_t mhpmevent[HPM_COUNTERS];
    uint64_t hpm_offset[HPM_COUNTERS]; /* counter = count + offset */
    uint64_t mcycle_offset, minstret_offset;
    uint64_t exceptions; /* steps that were no instruction */
    uint64_t hpm_armed;  /* bit n: counter n will overflow: not set to 0 */
    struct trigger trigger[TRIGGERS];
    uint64_t interrupted_at; /* steps, when the last interrupt was taken */
    uint64_t reserved_addr;  /* lr: physical address, UINT64_MAX: none */
    uint64_t reserved_value; /* what lr read, for sc's compare */
    uint64_t hartid;

    /* Host side: wiring, caches, debugging; not state. */
    struct cpu_config cpu;
    struct mem *mem;
    struct loop *loop;
    struct points *points; /* shared by all harts */
    struct blocks *blocks; /* shared by all harts */
    struct tables *tables; /* shared by all harts */
    struct timer *stimer;  /* fires when stimecmp is reached */
    uint64_t (*mtime)(void *opaque);
    void *mtime_opaque;
    int64_t (*mtime_to_ns)(void *opaque, uint64_t ticks);
    /* The privilege changes from what it is: by a trap of this cause, or, with
     * NULL, by a return. NULL: nobody looks. */
    void (*on_priv)(void *opaque, struct hart *h, const uint64_t *cause);
    void *on_priv_opaque;
    /* A semihosting ebreak: handled (true) or an ordinary breakpoint. */
    bool (*semihost)(void *opaque, struct hart *h);
    void *semihost_opaque;
    uint64_t storing;        /* see ACCESS_VALUE */
    uint64_t same;           /* bit n: that leaves its byte n as it is */
    uint64_t stop_at;        /* steps at which hart_run has to return */
    struct hart_range range; /* of hart_run_range */
    uint64_t gen_next;       /* source of fetch_gen values: GEN_STEP */
    struct hart_stop stop;
    uint8_t skip_points; /* SKIP_: what the next instruction ignores */
    uint8_t masked;      /* a debugger steps: no interrupt is taken */
    uint8_t yielded;     /* the last run ended because it was asked to */
    uint8_t pad[5];
    uint32_t looking;     /* points_kinds: what to look for */
    uint32_t returns;     /* mret and sret that were done: time travel */
    uint32_t hpm_live;    /* mhpmcounters that count something; csr_changed */
    uint32_t icount_live; /* icount triggers that count the next step */
    struct hart_fast fast;
    struct mmu_cache mmu;
};

/* They stand behind the hart, of which restoring a state makes copies. */
struct hart_caches {
    struct jump_entry jump[JUMP_ENTRIES];
    /* The first one of each context is that without translation, M's. */
    struct tlb tlb[CTX_COUNT][SPACES];
    struct sites sites;
};

static inline struct hart_caches *hart_caches(struct hart *h)
{
    return (struct hart_caches *)(void *)(h + 1);
}

struct hart_wiring {
    struct mem *mem;
    struct loop *loop;
    struct devs *devs; /* the hart adds itself as "hartN" */
    struct points *points;
    struct blocks *blocks;
    struct tables *tables;
};

struct hart *hart_new(uint64_t hartid, const struct cpu_config *cpu,
                      const struct hart_wiring *w);
/* Freed by devs. */

/* The machine's time base (mtime in ticks) and the way back to virtual ns. */
void hart_time(struct hart *h, uint64_t (*mtime)(void *),
               int64_t (*to_ns)(void *, uint64_t ticks), void *opaque);

/* An input of the hart: n is IRQ_MSI, IRQ_MTI, IRQ_MEI, IRQ_SEI or IRQ_SSI. */
struct irq hart_irq(struct hart *h, int n);

/*
 * What a system reset does, and what it leaves alone (facts/virt-machine.md
 * section 4): GPRs, FPRs and most CSRs keep their values.
 */
void hart_reset(void *opaque); /* a hart */

/*
 * Runs until n steps are done, the hart waits, or attention asks for the
 * machine; returns the steps done. Exact: never one more than n.
 */
uint64_t hart_run(struct hart *h, uint64_t n);

/*
 * The same while pc is in [from, to), where it is now; it returns as soon as
 * an interrupt could be taken, too. No points may be skipped (skip_points).
 */
uint64_t hart_run_range(struct hart *h, uint64_t n, uint64_t from, uint64_t to);

/* Steps done, exact also from within a block (devices ask for the time). */
uint64_t hart_steps(const struct hart *h);

/* Would wfi end now? And is there an interrupt to take at pc? */
bool hart_wakes(const struct hart *h);
bool hart_interrupted(const struct hart *h);

/* Another hart runs next: ends a reservation that nobody watches over. */
void hart_yielded(struct hart *h);

/* Forget all decoded or cached translations of this hart. */
void hart_flush(struct hart *h);

#endif
