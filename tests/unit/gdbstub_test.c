/* SPDX-License-Identifier: MIT */
/* gdbstub_test.c - sessions: resuming, stop replies, coming and going. */
#include <criterion/criterion.h>

#include "tests/unit/fake_gdb.c"

static void setup(void) { gdb_start(2); }

TestSuite(gdbstub, .init = setup, .fini = gdb_end);

#define EXPECT(packet, reply) cr_expect_str_eq(ask(packet), reply)

/* The expedited registers of a fresh fake hart. */
#define REGS                                                                   \
    "20:0000008000000000;02:0000000000000000;08:0000000000000000;"             \
    "01:0000000000000000;"

static void offer(void) { ask("qSupported:multiprocess+;swbreak+;hwbreak+"); }

static const void *owner(void)
{
    return machine->point[machine->points - 1].owner;
}

Test(gdbstub, connecting_stops_the_machine)
{
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    fake_run(machine);
    chr_event(&gdb.chr, CHARDEV_OPENED);
    cr_expect_not(machine->running);
    EXPECT("?", "T05thread:2;core:1;" REGS);
}

Test(gdbstub, status_before_anything_ran)
{
    EXPECT("?", "T05thread:1;core:0;" REGS);
}

Test(gdbstub, thread_ids_have_a_process_when_gdb_offers_it)
{
    offer();
    EXPECT("?", "T05thread:p1.1;core:0;" REGS);
    ask("qSupported:xmlRegisters=i386");
    EXPECT("?", "T05thread:1;core:0;" REGS);
}

Test(gdbstub, vcont_query_lists_all_actions)
{
    EXPECT("vCont?", "vCont;c;C;s;S;t;r");
}

Test(gdbstub, a_resume_is_answered_once_by_the_stop)
{
    struct debug_stop step = { .reason = DEBUG_STOP_STEP, .hart = 1 };

    EXPECT("vCont;c", "");
    cr_expect(machine->running);
    fake_stop(machine, step);
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:2;core:1;" REGS);
    fake_run(machine);
    fake_stop(machine, step);
    cr_expect_str_eq(gdb_read(&gdb), "");
}

Test(gdbstub, breakpoint_is_named_only_if_gdb_knows_the_word)
{
    struct debug_stop stop = { .reason = DEBUG_STOP_BREAK,
                               .point = { .kind = DEBUG_BREAK } };

    ask("Z0,80000000,4");
    stop.point.owner = owner();
    ask("c");
    fake_stop(machine, stop);
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:1;core:0;" REGS);
    offer();
    ask("c");
    fake_stop(machine, stop);
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:p1.1;core:0;swbreak:;" REGS);
    stop.point.hw = true;
    ask("c");
    fake_stop(machine, stop);
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:p1.1;core:0;hwbreak:;" REGS);
}

Test(gdbstub, somebody_elses_point_is_a_plain_trap_and_a_text)
{
    offer();
    ask("c");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_BREAK,
                                            .point.kind = DEBUG_BREAK });
    cr_expect_str_eq(gdb_read(&gdb), "O68617274203020617420307838303030303030"
                                     "300a|T05thread:p1.1;core:0;" REGS);
}

Test(gdbstub, watchpoints_say_kind_and_address)
{
    static const struct {
        uint32_t kind;
        const char *reply;
    } rows[] = {
        { DEBUG_WRITE, "T05thread:1;core:0;watch:ffffffff80000104;" REGS },
        { DEBUG_READ, "T05thread:1;core:0;rwatch:ffffffff80000104;" REGS },
        { DEBUG_READ | DEBUG_WRITE,
          "T05thread:1;core:0;awatch:ffffffff80000104;" REGS },
    };
    struct debug_stop stop = { .reason = DEBUG_STOP_WATCH,
                               .addr = 0xffffffff80000104 };

    ask("Z2,80000100,8");
    stop.point.owner = owner();
    for (size_t i = 0; i < 3; i++) {
        stop.point.kind = rows[i].kind;
        ask("c");
        fake_stop(machine, stop);
        cr_expect_str_eq(gdb_read(&gdb), rows[i].reply);
    }
}

Test(gdbstub, ctrl_c_interrupts_and_reports_sigint)
{
    ask("vCont;c");
    chr_input(&gdb.chr, "\x03", 1);
    cr_expect_str_eq(gdb_read(&gdb), "T02thread:2;core:1;" REGS);
}

