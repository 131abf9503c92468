/* SPDX-License-Identifier: MIT */
/* options_control.c - options about consoles, debugging and the process. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/opts.h"
#include "emu/base/version.h"

#include "emu/options_impl.h"

/* Consoles -------------------------------------------------------------------- */

bool do_nographic(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->nographic = true;
    return true;
}

bool do_display(struct options *o, const char *arg, struct err *err)
{
    if (strcmp(arg, "none"))
        return err_set(err,
                       "Parameter 'type' does not accept value '%s': "
                       "there is no display but none",
                       arg);
    o->display_none = true;
    return true;
}

bool do_nodefaults(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->nodefaults = true;
    return true;
}

bool do_chardev(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    if (options_wants_help(arg))
        chardev_help(options_answer(o));
    options_push(&o->chardevs, arg);
    return true;
}

bool do_serial(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_push(&o->serials, arg);
    return true;
}

bool do_monitor(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_push(&o->monitors, arg);
    return true;
}

bool do_mon(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, "chardev", err), pretty;
    const char *chardev = opts_get(&p, "chardev", NULL);
    const char *mode = opts_get(&p, "mode", "readline");

    if (ok && strcmp(mode, "readline"))
        ok = err_set(err,
                     strcmp(mode, "control")
                         ? "Parameter 'mode' does not accept value '%s'"
                         : "mode=%s: QMP is not available yet",
                     mode);
    if (ok && !chardev)
        ok = err_set(err, "chardev \"\" not found");
    ok = ok && opts_bool(&p, "pretty", false, &pretty, err) &&
         opts_done(&p, err);
    if (ok)
        options_push(&o->mons, chardev);
    opts_free(&p);
    return ok;
}

bool do_qmp(struct options *o, const char *arg, struct err *err)
{
    (void)o;
    if (!strcmp(arg, "none"))
        return true;
    return err_set(err, "QMP is not available yet");
}

bool do_echr(struct options *o, const char *arg, struct err *err)
{
    uint64_t code;

    if (!parse_u64(arg, &code) || code > 255)
        return err_set(err, "Bad argument to echr");
    o->escape = (int)code;
    return true;
}

/* Accepted where it asks for nothing, as scripts do. */
bool do_net(struct options *o, const char *arg, struct err *err)
{
    (void)o;
    if (!strcmp(arg, "none"))
        return true;
    return err_set(err, "networks are not available yet");
}

/* Debugging and control -------------------------------------------------------- */

bool do_gdb(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    if (strcmp(arg, "none"))
        options_push(&o->gdbs, arg);
    return true;
}

static bool policy(struct opts *p, const char *key, enum gdb_policy *out,
                   struct err *err)
{
    static const char *const names[] = { [GDB_KEEP] = "keep",
                                         [GDB_RUN] = "run",
                                         [GDB_STOP] = "stop",
                                         [GDB_RESET] = "reset",
                                         [GDB_QUIT] = "quit" };
    const char *value = opts_get(p, key, NULL);

    if (!value)
        return true;
    for (int n = GDB_KEEP; n <= GDB_QUIT; n++)
        if (!strcmp(names[n], value)) {
            *out = (enum gdb_policy)n;
            return true;
        }
    return err_set(err, "%s=%s: it is one of keep, run, stop, reset, quit", key,
                   value);
}

bool do_gdb_policy(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, NULL, err) &&
              policy(&p, "kill", &o->gdb_kill, err) &&
              policy(&p, "detach", &o->gdb_detach, err) &&
              policy(&p, "lost", &o->gdb_lost, err) && opts_done(&p, err);

    opts_free(&p);
    return ok;
}

bool do_gdb_modules(struct options *o, const char *arg, struct err *err)
{
    struct stat st;

    if (stat(arg, &st) != 0)
        return err_set(err, "%s: %s", arg, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, "%s is no folder", arg);
    options_push(&o->gdb_modules, arg);
    return true;
}

bool do_s(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    return do_gdb(o, "tcp::1234", err);
}

bool do_S(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->stopped = true;
    return true;
}

bool do_timeline(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = true;

    if (!strcmp(arg, "off")) {
        o->timeline = 0;
        return true;
    }
    ok = opts_parse(&p, arg, "mem", err);
    if (ok && !parse_size(opts_get(&p, "mem", ""), 'B', &o->timeline))
        ok = err_set(err, "Parameter 'mem' expects a size");
    if (ok && o->timeline < UINT64_C(1) << 20)
        ok = err_set(err, "at least 1M is needed to go back in time");
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

bool do_preconfig(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->preconfig = true;
    return true;
}

bool do_d(struct options *o, const char *arg, struct err *err)
{
    if (options_wants_help(arg)) {
        log_help(options_answer(o));
        return true;
    }
    return log_parse(arg, &o->log_mask, err);
}

bool do_perfmap(struct options *o, const char *arg, struct err *err)
{
    (void)arg, (void)err;
    o->perfmap = true;
    return true;
}

bool do_D(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->log_file, arg);
    return true;
}

