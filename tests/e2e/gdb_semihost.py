#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_semihost.py - semihosting calls that gdb answers, and the host's own."""

import atexit
import os
import shutil
import subprocess
import tempfile

from gdbclient import Gdb, Machine, Monitor, Wire, guest, need, tests
from lib import EBREAK, PATIENCE


def start(*options):
    m = Machine(*options, kernel=guest("gdb_semihost"))
    g = Gdb(m, guest("gdb_semihost"))
    file = os.path.join(m.dir, "file")
    g.do("break main", "continue", f'set var path = "{file}"', "delete",
         "break done")
    return m, g, file


def results_are_right(g, file):
    need(g.value("opened") < 1 << 32, "a handle")
    need(g.value("length") == 10, "its length")
    need(g.value("left") == 64 - 5, "bytes that were not read")
    g.expect("p data", '"text\\\\n"')
    need(g.value("closed") == 0, "closed")
    need(g.value("missing") == 0xffffffffffffffff, "no such file")
    need(g.value("failure") == 2, "ENOENT")
    with open(file, encoding="ascii") as f:
        need(f.read() == "some text\n", "what was written")


def gdb_answers_when_it_is_there():
    m, g, file = start("-semihosting")
    g.expect("continue", "hello from the guest", "some text",
             "Breakpoint 2, done")
    need("hello" not in m.output(), "not on stderr")
    results_are_right(g, file)
    g.expect("continue", r"exited with code 03")


def gdb_answers_in_the_middle_of_a_step():
    m, g, file = start("-semihosting-config", "enable=on,target=gdb")
    for _ in range(8):
        g.do("next")
    need(g.value("opened") < 1 << 32, "it came that far")
    g.do("continue")
    results_are_right(g, file)


def what_gdb_answered_stays_when_time_goes_back():
    m, g, file = start("-semihosting")
    g.do("continue")
    when = g.do("monitor when")
    g.do("break main")
    g.expect("reverse-continue", "Breakpoint 3, main")
    need(g.value("opened") == 0, "before the calls")
    text = g.expect("continue", "Breakpoint 2, done")
    need("hello" not in text, "nothing is said twice")
    need(g.do("monitor when") == when, "the same moment")
    results_are_right(g, file)


def what_gdb_answered_is_replayed_without_it():
    folder = tempfile.mkdtemp(prefix="ebreak-semihost-")
    atexit.register(shutil.rmtree, folder, True)
    record = os.path.join(folder, "run.ebr")
    m, g, file = start("-semihosting", "-record", record)
    g.expect("continue", "Breakpoint 2, done")
    g.expect("continue", "exited with code 03")
    need(m.exit_status() == 3, "the run")
    os.unlink(file)
    replay = subprocess.run([EBREAK, "-replay", record, "-display", "none",
                             "-serial", "none", "-monitor", "none"],
                            stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=60 * PATIENCE)
    need(replay.returncode == 3, f"the replay: {replay}")
    need(not os.path.exists(file), "which writes no files")


def the_host_answers_with_target_native():
    m, g, file = start("-semihosting-config", "enable=on,target=native")
    text = g.expect("continue", "Breakpoint 2, done")
    need("hello" not in text and "hello" in m.output(), "on stderr")
    results_are_right(g, file)


def the_host_answers_when_no_gdb_waits():
    m, g, file = start("-semihosting")
    g.do("detach")
    need(m.exit_status() == 3, "the guest's status")


def console_output_goes_to_a_chardev_if_there_is_one():
    m = Machine("-chardev", "ringbuf,id=r", "-semihosting-config",
                "enable=on,chardev=r", kernel=guest("gdb_semihost"))
    g = Gdb(m, guest("gdb_semihost"))
    g.do("break done")
    text = g.expect("continue", "Breakpoint 1, done")
    need("hello" not in text, "not to gdb")
    need("hello" in Monitor(m).do("ringbuf_read r 100"), "but there")


def a_gdb_that_goes_leaves_a_call_that_failed():
    m = Machine("-semihosting-config", "enable=on,target=gdb",
                kernel=guest("gdb_semihost"))
    w = Wire(m)
    need(w.ask("vCont;c").startswith("Fwrite,1,"), "the first request")
    need("waits for gdb's answer" in Monitor(m).do("cont"), "nobody can run it")
    w.close()
    need(m.exit_status() == 3, "the guest went on to its end")


def answers_may_be_nonsense():
    m = Machine("-semihosting-config", "enable=on,target=gdb",
                kernel=guest("gdb_semihost"))
    w = Wire(m)
    reply = w.ask("vCont;c")
    for answer in ("Fzz", "F", "F-1,5", "Fffffffffffffffff", "F7fffffff,0"):
        need(reply.startswith("F"), reply)
        reply = w.ask(answer)
    while reply.startswith("F"):
        reply = w.ask("F0")
    need(reply == "W03", reply)


def ctrl_c_during_a_call_is_a_stop_behind_it():
    m = Machine("-semihosting-config", "enable=on,target=gdb",
                kernel=guest("gdb_semihost"))
    w = Wire(m)
    need(w.ask("vCont;c").startswith("Fwrite,1,"), "the first request")
    need(w.ask("F15,0,C").startswith("T02"), "SIGINT")
    need(w.ask("vCont;c").startswith("Fwrite,"), "the next one")


tests(*[f for name, f in globals().copy().items()
        if name.startswith(("gdb_", "what_", "the_", "console_", "a_gdb_",
                            "answers_", "ctrl_c_"))])
