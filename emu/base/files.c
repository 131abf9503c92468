/* SPDX-License-Identifier: MIT */
/* files.c - the files that a machine is made from. */
#include "emu/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

struct file {
    char *name;
    size_t size;
    uLong crc;
    bool kept; /* in bytes; else on the disk */
    struct buf bytes;
};

struct files {
    struct file *file;
    size_t n;
    bool given;
};

struct files *files_new(void) { return xcalloc(1, sizeof(struct files)); }

void files_free(struct files *f)
{
    if (!f)
        return;
    for (size_t n = 0; n < f->n; n++) {
        free(f->file[n].name);
        buf_free(&f->file[n].bytes);
    }
    free(f->file);
    free(f);
}

static const struct file *find(const struct files *f, const char *name)
{
    for (size_t n = 0; n < f->n; n++)
        if (!strcmp(f->file[n].name, name))
            return &f->file[n];
    return NULL;
}

static struct file *add(struct files *f, const char *name)
{
    f->file = xrealloc(f->file, (f->n + 1) * sizeof *f->file);
    f->file[f->n] = (struct file){ .name = xstrdup(name) };
    return &f->file[f->n++];
}

static uLong crc_of(const struct buf *b)
{
    uLong crc = crc32(0, NULL, 0);

    for (size_t at = 0, n; at < b->len; at += n) {
        n = b->len - at < 1u << 30 ? b->len - at : 1u << 30;
        crc = crc32(crc, (const Bytef *)b->data + at, (uInt)n);
    }
    return crc;
}

/* The disk ----------------------------------------------------------------- */

/* *again: reading it once more gives the same; a pipe does not. */
static bool readable(int fd, bool *again, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(err, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(err, "%s", strerror(EISDIR));
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
        return err_set(err, "it is not a regular file");
    if (st.st_size > (off_t)FILES_MAX)
        return err_set(err, "%s", strerror(EFBIG));
    *again = S_ISREG(st.st_mode);
    return true;
}

static bool read_all(int fd, struct buf *out, struct err *err)
{
    char chunk[65536];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, "%s", strerror(errno));
        if (out->len + (size_t)n > FILES_MAX)
            return err_set(err, "%s", strerror(EFBIG));
        buf_add(out, chunk, (size_t)n);
    }
}

static bool read_disk(const char *path, struct buf *out, bool *again,
                      struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, "%s", strerror(errno));
    buf_clear(out);
    bool ok = readable(fd, again, err) && read_all(fd, out, err);
    close(fd);
    return ok;
}

/* Reading ------------------------------------------------------------------ */

static void remember(struct files *f, const char *name, const struct buf *b,
                     bool again)
{
    struct file *file;

    if (find(f, name))
        return;
    file = add(f, name);
    file->size = b->len;
    file->crc = crc_of(b);
    file->kept = !again;
    if (file->kept)
        buf_add(&file->bytes, b->data, b->len);
}

bool files_read(struct files *f, const char *name, struct buf *out,
                struct err *err)
{
    const struct file *file = f ? find(f, name) : NULL;
    bool again = false;

    if (file && file->kept) {
        buf_clear(out);
        buf_add(out, file->bytes.data, file->bytes.len);
        return true;
    }
    if (f && f->given)
        return err_set(err, "%s", strerror(ENOENT));
    if (!read_disk(name, out, &again, err))
        return false;
    if (f)
        remember(f, name, out, again);
    return true;
}

bool files_exist(const struct files *f, const char *name)
{
    if (f && f->given)
        return find(f, name) != NULL;
    return access(name, R_OK) == 0;
}

void files_give(struct files *f, const char *name, struct buf *bytes)
{
    struct file *file = add(f, name);

    file->size = bytes->len;
    file->crc = crc_of(bytes);
    file->kept = true;
    file->bytes = *bytes;
    *bytes = (struct buf){ 0 };
    f->given = true;
}

const struct buf *files_kept(const struct files *f, const char *name)
{
    const struct file *file = f ? find(f, name) : NULL;

    return file && file->kept ? &file->bytes : NULL;
}

const char *files_nth(const struct files *f, size_t n)
{
    return n < f->n ? f->file[n].name : NULL;
}

bool files_again(const struct files *f, size_t n, struct buf *out,
                 struct err *err)
{
    const struct file *file = &f->file[n];
    bool again;

    if (file->kept) {
        buf_clear(out);
        buf_add(out, file->bytes.data, file->bytes.len);
        return true;
    }
    if (!read_disk(file->name, out, &again, err))
        return err_prefix(err, "%s", file->name);
    return (out->len == file->size && crc_of(out) == file->crc) ||
           err_set(err, "%s has changed since the machine was made from it",
                   file->name);
}