Test(gdbstub, ctrl_c_after_the_stop_is_dropped)
{
    ask("vCont;c");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    gdb_read(&gdb);
    chr_input(&gdb.chr, "\x03", 1);
    cr_expect_str_eq(gdb_read(&gdb), "");
    ask("vCont;c");
    cr_expect(machine->running);
}

Test(gdbstub, the_monitors_stop_is_gdbs_sigint)
{
    ask("vCont;c");
    debug_interrupt(machine);
    cr_expect_str_eq(gdb_read(&gdb), "T02thread:2;core:1;" REGS);
}

Test(gdbstub, ctrl_c_does_nothing_to_what_another_runs)
{
    fake_run(machine);
    chr_input(&gdb.chr, "\x03", 1);
    cr_expect(machine->running);
}

static void expect_resume(const char *packet, uint64_t run, uint64_t step,
                          uint64_t from, uint64_t to, int hart)
{
    const struct debug_resume *r = &machine->resume;

    EXPECT(packet, "");
    cr_expect_eq(r->run, run, "%s", packet);
    cr_expect_eq(r->step, step, "%s", packet);
    cr_expect_eq(r->from, from, "%s", packet);
    cr_expect_eq(r->to, to, "%s", packet);
    cr_expect_eq(r->hart, hart, "%s", packet);
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    gdb_read(&gdb);
}

Test(gdbstub, vcont_takes_the_leftmost_action_for_each_hart)
{
    uint64_t all = ~UINT64_C(0);

    expect_resume("vCont;c", all, 0, 0, 0, -1);
    expect_resume("vCont;c:p1.-1", all, 0, 0, 0, -1);
    expect_resume("vCont;c:-1;s:1", all, 0, 0, 0, -1);
    expect_resume("vCont;c:2", 2, 0, 0, 0, -1);
    expect_resume("vCont;s:p1.2;c:p1.-1", 1, 2, 0, 0, 1);
    expect_resume("vCont;s:p1.2", 0, 2, 0, 0, 1);
    expect_resume("vCont;s", 0, 3, 0, 0, 0);
    expect_resume("vCont;C02:1;S05", 1, 2, 0, 0, 0);
    expect_resume("vCont;t:2;c", 1, 0, 0, 0, -1);
    expect_resume("vCont;r80000000,80000008:1;c", 2, 1, 0x80000000, 0x80000008,
                  0);
    expect_resume("vCont;r80000008,80000008:1;c", 2, 1, 0, 0, 0);
    expect_resume("vCont;r1,9:1;s:2", 0, 3, 0, 0, 0);
    expect_resume("vCont;r1,9:1;r1,9:2", 0, 3, 1, 9, 0);
}

Test(gdbstub, malformed_vcont_resumes_nothing)
{
    static const char *const bad[] = {
        "vCont",    "vCont;",       "vCont;x",  "vCont;c;",   "vCont;C",
        "vCont;r1", "vCont;r1,",    "vCont;s:", "vCont;s:9",  "vCont;s:p1.99",
        "vCont;t",  "vCont;s:p2.1", "vContc",   "vCont;c:1x", "vCont;s:-2",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *reply = ask(bad[i]);

        cr_expect(*reply == '\0' || strncmp(reply, "E.", 2) == 0, "%s %s",
                  bad[i], reply);
        cr_expect_not(machine->running, "%s", bad[i]);
    }
    cr_expect_eq(machine->resumes, 0);
}

Test(gdbstub, legacy_resumes_use_the_thread_of_Hc)
{
    expect_resume("c", ~UINT64_C(0), 0, 0, 0, -1);
    expect_resume("s", 2, 1, 0, 0, 0);
    ask("Hc2");
    expect_resume("s", 0, 2, 0, 0, 1);
    expect_resume("C05", ~UINT64_C(0), 0, 0, 0, -1);
    expect_resume("c80000040", ~UINT64_C(0), 0, 0, 0, -1);
    cr_expect_eq(machine->reg[0][32], 0x80000040);
    expect_resume("S05;80000044", 2, 1, 0, 0, 0);
    cr_expect_eq(machine->reg[0][32], 0x80000044);
}

Test(gdbstub, a_machine_that_cannot_run_says_why_and_has_stopped)
{
    machine->refuse = true;
    ask("vCont;c");
    cr_expect(strncmp(gdb.reply.data, "O526573657474696e67", 19) == 0);
    cr_expect(strstr(gdb.reply.data, "|T00thread:1;"));
}

