/* SPDX-License-Identifier: MIT */
/*
 * semihost.h - semihosting: a guest asks its debugger's host for services.
 *
 * Source: Arm's "Semihosting for AArch32 and AArch64" as RISC-V uses it
 * (slli x0,x0,0x1f; ebreak; srai x0,x0,7); facts/cli.md section 4.0.
 */
#ifndef EMU_MACHINE_SEMIHOST_H
#define EMU_MACHINE_SEMIHOST_H

#include "emu/machine/machine.h"

struct hart;
struct chardev;
struct buf;

enum semihost_target {
    SEMIHOST_AUTO, /* the debugger if one is there, else the host */
    SEMIHOST_NATIVE,
    SEMIHOST_GDB,
};

struct semihost_config {
    enum semihost_target target;
    struct chardev *console; /* NULL: stderr */
    const char *cmdline;     /* SYS_GET_CMDLINE; borrowed */
    bool user;               /* calls from U-mode too */
};

/* Makes the calls work on h. The config is copied with the first hart. */
void semihost_join(struct machine *m, struct hart *h,
                   const struct semihost_config *config);
/* What calls to come depend on: handles, errno, the answer that
 * the log gave last. Host files are not in it: the past does not touch them.
 * Without semihosting it is empty. */
void semihost_save(const struct machine *m, struct buf *out);
void semihost_load(struct machine *m, const void *data, size_t len);

void semihost_fini(struct machine *m); /* closes what the guest left open */

#endif
