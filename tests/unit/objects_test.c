/* SPDX-License-Identifier: MIT */
/* objects_test.c - what gdb finds out for itself: programs, files, tables. */
#include <criterion/criterion.h>

#include "gdbstub/stub.h"
#include "tests/unit/fake_gdb.c"

static void setup(void) { gdb_start(2); }

TestSuite(objects, .init = setup, .fini = gdb_end);

#define EXPECT(packet, reply) cr_expect_str_eq(ask(packet), reply)
#define CONTAINS(packet, text)                                                 \
    cr_expect(strstr(ask(packet), text), "no %s in %s", text, gdb.reply.data)

Test(objects, the_kernel_is_the_program_that_gdb_debugs)
{
    EXPECT("qXfer:exec-file:read:1:0,1000", "l/dir/a<b&c.elf");
    machine->no_images = true;
    EXPECT("qXfer:exec-file:read:1:0,1000", "E00");
}

Test(objects, libraries_are_the_firmware_and_the_kernels_physical_place)
{
    EXPECT("qXfer:libraries:read::0,1000",
           "l<library-list version=\"1.0\">\n"
           "<library name=\"/fw.elf\"><segment address=\"0x40000000\"/>"
           "</library>\n"
           "<library name=\"/dir/a&#60;b&#38;c.elf\">"
           "<segment address=\"0x40001000\"/></library>\n"
           "</library-list>\n");
    machine->no_images = true;
    EXPECT("qXfer:libraries:read::0,1000",
           "l<library-list version=\"1.0\">\n</library-list>\n");
}

Test(objects, info_os_lists_its_tables_and_each_has_rows)
{
    CONTAINS("qXfer:osdata:read::0,4000", "<osdata type=\"types\">");
    cr_expect(strstr(gdb.reply.data, "<column name=\"Type\">harts</column>"));
    CONTAINS("qXfer:osdata:read:harts:0,4000",
             "<item><column name=\"Hart\">1</column>"
             "<column name=\"State\">M-mode</column>");
    CONTAINS("qXfer:osdata:read:devices:0,4000",
             "<item><column name=\"Name\">uart0</column>"
             "<column name=\"Type\">serial-mm</column></item>");
    CONTAINS("qXfer:osdata:read:irqs:0,4000",
             "<item><column name=\"Where\">hart0</column>"
             "<column name=\"State\">mip 0080</column></item>\n"
             "<item><column name=\"Where\"></column>"
             "<column name=\"State\">no colon here</column></item>");
    CONTAINS("qXfer:osdata:read:checkpoints:0,4000",
             "<item><column name=\"Name\">before</column>"
             "<column name=\"T\">1234</column></item>");
    CONTAINS("qXfer:osdata:read:timers:0,4000",
             "<column name=\"Name\">gdb-drain</column>"
             "<column name=\"Clock\">realtime</column>");
    CONTAINS("qXfer:osdata:read:images:0,4000",
             "<column name=\"File\">/dir/a&#60;b&#38;c.elf</column>");
    EXPECT("qXfer:osdata:read:processes:0,4000", "E00");
}

Test(objects, harts_are_listed_with_the_symbol_they_are_in)
{
    machine->hart[1].pc = 0x80000010;
    CONTAINS("qXfer:osdata:read:harts:0,4000",
             "<column name=\"PC\">0x0000000080000010</column>"
             "<column name=\"Symbol\">_start</column>");
}

Test(objects, files_of_the_machine_can_be_read)
{
    EXPECT("vFile:setfs:0", "F0");
    EXPECT("vFile:open:2f66772e656c66,0,0", "F0");
    EXPECT("vFile:pread:0,5,1", "F5;ELF f");
    EXPECT("vFile:pread:0,1000,8", "F5;mware");
    EXPECT("vFile:pread:0,1000,d", "F0;");
    EXPECT("vFile:pread:1,4,c", "F4;#$}*");
    EXPECT("vFile:close:0", "F0");
}