Test(gdbstub, resuming_a_running_machine_waits_for_its_stop)
{
    fake_run(machine);
    EXPECT("vCont;c", "");
    cr_expect_eq(machine->resumes, 0);
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:1;core:0;" REGS);
}

Test(gdbstub, exit_is_told_to_who_waits)
{
    offer();
    ask("vCont;c");
    fake_tell(machine, DEBUG_EVENT_EXIT, 3);
    cr_expect_str_eq(gdb_read(&gdb), "W03;process:1");
    fake_tell(machine, DEBUG_EVENT_EXIT, 3);
    cr_expect_str_eq(gdb_read(&gdb), "");
}

Test(gdbstub, power_off_that_is_held_is_a_sigquit)
{
    ask("vCont;c");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_SHUTDOWN });
    cr_expect_str_eq(gdb_read(&gdb), "T03thread:1;core:0;" REGS);
}

Test(gdbstub, detach_removes_points_and_lets_run)
{
    ask("Z0,80000000,4");
    EXPECT("D;2", "E.the machine is process 1");
    EXPECT("D;1", "OK");
    cr_expect_eq(machine->points, 0);
    cr_expect(machine->running);
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_PAUSE });
    cr_expect_str_eq(gdb_read(&gdb), "");
}

Test(gdbstub, attach_after_detach_stops_again)
{
    ask("!");
    ask("D");
    EXPECT("vAttach;1", "T05thread:2;core:1;" REGS);
    cr_expect_not(machine->running);
    EXPECT("vAttach;2", "E.the machine is process 1");
}

Test(gdbstub, a_lost_connection_removes_points_and_changes_nothing_else)
{
    ask("Z0,80000000,4");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect_eq(machine->points, 0);
    cr_expect_not(machine->running);
    chr_event(&gdb.chr, CHARDEV_OPENED);
    ask("vCont;c");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect(machine->running);
}

Test(gdbstub, a_new_client_starts_afresh)
{
    offer();
    ask("QStartNoAckMode");
    ask("Qqemu.PhyMemMode:1");
    ask("Hg2");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    chr_event(&gdb.chr, CHARDEV_OPENED);
    gdb_read(&gdb);
    buf_clear(&gdb.chr.out);
    gdb.seen = 0;
    EXPECT("qC", "QC1");
    cr_expect_eq(gdb.chr.out.data[0], '+');
    EXPECT("qqemu.PhyMemMode", "0");
}

Test(gdbstub, no_ack_mode_is_acknowledged_once_more)
{
    buf_clear(&gdb.chr.out);
    gdb.seen = 0;
    ask("QStartNoAckMode");
    cr_expect_str_eq(gdb.chr.out.data, "+$OK#9a");
    ask("qC");
    cr_expect_str_eq(gdb.chr.out.data, "+$OK#9a$QC1#c5");
}

Test(gdbstub, a_semihosting_call_goes_to_who_waits_for_a_stop)
{
    cr_expect_not(fake_call(machine, "isatty,1"), "nobody waits");
    ask("vCont;c");
    cr_expect(fake_call(machine, "isatty,1"));
    cr_expect_str_eq(gdb_read(&gdb), "Fisatty,1");
    EXPECT("qC", "QC2"); /* whose memory gdb is to read */
    EXPECT("F1", "");
    cr_expect_eq(machine->call_result, 1);
    cr_expect(machine->running);
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:1;core:0;" REGS);
}

Test(gdbstub, answers_have_an_error_and_a_ctrl_c)
{
    ask("vCont;c");
    fake_call(machine, "open,1/1,0,0");
    gdb_read(&gdb);
    ask("F-1,2,C");
    cr_expect_eq(machine->call_result, -1);
    cr_expect_eq(machine->call_error, 2);
    cr_expect(strncmp(gdb.reply.data, "T02", 3) == 0);
    cr_expect_not(machine->running);
}

Test(gdbstub, a_client_that_goes_fails_the_call_it_was_to_answer)
{
    ask("vCont;c");
    fake_call(machine, "close,3");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect_null(machine->call);
    cr_expect_eq(machine->call_result, -1);
    cr_expect(machine->running);
}

Test(gdbstub, detaching_fails_the_call_that_was_to_be_answered)
{
    ask("vCont;c");
    fake_call(machine, "close,3");
    gdb_read(&gdb);
    EXPECT("D", "OK");
    cr_expect_null(machine->call);
    cr_expect(machine->running);
}

