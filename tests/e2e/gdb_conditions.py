#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_conditions.py - conditions and commands that the machine evaluates."""

import re
import time

from gdbclient import Monitor, at, need, tests
from lib import EBREAK, PATIENCE

HITS = 500 if "hostile" in EBREAK else 100000


def session_17_a_condition_on_the_mode_or_the_address_space():
    m, g = at("gdb_high")
    low = "*((long)&%s - 0xffffffff80000000)"
    g.do(f"break {low % 'user'} if $priv == 0", "break *work if $satp == 0")
    g.expect("continue", "Breakpoint 1")
    satp = g.value("$satp")
    need(satp >> 60 == 8 and g.value("$priv") == 0, "Sv39 is on")
    g.do("delete", "set var $a1 = 0", f"break {low % 'idle'} if $satp == {satp:#x} && $a1 == {HITS}")
    start = time.monotonic()
    g.expect("continue", "Breakpoint 3", seconds=60)
    need(g.value("$a1") == HITS, "the hit that was asked for")
    rate = HITS / (time.monotonic() - start)
    need("hostile" in EBREAK or rate > 100000 / PATIENCE, f"{rate:.0f} hits a second")
    g.expect("info breakpoints", "already hit 1 time")


def session_17_conditions_on_memory_and_several_of_them():
    m, g = at("gdb_timer", "main")
    g.do("break work if round == 5", "break work if round == 3 && ticks >= 0",
         "break triple if p->field == 4 || x == 100")
    g.expect("continue", r"Breakpoint \d+, work \(round=3\)")
    g.expect("continue", r"Breakpoint \d+, work \(round=5\)")
    g.expect("continue", r"Breakpoint \d+, triple \(x=5\)")
    g.expect("continue", r"Breakpoint \d+, triple \(x=100\)", seconds=60)
    g.do("delete", "break triple if *(int *)0x70000000 == 1")
    g.expect("continue", "Error in testing condition|Cannot access memory")


def session_41_a_condition_on_the_hart():
    m, g = at("gdb_smp", None, "-smp", "4")
    g.do("break *counted if $mhartid == 2")
    for _ in range(3):
        g.expect("continue", r"Breakpoint \d+, counted")
        need(g.value("$mhartid") == 2, "hart 2")
    g.do("delete", "break *counted thread 4")
    g.expect("continue", r"Breakpoint \d+, counted", seconds=60)
    need(g.value("$mhartid") == 3, "thread 4 is hart 3")


def session_19_dprintf_prints_without_a_stop():
    m, g = at("gdb_timer", "main")
    g.do("set dprintf-style agent", 'dprintf triple,"x is %d, %s\\n", x, &text[0]',
         "break work if round == 6")
    text = g.expect("continue", r"work \(round=6\)")
    need(re.findall(r"x is (\d+), seven!!", text) == list("012345"), text)


def session_19_dprintf_goes_on_without_gdb():
    m, g = at("gdb_timer", "main")
    monitor = Monitor(m)
    g.do("set dprintf-style agent", "set disconnected-dprintf on",
         "set breakpoint always-inserted on",
         'dprintf triple,"x is %d\\n", x', f"condition $bpnum x % {HITS} == 0")
    g.start("continue")
    m.wait_for(lambda: "running" in monitor.do("info status"), "not running")
    g.kill()
    text = monitor.until(f"x is {9 * HITS}\r\n(qemu) ")
    need(f"x is {8 * HITS}" in text, text)
    need("breakpoint" in monitor.do("info points"), "it is still there")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")])
