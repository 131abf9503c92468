/* SPDX-License-Identifier: MIT */
/*
 * bytecode.h - a debugger's expressions, as they travel: gdb sends them, points
 * keep them, a hart evaluates them (emu/hart/agent.h).
 */
#ifndef EMU_BASE_BYTECODE_H
#define EMU_BASE_BYTECODE_H

#include <stddef.h>
#include <stdint.h>

struct bytecode {
    const uint8_t *bytes;
    size_t len;
};

struct bytecodes {
    const struct bytecode *code;
    size_t n;
};

#endif
