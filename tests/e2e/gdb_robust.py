#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_robust.py - facts/gdb.md section 5, I: clients that misbehave."""

import random
import time

from gdbclient import Gdb, Machine, Monitor, Wire, guest, need, tests
from lib import PATIENCE


def machine():
    return Machine("-smp", "2", kernel=guest("gdb_smp"))


def still_works(m):
    need(m.alive(), f"the emulator is gone: {m.output()}")
    g = Gdb(m, guest("gdb_smp"))
    need("0x" in g.connected or "at " in g.connected, g.connected)
    g.do("stepi")
    g.expect("info threads", "hart1")
    g.kill()


def session_58_another_architecture_is_a_clean_error():
    m = machine()
    g = Gdb(settings=["architecture riscv:rv32"])
    g.do(f"target remote {m.gdb}", "info registers", "stepi", "x/i $pc")
    g.kill()
    g = Gdb(settings=["architecture i386"])
    g.do(f"target remote {m.gdb}", "info registers", "stepi", "x/i $pc")
    g.kill()
    still_works(m)


def session_58_malformed_packets_are_errors_or_unsupported():
    m = machine()
    w = Wire(m)
    for text in ("m0,ffffffff", "m", "m,", "vCont;", "vCont;x", "Hgp1.99",
                 "Hg", "p", "P1", "Gx", "X0,ffffffffffffffff:", "Z0", "T99",
                 "qRcmd,zz", "qCRC:0,10", "qXfer:features:read:target.xml:0",
                 "vKill;9", "D;9", "qThreadExtraInfo,99"):
        reply = w.ask(text)
        need(reply.startswith("E"), f"{text}: {reply}")
    for text in ("Z9,0,4", "vCont", "qXfer:nosuch:read::0,10", "", "vX", "~"):
        reply = w.ask(text)
        need(reply == "" or reply.startswith("E"), f"{text}: {reply}")
    need(w.ask("qC") == "QC1", "it still answers")
    w.close()
    still_works(m)


def session_58_garbage_and_truncated_packets():
    m = machine()
    w = Wire(m)
    w.send(bytes(range(256)) * 16)
    w.send(b"+-+-$m8000$$#00#$#zz\x03\x03\x03-")
    w.send(b"$qC#b4")
    while w.reply() != "QC1":
        pass
    w.send(b"$m80000000,")
    w.close()
    still_works(m)


def session_58_a_packet_of_a_megabyte():
    m = machine()
    w = Wire(m)
    w.packet("X80000000,100000:" + "a" * (1 << 20))
    need(w.reply().startswith("E"), "too long")
    need(w.ask("qC") == "QC1", "it still answers")


def session_58_hanging_up_in_the_middle_of_a_reply():
    m = machine()
    for _ in range(12):  # below STUB_CLIENTS: they may all be there still
        w = Wire(m)
        for _ in range(50):
            w.packet("m80000000,10000")
        w.close()
    still_works(m)


def session_58_a_slow_reader_blocks_nobody():
    m = machine()
    monitor = Monitor(m)
    slow = Wire(m)
    slow.socket.settimeout(0.05)
    sent = 0
    try:
        for _ in range(50000):
            slow.packet("m80000000,10000")
            sent += 1
            start = time.monotonic()
            if sent % 50 == 0:
                monitor.do("info status")
            need(time.monotonic() - start < 5 * PATIENCE, "it blocks")
    except OSError:
        pass
    monitor.do("cont")
    still_works(m)
    for _ in range(100):
        if "does not read" in m.output():
            return
        time.sleep(0.05)
    need(sent < 50000, "it took all of that and did not drop the client")


def session_58_who_stops_reading_stops_nobody():
    m = machine()
    g = Gdb(m, guest("gdb_smp"))
    stuck = Wire(m)
    for _ in range(80):  # 10 MiB of replies: not enough to be dropped
        stuck.packet("m80000000,10000")
    total = g.word("total")
    g.do("break *counted if $mhartid == 1")
    for _ in range(20):
        g.expect("continue", "Breakpoint 1")
    g.do("delete")
    g.start("continue")
    time.sleep(0.3)
    start = time.monotonic()
    g.interrupt()
    text = g.wait()
    need("SIGINT" in text, text)
    need(time.monotonic() - start < 2 * PATIENCE, "Ctrl-C takes long")
    need(g.word("total") > total + 1000, "the machine did not run")
    need("does not read" not in m.output(), "it is there still")
    for _ in range(80):
        reply = stuck.reply()
        need(len(reply) == 0x20000 - 0x20000 % 2, f"{len(reply)} digits")
    need(stuck.ask("qC").startswith("QC"), "and answered when it reads")


def session_58_two_hundred_connections_at_once():
    m = machine()
    wires = []
    for _ in range(200):
        w = Wire(m)
        w.socket.settimeout(5 * PATIENCE)
        wires.append(w)
    need(wires[0].ask("qC") == "QC1", "the first is served")
    for w in wires:
        w.close()
    time.sleep(0.2)
    still_works(m)


def session_58_random_packets_for_a_while():
    m = machine()
    rnd = random.Random(58)
    names = ["g", "G", "p", "P", "m", "M", "x", "X", "Z0,", "Z2,", "z0,", "H",
             "T", "vCont;c", "vCont;s:1", "vCont;r80000000,80000010:1", "c",
             "s", "?", "qRcmd,", "qXfer:features:read:", "qXfer:threads:read:",
             "qSupported:", "vRun;", "vKill;1", "D", "qCRC:", "QStartNoAckMode",
             "qSymbol:"]
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            w = Wire(m)
        except OSError:  # random code may have switched the machine off
            need(m.exit_status() == 0, f"it died: {m.output()}")
            m = machine()
            continue
        for _ in range(rnd.randrange(1, 60)):
            tail = "".join(rnd.choice("0123456789abcdef,:;=p.-")
                           for _ in range(rnd.randrange(0, 24)))
            try:
                w.packet(rnd.choice(names) + tail)
                if rnd.random() < 0.2:
                    w.send(b"\x03")
            except OSError:
                break
        w.close()
    still_works(machine())


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")])
