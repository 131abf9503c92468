/* SPDX-License-Identifier: MIT */
/* packets_test.c - every packet's arguments, effect and reply. */
#include <criterion/criterion.h>

#include "tests/unit/fake_gdb.c"

static void setup(void) { gdb_start(2); }

TestSuite(packets, .init = setup, .fini = gdb_end);

#define EXPECT(packet, reply) cr_expect_str_eq(ask(packet), reply)

Test(packets, unknown_packets_get_the_empty_reply)
{
    EXPECT("vMustReplyEmpty", "");
    EXPECT("qFoo", "");
    EXPECT("QNonStop:1", "");
    EXPECT("vFile:frobnicate:66", "");
    EXPECT("i", "");
    EXPECT("qCfoo", "");
    EXPECT("", "");
}

Test(packets, qsupported_names_what_is_there)
{
    EXPECT("qSupported:multiprocess+;swbreak+;hwbreak+",
           "PacketSize=20000;QStartNoAckMode+;multiprocess+;vContSupported+;"
           "ReverseStep+;ReverseContinue+;swbreak+;hwbreak+;binary-upload+;"
           "ConditionalBreakpoints+;"
           "BreakpointCommands+;qXfer:features:read+;qXfer:threads:read+;"
           "qXfer:exec-file:read+;qXfer:libraries:read+;qXfer:osdata:read+");
}

Test(packets, going_back_where_there_is_no_past_says_so)
{
    EXPECT("bs", "E.the timeline is off");
    EXPECT("bc", "E.the timeline is off");
}

Test(packets, g_is_x0_to_x31_and_pc)
{
    machine->reg[0][1] = 0x1122334455667788;
    cr_expect_eq(strlen(ask("g")), 33 * 16);
    cr_expect(strncmp(gdb.reply.data + 16, "8877665544332211", 16) == 0);
    cr_expect_str_eq(gdb.reply.data + 32 * 16, "0000008000000000");
}

Test(packets, G_writes_all_but_x0_and_pokes_only_what_changes)
{
    char text[1 + 33 * 16 + 1] = "G";

    for (int i = 0; i < 33; i++)
        sprintf(text + 1 + i * 16, "%02x00000000000000", i + 1);
    EXPECT(text, "OK");
    cr_expect_eq(machine->reg[0][0], 0);
    cr_expect_eq(machine->reg[0][31], 32);
    cr_expect_eq(machine->reg[0][32], 33);
    cr_expect_eq(machine->pokes, 32);
    EXPECT(text, "OK");
    cr_expect_eq(machine->pokes, 32);
}

Test(packets, malformed_G_is_an_error)
{
    EXPECT("G0", "E.malformed G packet");
    EXPECT("G00", "E.malformed G packet");
    EXPECT("Gxx", "E.malformed G packet");
    cr_expect_eq(machine->pokes, 0);
}

Test(packets, p_reads_by_number)
{
    machine->reg[0][10] = 0xabc;
    EXPECT("pa", "bc0a000000000000");
    EXPECT("p1041", "0000000000000000"); /* priv */
    EXPECT("p20", "0000008000000000");
    EXPECT("p999", "E.there is no register 2457 here");
    EXPECT("pffffffffffffffff",
           "E.there is no register 18446744073709551615 here");
    EXPECT("p1ffffffffffffffff", "E.malformed p packet");
    EXPECT("p", "E.malformed p packet");
}

Test(packets, P_writes_by_number)
{
    EXPECT("P5=efbeadde00000000", "OK");
    cr_expect_eq(machine->reg[0][5], 0xdeadbeef);
    EXPECT("P5=", "E.malformed P packet");
    EXPECT("P5=000000000000000000", "E.malformed P packet");
    EXPECT("P999=00", "E.register 2457 cannot be written");
}

Test(packets, m_reads_up_to_the_first_byte_that_is_not_there)
{
    EXPECT("m80000001,3", "070e15");
    EXPECT("m80007fff,10", "f9");
    EXPECT("m7fffffff,10", "E14");
    EXPECT("m0,ffffffff", "E14");
    EXPECT("m80000000,0", "E14");
    EXPECT("m80000000", "E22");
    EXPECT("m80000000,", "E22");
    EXPECT("m,4", "E22");
    cr_expect_eq(strlen(ask("m80000000,ffffffffffffffff")), 0x10000);
}

