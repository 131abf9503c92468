/* SPDX-License-Identifier: MIT */
/*
 * chardev_tty.c - the mode of the terminal we were started from.
 *
 * A program that dies in raw mode leaves its user with a terminal that does
 * not echo. So the old mode is put back on every way out: tty_restore, exit(),
 * a signal whose default is to end or suspend the process. What a handler
 * touches is set before it is installed, and tcsetattr is safe in a handler.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "emu/base/chardev_impl.h"

static struct termios cooked, raw;
static volatile sig_atomic_t is_raw; /* we want raw mode on tty_fd */
static int tty_fd;

static const int fatal[] = {
    SIGHUP, SIGINT,  SIGQUIT, SIGILL, SIGABRT, SIGBUS,
    SIGFPE, SIGSEGV, SIGTERM, SIGSYS, SIGXCPU, SIGXFSZ
};

/*
 * A background process that sets the terminal's mode would be stopped. A
 * terminal that does not control us (a driver's pty) has no foreground.
 */
static bool in_foreground(void)
{
    pid_t group = tcgetpgrp(tty_fd);

    return group < 0 || group == getpgrp();
}

static void set_mode(const struct termios *mode)
{
    int saved = errno;

    if (is_raw && in_foreground())
        tcsetattr(tty_fd, TCSANOW, mode);
    errno = saved;
}

static void handle(int signo, void (*fn)(int))
{
    struct sigaction act = { .sa_flags = SA_RESTART };

    act.sa_handler = fn;
    sigemptyset(&act.sa_mask);
    sigaction(signo, &act, NULL);
}

static void raise_default(int signo)
{
    sigset_t set;

    handle(signo, SIG_DFL);
    raise(signo);
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_UNBLOCK, &set, NULL); /* it strikes here */
}

static void on_fatal(int signo)
{
    set_mode(&cooked);
    raise_default(signo);
}

static void on_suspend(int signo)
{
    int saved = errno;

    set_mode(&cooked);
    raise_default(signo);
    handle(signo, on_suspend);
    errno = saved;
}

static void on_continue(int signo)
{
    (void)signo;
    set_mode(&raw);
}

/* Unless somebody has a handler already: then that one decides. */
static void install(int signo, void (*fn)(int))
{
    struct sigaction old;

    if (sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        handle(signo, fn);
}

static void guard_ways_out(void)
{
    static bool guarded;

    if (guarded)
        return;
    guarded = true;
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        install(fatal[i], on_fatal);
    install(SIGTSTP, on_suspend);
    install(SIGCONT, on_continue);
    atexit(tty_restore);
}

void tty_raw(int fd, bool signals)
{
    if (tcgetattr(fd, &cooked) < 0)
        return;
    tty_fd = fd;
    raw = cooked;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
                               IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_oflag |= OPOST; /* messages on stderr still get their CR */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    guard_ways_out();
    is_raw = 1;
    set_mode(&raw);
}

void tty_restore(void)
{
    set_mode(&cooked);
    is_raw = 0;
}
