/* SPDX-License-Identifier: MIT */
/* show.h - translations for people: -d out_asm, dump-code, a perf map. */
#ifndef EMU_TRANS_SHOW_H
#define EMU_TRANS_SHOW_H

#include <stdio.h>

#include "emu/trans/code.h"

struct buf;

void code_show(const struct code *c, struct buf *out);
void code_log(const struct code *c);

FILE *perf_map_open(void); /* NULL: it cannot be */
void perf_map_add(FILE *f, const struct code *c);

#endif
