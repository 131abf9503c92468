/* SPDX-License-Identifier: MIT */
/* script.c - ebreak.py as part of the program, for `monitor gdb-script`. */
#include "gdbstub/gdbstub.h"

__asm__(".pushsection .rodata\n"
        ".globl gdb_script\n"
        "gdb_script:\n"
        ".incbin \"gdbstub/ebreak.py\"\n"
        ".byte 0\n"
        ".popsection\n");
