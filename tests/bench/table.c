/* SPDX-License-Identifier: MIT */
/* table.c - the kernels by number, for start.S. */
#include "tests/bench/kernels.h"

#define ENTRY(name) kernel_##name,
uint64_t (*const kernels[])(void) = { KERNELS(ENTRY) };
