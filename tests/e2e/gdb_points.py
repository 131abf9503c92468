#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_points.py - facts/gdb.md section 5, B and D: break and watch."""

import time

from gdbclient import at, need, tests
from lib import EBREAK, PATIENCE

# A hostile build takes a turn of the main loop for every instruction.
LOOPS = 3000 if "hostile" in EBREAK else 3000000


def session_12_break_on_a_high_address_before_the_mmu_is_on():
    m, g = at("gdb_high")
    g.do("break *high")
    g.expect("continue", "Breakpoint 1, high")
    need(g.value("$priv") == 1, "behind mret, in S mode")
    g.expect("info breakpoints", "already hit 1 time")


def session_16_a_thousand_breakpoints_of_each_kind():
    m, g = at("gdb_timer", "loop_on_one_line")
    g.do(f"set var n = {LOOPS}")
    start = time.monotonic()
    g.do("finish", seconds=120)
    alone = time.monotonic() - start
    g.do("break loop_on_one_line", "continue", "delete")
    g.do(f"set var n = {LOOPS}")
    g.do("python\n"
         "for i in range(1000):\n"
         "  gdb.Breakpoint('*%#x' % (0x80100000 + 4 * i))\n"
         "  gdb.execute('hbreak *%#x' % (0x80200000 + 4 * i), to_string=True)\n"
         "end", "finish", seconds=240)
    start = time.monotonic()
    g.do("break loop_on_one_line", "continue", f"set var n = {LOOPS}",
         "finish", seconds=240)
    crowded = time.monotonic() - start
    need(crowded < 3 * alone + 3 * PATIENCE, f"{crowded:.1f} s, alone {alone:.1f} s")
    g.expect(f"info breakpoints", r"hw breakpoint .*80200f9c")


def session_18_temporary_disabled_ignored_and_scripted_breakpoints():
    m, g = at("gdb_timer", "main")
    g.do("tbreak work")
    g.expect("continue", r"Temporary breakpoint \d+, work \(round=0\)")
    g.do("break triple", "disable")
    g.do("break work if round == 5")
    g.expect("continue", r"work \(round=5\)")
    g.do("delete", "break work", "ignore $bpnum 100")
    g.expect("continue", r"work \(round=106\)", seconds=60)
    g.do("delete", "set $calls = 0", "break length",
         "commands", "silent", "set $calls = $calls + 1", "continue", "end",
         "tbreak work if round == 116")
    g.expect("continue", r"work \(round=116\)", seconds=60)
    need(g.value("$calls") == 10, "commands ran at each hit")


def session_18_until_advance_finish_return_jump_and_call():
    m, g = at("gdb_timer", "triple if x == 7")
    g.expect("finish", "Run till exit", r"Value returned is \$\d+ = 21")
    g.expect("advance set_field", r"set_field \(value=7\)")
    g.expect("return", r"in work \(round=7\)|#0 .* work \(round=7\)")
    need(g.value("nodes[0].field") == 6, "set_field did not run")
    g.do("break triple", "continue", "delete")
    g.expect("until 44", r"44\s")
    pc, sp = g.value("$pc"), g.value("$sp")
    g.expect("print triple(14)", "= 42")
    g.expect('print length("sixteen letters!")', "malloc|= 16")
    g.expect("print length(text)", "= 7")
    need(g.value("$pc") == pc and g.value("$sp") == sp, "as before the call")
    g.do("tbreak work", "continue", "tbreak triple")
    g.expect("jump work", r"triple \(x=\d+\)")


def session_20_breakpoint_in_code_that_is_yet_to_be_written():
    m, g = at("gdb_idle", "*sleep")
    g.do("set var $pc = copy", "break *(long)&module")
    before = g.value("*(int *)&module")
    need(before == 0, "nothing there yet")
    g.expect("continue", "Breakpoint")
    need(g.value("$pc") == g.value("(long)&module"), "hit where it was written")
    g.expect("x/2i $pc", "a2,a2,1", "ret")
    raw = g.value("*(int *)&module")
    need(raw & 0xffff != 0x9002 and raw != 0x00100073, "no ebreak to be seen")
    a2 = g.value("$a2")
    g.do("stepi")
    need(g.value("$a2") == a2 + 1, "and it runs")


