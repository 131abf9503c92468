/* SPDX-License-Identifier: MIT */
/* modules_test.c - a kernel's types, its list of modules, and gdb's part. */
#include <criterion/criterion.h>
#include <elf.h>

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

TestSuite(btf);

Test(btf, members_are_found_within_and_behind_other_names)
{
    struct blob b = { .n = 0 };
    const struct buf *all = linux_types(&b, false);
    struct btf t;

    cr_assert(btf_open(&t, all->data, all->len));
    cr_expect_eq(btf_offset(&t, "module", "name"), 24);
    cr_expect_eq(btf_offset(&t, "module_sect_attr", "battr.attr.name"), 0);
    cr_expect_eq(btf_offset(&t, "module_sect_attr", "battr.private"), 24);
    cr_expect_eq(btf_offset(&t, "module_sect_attrs", "grp.bin_attrs"), 8);
    cr_expect_eq(btf_offset(&t, "module", "nam"), -1);
    cr_expect_eq(btf_offset(&t, "module", "name.x"), -1);
    cr_expect_eq(btf_offset(&t, "modul", "name"), -1);
    cr_expect_eq(btf_offset(&t, "battr_t", "attr"), -1);
    cr_expect_eq(btf_size(&t, "module"), 128);
    cr_expect_eq(btf_size(&t, "attribute_group_"), -1);
    btf_close(&t);
    blob_free(&b);
}

Test(btf, a_blob_that_is_cut_short_is_none)
{
    struct blob b = { .n = 0 };
    const struct buf *all = linux_types(&b, false);

    for (size_t len = 0; len < all->len; len++) {
        char *copy = malloc(len + 1); /* its end is where it ends */
        struct btf t;

        memcpy(copy, all->data, len);
        cr_expect_not(btf_open(&t, copy, len), "%zu bytes of it", len);
        btf_close(&t);
        free(copy);
    }
    blob_free(&b);
}

Test(btf, no_byte_of_it_is_trusted)
{
    struct blob b = { .n = 0 };
    const struct buf *all = linux_types(&b, false);
    char *copy = malloc(all->len);

    for (size_t at = 0; at < all->len; at++)
        for (int bit = 0; bit < 8; bit++) {
            struct kernel_layout l;

            memcpy(copy, all->data, all->len);
            copy[at] ^= (char)(1 << bit);
            kernel_layout_of(&l, copy, all->len);
        }
    free(copy);
    blob_free(&b);
}

Test(btf, types_that_contain_themselves_come_to_an_end)
{
    struct blob b = { .n = 0 };
    const struct buf *all;
    struct btf t;

    type(&b, STRUCT, "s", 4000, 8);
    for (int n = 0; n < 4000; n++)
        member(&b, "", 1, 0);
    type(&b, TYPEDEF, "t", 0, 2);
    type(&b, STRUCT, "u", 1, 8);
    member(&b, "m", 2, 0);
    all = finish(&b);
    cr_assert(btf_open(&t, all->data, all->len));
    cr_expect_eq(btf_offset(&t, "s", "x"), -1);
    cr_expect_eq(btf_offset(&t, "u", "m.x"), -1);
    cr_expect_eq(btf_offset(&t, "u", "m"), 0);
    btf_close(&t);
    blob_free(&b);
}

/* A kernel in the fake's memory ----------------------------------------------- */

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
    cr_expect_str_eq(reply, "OK");
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

static void setup(void)
{
    gdb_start(2);
    boot(false);
}

TestSuite(modules, .init = setup, .fini = gdb_end);

#define EXPECT(packet, reply) cr_expect_str_eq(ask(packet), reply)
#define HAS(reply, text)                                                       \
    cr_expect(strstr(reply, text), "no %s in %s", text, reply)
#define HAS_NOT(reply, text)                                                   \
    cr_expect_not(strstr(reply, text), "%s in %s", text, reply)

#define LIST "qXfer:libraries:read::0,4000"
#define NONE "l<library-list version=\"1.0\">\n</library-list>\n"
#define BOTH                                                                   \
    "<section address=\"0x80001200\"/><section address=\"0x80002200\"/>"

Test(modules, a_module_is_a_library_with_an_address_for_each_section)
{
    EXPECT(LIST, NONE);
    insmod(0x200, "dummy", false);
    EXPECT(LIST, "l<library-list version=\"1.0\">\n"
                 "<library name=\"/modules/0000000080000200/dummy.ko\">" BOTH
                 "</library>\n"
                 "</library-list>\n");
}

Test(modules, linux_since_6_14_tells_them_by_attributes)
{
    boot(true);
    insmod(0x200, "dummy", true);
    HAS(ask(LIST), "dummy.ko\">" BOTH "</library>");
}

Test(modules, memory_of_init_is_a_modules_until_the_next_one_comes)
{
    insmod(0x200, "dummy", false);
    put(0x200, 0); /* live */
    HAS(ask(LIST), "/modules/0000000080000200/dummy.ko\">" BOTH);
    insmod(0x400, "other", false);
    HAS(ask(LIST), "/modules/core/0000000080000200/dummy.ko\">"
                   "<section address=\"0x80001200\"/></library>");
    HAS(gdb.reply.data, "/modules/0000000080000400/other.ko\">");
}

