/* SPDX-License-Identifier: MIT */
/* hmp_test.c - commands: their parsing, their output, their complaints. */
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

TestSuite(hmp, .init = setup, .fini = teardown);

static const char *run(const char *line)
{
    static struct buf out;

    buf_clear(&out);
    monitor_run_line(m, NULL, 0, line, &out);
    return buf_text(&out);
}

/* What a line prints, as a person would compare it. */
#define SAYS(line, text) cr_assert_str_eq(run(line), text, "%s", run(line))

Test(hmp, an_empty_line_does_nothing)
{
    SAYS("", "");
    SAYS("   ", "");
}

Test(hmp, unknown_commands_are_named)
{
    SAYS("nosuch", "unknown command: 'nosuch'\n");
    SAYS("info nosuch", "unknown command: 'info nosuch'\n");
    SAYS("help nosuch", "unknown command: 'nosuch'\n");
    SAYS("hel", "unknown command: 'hel'\n");
}

Test(hmp, symbol_names_what_is_at_an_address)
{
    SAYS("symbol 0x80000010", "0x80000010 is _start+0x10\n");
    SAYS("symbol 0", "No symbol of a loaded program is at 0x0\n");
}

Test(hmp, missing_and_extra_arguments_point_to_help)
{
    SAYS("log", "log: string expected\n"
                "Try \"help log\" for more information\n");
    SAYS("x", "unexpected end of expression\n"
              "Try \"help x\" for more information\n");
    SAYS("p 1 2", "print|p: extraneous characters at the end of line\n"
                  "Try \"help p\" for more information\n");
    SAYS("info registers -v", "registers: unsupported option -v\n"
                              "Try \"help info registers\" for more"
                              " information\n");
    SAYS("memsave 0x80000000 16", "memsave: filename expected\n"
                                  "Try \"help memsave\" for more"
                                  " information\n");
    SAYS("memsave 0x80000000 16 /tmp/x",
         "invalid char 't' in expression\n"
         "Try \"help memsave\" for more information\n");
    SAYS("cpu 0x100000000", "cpu: integer is for 32-bit values\n"
                            "Try \"help cpu\" for more information\n");
    SAYS("log \"abc", "unterminated string\n"
                      "Try \"help log\" for more information\n");
}

Test(hmp, help_prints_the_row)
{
    SAYS("help p", "print|p /fmt expr -- print expression value"
                   " (use $reg for CPU register access)\n");
    SAYS("? stop", "stop|s  -- stop emulation\n");
    SAYS("help info mem",
         "info mem  -- show the active virtual memory mappings\n");
    cr_assert(strstr(run("help"), "system_reset  -- reset the system\n"));
    cr_assert(strstr(run("info"), "info mtree [-f] -- "));
    cr_assert_not_null(strstr(run("help info"), "info status  -- "));
    cr_assert(strstr(run("help log"), "Log items (comma separated):\n"));
}

Test(hmp, print_has_formats)
{
    SAYS("print/d 1+2*3", "7\n");
    SAYS("p 5", "5\n"); /* d is remembered */
    SAYS("p/c 65", "'A'\n");
    SAYS("p/c 10", "'\\n'\n");
    SAYS("p/c 0", "'\\x00'\n");
    SAYS("p/o 8", "010\n");
    SAYS("p/x -1", "0xffffffffffffffff\n");
    SAYS("p/u -5", "18446744073709551611\n");
    SAYS("p/d -5", "-5\n");
    SAYS("p /x 16", "0x10\n");
    SAYS("p 1/0", "division by zero\n"
                  "Try \"help p\" for more information\n");
    SAYS("p (1", "')' expected\n"
                 "Try \"help p\" for more information\n");
    SAYS("p/x $pc", "0x80000000\n");
}

