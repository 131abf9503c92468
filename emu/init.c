/* SPDX-License-Identifier: MIT */
/*
 * init.c - the phase table: the order in which a machine comes into being.
 *
 * Phases and their meanings are QEMU's; the third column names what does the
 * same in QEMU 10, for readers who come from there. `phase step` takes one
 * row; tearing down walks the rows back.
 */
#include "emu/init.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/bus/dev.h"
#include "emu/bus/mem.h"
#include "emu/debug.h"
#include "emu/machine/run.h"
#include "emu/steps.h"

/* clang-format off */
static const struct step {
    enum phase to; /* the phase that is reached once its last row is done */
    const char *name, *qemu;
    step_fn *enter;
    undo_fn *leave; /* NULL: nothing to undo */
} steps[] = {
    { PHASE_MACHINE_CREATED, "main-loop", "qemu_init_main_loop", step_main_loop, undo_main_loop },
    { PHASE_MACHINE_CREATED, "clocks", "init_clocks", step_clocks, undo_clocks },
    { PHASE_MACHINE_CREATED, "signals", "qemu_signal_init", step_signals, NULL },
    { PHASE_MACHINE_CREATED, "machine", "qemu_create_machine", step_machine, NULL },
    { PHASE_MACHINE_CREATED, "memory-map", "memory_map_init", step_memory_map, undo_memory_map },
    { PHASE_MACHINE_CREATED, "default-devices", "qemu_create_default_devices", step_default_devices, NULL },

    { PHASE_ACCEL_CREATED, "accelerator", "configure_accelerators", step_accelerator, NULL },

    { PHASE_LATE_BACKENDS_CREATED, "late-backends", "qemu_create_late_backends", step_late_backends, undo_late_backends },
    { PHASE_LATE_BACKENDS_CREATED, "semihosting-console", "qemu_semihosting_chardev_init", step_semihosting_console, NULL },

    { PHASE_MACHINE_INITIALIZED, "preconfig-exit", "qmp_x_exit_preconfig", step_preconfig_exit, NULL },
    { PHASE_MACHINE_INITIALIZED, "board", "qemu_init_board", step_board, undo_board },
    { PHASE_MACHINE_INITIALIZED, "numa", "numa_complete_configuration", step_numa, NULL },
    { PHASE_MACHINE_INITIALIZED, "memory-backend", "machine_consume_memdev", step_memory_backend, NULL },
    { PHASE_MACHINE_INITIALIZED, "accel-interfaces", "accel_init_interfaces", step_accel_interfaces, undo_accel_interfaces },
    { PHASE_MACHINE_INITIALIZED, "harts", "riscv_harts_realize", step_harts, undo_harts },
    { PHASE_MACHINE_INITIALIZED, "clint", "riscv_aclint_mtimer_create", step_clint, NULL },
    { PHASE_MACHINE_INITIALIZED, "dram", "memory_region_add_subregion", step_dram, NULL },
    { PHASE_MACHINE_INITIALIZED, "mrom", "memory_region_init_rom", step_mrom, NULL },
    { PHASE_MACHINE_INITIALIZED, "devices", "virt_machine_init", step_devices, NULL },

    { PHASE_MACHINE_READY, "cli-devices", "qemu_create_cli_devices", step_cli_devices, NULL },
    { PHASE_MACHINE_READY, "roms", "virt_machine_done", step_roms, NULL },
    { PHASE_MACHINE_READY, "creation-done", "qemu_machine_creation_done", step_creation_done, undo_creation_done },
    { PHASE_MACHINE_READY, "accel-os-post", "os_setup_post", step_accel_os_post, undo_accel_os_post },
    { PHASE_MACHINE_READY, "mux-open", "resume_mux_open", step_mux_open, NULL },
    { PHASE_MACHINE_READY, "run", "qemu_main_loop", step_run, NULL },
};

/* What exists: taken before and after a step, the difference is its work. */
enum { CLOCKS, FDS, TIMERS, BHS, SIGNALS, REGIONS, HARTS, WIRES, DEVICES,
       CHARDEVS, KINDS };
static const char *const kinds[KINDS][2] = {
    [CLOCKS] = { "clock", "clocks" },
    [FDS] = { "fd", "fds" },
    [TIMERS] = { "timer", "timers" },
    [BHS] = { "bottom half", "bottom halves" },
    [SIGNALS] = { "signal", "signals" },
    [REGIONS] = { "memory region", "memory regions" },
    [HARTS] = { "hart", "harts" },
    [WIRES] = { "wire", "wires" },
    [DEVICES] = { "device", "devices" },
    [CHARDEVS] = { "chardev", "chardevs" },
};
/* clang-format on */

enum { STEPS = sizeof steps / sizeof steps[0] };

struct walk {
    struct init in;
    int next; /* the step to be taken */
    struct {
        int made[KINDS];
        int64_t ns;
    } did[STEPS];
};

