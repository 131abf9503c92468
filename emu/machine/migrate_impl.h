/* SPDX-License-Identifier: MIT */
/* migrate_impl.h - what migrate.c and incoming.c share. */
#ifndef EMU_MACHINE_MIGRATE_IMPL_H
#define EMU_MACHINE_MIGRATE_IMPL_H

#include <stdint.h>
#include <stdio.h>

#include "emu/base/chardev_net.h"
#include "emu/base/log.h"

#include "emu/machine/machine.h"
#include "emu/machine/migrate.h"

/* Where a state goes to or comes from. */
struct place {
    enum { PLACE_FILE, PLACE_EXEC, PLACE_SOCKET } kind;
    char *text;                 /* path, command */
    struct net_address address; /* PLACE_SOCKET */
};

bool place_parse(struct place *p, const char *uri, struct err *err);
void place_free(struct place *p);

enum migrate_status {
    MIGRATE_NONE,
    MIGRATE_ACTIVE,
    MIGRATE_COMPLETED,
    MIGRATE_FAILED,
    MIGRATE_CANCELLED
};

struct job;

struct migrate {
    enum migrate_status status;
    struct err why; /* MIGRATE_FAILED */
    int64_t since, ns;
    /* Out. */
    struct place to;
    struct job *job;
    enum run_state before;
    bool ran;          /* when it began */
    uint32_t *percent; /* the child's */
    migrate_done_fn *done;
    void *opaque;
    /* In. */
    struct place from;
    bool start;
    int listener, in, memory; /* memory: what has come in so far */
    FILE *command;            /* whose output in is; NULL: none */
    uint64_t got;
};

struct migrate *migrate_of(struct machine *m);
void migrate_stop_incoming(struct machine *m);

#endif
