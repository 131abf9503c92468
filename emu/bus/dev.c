/* SPDX-License-Identifier: MIT */
/* dev.c - the list of everything that has state. */
#include "emu/bus/dev.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/buf.h"
#include "emu/base/fields.h"
#include "emu/base/log.h"

struct dev {
    struct dev_info info;
    char *name; /* info.name */
    void *opaque;
};

struct devs {
    struct dev **dev; /* in order of addition */
    size_t n;
};

struct devs *devs_new(void) { return xcalloc(1, sizeof(struct devs)); }

static void free_dev(struct dev *d)
{
    if (d->info.free)
        d->info.free(d->opaque);
    free(d->name);
    free(d);
}

void devs_free(struct devs *s)
{
    if (!s)
        return;
    while (s->n > 0)
        free_dev(s->dev[--s->n]);
    free(s->dev);
    free(s);
}

void dev_add(struct devs *s, const struct dev_info *info, void *opaque)
{
    struct dev *d = xmalloc(sizeof *d);

    assert(strlen(info->name) < 256 && !dev_find(s, info->name, NULL));
    assert(fields_gap(info->fields, info->size) == 0);
    *d = (struct dev){ *info, xstrdup(info->name), opaque };
    d->info.name = d->name;
    s->dev = xrealloc(s->dev, (s->n + 1) * sizeof *s->dev);
    s->dev[s->n++] = d;
}

void devs_reset(struct devs *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->dev[i]->info.reset)
            s->dev[i]->info.reset(s->dev[i]->opaque);
}

const struct dev_info *dev_nth(const struct devs *s, size_t n, void **opaque)
{
    if (n >= s->n)
        return NULL;
    if (opaque)
        *opaque = s->dev[n]->opaque;
    return &s->dev[n]->info;
}

const struct dev_info *dev_find(const struct devs *s, const char *name,
                                void **opaque)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->dev[i]->info.name, name) == 0)
            return dev_nth(s, i, opaque);
    return NULL;
}

/*
 * Saved state is, for each device, its name's length (u8), its name, its
 * version (u8) and its fields; a name of length 0 ends it.
 */
void devs_save(const struct devs *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct dev_info *info = &s->dev[i]->info;

        buf_chr(out, (char)strlen(info->name));
        buf_str(out, info->name);
        buf_chr(out, (char)info->version);
        fields_save(out, info->fields, s->dev[i]->opaque);
    }
    buf_chr(out, 0);
}

/* Reads the name and version that come before d's fields. */
static bool load_head(const char **at, const char *end, const struct dev *d,
                      struct err *err)
{
    size_t len = *at < end ? (uint8_t) * *at : 0;
    const char *name = d->info.name;

    if ((size_t)(end - *at) < len + 2)
        return err_set(err, "the state ends before %s", name);
    if (len != strlen(name) || memcmp(*at + 1, name, len) != 0)
        return err_set(err, "the state has '%.*s' where this machine has '%s'",
                       (int)len, *at + 1, name);
    *at += 1 + len;
    if ((uint8_t) * *at != (uint8_t)d->info.version)
        return err_set(err, "%s: the state is version %u, not %u", name,
                       (uint8_t) * *at, (uint8_t)d->info.version);
    *at += 1;
    return true;
}

/* Into d itself, or, to see whether it would work, into a copy. */
static bool load_dev(const char **at, const char *end, struct dev *d,
                     bool for_good, struct err *err)
{
    void *obj = for_good ? d->opaque : xmalloc(d->info.size);
    bool ok;

    if (!for_good)
        memcpy(obj, d->opaque, d->info.size);
    ok = load_head(at, end, d, err) &&
         (fields_load(at, end, d->info.fields, obj, err) ||
          err_prefix(err, "%s", d->info.name));
    if (!for_good)
        free(obj);
    return ok;
}

static bool load_all(struct devs *s, const char *at, const char *end,
                     bool for_good, struct err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (!load_dev(&at, end, s->dev[i], for_good, err))
            return false;
    if (at + 1 != end || *at != 0)
        return err_set(err, "the state goes on after the last device");
    return true;
}

bool devs_check(struct devs *s, const char *data, size_t len, struct err *err)
{
    return load_all(s, data, data + len, false, err);
}

bool devs_load(struct devs *s, const char *data, size_t len, struct err *err)
{
    /* First on copies: a state that does not fit changes nothing. */
    if (!devs_check(s, data, len, err) ||
        !load_all(s, data, data + len, true, err))
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (s->dev[i]->info.loaded)
            s->dev[i]->info.loaded(s->dev[i]->opaque);
    return true;
}

void devs_restore(struct devs *s, const char *data, size_t len)
{
    bool ok = load_all(s, data, data + len, true, NULL);

    assert(ok);
    for (size_t i = 0; i < s->n; i++)
        if (s->dev[i]->info.loaded)
            s->dev[i]->info.loaded(s->dev[i]->opaque);
}

static void print_bytes(struct buf *out, const void *obj, const struct field *f)
{
    const uint8_t *at = (const uint8_t *)obj + f->offset;
    size_t n = f->size < 16 ? f->size : 16;

    for (size_t i = n; i-- > 0;)
        buf_hex(out, at + i, 1);
}

static bool explain(const struct dev *d, const struct field *f, const void *was,
                    struct err *err)
{
    struct buf a = { 0 }, b = { 0 };

    print_bytes(&a, d->opaque, f);
    print_bytes(&b, was, f);
    err_set(err, "%s.%s is %s, was %s", d->name, f->name, buf_text(&a),
            buf_text(&b));
    buf_free(&a);
    buf_free(&b);
    return false;
}

static bool match_dev(const char **at, const char *end, const struct dev *d,
                      struct err *err)
{
    void *was = xmalloc(d->info.size);
    const struct field *f;
    bool ok;

    memcpy(was, d->opaque, d->info.size);
    ok = load_head(at, end, d, err) &&
         fields_load(at, end, d->info.fields, was, err);
    if (ok && (f = fields_diff(d->info.fields, d->opaque, was)))
        ok = explain(d, f, was, err);
    free(was);
    return ok;
}

bool devs_match(const struct devs *s, const char *data, size_t len,
                struct err *err)
{
    struct buf now = { 0 };
    const char *at = data;
    bool same;

    devs_save(s, &now);
    same = now.len == len && memcmp(now.data, data, len) == 0;
    buf_free(&now);
    for (size_t i = 0; !same && i < s->n; i++)
        if (!match_dev(&at, data + len, s->dev[i], err))
            return false;
    return same || err_set(err, "the machine has other devices");
}

uint64_t devs_hash(const struct devs *s)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < s->n; i++)
        hash = fields_hash(hash, s->dev[i]->info.fields, s->dev[i]->opaque);
    return hash;
}
