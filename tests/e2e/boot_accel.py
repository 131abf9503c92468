#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_accel.py - Debian's kernel boots to the same state, at the same T,
translated, translated with hardly any room for it, and interpreted.

The images are made by tests/guest/fetch.sh.
"""

import time

from lib import GUEST, PATIENCE, Machine, need, tests

PROMPT = "(qemu) "


def state_at_the_end(accel, harts):
    """What `when` and `hash` say when init has failed and the kernel resets
    the machine: some 10^9 instructions."""
    m = Machine("-S", "-rtc", "base=2026-01-01", "-icount",
                "shift=0,sleep=off", "-seed", "7", "-m", "256", "-smp",
                str(harts), "-accel", accel, "-kernel", f"{GUEST}/Image",
                "-initrd", f"{GUEST}/initramfs.cpio.gz", "-append",
                "console=ttyS0 panic=-1 rdinit=/bin/false", "-no-reboot",
                "-no-shutdown",
                serial=("-serial", "null", "-monitor", "stdio"))
    m.expect(PROMPT)
    m.run("cont", PROMPT)
    end = time.monotonic() + 300 * PATIENCE
    while "running" in m.run("info status", PROMPT):
        need(time.monotonic() < end, "the kernel does not end")
        time.sleep(0.2)
    state = m.run("when", PROMPT) + m.run("hash", PROMPT)
    m.send("quit\n")
    m.exits(0)
    return state


def compare(harts):
    want = state_at_the_end("interp", harts)
    need("T=" in want, f"a time: {want!r}")
    for accel in ("tcg", "tcg,tb-size=1"):
        got = state_at_the_end(accel, harts)
        need(got == want, f"-accel {accel}: {got!r}, not {want!r}")


def linux_on_one_hart_comes_to_the_same_state():
    compare(1)


def linux_on_four_harts_comes_to_the_same_state():
    compare(4)


tests(linux_on_one_hart_comes_to_the_same_state,
      linux_on_four_harts_comes_to_the_same_state)