Test(objects, no_other_file_can_be_opened_and_none_for_writing)
{
    EXPECT("vFile:open:2f6574632f706173737764,0,0", "F-1,2");
    EXPECT("vFile:open:2f66772e656c66,1,1ff", "F-1,1e");
    EXPECT("vFile:open:2f66772e656c66,2,0", "F-1,1e");
    EXPECT("vFile:open:2f66772e656c66,200,0", "F-1,1e");
    EXPECT("vFile:open:2f66772e656c6600,0,0", "F-1,16");
    EXPECT("vFile:open:,0,0", "F-1,2");
    EXPECT("vFile:open:zz", "F-1,16");
    EXPECT("vFile:pread:7,10,0", "F-1,9");
    EXPECT("vFile:close:ffffffffffffffff", "F-1,9");
    EXPECT("vFile:pwrite:0,0,x", "F-1,1e");
    EXPECT("vFile:unlink:2f66772e656c66", "F-1,1e");
    EXPECT("vFile:readlink:2f66772e656c66", "F-1,16");
}

Test(objects, fstat_says_how_long_a_file_is)
{
    static const uint8_t size[8] = { 0, 0, 0, 0, 0, 0, 0, 13 };
    const char *stat;

    ask("vFile:fstat:0");
    cr_assert_eq(gdb.reply.len, 4 + 64);
    stat = gdb.reply.data + 4;
    cr_expect(strncmp(gdb.reply.data, "F40;", 4) == 0);
    cr_expect(memcmp(stat + 28, size, 8) == 0);
    ask("vFile:stat:2f66772e656c66");
    cr_expect_eq(gdb.reply.len, 4 + 64);
    EXPECT("vFile:stat:2f66", "F-1,2");
    EXPECT("vFile:fstat:3", "F-1,9");
}

static void ask_search(uint64_t addr, uint64_t len, const char *pattern)
{
    struct buf b = { 0 };

    buf_printf(&b, "qSearch:memory:%llx;%llx;%s", (unsigned long long)addr,
               (unsigned long long)len, pattern);
    gdb_send(&gdb, b.data, b.len);
    gdb_read(&gdb);
    buf_free(&b);
}

Test(objects, qsearch_finds_the_first_of_several)
{
    memcpy(machine->ram + 0x123, "needle", 6);
    memcpy(machine->ram + 0x7ffa, "needle", 6);
    ask_search(0x80000000, FAKE_RAM, "needle");
    cr_expect_str_eq(gdb.reply.data, "1,80000123");
    ask_search(0x80000124, FAKE_RAM - 0x124, "needle");
    cr_expect_str_eq(gdb.reply.data, "1,80007ffa");
    ask_search(0x80000124, FAKE_RAM - 0x125, "needle");
    cr_expect_str_eq(gdb.reply.data, "0");
}

Test(objects, qsearch_passes_over_what_cannot_be_read)
{
    memcpy(machine->ram + 0x1000, "needle", 6);
    ask_search(0x80000000 - (STUB_SEARCH >> 1), STUB_SEARCH, "needle");
    cr_expect_str_eq(gdb.reply.data, "1,80001000");
    ask_search(0xfffffffffffff000, 0x1000, "needle");
    cr_expect_str_eq(gdb.reply.data, "0");
}

Test(objects, qsearch_of_too_much_or_nothing_is_left_to_gdb)
{
    ask_search(0, UINT64_MAX, "needle");
    cr_expect_str_eq(buf_text(&gdb.reply), "");
    ask_search(0x80000000, 0x100, "");
    cr_expect(strncmp(gdb.reply.data, "E", 1) == 0);
}

/* Symbols ------------------------------------------------------------------- */

#define BANNER "6c696e75785f62616e6e6572" /* linux_banner */
#define INIT   "696e69745f7461736b"       /* init_task */

enum { COMM = 0x350 };

/* A task at this place in RAM, with its name. */
static void put_task(uint64_t at, const char *name)
{
    strcpy((char *)machine->ram + at + COMM, name);
}

