#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_state.py - facts/gdb.md section 5, E: registers, CSRs, memory."""

import os
import time

from gdbclient import Gdb, Machine, guest, high, need, tests

LOW = 0xffffffff80000000


def session_34_csrs_are_registers():
    m, g = high("high")
    need(g.value("$satp") >> 60 == 8, "satp: Sv39")
    g.expect("p $mstatus", r"\[ .*MPP=0.*\]")
    g.expect("p $sstatus", r"\[ .*\]")
    g.expect("p $mie", r"\[ *\]")
    text = g.do("info registers csr")
    for name in ("satp", "mhartid", "pmpcfg0", "mhpmcounter3", "stimecmp",
                 "time", "misa"):
        need(f"\n{name} " in text, f"{name} is not listed")
    g.expect("p $stimecmp", r"= -?\d+")
    g.expect("p $mhpmcounter3", r"= \d+")
    need("error" not in g.do("info registers all").lower(), "all of them")


def session_34_floating_point_registers_have_two_views():
    m, g = high("high")
    g.do("set var $fa0.double = 1.5")
    g.expect("p $fa0", r"float = .*double = 1.5")
    g.expect("p $f10", r"double = 1.5")
    need(g.value("(long)$fa0.double") == 1, "as a number")
    g.do("set var $fcsr = 0xff")
    need(g.value("$fflags") == 0x1f and g.value("$frm") == 7, "fcsr")


def session_34_writing_satp_takes_effect_on_the_next_fetch():
    m, g = high("high")
    g.do("set var $satp = 0")
    g.do("stepi")
    need(g.value("$pc") == g.value("$mtvec"), "a fetch fault, in M mode")
    need(g.value("$mcause") in (1, 12), "instruction access fault")


def session_34_writing_priv_changes_the_mode():
    m, g = high("high")
    g.do("set var $priv = 3")
    g.expect("info threads", "M-mode")
    g.do("stepi")
    need(g.value("$mcause") == 1, "high addresses mean nothing to M mode")


def session_34_warl_fields_show_what_they_became():
    m, g = high("high")
    g.do("set var $mtvec = 3", "stepi")
    need(g.value("$mtvec") & 3 in (0, 1), "mtvec")
    g.do("set var $mvendorid = 5", "stepi")
    need(g.value("$mvendorid") == 0, "mvendorid is read-only")
    g.do("set var $zero = 7", "stepi")
    need(g.value("$zero") == 0, "and so is x0")


def session_35_a_kernel_address_reads_the_same_in_every_mode():
    m, g = high("high")
    expected = g.do("x/4gx &ticks")
    need("Cannot" not in expected, expected)
    for stop in ("m_trap - 0xffffffff00000000", "brk",
                 f"(long)&ecall_u - {LOW}"):
        g.do(f"break *({stop})", "continue")
        g.do("delete", "set var *(long *)&ticks = 0",
             "set var *(long *)&traps = 0")
        got = g.do("x/4gx &ticks")
        need(got == expected, f"{stop}: {got} is not {expected}")


def session_35_backtrace_of_the_kernel_from_the_machine_handler():
    m, g = high("m_trap - 0xffffffff00000000")
    need(g.value("$priv") == 3, "in M mode")
    g.expect("x/2i $mepc", "ecall_s.*ecall")


def session_35_unmapped_memory_is_an_error_with_a_reason():
    m, g = high("high")
    g.expect("x/gx 0x123456000", "Cannot access memory at address 0x123456000")
    g.expect("monitor gva2gpa 0x123456000", "[Uu]nmapped|not mapped|fault")
    g.expect("set var *(int *)0x123456000 = 1",
             "Cannot access memory at address 0x123456000")


def session_36_reading_a_device_changes_nothing():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m)
    before = g.value("*(char *)0x10000005")
    for _ in range(3):
        g.do("x/8bx 0x10000000")
    need(g.value("*(char *)0x10000005") == before, "line status")
    g.expect("x/gx 0x50000000", "Cannot access memory")


def session_36_dump_restore_and_find():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m)
    path = os.path.join(m.dir, "dump")
    g.do("set var *(long *)0x87fffff0 = 0x6867666564636261")
    start = time.monotonic()
    g.do(f"dump binary memory {path} 0x80000000 0x88000000", seconds=120)
    took = time.monotonic() - start
    print(f"    dump of 128 MiB: {took:.1f} s")
    need(os.path.getsize(path) == 128 << 20, "the size")
    with open(path, "rb") as f:
        f.seek(0x7fffff0)
        need(f.read(8) == b"abcdefgh", "the bytes")
    g.do("set var *(long *)0x87fffff0 = 0")
    g.do(f"restore {path} binary 0x80000000 0x7f00000 0x8000000", seconds=60)
    need(g.value("*(long *)0x87fffff0") == 0x6867666564636261, "restored")
    g.expect('find 0x87000000, +0x1000000, "abcd"[0], "abcd"[1], \'c\', \'d\'',
             "0x87fffff0", "1 pattern found", seconds=60)


def session_37_physical_memory_mode():
    m, g = high(f"(long)&user - {LOW}")
    there = g.value("*(long *)(0x80000000 - 0x80000000)")
    need("Cannot access" in g.do("x/gx 0x80000000"), "nothing virtual there")
    g.expect("maint packet Qqemu.PhyMemMode:1", 'received: "OK"')
    g.do("maint flush dcache")
    need(g.value("*(long *)0x80000000") == there, "the same by physical")
    g.expect("maint packet qqemu.PhyMemMode", 'received: "1"')
    g.expect("maint packet Qqemu.PhyMemMode:0", 'received: "OK"')
    g.do("maint flush dcache")
    need("Cannot access" in g.do("x/gx 0x80000000"), "virtual again")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")])
