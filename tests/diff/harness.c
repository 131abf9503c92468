/* SPDX-License-Identifier: MIT */
/*
 * harness.c - runs a batch of random programs, and says how each ended.
 *
 * It lies at the start of RAM and runs in M mode; image.py puts the batch
 * behind it. A program is copied into the arena with its data and page tables,
 * starts from the state its record has, in its own mode, and ends with the
 * ecall at end_off, with too many traps, or with one outside of its code. A
 * trap elsewhere is noted and the program goes on with its next instruction.
 * One taken in S mode gets here by the stub that stvec points to: ecall, sret.
 *
 * A line per program on the UART: its number and a hash of registers, CSRs,
 * traps and the arena's pages; all of them written out for the one program
 * that the batch asks for. For directed tests: of every program the traps, and
 * what is not as it was before.
 */
#include <stdbool.h>
#include <stdint.h>

#define SAVE  ((uint64_t *)0x80020000)
#define BATCH ((const struct batch *)0x80030000)
#define ARENA ((uint8_t *)0x82000000)
#define UART  ((volatile uint8_t *)0x10000000)

/* How the arena was before a directed test. */
#define BEFORE ((uint64_t *)0x83000000)

enum { PAGE = 4096, NO_PROGRAM = -1, EVERY_CHANGE = -2 };

/* The arena's pages: code, the stub, data with random words in it, tables. */
enum { STUB = 2, DATA = 3, TABLES = 7 };

struct batch {
    uint64_t count, first; /* number of the first program */
    int64_t dumped;        /* index of the one to write out; or as above */
    uint64_t csrs;
    void (*read_csrs)(uint64_t *values);
    void (*write_csrs)(const uint64_t *values);
    const uint64_t *csr_masks; /* which bits are compared */
    uint64_t busy;             /* a second hart writes to the data pages */
    const struct program *program[];
};

struct program {
    uint64_t start, mstatus;
    uint64_t code_va, code_bytes, end_off, code_at, stub_va;
    uint64_t seed, pages; /* of the arena, tables included */
    uint64_t max_traps, fcsr;
    uint64_t lines; /* of mip: interrupts that devices raise; and from bit 16
                     * on, ticks of mtime until the timer's */
    uint64_t x[32], f[32];
    const uint64_t *csr;   /* what write_csrs wants */
    const uint8_t *starts; /* bit n: an instruction starts at code + 2 * n */
    const struct poke *poke;
};

struct poke { /* of the arena; one of 0 bytes is the last */
    uint32_t at, bytes;
    uint8_t data[];
};

void load_fp(const uint64_t *f, uint64_t fcsr);
uint64_t save_fp(uint64_t *f); /* returns fcsr */

static struct {
    uint64_t index, hash, traps;
    bool dump, changes; /* write out all; only what changed */
} now;

enum { MAX_CSRS = 128 };
static uint64_t csr_before[MAX_CSRS];

#define CSR_READ(name)                                                         \
    ({                                                                         \
        uint64_t v_;                                                           \
        __asm__ volatile("csrr %0, " #name : "=r"(v_));                        \
        v_;                                                                    \
    })
#define CSR_WRITE(name, v)                                                     \
    __asm__ volatile("csrw " #name ", %0" ::"rK"((uint64_t)(v)) : "memory")

/* Output ---------------------------------------------------------------------*/

static void put(char c)
{
    while (!(UART[5] & 0x20))
        ;
    UART[0] = (uint8_t)c;
}

static void put_text(const char *s)
{
    while (*s)
        put(*s++);
}

static void put_hex(uint64_t v)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[v >> shift & 15]);
}

static void put_decimal(uint64_t v)
{
    if (v >= 10)
        put_decimal(v / 10);
    put((char)('0' + v % 10));
}

