/* SPDX-License-Identifier: MIT */
/*
 * fake_linux.c - a Linux in the fake machine's memory, as far as its modules
 * go: the kernel's types, its list and what hangs on it. Included by tests of
 * gdb's modules and their fuzz target.
 */
#include <assert.h>

#include "gdbstub/modules.h"
#include "tests/unit/fake_gdb.c"

/* Types -------------------------------------------------------------------- */

enum { INT = 1, STRUCT = 4, UNION = 5, TYPEDEF = 8, CONST = 10 };

/* A blob in the making: types and strings. */
struct blob {
    struct buf types, strings, all;
    uint32_t n;
};

static void word(struct buf *b, uint32_t v) { buf_add(b, &v, sizeof v); }

static uint32_t string(struct blob *b, const char *s)
{
    uint32_t at = (uint32_t)b->strings.len;

    buf_add(&b->strings, s, strlen(s) + 1);
    return at;
}

/* The number of a new type; its members are to follow. */
static uint32_t type(struct blob *b, unsigned kind, const char *name,
                     unsigned vlen, uint32_t size)
{
    if (!b->strings.len)
        string(b, "");
    word(&b->types, *name ? string(b, name) : 0);
    word(&b->types, kind << 24 | vlen);
    word(&b->types, size);
    return ++b->n;
}

static void member(struct blob *b, const char *name, uint32_t id, uint32_t at)
{
    word(&b->types, *name ? string(b, name) : 0);
    word(&b->types, id);
    word(&b->types, at * 8);
}

static const struct buf *finish(struct blob *b)
{
    static const uint8_t start[8] = { 0x9f, 0xeb, 1, 0, 24 };

    buf_add(&b->all, start, sizeof start);
    word(&b->all, 0);
    word(&b->all, (uint32_t)b->types.len);
    word(&b->all, (uint32_t)b->types.len);
    word(&b->all, (uint32_t)b->strings.len);
    buf_add(&b->all, b->types.data, b->types.len);
    buf_add(&b->all, b->strings.data, b->strings.len);
    return &b->all;
}

static void blob_free(struct blob *b)
{
    buf_free(&b->types);
    buf_free(&b->strings);
    buf_free(&b->all);
}

static uint32_t word_type(struct blob *b)
{
    uint32_t id = type(b, INT, "long", 0, 8);

    word(&b->types, 64);
    return id;
}

/* As Linux has it, with less in between. Since 6.14 there is no count and no
 * table of sections but pointers to attributes. */
static const struct buf *linux_types(struct blob *b, bool since_6_14)
{
    uint32_t l = word_type(b), attr, bin, battr, group, in, sects;

    attr = type(b, STRUCT, "attribute", 1, 16);
    member(b, "name", l, 0);
    bin = type(b, STRUCT, "bin_attribute", 2, 32);
    member(b, "attr", attr, 0);
    member(b, "private", l, 24);
    battr = type(b, TYPEDEF, "battr_t", 0, bin);
    in = type(b, UNION, "", 2, 8);
    member(b, "other", l, 0);
    member(b, "bin_attrs", l, 0);
    group = type(b, STRUCT, "attribute_group", 2, 16);
    member(b, "name", l, 0);
    member(b, "", in, 8);
    if (!since_6_14) {
        type(b, STRUCT, "module_sect_attr", 2, 40);
        member(b, "battr", battr, 0);
        member(b, "address", l, 32);
    }
    sects = type(b, STRUCT, "module_sect_attrs", since_6_14 ? 1 : 3, 24);
    member(b, "grp", group, 0);
    if (!since_6_14) {
        member(b, "nsections", l, 16);
        member(b, "attrs", l, 24);
    }
    type(b, STRUCT, "mod_kallsyms", 3, 24);
    member(b, "symtab", l, 0);
    member(b, "num_symtab", l, 8);
    member(b, "strtab", l, 16);
    type(b, STRUCT, "module", 5, 128);
    member(b, "state", l, 0);
    member(b, "list", l, 8);
    member(b, "name", l, 24);
    member(b, "sect_attrs", sects, 80);
    member(b, "kallsyms", l, 88);
    return finish(b);
}

/* Memory ------------------------------------------------------------------- */

enum {
    HEAD = 0x100, /* of the list */
    TEXT = 0x1000,
    INIT_TEXT = 0x2000,
    BTF = 0x4000,
    DO_INIT = 0x3000,
};

static uint64_t va(uint64_t at) { return fake_virt + at; }

static void put(uint64_t at, uint64_t v)
{
    memcpy(machine->ram + at, &v, sizeof v);
}

static uint64_t get(uint64_t at)
{
    uint64_t v;

    memcpy(&v, machine->ram + at, sizeof v);
    return v;
}

static void put_text(uint64_t at, const char *text)
{
    strcpy((char *)machine->ram + at, text);
}

/* A module of two sections: each has its struct, attributes and names in 512
 * bytes of its own. It comes first in the list. */
static void insmod(uint64_t at, const char *name, bool since_6_14)
{
    uint64_t attrs = at + 0x80, entry = attrs + 24, names = at + 0x120;
    unsigned size = since_6_14 ? 32 : 40, address = since_6_14 ? 24 : 32;

    memset(machine->ram + at, 0, 512);
    put(at, MODULE_COMING);
    put(at + 8, get(HEAD));
    put(HEAD, va(at + 8));
    put_text(at + 24, name);
    put(at + 80, va(attrs));
    put(attrs + 8, va(names + 0x40)); /* pointers to attributes */
    put(attrs + 16, 2);
    put_text(names, ".text");
    put_text(names + 16, ".init.text");
    for (unsigned n = 0; n < 2; n++) {
        put(entry + n * size, va(names + 16 * n));
        put(entry + n * size + address, va(n ? INIT_TEXT : TEXT) + at);
        put(names + 0x40 + 8 * n, va(entry + n * size));
    }
}

static void know(uint64_t btf_len)
{
    static const char *const names[] = { "modules", "__start_BTF", "__stop_BTF",
                                         "do_init_module" };
    const uint64_t values[] = { va(HEAD), va(BTF), va(BTF) + btf_len,
                                va(DO_INIT) };
    const char *reply = ask("qSymbol::");

    while (strncmp(reply, "qSymbol:", 8) == 0) {
        struct buf b = { 0 }, hex = { 0 };
        char name[64];

        snprintf(name, sizeof name, "%s", reply + 8);
        buf_str(&b, "qSymbol:");
        for (int n = 0; n < 4; n++) {
            buf_clear(&hex);
            buf_hex(&hex, names[n], strlen(names[n]));
            if (strcmp(buf_text(&hex), name) == 0)
                buf_printf(&b, "%llx", (unsigned long long)values[n]);
        }
        buf_printf(&b, ":%s", name);
        reply = ask(buf_text(&b));
        buf_free(&b);
        buf_free(&hex);
    }
    assert(strcmp(reply, "OK") == 0);
}

static void boot(bool since_6_14)
{
    struct blob b = { .n = 0 };
    const struct buf *all = linux_types(&b, since_6_14);

    memset(machine->ram, 0, sizeof machine->ram);
    memcpy(machine->ram + BTF, all->data, all->len);
    put(HEAD, va(HEAD));
    machine->no_images = true;
    know(all->len);
    blob_free(&b);
}
