/* SPDX-License-Identifier: MIT */
/* modules_test.c - a kernel's types, its list of modules, and gdb's part. */
#include <criterion/criterion.h>
#include <elf.h>

#include "gdbstub/modules.h"
#include "tests/unit/fake_linux.c"

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

/* The list ------------------------------------------------------------------ */

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

/* The second section becomes a build ID: 0xab, 0xcd and 18 times 1. */
static void put_build_id(uint64_t at)
{
    static const uint8_t note[] = { 4, 0, 0, 0,   20,  0,   0, 0,    3,
                                    0, 0, 0, 'G', 'N', 'U', 0, 0xab, 0xcd };

    put_text(at + 0x120 + 16, ".note.gnu.build-id");
    memset(machine->ram + INIT_TEXT + at, 1, 36);
    memcpy(machine->ram + INIT_TEXT + at, note, sizeof note);
}

static void open_debug(const char *path)
{
    struct buf b = { 0 };

    buf_str(&b, "vFile:open:");
    buf_hex(&b, path, strlen(path));
    buf_str(&b, ",0,0");
    ask(buf_text(&b));
    buf_free(&b);
}

#define ONES "010101010101010101010101010101010101"

Test(modules, its_file_has_the_build_id)
{
    const Elf64_Shdr *note;
    char *file;
    size_t len;

    insmod(0x200, "dummy", false);
    put_build_id(0x200);
    file = read_file(&len);
    note = header(file, 2);
    cr_expect_eq(note->sh_type, SHT_NOTE);
    cr_assert_eq(note->sh_size, 36);
    cr_expect_eq(
        memcmp(file + note->sh_offset, machine->ram + INIT_TEXT + 0x200, 36),
        0);
    free(file);
    machine->ram[INIT_TEXT + 0x200 + 4] = 200; /* longer than any */
    file = read_file(&len);
    cr_expect_eq(header(file, 2)->sh_type, SHT_NOBITS);
    free(file);
}

Test(modules, what_has_that_build_id_is_found_in_the_ramdisk)
{
    static const char head[] =
        "070701000000010000A1ED000000000000000000000001000000000000002300000000"
        "00000000000000000000000000000009000000000000";

    struct buf cpio = { 0 };

    insmod(0x200, "dummy", false);
    put_build_id(0x200);
    buf_add(&cpio, head, 110);
    buf_add(&cpio, "dummy.ko\0", 10);
    buf_add(&cpio, machine->ram + INIT_TEXT + 0x200 + 12, 24);
    buf_str(&cpio, ".debug_info");
    machine->no_images = false;
    machine->ramdisk = cpio.data;
    machine->ramdisk_len = cpio.len;
    open_debug("/usr/lib/debug/.build-id/ab/cd" ONES ".debug");
    cr_expect_str_eq(gdb.reply.data, "F100000");
    cr_expect(strncmp(ask("vFile:pread:100000,100,0"), "F23;GNU", 8) == 0);
    open_debug("/usr/lib/debug/.build-id/ab/ce" ONES ".debug");
    cr_expect_str_eq(gdb.reply.data, "F-1,2");
    open_debug("/usr/lib/debug/.build-id/ab/cd" ONES);
    cr_expect_str_eq(gdb.reply.data, "F-1,2");
    open_debug("/.build-id/ab/cd" ONES ONES ONES ".debug");
    cr_expect_str_eq(gdb.reply.data, "F-1,2");
    open_debug("/.build-id/.debug");
    cr_expect_str_eq(gdb.reply.data, "F-1,2");
    buf_free(&cpio);
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