Test(hmp, x_prints_rows_of_16_bytes)
{
    for (int i = 0; i < 32; i++)
        m->ram[i] = (uint8_t)i;
    SAYS("x/5wx 0x80000000",
         "0000000080000000: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\n"
         "0000000080000010: 0x13121110\n");
    SAYS("xp/2gx 0x80000008",
         "0000000080000008: 0x0f0e0d0c0b0a0908 0x1716151413121110\n");
    SAYS("x/9bx 0x80000000",
         "0000000080000000: 0x00 0x01 0x02 0x03 0x04 0x05 0x06 0x07\n"
         "0000000080000008: 0x08\n");
    SAYS("x 0x80000001", "0000000080000001: 0x01\n"); /* remembered */
}

Test(hmp, x_pads_numbers_to_their_widest)
{
    memcpy(m->ram, "\x17\x91\x00\x00\x03\x31\x01\x89", 8);
    SAYS("x/2hd 0x80000000", "0000000080000000: 37143     0\n");
    SAYS("x/c 0x80000000", "0000000080000000: '\\x17' '\\x91'\n");
    SAYS("x/2ow 0x80000000", "0000000080000000: 000000110427 021100230403\n");
    SAYS("x/2dw 0x80000000", "0000000080000000:      37143 2298556675\n");
}

Test(hmp, x_stops_at_a_row_it_cannot_read)
{
    SAYS("x/1wx 0x50000", "0000000000050000: Cannot access memory\n");
    SAYS("xp/8wx 0x80007ff0",
         "0000000080007ff0: 0xa59e9790 0xc1bab3ac 0xddd6cfc8 0xf9f2ebe4\n"
         "0000000080008000: Cannot access memory\n");
    SAYS("x/3i 0x80007ff8", "0x80007ff8:  00000297          ecall"
                            "                   \n"
                            "0x80007ffc:  00000297          auipc"
                            "                   t0,0                    "
                            "# 0x1000\n"
                            "0000000080008000: Cannot access memory\n");
}

Test(hmp, x_refuses_other_formats)
{
    SAYS("x/s 0x80000000", "invalid char in format: 's'\n"
                           "Try \"help x\" for more information\n");
}

Test(hmp, x_disassembles_in_columns)
{
    SAYS("x/3i 0x80000004",
         "0x80000004:  00000297          auipc                   "
         "t0,0                    # 0x1000\n"
         "0x80000008:  00000297          addi                    a2,t0,40\n"
         "0x8000000c:  00000297          ecall                   \n");
}

Test(hmp, an_endless_dump_is_cut)
{
    struct buf out = { 0 };

    monitor_run_line(m, NULL, 0, "x/99999999999999999999bx 0x80000000", &out);
    cr_assert_leq(out.len, OUT_LIMIT + 100u);
    buf_free(&out);
}

Test(hmp, sum_is_the_16_bit_bsd_checksum)
{
    memcpy(m->ram, "hello", 5);
    SAYS("sum 0x80000000 5", "08403\n"); /* printf hello | sum -r */
    SAYS("sum 0x50000 4", "Error: Cannot access memory at 0x50000\n");
}

Test(hmp, memsave_writes_a_file)
{
    char name[] = "/tmp/ebreak-hmp-XXXXXX", line[128], data[32];
    int fd = mkstemp(name);

    snprintf(line, sizeof line, "memsave 0x3ffffff000 32 \"%s\"", name);
    SAYS(line, "");
    cr_assert_eq(read(fd, data, sizeof data), 32);
    cr_assert_arr_eq(data, m->ram, 32);
    snprintf(line, sizeof line, "pmemsave 0x80007ff8 16 \"%s\"", name);
    SAYS(line, "Error: Cannot access memory at 0x80008000\n");
    close(fd);
    unlink(name);
    SAYS("memsave 0x80000000 1 \"/nosuch/dir\"",
         "Error: Could not open '/nosuch/dir': No such file or directory\n");
}

Test(hmp, translations)
{
    SAYS("gva2gpa 0x3ffffff000", "gpa: 0x80000000\n");
    SAYS("gva2gpa 0x50000000", "Unmapped\n");
    SAYS("gpa2hva 0x10000000", "Memory at address 0x10000000 is not RAM\n");
    SAYS("gpa2hva 0x50000", "No memory is mapped at address 0x50000\n");
    SAYS("gpa2hva 0x1008", "Host virtual address for 0x1008"
                           " (riscv_virt_board.mrom) is 0x1234008\n");
    SAYS("walk 0x3ffffff000",
         "level 1: pte at 0000000080007000 is 0000000020001801 v-------\n"
         "level 0: pte at 0000000080006ff8 is 000000002000004b vr-x--a-\n"
         "gpa: 0x80000000 (page of 0x1000 bytes)\n");
    cr_assert(strstr(run("walk 0"), "Unmapped: the entry is not valid\n"));
}

