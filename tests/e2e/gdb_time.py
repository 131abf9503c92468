#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_time.py - facts/gdb.md section 5, H: backward, at any moment."""

import re
import time

import guests
from gdbclient import NO_MORE_HISTORY, Gdb, Machine, guest, need, tests
from lib import PATIENCE


def hash_of(g):
    return g.do("monitor hash").strip().splitlines()[-1]


def now(g):
    return int(re.search(r"T=(\d+)", g.do("monitor when")).group(1))


def watching(*commands):
    m = Machine(kernel=guest("gdb_watch"))
    g = Gdb(m, guest("gdb_watch"))
    g.do(*commands)
    return m, g


def session_47_reverse_stepi_and_stepi_are_each_others_inverse():
    m, g = watching("break *store_block if $s0 == 700", "continue", "delete")
    t, pc, state = now(g), g.value("$pc"), hash_of(g)
    g.do("reverse-stepi")
    need(now(g) == t - 1, "one step back")
    need(g.value("$pc") != pc, "at the instruction before")
    g.do("stepi")
    need(g.value("$pc") == pc and hash_of(g) == state, "as it was")
    for _ in range(20):
        g.do("reverse-stepi")
    g.do("stepi 20")
    need(now(g) == t and hash_of(g) == state, "and after twenty of each")


def session_48_reverse_stepi_does_not_see_interrupts():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break clockintr", "continue", "continue", "finish", "delete")
    for _ in range(12):
        g.do("stepi")
    for _ in range(12):
        g.do("reverse-stepi")
        need("clockintr" not in g.do("info symbol $pc"), "not in the handler")


def line_of(g):
    return int(re.search(r"Line (\d+)", g.do("info line *$pc")).group(1))


def session_48_reverse_next_and_step_go_by_lines():
    """Over a function in which timer interrupts come, and into it."""
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break work", "continue", "continue", "finish")
    g.do("delete", "next", "next")
    lines = []
    for _ in range(4):
        lines.append(line_of(g))
        g.do("next")
    after = hash_of(g)
    for line in reversed(lines):
        g.do("reverse-next")
        need(line_of(g) == line, f"line {line_of(g)}, not {line}")
    g.do("next", "next", "next", "next")
    need(hash_of(g) == after, "and forward again")


def session_48_reverse_finish_goes_to_the_call():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do("break work", "continue", "continue", "delete")
    caller = g.do("info symbol $ra").split()[0]
    g.do("next", "reverse-finish")
    need(g.do("info symbol $pc").split()[0] == caller, "in who called it")
    g.do("stepi")
    need(g.do("info symbol $pc").startswith("work in"), "right at the call")


def session_49_reverse_continue_to_a_breakpoint_and_to_the_start():
    m, g = watching("break *store_block if $s0 == 5", "continue", "delete",
                    "break *store_block")
    g.do("reverse-continue")
    need(g.value("$s0") == 4, "the hit before")
    need(g.value("$pc") == g.value("(long)&store_block"), "at it")
    g.do("reverse-continue", "delete")
    g.expect("reverse-continue", NO_MORE_HISTORY)
    need(g.value("$pc") == 0x1000 and now(g) == 0, "at the reset vector")


def session_50_reverse_continue_to_a_watchpoint():
    m, g = watching("break *store_double if $s0 == 9", "continue", "delete",
                    "stepi", "watch *(long *)&double_")
    said = g.do("reverse-continue")
    need("Old value = 9" in said and "New value = 8" in said,
         "the store just before is found: " + said)
    need(g.value("$pc") == g.value("(long)&store_double"), "at the store")
    said = g.do("reverse-continue")
    need("Old value = 8" in said and "New value = 7" in said,
         "and the one before: " + said)


def session_51_conditions_hold_backward():
    # fp is s0, by the name that gdb can send a condition on
    m, g = watching("break *round if $fp == 20000", "continue", "delete")
    g.do("break *store_word if $fp == 77", "reverse-continue")
    need(g.value("$s0") == 77, "the only round that counts")


