/* SPDX-License-Identifier: MIT */
/*
 * btf.c - the kernel's own description of its types, as far as it takes to
 * find a member of a struct.
 *
 * Documentation/bpf/btf.rst. It comes out of the guest's memory.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

#include "gdbstub/modules.h"

enum {
    BTF_MAGIC = 0xeb9f,
    BTF_HEADER = 24,
    BTF_TYPE = 12,   /* bytes before what the kind adds */
    BTF_MEMBER = 12, /* bytes of a struct's */
    BTF_DEPTH = 16,  /* of types within types, and of a type's other names */
    BTF_BUDGET = 1 << 20,
};

enum btf_kind {
    KIND_INT = 1,
    KIND_PTR,
    KIND_ARRAY,
    KIND_STRUCT,
    KIND_UNION,
    KIND_ENUM,
    KIND_FWD,
    KIND_TYPEDEF,
    KIND_VOLATILE,
    KIND_CONST,
    KIND_RESTRICT,
    KIND_FUNC,
    KIND_FUNC_PROTO,
    KIND_VAR,
    KIND_DATASEC,
    KIND_FLOAT,
    KIND_DECL_TAG,
    KIND_TYPE_TAG,
    KIND_ENUM64,
    KINDS,
};

/* What follows a type: so many bytes, and so many for each of vlen. */
static const struct {
    uint8_t fixed, each;
} sizes[KINDS] = {
    [KIND_INT] = { 4, 0 },      [KIND_ARRAY] = { 12, 0 },
    [KIND_STRUCT] = { 0, 12 },  [KIND_UNION] = { 0, 12 },
    [KIND_ENUM] = { 0, 8 },     [KIND_FUNC_PROTO] = { 0, 8 },
    [KIND_VAR] = { 4, 0 },      [KIND_DATASEC] = { 0, 12 },
    [KIND_DECL_TAG] = { 4, 0 }, [KIND_ENUM64] = { 0, 12 },
};

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* The three words of a type. */
struct type {
    uint32_t name, size; /* size, or the type that is meant */
    unsigned kind, vlen;
    bool bits; /* its members' offsets have a width in them */
    const uint8_t *more;
};

static struct type take_type(const uint8_t *p)
{
    uint32_t info = le32(p + 4);

    return (struct type){ .name = le32(p),
                          .size = le32(p + 8),
                          .kind = info >> 24 & 31,
                          .vlen = info & 0xffff,
                          .bits = info >> 31,
                          .more = p + BTF_TYPE };
}

/* Notes where each type begins; false: one of them makes no sense. */
static bool index_types(struct btf *b)
{
    b->at = xcalloc(b->types_len / BTF_TYPE + 1, sizeof *b->at);
    b->n = 1;
    for (size_t at = 0; at < b->types_len; b->n++) {
        struct type t;

        if (b->types_len - at < BTF_TYPE)
            return false;
        t = take_type(b->types + at);
        if (t.kind == 0 || t.kind >= KINDS)
            return false;
        b->at[b->n] = (uint32_t)at;
        at += BTF_TYPE + sizes[t.kind].fixed +
              (size_t)sizes[t.kind].each * t.vlen;
        if (at > b->types_len)
            return false;
    }
    return true;
}

/* A part of what follows the header; NULL: it is not all there. */
static const uint8_t *part(const uint8_t *data, size_t len, uint32_t off,
                           uint32_t size)
{
    return off <= len && size <= len - off ? data + off : NULL;
}

bool btf_open(struct btf *b, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t header;

    memset(b, 0, sizeof *b);
    if (len < BTF_HEADER || len > BTF_MAX || (le32(p) & 0xffff) != BTF_MAGIC)
        return false;
    header = le32(p + 4);
    if (header < BTF_HEADER || header > len)
        return false;
    b->types_len = le32(p + 12);
    b->strings_len = le32(p + 20);
    b->types = part(p + header, len - header, le32(p + 8), le32(p + 12));
    b->strings = part(p + header, len - header, le32(p + 16), le32(p + 20));
    if (!b->types || !b->strings || !b->strings_len ||
        b->strings[b->strings_len - 1])
        return false;
    return index_types(b);
}

void btf_close(struct btf *b)
{
    free(b->at);
    b->at = NULL;
}

/* Names end within the strings: their last byte is 0. */
static bool is_called(const struct btf *b, uint32_t name, const char *what,
                      size_t len)
{
    const char *s = (const char *)b->strings + name;

    return name < b->strings_len && strncmp(s, what, len) == 0 &&
           s[len] == '\0';
}

static bool get_type(const struct btf *b, uint32_t id, struct type *t)
{
    if (id == 0 || id >= b->n)
        return false;
    *t = take_type(b->types + b->at[id]);
    return true;
}

static bool is_struct(const struct type *t)
{
    return t->kind == KIND_STRUCT || t->kind == KIND_UNION;
}

/* What it is when typedef, const and the like are taken away. */
static bool plain_type(const struct btf *b, uint32_t id, struct type *t)
{
    for (int n = 0; n < BTF_DEPTH && get_type(b, id, t); n++) {
        bool other = (t->kind >= KIND_TYPEDEF && t->kind <= KIND_RESTRICT) ||
                     t->kind == KIND_TYPE_TAG;

        if (!other)
            return true;
        id = t->size;
    }
    return false;
}

static int64_t find_path(struct btf *b, const struct type *t, const char *path,
                         int depth);

/* The member at p of t: where path leads from it, -1 if it does not. */
static int64_t try_member(struct btf *b, const struct type *t, const uint8_t *p,
                          const char *path, int depth)
{
    uint32_t bits = t->bits ? le32(p + 8) & 0xffffff : le32(p + 8);
    size_t word = strcspn(path, ".");
    bool anonymous = is_called(b, le32(p), "", 0);
    struct type inner;
    int64_t within = 0;

    if (!anonymous && !is_called(b, le32(p), path, word))
        return -1;
    if (anonymous || path[word]) {
        if (!plain_type(b, le32(p + 4), &inner) || !is_struct(&inner))
            return -1;
        within =
            find_path(b, &inner, anonymous ? path : path + word + 1, depth + 1);
    }
    return within < 0 || bits % 8 ? -1 : within + bits / 8;
}

static int64_t find_path(struct btf *b, const struct type *t, const char *path,
                         int depth)
{
    for (unsigned n = 0; n < t->vlen && depth < BTF_DEPTH; n++) {
        int64_t at;

        if (!b->budget)
            return -1;
        b->budget--;
        at = try_member(b, t, t->more + (size_t)BTF_MEMBER * n, path, depth);
        if (at >= 0)
            return at;
    }
    return -1;
}

static bool find_struct(const struct btf *b, const char *name, struct type *t)
{
    for (size_t id = 1; id < b->n; id++)
        if (get_type(b, (uint32_t)id, t) && t->kind == KIND_STRUCT &&
            is_called(b, t->name, name, strlen(name)))
            return true;
    return false;
}

int64_t btf_offset(struct btf *b, const char *type, const char *path)
{
    struct type t;

    b->budget = BTF_BUDGET;
    return find_struct(b, type, &t) ? find_path(b, &t, path, 0) : -1;
}

int64_t btf_size(struct btf *b, const char *type)
{
    struct type t;

    return find_struct(b, type, &t) ? (int64_t)t.size : -1;
}
