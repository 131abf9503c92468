#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_connect.py - facts/gdb.md section 5, A: connect, start, reset, go."""

import os
import re
import signal
import subprocess
import time

from gdbclient import DEMO, Gdb, Machine, Monitor, guest, image, need, tests
from lib import PATIENCE, TOP

SCRIPT = os.path.join(TOP, "gdbstub", "ebreak.py")


def session_01_reset_state_at_connect():
    m = Machine("-smp", "2")
    g = Gdb(m)
    need("0x0000000000001000 in ?? ()" in g.connected, g.connected)
    need(g.value("$pc") == 0x1000, "pc")
    g.expect("info registers priv", r"priv\s+0x3\s+prv:3 \[Machine\]")
    g.expect("p/x $a0", "= 0x0$")
    g.expect("x/6i $pc", "=> 0x1000:\tauipc\tt0,0x0", "mhartid", r"jr\tt0")
    g.expect("info threads", r'\* 1 .*"hart0" \(M-mode\) 0x0+1000',
             r'2 .*"hart1" \(M-mode\) 0x0+1000')


def session_01_connect_before_there_is_a_machine():
    m = Machine("--preconfig", stopped=False)
    g = Gdb(m)
    g.expect("info threads", r"no hart yet, phase none")
    g.expect("monitor phase step", r"next step: \w")
    g.expect("monitor phase run", "gdb holds the machine")
    g.do("maint flush register-cache")
    need(g.value("$pc") == 0x1000, "nothing has run")
    g.do("stepi")
    need(g.value("$pc") == 0x1004, "and now one instruction has")


def session_02_stepi_is_a_step_and_never_a_breakpoint():
    m = Machine("-smp", "2")
    g = Gdb(m, DEMO)
    g.expect("show osabi", 'currently "none"')
    g.do("set debug remote 1")
    text = g.do("stepi")
    need("vCont;s:p1.1;c:p1.-1" in text and "$Z0" not in text, text)


def session_03_first_instruction_of_the_firmware():
    m = Machine(bios="default")
    g = Gdb(m)
    g.do("break *0x80000000")
    g.expect("continue", r"Breakpoint 1, 0x0+80000000")
    need(g.value("$priv") == 3 and g.value("$mhartid") == 0, "hart 0, M mode")
    fdt = g.value("$a1")
    g.expect(f"x/4xb {fdt}", "0xd0\t0x0d\t0xfe\t0xed")


def session_03_fdt_is_printed_as_source():
    m = Machine("-smp", "2")
    g = Gdb(m)
    g.expect("monitor fdt", r"^/dts-v1/;", r"memory@80000000 \{",
             "reg = <0x00 0x80000000 0x00 0x8000000>;", "cpu@1 {",
             "serial@10000000 {")


def session_04_opensbi_hands_over_with_mret():
    """Debian's has no symbols: the mret that leads on is searched for."""
    m = Machine(bios="default", kernel=image("gdb_idle"))
    g = Gdb(m)
    g.do("break *0x80000000", "continue", "delete")
    found = g.do("find /w 0x80000000, +0x20000, 0x30200073")
    for address in re.findall(r"^0x[0-9a-f]+", found, re.M):
        g.do(f"break *{address}")
    for _ in range(50):
        g.expect("continue", "Breakpoint", seconds=60)
        if g.value("$mepc") == 0x80200000:
            break
    g.expect("x/i $pc", "mret")
    g.do("stepi")
    need(g.value("$pc") == 0x80200000, "mret leads to the next stage")
    need(g.value("$priv") == 1, "in S mode")


def interrupted(g, m, what):
    g.start("continue")
    time.sleep(0.5)
    start = time.monotonic()
    g.interrupt()
    text = g.wait()
    took = time.monotonic() - start
    need("SIGINT" in text, text)
    need(took < 0.5 * PATIENCE, f"{what}: {took:.3f} s")


