/* SPDX-License-Identifier: MIT */
/* job.c - a process that is forked to write the machine's state. */
#include "emu/machine/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

struct job {
    struct loop *loop;
    job_done_fn *done;
    void *opaque;
    pid_t pid;
    int fd; /* what the child says: why it failed */
    size_t len;
    struct err err;
    uint32_t *percent; /* shared with the child */
};

/* The child ---------------------------------------------------------------- */

/* C-c at the terminal is for the emulator; who ends the job is its parent. */
static void quiet_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

/* Sockets and terminals stay the parent's alone. */
static void close_others(int keep)
{
    if (keep > 3)
        close_range(3, (unsigned)keep - 1, 0);
    close_range((unsigned)keep + 1, ~0u, 0);
}

_Noreturn static void child(int fd, job_fn *fn, void *opaque, uint32_t *percent)
{
    struct err err = { 0 };
    sigset_t none;

    setpgid(0, 0); /* so that whatever it starts ends with it */
    quiet_signals();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close_others(fd);
    if (fn(opaque, percent, &err))
        _exit(0);
    if (write(fd, err.text, strlen(err.text)) < 0)
        _exit(2);
    _exit(1);
}

/* The parent --------------------------------------------------------------- */

static void discard(struct job *j)
{
    loop_fd(j->loop, j->fd, NULL, NULL, NULL, NULL);
    close(j->fd);
    munmap(j->percent, sizeof *j->percent);
    free(j);
}

static void reap(struct job *j)
{
    struct job ended = *j;
    int status = 0;
    pid_t got;

    discard(j);
    do
        got = waitpid(ended.pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got == ended.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        ended.done(ended.opaque, NULL);
        return;
    }
    ended.err.text[ended.len] = 0;
    if (ended.len == 0)
        err_set(&ended.err, "the process that wrote it was killed");
    ended.done(ended.opaque, &ended.err);
}

/* True when the child has said all. */
static bool heard_all(struct job *j)
{
    char *at = j->err.text + j->len;
    size_t room = sizeof j->err.text - 1 - j->len;
    ssize_t n = read(j->fd, at, room);

    if (n > 0)
        j->len += (size_t)n;
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void readable(void *opaque)
{
    struct job *j = opaque;

    if (heard_all(j))
        reap(j);
}

struct job *job_start(struct loop *l, job_fn *fn, job_done_fn *done,
                      void *opaque, struct err *err)
{
    struct job *j;
    sigset_t all, before;
    int fds[2];
    pid_t pid;
    uint32_t *percent = mmap(NULL, sizeof *percent, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (percent == MAP_FAILED || pipe2(fds, O_CLOEXEC) < 0) {
        err_set(err, "%s", strerror(errno));
        return NULL;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        child(fds[1], fn, opaque, percent);
    if (pid > 0)
        setpgid(pid, pid);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(fds[1]);
    j = xcalloc(1, sizeof *j);
    *j = (struct job){ l, done, opaque, pid, fds[0], 0, { { 0 } }, percent };
    if (pid >= 0 && loop_fd(l, fds[0], NULL, readable, NULL, j))
        return j;
    err_set(err, "cannot fork: %s", strerror(errno));
    job_kill(j);
    return NULL;
}

void job_wait(struct job *j)
{
    while (!heard_all(j))
        continue;
    reap(j);
}

void job_kill(struct job *j)
{
    if (!j)
        return;
    if (j->pid > 0) {
        kill(-j->pid, SIGKILL);
        waitpid(j->pid, NULL, 0);
    }
    discard(j);
}

unsigned job_percent(const struct job *j) { return *j->percent; }