Test(hmp, mem_io_is_a_switch)
{
    SAYS("mem io", "reads do not reach devices\n");
    SAYS("mem io on", "");
    cr_assert(m->io);
    SAYS("mem io off", "");
    cr_assert_not(m->io);
    cr_assert(strstr(run("mem io maybe"), "mem io [on|off] -- "));
}

Test(hmp, run_control_asks_the_machine)
{
    SAYS("stop", "");
    cr_assert_eq(m->interrupts, 0); /* it stands already */
    SAYS("cont", "");
    cr_assert_eq(m->resume.run, UINT64_MAX);
    cr_assert_eq(m->resume.step, 0);
    SAYS("c", "");
    cr_assert_eq(m->resumes, 1); /* it runs already */
    SAYS("s", "");
    cr_assert_eq(m->interrupts, 1);
    m->refuse = true;
    SAYS("cont", "Error: Resetting the Virtual Machine is required\n");
    SAYS("system_reset", "");
    SAYS("system_powerdown", "");
    SAYS("q", "");
    cr_assert_eq(m->resets + m->powerdowns + m->quits, 3);
    SAYS("nmi", "Error: machine does not provide NMIs\n");
    SAYS("system_wakeup", "Error: wake-up from suspend is not supported by"
                          " this guest\n");
    SAYS("cpu 2", "invalid CPU index\n");
    SAYS("cpu -1", "invalid CPU index\n");
    SAYS("cpu 1", "");
}

Test(hmp, step_lets_other_harts_run)
{
    SAYS("step", "");
    cr_assert_eq(m->resume.step, 1);
    cr_assert_eq(m->resume.run, ~1ull);
    while (loop_turn(m->loop, 0))
        continue;
    cr_assert_eq(m->resumes, 1);
}

Test(hmp, step_counts)
{
    SAYS("step 1000", "");
    SAYS("step", "Error: the machine is running, stop it first\n");
    while (loop_turn(m->loop, 0))
        continue;
    cr_assert_eq(m->resumes, 1000);
    cr_assert_eq(m->hart[0].pc, fake_ram + 4000);
    SAYS("step 0", "Error: the count must be at least 1\n");
}

Test(hmp, step_irq_says_what_interrupts_do_to_a_step)
{
    SAYS("step irq mask", "");
    SAYS("step irq", "mask\n");
    SAYS("step irq over", "");
    SAYS("step irq", "over\n");
    cr_assert(strstr(run("step irq fish"), "step [count]|irq"));
    SAYS("step 1 2", "Error: a count is one number\n");
    SAYS("step 1 +", "Error: unexpected end of expression\n");
    cr_assert_eq(m->resumes, 0);
}

Test(hmp, points_have_numbers)
{
    SAYS("break 0x80000004", "Point 1: breakpoint at 0x80000004\n");
    SAYS("watch 0x80001000 4", "Point 2: watchpoint at 0x80001000\n");
    SAYS("rwatch $pc", "Point 3: read watchpoint at 0x80000000\n");
    SAYS("awatch 8", "Point 4: access watchpoint at 0x8\n");
    SAYS("break 0x80000004", "Point 1: breakpoint at 0x80000004\n");
    cr_assert_eq(m->points, 4);
    SAYS("delete 3", "");
    SAYS("delete 3", "Error: no point number 3\n");
    SAYS("info points", "1   breakpoint         0x0000000080000004\n"
                        "2   watchpoint         0x0000000080001000  4 bytes\n"
                        "4   access watchpoint  0x0000000000000008  8 bytes\n");
    SAYS("delete", "");
    SAYS("info points", "");
    SAYS("break 16", "Point 5: breakpoint at 0x10\n");
    SAYS("watch 16 0", "Error: the length must be at least 1\n");
}

