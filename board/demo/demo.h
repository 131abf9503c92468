/* SPDX-License-Identifier: MIT */
/* demo.h - the demo kernel's ELF file, embedded in the emulator. */
#ifndef BOARD_DEMO_DEMO_H
#define BOARD_DEMO_DEMO_H

#include <stdint.h>

extern const unsigned char demo_kernel[];
extern const uint64_t demo_kernel_size;

#endif
