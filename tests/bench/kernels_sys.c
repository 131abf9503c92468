/* SPDX-License-Identifier: MIT */
/*
 * kernels_sys.c - what systems do: page tables, traps, code that is written.
 *
 * The host's versions do the same sums without any of it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/kernels.h"

enum { PAGE = 4096, PAGES = 2048, MORE = 8192 };
static uint8_t frames[MORE][PAGE] __attribute__((aligned(4096)));

static size_t pages; /* in use */

/* Which frame stands behind a page at first: any odd factor will do. */
static size_t first_frame(size_t page) { return page * 805 % pages; }

#ifdef __riscv
/*
 * Sv39: memory where it is, by one gigapage, and the frames once more, page
 * by page, from WINDOW on.
 */
#define WINDOW UINT64_C(0x40000000)
enum { V = 1, RWX = 14, A = 64, D = 128, LEAVES = 512 };
static uint64_t root[LEAVES] __attribute__((aligned(4096)));
static uint64_t middle[LEAVES] __attribute__((aligned(4096)));
static uint64_t leaves[MORE] __attribute__((aligned(4096)));

/* start.S: fn in S-mode under satp. */
uint64_t supervised(uint64_t (*fn)(void), uint64_t satp);

static uint64_t entry(const void *to, unsigned bits)
{
    return (uintptr_t)to >> 12 << 10 | bits;
}

static void map(size_t page, size_t frame)
{
    leaves[page] = entry(frames[frame], V | RWX | A | D);
}

static uint64_t paged(uint64_t (*fn)(void))
{
    root[2] = UINT64_C(0x80000000) >> 2 | V | RWX | A | D;
    root[1] = entry(middle, V);
    for (size_t n = 0; n < pages / LEAVES; n++)
        middle[n] = entry(&leaves[n * LEAVES], V);
    for (size_t n = 0; n < pages; n++)
        map(n, first_frame(n));
    return supervised(fn, UINT64_C(8) << 60 | (uintptr_t)root >> 12);
}

static volatile uint64_t *word(size_t page, size_t n)
{
    return (volatile uint64_t *)(WINDOW + page * PAGE) + n;
}

static void flush(size_t page)
{
    __asm__ volatile("sfence.vma %0, x0" ::"r"(WINDOW + page * PAGE)
                     : "memory");
}

static void flush_all(void) { __asm__ volatile("sfence.vma" ::: "memory"); }

static void call_monitor(void) { __asm__ volatile("ecall" ::: "t0", "memory"); }

static uint32_t code[10] __attribute__((aligned(64)));

/* a0 += each of the constants, by code made for it. */
static uint64_t add_by_code(uint64_t v, const uint32_t *k, size_t n)
{
    uint64_t (*fn)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)code;

    for (size_t m = 0; m < n; m++)
        ((volatile uint32_t *)code)[m] = 0x00050513 | (k[m] & 0x7ff) << 20;
    ((volatile uint32_t *)code)[n] = 0x00008067;
    __asm__ volatile("fence.i" ::: "memory");
    return fn(fn(fn(v)));
}
#else
static size_t frame_of[MORE];

static void map(size_t page, size_t frame) { frame_of[page] = frame; }

static uint64_t paged(uint64_t (*fn)(void))
{
    for (size_t n = 0; n < pages; n++)
        map(n, first_frame(n));
    return fn();
}

static volatile uint64_t *word(size_t page, size_t n)
{
    return (volatile uint64_t *)(void *)frames[frame_of[page]] + n;
}

static void flush(size_t page) { (void)page; }
static void flush_all(void) {}
static void call_monitor(void) {}

static uint64_t add_by_code(uint64_t v, const uint32_t *k, size_t n)
{
    for (size_t m = 0; m < 3 * n; m++)
        v += k[m % n] & 0x7ff;
    return v;
}
#endif

/* Kernels ------------------------------------------------------------------- */

static void clear_frames(size_t count)
{
    pages = count;
    for (size_t n = 0; n < pages; n++)
        for (size_t k = 0; k < PAGE; k += 64)
            *(uint64_t *)(void *)&frames[n][k] = n * k;
}

static uint64_t visit_pages(void)
{
    uint64_t seed = 9, sum = 0;

    for (int n = 0; n < 500000; n++) {
        uint32_t r = kernel_random(&seed);
        volatile uint64_t *w = word(r & (pages - 1), r / MORE % 64 * 8);

        sum = sum * 3 + *w;
        *w = sum;
    }
    return sum;
}

uint64_t kernel_pages(void)
{
    clear_frames(PAGES);
    return paged(visit_pages);
}

uint64_t kernel_more_pages(void)
{
    clear_frames(MORE);
    return paged(visit_pages);
}

/* One page after the other gets another frame; now and then all is flushed. */
static uint64_t move_pages(void)
{
    uint64_t seed = 10, sum = 0;

    for (size_t n = 0; n < 50000; n++) {
        size_t page = kernel_random(&seed) % 64;

        map(page, n % PAGES);
        if (n % 16)
            flush(page);
        else
            flush_all();
        *word(page, n % 512) += n;
        sum += *word((page + 1) % 64, 0) + *word((page + 2) % 64, 8);
    }
    return sum;
}

uint64_t kernel_sfence(void)
{
    clear_frames(PAGES);
    return paged(move_pages);
}

/* start.S answers each ecall with mret. */
static uint64_t call_monitor_often(void)
{
    uint64_t n = 0;

    for (int k = 0; k < 100000; k++) {
        call_monitor();
        n++;
    }
    return n;
}

uint64_t kernel_ecall(void) { return call_monitor_often(); }

uint64_t kernel_rewrite(void)
{
    uint32_t k[8];
    uint64_t seed = 11, sum = 0;

    for (int n = 0; n < 20000; n++) {
        for (size_t m = 0; m < 8; m++)
            k[m] = kernel_random(&seed);
        sum = add_by_code(sum, k, 8);
    }
    return sum;
}
