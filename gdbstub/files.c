/* SPDX-License-Identifier: MIT */
/*
 * files.c - vFile: gdb reads the files that were loaded into the machine and
 * those of Linux's modules, and no others.
 *
 * "Debugging with GDB", E.7 Host I/O Packets. A descriptor is the number of
 * an image, so nothing is open and nothing needs to be closed; those of modules
 * are modules.c's.
 */
#include <errno.h>
#include <string.h>

#include "gdbstub/stub.h"

/* The protocol's own numbers: E.14.8.2 Errno Values. */
enum fileio_errno {
    FILEIO_ENOENT = 2,
    FILEIO_EIO = 5,
    FILEIO_EBADF = 9,
    FILEIO_EINVAL = 22,
    FILEIO_EROFS = 30,
};

static bool failed(struct buf *out, enum fileio_errno why)
{
    buf_printf(out, "F-1,%x", (unsigned)why);
    return true;
}

/* Taken for any process: there is one, and one file system. */
static bool set_fs(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    buf_str(out, "F0");
    return true;
}

/* Decodes the name, in place: up to a comma or the end. */
static bool take_name(struct args *a, struct args *rest)
{
    char *comma = memchr(a->rest, ',', a->rest_len);
    size_t len = comma ? (size_t)(comma - a->rest) : a->rest_len;
    struct args name;

    if (comma && !args_parse(",h,h", comma, a->rest_len - len, rest))
        return false;
    return args_parse("b", a->rest, len, &name) &&
           strlen(name.rest) == name.rest_len;
}

static bool find_file(struct session *s, const char *path, uint64_t *n)
{
    struct debug_image i;

    for (size_t image = 0; debug_image(s->m, image, &i); image++)
        if (strcmp(i.path, path) == 0) {
            *n = image;
            return true;
        }
    *n = modules_open(s, path);
    return *n != 0;
}

/* -1: there is no such file. */
static int64_t length(const struct session *s, uint64_t n)
{
    const struct buf *file = modules_file(s, n);

    return file ? (int64_t)file->len : debug_image_length(s->m, (size_t)n);
}

static int64_t read_at(const struct session *s, uint64_t n, uint64_t offset,
                       void *data, size_t len)
{
    const struct buf *file = modules_file(s, n);

    if (!file)
        return debug_image_read(s->m, (size_t)n, offset, data, len);
    if (offset >= file->len)
        return 0;
    if (len > file->len - offset)
        len = file->len - (size_t)offset;
    memcpy(data, file->data + offset, len);
    return (int64_t)len;
}

static bool open_file(struct session *s, struct args *a, struct buf *out)
{
    struct args mode = { 0 };
    uint64_t n;

    if (!take_name(a, &mode))
        return failed(out, FILEIO_EINVAL);
    if (mode.n[0] != 0) /* anything but O_RDONLY */
        return failed(out, FILEIO_EROFS);
    if (!find_file(s, a->rest, &n))
        return failed(out, FILEIO_ENOENT);
    buf_printf(out, "F%llx", (unsigned long long)n);
    return true;
}

static bool exists(const struct session *s, uint64_t n)
{
    struct debug_image i;

    return modules_file(s, n) || debug_image(s->m, (size_t)n, &i);
}

static bool close_file(struct session *s, struct args *a, struct buf *out)
{
    if (!exists(s, a->n[0]))
        return failed(out, FILEIO_EBADF);
    modules_close(s, a->n[0]);
    buf_str(out, "F0");
    return true;
}

/* A reply holds no more than half a packet: each byte may be escaped. */
static bool read_file(struct session *s, struct args *a, struct buf *out)
{
    char data[STUB_PACKET / 2 - 32];
    size_t len = a->n[1] < sizeof data ? (size_t)a->n[1] : sizeof data;
    int64_t got;

    if (!exists(s, a->n[0]))
        return failed(out, FILEIO_EBADF);
    got = read_at(s, a->n[0], a->n[2], data, len);
    if (got < 0)
        return failed(out, FILEIO_EIO);
    buf_printf(out, "F%llx;", (unsigned long long)got);
    link_escape(out, data, (size_t)got);
    return true;
}

static void add_number(struct buf *out, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_chr(out, (char)(v >> 8 * i));
}

/* struct stat as E.14.9.4 has it, big-endian: a file that may be read. */
static bool add_stat(struct session *s, uint64_t n, struct buf *out)
{
    enum { REGULAR_READABLE = 0100444, BLOCK = 4096 };
    int64_t size = length(s, n);
    struct buf stat = { 0 };

    if (size < 0)
        return failed(out, FILEIO_EBADF);
    add_number(&stat, 0, 4); /* device */
    add_number(&stat, n + 1, 4);
    add_number(&stat, REGULAR_READABLE, 4);
    add_number(&stat, 1, 4); /* links */
    for (int i = 0; i < 3; i++)
        add_number(&stat, 0, 4); /* uid, gid, rdev */
    add_number(&stat, (uint64_t)size, 8);
    add_number(&stat, BLOCK, 8);
    add_number(&stat, ((uint64_t)size + 511) / 512, 8);
    for (int i = 0; i < 3; i++)
        add_number(&stat, 0, 4); /* times */
    buf_printf(out, "F%zx;", stat.len);
    link_escape(out, stat.data, stat.len);
    buf_free(&stat);
    return true;
}

static bool stat_open_file(struct session *s, struct args *a, struct buf *out)
{
    return add_stat(s, a->n[0], out);
}

static bool stat_file(struct session *s, struct args *a, struct buf *out)
{
    struct args none = { 0 };
    uint64_t n;

    if (!take_name(a, &none))
        return failed(out, FILEIO_EINVAL);
    if (!find_file(s, a->rest, &n))
        return failed(out, FILEIO_ENOENT);
    add_stat(s, n, out);
    modules_close(s, n);
    return true;
}

/* Paths are whole: nothing here is a link. */
static bool read_link(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    return failed(out, FILEIO_EINVAL);
}

static bool read_only(struct session *s, struct args *a, struct buf *out)
{
    (void)s, (void)a;
    return failed(out, FILEIO_EROFS);
}

/* clang-format off */
const struct packet file_packets[] = {
    /* name              arguments   handler         plain */
    { "vFile:setfs",     ":h",       set_fs,         false },
    { "vFile:open",      ":r",       open_file,      false },
    { "vFile:close",     ":h",       close_file,     false },
    { "vFile:pread",     ":h,h,h",   read_file,      false },
    { "vFile:fstat",     ":h",       stat_open_file, false },
    { "vFile:stat",      ":r",       stat_file,      false },
    { "vFile:readlink",  ":r",       read_link,      false },
    { "vFile:pwrite",    ":r",       read_only,      false },
    { "vFile:unlink",    ":r",       read_only,      false },
    { NULL,              NULL,       NULL,           false },
};
/* clang-format on */
