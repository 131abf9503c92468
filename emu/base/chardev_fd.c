/* SPDX-License-Identifier: MIT */
/* chardev_fd.c - byte streams that are descriptors: stdio, file, pipe, pty,
 * serial. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "emu/base/chardev_impl.h"
#include "emu/base/log.h"
#include "emu/base/loop.h"
#include "emu/base/opts.h"

enum { PTY_LOOK_MS = 250 };

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0;
}

/* The end of input: there will be no more, but output goes on. */
static void input_ended(struct chardev *c)
{
    int in = c->in;

    loop_fd(c->set->loop, in, NULL, NULL, NULL, NULL);
    close(in);
    c->in = -1;
    chardev_set_open(c, false);
}

static int open_path(const char *path, int flags, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);

    if (fd < 0)
        err_set(err, "Could not open '%s': %s", path, strerror(errno));
    return fd;
}

/* stdio -------------------------------------------------------------------- */

static struct chardev *stdio_user; /* the process has one stdin */

/*
 * stdout without blocking. The flag is the open file's, which we share with
 * the shell and with stderr: so it is opened anew where that is possible,
 * and else (a socket) it is the shared one that changes. A file never blocks,
 * and opened anew it would be written from its beginning.
 */
static int own_stdout(void)
{
    struct stat st = { 0 };
    int fd = -1;

    if (fstat(STDOUT_FILENO, &st) == 0 && !S_ISREG(st.st_mode))
        fd = open("/proc/self/fd/1",
                  O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        return fd;
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && !S_ISREG(st.st_mode))
        set_nonblocking(fd);
    return fd;
}

static bool stdio_open(struct chardev *c, struct opts *o, struct err *err)
{
    bool signals;

    if (!opts_bool(o, "signal", true, &signals, err))
        return false;
    if (stdio_user != NULL)
        return err_set(err, "cannot use stdio by multiple character devices");
    stdio_user = c;
    int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    int out = own_stdout();

    if (!chardev_set_fds(c, in, out, err)) /* either may be closed: -1 */
        return false;
    c->tty = isatty(STDIN_FILENO) == 1;
    if (c->tty)
        tty_raw(STDIN_FILENO, signals);
    chardev_set_open(c, true);
    return true;
}

static void stdio_close(struct chardev *c)
{
    if (stdio_user != c)
        return;
    stdio_user = NULL;
    tty_restore();
}

const struct chardev_ops chardev_stdio = {
    .name = "stdio",
    .open = stdio_open,
    .close = stdio_close,
    .gone = input_ended,
};

/* file --------------------------------------------------------------------- */

static bool open_files(struct chardev *c, const char *path, const char *input,
                       bool append, struct err *err)
{
    bool existed = access(path, F_OK) == 0;
    int in = -1;
    int out = open_path(
        path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), err);

    if (out < 0)
        return false;
    if (!existed)
        c->impl = xstrdup(path);
    if (input != NULL && (in = open_path(input, O_RDONLY, err)) < 0) {
        close(out);
        return false;
    }
    return chardev_set_fds(c, in, out, err);
}

static bool file_open(struct chardev *c, struct opts *o, struct err *err)
{
    const char *path = opts_get(o, "path", NULL);
    const char *input = opts_get(o, "input-path", NULL);
    bool append;

    if (path == NULL)
        return err_set(err, "chardev: file: no filename given");
    if (!opts_bool(o, "append", false, &append, err) ||
        !open_files(c, path, input, append, err))
        return false;
    chardev_set_open(c, true);
    return true;
}

static void file_close(struct chardev *c)
{
    struct stat st;

    if (c->impl != NULL && !c->set->started && stat(c->impl, &st) == 0 &&
        S_ISREG(st.st_mode) && st.st_size == 0)
        unlink(c->impl);
    free(c->impl);
    c->impl = NULL;
}

const struct chardev_ops chardev_file = {
    .name = "file",
    .open = file_open,
    .close = file_close,
    .gone = input_ended,
};

/* pipe --------------------------------------------------------------------- */

/* PATH.in and PATH.out, or PATH for both. Read and write, so that neither
 * open() waits for a partner nor the reader sees an end. */
static bool pipe_open(struct chardev *c, struct opts *o, struct err *err)
{
    const char *path = opts_get(o, "path", NULL);

    if (path == NULL)
        return err_set(err, "chardev: pipe: no device path given");
    char *in_path = xasprintf("%s.in", path);
    char *out_path = xasprintf("%s.out", path);
    int in = open_path(in_path, O_RDWR, NULL);
    int out = open_path(out_path, O_RDWR, NULL);

    free(in_path);
    free(out_path);
    if (in < 0 || out < 0) {
        close(in);
        close(out);
        in = out = open_path(path, O_RDWR, err);
        if (in < 0)
            return false;
    }
    if (!chardev_set_fds(c, in, out, err))
        return false;
    chardev_set_open(c, true);
    return true;
}

