#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_catch.py - points of the monitor's, as a user of gdb meets them."""

from gdbclient import Machine, Monitor, at, guest, need, tests

HIGH = 0xffffffff80000000


def session_15_a_physical_breakpoint_whatever_maps_it():
    m, g = at("gdb_high")
    work = g.value("(long)&work") - HIGH + 0x80000000
    g.expect(f"monitor break phys {work:#x}", "breakpoint at physical")
    g.expect("continue", f"physical {work:#x}, in S-mode", "SIGTRAP", "work")
    need(g.value("$pc") == g.value("(long)&work"), "at its virtual address")
    g.expect("monitor info points", "hit 1 time")


def session_33_a_physical_watchpoint_sees_the_walker():
    m, g = at("gdb_high", "*high")
    table = g.value("(long)&page_table")
    entry = f"*(long *){table - 0x80000000 + HIGH:#x}"
    # U-mode's page has its A and D bits set by the guest: take them away.
    g.do(f"set var {entry} = {entry} & ~0xc0")
    g.do(f"monitor watch phys {table:#x} 8 w")
    g.expect("continue", "walking page tables, writes physical", "SIGTRAP")
    need(g.value("$priv") == 0, "U-mode fetches")


def session_33_a_physical_watchpoint_sees_dma():
    m, g = at("gdb_dma")
    g.do("monitor watch phys 0x80010002 1 w")
    g.expect("continue", r"device fwcfg\S* writes physical 0x80010002 at T=",
             "SIGTRAP")
    need(g.value("$pc") == g.value("(long)&after"), "behind the kick")
    need(g.value("*(int *)0x80010000") == 0x554d4551, "QEMU")
    g.do("monitor delete", "monitor system_reset",
         "maint flush register-cache", "monitor watch phys 0x80020008 8 r")
    g.expect("continue", r"device fwcfg\S* reads physical 0x80020008")


def session_45_a_trap_is_caught_by_cause_and_mode():
    m, g = at("gdb_high")
    g.expect("monitor catch trap 13 from=s to=s", "catchpoint")
    g.expect("continue", r"trap 13 \(load_page_fault\) from S to S-mode",
             "tval 0x123456000", "SIGTRAP", "s_trap")
    need(g.value("$scause") == 13, "scause")
    need(g.value("$sepc") == g.value("(long)&fault_load"), "sepc")
    g.do("monitor delete", "monitor catch ecall from=u")
    g.expect("continue", "user_ecall", "s_trap")


def catch_csr_stops_before_the_access():
    m, g = at("gdb_high")
    g.do("monitor catch csr satp w")
    g.expect("continue", r"writes CSR satp \(0x180\)", "SIGTRAP")
    need(g.value("$satp") == 0, "not yet")
    g.do("stepi")
    need(g.value("$satp") >> 60 == 8, "now it is")


def catch_priv_stops_behind_mret_and_sret():
    m, g = at("gdb_high")
    g.do("monitor catch priv to=s")
    g.expect("continue", "from M to S-mode", "high")
    g.do("monitor delete", "monitor catch priv to=u")
    g.expect("continue", "from S to U-mode")
    need(g.value("$priv") == 0, "in U-mode")


def catch_irq_and_device_with_a_condition():
    m, g = at("gdb_timer", "main")
    g.do("monitor catch irq 7")
    g.expect("continue", r"interrupt 7 \(m_timer\) from M to M-mode",
             "clockintr")
    need(g.value("$mcause") == (1 << 63) + 7, "mcause")
    g.do("monitor delete", "monitor catch device riscv.aclint.mtimer w")
    g.expect("continue", "writes riscv.aclint.mtimer, physical 0x2004000",
             "clockintr")
    ticks = g.value("ticks")
    g.do("monitor delete", "monitor catch irq if $mepc & 1")
    g.do("tbreak work if ticks > %d" % (ticks + 3))
    g.expect("continue", r"work \(round=\d+\)", seconds=60)


def monitors_are_told_what_was_caught():
    m = Machine(kernel=guest("gdb_high"))
    monitor = Monitor(m)
    monitor.do("catch trap 9")
    monitor.do("watch 0xffffffff80000000 8 if $a0 == 1")
    monitor.socket.sendall(b"cont\n")
    text = ""
    while "Point" not in text:
        text += monitor.until("(qemu) ")
    need("trap 9 (supervisor_ecall) from S to M-mode" in text, text)
    need("hit 1 time" in monitor.do("info points"), "counted")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith(("session_", "catch_", "monitors_"))])
