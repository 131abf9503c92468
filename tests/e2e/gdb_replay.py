#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_replay.py - a recording under gdb: breakpoints are where they were, what
gdb changed is changed again, and the past cannot be changed."""

import os
import shutil

import guests
from gdbclient import (DEMO, NO_MORE_HISTORY, Gdb, Machine, Monitor, guest,
                       need, tests)

SPARE = "*(long *)&kernel_stacks[1]"  # the far end of a stack


def recorded():
    """A run with a poke at the tenth character; where that was."""
    file = guests.path("run.ebr")
    m = Machine("-smp", "2", "-record", file, bios=None)
    g = Gdb(m, DEMO)
    g.do("break put_char", "ignore 1 9", "continue", "delete")
    when = g.do("monitor when")
    pc = g.value("$pc")
    g.do(f"set var {SPARE} = 0x600d600d")
    g.do("break put_char", "continue", "continue", "delete")
    last = g.do("monitor when"), g.do("monitor hash")
    monitor = Monitor(m)
    monitor.socket.sendall(b"quit\n")
    need(m.exit_status() == 0, "it does not quit")
    return file, when, pc, last


def the_same_breakpoint_is_at_the_same_time():
    file, when, pc, last = recorded()
    size = os.path.getsize(file)
    m = Machine("-replay", file, bios=None)
    g = Gdb(m, DEMO)
    g.do("break put_char", "ignore 1 8", "continue")
    need(g.value(SPARE) != 0x600d600d, "the poke comes too early")
    g.do("continue", "delete")
    need(g.do("monitor when") == when, "it is another time")
    need(g.value("$pc") == pc, "it is another place")
    refused = g.do(f"set var {SPARE} = 1")
    need("Cannot access memory" in refused, refused)
    need(g.value(SPARE) == 0x600d600d, "the poke is not what it was")
    g.expect("continue", NO_MORE_HISTORY)
    m.wait_for(lambda: "the recording ends here" in m.output(), "no end")
    need((g.do("monitor when"), g.do("monitor hash")) == last,
         "it ends elsewhere")
    need("differs" not in m.output(), m.output())
    g.do(f"set var {SPARE} = 2")
    need(g.value(SPARE) == 2, "it is not live")
    g.do("break put_char", "continue")
    need(g.value("$pc") == pc, "it does not go on")
    need(os.path.getsize(file) == size, "the recording was written to")


def the_program_comes_from_the_recording():
    file, kernel = guests.path("timer.ebr"), guests.path("timer.elf")
    shutil.copy(guest("gdb_timer"), kernel)
    m = Machine("-record", file, kernel=kernel)
    Monitor(m).do("step 100")
    m.process.terminate()
    need(m.exit_status() == 0, "it does not end")
    os.unlink(kernel)
    m = Machine("-replay", file, bios=None)
    g = Gdb(m)
    g.expect("info files", f'Symbols from "target:{kernel}"')
    g.expect("list work", "void work")


tests(the_program_comes_from_the_recording, the_same_breakpoint_is_at_the_same_time)