Test(modules, one_that_has_no_sections_or_no_decent_name_is_left_out)
{
    insmod(0x200, "a<b", false);
    HAS(ask(LIST), "/a&#60;b.ko");
    put_text(0x200 + 24, "a/../b");
    EXPECT(LIST, NONE);
    put_text(0x200 + 24, "");
    EXPECT(LIST, NONE);
    memset(machine->ram + 0x200 + 24, 'x', 0x200);
    EXPECT(LIST, NONE);
    insmod(0x200, "unformed", false);
    put(0x200 + 80, 0);
    EXPECT(LIST, NONE);
    put(0x200 + 80, 1); /* no memory */
    EXPECT(LIST, NONE);
}

Test(modules, a_list_that_does_not_come_back_is_none)
{
    insmod(0x200, "one", false);
    insmod(0x400, "two", false);
    put(0x200 + 8, va(0x400 + 8));
    EXPECT(LIST, NONE);
    HAS_NOT(ask("qXfer:osdata:read:modules:0,4000"), "one");
    put(0x200 + 8, 0x70000000); /* no memory */
    EXPECT(LIST, NONE);
    put(HEAD, 0);
    EXPECT(LIST, NONE);
}

Test(modules, without_types_there_are_none)
{
    insmod(0x200, "dummy", false);
    know(8);
    EXPECT(LIST, NONE);
    know(UINT32_MAX);
    EXPECT(LIST, NONE);
}

Test(modules, info_os_lists_them)
{
    insmod(0x200, "dummy", false);
    HAS(ask("qXfer:osdata:read:modules:0,4000"),
        "<item><column name=\"Module\">dummy</column>"
        "<column name=\"Text\">0x0000000080001200</column>"
        "<column name=\"State\">starting</column></item>");
}

/* Files ------------------------------------------------------------------------- */

#define PATH /* /modules/0000000080000200/dummy.ko */                          \
    "2f6d6f64756c65732f303030303030303038303030303230302f64756d6d792e6b6f"

static void put_symbol(uint64_t *at, uint32_t name, unsigned char info,
                       uint16_t section, uint64_t value)
{
    Elf64_Sym s = { .st_name = name,
                    .st_info = info,
                    .st_shndx = section,
                    .st_value = value,
                    .st_size = 8 };

    memcpy(machine->ram + *at, &s, sizeof s);
    *at += sizeof s;
}

/* "\0init_module\0dummy_init\0dummy_xmit\0$x\0kfree\0ab\ncd" */
static void put_symbols(void)
{
    static const char names[] = "\0init_module\0dummy_init\0dummy_xmit\0$x\0"
                                "kfree\0ab\ncd";
    unsigned char local = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                  global = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    uint64_t at = 0x5000;

    put(0x200 + 88, va(0x4f00));
    put(0x4f00, va(0x5000));
    put(0x4f10, va(0x5200));
    memcpy(machine->ram + 0x5200, names, sizeof names);
    put_symbol(&at, 0, 0, 0, 0);
    put_symbol(&at, 1, global, 7, va(0x2204));   /* init_module */
    put_symbol(&at, 24, global, 3, va(0x1210));  /* dummy_xmit */
    put_symbol(&at, 13, local, 7, va(0x2204));   /* dummy_init */
    put_symbol(&at, 35, local, 3, va(0x1210));   /* $x */
    put_symbol(&at, 38, global, 0, va(0x3000));  /* kfree: the kernel's */
    put_symbol(&at, 44, local, 3, va(0x1220));   /* no name */
    put_symbol(&at, 5000, local, 3, va(0x1220)); /* far out */
    put(0x4f08, (at - 0x5000) / sizeof(Elf64_Sym));
}

/* The file is read as gdb does: the reply after "Fn;". */
static char *read_file(size_t *len)
{
    char packet[64], *end;
    unsigned long fd;

    fd = strtoul(ask("vFile:open:" PATH ",0,0") + 1, NULL, 16);
    snprintf(packet, sizeof packet, "vFile:pread:%lx,8000,0", fd);
    *len = strtoul(ask(packet) + 1, &end, 16);
    cr_assert_eq(*end, ';');
    cr_assert_eq(gdb.reply.len, (size_t)(end + 1 - gdb.reply.data) + *len);
    end = memcpy(malloc(*len + 1), end + 1, *len);
    snprintf(packet, sizeof packet, "vFile:close:%lx", fd);
    EXPECT(packet, "F0");
    EXPECT(packet, "F-1,9");
    return end;
}

static const Elf64_Shdr *header(const char *file, int n)
{
    const Elf64_Ehdr *e = (const void *)file;

    return (const void *)(file + e->e_shoff + (size_t)n * e->e_shentsize);
}

