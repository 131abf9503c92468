/* SPDX-License-Identifier: MIT */
/* info_test.c - what `info` shows, in QEMU's words and columns. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "monitor/mon.h"
#include "tests/unit/fake_machine.c"

static struct machine *m;

static void setup(void) { m = fake_new(2); }

static void teardown(void)
{
    monitor_fini();
    fake_free(m);
}

TestSuite(info, .init = setup, .fini = teardown);

static const char *run(const char *line)
{
    static struct buf out;

    buf_clear(&out);
    monitor_run_line(m, NULL, 1, line, &out);
    return buf_text(&out);
}

#define SAYS(line, text) cr_assert_str_eq(run(line), text, "%s", run(line))

Test(info, status_names_unusual_states)
{
    SAYS("info status", "VM status: paused\n");
    m->state = "running";
    SAYS("info status", "VM status: running\n");
    m->state = "prelaunch";
    SAYS("info status", "VM status: paused (prelaunch)\n");
}

Test(info, small_ones)
{
    SAYS("info version", "0.1\n");
    SAYS("info name", "\n");
    m->name = "box";
    SAYS("info name", "box\n");
    SAYS("info uuid", "00000000-0000-0000-0000-000000000000\n");
    SAYS("info numa", "0 nodes\n");
    SAYS("info replay", "Record/replay is not active\n");
    SAYS("info irq", "plic: nothing pending\n");
    SAYS("info pic", "plic: nothing pending\n");
    SAYS("info phase", "* machine-ready\n");
    SAYS("info memory_size_summary", "base memory: 32768\n");
}

Test(info, cpus_marks_the_default_hart)
{
    struct buf want = { 0 };

    buf_printf(&want, "  CPU #0: thread_id=%d\n* CPU #1: thread_id=%d\n",
               (int)getpid(), (int)getpid());
    SAYS("info cpus", want.data);
    buf_free(&want);
}

Test(info, chardev_lists_them_in_order)
{
    struct chardev a = { .id = "serial0" }, b = { .id = "r", .is_ring = true };

    SAYS("info chardev", "");
    m->chardev[0] = &a;
    m->chardev[1] = &b;
    SAYS("info chardev", "serial0: filename=null\nr: filename=ringbuf\n");
}

Test(info, roms)
{
    SAYS("info roms",
         "addr=0000000000001000 size=0x000028 mem=rom name=\"mrom.reset\"\n"
         "addr=0000000087e00000 size=0x00176c mem=ram name=\"fdt\"\n");
}

Test(info, registers_shows_the_default_hart)
{
    const char *text = run("info registers");

    cr_assert_eq(strncmp(text,
                         "\nCPU#1\n pc       0000000080000000\n"
                         " mhartid  0000000000000001\n mstatus  ",
                         59),
                 0, "%s", text);
    cr_assert(strstr(text, "\n x0/zero  0000000000000000 x1/ra    "));
    cr_assert(strstr(text, "\n x28/t3   0000000000000000 x29/t4   "));
    cr_assert(strstr(text, "x31/t6   0000000000000000\n fcsr     00"));
    cr_assert(strstr(text, "\n f24/fs8  0000000000000000 f25/fs9  "
                           "0000000000000000 f26/fs10 "));
    cr_assert_eq(strstr(text, "hstatus"), NULL);
    cr_assert_eq(strstr(text, " V "), NULL);
}

Test(info, registers_takes_a_number_or_all)
{
    const char *text = run("info registers 0");

    cr_assert_eq(strncmp(text, "\nCPU#0\n", 7), 0);
    text = run("info registers -a");
    cr_assert_eq(strncmp(text, "\nCPU#0\n", 7), 0);
    cr_assert(strstr(text, "f31/ft11 0000000000000000\n\nCPU#1\n pc"));
    SAYS("info registers 5", "CPU#5 not available\n");
    SAYS("info registers -5", "CPU#-5 not available\n");
}

Test(info, mem_says_when_there_is_no_translation)
{
    SAYS("info mem", "No translation or protection\n");
}

#define HEADING                                                                \
    "vaddr            paddr            size             attr\n"                \
    "---------------- ---------------- ---------------- -------\n"

Test(info, mem_joins_pages_that_follow_each_other)
{
    static const struct fake_leaf leaves[] = {
        { 0x1000, 0x80001000, 0x1000, 0xcb },
        { 0x2000, 0x80002000, 0x1000, 0xcb },
        { 0x3000, 0x80003000, 0x1000, 0xc7 }, /* other rights */
        { 0x4000, 0x80005000, 0x1000, 0xc7 }, /* another place */
        { 0x6000, 0x80006000, 0x1000, 0xc7 }, /* a hole */
    };

    m->leaf = leaves;
    m->leaves = ARRAY_LEN(leaves);
    SAYS("info mem",
         HEADING "0000000000001000 0000000080001000 0000000000002000 r-x--ad\n"
                 "0000000000003000 0000000080003000 0000000000001000 rw---ad\n"
                 "0000000000004000 0000000080005000 0000000000001000 rw---ad\n"
                 "0000000000006000 0000000080006000 0000000000001000 rw---ad"
                 "\n");
}