Test(hmp, points_have_filters_and_conditions)
{
    const struct debug_point *p = m->point;

    SAYS("break phys 0x80000010 hart=1 priv=su satp=0x8000 if $a0 == 5",
         "Point 1: breakpoint at physical 0x80000010\n");
    cr_assert(p->phys && p->by_satp);
    cr_assert_eq(p->harts, 2);
    cr_assert_eq(p->privs, 3);
    cr_assert_eq(p->satp, 0x8000);
    cr_assert_eq(p->when.n, 1);
    SAYS("watch phys 0x80000010 4 rw",
         "Point 2: access watchpoint at physical 0x80000010\n");
    SAYS("watch $pc r", "Point 3: read watchpoint at 0x80000000\n");
    m->point[1].hits = 2;
    SAYS("info points",
         "1   breakpoint         0x0000000080000010 physical  hart=1 priv=su"
         " satp=0x8000 if $a0 == 5\n"
         "2   access watchpoint  0x0000000080000010 physical  4 bytes"
         "  hit 2 times\n"
         "3   read watchpoint    0x0000000080000000  8 bytes\n");
}

Test(hmp, catchpoints_say_what_they_catch)
{
    const struct debug_point *p = m->point;

    SAYS("catch trap 12,13,15 from=s to=m",
         "Point 1: catchpoint, trap 12,13,15 from=s to=m\n");
    cr_assert_eq(p[0].kind, DEBUG_CATCH_TRAP);
    cr_assert_eq(p[0].addr, 0xb000);
    cr_assert_eq(p[0].privs, 2);
    cr_assert_eq(p[0].to, 8);
    SAYS("catch irq", "Point 2: catchpoint, irq\n");
    SAYS("catch ecall if $a7 == 64",
         "Point 3: catchpoint, ecall if $a7 == 64\n");
    cr_assert_eq(p[2].addr, 0xb00);
    SAYS("catch csr 0x180 w", "Point 4: catchpoint, csr 0x180 w\n");
    cr_assert_eq(p[3].kind, DEBUG_CATCH_CSR | DEBUG_WRITE);
    cr_assert_eq(p[3].addr, 0x180);
    SAYS("catch priv from=u", "Point 5: catchpoint, priv from=u\n");
    SAYS("catch unmapped", "Point 6: catchpoint, unmapped\n");
    cr_assert_eq(p[5].len, UINT64_MAX);
    SAYS("catch device r", "Point 7: catchpoint, device r\n");
    cr_assert_eq(p[6].kind, DEBUG_CATCH_DEVICE | DEBUG_READ);
}

Test(hmp, points_that_make_no_sense_are_refused)
{
    SAYS("break 8 hart=9", "Error: there is no such hart\n");
    SAYS("break 8 priv=x", "Error: modes are letters of u, s and m\n");
    SAYS("break 8 priv=", "Error: modes are letters of u, s and m\n");
    SAYS("break 8 to=s", "Error: 'to=s' is not understood\n");
    SAYS("break 8 if", "Error: unexpected end of expression\n");
    SAYS("break 8 if $a0 == 1 9", "Error: '9' is not understood\n");
    SAYS("catch csr nosuch", "Error: there is no such CSR\n");
    SAYS("catch trap 64", "Error: causes are numbers from 0 to 63\n");
    SAYS("catch fish", "Error: trap, irq, ecall, priv, csr, device or unmapped"
                       " can be caught\n");
    cr_assert_eq(m->points, 0);
    SAYS("info points", "");
}

Test(hmp, points_can_be_disabled)
{
    SAYS("break 16 if $a0 == 1", "Point 1: breakpoint at 0x10\n");
    m->point[0].hits = 3;
    SAYS("disable 1", "");
    cr_assert_eq(m->points, 0);
    SAYS("info points", "1   breakpoint         0x0000000000000010"
                        "  if $a0 == 1  hit 3 times  disabled\n");
    SAYS("enable 1", "");
    cr_assert_eq(m->points, 1);
    cr_assert_eq(m->point[0].when.n, 1);
    SAYS("enable 2", "Error: no point number 2\n");
    SAYS("delete 1", "");
    cr_assert_eq(m->points, 0);
}

