/* SPDX-License-Identifier: MIT */
/*
 * fileio.h - semihosting calls that a debugger answers, in the terms of gdb's
 * File-I/O ("Debugging with GDB", E.13).
 *
 * The hart that calls stops before its ebreak, and the machine with it. The
 * answer is an input: it is there when the ebreak is executed again, and a
 * replay needs no debugger.
 */
#ifndef EMU_MACHINE_FILEIO_H
#define EMU_MACHINE_FILEIO_H

#include <stdbool.h>
#include <stdint.h>

#include "emu/machine/machine.h"

struct hart;

/* Handles of files that are the debugger's start here. */
enum { FILEIO_HANDLES = 64 };

enum fileio_result {
    FILEIO_NOT,  /* not a call for a debugger: the host's turn */
    FILEIO_DONE, /* *a0 is the result */
    FILEIO_WAIT, /* the hart has stopped */
};

/* console: its calls go to the debugger too. always: also without one, and
 * fail then. */
void fileio_init(struct machine *m, bool console, bool always);
void fileio_fini(struct machine *m);

/* Who answers; takes says whether somebody would now. */
void fileio_on_call(struct machine *m, bool (*takes)(void *opaque),
                    void *opaque);

enum fileio_result fileio_call(struct machine *m, struct hart *h, uint64_t op,
                               uint64_t block, int64_t *a0);

/* The request that waits, "open,80001000/5,0,1b6", or NULL. */
const char *fileio_request(const struct machine *m);

/* True: the call is done and the machine can go on; false: there is another
 * request, or none waits. */
bool fileio_answer(struct machine *m, int64_t result, int error);

/* The error of the last call: SYS_ERRNO. */
int fileio_errno(const struct machine *m);

#endif
