/* SPDX-License-Identifier: MIT */
/* saves.c - snapshots by name: files NAME.ebs in one directory. */
#include "emu/machine/saves.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

#include "emu/machine/frames.h"
#include "emu/machine/job.h"
#include "emu/machine/record.h"
#include "emu/machine/run.h"
#include "emu/machine/snapshot.h"

#define SUFFIX ".ebs"

enum { NAME_MAX_LEN = 200 };

struct saves {
    char *dir;
    /* The one that is being written. */
    struct job *job;
    char *name, *temp; /* what it is to be called, and is called now */
    bool running;
    saves_done_fn *done;
    void *opaque;
    struct err *result; /* whoever waits */
    bool ok;
};

void saves_init(struct machine *m, const char *dir)
{
    m->saves = xcalloc(1, sizeof *m->saves);
    m->saves->dir = xstrdup(dir ? dir : ".");
}

void saves_fini(struct machine *m)
{
    struct saves *s = m->saves;

    if (!s)
        return;
    if (s->job)
        job_wait(s->job);
    free(s->dir);
    free(s);
    m->saves = NULL;
}

/* A name is a file's name and nothing more: no other directory, not hidden. */
static bool good_name(const char *name, struct err *err)
{
    if (!*name || *name == '.' || strchr(name, '/') ||
        strlen(name) > NAME_MAX_LEN)
        return err_set(err, "'%s' is no name for a snapshot", name);
    return true;
}

static char *path_of(const struct saves *s, const char *name)
{
    return xasprintf("%s/%s" SUFFIX, s->dir, name);
}

/* Writing ------------------------------------------------------------------ */

static bool write_file(struct machine *m, int fd, uint32_t *done,
                       struct err *err)
{
    const struct saves *s = m->saves;

    return frames_begin(fd, FRAMES_SNAPSHOT, err) &&
           snapshot_write(m, s->name, s->running, fd, done, err) &&
           (fsync(fd) == 0 || err_set(err, "%s", strerror(errno)));
}

