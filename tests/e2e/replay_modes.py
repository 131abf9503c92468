#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""replay_modes.py - caches and slices are not observable: every build of the
emulator that is at hand comes to the same state at the same T."""

import glob
import os
import subprocess

from lib import EBREAK, PATIENCE, TOP, need, tests

ROOMS = ("emu", "emu/*", "board", "board/demo", "gdbstub", "monitor")
COMMON = ("-S", "-display", "none", "-serial", "null", "-monitor", "stdio",
          "-rtc", "base=2026-01-01")
SCRIPT = ("step 200000\nwhen\nhash\nxp/16x 0x80000000\nsystem_reset\n"
          "step 54321\nwhen\nhash\ncpu 1\nstep 1\nwhen\nhash\nquit\n")


def changed():
    """When the sources were last changed."""
    return max(os.path.getmtime(path) for room in ROOMS
               for path in glob.glob(os.path.join(TOP, room, "*.[chSd]*")))


def others():
    """The builds of these very sources, beside the one that is tested."""
    since = changed()
    found = glob.glob(os.path.join(TOP, "build", "*", "ebreak"))
    return [path for path in sorted(found) if os.path.getmtime(path) > since
            and not os.path.samefile(path, EBREAK)]


def session(program, *args):
    run = subprocess.run([program, *COMMON, *args], input=SCRIPT, text=True,
                         capture_output=True, timeout=120 * PATIENCE)
    return run.stdout


def compare(*args):
    first = session(EBREAK, *args)
    need(first.count("\nT=") == 3, f"three times when: {first[-300:]!r}")
    need(session(EBREAK, *args) == first, "two runs differ")
    for program in others():
        got = session(program, *args)
        need(got == first, f"{program} says {got!r}, not {first!r}")


def two_harts_are_the_same_in_every_build():
    compare("-smp", "2", "-icount", "shift=0,sleep=off")


def slow_time_is_the_same_in_every_build():
    compare("-smp", "3", "-icount", "shift=7,sleep=off")


def sv57_or_none_is_the_same_in_every_build():
    compare("-smp", "2", "-cpu", "rv64,sv57=off,sv48=off", "-icount",
            "shift=4,sleep=off")


if not others():
    print("skip builds_compared: there is no other build of these sources")
tests(two_harts_are_the_same_in_every_build,
      slow_time_is_the_same_in_every_build,
      sv57_or_none_is_the_same_in_every_build)