Test(hmp, what_others_left_behind_can_be_deleted)
{
    struct debug_point p = { .kind = DEBUG_BREAK, .addr = 8 };

    debug_point_add(m, &p, NULL);
    SAYS("info points",
         "1   breakpoint         0x0000000000000008  left behind\n");
    SAYS("delete 1", "");
    cr_assert_eq(m->points, 0);
}

Test(hmp, points_of_others_are_shown_and_kept)
{
    struct debug_point p = { .kind = DEBUG_BREAK, .addr = 8, .owner = m };

    debug_point_add(m, &p, NULL);
    SAYS("delete", "");
    SAYS("info points",
         "-   breakpoint         0x0000000000000008  set elsewhere\n");
}

Test(hmp, log_sets_the_mask)
{
    SAYS("log int,guest_errors", "");
    cr_assert_eq(log_mask, (uint32_t)(LOG_INT | LOG_GUEST));
    SAYS("log none", "");
    cr_assert_eq(log_mask, 0);
    cr_assert(strstr(run("log nosuch"), "Log items (comma separated):\n"));
    cr_assert(strstr(run("log help"), "Log items (comma separated):\n"));
}

static char *asked;

static bool serve(void *opaque, const char *dev, struct err *err)
{
    free(asked);
    asked = xstrdup(dev);
    return opaque || err_set(err, "no such port");
}

static void gdbserver(const char *line, void *opaque, const char *says)
{
    struct chardev c = { .id = "mon0" };
    struct monitor mon = { .m = m, .c = &c, .hooks = { serve, opaque } };

    mon_run(&mon, line);
    cr_assert_str_eq(buf_text(&mon.out), says, "%s", buf_text(&mon.out));
    buf_free(&mon.out);
}

Test(hmp, gdbserver_says_where_it_waits)
{
    gdbserver("gdbserver", m,
              "Waiting for gdb connection on device 'tcp::1234'\r\n");
    cr_assert_str_eq(asked, "tcp::1234");
    gdbserver("gdbserver tcp::9", m,
              "Waiting for gdb connection on device 'tcp::9'\r\n");
    gdbserver("gdbserver none", m, "Disabled gdbserver\r\n");
    gdbserver("gdbserver x", NULL,
              "Could not open gdbserver on device 'x': no such port\r\n");
    free(asked);
}

Test(hmp, gdb_does_not_saw_off_its_own_branch)
{
    SAYS("gdbserver none", "Error: gdb cannot close or move its own port\n");
}

Test(hmp, ring_buffers_are_read_and_written)
{
    struct chardev ring = { .id = "r0", .is_ring = true },
                   other = { .id = "s0" };

    m->chardev[0] = &ring;
    m->chardev[1] = &other;
    SAYS("ringbuf_write r0 \"a\\\\b c\\r\"", "");
    SAYS("ringbuf_read r0 100", "a\\\\b c\\u000D\n");
    SAYS("ringbuf_read r0 0", "Error: size must be greater than zero\n");
    SAYS("ringbuf_read s0 1", "Error: s0 is not a ringbuf device\n");
    SAYS("ringbuf_read nosuch 1", "Error: Device 'nosuch' not found\n");
    SAYS("chardev-remove s0", "Error: Chardev 's0' is busy\n");
    SAYS("chardev-remove nosuch", "Error: Chardev 'nosuch' not found\n");
    SAYS("chardev-add nosuch,id=x",
         "Error: 'nosuch,id=x' is not a valid char driver name\n");
    buf_free(&ring.ring);
}

Test(hmp, a_command_that_is_too_early_says_from_when_on)
{
    m->harts = 0;
    m->phase = 2;
    SAYS("stop", "Command 'stop' is available from phase machine-ready on"
                 " (it is accel-created now)\n");
    SAYS("x/4i 0", "Command 'x' is available from phase machine-initialized on"
                   " (it is accel-created now)\n");
    SAYS("info registers",
         "Command 'info registers' is available from phase machine-initialized"
         " on (it is accel-created now)\n");
    SAYS("p/d 1+1", "2\n");
}