/* A rename is on the disk when its directory is. */
static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* In the child. The file gets its name last, so that there is never half. */
static bool write_child(void *opaque, uint32_t *done, struct err *err)
{
    struct machine *m = opaque;
    struct saves *s = m->saves;
    char *path = path_of(s, s->name);
    int fd = open(s->temp, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 || err_set(err, "%s", strerror(errno));

    ok = ok && write_file(m, fd, done, err);
    if (fd >= 0 && close(fd) && ok)
        ok = err_set(err, "%s", strerror(errno));
    if (ok && rename(s->temp, path))
        ok = err_set(err, "%s", strerror(errno));
    sync_dir(s->dir);
    return ok || err_prefix(err, "%s", path);
}

/* A file under the name for the time being: ours to remove if it fails. */
static bool make_temp(struct saves *s, struct err *err)
{
    int fd;

    s->temp = xasprintf("%s/.%s.XXXXXX", s->dir, s->name);
    fd = mkostemp(s->temp, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "%s: %s", s->dir, strerror(errno));
    fchmod(fd, 0644);
    close(fd);
    return true;
}

static void forget_names(struct saves *s)
{
    free(s->name);
    free(s->temp);
    s->name = s->temp = NULL;
}

static void written(void *opaque, const struct err *err)
{
    struct machine *m = opaque;
    struct saves *s = m->saves;

    s->job = NULL;
    if (err)
        unlink(s->temp);
    forget_names(s);
    s->ok = err == NULL;
    if (err && s->result)
        *s->result = *err;
    if (s->done)
        s->done(s->opaque, err);
    else if (err && !s->result)
        fprintf(stderr, "ebreak: %s\n", err->text);
}

bool saves_cancel(struct machine *m, const void *opaque)
{
    struct saves *s = m->saves;
    struct err err;

    if (!s || !s->job || !s->done || s->opaque != opaque)
        return false;
    job_kill(s->job);
    err_set(&err, "it was cancelled");
    written(m, &err);
    return true;
}

int saves_percent(const struct machine *m)
{
    return m->saves && m->saves->job ? (int)job_percent(m->saves->job) : -1;
}

static char *name_of_now(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    strftime(text, sizeof text, "vm-%Y%m%d%H%M%S", &tm);
    return xstrdup(text);
}

bool saves_write(struct machine *m, const char *name, saves_done_fn *done,
                 void *opaque, struct err *err)
{
    struct saves *s = m->saves;

    if (s->job)
        return err_set(err, "the snapshot '%s' is still being written",
                       s->name);
    if (name && !good_name(name, err))
        return false;
    if (mkdir(s->dir, 0777) && errno != EEXIST)
        return err_set(err, "%s: %s", s->dir, strerror(errno));
    s->name = name ? xstrdup(name) : name_of_now();
    s->running = run_state(m) == RUN_RUNNING;
    s->done = done;
    s->opaque = opaque;
    if (make_temp(s, err))
        s->job = job_start(m->loop, write_child, written, m, err);
    if (!s->job) {
        unlink(s->temp);
        forget_names(s);
        return false;
    }
    if (done)
        return true;
    s->result = err;
    job_wait(s->job);
    s->result = NULL;
    return s->ok;
}

void saves_forget(struct machine *m, const void *opaque)
{
    if (m->saves && m->saves->done && m->saves->opaque == opaque)
        m->saves->done = NULL;
}

/* Loading ------------------------------------------------------------------ */

static bool load_fd(struct machine *m, int fd, struct err *err)
{
    struct moment when;
    struct frames f, first;
    bool running = run_state(m) == RUN_RUNNING;

    if (!frames_open(&f, fd, FRAMES_SNAPSHOT, err))
        return false;
    first = f;
    record_flush(m);
    run_stand(m, RUN_PAUSED);
    if (!snapshot_load(m, &f, &when, err)) {
        if (running)
            run_resume(m, NULL, NULL);
        return false;
    }
    record_began_with(m, &first);
    return !running || run_resume(m, NULL, err);
}

bool saves_load(struct machine *m, const char *name, struct err *err)
{
    struct saves *s = m->saves;
    char *path;
    int fd;
    bool ok;

    if (m->recording)
        return err_set(err, "the machine replays a recording: it cannot be "
                            "changed");
    if (s->job)
        job_wait(s->job); /* it may be the one that is wanted */
    if (!good_name(name, err))
        return false;
    path = path_of(s, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        ok = err_set(err, "Snapshot '%s' does not exist in %s", name, s->dir);
    else if (fd < 0)
        ok = err_set(err, "%s: %s", path, strerror(errno));
    else
        ok = load_fd(m, fd, err) || err_prefix(err, "%s", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

bool saves_delete(struct machine *m, const char *name, struct err *err)
{
    char *path;
    bool ok;

    if (!good_name(name, err))
        return false;
    path = path_of(m->saves, name);
    ok = unlink(path) == 0;
    if (!ok && errno == ENOENT)
        err_set(err, "Snapshot '%s' does not exist in %s", name, m->saves->dir);
    else if (!ok)
        err_set(err, "%s: %s", path, strerror(errno));
    free(path);
    return ok;
}

/* Listing ------------------------------------------------------------------ */

struct listed {
    char *name;
    struct moment when;
    off_t size;
};

/* Only the first two frames are read: the rest may be long. */
static bool look_at(const char *path, struct listed *l)
{
    struct buf b = { 0 };
    enum frame_kind kind;
    struct frames f;
    struct stat st;
    struct err err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && !fstat(fd, &st) &&
              frames_open(&f, fd, FRAMES_SNAPSHOT, &err) &&
              frame_next(&f, &kind, &b, &err) == FRAME_IS &&
              frame_next(&f, &kind, &b, &err) == FRAME_IS &&
              kind == FRAME_MOMENT && b.len >= sizeof l->when;

    if (ok) {
        memcpy(&l->when, b.data, sizeof l->when);
        l->size = st.st_size;
    }
    if (fd >= 0)
        close(fd);
    buf_free(&b);
    return ok;
}

static int by_date(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    if (x->when.date_s != y->when.date_s)
        return x->when.date_s < y->when.date_s ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool is_save(const char *file)
{
    size_t n = strlen(file);

    return file[0] != '.' && n > strlen(SUFFIX) &&
           !strcmp(file + n - strlen(SUFFIX), SUFFIX);
}

static size_t find_saves(const struct saves *s, struct listed **all)
{
    DIR *d = opendir(s->dir);
    struct dirent *e;
    size_t n = 0;

    *all = NULL;
    while (d && (e = readdir(d))) {
        char *path = xasprintf("%s/%s", s->dir, e->d_name);
        struct listed l;

        if (is_save(e->d_name) && look_at(path, &l)) {
            l.name = xstrndup(e->d_name, strlen(e->d_name) - strlen(SUFFIX));
            *all = xrealloc(*all, (n + 1) * sizeof **all);
            (*all)[n++] = l;
        }
        free(path);
    }
    if (d)
        closedir(d);
    if (n)
        qsort(*all, n, sizeof **all, by_date);
    return n;
}

/* "3.1 MiB": three digits, as QEMU's size_to_str shows it. */
static void size_text(char *text, size_t room, double size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    int u = 0;

    while (size >= 1000 && u < 4) {
        size /= 1024;
        u++;
    }
    snprintf(text, room, "%.3g %s", size, units[u]);
}

static void print_listed(const struct listed *l, struct buf *out)
{
    int64_t ms = l->when.virtual_ns / 1000000;
    time_t date = (time_t)l->when.date_s;
    char size[32], when[32], clock[48];
    struct tm tm = { 0 };

    size_text(size, sizeof size, (double)l->size);
    localtime_r(&date, &tm);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(clock, sizeof clock, "%04" PRId64 ":%02d:%02d.%03d", ms / 3600000,
             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    buf_printf(out, "%-7s %-16s %8s %19s %15s %10" PRIu64 "\n", "--", l->name,
               size, when, clock, l->when.t);
}

void saves_list(const struct machine *m, struct buf *out)
{
    struct listed *all;
    size_t n = find_saves(m->saves, &all);

    if (!n)
        buf_str(out, "There is no snapshot available.\n");
    else
        buf_printf(out,
                   "List of snapshots in %s:\n"
                   "%-7s %-16s %8s %19s %15s %10s\n",
                   m->saves->dir, "ID", "TAG", "VM_SIZE", "DATE", "VM_CLOCK",
                   "ICOUNT");
    for (size_t i = 0; i < n; i++) {
        print_listed(&all[i], out);
        free(all[i].name);
    }
    free(all);
}
