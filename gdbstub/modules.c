/* SPDX-License-Identifier: MIT */
/*
 * modules.c - Linux's modules in gdb's list of libraries.
 *
 * "Debugging with GDB", E.16 Library List Format. A module has one address per
 * section, and gdb wants as many as the file has: so the file that it is given
 * is made here, of what the kernel knows. Its name has the module's address
 * in it, and whether its init is there: gdb takes what has the same name for
 * the same.
 *
 * When to read: a breakpoint on do_init_module, where a new module is in the
 * list and has not run, asks whether gdb knows all that is there; if not, the
 * machine stops and gdb is told `library`, reads the list and resumes. Whoever
 * else is in its list by then, or gone (rmmod, another place in time), is told
 * before gdb continues the next time.
 */
#include "gdbstub/modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/base/log.h"

enum {
    FILES = 2 * MODULES_MAX, /* open at once */
    FILES_BYTES = 256 << 20, /* of all that are open */
    FIRST_FILE = 1 << 20,    /* more than there are images */
    PATH_LEN = 2 * MODULE_NAME,
};

struct modules {
    struct session *s;
    struct kernel kernel;
    uint64_t point; /* where do_init_module has one; 0: nowhere */
    bool reads;     /* gdb has read the list at least once */
    uint64_t told;  /* what it has read the symbols of: see fingerprint() */
    struct buf **file;
    size_t files, bytes;
};

/* The list ----------------------------------------------------------------- */

static void path_of(const struct module *m, char *path)
{
    snprintf(path, PATH_LEN, "/modules/%s%016llx/%s.ko", m->init ? "" : "core/",
             (unsigned long long)m->addr, m->name);
}