Test(hmp, harts_are_shown_as_soon_as_they_exist)
{
    m->phase = 3;
    cr_assert(strstr(run("info cpus"), "* CPU #0: thread_id="));
}

Test(hmp, start_up_is_walked_by_phase)
{
    m->phase = 1;
    SAYS("phase", "phase: machine-created\n");
    SAYS("phase step", "phase: machine-created\n");
    SAYS("phase next", "phase: machine-created\n");
    SAYS("phase until board", "phase: machine-created\n");
    cr_assert_eq(m->walks, 3);
    SAYS("phase until nosuch", "Error: there is no phase or step 'nosuch'\n");
    SAYS("phase until", "phase [step|next|until name|run] -- show or walk the"
                        " start-up of the machine\n");
    SAYS("exit_preconfig", "");
    cr_assert_eq(m->phase, 5);
    SAYS("exit_preconfig", "Error: The command is permitted only before"
                           " machine initialization\n");
}

static void completes(const char *text, const char *more, const char *shown)
{
    struct monitor mon = { .m = m };
    struct buf common = { 0 }, list = { 0 };

    complete(&mon, text, &common, &list);
    cr_assert_str_eq(buf_text(&common), more, "%s: %s", text,
                     buf_text(&common));
    cr_assert_str_eq(buf_text(&list), shown, "%s: %s", text, buf_text(&list));
    buf_free(&common);
    buf_free(&list);
}

Test(hmp, tab_completes_what_fits)
{
    completes("qu", "it ", "");
    completes("system_w", "akeup ", "");
    completes("pri", "nt ", "");
    completes("mem", "", "mem       memsave   \n");
    completes("info reg", "isters ", "");
    completes("help sto", "p ", "");
    completes("help info reg", "isters ", "");
    completes("x/4i $mhar", "tid ", "");
    completes("p ($mscr", "atch ", "");
    completes("p 1", "", "");
    completes("nosuch", "", "");
}

Test(hmp, tab_completes_files_too)
{
    completes("logfile /etc/hostnam", "e ", "");
    completes("memsave 0 1 \"/etc/hostnam", "e ", "");
    completes("logfile /et", "c/", "");
}

Test(hmp, time_commands_ask_for_moments)
{
    SAYS("goto 1234", "");
    cr_assert_str_eq(fake_asked, "goto 1234");
    SAYS("restart here", "");
    cr_assert_str_eq(fake_asked, "goto here");
    SAYS("goto nowhere", "Error: there is no checkpoint 'nowhere'\n");
    SAYS("checkpoint", "");
    cr_assert_str_eq(fake_asked, "checkpoint -");
    SAYS("reverse-stepi", "");
    cr_assert_str_eq(fake_asked, "reverse step");
    SAYS("last-trap", "");
    cr_assert_str_eq(fake_asked, "look trap");
    SAYS("rc", "");
    cr_assert_str_eq(fake_asked, "reverse continue");
    SAYS("back", "");
    cr_assert_str_eq(fake_asked, "back -");
    SAYS("forward", "");
    cr_assert_str_eq(fake_asked, "forward -");
    SAYS("history", "");
    cr_assert_str_eq(fake_asked, "list 20");
    SAYS("history 7", "");
    cr_assert_str_eq(fake_asked, "list 7");
    SAYS("history 0", "Error: the count must be from 1 to 10000\n");
    SAYS("history 10001", "Error: the count must be from 1 to 10000\n");
}

Test(hmp, timeline_lists_switches_and_drops_branches)
{
    SAYS("timeline list", "* 1\n");
    SAYS("timeline switch 2", "");
    cr_assert_str_eq(fake_asked, "switch 2");
    SAYS("timeline drop 3", "Error: there is no branch 3 to drop\n");
    SAYS("info timeline", "history: T=0 to 7\n");
    SAYS("info checkpoints", "here T=5\n");
}