def session_51_a_million_candidates_take_no_longer_than_their_replay():
    """Half as much again at most, and a little for what is no search."""
    rounds = int(1000000 / PATIENCE**3)
    m, g = watching("break *store_word if $fp == 2", "continue", "delete")
    begin = now(g)
    steps = g.do("break *store_word", "continue", "delete") and now(g) - begin
    before = time.monotonic()
    g.do(f"monitor goto +{rounds * steps}", seconds=120)
    forward = time.monotonic() - before
    g.do("maint flush register-cache", "break *store_word if $fp == 2")
    before = time.monotonic()
    g.do("reverse-continue", seconds=120)
    took = time.monotonic() - before
    need(g.value("$s0") == 2 and now(g) == begin, "found")
    need(took < 3 * forward + 1 * PATIENCE,
         f"{took:.2f} s, forward {forward:.2f} s")


TWO_LOOPS = """
    li   s0, 20000
    li   s1, 200000
.globl first, second, over
first:
    addi s0, s0, -1
    bnez s0, first
second:
    addi s1, s1, -1
    bnez s1, second
over: j over
"""


def session_51_of_very_many_hits_the_last_counts():
    m = Machine(kernel=guests.guest("loops", TWO_LOOPS))
    g = Gdb(m, guests.guest("loops", TWO_LOOPS))
    g.do("break *over", "continue", "delete", "break *second")
    t = now(g)
    for left in (1, 2, 3):
        g.do("reverse-continue")
        need(g.value("$s1") == left and now(g) == t - 2 * left,
             f"s1 is {g.value('$s1')}")
    g.do("delete", f"monitor goto {t}", "maint flush register-cache")
    g.do("break *first", "reverse-continue")  # none of them near the end
    need(g.value("$s0") == 1 and g.value("$s1") == 200000, "the last of them")
    g.do("reverse-continue")
    need(g.value("$s0") == 2, "and the one before")
    g.do("delete", f"monitor goto {t}", "maint flush register-cache")
    g.do("break *second if $a0 == 1", "break *first if $a0 == 1")
    g.expect("reverse-continue", NO_MORE_HISTORY)


def session_52_ctrl_c_ends_a_search_where_it_began():
    far = int(150000000 / PATIENCE**2)
    m, g = watching(f"monitor goto {far}")
    need(now(g) == far, "run to a T")
    state = hash_of(g)
    g.start("reverse-continue")
    time.sleep(0.1)
    g.interrupt()
    said = g.wait()
    need("SIGINT" in said, said)
    need(now(g) == far and hash_of(g) == state, "as before")


def session_53_named_checkpoints():
    m, g = watching("break *round if $s0 == 50", "continue", "delete",
                    "monitor checkpoint here")
    t, state = now(g), hash_of(g)
    g.do("stepi 1000", "monitor restart here")
    need(now(g) == t and hash_of(g) == state, "where the name is")
    need("here" in g.do("monitor info checkpoints"), "listed")
    g.do("monitor goto 123")
    need(now(g) == 123, "any T")
    g.do("monitor goto +7", "monitor goto -30")
    need(now(g) == 100, "and from there")
    g.do("monitor goto end")
    need(now(g) == t + 1000, "the present")
    need("no checkpoint" in g.do("monitor goto nowhere"), "a name unknown")


def script(g):
    """The shipped commands, which refresh what gdb knows."""
    g.do('python exec(gdb.execute("monitor gdb-script", to_string=True))')