static void take_census(const struct init *in, int count[KINDS])
{
    const struct machine *m = &in->m;
    struct loop_counts c = { 0 };
    void *opaque;

    memset(count, 0, KINDS * sizeof count[0]);
    if (m->loop)
        c = loop_counts(m->loop);
    count[CLOCKS] = m->run ? LOOP_CLOCKS : 0;
    count[FDS] = c.fds;
    count[TIMERS] = c.timers;
    count[BHS] = c.bhs;
    count[SIGNALS] = c.signals;
    count[HARTS] = m->harts;
    count[WIRES] = in->n_wires;
    while (m->mem && mem_nth(m->mem, (size_t)count[REGIONS]))
        count[REGIONS]++;
    while (m->devs && dev_nth(m->devs, (size_t)count[DEVICES], &opaque))
        count[DEVICES]++;
    while (m->chardevs && chardev_nth(m->chardevs, (size_t)count[CHARDEVS]))
        count[CHARDEVS]++;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A phase is reached with the last of its rows that makes something; for
 * machine-ready that is creation-done: what follows only lets it go. */
static void reach_phase(struct walk *w, int done)
{
    const struct step *s = &steps[done];
    bool last = done + 1 == STEPS || steps[done + 1].to != s->to;

    if (last || s->enter == step_creation_done)
        w->in.m.phase = s->to;
}

static bool take_step(struct walk *w, struct err *err)
{
    const struct step *s = &steps[w->next];
    int before[KINDS], after[KINDS];
    int64_t start = now_ns();

    take_census(&w->in, before);
    if (!s->enter(&w->in, err))
        return false;
    take_census(&w->in, after);
    w->did[w->next].ns = now_ns() - start;
    for (int k = 0; k < KINDS; k++)
        w->did[w->next].made[k] = after[k] - before[k];
    reach_phase(w, w->next++);
    debug_attach(&w->in.m);
    return true;
}

/* The phase commands ---------------------------------------------------------- */

static int step_named(const char *name)
{
    for (int n = 0; n < STEPS; n++)
        if (!strcmp(steps[n].name, name))
            return n + 1; /* until it is done */
    for (int n = STEPS; n-- > 0;)
        if (!strcmp(debug_phase_name((int)steps[n].to), name))
            return n + 1;
    return -1;
}

static int end_of_phase(int next)
{
    int n = next;

    while (n < STEPS && steps[n].to == steps[next].to)
        n++;
    return n;
}

static bool phase_go(void *opaque, enum debug_walk_how how, const char *name,
                     struct err *err)
{
    struct walk *w = opaque;
    int until = STEPS;

    if (w->next == STEPS)
        return err_set(err, "The command is permitted only before machine "
                            "initialization");
    if (how == DEBUG_PHASE_STEP)
        until = w->next + 1;
    else if (how == DEBUG_PHASE_NEXT)
        until = end_of_phase(w->next);
    else if (how == DEBUG_PHASE_UNTIL)
        until = step_named(name);
    if (until < 0)
        return err_set(err, "there is no phase or step '%s'", name);
    if (until <= w->next)
        return err_set(err, "'%s' is behind us already", name);
    while (w->next < until)
        if (!take_step(w, err))
            return false;
    return true;
}

static void phase_where(void *opaque, struct buf *out)
{
    const struct walk *w = opaque;

    buf_printf(out, "phase: %s\n", debug_phase_name((int)w->in.m.phase));
    if (w->next < STEPS)
        buf_printf(out, "next step: %s (towards %s)\n", steps[w->next].name,
                   debug_phase_name((int)steps[w->next].to));
    else
        buf_str(out, "every step is done\n");
}

static void print_work(const struct walk *w, int n, struct buf *out)
{
    const char *sep = "";

    buf_printf(out, "  %8.3f ms  ", (double)w->did[n].ns / 1e6);
    for (int k = 0; k < KINDS; k++) {
        int made = w->did[n].made[k];

        if (!made)
            continue;
        buf_printf(out, "%s%d %s", sep, made, kinds[k][made != 1]);
        sep = ", ";
    }
}

static void phase_tree(void *opaque, struct buf *out)
{
    const struct walk *w = opaque;
    enum phase heading = PHASE_NONE;

    buf_printf(out, "%s none\n", w->in.m.phase == PHASE_NONE ? "*" : " ");
    for (int n = 0; n < STEPS; n++) {
        if (steps[n].to != heading) {
            heading = steps[n].to;
            buf_printf(out, "%s %s\n", heading == w->in.m.phase ? "*" : " ",
                       debug_phase_name((int)heading));
        }
        buf_printf(out, "  %s %-20s %-30s", n == w->next ? "->" : "  ",
                   steps[n].name, steps[n].qemu);
        if (n < w->next)
            print_work(w, n, out);
        buf_chr(out, '\n');
    }
}

static const struct phase_ops phase_ops = { phase_go, phase_where, phase_tree };

/* The life of it all ------------------------------------------------------------- */

struct init *init_new(const struct options *o)
{
    struct walk *w = xcalloc(1, sizeof *w);

    w->in.o = o;
    w->in.m.cpu = o->cpu_config;
    w->in.m.policy = o->policy;
    w->in.m.ram_size = o->ram_size;
    w->in.m.name = o->name;
    w->in.m.phase_ops = &phase_ops;
    w->in.m.phase_opaque = w;
    steps_join(&w->in);
    debug_init(&w->in.m);
    return &w->in;
}

bool init_start(struct init *in, struct err *err)
{
    struct walk *w = (struct walk *)in; /* its first member */

    if (in->o->preconfig)
        return step_main_loop(in, err) && open_consoles(in, err) &&
               open_gdb(in, err) && step_mux_open(in, err);
    while (w->next < STEPS && !in->done)
        if (!take_step(w, err))
            return false;
    return true;
}

bool init_turn(struct init *in)
{
    if (in->done)
        return false;
    if (in->m.run)
        return run_turn(&in->m);
    loop_turn(in->m.loop, -1);
    return !in->m.quit;
}

int init_free(struct init *in)
{
    struct walk *w = (struct walk *)in;
    int status = in->m.run ? run_exit_status(&in->m) : in->m.quit_status;

    undo_creation_done(in);
    undo_late_backends(in);
    for (int n = w->next; n-- > 0;)
        if (steps[n].leave)
            steps[n].leave(in);
    undo_main_loop(in);
    debug_fini(&in->m);
    free(w);
    return status;
}
