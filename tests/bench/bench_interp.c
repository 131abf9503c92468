/* SPDX-License-Identifier: MIT */
/*
 * bench_interp.c - how fast a hart interprets, and how much faster translated
 * code is: runs each of the kernels on a hart with memory and nothing else,
 * checks its result against the host's, and prints guest MIPS of both and
 * host cycles per guest instruction.
 *
 *     bench_interp kernels.bin [kernel]
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/cpu.h"
#include "emu/hart/hart.h"
#include "emu/hart/interp.h"
#include "emu/hart/points.h"
#include "emu/trans/trans.h"
#include "tests/bench/kernels.h"

#define RAM UINT64_C(0x80000000)
enum { RUNS = 10 };

static const struct {
    const char *name;
    uint64_t (*run)(void);
} kernel[] = {
#define ENTRY(name) { #name, kernel_##name },
    KERNELS(ENTRY)
};

/* User cycles, or -1 where there is no such counter. */
static int cycles_fd(void)
{
    struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE,
                                 .size = sizeof a,
                                 .config = PERF_COUNT_HW_CPU_CYCLES,
                                 .exclude_kernel = 1,
                                 .exclude_hv = 1 };

    return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static uint64_t cycles(int fd)
{
    uint64_t n = 0;

    if (fd < 0 || read(fd, &n, sizeof n) != sizeof n)
        return 0;
    return n;
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load(struct mem *m, const char *path)
{
    static char image[1 << 20];
    FILE *f = fopen(path, "rb");

    if (!f)
        die("cannot open %s", path);
    size_t n = fread(image, 1, sizeof image, f);
    fclose(f);
    mem_poke(m, RAM, image, n);
}

struct result {
    double steps, seconds, cycles;
};

static struct result run_once(struct hart *h, size_t k, int fd, bool translate)
{
    uint64_t steps = h->steps, c;
    double t;

    hart_reset(h);
    h->pc = RAM;
    h->x[10] = k;
    c = cycles(fd);
    t = cpu_seconds();
    while (!h->waiting)
        translate ? trans_run(h, 200000) : hart_run(h, 200000);
    return (struct result){ (double)(h->steps - steps), cpu_seconds() - t,
                            (double)(cycles(fd) - c) };
}

/* The best of some runs: the rest is the host's doing. */
static struct result best_of(struct hart *h, size_t k, int fd, bool translate)
{
    uint64_t want = kernel[k].run();
    struct result best = run_once(h, k, fd, translate);

    for (int n = 0; n < (translate ? RUNS : 1); n++) {
        struct result r = run_once(h, k, fd, translate);

        if (h->x[10] != want)
            die("%s: wrong result", kernel[k].name);
        if (r.seconds < best.seconds)
            best = r;
    }
    return best;
}

static void show(const char *how, const struct result *r, int fd)
{
    printf(" | %s %7.1f MIPS", how, r->steps / r->seconds / 1e6);
    if (fd >= 0)
        printf(" %6.2f cycles/insn", r->cycles / r->steps);
}

static void bench(struct hart *h, size_t k, int fd, bool translate)
{
    struct result a = best_of(h, k, fd, false), b;

    printf("%-14s %6.1f Minsn", kernel[k].name, a.steps / 1e6);
    show("interpreted", &a, fd);
    if (translate) {
        b = best_of(h, k, fd, true);
        show("translated", &b, fd);
        printf(" %5.1f x", a.seconds / b.seconds);
    }
    if (!strcmp(kernel[k].name, "ecall"))
        printf(" %6.3f us/ecall", a.seconds * 1e6 / 1e5);
    puts("");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct cpu_config cpu;
    struct err err;
    int fd = cycles_fd();

    if (argc < 2 || !cpu_parse("rv64", &cpu, &err))
        die("usage: bench_interp kernels.bin [kernel]");
    struct mem *m = mem_new();
    struct hart_wiring w = { .mem = m,
                             .loop = loop_new(),
                             .devs = devs_new(),
                             .points = points_new(),
                             .blocks = blocks_new(m, &cpu),
                             .tables = tables_new(m) };
    if (!mem_add_ram(m, "ram", RAM, 16 << 20, MEM_RAM, &err))
        die("%s", err.text);
    load(m, argv[1]);
    struct hart *h = hart_new(0, &cpu, &w);
    struct trans *t = trans_new(
        w.blocks, w.points, &(struct trans_config){ .hot = TRANS_HOT }, &err);
    if (t)
        trans_add_hart(t, h);
    for (size_t k = 0; k < sizeof kernel / sizeof kernel[0]; k++)
        if (argc < 3 || !strcmp(argv[2], kernel[k].name))
            bench(h, k, fd, t);
    struct blocks_info i = blocks_info(w.blocks);
    printf("blocks: %" PRIu64 " of %" PRIu64 " instructions, %" PRIu64
           " bytes, %" PRIu64 " flushes, %" PRIu64 " invalidations\n",
           i.blocks, i.insns, i.bytes, i.flushes, i.invalidations);
    if (t) {
        struct trans_info ti = trans_info(t);

        printf("translations: %" PRIu64 " of %" PRIu64 " instructions, %" PRIu64
               " bytes\n",
               ti.translations, ti.insns, ti.bytes);
    }
    return 0;
}
