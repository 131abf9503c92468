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
    K(ecall)

#define DECLARE(name) uint64_t kernel_##name(void);
KERNELS(DECLARE)
#undef DECLARE

#endif
