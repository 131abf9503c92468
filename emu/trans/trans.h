/* SPDX-License-Identifier: MIT */
/*
 * trans.h - the translator: harts run as code of the host.
 *
 * Blocks that come often are translated; what the guest can see is the same,
 * instruction by instruction, as with hart_run. Without this room's code for
 * the host (trans_none.c) trans_new fails, and there is the interpreter.
 *
 * docs/translator.md explains the code that is made.
 */
#ifndef EMU_TRANS_TRANS_H
#define EMU_TRANS_TRANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct hart;
struct blocks;
struct points;
struct trans;

struct trans_config {
    uint64_t cache; /* bytes of code; 0: as many as is good */
    uint32_t hot;   /* a block is translated when it has come so often; 0: at
                     * once. TRANS_HOT is good */
    bool perf_map;  /* /tmp/perf-PID.map, which perf reads, is written */
};
enum { TRANS_HOT = 12 };

/* NULL: this host cannot do it, err says why. */
struct trans *trans_new(struct blocks *b, struct points *p,
                        const struct trans_config *config, struct err *err);
void trans_free(struct trans *t); /* before the blocks, nobody running */
void trans_add_hart(struct trans *t, struct hart *h);

/* As hart_run and hart_run_range, for a hart that was added. */
uint64_t trans_run(struct hart *h, uint64_t n);
uint64_t trans_run_range(struct hart *h, uint64_t n, uint64_t from,
                         uint64_t to);

struct trans_info {
    uint64_t translations, insns; /* there now */
    uint64_t bytes, size;         /* of host code; of the cache */
    uint64_t made, killed, remade, flushes, links;
    uint64_t entries, ops, interpreted;          /* blocks */
    uint64_t misses, outs, unlinked, left, torn; /* why C came back */
    uint64_t fills, forgotten;                   /* of sites */
};
struct trans_info trans_info(const struct trans *t);

/* The same as lines of text, for `info jit`; and all translations that hold
 * the instruction at va, with their host code: false if there is none. */
void trans_describe(const struct trans *t, struct buf *out);
bool trans_show(const struct trans *t, uint64_t va, struct buf *out);

#endif