def session_29_watch_reports_old_and_new_value():
    m, g = at("gdb_timer", "work")
    g.do("watch ticks")
    g.expect("continue", "Hardware watchpoint .*: ticks", "Old value = 0",
             "New value = 1", "clockintr")
    g.expect("x/i $pc-2", r"sw\s|c\.sw")
    g.expect("continue", "Old value = 1", "New value = 2")
    g.do("delete")
    g.do("break loop_on_one_line", "continue", f"set var n = {LOOPS}")
    start = time.monotonic()
    g.do("finish", seconds=60)
    need(time.monotonic() - start < 30 * PATIENCE, "full speed again")


def watched(setup, *stops):
    """gdb_watch with a point: each continue stops at the label given."""
    m, g = at("gdb_watch", "*round")
    g.expect(setup, "atchpoint")
    for label, *texts in stops:
        g.expect("continue", "atchpoint", *texts, seconds=60)
        pc, want = g.value("$pc"), g.value(f"(long)&{label}")
        need(pc == want + 4, f"{setup}: pc {pc:#x}, {label} is {want:#x}")
    return g


def session_30_watchpoints_stop_at_each_kind_of_store():
    watched("watch *(int *)&word",
            ("store_word", "New value = 1"), ("amo", "New value = 4"),
            ("sc_insn", "New value = 5"), ("store_word", "New value = 2"))
    watched("watch *(long *)&double_",
            ("store_double", "New value = 1"),
            ("store_double", "New value = 2"))


def session_30_rwatch_and_awatch_see_a_byte_inside():
    watched("rwatch *(int *)&word",
            ("load_byte", "Value = 0"), ("amo", "Value = "))
    watched("awatch *(int *)&word",
            ("load_byte", "Value = 0"),
            ("store_word", "Old value = 0", "New value = 1"),
            ("amo", "Old value = 1", "New value = 4"))
    watched("awatch *(char *)((long)&word + 2)", ("load_byte", "Value = 0"))


def session_30_one_byte_is_not_its_neighbour():
    g = watched("watch *(char *)((long)&block + 3000)",
                ("store_block", "New value = 1"),
                ("store_block", "New value = 2"))
    g.do("delete")
    g.do("watch *(char *)((long)&block + 2999)", "break *round")
    g.expect("continue", "Breakpoint")


def session_30_four_thousand_bytes_and_what_straddles_their_end():
    m, g = at("gdb_watch", "*round")
    g.do("awatch *(char (*)[4096])&block")
    for label in ("store_block", "straddle", "store_block"):
        g.expect("continue", "atchpoint", seconds=60)
        need(g.value("$pc") == g.value(f"(long)&{label}") + 4, label)
    g.do("delete", "awatch *(short *)((long)&block + 4096)")
    g.expect("continue", "atchpoint")
    need(g.value("$pc") == g.value("(long)&straddle") + 4, "straddle")


def session_30_cbo_zero_is_a_store():
    watched("watch *(long *)((long)&line + 8)",
            ("zero_block", "Old value = 6148914691236517205",
             "New value = 0"))


def session_30_an_unchanged_value_is_no_stop():
    m, g = at("gdb_watch", "*store_same")
    g.do("watch *(long *)&double_", "break *round", "set debug remote 1")
    text = g.expect("continue", r"Breakpoint \d+, .*round")
    need("watch:" not in text, "gdb was asked about it")
    g.do("set debug remote 0", "delete", "break *store_same", "continue",
         "awatch *(long *)&double_")
    g.expect("continue", "atchpoint", "Value = ")


def session_31_watch_location_with_a_condition():
    m, g = at("gdb_timer", "main")
    g.do("watch -l p->field if p->field == 7")
    g.expect("continue", "atchpoint", "New value = 7", seconds=120)
    need(g.value("nodes[0].field") == 7, "field")


def session_31_watch_on_a_local_ends_with_its_frame():
    m, g = at("gdb_timer", "triple if x == 7")
    g.do("set var result = 99", "watch result")
    for new in (0, 7, 14, 21):
        g.expect("continue", "atchpoint", f"New value = {new}$")
    g.expect("continue", "deleted because the program has left the block")


def session_31_watch_on_a_register_steps():
    m, g = at("gdb_timer", "set_field")
    g.do("finish")
    g.expect("watch $sp", "Watchpoint")
    g.expect("continue", "atchpoint", "Old value", "New value", seconds=120)


def session_32_watch_on_a_high_address_before_the_mmu_is_on():
    m, g = at("gdb_high")
    g.do("watch *(long *)&ticks")
    g.expect("continue", "New value = 1", "work", seconds=60)
    g.expect("info symbol $pc", r"work_store \+ 4 in section")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")])
