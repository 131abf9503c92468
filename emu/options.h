/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line, parsed and checked; nothing is created yet.
 *
 * Syntax, defaults and error texts are QEMU's (facts/cli.md), with the
 * program's own name in front.
 */
#ifndef EMU_OPTIONS_H
#define EMU_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/virt.h"
#include "emu/hart/cpu.h"
#include "emu/machine/machine.h"
#include "emu/machine/run.h"
#include "emu/machine/semihost.h"
#include "gdbstub/gdbstub.h"

struct err;
struct buf;
struct recording;

struct strings {
    char **s;
    size_t n;
};

struct options {
    /* The machine. */
    char *cpu;
    struct cpu_config cpu_config;
    uint64_t ram_size; /* bytes */
    int harts;
    bool aclint, virtio_legacy, one_insn;
    enum { ACCEL_ANY, ACCEL_INTERP, ACCEL_TCG } accel;
    bool perfmap;
    uint64_t tb_size; /* bytes of translated code; 0: the default */
    uint64_t hot;     /* how often a block comes before it is translated */
    char *dumpdtb;
    char *bios, *kernel, *initrd, *append, *dtb;
    char *pflash[2];
    bool pflash_readonly[2];
    struct strings data_dirs, loaders, fw_cfgs;
    struct run_clock clock;
    struct run_policy policy;
    int64_t rtc_base_ns; /* INT64_MIN: the host's date at start */
    uint64_t seed;
    bool have_seed;

    /* Consoles. */
    struct strings chardevs; /* -chardev texts */
    struct strings serials, monitors, mons, gdbs, gdb_modules;
    enum gdb_policy gdb_kill, gdb_detach, gdb_lost;
    bool nographic, nodefaults, display_none;
    int escape;

    /* Debugging. */
    bool stopped;           /* -S */
    bool preconfig;         /* --preconfig */
    uint64_t timeline;      /* bytes that checkpoints may take; 0: off */
    uint64_t record_states; /* steps between them; UINT64_MAX: the default */
    bool semihosting;
    bool semihosting_user;
    enum semihost_target semihosting_target;
    char *semihosting_chardev;
    struct strings semihosting_args;
    uint32_t log_mask;
    char *log_file;

    /* Time. */
    char *snapshots;             /* directory of savevm's files */
    char *loadvm;                /* the state to begin with */
    char *incoming;              /* where the state comes from, "defer" */
    char *timeline_html;         /* the page that is written at the end */
    char *record;                /* where the run is written to */
    struct recording *recording; /* what is replayed */
    bool reading_recording;      /* options come out of it now */
    struct strings machine;      /* the words that make the machine */

    /* The process. */
    char *name, *pidfile;
    struct buf *answer; /* -help, -version, ... : print this and exit 0 */
};

/*
 * Fills o from the command line. False: err holds one sentence. When
 * o->answer is not NULL the program prints it and is done.
 */
bool options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_free(struct options *o);

#endif
