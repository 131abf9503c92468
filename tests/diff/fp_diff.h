/* SPDX-License-Identifier: MIT */
/*
 * fp_diff.h - what fp_diff and fp_exec send each other.
 */
#ifndef TESTS_DIFF_FP_DIFF_H
#define TESTS_DIFF_FP_DIFF_H

#include <stdint.h>

enum { FP_BATCH = 256 };

struct fp_batch {
    uint32_t insn, count; /* count operands follow */
};

struct fp_in {
    uint64_t f[3], x, fcsr;
};

struct fp_out {
    uint64_t f, x, fcsr;
};

#endif
