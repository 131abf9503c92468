#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_smp.py - facts/gdb.md section 5, F: several harts, several gdbs."""

import time

from gdbclient import DEMO, Gdb, Machine, Monitor, guest, need, tests


def smp(*args, harts=4):
    m = Machine("-smp", str(harts), *args, kernel=guest("gdb_smp"))
    return m, Gdb(m, guest("gdb_smp"))


def own(g, hart):
    return g.value(f"((long *)&own)[{hart}]")


def pcs(g, harts):
    text = g.do("thread apply all -q output/x (long)$pc")
    found = [int(word, 16) for word in text.replace("0x", " 0x").split()
             if word.startswith("0x")]
    need(len(found) == harts, text)
    return found[::-1]


def session_38_threads_have_names_modes_and_frames():
    m = Machine("-smp", "4", kernel=DEMO)
    g = Gdb(m, DEMO)
    g.do("break on_timer", "continue", "continue")
    g.expect("info threads", r'\* 1 +Thread 1\.1 "hart0" \(S-mode\) +on_timer',
             r'  2 +Thread 1\.2 "hart1" \(S-mode, wfi\)',
             r'  4 +Thread 1\.4 "hart3" \(S-mode, wfi\)')
    g.do("thread 3")
    g.expect("bt", "#0 .*(idle|other_hart)")
    text = g.do("thread apply all bt")
    need(text.count("#0") == 4, text)
    need(g.value("$mhartid") == 2, "thread 3 is hart 2")


def session_39_scheduler_locking_holds_the_others():
    m, g = smp()
    g.do("break *counted", "continue", "delete", "thread 2",
         "set scheduler-locking on")
    before = pcs(g, 4)
    for _ in range(100):
        g.do("stepi")
    after = pcs(g, 4)
    need(before[0] == after[0] and before[2:] == after[2:],
         f"{before} {after}")
    g.do("set scheduler-locking step", "stepi")
    need(pcs(g, 4)[0] == before[0], "step mode")


def stepped_run():
    m, g = smp()
    g.do("break *counted", "continue", "delete", "thread 3")
    for _ in range(10):
        g.do("stepi")
    return pcs(g, 4), [own(g, h) for h in range(4)], g.word("total")


def session_39_without_it_others_advance_the_same_in_each_run():
    first, second = stepped_run(), stepped_run()
    need(first == second, f"{first} {second}")


def session_40_two_harts_at_breakpoints_lose_no_hit():
    m, g = smp(harts=2)
    g.do("break *own_add")
    hits = [0, 0]
    for _ in range(60):
        g.expect("continue", "Breakpoint 1")
        hart = g.value("$mhartid")
        need(own(g, hart) == hits[hart], f"hart {hart}: {hits}")
        hits[hart] += 1
    need(sum(hits) == 60, f"{hits}")


def session_40_a_hit_that_waits_is_reported_where_it_stands():
    m, g = smp(harts=2)
    g.do("break *counted if $mhartid == 1", "continue", "delete")
    g.do("thread 1", "set var $pc = counted", "thread 2")
    count = own(g, 0)
    g.do("break *counted if $mhartid == 0")
    g.expect("continue", "Breakpoint", seconds=250)
    need(g.value("$mhartid") == 0, "hart 0")
    need(own(g, 0) == count, "it has not moved")
    g.expect("continue", "Breakpoint", seconds=250)
    need(own(g, 0) == count + 1, "nor is it reported twice")


def session_41_conditions_and_threads_of_breakpoints():
    m, g = smp()
    g.do("break *counted if $mhartid == 2")
    g.expect("continue", "Breakpoint 1", seconds=250)
    need(g.value("$mhartid") == 2, "the condition")
    g.do("delete", "break *counted thread 4")
    g.expect("continue", "Breakpoint 2", seconds=250)
    need(g.value("$mhartid") == 3, "the thread")


def session_41_secondary_harts_start_in_order():
    m = Machine("-smp", "3", kernel=DEMO)
    g = Gdb(m, DEMO)
    g.do("break other_hart")
    for _ in range(2):
        g.expect("continue", "Breakpoint 1", seconds=60)
        need(g.value("$priv") == 1, "in S mode")
    need(g.value("$mhartid") in (1, 2), "a secondary hart")


def two_gdbs_have_breakpoints_of_their_own():
    m, a = smp(harts=2)
    b = Gdb(m, guest("gdb_smp"))
    a.do("break *counted")
    b.do("set breakpoint always-inserted on", "break *own_add")
    a.expect("continue", "SIGTRAP", "own_add")
    a.expect("continue", "Breakpoint 1, counted|hit Breakpoint 1")
    b.kill()
    total = a.word("total")
    a.expect("continue", "hit Breakpoint 1")
    need(a.word("total") == total + 1, "the other's breakpoint is gone")


def two_gdbs_that_wait_are_both_told():
    m, a = smp(harts=2)
    b = Gdb(m, guest("gdb_smp"))
    a.start("continue")
    b.start("continue")
    time.sleep(0.5)
    a.interrupt()
    need("SIGINT" in a.wait(), "the one that asked")
    need("SIGINT" in b.wait(), "and the other")
    need(a.word("total") == b.word("total"), "they see the same")


def monitor_points_and_gdb_do_not_mix():
    m, g = smp(harts=2)
    monitor = Monitor(m)
    g.do("break *counted", "continue")
    monitor.do("info cpus")
    g.expect("continue", "Breakpoint 1")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith(("session_", "two_", "monitor_"))])
