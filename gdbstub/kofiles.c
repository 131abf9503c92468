/* SPDX-License-Identifier: MIT */
/*
 * kofiles.c - the files of modules: in the machine's initial ramdisk, and
 * below the folders that the user gave for that (-gdb-modules).
 *
 * A file is looked for by its module's name and taken by its build ID, so it
 * is the very one that is loaded, with the debug information it may have.
 *
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst: a ramdisk
 * is a number of archives, each packed or not, with zeros between them. Both
 * it and the folders may hold anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/log.h"
#include "emu/base/loop.h"

#include "gdbstub/modules.h"

enum {
    FILES_MAX = 1 << 16,     /* of modules, in one place */
    WALK_MAX = 1 << 20,      /* files and folders that are looked at */
    RAMDISK_MAX = 512 << 20, /* bytes, packed and unpacked */
    KEPT_MAX = 256 << 20,    /* of modules in it, as they are there */
    NAME_MAX_LEN = 4096,     /* of a file in it */
    CPIO_HEAD = 110,
};

static const int64_t look_again_ns = INT64_C(5000000000);

/* Data or, in a folder, where it is. */
struct kofile {
    char name[MODULE_NAME];
    char *path;
    void *data;
    size_t len;
};

struct place {
    struct kofile *file;
    size_t n, bytes;
};

struct kofiles {
    struct machine *m;
    const char *const *dirs;
    size_t ndirs;
    struct place ramdisk, folders;
    bool ramdisk_read;
    int64_t walked_ns; /* when the folders were; 0: not yet */
};

/* Names -------------------------------------------------------------------- */

/* "dir/a-b.ko.xz" is of module a_b; false: it is none's. */
static bool module_of(const char *path, char name[MODULE_NAME])
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strstr(base, ".ko");
    size_t len = dot ? (size_t)(dot - base) : 0;

    if (!len || len >= MODULE_NAME || (dot[3] && dot[3] != '.'))
        return false;
    memcpy(name, base, len);
    name[len] = '\0';
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    return true;
}

static struct kofile *add_file(struct place *p, const char *name)
{
    struct kofile *f;

    if (p->n == FILES_MAX)
        return NULL;
    p->file = xrealloc(p->file, (p->n + 1) * sizeof *p->file);
    f = &p->file[p->n++];
    memset(f, 0, sizeof *f);
    memcpy(f->name, name, MODULE_NAME);
    return f;
}

static void forget(struct place *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->file[i].path);
        free(p->file[i].data);
    }
    free(p->file);
    *p = (struct place){ 0 };
}

/* The ramdisk -------------------------------------------------------------- */

/* Eight hex digits; a field of a header has no others. */
static bool cpio_field(const uint8_t *head, int n, size_t *v)
{
    const uint8_t *p = head + 6 + (size_t)8 * n;

    *v = 0;
    for (int i = 0; i < 8; i++) {
        int digit = hex_digit((char)p[i]);

        if (digit < 0)
            return false;
        *v = *v << 4 | (unsigned)digit;
    }
    return true;
}

struct entry {
    const char *name; /* ended */
    const uint8_t *data;
    size_t len, all; /* with its header, and what fills it up */
};

static size_t four(size_t n) { return (n + 3) & ~(size_t)3; }

static bool is_cpio(const uint8_t *p, size_t len)
{
    return len >= CPIO_HEAD &&
           (memcmp(p, "070701", 6) == 0 || memcmp(p, "070702", 6) == 0);
}

static bool take_entry(const uint8_t *p, size_t len, struct entry *e)
{
    enum { FILE_SIZE = 6, NAME_SIZE = 11 };
    size_t name;

    if (!is_cpio(p, len) || !cpio_field(p, FILE_SIZE, &e->len) ||
        !cpio_field(p, NAME_SIZE, &name) || !name || name > NAME_MAX_LEN ||
        four(CPIO_HEAD + name) > len || e->len > len - four(CPIO_HEAD + name) ||
        p[CPIO_HEAD + name - 1])
        return false;
    e->name = (const char *)p + CPIO_HEAD;
    e->data = p + four(CPIO_HEAD + name);
    e->all = four(CPIO_HEAD + name) + four(e->len);
    if (e->all > len)
        e->all = len;
    return true;
}

static void keep_entry(struct place *p, const struct entry *e)
{
    char name[MODULE_NAME];
    struct kofile *f;

    if (!e->len || !module_of(e->name, name) || e->len > KEPT_MAX - p->bytes)
        return;
    f = add_file(p, name);
    if (!f)
        return;
    f->data = xmalloc(e->len);
    f->len = e->len;
    memcpy(f->data, e->data, e->len);
    p->bytes += e->len;
}

/* Archives, one after the other; how many bytes they are. */
static size_t take_archives(struct place *p, const uint8_t *data, size_t len)
{
    size_t at = 0;
    struct entry e;

    while (at < len) {
        if (data[at] == 0) {
            at++;
        } else if (take_entry(data + at, len - at, &e)) {
            keep_entry(p, &e);
            at += e.all;
        } else {
            break;
        }
    }
    return at;
}

