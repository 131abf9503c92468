#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_step.py - facts/gdb.md section 5, C: one instruction, exactly."""

import time

from gdbclient import DEMO, Gdb, Machine, Monitor, guest, high, need, tests
from lib import EBREAK, PATIENCE

LOW = 0xffffffff80000000  # what U mode's addresses are below the linked ones


def session_21_stepi_on_ecall_from_user_mode():
    m, g = high(f"(long)&ecall_u - {LOW}")
    ecall = g.value("$pc")
    need(g.value("$priv") == 0, "in U mode")
    g.do("stepi")
    need(g.value("$pc") == g.value("$stvec"), "at the handler's first")
    need(g.value("$priv") == 1, "in S mode")
    need(g.value("$scause") == 8 and g.value("$sepc") == ecall, "scause, sepc")


def session_21_stepi_on_ecall_from_supervisor_mode():
    m, g = high("ecall_s")
    ecall = g.value("$pc")
    g.do("stepi")
    need(g.value("$pc") == g.value("$mtvec"), "at the handler's first")
    need(g.value("$priv") == 3, "in M mode")
    need(g.value("$mcause") == 9 and g.value("$mepc") == ecall, "mcause, mepc")


def session_22_stepi_on_mret_and_sret():
    m, g = high("(long)&mret_insn - 0xffffffff00000000")
    g.do("stepi")
    need(g.value("$pc") == g.value("(long)&high"), "mret leads high")
    need(g.value("$priv") == 1, "into S mode")
    m, g = high("sret_insn")
    g.do("stepi")
    need(g.value("$pc") == g.value("(long)&user") - LOW, "sret leads low")
    need(g.value("$priv") == 0, "into U mode")


def session_22_stepi_on_wfi_is_a_nop():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"))
    g.do("break *wfi_insn", "continue", "delete")
    start = time.monotonic()
    g.do("stepi")
    need(g.value("$pc") == g.value("(long)&after_wfi"), "behind wfi")
    g.do("stepi")
    need(g.value("$pc") == g.value("(long)&wfi_insn"), "and on")
    g.do("stepi", "stepi", "stepi")
    need(g.value("$pc") == g.value("(long)&after_wfi"), "and on")
    need(time.monotonic() - start < 5 * PATIENCE, "at once")


def session_22_stepi_on_ebreak_is_the_guests():
    m, g = high("brk")
    g.do("stepi")
    need(g.value("$pc") == g.value("$stvec"), "at the guest's handler")
    need(g.value("$scause") == 3, "scause")


def session_22_a_breakpoint_on_ebreak_comes_before_the_guests():
    m, g = high("brk")
    need(g.value("$scause") == 13, "scause is the earlier fault's")
    need(g.word("traps") == 1, "the handler has not run")


def session_23_stepi_on_a_faulting_load():
    m, g = high("fault_load")
    load = g.value("$pc")
    g.do("stepi")
    need(g.value("$pc") == g.value("$stvec"), "at the handler's first")
    need(g.value("$scause") == 13, "load page fault")
    need(g.value("$stval") == 0x123456000, "stval")
    need(g.value("$sepc") == load, "sepc")


def session_24_next_stays_in_the_function_under_timer_interrupts():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break clockintr", "continue", "continue", "delete")
    g.do("break work", "continue", "delete")
    for _ in range(60):
        where = g.do("next")
        need("clockintr" not in where, where)
        need(g.do("bt").count("main ()") == 1, "the stack is whole")
    g.do("break work", "continue", "delete")
    for _ in range(60):
        g.do("stepi")
        where = g.do("frame")
        need("clockintr" not in where, where)
    g.expect("maint packet qqemu.sstep", r'received: "0x[0-7]"')
    g.expect("maint packet qqemu.sstepbits", "NOIRQ=2")


def interrupted():
    """In front of work's first line, with the timer's interrupt pending."""
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break *work", "continue", "delete", "monitor mem io on",
         "set var *(long *)0x2004000 = 0", "monitor mem io off")
    need(g.value("$mip") & 0x80, "pending")
    return m, g


def session_24_into_stops_where_the_interrupt_leads():
    m, g = interrupted()
    pc = g.value("$pc")
    g.do("monitor step irq into")
    need("into" in g.do("monitor step irq"), "as set")
    g.do("stepi")
    need(g.value("$pc") == g.value("(long)&clockintr"), "at the handler")
    need(g.value("$mepc") == pc, "mepc")
    g.do("stepi")
    need(g.value("$pc") > g.value("(long)&clockintr"), "and on in it")


def session_24_mask_keeps_the_interrupt_waiting():
    m, g = interrupted()
    pc, ticks = g.value("$pc"), g.value("ticks")
    g.do("maint packet Qqemu.sstep=7", "stepi")
    need(g.value("ticks") == ticks and g.value("$mip") & 0x80, "waits")
    need(pc < g.value("$pc") <= pc + 4, "one instruction")
    g.do("monitor step irq over", "tbreak triple", "continue")
    need(g.value("ticks") == ticks + 1, "taken by who continues")


