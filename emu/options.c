/* SPDX-License-Identifier: MIT */
/* options.c - the command line: one table, a function per option. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/machine/recording.h"
#include "emu/options_impl.h"
#include "emu/trans/trans.h"

void options_push(struct strings *list, const char *s)
{
    list->s = xrealloc(list->s, (list->n + 1) * sizeof *list->s);
    list->s[list->n++] = xstrdup(s);
}

static void free_strings(struct strings *list)
{
    for (size_t n = 0; n < list->n; n++)
        free(list->s[n]);
    free(list->s);
}

void options_set(char **to, const char *s)
{
    free(*to);
    *to = xstrdup(s);
}

struct buf *options_answer(struct options *o)
{
    if (!o->answer)
        o->answer = xcalloc(1, sizeof *o->answer);
    return o->answer;
}

bool options_wants_help(const char *arg)
{
    return !strcmp(arg, "help") || !strcmp(arg, "?");
}

static option_fn do_help;

/* The table ---------------------------------------------------------------------- */

static const struct option_row {
    const char *name, *alias;
    const char *arg; /* NULL: takes none */
    option_fn *fn;
    const char *help; /* NULL: not shown */
} rows[] = {
    { "h", "help", NULL, do_help, "this text" },
    { "version", NULL, NULL, do_version, "version and licence" },
    { "machine", "M", "virt[,aclint=on][,dumpdtb=FILE]", do_machine,
      "the machine: virt" },
    { "cpu", NULL, "MODEL[,EXT=on|off]", do_cpu,
      "CPU model and extensions: -cpu help lists them (default rv64)" },
    { "smp", NULL, "N", do_smp, "number of harts, 1 to 64 (default 1)" },
    { "m", NULL, "SIZE", do_m,
      "guest memory in MiB, or with k, M, G "
      "(default 128)" },
    { "accel", NULL, "interp|tcg", do_accel, "how harts are executed" },
    { "icount", NULL, "[shift=N][,sleep=on|off]", do_icount,
      "one instruction is 2^N ns; sleep=off: idling takes no time" },
    { "global", NULL, "DRIVER.PROP=VALUE", do_global,
      "virtio-mmio.force-legacy=false" },
    { "bios", NULL, "FILE|none|default", do_bios, "firmware" },
    { "kernel", NULL, "FILE", do_kernel,
      "kernel: ELF, Image, Image.gz, EFI zboot, uImage" },
    { "append", NULL, "TEXT", do_append, "kernel command line" },
    { "initrd", NULL, "FILE", do_initrd, "initial ram disk" },
    { "dtb", NULL, "FILE", do_dtb, "device tree instead of the generated one" },
    { "device", NULL, "loader,file=|data=,addr=", do_device,
      "one more image in memory" },
    { "drive", NULL, "if=pflash,file=FILE[,unit=0|1]", do_drive,
      "a flash image" },
    { "pflash", NULL, "FILE", do_pflash, "the same" },
    { "fw_cfg", NULL, "name=opt/NAME,file=|string=", do_fw_cfg,
      "one more fw_cfg item" },
    { "L", NULL, "DIR", do_L, "where firmware is looked for" },
    { "nographic", NULL, NULL, do_nographic,
      "serial line and monitor share this terminal (C-a h for help)" },
    { "display", NULL, "none", do_display, "there is no display" },
    { "serial", NULL, "DEV", do_serial, "the serial line" },
    { "monitor", NULL, "DEV", do_monitor, "a monitor" },
    { "mon", NULL, "chardev=ID[,mode=readline]", do_mon,
      "a monitor on a -chardev" },
    { "chardev", NULL, "BACKEND,id=ID[,...]", do_chardev,
      "a character device: -chardev help lists the back ends" },
    { "echr", NULL, "CODE", do_echr, "the escape character instead of C-a" },
    { "qmp", "qmp-pretty", "none", do_qmp, NULL },
    { "nodefaults", NULL, NULL, do_nodefaults,
      "no serial line and monitor but those asked for" },
    { "gdb", NULL, "DEV", do_gdb, "wait for gdb on DEV" },
    { "gdb-policy", NULL, "[kill=P][,detach=P][,lost=P]", do_gdb_policy,
      "what a gdb's end does: keep, run, stop, reset, quit" },
    { "gdb-modules", NULL, "DIR", do_gdb_modules,
      "gdb may read Linux's modules (*.ko) in DIR and below" },
    { "s", NULL, NULL, do_s, "-gdb tcp::1234: on this host only" },
    { "S", NULL, NULL, do_S, "do not run before `cont` or gdb says so" },
    { "preconfig", NULL, NULL, do_preconfig,
      "stop before the first phase of start-up: see `phase`" },
    { "timeline", NULL, "off|mem=SIZE", do_timeline,
      "the memory for going back in time" },
    { "d", NULL, "ITEM[,...]", do_d, "what to log: -d help lists it" },
    { "D", NULL, "FILE", do_D, "log to FILE" },
    { "perfmap", NULL, NULL, do_perfmap,
      "tell perf what translated code is: /tmp/perf-PID.map" },
    { "semihosting", NULL, NULL, do_semihosting, "semihosting calls work" },
    { "semihosting-config", NULL, "[enable=on][,target=T][,chardev=ID]",
      do_semihosting_config, "the same, in detail" },
    { "no-reboot", NULL, NULL, do_no_reboot, "exit instead of rebooting" },
    { "no-shutdown", NULL, NULL, do_no_shutdown,
      "stop instead of exiting when the guest powers off" },
    { "action", NULL, "EVENT=ACTION", do_action, "reboot=, shutdown=, panic=" },
    { "rtc", NULL, "[base=utc|DATE]", do_rtc, "the date at start" },
    { "seed", NULL, "N", do_seed, "the device tree's rng-seed" },
    { "name", NULL, "NAME", do_name, "the guest's name" },
    { "pidfile", NULL, "FILE", do_pidfile, "write the process id to FILE" },
    { "snapshots", NULL, "DIR", do_snapshots,
      "where savevm keeps its files (default: beside the recording)" },
    { "loadvm", NULL, "TAG", do_loadvm,
      "begin with a state that savevm saved" },
    { "incoming", NULL, "URI|defer", do_incoming,
      "wait for a state: file:, exec:, unix:, tcp:HOST:PORT" },
    { "record", NULL, "FILE[,states=off|N]", do_record,
      "write the run to FILE, from the first instruction on" },
    { "replay", NULL, "FILE", do_replay,
      "run again what FILE has; it brings the machine with it" },
    { "timeline-html", NULL, "FILE", do_timeline_html,
      "show the run as a page, written when it ends" },
    { "net", "nic", "none", do_net, NULL },
    { "netdev", NULL, "none", do_net, NULL },
    { "no-user-config", NULL, NULL, do_ignored, NULL },
    { "parallel", NULL, "none", do_ignored, NULL },
    { "msg", NULL, "TEXT", do_ignored, NULL },
};

