/* SPDX-License-Identifier: MIT */
/* options_impl.h - what the files behind options.h share. */
#ifndef EMU_OPTIONS_IMPL_H
#define EMU_OPTIONS_IMPL_H

#include "emu/options.h"

typedef bool option_fn(struct options *o, const char *arg, struct err *err);

/* One per row of the table in options.c. */
option_fn do_accel, do_machine, do_cpu, do_smp, do_m, do_global, do_icount,
    do_bios, do_kernel, do_initrd, do_append, do_dtb, do_L, do_pflash, do_drive,
    do_device, do_fw_cfg, do_nographic, do_display, do_nodefaults, do_chardev,
    do_serial, do_monitor, do_mon, do_qmp, do_echr, do_net, do_gdb, do_perfmap,
    do_gdb_policy, do_gdb_modules, do_s, do_S, do_preconfig, do_d, do_D,
    do_semihosting, do_semihosting_config, do_no_reboot, do_no_shutdown,
    do_action, do_rtc, do_seed, do_name, do_pidfile, do_ignored, do_version;
option_fn do_snapshots, do_loadvm, do_record, do_replay, do_incoming,
    do_timeline, do_timeline_html; /* options_time.c */

void options_push(struct strings *list, const char *s);
void options_set(char **to, const char *s);
struct buf *options_answer(struct options *o); /* what -help and such print */
bool options_wants_help(const char *arg);

#endif
