#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitor_time.py - time travel as a person at the monitor has it; what is
typed at the guest meanwhile (facts/gdb.md section 5, session 55)."""

import re

import guests
from lib import Machine, need, tests

PROMPT = "(qemu) "


def machine(*args, serial="null"):
    m = Machine("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01",
                "-S", *args, serial=("-serial", serial, "-monitor", "stdio"))
    m.expect(PROMPT)
    return m


def where(m):
    t = re.search(r"T=(\d+)", m.run("when", PROMPT)).group(1)
    return int(t), m.run("hash", PROMPT).strip()


def session_55_what_is_typed_in_the_past_waits_for_the_present():
    """Keys and monitor share a terminal; C-a c goes from one to the other."""
    m = Machine("-S", *guests.bare(guests.guest("echo", guests.ECHO)),
                serial=("-serial", "mon:stdio"))
    m.send("\x01c")
    m.expect(PROMPT)
    m.send("cont\n\x01c")
    m.expect("hello")
    m.send("one")
    m.expect("one")
    m.send("\x01c")
    m.expect(PROMPT)
    m.run("stop", PROMPT)
    m.run("goto 10", PROMPT)
    m.send("\x01ctwo")
    m.expect("what is typed on serial0 waits for the present")
    m.send("\x01c")
    m.run("cont", PROMPT)
    m.send("\x01c")
    m.expect("two")
    m.kill()


def goto_goes_beyond_the_present_too():
    m = machine()
    m.run("goto 300000", PROMPT)
    need(where(m)[0] == 300000, "not there")
    m.run("goto 1000", PROMPT)
    m.run("goto 700000", PROMPT)
    at = where(m)
    need(at[0] == 700000, "from the past beyond the present")
    m.run("goto 50%", PROMPT)
    need(where(m)[0] == 350000, "half of it")
    refused = m.run("goto 101%", PROMPT)
    need("Error: there is no checkpoint '101%'" in refused, refused)
    m.run("goto 100%", PROMPT)
    need(where(m) == at, "all of it")
    m.kill()


def the_last_instructions_are_listed():
    m = machine("-smp", "2")
    m.run("goto 200000", PROMPT)
    at = where(m)
    said = m.run("history 30000", PROMPT)
    need("Error: the count must be from 1 to 10000" in said, said)
    said = m.run("history 3000", PROMPT)
    found = [int(t) for t in re.findall(r"^T=(\d+) +hart", said, re.M)]
    need(found == list(range(197000, 200000)), f"{len(found)} lines")
    need(where(m) == at, "it moved")
    m.run("goto 7", PROMPT)
    said = m.run("history", PROMPT)
    need(len(re.findall(r"^T=\d+ +hart", said, re.M)) == 7, said)
    need("T=0          hart 0 M 0x1000 auipc" in said, said)
    m.run("goto start", PROMPT)
    said = m.run("history", PROMPT)
    need("no instruction was run since history begins" in said, said)
    m.kill()


tests(session_55_what_is_typed_in_the_past_waits_for_the_present,
      goto_goes_beyond_the_present_too, the_last_instructions_are_listed)
