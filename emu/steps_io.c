/* SPDX-License-Identifier: MIT */
/*
 * steps_io.c - the steps that join the machine to the world: loop, signals,
 * consoles, monitors, the gdb port.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "emu/debug.h"
#include "emu/machine/run.h"
#include "emu/steps.h"

/* Loop and signals -------------------------------------------------------------- */

static void quit_from_mux(void *opaque)
{
    struct init *in = opaque;

    debug_quit(&in->m, 0);
}

bool step_main_loop(struct init *in, struct err *err)
{
    (void)err;
    if (in->m.loop)
        return true; /* --preconfig needed it before */
    in->m.loop = loop_new();
    in->m.chardevs = chardevs_new(in->m.loop);
    chardevs_escape(in->m.chardevs, in->o->escape);
    chardevs_on_exit(in->m.chardevs, quit_from_mux, in);
    return true;
}

void undo_main_loop(struct init *in)
{
    if (!in->m.loop)
        return;
    chardevs_free(in->m.chardevs);
    in->m.chardevs = NULL;
    loop_free(in->m.loop);
    in->m.loop = NULL;
}

/* A server that still waits for its first client gives up, too. */
static void on_signal(struct init *in, int signo)
{
    chardevs_cancel(in->m.chardevs);
    run_signal(&in->m, signo);
}

static void on_sigterm(void *in) { on_signal(in, SIGTERM); }
static void on_sigint(void *in) { on_signal(in, SIGINT); }
static void on_sighup(void *in) { on_signal(in, SIGHUP); }

bool step_signals(struct init *in, struct err *err)
{
    (void)err;
    loop_signal(in->m.loop, SIGTERM, on_sigterm, in);
    loop_signal(in->m.loop, SIGINT, on_sigint, in);
    loop_signal(in->m.loop, SIGHUP, on_sighup, in);
    return true;
}

/* Consoles ------------------------------------------------------------------------ */

static bool add_monitor(struct init *in, struct chardev *c, struct err *err)
{
    struct monitor *mon;

    if (!c)
        return true;
    if (in->monitors == MAX_SESSIONS)
        return err_set(err, "too many monitors");
    mon = monitor_new(&in->m, c, &in->monitor_hooks, err);
    if (!mon)
        return false;
    in->monitor[in->monitors++] = mon;
    return true;
}

static bool open_serial(struct init *in, int n, const char *dev,
                        struct err *err)
{
    char label[16];
    bool mon = false;
    struct chardev *c;

    snprintf(label, sizeof label, "serial%d", n);
    *err = (struct err){ 0 };
    c = chardev_short(in->m.chardevs, label, dev, &mon, err);
    if (!c && err->text[0]) {
        err_prefix(err, "-serial %s", dev);
        return false;
    }
    if (n == 0)
        in->serial0 = c;
    return !mon || add_monitor(in, c, err);
}

static bool open_monitor(struct init *in, int n, const char *dev,
                         struct err *err)
{
    char label[32];
    bool mon = false;
    struct chardev *c;

    snprintf(label, sizeof label, "compat_monitor%d", n);
    *err = (struct err){ 0 };
    c = chardev_short(in->m.chardevs, label, dev, &mon, err);
    if (!c && err->text[0]) {
        err_prefix(err, "-monitor %s", dev);
        return false;
    }
    return add_monitor(in, c, err) || err_prefix(err, "-monitor %s", dev);
}

static bool uses_stdio(const struct strings *list)
{
    for (size_t n = 0; n < list->n; n++)
        if (strstr(list->s[n], "stdio"))
            return true;
    return false;
}

/* Is the terminal free for what nobody asked for elsewhere? */
static bool stdio_free(const struct options *o)
{
    return !uses_stdio(&o->gdbs) && !uses_stdio(&o->serials) &&
           !uses_stdio(&o->monitors) && !uses_stdio(&o->chardevs);
}

/*
 * QEMU's defaults for -nographic, which are ours whenever no display was
 * asked for, since there is none: serial line and monitor share the terminal.
 */
static bool open_defaults(struct init *in, struct err *err)
{
    const struct options *o = in->o;
    bool serial = !o->serials.n && !o->nodefaults;
    bool monitor = !o->monitors.n && !o->mons.n && !o->nodefaults;

    if ((o->display_none && !o->nographic) || !stdio_free(o))
        return true;
    if (serial && monitor)
        return open_serial(in, 0, "mon:stdio", err);
    if (serial)
        return open_serial(in, 0, "stdio", err);
    if (monitor && o->nographic)
        return open_monitor(in, 0, "stdio", err);
    return true;
}

/* The page of -timeline-html wants console lines that go nowhere, too. */
static bool open_listened(struct init *in, struct err *err)
{
    if (in->o->timeline_html && !in->serial0)
        in->serial0 = chardev_add(in->m.chardevs, "null,id=timeline-html", err);
    return !in->o->timeline_html || in->serial0;
}

static bool open_named(struct init *in, struct err *err)
{
    const struct options *o = in->o;

    for (size_t n = 0; n < o->chardevs.n; n++)
        if (!chardev_add(in->m.chardevs, o->chardevs.s[n], err))
            return err_prefix(err, "-chardev %s", o->chardevs.s[n]);
    return true;
}

static bool open_mons(struct init *in, struct err *err)
{
    const struct options *o = in->o;

    for (size_t n = 0; n < o->mons.n; n++) {
        struct chardev *c = chardev_find(in->m.chardevs, o->mons.s[n]);

        if (!c)
            return err_set(err, "-mon %s: chardev \"%s\" not found",
                           o->mons.s[n], o->mons.s[n]);
        if (!add_monitor(in, c, err))
            return err_prefix(err, "-mon %s", o->mons.s[n]);
    }
    return true;
}