static bool add_path(void *opaque, const struct module *m)
{
    uint64_t *sum = opaque;
    char path[PATH_LEN];

    path_of(m, path);
    for (const char *c = path; *c; c++)
        *sum = (*sum ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    return true;
}

/* The same for the same list; 0 when there is none that makes sense. */
static uint64_t fingerprint(struct modules *k)
{
    uint64_t sum = 1;

    return kernel_modules(&k->kernel, add_path, &sum) ? sum : 0;
}

bool modules_due(struct session *s)
{
    struct modules *k = s->modules;

    return k->reads && k->kernel.modules && fingerprint(k) != k->told;
}

void modules_told(struct session *s)
{
    s->modules->told = fingerprint(s->modules);
}

struct listing {
    struct modules *k;
    struct buf *out;
};

static bool add_library(void *opaque, const struct module *found)
{
    struct listing *l = opaque;
    struct module m = *found;
    char path[PATH_LEN];

    if (!kernel_sections(&l->k->kernel, &m))
        return true;
    path_of(&m, path);
    buf_str(l->out, "<library name=\"");
    objects_text(l->out, path);
    buf_str(l->out, "\">");
    for (size_t i = 0; i < m.sections; i++)
        buf_printf(l->out, "<section address=\"0x%llx\"/>",
                   (unsigned long long)m.section[i].addr);
    buf_str(l->out, "</library>\n");
    module_fini(&m);
    return true;
}

void modules_list(struct session *s, struct buf *out)
{
    struct modules *k = s->modules;
    struct listing l = { k, out };

    if (!k->reads) /* when it connects; later `info sharedlibrary` reads, too */
        modules_told(s);
    k->reads = true;
    if (fingerprint(k))
        kernel_modules(&k->kernel, add_library, &l);
}

static uint64_t text_of(const struct module *m)
{
    for (size_t i = 0; i < m->sections; i++)
        if (strcmp(m->section[i].name, ".text") == 0)
            return m->section[i].addr;
    return m->sections ? m->section[0].addr : 0;
}

static bool add_row(void *opaque, const struct module *found)
{
    struct listing *l = opaque;
    struct module m = *found;
    char text[24];

    kernel_sections(&l->k->kernel, &m);
    snprintf(text, sizeof text, "0x%016llx", (unsigned long long)text_of(&m));
    buf_str(l->out, "<item>");
    objects_column(l->out, "Module", m.name);
    objects_column(l->out, "Text", text);
    objects_column(l->out, "State", m.starting ? "starting" : "live");
    buf_str(l->out, "</item>\n");
    module_fini(&m);
    return true;
}

void modules_table(struct session *s, struct buf *out)
{
    struct listing l = { s->modules, out };

    if (fingerprint(s->modules))
        kernel_modules(&s->modules->kernel, add_row, &l);
}

/* Files -------------------------------------------------------------------- */

struct wanted {
    struct modules *k;
    const char *path;
    struct buf *out;
};

static bool make_file(void *opaque, const struct module *found)
{
    struct wanted *w = opaque;
    struct module m = *found;
    char path[PATH_LEN];

    path_of(&m, path);
    if (strcmp(path, w->path) != 0)
        return true;
    if (kernel_sections(&w->k->kernel, &m))
        symfile_make(&w->k->kernel, &m, w->out);
    module_fini(&m);
    return false;
}

/* The end of where gdb looks for debug information: /.build-id/12/34....debug */
static bool take_build_id(const char *path, struct build_id *id)
{
    static const char folder[] = "/.build-id/";
    const char *at = strstr(path, folder);

    id->len = 0;
    if (!at)
        return false;
    for (at += sizeof folder - 1; id->len < BUILD_ID_MAX; at += 2) {
        int hi, lo;

        at += id->len == 1 && *at == '/';
        hi = hex_digit(at[0]);
        lo = hi < 0 ? -1 : hex_digit(at[1]);
        if (lo < 0)
            break;
        id->bytes[id->len++] = (uint8_t)(hi << 4 | lo);
    }
    return id->len > 1 && strcmp(at, ".debug") == 0;
}

struct search {
    struct modules *k;
    struct build_id id;
    struct buf *out;
};

static bool find_debug(void *opaque, const struct module *found)
{
    struct search *w = opaque;
    struct module m = *found;
    struct build_id id;
    bool same = kernel_sections(&w->k->kernel, &m) &&
                symfile_build_id(&w->k->kernel, &m, &id) &&
                id.len == w->id.len &&
                memcmp(id.bytes, w->id.bytes, id.len) == 0;

    module_fini(&m);
    return !same || !kofiles_find(w->k->s->stub->kofiles, m.name, &id, w->out);
}

static void read_file(struct modules *k, const char *path, struct buf *out)
{
    struct search w = { .k = k, .out = out };
    struct wanted made = { k, path, out };

    if (take_build_id(path, &w.id))
        kernel_modules(&k->kernel, find_debug, &w);
    else
        kernel_modules(&k->kernel, make_file, &made);
}

/* A number that is free. */
static size_t free_file(struct modules *k)
{
    size_t n = 0;

    while (n < k->files && k->file[n])
        n++;
    if (n == k->files) {
        k->file = xrealloc(k->file, (n + 1) * sizeof *k->file);
        k->file[k->files++] = NULL;
    }
    return n;
}

uint64_t modules_open(struct session *s, const char *path)
{
    struct modules *k = s->modules;
    size_t n = free_file(k);
    struct buf file = { 0 };

    if (n < FILES && k->bytes < FILES_BYTES)
        read_file(k, path, &file);
    if (!file.len)
        return 0;
    k->file[n] = xmalloc(sizeof file);
    *k->file[n] = file;
    k->bytes += file.len;
    return FIRST_FILE + n;
}

const struct buf *modules_file(const struct session *s, uint64_t n)
{
    const struct modules *k = s->modules;

    return n >= FIRST_FILE && n - FIRST_FILE < k->files
               ? k->file[n - FIRST_FILE]
               : NULL;
}

void modules_close(struct session *s, uint64_t n)
{
    struct modules *k = s->modules;
    struct buf *file;

    if (!modules_file(s, n))
        return;
    file = k->file[n - FIRST_FILE];
    k->file[n - FIRST_FILE] = NULL;
    k->bytes -= file->len;
    buf_free(file);
    free(file);
}

/* When to read ------------------------------------------------------------- */

/* Only one who waits can be told. */
static bool is_news(void *opaque, int hart)
{
    struct modules *k = opaque;

    k->kernel.hart = hart;
    return k->s->owed == OWE_STOP && modules_due(k->s);
}

static void set_point(struct modules *k, uint64_t addr)
{
    struct debug_point p = { .kind = DEBUG_BREAK,
                             .addr = addr,
                             .owner = k,
                             .asks = is_news,
                             .asks_opaque = k };

    if (addr == k->point)
        return;
    debug_points_clear(k->s->m, k);
    k->point = addr && debug_point_add(k->s->m, &p, NULL) ? addr : 0;
}

void modules_look(struct session *s)
{
    struct modules *k = s->modules;
    struct kernel *l = &k->kernel;

    if (l->btf != s->symbol[SYMBOL_BTF] ||
        l->btf_end != s->symbol[SYMBOL_BTF_END])
        l->tried = l->known = false;
    l->modules = s->symbol[SYMBOL_MODULES];
    l->btf = s->symbol[SYMBOL_BTF];
    l->btf_end = s->symbol[SYMBOL_BTF_END];
    set_point(k, l->modules && l->btf ? s->symbol[SYMBOL_DO_INIT_MODULE] : 0);
}

void modules_forget(struct session *s)
{
    struct modules *k = s->modules;

    set_point(k, 0);
    for (size_t n = 0; n < k->files; n++)
        modules_close(s, FIRST_FILE + n);
    k->kernel = (struct kernel){ .m = s->m };
    k->reads = false;
    k->told = 0;
}

struct modules *modules_new(struct session *s)
{
    struct modules *k = xcalloc(1, sizeof *k);

    k->s = s;
    k->kernel.m = s->m;
    return k;
}

void modules_free(struct modules *k)
{
    free(k->file);
    free(k);
}
