/* SPDX-License-Identifier: MIT */
/*
 * steps.h - the steps of start-up, and what they share.
 *
 * Private to init.c and the files with the steps themselves: steps_machine.c
 * (machine, board, images), steps_io.c (loop, consoles, monitors, gdb) and
 * steps_time.c (the first reset, saved states, recordings).
 */
#ifndef EMU_STEPS_H
#define EMU_STEPS_H

#include "board/virt.h"
#include "emu/init.h"
#include "emu/machine/machine.h"
#include "gdbstub/gdbstub.h"
#include "monitor/monitor.h"

enum { MAX_SESSIONS = 16 };

struct init {
    struct machine m;
    const struct options *o;
    struct virt *virt;
    struct board_rooms rooms;
    struct virt_wires wires;
    struct virt_config board; /* what step_board gathered for the board */
    char *isa, *isa_list;
    struct files *files;  /* images come from there */
    char *date;           /* the host's at start as an option, NULL: given */
    const char **options; /* that make the machine; the words are borrowed */
    size_t n_options;
    struct chardev *serial0, *semihost_console;
    struct monitor *monitor[MAX_SESSIONS];
    int monitors;
    struct gdbstub *gdb[MAX_SESSIONS];
    int gdbs;
    struct monitor_hooks monitor_hooks;
    struct gdbstub_config gdb_config;
    bool consoles_open, gdb_open; /* --preconfig opens them early */
    int n_wires;                  /* interrupt lines joined so far */
    bool done;                    /* -M dumpdtb: exit 0 now */
};

typedef bool step_fn(struct init *in, struct err *err);
typedef void undo_fn(struct init *in);

step_fn step_main_loop, step_clocks, step_signals, step_machine,
    step_memory_map, step_default_devices, step_accelerator, step_late_backends,
    step_semihosting_console, step_preconfig_exit, step_board, step_numa,
    step_memory_backend, step_accel_interfaces, step_harts, step_clint,
    step_dram, step_mrom, step_devices, step_cli_devices, step_roms,
    step_creation_done, step_accel_os_post, step_mux_open, step_run;
undo_fn undo_main_loop, undo_clocks, undo_memory_map, undo_late_backends,
    undo_board, undo_harts, undo_accel_interfaces, undo_creation_done,
    undo_accel_os_post;

/* Joins what rooms may not know of each other. */
void steps_join(struct init *in);

/* steps_time.c: the date at T=0, ns since the epoch; and history's end. */
int64_t steps_date(struct init *in);
void steps_end_history(struct init *in);

/* Serial lines, monitors, the gdb port: opened once, by whoever is first. */
bool open_consoles(struct init *in, struct err *err);
bool open_gdb(struct init *in, struct err *err);

#endif