bool open_consoles(struct init *in, struct err *err)
{
    const struct options *o = in->o;

    if (in->consoles_open)
        return true;
    in->consoles_open = true;
    if (!open_named(in, err))
        return false;
    for (size_t n = 0; n < o->serials.n; n++)
        if (!open_serial(in, (int)n, o->serials.s[n], err))
            return false;
    for (size_t n = 0; n < o->monitors.n; n++)
        if (!open_monitor(in, (int)n, o->monitors.s[n], err))
            return false;
    return open_mons(in, err) && open_defaults(in, err) &&
           open_listened(in, err);
}

/* The gdb port ---------------------------------------------------------------------- */

/* "tcp::1234" means a server that does not wait; so does unix without more. */
static char *gdb_device(const char *dev)
{
    bool socket = !strncmp(dev, "tcp:", 4) || !strncmp(dev, "unix:", 5);

    if (!socket || strstr(dev, "server"))
        return xstrdup(dev);
    return xasprintf("%s,server=on,wait=off", dev);
}

static bool open_gdb_on(struct init *in, const char *dev, struct err *err)
{
    char *full = gdb_device(dev), label[16];
    struct gdbstub_config config = in->gdb_config;
    struct chardev *c;
    struct gdbstub *g = NULL;
    bool mon;

    snprintf(label, sizeof label, "gdb%d", in->gdbs);
    *err = (struct err){ 0 };
    c = chardev_short(in->m.chardevs, label, full, &mon, err);
    free(full);
    if (!c && !err->text[0])
        return err_set(err, "gdbstub: '%s' is no place for gdb", dev);
    if (c && !strcmp(chardev_filename(c), "stdio") && !config.lost)
        config.lost = GDB_QUIT; /* nobody else will come */
    if (c && in->gdbs < MAX_SESSIONS)
        g = gdbstub_new(&in->m, c, &config, err);
    if (g)
        in->gdb[in->gdbs++] = g;
    return g != NULL;
}

static void close_gdb(struct init *in)
{
    while (in->gdbs > 0)
        gdbstub_free(in->gdb[--in->gdbs]);
}

/* The monitor's `gdbserver`: one more port, or none at all. */
static bool gdbserver(void *opaque, const char *dev, struct err *err)
{
    struct init *in = opaque;

    close_gdb(in);
    for (int n = 0; n < MAX_SESSIONS; n++) {
        char label[16];
        struct chardev *c;

        snprintf(label, sizeof label, "gdb%d", n);
        c = chardev_find(in->m.chardevs, label);
        if (c && !chardev_remove(in->m.chardevs, c, err))
            return false;
    }
    return !strcmp(dev, "none") || open_gdb_on(in, dev, err);
}

static void monitor_for_gdb(void *opaque, int hart, const char *line,
                            struct buf *out)
{
    struct init *in = opaque;

    monitor_run_line(&in->m, &in->monitor_hooks, hart, line, out);
}

bool open_gdb(struct init *in, struct err *err)
{
    if (in->gdb_open)
        return true;
    in->gdb_open = true;
    for (size_t n = 0; n < in->o->gdbs.n; n++)
        if (!open_gdb_on(in, in->o->gdbs.s[n], err))
            return err_prefix(err, "-gdb %s", in->o->gdbs.s[n]);
    return true;
}

void undo_creation_done(struct init *in)
{
    steps_end_history(in);
    close_gdb(in);
}

/* Steps ------------------------------------------------------------------------------ */

/* What the rooms may not know of each other, they are told here. */
bool step_default_devices(struct init *in, struct err *err)
{
    if (!in->consoles_open)
        return open_consoles(in, err);
    return true;
}

bool step_late_backends(struct init *in, struct err *err)
{
    return open_consoles(in, err);
}

void undo_late_backends(struct init *in)
{
    while (in->monitors > 0)
        monitor_free(in->monitor[--in->monitors]);
    monitor_fini();
}

bool step_semihosting_console(struct init *in, struct err *err)
{
    const char *id = in->o->semihosting_chardev;

    if (!id)
        return true;
    in->semihost_console = chardev_find(in->m.chardevs, id);
    if (!in->semihost_console && !in->o->recording)
        return err_set(err, "semihosting: chardev '%s' not found", id);
    return true;
}

bool step_accel_os_post(struct init *in, struct err *err)
{
    const char *path = in->o->pidfile;
    FILE *f;

    if (!path)
        return true;
    f = fopen(path, "w");
    if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f))
        return err_set(err, "cannot create PID file: Could not create '%s': %s",
                       path, strerror(errno));
    return true;
}

void undo_accel_os_post(struct init *in)
{
    if (in->o->pidfile)
        unlink(in->o->pidfile);
}

bool step_mux_open(struct init *in, struct err *err)
{
    (void)err;
    chardevs_mux_open(in->m.chardevs);
    return true;
}

void steps_join(struct init *in)
{
    in->monitor_hooks = (struct monitor_hooks){ gdbserver, in, gdb_script };
    in->gdb_config = (struct gdbstub_config){
        .monitor = monitor_for_gdb,
        .monitor_opaque = in,
        .kill = in->o->gdb_kill,
        .detach = in->o->gdb_detach,
        .lost = in->o->gdb_lost,
        .modules = (const char *const *)in->o->gdb_modules.s,
        .nmodules = in->o->gdb_modules.n,
    };
}