def session_53_shipped_commands_and_run():
    m = Machine(kernel=guest("gdb_watch"))
    g = Gdb(m, guest("gdb_watch"), target="extended-remote")
    g.do("break *round if $fp == 50", "continue", "delete")
    script(g)
    t, state = now(g), hash_of(g)
    g.do("checkpoint here", "stepi 1000", "checkpoint")
    need("is called 'c1' already" in g.do("checkpoint there"), "two names")
    g.do("restart here")
    need(g.value("$fp") == 50 and now(g) == t, "registers are fresh")
    for how, to in (("run chere", t), (f"run t{t}", t), ("run c1", t + 1000),
                    ("starti c1", t + 1000)):
        g.do("goto 20")
        need(g.value("$fp") < 50, "gone")
        g.do(how)
        need(g.value("$fp") >= 50 and now(g) == to, how)
    g.do("restart here")
    need(hash_of(g) == state, "as it was")
    need(len(g.do("monitor timeline list").splitlines()) == 1, "no branch")
    g.do("break *round", "set args", "run")
    need(g.value("$fp") < 2, "without one it is a reset")


def session_53_back_and_forward():
    m, g = watching("break *round if $fp == 5", "continue", "delete")
    script(g)
    first = now(g)
    g.do("break *round if $fp == 9", "continue", "delete")
    second = now(g)
    g.do("back")
    need(now(g) == first and g.value("$s0") == 5, "the stop before")
    g.do("forward")
    need(now(g) == second and g.value("$s0") == 9, "and the one after")
    g.do("goto 50%")
    need(abs(now(g) - second // 2) <= 1, "half of it")


def the_last_instructions_have_names():
    m, g = watching("break *store_word if $fp == 60", "continue", "delete")
    t, state = now(g), hash_of(g)
    said = g.do("monitor history 5")
    lines = re.findall(r"^T=(\d+) +hart 0 M 0x[0-9a-f]+ <(\w+)\+\d+> (\w+)",
                       said, re.M)
    need([int(line[0]) for line in lines] == list(range(t - 5, t)), said)
    need([line[1] for line in lines] == ["zero_block"] + 3 * ["round"] +
         ["load_byte"] and lines[-1][2] == "lbu", said)
    need(now(g) == t and hash_of(g) == state, "it stays where it is")


def session_54_a_poke_in_the_past_is_another_future():
    m, g = watching("break *round if $s0 == 50", "continue", "delete",
                    "stepi 500")
    t, state = now(g), hash_of(g)
    g.do("monitor goto 300", "set $s11 = 5")
    need("branch 2 begins at T=300" in g.do("stepi"), "said")
    need(g.value("$s11") == 5, "poked")
    g.do("monitor goto start", "monitor goto end")
    need(g.value("$s11") == 5, "a history of its own")
    g.do("monitor timeline switch 1")
    need(now(g) == t and hash_of(g) == state, "the first future, bit for bit")
    g.do("monitor timeline switch 2")
    need(g.value("$s11") == 5, "and the other")


def session_56_who_wrote_and_when():
    m, g = watching("break *store_word if $fp == 60", "continue", "delete",
                    "stepi 4")
    t, state = now(g), hash_of(g)
    said = g.do("monitor who-wrote %d 8" % g.value("(long)&double_"))
    pc = int(re.search(r"hart 0, pc 0x([0-9a-f]+)", said).group(1), 16)
    need(pc == g.value("(long)&store_same"), "the last of two: " + said)
    need("<store_same+0>" in said, "with its name: " + said)
    need(now(g) == t and hash_of(g) == state, "it stays where it is")
    g.do("monitor goto " + re.search(r"T=(\d+)", said).group(1),
         "maint flush register-cache")
    need(g.value("$pc") == pc and g.value("$fp") == 59, "to be looked at")
    need("not since history begins" in g.do("monitor last-trap"), "no trap")


def session_57_another_harts_store_is_found():
    m = Machine("-smp", "2", kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("break *counted if *(long *)&total == 3000", "continue", "delete")
    mine = g.value("$mhartid")
    g.do("watch *(long *)&total if $mhartid != %d" % mine, "reverse-continue")
    need(g.value("$mhartid") != mine, "thread switched to who stored")
    need(g.value("*(long *)&total") < 3000, "before it did")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith("session_")], the_last_instructions_have_names)
