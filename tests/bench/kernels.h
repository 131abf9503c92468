/* SPDX-License-Identifier: MIT */
/* kernels.h - the benchmark's small programs, for the guest and the host. */
#ifndef TESTS_BENCH_KERNELS_H
#define TESTS_BENCH_KERNELS_H

#include <stdint.h>

/* Each does a fixed amount of work and returns a checksum of it. */
#define KERNELS(K)                                                             \
    K(mix)                                                                     \
    K(crc32)                                                                   \
    K(list)                                                                    \
    K(matmul_int)                                                              \
    K(matmul_double)                                                           \
    K(sort)                                                                    \
    K(fib)                                                                     \
    K(string)                                                                  \
    K(records)                                                                 \
    K(bytecode_switch)                                                         \
    K(bytecode_calls)                                                          \
    K(chase)                                                                   \
    K(copy)                                                                    \
    K(sieve)                                                                   \
    K(crc_bits)                                                                \
    K(pages)                                                                   \
    K(more_pages)                                                              \
    K(sfence)                                                                  \
    K(ecall)                                                                   \
    K(rewrite)

#define DECLARE(name) uint64_t kernel_##name(void);
KERNELS(DECLARE)
#undef DECLARE

static inline uint32_t kernel_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 33);
}

#endif