Test(modules, its_file_has_the_sections_of_the_list_and_the_kernels_symbols)
{
    const Elf64_Shdr *text, *init, *symtab, *strtab;
    const Elf64_Sym *sym;
    char *file;
    size_t len;

    insmod(0x200, "dummy", false);
    put_symbols();
    file = read_file(&len);
    cr_assert_eq(((const Elf64_Ehdr *)file)->e_shnum, 6);
    cr_assert_eq(((const Elf64_Ehdr *)file)->e_shoff + 6 * sizeof *text, len);
    text = header(file, 1);
    init = header(file, 2);
    symtab = header(file, 3);
    strtab = header(file, 4);
    cr_expect_eq(text->sh_type, SHT_NOBITS);
    cr_expect_eq(text->sh_flags, SHF_ALLOC | SHF_EXECINSTR);
    cr_expect_eq(text->sh_size, 0xe00, "up to the end of the page");
    cr_expect_eq(init->sh_size, 0xe00);
    cr_assert_eq(symtab->sh_size, 3 * sizeof *sym);
    cr_expect_eq(symtab->sh_info, 2);
    sym = (const void *)(file + symtab->sh_offset);
    cr_expect_str_eq(file + strtab->sh_offset + sym[1].st_name, "dummy_init");
    cr_expect_eq(sym[1].st_shndx, 2);
    cr_expect_eq(sym[1].st_value, 4);
    cr_expect_str_eq(file + strtab->sh_offset + sym[2].st_name, "dummy_xmit");
    cr_expect_eq(sym[2].st_shndx, 1);
    cr_expect_eq(sym[2].st_value, 0x10);
    free(file);
}

Test(modules, a_module_without_symbols_has_a_file_all_the_same)
{
    size_t len;
    char *file;

    insmod(0x200, "dummy", false);
    put(0x200 + 88, 1); /* no memory */
    file = read_file(&len);
    cr_expect_eq(header(file, 3)->sh_size, sizeof(Elf64_Sym));
    free(file);
    put(0x200 + 88, va(0x4f00));
    put(0x4f00, va(0x5000));
    put(0x4f08, UINT32_MAX);
    put(0x4f10, 2);
    file = read_file(&len);
    cr_expect_eq(header(file, 3)->sh_size, sizeof(Elf64_Sym));
    free(file);
}

Test(modules, one_that_is_not_there_has_no_file)
{
    EXPECT("vFile:open:" PATH ",0,0", "F-1,2");
    insmod(0x200, "dummy", false);
    ask("vFile:stat:" PATH);
    cr_expect_eq(gdb.reply.len, 4 + 64);
    EXPECT("vFile:pread:100000,10,0", "F-1,9"); /* and it is closed again */
    put(0x200, 0);
    insmod(0x400, "other", false);
    EXPECT("vFile:open:" PATH ",0,0", "F-1,2"); /* without init by now */
}

/* When gdb hears of it ------------------------------------------------------------ */

static struct debug_point *point(void)
{
    cr_assert_eq(machine->points, 1);
    return &machine->point[0];
}

/* The machine comes to do_init_module; false: it goes on. */
static bool arrive(void)
{
    struct debug_point *p = point();

    cr_assert(p->asks);
    cr_expect_eq(p->addr, va(DO_INIT));
    if (!p->asks(p->asks_opaque, 0))
        return false;
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_BREAK,
                                            .hart = 1,
                                            .point = *p });
    return true;
}

Test(modules, a_new_module_stops_the_machine_and_is_told_once)
{
    ask(LIST);
    insmod(0x200, "dummy", false);
    cr_expect_not(arrive(), "nobody waits");
    ask(LIST); /* info sharedlibrary: gdb has not read the symbols */
    HAS(ask("vCont;c"), "T05thread:1;core:0;library:;");
    cr_expect_eq(machine->resumes, 0);
    EXPECT("vCont;c", "");
    cr_expect_not(arrive(), "it is the same list");
    insmod(0x400, "other", false);
    cr_expect(arrive());
    HAS(gdb_read(&gdb), "T05thread:2;core:1;library:;");
    EXPECT("vCont;c", "");
    cr_expect_not(arrive());
}

Test(modules, who_has_not_read_the_list_is_told_nothing)
{
    insmod(0x200, "dummy", false);
    EXPECT("vCont;c", "");
    cr_expect_not(arrive());
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_PAUSE });
    HAS_NOT(gdb_read(&gdb), "library");
}

Test(modules, a_step_is_a_step)
{
    ask(LIST);
    insmod(0x200, "dummy", false);
    EXPECT("vCont;s:1", "");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    HAS_NOT(gdb_read(&gdb), "library");
    HAS(ask("bc"), "library:;");
}

Test(modules, ctrl_c_ends_a_wait_while_another_gdb_reads_its_list)
{
    ask(LIST);
    EXPECT("vCont;c", "");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_BREAK,
                                            .point = *point() });
    EXPECT("qC", "QC1"); /* its list is the same: no stop for it */
    chr_input(&gdb.chr, "\003", 1);
    HAS(gdb_read(&gdb), "T02thread:");
}

Test(modules, the_point_stays_while_names_are_asked_and_goes_with_gdb)
{
    ask("qSymbol::");
    cr_expect_eq(point()->addr, va(DO_INIT));
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect_eq(machine->points, 0);
}
