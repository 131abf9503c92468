/* SPDX-License-Identifier: MIT */
/* gen_fp.c - floating point: no rows, so their ops are called. */
#include "emu/trans/gen.h"

void gen_move_fp(struct x86 *x, bool save) { (void)x, (void)save; }
const struct gen_row gen_fp[OP_COUNT] = { { NULL, 0 } };
