/* SPDX-License-Identifier: MIT */
/*
 * fuzz_agent.c - any bytes as one of gdb's agent expressions.
 *
 * It ends, reads nothing behind its last byte, changes nothing, prints only
 * where that is allowed, and says the same when it is asked again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/hart/agent.h"
#include "emu/hart/hart.h"
#include "emu/hart/interp.h"
#include "emu/hart/points.h"

static struct hart *h;
static struct devs *devs;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct cpu_config cpu;
    struct err err;
    struct mem *mem = mem_new();
    struct points *points = points_new();

    (void)argc, (void)argv;
    if (!cpu_parse("rv64", &cpu, &err) ||
        !mem_add_ram(mem, "ram", 0, 1 << 16, MEM_RAM, &err))
        abort();
    devs = devs_new();
    h = hart_new(0, &cpu,
                 &(struct hart_wiring){ mem, loop_new(), devs, points,
                                        blocks_new(mem, &cpu),
                                        tables_new(mem) });
    for (unsigned n = 1; n < 32; n++)
        h->x[n] = n * 1021;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size + 1);
    struct bytecode c = { exact, size };
    struct buf first = { 0 }, again = { 0 };
    uint64_t hash = devs_hash(devs), a = 0, b = 0;
    bool ok;

    memcpy(exact, data, size);
    ok = agent_eval(h, &c, &first, &a);
    assert(agent_eval(h, &c, &again, &b) == ok && a == b);
    assert(first.len == again.len &&
           !memcmp(buf_text(&first), buf_text(&again), first.len));
    if (agent_eval(h, &c, NULL, &b))
        assert(ok && a == b && first.len == 0);
    assert(devs_hash(devs) == hash);
    buf_free(&first);
    buf_free(&again);
    free(exact);
    return 0;
}