bool do_semihosting(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->semihosting = true;
    return true;
}

bool do_semihosting_config(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, NULL, err);
    const char *target = opts_get(&p, "target", "auto");
    const char *chardev = opts_get(&p, "chardev", NULL);

    if (!strcmp(target, "native"))
        o->semihosting_target = SEMIHOST_NATIVE;
    else if (!strcmp(target, "gdb"))
        o->semihosting_target = SEMIHOST_GDB;
    else if (ok && strcmp(target, "auto"))
        ok = err_set(err, "unsupported semihosting-config %s", target);
    ok = ok && opts_bool(&p, "enable", true, &o->semihosting, err) &&
         opts_bool(&p, "userspace", false, &o->semihosting_user, err);
    for (size_t n = 0; ok && n < p.n; n++)
        if (!strcmp(p.opt[n].key, "arg"))
            options_push(&o->semihosting_args, p.opt[n].value);
    opts_get(&p, "arg", NULL);
    if (chardev)
        options_set(&o->semihosting_chardev, chardev);
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

bool do_no_reboot(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->policy.reboot_is_shutdown = true;
    return true;
}

bool do_no_shutdown(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    o->policy.shutdown_pauses = true;
    return true;
}

static bool action(const char *key, const char *value, const char *const *all,
                   int *which, struct err *err)
{
    if (!value)
        return true;
    for (*which = 0; all[*which]; ++*which)
        if (!strcmp(all[*which], value))
            return true;
    return err_set(err, "Parameter '%s' does not accept value '%s'", key,
                   value);
}

bool do_action(struct options *o, const char *arg, struct err *err)
{
    static const char *const reboots[] = { "reset", "shutdown", NULL };
    static const char *const offs[] = { "poweroff", "pause", NULL };
    static const char *const panics[] = { "pause", "shutdown", "exit-failure",
                                          "none", NULL };
    struct opts p = { 0 };
    int reboot = o->policy.reboot_is_shutdown, off = o->policy.shutdown_pauses;
    int panic = 1;
    bool ok =
        opts_parse(&p, arg, NULL, err) &&
        action("reboot", opts_get(&p, "reboot", NULL), reboots, &reboot, err) &&
        action("shutdown", opts_get(&p, "shutdown", NULL), offs, &off, err) &&
        action("panic", opts_get(&p, "panic", NULL), panics, &panic, err);

    opts_get(&p, "watchdog", NULL);
    ok = ok && opts_done(&p, err);
    o->policy.reboot_is_shutdown = reboot == 1;
    o->policy.shutdown_pauses = off == 1;
    o->policy.panic_is_failure = panic == 2;
    opts_free(&p);
    return ok;
}

static bool rtc_base(struct options *o, const char *base, struct err *err)
{
    struct tm tm = { 0 };
    const char *end;

    if (!strcmp(base, "utc") || !strcmp(base, "localtime"))
        return true;
    end = strptime(base, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end) {
        memset(&tm, 0, sizeof tm);
        end = strptime(base, "%Y-%m-%d", &tm);
    }
    if (!end || *end)
        return err_set(err, "invalid datetime format\n"
                            "valid formats: '2006-06-17T16:01:21' or "
                            "'2006-06-17'");
    o->rtc_base_ns = (int64_t)timegm(&tm) * 1000000000;
    return true;
}

static bool rtc_clock(const char *clock, struct err *err)
{
    if (strcmp(clock, "host") && strcmp(clock, "rt") && strcmp(clock, "vm"))
        return err_set(err, "invalid option value '%s'", clock);
    return true; /* the clock of a deterministic machine is its own */
}

bool do_rtc(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, NULL, err) &&
              rtc_base(o, opts_get(&p, "base", "utc"), err) &&
              rtc_clock(opts_get(&p, "clock", "vm"), err);

    opts_get(&p, "driftfix", "none");
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

bool do_seed(struct options *o, const char *arg, struct err *err)
{
    if (!parse_u64(arg, &o->seed))
        return err_set(err, "Invalid seed number: %s", arg);
    o->have_seed = true;
    return true;
}

bool do_name(struct options *o, const char *arg, struct err *err)
{
    struct opts p = { 0 };
    bool ok = opts_parse(&p, arg, "guest", err);

    options_set(&o->name, opts_get(&p, "guest", ""));
    opts_get(&p, "process", NULL);
    opts_get(&p, "debug-threads", NULL);
    ok = ok && opts_done(&p, err);
    opts_free(&p);
    return ok;
}

bool do_pidfile(struct options *o, const char *arg, struct err *err)
{
    (void)err;
    options_set(&o->pidfile, arg);
    return true;
}

bool do_ignored(struct options *o, const char *arg, struct err *err)
{
    (void)o;
    (void)arg;
    (void)err;
    return true;
}

bool do_version(struct options *o, const char *arg, struct err *err)
{
    (void)arg;
    (void)err;
    buf_str(options_answer(o),
            "ebreak emulator version " EBREAK_VERSION "\n"
            "Copyright (c) 2026 The ebreak authors; MIT licence\n");
    return true;
}