def session_24_over_is_the_default():
    m, g = interrupted()
    pc, ticks = g.value("$pc"), g.value("ticks")
    g.do("stepi")
    need(g.value("ticks") == ticks + 1, "the handler has run")
    need(pc < g.value("$pc") <= pc + 4, "one instruction")


def session_24_a_breakpoint_in_the_handler_stops_a_step():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break loop_on_one_line", "continue", "set var n = 1000000", "delete")
    g.do("break clockintr")
    text = g.do("next", "next")
    need("clockintr" in text, text)


def session_25_next_over_a_contended_lock():
    """gdb passes over the other harts' hits of its own breakpoint itself."""
    m = Machine("-smp", "4", kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("break *got_lock if $mhartid == 1", "continue", "delete")
    g.do("thread 1", "set var $pc = again")
    need(g.word("the_lock") & 1 == 1, "another hart has the lock")
    g.expect("next", "nop", seconds=250)
    g.expect("x/i $pc", r"again\+4")
    g.expect("thread", "thread is 1 ")


def session_25_stepping_keeps_a_reservation():
    m = Machine(kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("break *again", "continue", "delete")
    for _ in range(10):
        if g.value("$pc") == g.value("(long)&got_lock"):
            break
        g.do("stepi")
    need(g.value("$pc") == g.value("(long)&got_lock"), "sc succeeded")


def session_26_next_over_a_loop_is_a_range_step():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break loop_on_one_line", "continue", "delete")
    g.do(f"set var n = {int(1000000 / PATIENCE)}", "set debug remote 1")
    text = g.do("next", seconds=60)
    g.do("set debug remote 0")
    count = text.count("Sending packet: $vCont;r")
    need(1 <= count <= 4, f"{count} range steps")
    need("sum = 0" in text, text)


def session_26_ctrl_c_works_within_a_range():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break loop_on_one_line", "continue", "delete",
         "set var n = 1000000000000")
    for _ in range(3):
        g.start("next")
        time.sleep(0.3)
        g.interrupt()
        text = g.wait()
        need("SIGINT" in text, text)
        need(g.value("sum") > 0, "in the loop")
    g.expect("bt", "#0 .*loop_on_one_line", "#1 .*main")


def ranged(accel):
    """T and the state after a few ranges, with interrupts in between."""
    m = Machine("-accel", accel, "-rtc", "base=2026-01-01",
                kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break loop_on_one_line", "continue", "delete")
    g.do(f"set var n = {int(30000 / PATIENCE)}", "next", seconds=60)
    first = g.do("monitor when")
    need("sum = 0" in g.do("frame"), "behind the loop")
    g.do("break loop_on_one_line", "continue", "delete",
         f"set var n = {10**12}", "stepi 40",
         f"break *$pc if sum == {int(20000 / PATIENCE)}")
    g.expect("next", "Breakpoint 3", seconds=60)
    return first, g.do("monitor when"), g.do("monitor hash")


def session_26_translated_or_not_it_ends_at_the_same_time():
    translated, interpreted = ranged("tcg,hot=0"), ranged("interp")
    need(translated == interpreted, f"{translated} {interpreted}")


def session_27_a_loop_of_stepi_is_gdbs_own_time():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break main", "continue", "delete", "set $n = 0")
    count = int(3000 / PATIENCE)
    start, before = time.monotonic(), (m.cpu_seconds(), g.cpu_seconds())
    g.do(f"while $n < {count}\nstepi\nset $n = $n + 1\nend", seconds=60)
    took = time.monotonic() - start
    ours, gdbs = m.cpu_seconds() - before[0], g.cpu_seconds() - before[1]
    print(f"    {count / took:.0f} steps a second; CPU us a step: "
          f"{ours / count * 1e6:.0f}, gdb's {gdbs / count * 1e6:.0f}")
    need(ours < gdbs or "hostile" in EBREAK, f"{ours} s, gdb {gdbs} s")


def stepped(how, harts):
    """T and the state after steps of the demo from its reset."""
    m = Machine("-rtc", "base=2026-01-01", "-smp", str(harts), kernel=DEMO)
    monitor = Monitor(m)
    if how == "gdb":
        Gdb(m, DEMO).do("stepi 1500", seconds=60)
    else:
        for count in how:
            monitor.do(f"step {count}")
    return monitor.do("when"), monitor.do("hash")


def session_28_stepi_and_the_monitors_step_are_the_same_steps():
    for harts in (1, 3):
        first = stepped("gdb", harts)
        need("T=" in first[0], first[0])
        need(stepped([1500], harts) == first, f"in one go, {harts} harts")
        need(stepped([1, 499, 1000], harts) == first, f"parts, {harts} harts")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")])