Test(packets, m_explains_where_gdb_understands_it)
{
    ask("qSupported:error-message+");
    EXPECT("m0,4", "E.address 0x0 is not mapped: ?1?");
}

Test(packets, M_and_X_write_all_or_nothing)
{
    EXPECT("M80000000,2:1234", "OK");
    cr_expect_eq(machine->ram[0], 0x12);
    cr_expect_eq(machine->ram[1], 0x34);
    EXPECT("M80007fff,2:1234", "E.address 0x80008000 is not mapped: ?1?");
    cr_expect_eq(machine->ram[0x7fff], 0xf9);
}

Test(packets, M_and_X_lengths_must_match)
{
    EXPECT("M80000000,3:1234", "E.the packet's length and its data differ");
    EXPECT("M80000000,1:1", "E.malformed M packet");
    EXPECT("X80000000,ffffffffffffffff:a",
           "E.the packet's length and its data differ");
    cr_expect_eq(machine->pokes, 0);
}

Test(packets, X_takes_binary_and_answers_gdbs_probe)
{
    EXPECT("X80000000,0:", "OK");
    gdb_send(&gdb, "X80000000,4:a}\x03\0b", 17);
    cr_expect_str_eq(gdb_read(&gdb), "OK");
    cr_expect_arr_eq(machine->ram, "a#\0b", 4);
}

Test(packets, x_reads_binary)
{
    memcpy(machine->ram, "a#$}*\0z", 7);
    ask("x80000000,7");
    cr_expect_eq(gdb.reply.len, 8);
    cr_expect_arr_eq(gdb.reply.data, "ba#$}*\0z", 8);
    EXPECT("x80000000,0", "b");
    EXPECT("x0,4", "E14");
}

Test(packets, H_chooses_the_hart_of_g_and_m)
{
    machine->reg[1][10] = 7;
    EXPECT("Hg2", "OK");
    EXPECT("pa", "0700000000000000");
    EXPECT("Hg0", "OK");
    EXPECT("pa", "0700000000000000");
    EXPECT("Hgp1.1", "OK");
    EXPECT("pa", "0000000000000000");
    EXPECT("Hc-1", "OK");
    EXPECT("Hcp1.-1", "OK");
    EXPECT("Hgp1.99", "E.there is no such thread");
    EXPECT("Hgp2.1", "E.there is no such thread");
    EXPECT("Hg7fffffffffff", "E.there is no such thread");
    EXPECT("Hx1", "E.malformed H packet");
    EXPECT("H", "E.malformed H packet");
    EXPECT("Hg", "E.malformed H packet");
    EXPECT("Hgp", "E.malformed H packet");
    EXPECT("Hgp1.", "E.malformed H packet");
    EXPECT("Hg-2", "E.malformed H packet");
}

Test(packets, T_tells_whether_a_thread_is_alive)
{
    EXPECT("T1", "OK");
    EXPECT("Tp1.2", "OK");
    EXPECT("Tp1.3", "E.there is no such thread");
    EXPECT("T-1", "E.there is no such thread");
}

Test(packets, Z_and_z_add_and_remove_points_of_each_kind)
{
    EXPECT("Z0,80000018,4", "OK");
    EXPECT("Z1,80000018,2", "OK");
    EXPECT("Z2,80000100,1000", "OK");
    EXPECT("Z3,80000100,1", "OK");
    EXPECT("Z4,80000100,8", "OK");
    cr_expect_eq(machine->points, 5);
    cr_expect_eq(machine->point[0].kind, DEBUG_BREAK);
    cr_expect(machine->point[1].hw);
    cr_expect_eq(machine->point[2].kind, DEBUG_WRITE);
    cr_expect(machine->point[2].change);
    cr_expect_not(machine->point[4].change);
    cr_expect_eq(machine->point[2].len, 0x1000);
    cr_expect_eq(machine->point[3].kind, DEBUG_READ);
    cr_expect_eq(machine->point[4].kind, DEBUG_READ | DEBUG_WRITE);
    EXPECT("Z0,80000018,4", "OK");
    cr_expect_eq(machine->points, 5);
    EXPECT("z0,80000018,4", "OK");
    EXPECT("z4,80000100,8", "OK");
    EXPECT("z4,80000100,8", "OK");
    cr_expect_eq(machine->points, 3);
}

