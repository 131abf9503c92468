/* SPDX-License-Identifier: MIT */
/* images.c - the files that were put into memory, for debuggers. */
#include "emu/bus/images.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

struct symbol {
    uint64_t va, size;
    size_t name; /* offset in names */
};

/* Sorted when somebody asks first: most runs never do. */
struct image_symbols {
    struct symbol *list;
    size_t n, room;
    bool sorted;
    struct buf names;
};

struct images {
    struct image **list;
    size_t n;
};

struct images *images_new(void) { return xcalloc(1, sizeof(struct images)); }

static void image_free(struct image *i)
{
    if (i->fd >= 0)
        close(i->fd);
    if (i->symbols) {
        free(i->symbols->list);
        buf_free(&i->symbols->names);
        free(i->symbols);
    }
    free(i->segment);
    free(i->path);
    free(i);
}

void images_free(struct images *s)
{
    for (size_t n = 0; n < s->n; n++)
        image_free(s->list[n]);
    free(s->list);
    free(s);
}

const struct image *images_nth(const struct images *s, size_t n)
{
    return n < s->n ? s->list[n] : NULL;
}

/* Files ---------------------------------------------------------------------- */

/* A pipe can be loaded, but not read a second time. */
static int open_regular(const char *path)
{
    struct stat st;

    if (stat(path, &st) || !S_ISREG(st.st_mode))
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

struct image *images_add(struct images *s, enum image_role role,
                         const char *path, const void *data, size_t len)
{
    struct image *i = xcalloc(1, sizeof *i);
    char *full = data ? NULL : realpath(path, NULL);
    char magic[SELFMAG];

    i->path = full           ? full
              : *path == '/' ? xstrdup(path)
                             : xasprintf("/%s", path);
    i->role = role;
    i->data = data;
    i->len = len;
    i->fd = data ? -1 : open_regular(path);
    i->elf = image_read_at(i, 0, magic, SELFMAG) == SELFMAG &&
             !memcmp(magic, ELFMAG, SELFMAG);
    s->list = xrealloc(s->list, (s->n + 1) * sizeof(struct image *));
    s->list[s->n++] = i;
    return i;
}

int64_t image_read_at(const struct image *i, uint64_t offset, void *data,
                      size_t len)
{
    if (!i->data)
        return pread(i->fd, data, len, (off_t)(offset & INT64_MAX));
    if (offset >= i->len)
        return 0;
    if (len > i->len - offset)
        len = i->len - (size_t)offset;
    memcpy(data, (const char *)i->data + offset, len);
    return (int64_t)len;
}

int64_t image_length(const struct image *i)
{
    struct stat st;

    if (i->data)
        return (int64_t)i->len;
    return fstat(i->fd, &st) ? -1 : st.st_size;
}

/* Segments ------------------------------------------------------------------- */

void image_add_segment(struct image *i, uint64_t va, uint64_t pa, uint64_t size)
{
    i->segment = xrealloc(i->segment, (i->segments + 1) * sizeof *i->segment);
    i->segment[i->segments++] = (struct image_segment){ va, pa, size };
}

bool images_physical(const struct images *s, uint64_t va, uint64_t *pa)
{
    for (size_t n = 0; n < s->n; n++)
        for (size_t k = 0; k < s->list[n]->segments; k++) {
            const struct image_segment *g = &s->list[n]->segment[k];

            if (va - g->va >= g->size)
                continue;
            *pa = va - g->va + g->pa;
            return true;
        }
    return false;
}

/* The address in i's own terms; false when addr is not i's. */
static bool linked_address(const struct image *i, uint64_t addr, uint64_t *va)
{
    for (size_t k = 0; k < i->segments; k++) {
        const struct image_segment *g = &i->segment[k];

        if (addr - g->va >= g->size && addr - g->pa >= g->size)
            continue;
        *va = addr - g->va < g->size ? addr : addr - g->pa + g->va;
        return true;
    }
    return false;
}

/* Symbols -------------------------------------------------------------------- */

void image_add_symbol(struct image *i, const char *name, uint64_t va,
                      uint64_t size)
{
    struct image_symbols *s = i->symbols;

    if (!s)
        s = i->symbols = xcalloc(1, sizeof *s);
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->list = xrealloc(s->list, s->room * sizeof *s->list);
    }
    s->list[s->n++] = (struct symbol){ va, size, s->names.len };
    buf_add(&s->names, name, strlen(name) + 1);
}

/* Of several at one address the one that was there first is shown. */
static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->va != y->va)
        return x->va < y->va ? -1 : 1;
    return x->name < y->name ? 1 : -1;
}

/* The last symbol at or below va, if va is still within it. */
static const char *find(struct image_symbols *s, uint64_t va, uint64_t *offset)
{
    size_t low = 0, high = s->n;

    if (!s->sorted)
        qsort(s->list, s->n, sizeof *s->list, by_address);
    s->sorted = true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->list[middle].va <= va)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *offset = va - s->list[low - 1].va;
    if (s->list[low - 1].size && *offset >= s->list[low - 1].size)
        return NULL;
    return s->names.data + s->list[low - 1].name;
}

const char *images_symbol(const struct images *s, uint64_t addr,
                          uint64_t *offset)
{
    for (size_t n = 0; n < s->n; n++) {
        struct image *i = s->list[n];
        const char *name;
        uint64_t va;

        if (!i->symbols || !linked_address(i, addr, &va))
            continue;
        name = find(i->symbols, va, offset);
        if (name)
            return name;
    }
    return NULL;
}