static bool do_help(struct options *o, const char *arg, struct err *err)
{
    struct buf *b = options_answer(o);

    (void)arg;
    (void)err;
    buf_str(b, "ebreak: a GDB-first RV64 emulator; QEMU's command line\n"
               "usage: ebreak [option]...\n\n");
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        char left[80];

        if (!rows[n].help)
            continue;
        snprintf(left, sizeof left, "-%s %s", rows[n].name,
                 rows[n].arg ? rows[n].arg : "");
        buf_printf(b, "%-34s%s%s\n", left,
                   strlen(left) > 33 ? "\n                                  "
                                     : "",
                   rows[n].help);
    }
    buf_str(b, "\nWithout -kernel and -bios the built-in demo kernel runs.\n");
    return true;
}

static const struct option_row *find(const char *name)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        if (!strcmp(rows[n].name, name) ||
            (rows[n].alias && !strcmp(rows[n].alias, name)))
            return &rows[n];
    return NULL;
}

/* What makes the machine; all else is about who looks at it and how fast. */
static bool makes_machine(const char *name)
{
    static const char *const names[] = {
        "machine", "cpu",    "smp",       "m",           "icount",
        "global",  "bios",   "kernel",    "append",      "initrd",
        "dtb",     "device", "drive",     "pflash",      "fw_cfg",
        "L",       "rtc",    "seed",      "semihosting", "semihosting-config",
        "name",    "action", "no-reboot",
    };

    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
        if (!strcmp(names[n], name))
            return true;
    return false;
}

/* Options that make the machine are kept; a recording brings its own. */
static bool note_machine(struct options *o, const struct option_row *row,
                         const char *arg, struct err *err)
{
    char word[32];

    if (o->recording && !o->reading_recording)
        return err_set(err, "%s brings its machine with it",
                       recording_path(o->recording));
    snprintf(word, sizeof word, "-%s", row->name);
    options_push(&o->machine, word);
    if (arg)
        options_push(&o->machine, arg);
    return true;
}