Test(packets, Z_refuses_what_makes_no_sense)
{
    EXPECT("Z9,0,4", "");
    EXPECT("Z5,0,4", "");
    EXPECT("Z0", "E.malformed Z packet");
    EXPECT("Z0,80000000", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;X0,", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;X4,220027", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;X3,22002g", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;X3,22002727", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;cmds:", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;cmds:0,", "E.malformed Z packet");
    EXPECT("Z2,80000000,4;X3,220027", "E.malformed Z packet");
    EXPECT("Z0,80000000,4;Xffffffffffffffff,22", "E.malformed Z packet");
    cr_expect_eq(strncmp(ask("Z2,80000000,0"), "E.", 2), 0);
    cr_expect_eq(strncmp(ask("Z2,ffffffffffffffff,2"), "E.", 2), 0);
    EXPECT("Z2,ffffffffffffffff,1", "OK");
    cr_expect_eq(machine->points, 1);
}

Test(packets, Z_takes_lists_of_conditions_and_commands)
{
    const struct debug_point *p = &machine->point[0];

    EXPECT("Z0,80000000,4;X3,220027X2,0227;cmds:1,X2,2827;X1,27", "OK");
    cr_assert_eq(machine->points, 1);
    cr_expect_eq(p->conditions, 2);
    cr_expect(p->persist);
    EXPECT("Z1,80000004,4;cmds:0,X1,27", "OK");
    cr_expect_eq(machine->point[1].conditions, 0);
    cr_expect_not(machine->point[1].persist);
    EXPECT("z0,80000000,4", "OK");
    EXPECT("z0,80000000,4;X3,220027", "E.malformed z packet");
    cr_expect_eq(machine->points, 1);
}

Test(packets, what_a_point_prints_comes_while_gdb_waits)
{
    struct debug_event e = { .kind = DEBUG_EVENT_TEXT,
                             .text = "hi\n",
                             .len = 3 };

    EXPECT("Z0,80000000,4", "OK");
    e.owner = machine->point[0].owner;
    machine->listener[0].fn(machine->listener[0].opaque, &e);
    cr_expect_str_eq(gdb_read(&gdb), "");
    EXPECT("vCont;c", "");
    machine->listener[0].fn(machine->listener[0].opaque, &e);
    cr_expect_str_eq(gdb_read(&gdb), "O5b31207465787473206c6f73745d0a|O68690a");
}

Test(packets, threads_are_numbered_from_one)
{
    EXPECT("qC", "QC1");
    EXPECT("qfThreadInfo", "m1,2");
    EXPECT("qsThreadInfo", "l");
    ask("qSupported:multiprocess+");
    EXPECT("qC", "QCp1.1");
    EXPECT("qfThreadInfo", "mp1.1,p1.2");
    machine->hart[1].priv = 1;
    machine->hart[1].waiting = true;
    EXPECT("qThreadExtraInfo,p1.2", "532d6d6f64652c20776669"); /* S-mode, wfi */
    EXPECT("qThreadExtraInfo,p1.9", "E.there is no such thread");
}

Test(packets, qxfer_threads_has_names_and_modes)
{
    ask("qXfer:threads:read::0,1000");
    cr_expect(strstr(gdb.reply.data, "<thread id=\"1\" core=\"0\" "
                                     "name=\"hart0\">M-mode</thread>"));
    cr_expect_eq(gdb.reply.data[0], 'l');
}