static uint64_t *reg_of(int hart, const char *name)
{
    return &machine->reg[hart][debug_reg_named(machine, name) - fake_regs];
}

/* gdb does not know the others. */
static void know_no_more(void)
{
    char packet[128];

    for (int n = 0; n < SYMBOLS && strcmp(gdb.reply.data, "OK") != 0; n++) {
        snprintf(packet, sizeof packet, "qSymbol::%s", gdb.reply.data + 8);
        ask(packet);
    }
    cr_expect_str_eq(gdb.reply.data, "OK");
}

static void know_linux(void)
{
    strcpy((char *)machine->ram, "Linux version 7\nand more");
    put_task(0x1000, "swapper/0");
    put_task(0x2000, "a<b");
    EXPECT("qSymbol::", "qSymbol:" BANNER);
    EXPECT("qSymbol:80000000:" BANNER, "qSymbol:" INIT);
    ask("qSymbol:80001000:" INIT);
    know_no_more();
}

Test(objects, gdb_is_asked_for_names_each_time_it_has_new_ones)
{
    EXPECT("qSymbol::", "qSymbol:" BANNER);
    EXPECT("qSymbol::" BANNER, "qSymbol:" INIT);
    ask("qSymbol::" INIT);
    know_no_more();
    EXPECT("qSymbol:1:" INIT, "OK"); /* nobody asked */
    EXPECT("qSymbol::", "qSymbol:" BANNER);
    EXPECT("qSymbol:1:" INIT, "qSymbol:" BANNER);
    EXPECT("qSymbol", "E.malformed qSymbol packet");
    EXPECT("qSymbol:x", "E.malformed qSymbol packet");
    EXPECT("qSymbol:1:6", "E.malformed qSymbol packet");
}

Test(objects, harts_of_a_linux_have_their_tasks_names)
{
    know_linux();
    *reg_of(0, "tp") = 0x80001000;
    *reg_of(1, "tp") = 0x12345;
    *reg_of(1, "sscratch") = 0x80002000;
    machine->hart[0].priv = 1;
    machine->hart[1].priv = 0;
    CONTAINS("qXfer:threads:read::0,1000", ">S-mode, swapper/0</thread>");
    CONTAINS("qXfer:threads:read::0,1000", ">U-mode, a&#60;b</thread>");
    CONTAINS("qXfer:osdata:read:harts:0,4000",
             "<column name=\"Task\">a&#60;b</column>");
    CONTAINS("qXfer:osdata:read:kernel:0,4000",
             "<column name=\"Kernel\">Linux version 7</column>");
    machine->hart[0].priv = 3;
    CONTAINS("qXfer:threads:read::0,1000", ">M-mode</thread>");
}

Test(objects, what_only_looks_like_a_task_has_no_name)
{
    know_linux();
    machine->hart[0].priv = machine->hart[1].priv = 1;
    *reg_of(0, "tp") = 0x70000000; /* no memory */
    *reg_of(1, "tp") = 0x80002000;
    put_task(0x2000, "not a name:\n");
    CONTAINS("qXfer:threads:read::0,1000", "name=\"hart0\">S-mode</thread>");
    CONTAINS("qXfer:threads:read::0,1000", "name=\"hart1\">S-mode</thread>");
    put_task(0x2000, "a name that is too long for one");
    CONTAINS("qXfer:threads:read::0,1000", "name=\"hart1\">S-mode</thread>");
}

Test(objects, another_kernel_is_no_linux)
{
    know_linux();
    machine->ram[0] = 'M';
    machine->hart[0].priv = 1;
    *reg_of(0, "tp") = 0x80001000;
    CONTAINS("qXfer:threads:read::0,1000", "name=\"hart0\">S-mode</thread>");
    EXPECT("qXfer:osdata:read:kernel:0,4000",
           "l<osdata type=\"kernel\">\n</osdata>\n");
}
