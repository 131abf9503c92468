/* SPDX-License-Identifier: MIT */
/* machine_rig.h - the whole emulator in a test's own process. */
#ifndef TESTS_UNIT_MACHINE_RIG_H
#define TESTS_UNIT_MACHINE_RIG_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/log.h"

#include "emu/options.h"
#include "emu/steps.h"

/* Up to the main loop, by a command line; init_free and options_free end it. */
static inline struct init *machine_start(struct options *o, size_t n,
                                         const char **argv)
{
    struct err err = { 0 };
    struct init *in;

    cr_assert(options_parse(o, (int)n, (char **)(uintptr_t)argv, &err), "%s",
              err.text);
    in = init_new(o);
    cr_assert(init_start(in, &err), "%s", err.text);
    return in;
}

/* A serial line whose other ends the test holds. */
struct serial_rig {
    char dir[64], chardev[80]; /* for -serial */
    int keyboard, screen;
};

static inline int serial_fifo(const struct serial_rig *s, const char *name)
{
    char path[80];
    int fd;

    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    cr_assert_eq(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_NONBLOCK);
    cr_assert_geq(fd, 0);
    return fd;
}

static inline void serial_open(struct serial_rig *s)
{
    strcpy(s->dir, "/tmp/ebreak-serial-XXXXXX");
    cr_assert(mkdtemp(s->dir));
    snprintf(s->chardev, sizeof s->chardev, "pipe:%s/s", s->dir);
    s->keyboard = serial_fifo(s, "s.in");
    s->screen = serial_fifo(s, "s.out");
}

static inline void serial_close(struct serial_rig *s)
{
    char path[80];

    close(s->keyboard);
    close(s->screen);
    snprintf(path, sizeof path, "%s/s.in", s->dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/s.out", s->dir);
    unlink(path);
    rmdir(s->dir);
}

#endif