static void note(const char *what, uint64_t n, uint64_t v)
{
    now.hash = (now.hash ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    now.hash ^= now.hash >> 29;
    if (!now.dump)
        return;
    put_text(what);
    put(' ');
    put_decimal(n);
    put(' ');
    put_hex(v);
    put('\n');
}

/* One word of the final state. */
static void note_final(const char *what, uint64_t n, uint64_t v, uint64_t was)
{
    if (!now.changes || v != was)
        note(what, n, v);
}

static void power_off(void)
{
    *(volatile uint32_t *)0x100000 = 0x5555;
    for (;;)
        ;
}

/* Where stvec points to; one for programs that delegate S mode's ecall; one
 * where the vector of interrupt 9 is. */
static void make_stubs(void)
{
    const uint32_t ecall = 0x00000073, ebreak = 0x00100073, sret = 0x10200073;
    uint32_t *stub = (uint32_t *)(ARENA + STUB * PAGE);

    stub[0] = stub[9] = ecall;
    stub[2] = ebreak;
    stub[1] = stub[3] = stub[10] = sret;
}

/* Before a program -------------------------------------------------------------*/

/* Pages of code are left alone: QEMU's stores to them take very long. */
static void fill(const struct program *p)
{
    uint64_t *word = (uint64_t *)ARENA, v = p->seed | 1;

    /* A directed test says what it needs. */
    for (uint64_t n = DATA * PAGE / 8; n < TABLES * PAGE / 8 && !now.changes;
         n++) {
        v ^= v << 13;
        v ^= v >> 7;
        v ^= v << 17;
        word[n] = v;
    }
    for (uint64_t n = TABLES * PAGE / 8; n < p->pages * PAGE / 8; n++)
        word[n] = 0;
}

static void poke(const struct poke *k)
{
    while (k->bytes) {
        for (uint32_t n = 0; n < k->bytes; n += 2)
            *(uint16_t *)(ARENA + k->at + n) = *(const uint16_t *)(k->data + n);
        k = (const void *)(k->data + (k->bytes + 7) / 8 * 8);
    }
}

static uint64_t mtimecmp_of(uint64_t lines)
{
    if (lines >> 16)
        return *(volatile uint64_t *)0x0200bff8 + (lines >> 16);
    return lines >> 7 & 1 ? 0 : UINT64_MAX;
}

/* External interrupts are the UART's, which can send; its number is 10. */
static void raise_lines(uint64_t lines)
{
    const uint64_t meip = lines >> 11 & 1, seip = lines >> 9 & 1;

    *(volatile uint32_t *)0x02000000 = lines >> 3 & 1;
    *(volatile uint64_t *)0x02004000 = mtimecmp_of(lines);
    *(volatile uint32_t *)0x0c000028 = 1;  /* priority */
    *(volatile uint32_t *)0x0c200004 = 10; /* completed */
    *(volatile uint32_t *)0x0c002000 = (uint32_t)meip << 10;
    *(volatile uint32_t *)0x0c002080 = (uint32_t)seip << 10;
    UART[1] = meip || seip ? 2 : 0;
}

/* What the program before it left behind must not matter. */
static void clean(void)
{
    uint32_t word;

    CSR_WRITE(mie, 0);
    CSR_WRITE(mip, 0);
    raise_lines(0);
    CSR_WRITE(satp, 0);
    CSR_WRITE(pmpcfg0, 0); /* an access across an edge fails even for M */
    CSR_WRITE(pmpcfg2, 0);
    CSR_WRITE(mtvec, 0x80000100);
    __asm__ volatile("sc.w zero, zero, %0; sfence.vma; fence.i" : "=A"(word));
}

static void remember_arena(const struct program *p)
{
    for (uint64_t n = DATA * PAGE / 8; n < p->pages * PAGE / 8; n++)
        BEFORE[n] = ((const uint64_t *)ARENA)[n];
}

static void prepare(const struct program *p)
{
    now.changes = BATCH->dumped == EVERY_CHANGE;
    now.dump = now.changes || now.index == (uint64_t)BATCH->dumped;
    clean();
    fill(p);
    poke(p->poke);
    if (now.changes)
        remember_arena(p);
    __asm__ volatile("fence.i");
    CSR_WRITE(mstatus, 0x6000);
    load_fp(p->f, p->fcsr);
    BATCH->write_csrs(p->csr);
    for (int n = 1; n < 32; n++)
        SAVE[n] = p->x[n];
    __asm__ volatile("sfence.vma");
    CSR_WRITE(mstatus, p->mstatus);
    CSR_WRITE(mepc, p->start);
    now.traps = 0;
    now.hash = 0;
    if (now.changes)
        BATCH->read_csrs(csr_before);
    raise_lines(p->lines);
}

/* After it ---------------------------------------------------------------------*/

static void note_csrs(void)
{
    static uint64_t values[MAX_CSRS];
    const uint64_t *mask = BATCH->csr_masks;

    BATCH->read_csrs(values);
    for (uint64_t n = 0; n < BATCH->csrs; n++)
        note_final("csr", n, values[n] & mask[n], csr_before[n] & mask[n]);
}

static void note_fp(const struct program *p)
{
    static uint64_t f[32];
    uint64_t fcsr;

    CSR_WRITE(mstatus, 0x6000);
    fcsr = save_fp(f);
    for (int n = 0; n < 32; n++)
        note_final("f", n, f[n], p->f[n]);
    note_final("fcsr", 0, fcsr, p->fcsr);
}

static void note_arena(const struct program *p)
{
    const uint64_t *word = (const uint64_t *)ARENA;

    for (uint64_t n = DATA * PAGE / 8; n < p->pages * PAGE / 8; n++)
        note_final("word", n, word[n], BEFORE[n]);
}

static void finish(const struct program *p)
{
    for (int n = 1; n < 32; n++)
        note_final("x", n, SAVE[n], p->x[n]);
    note_csrs();
    clean();
    note_fp(p);
    note_arena(p);
    put_decimal(BATCH->first + now.index);
    put(' ');
    put_hex(now.hash);
    put('\n');
}

static void next_program(void)
{
    if (now.index == BATCH->count)
        power_off();
    prepare(BATCH->program[now.index]);
}

void boot(void)
{
    make_stubs();
    next_program();
}

/* What may differ: see masks.py --------------------------------------------------*/

/* The aligned word's address where the bus says no; 0 for ebreak's own. */
static uint64_t loose_tval(uint64_t cause, uint64_t tval, uint64_t epc)
{
    if (cause == 5 || cause == 7)
        return tval & ~UINT64_C(7);
    return cause == 3 && tval == epc ? 0 : tval;
}

/* A load's cause for an AMO where there is no memory. */
static uint64_t loose_cause(const struct program *p, uint64_t cause,
                            uint64_t epc)
{
    uint64_t at = epc - p->code_va;
    const uint16_t *code = (const uint16_t *)(ARENA + p->code_at);
    uint32_t word;

    if (cause != 5 || at >= p->code_bytes)
        return cause;
    word = code[at / 2] | (uint32_t)code[at / 2 + 1] << 16;
    return (word & 0x7f) == 0x2f && word >> 27 != 2 ? 7 : cause;
}

static void loosen(const struct program *p)
{
    uint64_t cause = CSR_READ(mcause), epc = CSR_READ(mepc);

    cause = loose_cause(p, cause, epc);
    CSR_WRITE(mcause, cause);
    CSR_WRITE(mtval, loose_tval(cause, CSR_READ(mtval), epc));
    epc = CSR_READ(sepc);
    cause = loose_cause(p, CSR_READ(scause), epc);
    CSR_WRITE(scause, cause);
    CSR_WRITE(stval, loose_tval(cause, CSR_READ(stval), epc));
}

/* Traps ------------------------------------------------------------------------*/

/* Where the instruction behind the one at pc starts; false: nowhere. */
static bool next_start(const struct program *p, uint64_t pc, uint64_t *next)
{
    uint64_t at = pc - p->code_va;

    if (at >= p->code_bytes)
        return false;
    for (at = at / 2 + 1; at < p->code_bytes / 2; at++) {
        if (!(p->starts[at / 8] >> at % 8 & 1))
            continue;
        *next = p->code_va + 2 * at;
        return true;
    }
    return false;
}

/* A trap that was taken in S mode. */
static bool from_stub(const struct program *p)
{
    uint64_t scause = CSR_READ(scause), next = CSR_READ(sepc);

    note("scause", now.traps, scause);
    note("sepc", now.traps, next);
    note("stval", now.traps, CSR_READ(stval));
    if (scause >> 63)
        CSR_WRITE(mie, 0);
    else if (!next_start(p, next, &next))
        return false;
    CSR_WRITE(sepc, next);
    CSR_WRITE(mepc, p->stub_va + 4);
    return true;
}

/* mstatus.TSR forbids it. */
static void instead_of_sret(void)
{
    uint64_t status = CSR_READ(mstatus);

    status &= ~(uint64_t)0x1800;
    CSR_WRITE(mstatus, status | (status & 0x100) << 3);
    CSR_WRITE(mepc, CSR_READ(sepc));
}

/* Notes the trap and says whether the program goes on. */
static bool go_on(const struct program *p)
{
    uint64_t cause, epc = CSR_READ(mepc), next;

    if (!now.changes)
        loosen(p);
    cause = CSR_READ(mcause);
    note("mcause", now.traps, cause);
    note("mepc", now.traps, epc);
    note("mtval", now.traps, CSR_READ(mtval));
    note("mstatus", now.traps, CSR_READ(mstatus));
    if (++now.traps > p->max_traps || epc - p->code_va == p->end_off)
        return false;
    if (cause >> 63) {
        CSR_WRITE(mie, 0);
        return true;
    }
    if (epc == p->stub_va)
        return from_stub(p);
    if (epc == p->stub_va + 4) {
        instead_of_sret();
        return true;
    }
    if (!next_start(p, epc, &next))
        return false;
    CSR_WRITE(mepc, next);
    return true;
}

void on_trap(void)
{
    const struct program *p = BATCH->program[now.index];

    if (go_on(p))
        return;
    finish(p);
    now.index++;
    next_program();
}
