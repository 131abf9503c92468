/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what the demo kernel does in M mode: it builds the page table,
 * hands interrupts and exceptions down to S mode, and leaves for good.
 *
 * This file is linked where it is loaded; the kernel proper is linked HIGH.
 */
#include "board/demo/layout.h"

#define write_csr(name, v) asm volatile("csrw " #name ", %0" : : "r"(v))
#define set_csr(name, v)   asm volatile("csrs " #name ", %0" : : "r"(v))

/* Page table entries (privileged manual, section "Sv39"). */
enum {
    PTE_V = 1,
    PTE_R = 2,
    PTE_W = 4,
    PTE_X = 8,
    PTE_U = 16,
    PTE_G = 32,
    PTE_A = 64,
    PTE_D = 128,
    ENTRIES = 512,
};
enum { MSTATUS_MPP_S = 1 << 11, MEDELEG_FROM_BELOW = 0xb1ff };
#define SATP_SV39    (8ul << 60)
#define MENVCFG_STCE (1ul << 63) /* S mode has a timer of its own: Sstc */

typedef unsigned long table[ENTRIES];
static table root __attribute__((aligned(PAGE)));
static table middle __attribute__((aligned(PAGE)));
static table leaf __attribute__((aligned(PAGE)));

char machine_stacks[MAX_HARTS][STACK_SIZE] __attribute__((aligned(16)));
static volatile int table_is_built;

/* From demo.ld: where the tasks are in RAM. */
extern char user_text_start[], user_data_start[], user_end[];

static unsigned long entry(const void *physical, int bits)
{
    return (unsigned long)physical / PAGE << 10 | bits | PTE_V;
}

/* The kernel's half: two pages of 1 GiB, devices and RAM. */
static void map_kernel(void)
{
    enum { FIRST = HIGH >> 30 & (ENTRIES - 1), GIB = 1 << 30 };
    const int bits = PTE_R | PTE_W | PTE_G | PTE_A | PTE_D;

    root[FIRST + 0] = entry((void *)0, bits);
    root[FIRST + 2] = entry((void *)(2ul * GIB), bits | PTE_X);
}

/* The tasks' half: pages of 4 KiB, code first, then what can be written. */
static void map_tasks(void)
{
    root[0] = entry(middle, 0);
    middle[0] = entry(leaf, 0);
    int n = USER / PAGE;
    for (char *p = user_text_start; p < user_data_start; p += PAGE)
        leaf[n++] = entry(p, PTE_R | PTE_X | PTE_U | PTE_A);
    for (char *p = user_data_start; p < user_end; p += PAGE)
        leaf[n++] = entry(p, PTE_R | PTE_W | PTE_U | PTE_A | PTE_D);
}

/* Hart 0 builds the table for all; the others wait for it. */
static void build_table(unsigned long hart)
{
    if (hart == 0) {
        map_kernel();
        map_tasks();
        __atomic_store_n(&table_is_built, 1, __ATOMIC_RELEASE);
    }
    while (!__atomic_load_n(&table_is_built, __ATOMIC_ACQUIRE))
        ;
}

void machine_main(unsigned long hart)
{
    build_table(hart);

    /* S and U mode may touch all of memory: one region, everything. */
    write_csr(pmpaddr0, -1ul >> 10);
    write_csr(pmpcfg0, 0x1ful);

    write_csr(medeleg, (unsigned long)MEDELEG_FROM_BELOW);
    write_csr(mideleg, 0x222ul);
    write_csr(mcounteren, 7ul);
    set_csr(0x30a, MENVCFG_STCE); /* menvcfg */

    write_csr(satp, SATP_SV39 | (unsigned long)root / PAGE);
    asm volatile("sfence.vma" : : : "memory");
    set_csr(mstatus, (unsigned long)MSTATUS_MPP_S);
}