Test(info, mem_begins_a_row_with_each_table)
{
    static const struct fake_leaf leaves[] = {
        { 0x1ff000, 0x801ff000, 0x1000, 0xf7 },
        { 0x200000, 0x80200000, 0x1000, 0xf7 },
        { 0xffffffc000000000, 0x80000000, 0x200000, 0x4b },
        { 0xffffffc000200000, 0x80200000, 0x200000, 0x4b },
        { 0xffffffc000400000, 0x80400000, 0x1000, 0x4b },
    };

    m->leaf = leaves;
    m->leaves = ARRAY_LEN(leaves);
    SAYS("info mem",
         HEADING "00000000001ff000 00000000801ff000 0000000000001000 rw-ugad\n"
                 "0000000000200000 0000000080200000 0000000000001000 rw-ugad\n"
                 "ffffffc000000000 0000000080000000 0000000000400000 r-x--a-\n"
                 "ffffffc000400000 0000000080400000 0000000000001000 r-x--a-"
                 "\n");
}

Test(info, mtree_is_a_tree)
{
    SAYS("info mtree",
         "address-space: cpu-memory-0\n"
         "address-space: cpu-memory-1\n"
         "address-space: memory\n"
         "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
         "    0000000000001000-000000000000ffff (prio 0, rom):"
         " riscv_virt_board.mrom\n"
         "    0000000003000000-000000000300ffff (prio 0, i/o):"
         " gpex_ioport_window\n"
         "      0000000003000000-000000000300ffff (prio 0, i/o): gpex_ioport\n"
         "    0000000010000000-0000000010000007 (prio 0, i/o): serial\n"
         "    0000000080000000-0000000080007fff (prio 0, ram):"
         " riscv_virt_board.ram\n"
         "\n");
}

Test(info, mtree_can_be_flat)
{
    SAYS("info mtree -f",
         "FlatView #0\n"
         " AS \"memory\", root: system\n"
         " AS \"cpu-memory-0\", root: system\n"
         " AS \"cpu-memory-1\", root: system\n"
         " Root memory region: system\n"
         "  0000000000001000-000000000000ffff (prio 0, rom):"
         " riscv_virt_board.mrom\n"
         "  0000000003000000-000000000300ffff (prio 0, i/o):"
         " gpex_ioport_window\n"
         "  0000000010000000-0000000010000007 (prio 0, i/o): serial\n"
         "  0000000080000000-0000000080007fff (prio 0, ram):"
         " riscv_virt_board.ram\n"
         "\n");
}

Test(info, qtree_has_the_last_device_first)
{
    SAYS("info qtree", "bus: main-system-bus\n"
                       "  type System\n"
                       "  dev: serial-mm, id \"\"\n"
                       "    gpio-out \"sysbus-irq\" 1\n"
                       "    regshift = 0 (0x0)\n"
                       "  dev: riscv.sifive.plic, id \"\"\n");
}

Test(info, dev_shows_fields)
{
    SAYS("info dev", "hart0\nplic\nuart0\n");
    SAYS("info dev uart0", "ier=2\n");
    SAYS("info dev nosuch", "Error: Device 'nosuch' not found\n");
}

Test(info, nothing_is_made_up_before_there_is_a_machine)
{
    m->harts = m->phase = 0;
    SAYS("info mtree", "");
    SAYS("info qtree", "");
    SAYS("info roms", "");
    SAYS("info chardev", "");
    SAYS("info status", "VM status: paused\n");
}