def session_05_ctrl_c_while_all_harts_wait():
    m = Machine("-smp", "4", kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"), target="extended-remote")
    interrupted(g, m, "waiting")
    interrupted(g, m, "waiting again")


def session_05_ctrl_c_while_all_harts_spin():
    m = Machine("-smp", "4", kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"), target="extended-remote")
    g.do("break *sleep", "continue", "delete",
         "thread apply all -q set var $pc = spin")
    interrupted(g, m, "spinning")


def session_06_run_is_a_reset_with_fresh_images():
    m = Machine(kernel=guest("gdb_high"))
    g = Gdb(m, guest("gdb_high"), target="extended-remote")
    g.do("break *(after_ecall_u - 0xffffffff80000000)", "continue")
    need(g.word("ticks") == 2, "it ran")
    g.expect("info breakpoints", "already hit 1 time")
    g.do("starti")
    need(g.value("$pc") == 0x1000 and g.value("$priv") == 3, "at reset")
    need(g.value("*(long *)0x80001000") == 0, "RAM as it was loaded")
    g.expect("info breakpoints", r"\d+\s+breakpoint\s+keep y")
    g.expect("continue", "Breakpoint 1, ")
    need(g.word("ticks") == 2, "it ran again")


def session_06_start_stops_at_main_and_kill_is_not_the_end():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"), target="extended-remote")
    g.expect("start", r"Temporary breakpoint 1, main \(\)")
    g.expect("kill", r"\[Inferior 1 \(.*\) killed\]")
    need(m.alive(), "kill ended the emulator")
    g.expect("start", r"Temporary breakpoint 2, main \(\)")


def session_07_load_and_compare_sections():
    m = Machine()
    g = Gdb(m, guest("gdb_high"))
    g.expect("load", r"Loading section \.text, size 0x\w+ lma 0x80000000",
             r"Loading section \.data, size 0x\w+ lma 0x80001000",
             r"Start address 0x0*(80000000|ffffffff80000000)")
    need(g.value("$pc") & 0xffffffff == 0x80000000, "pc is the entry")
    g.do("set var $pc = 0x80000000")
    g.do(f"file {guest('gdb_timer')}", "load")
    text = g.do("compare-sections")
    need(text.count("matched") >= 2 and "MIS" not in text, text)
    need(g.value("$pc") == g.value("(long)_start"), "pc is the entry")


def session_07_compare_sections_finds_a_difference():
    m = Machine()
    g = Gdb(m, guest("gdb_timer"))
    g.do("load", "set var text[0] = 'x'")
    g.expect("compare-sections", r"\.text.*: matched", r"\.data.*: MIS-MATCHED")


def session_08_monitor_reset_needs_no_flush():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do(f"source {SCRIPT}", "break work", "continue")
    need(g.value("$pc") > 0x80000000, "it ran")
    g.do("monitor system_reset")
    need(g.value("$pc") == 0x1000, "gdb knows of the reset")


def session_08_the_script_comes_from_the_monitor():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do('python exec(gdb.execute("monitor gdb-script", to_string=True))',
         "break work", "continue")
    g.expect("when", r"T=\d+ virtual time")
    g.expect("ebreak gva2gpa &work", f"gpa: {g.value('(long)&work'):#x}")
    g.expect("ebreak print $pc", f"{g.value('$pc'):#x}")
    pc = g.value("$pc")
    g.do("stepi")
    g.do("goto -1")
    need(g.value("$pc") == pc, "gdb knows that it is back")
    g.expect("reset", "0x0000000000001000")
    need(g.value("$pc") == 0x1000, "gdb knows of the reset")


def session_08_a_frame_stays_chosen_over_monitor_commands():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"))
    g.do(f"source {SCRIPT}", "break work", "continue", "up")
    g.do("monitor info status")
    g.expect("frame", "^#1 .*main")


def session_09_detach_lets_run_and_reconnect_stops():
    m = Machine(kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("break counted", "continue")
    g.expect("detach", "detached")
    time.sleep(0.2)
    g = Gdb(m, guest("gdb_smp"))
    first = g.word("total")
    need(first > 1000, "no breakpoint was left")
    time.sleep(0.1)
    need(g.word("total") == first, "it stands while gdb is connected")


def session_09_killed_gdb_changes_nothing():
    m = Machine(kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("break counted", "continue")
    pc = g.value("$pc")
    os.kill(g.process.pid, signal.SIGKILL)
    g.process.wait()
    g = Gdb(m, guest("gdb_smp"))
    need(g.value("$pc") == pc, "stopped it was, stopped it stays")
    g.start("continue")
    time.sleep(0.2)
    os.kill(g.process.pid, signal.SIGKILL)
    g.process.wait()
    time.sleep(0.2)
    g = Gdb(m, guest("gdb_smp"))
    need(g.word("total") > 1000, "running it was, running it stayed")


def session_10_the_monitors_stop_reaches_gdb():
    m = Machine(kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    monitor = Monitor(m)
    g.start("continue")
    time.sleep(0.3)
    monitor.do("stop")
    text = g.wait()
    need("SIGINT" in text, text)
    total = g.word("total")
    g.do("stepi")
    need(g.word("total") - total < 1000, "only a step")


def session_10_the_monitors_cont_does_not_desync_gdb():
    m = Machine(kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    monitor = Monitor(m)
    monitor.do("cont")
    time.sleep(0.2)
    g.start("continue")
    time.sleep(0.2)
    monitor.do("stop")
    text = g.wait()
    need("SIGINT" in text, text)
    g.do("stepi", "stepi")
    need(g.word("total") > 1000, "it ran")


def session_11_power_off_is_an_exit():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"))
    g.do("break *sleep", "continue", "set var $pc = power_off")
    g.expect("continue", r"\[Inferior 1 \(.*\) exited normally\]")
    need(m.exit_status() == 0, "status 0")


def session_11_failure_is_an_exit_with_its_code():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"))
    g.do("break *sleep", "continue", "set var $pc = fail")
    g.expect("continue", r"\[Inferior 1 \(.*\) exited with code 03\]")
    need(m.exit_status() == 3, "status 3")


def session_11_no_shutdown_keeps_the_machine_to_look_at():
    m = Machine("-no-shutdown", kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"), target="extended-remote")
    g.do("break *sleep", "continue", "set var $pc = power_off")
    g.expect("continue", "SIGQUIT")
    pc = g.value("$pc")
    need(pc - g.value("(long)&store_off") in (0, 4), f"pc {pc:#x}")
    g.expect("continue", "[Rr]eset")
    g.do("starti")
    need(g.value("$pc") == 0x1000, "run starts it anew")
    g.expect("continue", "Breakpoint 1, ")


def session_11_the_end_can_be_a_stop():
    m = Machine(kernel=guest("gdb_idle"))
    g = Gdb(m, guest("gdb_idle"))
    g.expect("monitor on-exit", "ends the emulator")
    g.do("monitor on-exit stop", "break *sleep", "continue",
         "set var $pc = fail")
    g.expect("continue", "received signal SIGQUIT")
    need(m.alive(), "it is there to be looked at")
    g.expect("info registers priv", "prv:3")


def bootargs(m, g):
    """As the device tree in memory has it."""
    path = os.path.join(m.dir, "fdt")
    g.do("break *0x80000000", "continue", "delete",
         f"dump binary memory {path} $a1 $a1+0x2000")
    done = subprocess.run(["fdtget", path, "/chosen", "bootargs"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().strip()


def session_06_runs_words_are_the_kernels():
    m = Machine("-append", "first", kernel=guest("gdb_timer"))
    g = Gdb(m, guest("gdb_timer"), target="extended-remote")
    need(bootargs(m, g) == "first", "as given")
    g.do('starti quiet "a=b c" ' + 300 * "x")
    need(g.value("$pc") == 0x1000, "it starts anew")
    need(bootargs(m, g) == 'quiet "a=b c" ' + 300 * "x", "the new line")
    g.do("set args", "starti")
    need(bootargs(m, g) == "first", "and back")
    m = Machine()
    g = Gdb(m, target="extended-remote")
    g.do(f"file {guest('gdb_timer')}")
    text = g.do("run quiet")
    need("no kernel in memory" in text or "failed" in text, text)


def listens_at(port):
    """The addresses of a listening port, as proc(5) has them."""
    with open("/proc/net/tcp") as f:
        words = [line.split() for line in f.readlines()[1:]]
    return {w[1].split(":")[0] for w in words
            if w[3] == "0A" and int(w[1].split(":")[1], 16) == port}


def the_port_is_for_this_host_unless_told_otherwise():
    m = Machine("-gdb", "tcp::0", "-gdb", "tcp:0.0.0.0:0")
    text = Monitor(m).do("info chardev")
    own = re.search(r"gdb1: filename=\S*tcp:127\.0\.0\.1:(\d+)", text)
    need(own, text)
    need(listens_at(int(own[1])) == {"0100007F"}, "loopback")
    anyones = re.search(r"gdb2: filename=\S*tcp:0\.0\.0\.0:(\d+)", text)
    need(anyones, text)
    need(listens_at(int(anyones[1])) == {"00000000"}, "as told")


def policies_say_what_a_gdbs_end_does():
    m = Machine("-gdb-policy", "kill=quit", kernel=guest("gdb_smp"))
    g = Gdb(m, target="extended-remote")
    g.start("kill")
    need(m.exit_status() == 0, "kill=quit")
    m = Machine("-gdb-policy", "detach=keep,lost=run", kernel=guest("gdb_smp"))
    g = Gdb(m, guest("gdb_smp"))
    g.do("detach")
    monitor = Monitor(m)
    need("paused" in monitor.do("info status"), "detach=keep")
    g = Gdb(m, guest("gdb_smp"))
    g.kill()
    m.wait_for(lambda: "running" in monitor.do("info status"), "lost=run")


tests(*[f for name, f in sorted(globals().items())
        if name.startswith(("session_", "policies_", "the_"))])
