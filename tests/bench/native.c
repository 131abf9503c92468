/* SPDX-License-Identifier: MIT */
/* native.c - the same kernels as a program of the host: native NAME TIMES. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/kernels.h"

static const struct {
    const char *name;
    uint64_t (*run)(void);
} kernel[] = {
#define ENTRY(name) { #name, kernel_##name },
    KERNELS(ENTRY)
};

int main(int argc, char **argv)
{
    uint64_t sum = 0;

    for (size_t k = 0; argc > 2 && k < sizeof kernel / sizeof kernel[0]; k++)
        for (int n = 0; !strcmp(argv[1], kernel[k].name) && n < atoi(argv[2]);
             n++)
            sum += kernel[k].run();
    printf("%" PRIu64 "\n", sum);
    return argc < 3;
}
