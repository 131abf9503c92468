/* SPDX-License-Identifier: MIT */
/* hub.h - what the files behind debug.h share. */
#ifndef EMU_DEBUG_HUB_H
#define EMU_DEBUG_HUB_H

#include "emu/debug.h"
#include "emu/machine/machine.h"

enum { DEBUG_LISTENERS = 32 };

struct debug_hub {
    struct debug_reg *regs;
    size_t nregs;
    bool io;           /* memory accesses reach devices for real */
    int source;        /* of pokes, in the tap */
    uint64_t io_value; /* what the last real device read gave */
    bool io_ok;
    struct {
        debug_takes_fn *fn;
        void *opaque;
    } taker[DEBUG_LISTENERS]; /* of semihosting calls */
    int takers;
    int listeners;
    struct {
        debug_listen_fn *fn;
        void *opaque;
    } listener[DEBUG_LISTENERS];
};

/* Everything a debugger changes goes through the tap in one of these. */
enum poke_kind { POKE_MEM, POKE_REG, POKE_IO_READ, POKE_IO_WRITE };

struct poke {
    uint64_t addr;  /* physical; POKE_REG: the register's number */
    uint64_t value; /* POKE_REG, POKE_IO_WRITE */
    uint32_t kind;
    uint32_t hart; /* POKE_REG */
    uint32_t size; /* POKE_IO_*: 1, 2, 4, 8 */
    uint32_t pad;
};

/* Logs and does it; false while replaying. data: POKE_MEM's len bytes. */
bool poke(struct machine *m, const struct poke *p, const void *data,
          size_t len);
void poke_delivered(void *machine, const void *data, size_t len);

/* control.c: does somebody take semihosting calls? */
bool debug_anyone_takes(void *machine);

/* registers.c: the table, once harts exist; and its raw write. */
void registers_build(struct machine *m);
void registers_write(struct machine *m, int hart, unsigned number, uint64_t v);

#endif