Test(packets, qxfer_reads_in_parts)
{
    char packet[64];
    struct buf whole = { 0 }, parts = { 0 };

    ask("qXfer:features:read:riscv-csr.xml:0,ffffffff");
    buf_add(&whole, gdb.reply.data + 1, gdb.reply.len - 1);
    for (size_t at = 0;; at += 100) {
        sprintf(packet, "qXfer:features:read:riscv-csr.xml:%zx,64", at);
        ask(packet);
        buf_add(&parts, gdb.reply.data + 1, gdb.reply.len - 1);
        if (gdb.reply.data[0] == 'l')
            break;
        cr_assert_eq(gdb.reply.data[0], 'm');
    }
    cr_expect_str_eq(parts.data, whole.data);
    sprintf(packet, "qXfer:features:read:riscv-csr.xml:%zx,64", whole.len);
    EXPECT(packet, "l");
    sprintf(packet, "qXfer:features:read:riscv-csr.xml:%zx,64", whole.len + 1);
    EXPECT(packet, "E.offset past the end");
    buf_free(&whole);
    buf_free(&parts);
}

Test(packets, qxfer_of_something_else_is_refused)
{
    EXPECT("qXfer:features:read:nosuch.xml:0,100", "E00");
    EXPECT("qXfer:threads:read:annex:0,100", "E00");
    EXPECT("qXfer:auxv:read::0,1000", "");
    EXPECT("qXfer:features:write:target.xml:0:", "");
    EXPECT("qXfer:features:read:target.xml:0", "E.malformed qXfer packet");
    EXPECT("qXfer:features:read", "");
    EXPECT("qXfer:", "");
    EXPECT("qXfer", "E.malformed qXfer packet");
}

Test(packets, qattached_makes_quitting_a_detach)
{
    EXPECT("qAttached", "1");
    EXPECT("qAttached:1", "1");
}

Test(packets, qcrc_is_gdbs)
{
    memcpy(machine->ram, "123456789", 9);
    EXPECT("qCRC:80000000,9", "C0376e6e7");
    EXPECT("qCRC:80000000,0", "Cffffffff");
    EXPECT("qCRC:80007fff,2", "E.address 0x80008000 is not mapped: ?1?");
    EXPECT("qCRC:80000000,ffffffffffffffff", "");
}

Test(packets, qrcmd_runs_the_monitor_with_the_chosen_hart)
{
    ask("Hg2");
    EXPECT("qRcmd,68656c70", "O313a68656c700a|OK");
    EXPECT("qRcmd,", "O313a0a|OK");
    EXPECT("qRcmd,6", "E22");
    EXPECT("qRcmd,6800", "E22");
}

Test(packets, qrcmd_output_comes_in_pieces)
{
    size_t n = 1;

    ask("qRcmd,626967");
    for (const char *p = gdb.reply.data; *p; p++)
        n += *p == '|';
    cr_expect_gt(n, 10);
    cr_expect_str_eq(gdb.reply.data + gdb.reply.len - 3, "|OK");
}

Test(packets, a_monitor_command_cannot_run_what_gdb_believes_stopped)
{
    ask("qRcmd,636f6e74"); /* cont */
    cr_expect_not(machine->running);
    cr_expect_str_eq(gdb.reply.data + gdb.reply.len - 3, "|OK");
}

Test(packets, qemus_own_names_answer)
{
    EXPECT("qqemu.Supported", "sstepbits;sstep;PhyMemMode");
    EXPECT("qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4");
    EXPECT("qqemu.sstep", "0x7");
    EXPECT("Qqemu.sstep=5", "OK");
    EXPECT("qqemu.sstep", "0x5");
    EXPECT("Qqemu.sstep=8", "E.unknown sstep bits");
}

Test(packets, physical_memory_mode_changes_m_and_M)
{
    EXPECT("qqemu.PhyMemMode", "0");
    EXPECT("m80000001,1", "07");
    EXPECT("Qqemu.PhyMemMode:1", "OK");
    EXPECT("qqemu.PhyMemMode", "1");
    EXPECT("m80000001,1", "E14");
    EXPECT("m40000001,1", "f8");
    EXPECT("M40000001,1:00", "OK");
    EXPECT("Qqemu.PhyMemMode:0", "OK");
    EXPECT("m80000001,1", "00");
}