Test(gdbstub, an_answer_that_nobody_waits_for_is_dropped)
{
    EXPECT("F0", "");
    ask("vCont;c");
    EXPECT("F0", "");
    fake_call(machine, "close,3");
    gdb_read(&gdb);
    machine->call = NULL; /* a reset forgot it */
    ask("F0");
    cr_expect(strncmp(gdb.reply.data, "T05", 3) == 0);
}

Test(gdbstub, kill_resets_and_stays)
{
    EXPECT("!", "OK");
    ask("Z0,80000000,4");
    EXPECT("k", "");
    cr_expect_eq(machine->resets, 1);
    cr_expect_eq(machine->points, 0);
    EXPECT("vKill;1", "OK");
    EXPECT("vKill;7", "E.the machine is process 1");
    cr_expect_eq(machine->resets, 2);
    cr_expect_eq(machine->quits, 0);
    cr_expect_not(machine->running);
}

static void restart_with(struct gdbstub_config config)
{
    gdbstub_free(stub);
    stub = gdbstub_new(machine, &gdb.chr, &config, NULL);
    gdb_read(&gdb);
}

Test(gdbstub, policies_say_what_the_end_of_a_gdb_does)
{
    restart_with((struct gdbstub_config){
        .kill = GDB_KEEP, .detach = GDB_QUIT, .lost = GDB_RUN });
    EXPECT("vKill;1", "OK");
    cr_expect_eq(machine->resets, 0);
    EXPECT("D", "OK");
    cr_expect_eq(machine->quits, 1);
    ask("?");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect(machine->running);
}

Test(gdbstub, a_lost_gdb_can_leave_a_stopped_machine)
{
    restart_with((struct gdbstub_config){ .lost = GDB_STOP });
    ask("vCont;c");
    chr_event(&gdb.chr, CHARDEV_CLOSED);
    cr_expect_not(machine->running);
}

Test(gdbstub, run_goes_to_a_time)
{
    ask("vRun;;743132");
    cr_expect_str_eq(fake_asked, "goto 12");
    ask("vRun;;6361");
    cr_expect_str_eq(fake_asked, "restart a");
    cr_expect_eq(machine->resets, 0);
}

Test(gdbstub, words_behind_run_are_the_kernels)
{
    ask("vRun;2f66;");
    cr_expect_eq(machine->resets, 1);
    cr_expect_str_eq(machine->bootargs, "");
    ask("vRun;2f66;613d62;632064;2263206422");
    cr_expect_eq(machine->resets, 2);
    cr_expect_str_eq(machine->bootargs, "a=b \"c d\" \"c d\"");
    EXPECT("vRun;;6", "E.malformed vRun packet");
    EXPECT("vRun;;zz;61", "E.malformed vRun packet");
    cr_expect_eq(machine->resets, 2);
    machine->refuse = true;
    EXPECT("vRun;;61", "E.no kernel");
}

Test(gdbstub, run_starts_anew_and_keeps_points)
{
    ask("Z0,80000000,4");
    ask("vRun;;");
    cr_expect_str_eq(gdb.reply.data, "T05thread:1;core:0;20:0010000000000000;"
                                     "02:0000000000000000;08:0000000000000000;"
                                     "01:0000000000000000;");
    cr_expect_eq(machine->points, 1);
    EXPECT("R00", "");
    cr_expect_eq(machine->resets, 2);
    machine->no_images = true;
    EXPECT("vRun;", "E.no images");
}

Test(gdbstub, before_harts_there_is_one_thread_with_a_pc_of_0)
{
    machine->harts = 0;
    offer();
    EXPECT("?", "T05thread:p1.1;core:0;");
    EXPECT("qfThreadInfo", "mp1.1");
    EXPECT("Hgp1.1", "OK");
    cr_expect_eq(strspn(ask("g"), "x"), 32 * 16);
    cr_expect_str_eq(gdb.reply.data + 32 * 16, "0000000000000000");
    EXPECT("m0,4", "E14");
    EXPECT("p20", "E.there is no register 32 here");
    EXPECT("P20=00", "E.register 32 cannot be written");
    EXPECT("vRun;", "T05thread:p1.1;core:0;");
    ask("vCont;c");
    cr_expect(strstr(gdb.reply.data, "|T00thread:p1.1;core:0;"));
}

