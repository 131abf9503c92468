#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli_exit.py - how the emulator ends: exit statuses as guests, signals and
people ask for them, and what keeps it from ending."""

import os
import signal
import subprocess

from guests import SPIN, bare, exits, finisher, guest, named, path
from lib import EBREAK, PATIENCE, Machine, need, tests

PASS, FAIL, RESET = 0x5555, 0x3333, 0x7777
EXIT_FAILURE = ["-action", "panic=exit-failure"]

# What the guest writes to the finisher, options, the exit status.
FINISHED = {
    "pass": (PASS, [], 0),
    "pass_with_code_5": (5 << 16 | PASS, [], 5),
    "fail_with_code_0": (FAIL, [], 0),
    "fail_with_code_7": (7 << 16 | FAIL, [], 7),
    "fail_and_exit_failure": (FAIL, EXIT_FAILURE, 1),
    "fail_7_and_exit_failure": (7 << 16 | FAIL, EXIT_FAILURE, 7),
    "pass_and_exit_failure": (PASS, EXIT_FAILURE, 0),
    "fail_and_panic_pause": (7 << 16 | FAIL, ["-action", "panic=pause"], 7),
    "reset_without_reboot": (RESET, ["-no-reboot"], 0),
    "reset_is_shutdown": (RESET, ["-action", "reboot=shutdown"], 0),
}

EXIT_CALL = """
    .option norvc
    li   a0, {number}
    la   a1, block
    .balign 16
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
    j    .
    .balign 8
block: .dword {reason}, {code}
"""

# Semihosting: call, reason, code, exit status.
SEMIHOSTED = {
    "application_exit_3": (0x18, 0x20026, 3, 3),
    "application_exit_0": (0x18, 0x20026, 0, 0),
    "run_time_error": (0x18, 0x20023, 0, 1),
    "extended_exit_4": (0x20, 0x20026, 4, 4),
}


def finished(value, options, status):
    end = exits(status, *bare(finisher(value)), *options)
    need(not end.out and not end.err, f"{end.out!r} {end.err!r}")


def semihosted(number, reason, code, status):
    text = EXIT_CALL.format(number=number, reason=reason, code=code)
    elf = guest(f"exit-{number:x}-{reason:x}-{code}", text)
    exits(status, *bare(elf), "-semihosting")
    exits(status, *bare(elf), "-semihosting-config",
          "enable=on,target=native")


def signalled(number):
    pidfile = path("pid")
    m = Machine(*bare(guest("spin", SPIN)), "-pidfile", pidfile,
                serial=("-serial", "none", "-monitor", "stdio"))
    m.expect("(qemu) ")
    with open(pidfile) as f:
        need(int(f.read()) == m.process.pid, "another process id in -pidfile")
    m.process.send_signal(number)
    m.exits(0)
    need(f"ebreak: terminating on signal {int(number)}" in m.text,
         f"says {m.text!r}")
    need(not os.path.exists(pidfile), "the pid file is left behind")


def stopped_emulators_end_on_sigterm_too():
    m = Machine("-S", serial=("-serial", "none", "-monitor", "stdio"))
    m.expect("(qemu) ")
    m.process.terminate()
    m.exits(0)


def waiting_for_a_client_ends_on_sigterm():
    sock = path("wait")
    m = Machine("-serial", f"unix:{sock},server=on",
                serial=("-monitor", "none"))
    m.expect("waiting for connection")
    m.process.terminate()
    end = m.process.wait(20 * PATIENCE)
    need(end in (0, 1), f"exit status {end}")
    need(not os.path.exists(sock), "the socket is left behind")


def quit_in_the_monitor():
    exits(0, *bare(guest("spin", SPIN)), "-monitor", "stdio", say=b"quit\n")
    exits(0, "-S", "-monitor", "stdio", say=b"q\n")


def the_key_of_the_mux():
    end = exits(0, *bare(guest("spin", SPIN)), "-serial", "mon:stdio",
                say=b"\x01x")
    need("ebreak: Terminated\n" in end.out and not end.err,
         f"says {end.out!r} {end.err!r}")


def state(m):
    return m.run("info status", "(qemu) ").strip()


def wait_for_state(m, want):
    for _ in range(200):
        got = state(m)
        if want in got:
            return
    need(False, f"{got!r}, not {want!r}")


def stays_with(value, *options, after="prelaunch"):
    m = Machine(*bare(finisher(value)), *options,
                serial=("-serial", "none", "-monitor", "stdio"))
    m.expect("(qemu) ")
    wait_for_state(m, "VM status: paused (shutdown)")
    got = m.run("cont", "(qemu) ")
    need("Resetting the Virtual Machine is required" in got, f"cont: {got!r}")
    m.run("system_reset", "(qemu) ")
    wait_for_state(m, f"VM status: paused ({after})")
    m.send("quit\n")
    m.exits(0)


def no_shutdown_keeps_it():
    stays_with(PASS, "-no-shutdown")


def shutdown_pause_keeps_it():
    stays_with(PASS, "-action", "shutdown=pause")


def no_reboot_and_no_shutdown_keep_it():
    stays_with(RESET, "-no-reboot", "-no-shutdown", after="shutdown")


def a_reset_starts_again():
    """Counts in RAM that a reset leaves alone; the third time it is over."""
    elf = guest("again", """
        li   t0, 0x80100000
        li   t2, 0x100000
        lw   t1, 0(t0)
        addi t1, t1, 1
        sw   t1, 0(t0)
        li   t3, 3
        beq  t1, t3, 1f
        li   t1, 0x7777
        sw   t1, 0(t2)
        j    .
    1:  li   t1, 0x95555
        sw   t1, 0(t2)
        j    .
    """)
    exits(9, *bare(elf))


def gdb_on_stdio(*options):
    return subprocess.Popen(
        [EBREAK, "-display", "none", "-serial", "none", "-monitor", "none",
         "-gdb", "stdio", *bare(guest("spin", SPIN)), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)


def closed_stdio_ends_a_gdb_session():
    """Nobody is left who could end it: no orphan may run on forever."""
    for options in [], ["-S"]:
        with gdb_on_stdio(*options) as child:
            child.stdin.write(b"$?#3f")
            child.stdin.flush()
            need(child.stdout.read(1) == b"+", "no answer")
            child.stdin.close()
            got = child.wait(20 * PATIENCE)
            need(got == 0, f"exit status {got}")


def closed_stdio_ends_one_that_runs():
    with gdb_on_stdio() as child:
        child.stdin.write(b"$?#3f+$vCont;c#a8")
        child.stdin.flush()
        need(child.stdout.read(1) == b"+", "no answer")
        child.stdin.close()
        need(child.wait(20 * PATIENCE) == 0, "exit status")


def rows():
    for name, row in FINISHED.items():
        yield named(f"finisher_{name}", lambda r=row: finished(*r))
    for name, row in SEMIHOSTED.items():
        yield named(f"semihosting_{name}", lambda r=row: semihosted(*r))
    for s in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        yield named(f"signal_{s.name}", lambda s=s: signalled(s))
    yield from (stopped_emulators_end_on_sigterm_too,
                waiting_for_a_client_ends_on_sigterm, quit_in_the_monitor,
                the_key_of_the_mux, no_shutdown_keeps_it,
                shutdown_pause_keeps_it, no_reboot_and_no_shutdown_keep_it,
                a_reset_starts_again, closed_stdio_ends_a_gdb_session,
                closed_stdio_ends_one_that_runs)


if __name__ == "__main__":
    tests(*rows())