static bool parse_one(struct options *o, int argc, char **argv, int *at,
                      struct err *err)
{
    const char *word = argv[*at];
    const struct option_row *row;
    const char *arg = NULL;

    if (word[0] != '-')
        return err_set(err, "%s: disk images are not available yet", word);
    row = find(word + (word[1] == '-' ? 2 : 1));
    if (!row)
        return err_set(err, "%s: invalid option", word);
    if (row->arg) {
        if (++*at >= argc)
            return err_set(err, "%s: requires an argument", word);
        arg = argv[*at];
    }
    if (makes_machine(row->name) && !note_machine(o, row, arg, err))
        return err_prefix(err, "%s", word);
    if (row->fn(o, arg, err))
        return true;
    return arg ? err_prefix(err, "%s %s", word, arg)
               : err_prefix(err, "%s", word);
}

static bool parse_all(struct options *o, int argc, char **argv, struct err *err)
{
    for (int at = 1; at < argc; at++)
        if (!parse_one(o, argc, argv, &at, err))
            return false;
    return true;
}

/* -replay comes first, wherever it stands: its options make the machine. */
static bool parse_recording(struct options *o, int argc, char **argv,
                            struct err *err)
{
    struct strings words = { 0 };
    const char *path = NULL, *word;
    bool ok;

    for (int at = 1; at + 1 < argc; at++)
        if (!strcmp(argv[at], "-replay") || !strcmp(argv[at], "--replay"))
            path = argv[at + 1];
    if (!path)
        return true;
    o->recording = recording_open(path, err);
    if (!o->recording)
        return err_prefix(err, "-replay");
    options_push(&words, "ebreak");
    for (size_t n = 0; (word = recording_option(o->recording, n)); n++)
        options_push(&words, word);
    o->reading_recording = true;
    ok = parse_all(o, (int)words.n, words.s, err);
    o->reading_recording = false;
    free_strings(&words);
    return ok || err_prefix(err, "-replay %s", path);
}

static bool consistent(const struct options *o, struct err *err)
{
    if (o->initrd && !o->kernel)
        return err_set(err, "-initrd only allowed with -kernel option");
    if (o->record && o->recording)
        return err_set(err, "-record and -replay cannot be used together");
    if ((o->loadvm || o->incoming) && o->recording)
        return err_set(err, "-%s and -replay cannot be used together",
                       o->loadvm ? "loadvm" : "incoming");
    if (o->loadvm && o->incoming)
        return err_set(err, "'incoming' and 'loadvm' options are mutually "
                            "exclusive");
    if (o->append && !o->kernel)
        return err_set(err, "-append only allowed with -kernel option");
    return true;
}

/* A quarter of what the host has, at most 2 GiB. */
static uint64_t timeline_default(void)
{
    const uint64_t most = UINT64_C(2) << 30;
    uint64_t ram =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return ram / 4 < most ? ram / 4 : most;
}

bool options_parse(struct options *o, int argc, char **argv, struct err *err)
{
    *o = (struct options){
        .ram_size = UINT64_C(128) << 20,
        .hot = TRANS_HOT,
        .harts = 1,
        .virtio_legacy = true,
        .clock = { .sleep = true },
        .escape = 1,
        .rtc_base_ns = INT64_MIN,
        .seed = 1,
        .timeline = timeline_default(),
        .record_states = UINT64_MAX,
    };
    if (!cpu_parse("rv64", &o->cpu_config, err))
        return false;
    if (!parse_recording(o, argc, argv, err) || !parse_all(o, argc, argv, err))
        return false;
    return o->answer || consistent(o, err);
}

void options_free(struct options *o)
{
    struct strings *lists[] = {
        &o->data_dirs,        &o->loaders,  &o->fw_cfgs,    &o->chardevs,
        &o->serials,          &o->monitors, &o->mons,       &o->gdbs,
        &o->semihosting_args, &o->machine,  &o->gdb_modules
    };
    char *texts[] = { o->cpu,
                      o->dumpdtb,
                      o->bios,
                      o->kernel,
                      o->initrd,
                      o->append,
                      o->dtb,
                      o->pflash[0],
                      o->pflash[1],
                      o->log_file,
                      o->name,
                      o->pidfile,
                      o->semihosting_chardev,
                      o->snapshots,
                      o->loadvm,
                      o->incoming,
                      o->timeline_html,
                      o->record };

    for (size_t n = 0; n < sizeof lists / sizeof lists[0]; n++)
        free_strings(lists[n]);
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++)
        free(texts[n]);
    recording_free(o->recording);
    if (o->answer)
        buf_free(o->answer);
    free(o->answer);
}
