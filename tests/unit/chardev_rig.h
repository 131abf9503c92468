/* SPDX-License-Identifier: MIT */
/*
 * chardev_rig.h - a set of chardevs in a folder of its own, and a front end
 * that writes down what happens to it.
 */
#ifndef TESTS_UNIT_CHARDEV_RIG_H
#define TESTS_UNIT_CHARDEV_RIG_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/chardev.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"

#define MS INT64_C(1000000)

static struct loop *l;
static struct chardevs *set;
static struct err err;
static char dir[] = "/tmp/ebreak-chardev-XXXXXX";

static inline void begin(void)
{
    l = loop_new();
    set = chardevs_new(l);
    chardevs_mux_open(set);
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
}

/* Whatever a test leaves in its folder is a file left behind. */
static inline void end(void)
{
    chardevs_free(set);
    loop_free(l);
    cr_assert_eq(rmdir(dir), 0, "a file was left behind");
}

/* A front end that writes down what happens to it. */
struct front {
    struct chardev *c;
    size_t room; /* what it still takes */
    struct buf seen;
};

static inline size_t can(void *opaque)
{
    return ((struct front *)opaque)->room;
}

static inline void take(void *opaque, const void *data, size_t len)
{
    struct front *f = opaque;

    cr_assert_leq(len, f->room, "more was given than it takes");
    buf_add(&f->seen, data, len);
    f->room -= len;
}

static inline void happen(void *opaque, enum chardev_event e)
{
    static const char *const names[] = { "<open>", "<close>", "<break>", "<in>",
                                         "<out>" };

    buf_str(&((struct front *)opaque)->seen, names[e]);
}

static const struct chardev_front front_fns = { can, take, happen };

static inline void join(struct front *f, struct chardev *c)
{
    cr_assert_not_null(c, "%s", err.text);
    *f = (struct front){ .c = c, .room = SIZE_MAX };
    cr_assert(chardev_join(c, &front_fns, f, &err), "%s", err.text);
}

static inline void leave(struct front *f)
{
    chardev_leave(f->c, f);
    buf_free(&f->seen);
}

/* Turns the loop until f has seen text, and forgets it. */
static inline void expect(struct front *f, const char *text)
{
    for (int i = 0; i < 400 && f->seen.len < strlen(text); i++)
        loop_turn(l, 5 * MS);
    cr_assert_str_eq(buf_text(&f->seen), text);
    buf_clear(&f->seen);
}

static inline void expect_nothing(struct front *f)
{
    for (int i = 0; i < 5; i++)
        loop_turn(l, MS);
    cr_assert_str_eq(buf_text(&f->seen), "");
}

static inline struct chardev *add(const char *text)
{
    return chardev_add(set, text, &err);
}

static inline void put(struct chardev *c, const char *text)
{
    cr_assert_eq(chardev_write(c, text, strlen(text)), strlen(text));
}

/* Reads from fd until text has come. */
static inline void expect_fd(int fd, const char *text)
{
    char got[4096] = "";
    size_t len = 0;

    for (int i = 0; i < 400 && len < strlen(text); i++) {
        struct pollfd p = { fd, POLLIN, 0 };

        loop_turn(l, 0);
        if (poll(&p, 1, 5) > 0) {
            ssize_t n = read(fd, got + len, sizeof got - 1 - len);

            len += n > 0 ? (size_t)n : 0;
        }
    }
    cr_assert_str_eq(got, text);
}

static inline void refused(const char *text, const char *why)
{
    err.text[0] = 0;
    cr_assert_null(add(text), "%s", text);
    cr_assert_str_eq(err.text, why);
}

/* The short form, as -serial has it. */
static inline struct chardev *brief(const char *text)
{
    bool mon;

    return chardev_short(set, "serial0", text, &mon, &err);
}

static inline int dial(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(un.sun_path, path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static inline struct chardev *server(void)
{
    return add("socket,id=s,path=sock,server=on,wait=off");
}

static inline void say(int fd, const char *text)
{
    cr_assert_eq((size_t)write(fd, text, strlen(text)), strlen(text));
}

#endif