const struct chardev_ops chardev_pipe = {
    .name = "pipe",
    .open = pipe_open,
    .gone = input_ended,
};

/* serial ------------------------------------------------------------------- */

static void set_serial_mode(int fd)
{
    struct termios mode;

    if (tcgetattr(fd, &mode) < 0)
        return;
    cfmakeraw(&mode);
    cfsetspeed(&mode, B115200);
    mode.c_cflag |= CREAD | CLOCAL;
    tcsetattr(fd, TCSANOW, &mode);
}

static bool serial_open(struct chardev *c, struct opts *o, struct err *err)
{
    const char *path = opts_get(o, "path", NULL);

    if (path == NULL)
        return err_set(err, "chardev: serial/tty: no device path given");
    int fd = open_path(path, O_RDWR, err);

    if (fd < 0)
        return false;
    set_serial_mode(fd);
    if (!chardev_set_fds(c, fd, fd, err))
        return false;
    c->tty = isatty(fd) == 1;
    chardev_set_open(c, true);
    return true;
}

static void serial_gone(struct chardev *c)
{
    chardev_close_fds(c);
    chardev_set_open(c, false);
}

const struct chardev_ops chardev_serial = {
    .name = "serial",
    .open = serial_open,
    .gone = serial_gone,
};

/* pty ---------------------------------------------------------------------- */

/* While nobody has the other side open the master reads as an error, so it
 * cannot be watched: a timer looks now and then. */
struct pty {
    int fd; /* the master; c->in and c->out only while somebody is there */
    char *link;
    struct timer *look;
};

static bool pty_has_user(const struct pty *p)
{
    struct pollfd poll_fd = { .fd = p->fd, .events = POLLOUT };

    return poll(&poll_fd, 1, 0) >= 0 && !(poll_fd.revents & POLLHUP);
}

static void pty_look(void *opaque)
{
    struct chardev *c = opaque;
    struct pty *p = c->impl;

    if (!pty_has_user(p)) {
        timer_set(p->look, loop_now(c->set->loop, LOOP_REALTIME) +
                               PTY_LOOK_MS * INT64_C(1000000));
        return;
    }
    int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && chardev_set_fds(c, fd, fd, NULL))
        chardev_set_open(c, true);
}

static void pty_gone(struct chardev *c)
{
    chardev_close_fds(c);
    chardev_set_open(c, false);
    pty_look(c);
}

/* The slave's own mode is raw, so that a `cat` there sees what is sent. */
static int open_master(char *name, size_t size, struct err *err)
{
    struct termios mode;
    int master, slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
        err_set(err, "Failed to create PTY: %s", strerror(errno));
        return -1;
    }
    tcgetattr(slave, &mode);
    cfmakeraw(&mode);
    tcsetattr(slave, TCSAFLUSH, &mode);
    if (ttyname_r(slave, name, size) != 0)
        snprintf(name, size, "?");
    close(slave);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    set_nonblocking(master);
    return master;
}

static bool link_pty(struct pty *p, const char *path, const char *name,
                     struct err *err)
{
    if (path == NULL)
        return true;
    if (symlink(name, path) < 0)
        return err_set(err, "Failed to create PTY symlink '%s': %s", path,
                       strerror(errno));
    p->link = xstrdup(path);
    return true;
}

static bool pty_open(struct chardev *c, struct opts *o, struct err *err)
{
    struct pty *p = xcalloc(1, sizeof *p);
    char name[128];

    c->impl = p;
    p->fd = open_master(name, sizeof name, err);
    if (p->fd < 0 || !link_pty(p, opts_get(o, "path", NULL), name, err))
        return false;
    p->look = timer_new(c->set->loop, LOOP_REALTIME, "pty", pty_look, c);
    c->tty = true;
    chardev_set_name(c, "pty:%s", name);
    printf("char device redirected to %s (label %s)\n", name, c->id);
    fflush(stdout); /* whoever waits for it may read from a pipe */
    pty_look(c);
    return true;
}

static void pty_close(struct chardev *c)
{
    struct pty *p = c->impl;

    if (p == NULL)
        return;
    timer_free(p->look);
    if (p->link != NULL)
        unlink(p->link);
    free(p->link);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
    c->impl = NULL;
}

const struct chardev_ops chardev_pty = {
    .name = "pty",
    .open = pty_open,
    .close = pty_close,
    .gone = pty_gone,
};
