/* SPDX-License-Identifier: MIT */
/* fields.c - a struct that describes itself. */
#include "emu/base/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"

/* Members are copied as they lie in memory, so the saved form, which is
 * little-endian by definition, is the host's. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "fields.c needs a little-endian host"
#endif

/* One field as it stands in a saved state. */
struct entry {
    const char *name; /* not 0-terminated; name_len 0 is the end of the list */
    size_t name_len;
    const char *bytes;
    uint32_t size;
};

/* The next field of state, f itself included; NULL at the table's end. */
static const struct field *state(const struct field *f)
{
    while (f->kind == FIELD_HOST)
        f++;
    return f->kind == FIELD_STATE ? f : NULL;
}

static const char *member(const struct field *f, const void *obj)
{
    return (const char *)obj + f->offset;
}

void fields_save(struct buf *out, const struct field *f, const void *obj)
{
    for (const struct field *s = state(f); s != NULL; s = state(s + 1)) {
        size_t len = strlen(s->name);

        assert(len > 0 && len < 256);
        buf_chr(out, (char)len);
        buf_add(out, s->name, len);
        buf_add(out, &s->size, sizeof s->size);
        buf_add(out, member(s, obj), s->size);
    }
    buf_chr(out, 0);
}

/* Takes n bytes; false when fewer are left. */
static bool take(const char **at, const char *end, size_t n, const char **bytes)
{
    if ((size_t)(end - *at) < n)
        return false;
    *bytes = *at;
    *at += n;
    return true;
}

static bool next_entry(const char **at, const char *end, struct entry *e)
{
    const char *p;

    *e = (struct entry){ .name = "", .bytes = "" };
    if (!take(at, end, 1, &p))
        return false;
    e->name_len = (unsigned char)*p;
    if (e->name_len == 0)
        return true;
    if (!take(at, end, e->name_len, &e->name) || !take(at, end, 4, &p))
        return false;
    memcpy(&e->size, p, sizeof e->size);
    return take(at, end, e->size, &e->bytes);
}

static bool is_named(const struct entry *e, const char *name)
{
    return strlen(name) == e->name_len &&
           memcmp(name, e->name, e->name_len) == 0;
}

/* The entry of that name in the well-formed list that begins at start; the
 * search begins at *hint, where it is if the table has not changed. */
static bool find_entry(const char *start, const char **hint, const char *end,
                       const char *name, struct entry *e)
{
    const char *at = *hint;

    if (next_entry(&at, end, e) && is_named(e, name)) {
        *hint = at;
        return true;
    }
    for (at = start; next_entry(&at, end, e) && e->name_len != 0;) {
        if (is_named(e, name)) {
            *hint = at;
            return true;
        }
    }
    return false;
}

static const struct field *find_field(const struct field *f,
                                      const struct entry *e)
{
    for (const struct field *s = state(f); s != NULL; s = state(s + 1))
        if (is_named(e, s->name))
            return s;
    return NULL;
}

/* Finds the end of the list; false when it is damaged. */
static bool skip_list(const char **at, const char *end, size_t *n)
{
    struct entry e;

    for (*n = 0; next_entry(at, end, &e); (*n)++)
        if (e.name_len == 0)
            return true;
    return false;
}

/* There are more entries than fields: names the one that is too much. */
static bool explain_surplus(const char *at, const char *end,
                            const struct field *f, struct err *err)
{
    struct entry e;

    while (next_entry(&at, end, &e) && e.name_len != 0)
        if (find_field(f, &e) == NULL)
            return err_set(err, "there is no field '%.*s'", (int)e.name_len,
                           e.name);
    return err_set(err, "a field is given twice");
}

/* Every field of the table is there once, in its size, and nothing else. */
static bool check_list(const char *start, const char *end,
                       const struct field *f, size_t entries, struct err *err)
{
    const char *hint = start;
    struct entry e;
    size_t n = 0;

    for (const struct field *s = state(f); s != NULL; s = state(s + 1)) {
        if (!find_entry(start, &hint, end, s->name, &e))
            return err_set(err, "field '%s' is missing", s->name);
        if (e.size != s->size)
            return err_set(err,
                           "field '%s' has %" PRIu32 " bytes, not %" PRIu32,
                           s->name, s->size, e.size);
        n++;
    }
    return n == entries || explain_surplus(start, end, f, err);
}

bool fields_load(const char **at, const char *end, const struct field *f,
                 void *obj, struct err *err)
{
    const char *start = *at, *after = *at, *hint = *at;
    struct entry e;
    size_t entries;

    if (!skip_list(&after, end, &entries))
        return err_set(err, "the saved fields are damaged");
    if (!check_list(start, after, f, entries, err))
        return false;
    for (const struct field *s = state(f); s != NULL; s = state(s + 1)) {
        bool found = find_entry(start, &hint, after, s->name, &e);

        assert(found);
        memcpy((char *)obj + s->offset, e.bytes, s->size);
    }
    *at = after;
    return true;
}

static uint64_t element(const struct field *f, const void *obj, size_t i)
{
    uint64_t v = 0;

    assert(f->width == 1 || f->width == 2 || f->width == 4 || f->width == 8);
    memcpy(&v, member(f, obj) + i * f->width, f->width);
    return v;
}

/* Elements are separated by commas; "0x0*16" is sixteen of them. */
static void print_elements(struct buf *out, const struct field *f,
                           const void *obj)
{
    size_t n = f->size / f->width;

    for (size_t i = 0, run; i < n; i += run) {
        uint64_t v = element(f, obj, i);

        for (run = 1; i + run < n && element(f, obj, i + run) == v;)
            run++;
        buf_printf(out, "%s0x%" PRIx64, i == 0 ? "" : ",", v);
        if (run > 1)
            buf_printf(out, "*%zu", run);
    }
}

void fields_print(struct buf *out, const struct field *f, const void *obj)
{
    const char *blank = "";

    for (const struct field *s = state(f); s != NULL; s = state(s + 1)) {
        buf_printf(out, "%s%s=", blank, s->name);
        print_elements(out, s, obj);
        blank = " ";
    }
}

const struct field *fields_diff(const struct field *f, const void *a,
                                const void *b)
{
    for (const struct field *s = state(f); s != NULL; s = state(s + 1))
        if (memcmp(member(s, a), member(s, b), s->size) != 0)
            return s;
    return NULL;
}

/* One round of a multiply-and-fold hash: every bit of v reaches every bit. */
static uint64_t mix(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
}

uint64_t fields_hash(uint64_t hash, const struct field *f, const void *obj)
{
    for (const struct field *s = state(f); s != NULL; s = state(s + 1)) {
        for (size_t i = 0; i < s->size; i += 8) {
            uint64_t v = 0;
            size_t left = s->size - i;

            memcpy(&v, member(s, obj) + i, left < 8 ? left : 8);
            hash = mix(hash, v);
        }
    }
    return hash;
}

size_t fields_gap(const struct field *f, size_t size)
{
    unsigned char *covered = xcalloc(size, 1);
    size_t gap = 0;

    for (; f->kind != FIELD_END; f++) {
        assert((size_t)f->offset + f->size <= size);
        memset(covered + f->offset, 1, f->size);
    }
    for (size_t i = 0; i < size; i++)
        gap += !covered[i];
    free(covered);
    return gap;
}
