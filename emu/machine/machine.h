/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the machine as a whole: what it is made of, and where in time.
 *
 * struct machine exists from the first line of main() on; its members come
 * into being phase by phase (init.c) and are NULL before.
 */
#ifndef EMU_MACHINE_MACHINE_H
#define EMU_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/hart/cpu.h"

enum { MAX_HARTS = 64 };

enum phase {
    PHASE_NONE,
    PHASE_MACHINE_CREATED,
    PHASE_ACCEL_CREATED,
    PHASE_LATE_BACKENDS_CREATED,
    PHASE_MACHINE_INITIALIZED,
    PHASE_MACHINE_READY,
};

/* QEMU's run states that can occur here (facts/init-phases.md section 3). */
enum run_state {
    RUN_PRELAUNCH,
    RUN_RUNNING,
    RUN_PAUSED,
    RUN_DEBUG,
    RUN_SHUTDOWN,
    RUN_INTERNAL_ERROR,
    RUN_GUEST_PANICKED,
    RUN_INMIGRATE,      /* waits for a state: -incoming */
    RUN_FINISH_MIGRATE, /* its state is on its way out */
    RUN_POSTMIGRATE,    /* it goes on elsewhere */
    RUN_STATES
};

enum shutdown_reason {
    SHUTDOWN_NONE,
    SHUTDOWN_HOST_ERROR,
    SHUTDOWN_HOST_QUIT, /* monitor quit, C-a x, gdb's kill */
    SHUTDOWN_HOST_RESET,
    SHUTDOWN_HOST_SIGNAL,
    SHUTDOWN_GUEST_SHUTDOWN,
    SHUTDOWN_GUEST_RESET,
    SHUTDOWN_GUEST_PANIC,
};

/* -no-reboot, -no-shutdown, -action. */
struct run_policy {
    bool reboot_is_shutdown;
    bool shutdown_pauses;
    bool panic_is_failure; /* panic=exit-failure */
};

struct loop;
struct chardevs;
struct chardev;
struct tap;
struct mem;
struct devs;
struct roms;
struct points;
struct blocks;
struct tables;
struct trans;
struct hart;
struct run;
struct semihost;
struct fileio;
struct saves;
struct overview;
struct migrate;
struct record;
struct recording;
struct buf;
struct phase_ops;

struct machine {
    struct loop *loop;
    struct chardevs *chardevs;
    struct tap *tap;
    struct mem *mem;
    struct devs *devs;
    struct roms *roms;
    struct points *points;
    struct blocks *blocks;
    struct tables *tables;
    struct trans *trans; /* NULL: the interpreter alone */
    struct hart *hart[MAX_HARTS];
    int harts;
    struct run *run;             /* run.h */
    struct semihost *semihost;   /* semihost.h; NULL: off */
    struct fileio *fileio;       /* fileio.h; NULL: debuggers answer no calls */
    struct record *record;       /* record.h: the run as a file */
    struct recording *recording; /* recording.h; NULL: it is replayed no more */
    struct saves *saves;         /* saves.h: savevm and its like */
    struct overview *overview;   /* overview.h; NULL: off */
    struct migrate *migrate;     /* migrate.h; NULL: none was tried */
    struct debug_hub *debug;     /* emu/debug: listeners, registers */
    struct cpu_config cpu;
    struct run_policy policy;
    enum phase phase;
    const char *name;                  /* -name, "" */
    const struct phase_ops *phase_ops; /* init.c: for the phase commands */
    void *phase_opaque;
    /* The board's interrupt controllers, for `info irq`; joined in init.c. */
    void (*show_irqs)(void *opaque, struct buf *out);
    void *show_irqs_opaque;
    /* The device tree as text; joined in init.c. */
    void (*show_fdt)(void *opaque, struct buf *out);
    void *show_fdt_opaque;
    uint64_t ram_size;
    bool quit; /* asked to go before there is a run */
    int quit_status;
};

#endif