static void take_ramdisk(struct place *p, const uint8_t *data, size_t len)
{
    size_t at = take_archives(p, data, len), room = RAMDISK_MAX;

    while (at < len) {
        struct buf out = { 0 };
        size_t used = unpack(data + at, len - at, &out, room);

        take_archives(p, (const uint8_t *)buf_text(&out), out.len);
        room -= out.len < room ? out.len : room;
        buf_free(&out);
        if (!used)
            return;
        at += used;
        at += take_archives(p, data + at, len - at);
    }
}

static void read_image(struct kofiles *k, size_t image)
{
    int64_t len = debug_image_length(k->m, image), n;
    uint8_t *data;

    if (len <= 0 || len > RAMDISK_MAX)
        return;
    data = xmalloc((size_t)len);
    n = debug_image_read(k->m, image, 0, data, (size_t)len);
    if (n == len)
        take_ramdisk(&k->ramdisk, data, (size_t)len);
    free(data);
}

/* It stays as it was loaded: read once. */
static void read_ramdisk(struct kofiles *k)
{
    struct debug_image i;

    if (k->ramdisk_read)
        return;
    k->ramdisk_read = true;
    for (size_t n = 0; debug_image(k->m, n, &i); n++)
        if (strcmp(i.role, "ramdisk") == 0)
            read_image(k, n);
}

/* Folders ------------------------------------------------------------------ */

static void walk(struct place *p, FTS *tree)
{
    char name[MODULE_NAME];
    struct kofile *f;
    FTSENT *e;

    for (int n = 0; n < WALK_MAX && (e = fts_read(tree)); n++)
        if (e->fts_info == FTS_F && module_of(e->fts_name, name) &&
            (f = add_file(p, name)))
            f->path = xstrdup(e->fts_path);
}

/* Links are not followed: build trees have some to all the sources. */
static void walk_folders(struct kofiles *k)
{
    int64_t now = loop_now(debug_loop(k->m), LOOP_REALTIME);

    if (k->walked_ns && now - k->walked_ns < look_again_ns)
        return;
    k->walked_ns = now;
    forget(&k->folders);
    for (size_t i = 0; i < k->ndirs; i++) {
        char *dir = xstrdup(k->dirs[i]);
        char *const paths[] = { dir, NULL };
        FTS *tree =
            fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);

        if (tree) {
            walk(&k->folders, tree);
            fts_close(tree);
        }
        free(dir);
    }
}

/* All of a file, if it is one and of a decent size. */
static bool read_path(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char data[1 << 16];
    struct stat st;
    ssize_t n = -1;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        while ((n = read(fd, data, sizeof data)) > 0 && out->len <= KOFILE_MAX)
            buf_add(out, data, (size_t)n);
    close(fd);
    return n == 0 && out->len > 0;
}

/* Finding one -------------------------------------------------------------- */

static bool has(const struct buf *b, const void *what, size_t len)
{
    return b->len && memmem(b->data, b->len, what, len);
}

/* Unpacked, if it has the build ID, and more to say than the kernel knows. */
static bool take_file(const void *data, size_t len, const struct build_id *id,
                      struct buf *out)
{
    static const char debug_info[] = ".debug_info";

    buf_clear(out);
    if (!unpack_is_packed(data, len))
        buf_add(out, data, len);
    else if (!unpack(data, len, out, KOFILE_MAX))
        return false;
    return has(out, id->bytes, id->len) &&
           has(out, debug_info, sizeof debug_info - 1);
}

static bool try_file(const struct kofile *f, const struct build_id *id,
                     struct buf *out)
{
    struct buf data = { 0 };
    bool ok;

    if (!f->path)
        return take_file(f->data, f->len, id, out);
    ok = read_path(f->path, &data) && take_file(data.data, data.len, id, out);
    buf_free(&data);
    return ok;
}

static bool find_in(const struct place *p, const char *module,
                    const struct build_id *id, struct buf *out)
{
    char file[MODULE_NAME + 4], name[MODULE_NAME];
    bool found = false;

    snprintf(file, sizeof file, "%s.ko", module);
    if (!module_of(file, name))
        return false;
    for (size_t i = 0; i < p->n && !found; i++)
        found = strcmp(p->file[i].name, name) == 0 &&
                try_file(&p->file[i], id, out);
    return found;
}

bool kofiles_find(struct kofiles *k, const char *module,
                  const struct build_id *id, struct buf *out)
{
    bool found = find_in(&k->folders, module, id, out);

    if (!found && k->ndirs) {
        walk_folders(k);
        found = find_in(&k->folders, module, id, out);
    }
    if (!found) {
        read_ramdisk(k);
        found = find_in(&k->ramdisk, module, id, out);
    }
    if (!found)
        buf_free(out);
    return found;
}

struct kofiles *kofiles_new(struct machine *m, const char *const *dirs,
                            size_t n)
{
    struct kofiles *k = xcalloc(1, sizeof *k);

    k->m = m;
    k->dirs = dirs;
    k->ndirs = n;
    return k;
}

void kofiles_free(struct kofiles *k)
{
    if (!k)
        return;
    forget(&k->ramdisk);
    forget(&k->folders);
    free(k);
}