Test(gdbstub, a_client_from_the_start_up_is_there_before_the_first_step)
{
    gdb_end();
    gdb_start(0);
    machine->harts = 1;
    machine->phase = 5;
    fake_run(machine);
    gdb_turn();
    cr_expect_not(machine->running);
    cr_expect_str_eq(gdb_read(&gdb), "");
    fake_run(machine);
    gdb_turn();
    cr_expect(machine->running, "only the first run is held");
}

Test(gdbstub, a_client_that_never_reads_is_dropped_and_never_blocks)
{
    gdb.chr.room = 0;
    for (int i = 0; i < 100000 && gdb.chr.hangups == 0; i++) {
        gdb_send(&gdb, "m80000000,8000", 14);
        gdb_turn();
    }
    cr_expect_eq(gdb.chr.hangups, 1);
    cr_expect_eq(machine->points, 0);
}

Test(gdbstub, a_slow_client_gets_the_rest_when_it_reads)
{
    gdb.chr.room = 10;
    ask("g");
    gdb.chr.room = SIZE_MAX;
    for (int i = 0; i < 100 && gdb.chr.out.len < 20; i++)
        loop_turn(machine->loop, 10000000);
    cr_expect_gt(gdb.chr.out.len, 20);
}

/* Several clients ---------------------------------------------------------- */

static struct chardev port;
static struct gdb second;

static void listen_setup(void)
{
    struct gdbstub_config config = { .monitor = gdb_monitor };

    memset(&gdb, 0, sizeof gdb);
    memset(&second, 0, sizeof second);
    machine = fake_new(2);
    chr_init(&port, true);
    stub = gdbstub_new(machine, &port, &config, NULL);
    chr_init(&gdb.chr, false);
    chr_init(&second.chr, false);
    gdb.chr.open = second.chr.open = true;
    port.accepted(port.accept_opaque, &gdb.chr);
    port.accepted(port.accept_opaque, &second.chr);
}

static void listen_fini(void)
{
    gdb_end();
    buf_free(&second.chr.out);
    buf_free(&second.reply);
}

TestSuite(clients, .init = listen_setup, .fini = listen_fini);

Test(clients, each_is_answered_on_its_own_line)
{
    ask("qSupported:multiprocess+");
    EXPECT("qC", "QCp1.1");
    gdb_send(&second, "qC", 2);
    cr_expect_str_eq(gdb_read(&second), "QC1");
}

Test(clients, a_stop_goes_to_all_who_wait_and_to_nobody_else)
{
    ask("vCont;c");
    fake_stop(machine, (struct debug_stop){ .reason = DEBUG_STOP_STEP });
    cr_expect_str_eq(gdb_read(&gdb), "T05thread:1;core:0;" REGS);
    cr_expect_str_eq(gdb_read(&second), "");
    ask("vCont;c");
    gdb_send(&second, "vCont;c", 7);
    chr_input(&second.chr, "\x03", 1);
    cr_expect_str_eq(gdb_read(&gdb), "T02thread:2;core:1;" REGS);
    cr_expect_str_eq(gdb_read(&second), "T02thread:2;core:1;" REGS);
}

Test(clients, each_removes_only_its_own_points)
{
    ask("Z0,80000000,4");
    gdb_send(&second, "Z0,80000000,4", 13);
    cr_expect_eq(machine->points, 2);
    chr_event(&second.chr, CHARDEV_CLOSED);
    gdb_turn();
    cr_expect_eq(machine->points, 1);
    EXPECT("qC", "QC1");
}

Test(clients, detaching_leaves_the_machine_to_the_other)
{
    EXPECT("D", "OK");
    cr_expect_not(machine->running);
    gdb_send(&second, "D", 1);
    cr_expect(machine->running);
}

Test(clients, one_that_never_reads_does_not_stall_the_other)
{
    second.chr.room = 0;
    for (int i = 0; i < 2000; i++)
        gdb_send(&second, "m80000000,8000", 14);
    gdb_turn();
    cr_expect_eq(second.chr.removed, 1);
    EXPECT("qC", "QC1");
}

Test(clients, there_is_room_for_only_so_many)
{
    struct chardev more[20];

    for (int i = 0; i < 20; i++) {
        chr_init(&more[i], false);
        more[i].open = true;
        port.accepted(port.accept_opaque, &more[i]);
    }
    cr_expect_eq(more[13].removed, 0);
    cr_expect_eq(more[14].removed, 1);
    cr_expect_eq(more[19].removed, 1);
    gdbstub_free(stub);
    stub = NULL;
}
