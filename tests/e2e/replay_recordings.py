#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""replay_recordings.py - what one process records another one replays: to the
same state, with the same output, also when the first one was killed."""

import os
import re
import struct
import time

import guests
from lib import Machine, need, tests

MONITOR = ("-serial", "null", "-monitor", "stdio")
PROMPT = "(qemu) "

# Reads a file by semihosting, five bytes at a time, and writes it out.
READER = """
    li   s0, 0x10000000
    la   a1, open
    li   a0, 1
    call semi
    la   s2, block
    sd   a0, 0(s2)
1:  mv   a1, s2
    li   a0, 6
    call semi
    mv   s3, a0
    li   t0, 5
    sub  s4, t0, s3
    ld   t1, 8(s2)
2:  beqz s4, 3f
    lbu  t2, 0(t1)
    sb   t2, 0(s0)
    addi t1, t1, 1
    addi s4, s4, -1
    j    2b
3:  beqz s3, 1b
    li   t0, 0x100000
    li   t1, 0x5555
    sw   t1, 0(t0)
    j    .
    .balign 16
semi: .option push
    .option norvc
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
    .option pop
    ret
    .balign 8
open: .dword name, 0, end - name
block: .dword 0, data, 5
name: .ascii "%s"
end: .byte 0
    .balign 8
data: .space 16
"""


def where(m):
    """T and the hash of a machine that stands."""
    t = re.search(r"T=(\d+)", m.run("when", PROMPT)).group(1)
    return int(t), m.run("hash", PROMPT).strip()


def ended(m):
    m.expect("the recording ends here", 60)
    return where(m)


def recorded(name, *args):
    """A run of a moment; then where it stands."""
    file = guests.path(name)
    m = Machine("-record", file, *guests.endless(), *args, serial=MONITOR)
    m.expect(PROMPT)
    time.sleep(0.3)
    m.run("stop", PROMPT)
    at = where(m)
    m.send("quit\n")
    m.exits(0)
    return file, at


def same_after(name, *args):
    file, at = recorded(name, *args)
    need(at[0] > 0, "the machine did not run")
    m = Machine("-replay", file, serial=MONITOR)
    got = ended(m)
    need(got == at, f"{got}, not {at}")
    m.send("quit\n")
    m.exits(0)


def one_hart_replays_in_another_process():
    same_after("one", "-icount", "shift=0,sleep=off")


def four_harts_replay_in_another_process():
    same_after("four", "-smp", "4", "-icount", "shift=0,sleep=off")


def the_wall_clock_is_not_waited_for():
    same_after("sleep", "-smp", "2", "-icount", "shift=0,sleep=on")


def ends_as(file, at):
    m = Machine("-replay", file, serial=MONITOR)
    got = ended(m)
    need(got == at, f"{got}, not {at}")
    return m


def a_run_is_saved_at_any_time():
    file = guests.path("later.ebr")
    m = Machine("-smp", "2", *guests.endless(), serial=MONITOR)
    m.expect(PROMPT)
    time.sleep(0.2)
    m.run("stop", PROMPT)
    m.run(f"timeline save {file}", PROMPT)
    at = where(m)
    m.run("cont", PROMPT)
    time.sleep(0.1)
    m.run("stop", PROMPT)
    m.run("goto 1000", PROMPT)
    refused = m.run(f"timeline save {file}", PROMPT)
    need("Error: this is the past of a run" in refused, refused)
    m.send("quit\n")
    m.exits(0)
    ends_as(file, at).kill()


def another_future_is_recorded_when_it_is_taken():
    file = guests.path("futures.ebr")
    m = Machine("-record", file, *guests.endless(), serial=MONITOR)
    m.expect(PROMPT)
    time.sleep(0.8)
    m.run("stop", PROMPT)
    middle = where(m)[0] // 2
    m.run(f"goto {middle}", PROMPT)
    m.run("system_reset", PROMPT)
    m.run("cont", PROMPT)
    time.sleep(0.3)
    m.run("stop", PROMPT)
    at = where(m)
    m.send("quit\n")
    m.exits(0)
    m = ends_as(file, at)
    m.run(f"goto {middle // 2}", PROMPT)
    need(where(m)[0] == middle // 2, "there is no way back")
    m.run("goto end", PROMPT)
    need(where(m) == at, "the way back to the end leads elsewhere")
    m.kill()


def typed_keys_and_output_come_again():
    file = guests.path("keys")
    m = Machine("-record", file, *guests.bare(guests.guest("echo", guests.ECHO)))
    m.expect("hello\n")
    for word in ("one", "two", "three"):
        m.send(word)
        m.expect(word)
    m.process.terminate()
    m.exits(0)
    os.unlink(guests.path("echo"))
    again = guests.exits(0, "-serial", "stdio", "-monitor", "none",
                         "-replay", file, say=b"not now")
    need(again.out == "hello\nonetwothree", f"it says {again.out!r}")
    need("the recording ends here" in again.err, again.err)


def a_killed_process_leaves_what_it_wrote():
    file = guests.path("killed")
    m = Machine("-record", file, "-smp", "2", *guests.endless(),
                serial=MONITOR)
    m.expect(PROMPT)
    size = os.path.getsize(file)
    while os.path.getsize(file) == size:
        time.sleep(0.05)
    m.kill()
    m = Machine("-replay", file, serial=MONITOR)
    m.expect("killed was not closed: it replays as far as it was written")
    t, _ = ended(m)
    need(t > 0, "nothing was replayed")
    m.send("quit\n")
    m.exits(0)


def the_exit_status_comes_again():
    file = guests.path("status")
    code = guests.finisher(0x2a3333)
    guests.exits(0x2a, "-record", file, *guests.bare(code))
    os.unlink(code)
    guests.exits(0x2a, "-replay", file)


def files_of_the_host_come_out_of_it():
    file = guests.path("semihosting")
    elf = guests.guest("reader", READER % guests.write("text", b"hello world"))
    args = ("-serial", "stdio", "-monitor", "none")
    first = guests.exits(0, "-record", file, "-semihosting", *args,
                         *guests.bare(elf))
    need(first.out == "hello world", f"it says {first.out!r}")
    os.unlink(guests.path("text"))
    again = guests.exits(0, "-replay", file, *args)
    need(again.out == first.out, f"it says {again.out!r}")


def what_cannot_be_replayed_is_one_sentence():
    for data, why in ((b"", "it is not a recording of ebreak's"),
                      (b"\x7fELF" * 100, "it is not a recording of ebreak's")):
        end = guests.exits(1, "-replay", guests.write("junk", data))
        need(end.err.startswith("ebreak: -replay: ") and why in end.err and
             end.err.count("\n") == 1, end.err)
    end = guests.exits(1, "-replay", guests.path("nosuch"))
    need("No such file or directory" in end.err, end.err)
    end = guests.exits(1, "-record", guests.path("no/such"))
    need("No such file or directory" in end.err, end.err)
    for states in ("5", "often"):
        end = guests.exits(1, "-record", guests.path("x") + ",states=" + states)
        need("Parameter 'states' expects off, or a number" in end.err, end.err)


def frames(file, kind):
    """How many of that kind it has; docs: emu/machine/frames.h."""
    with open(file, "rb") as f:
        data = f.read()
    at, n = 16, 0
    while at + 20 <= len(data):
        this, stored = struct.unpack("<2I", data[at:at + 8])
        at, n = at + 20 + stored, n + (this == kind)
    return n


def a_replay_goes_to_a_late_moment_by_a_state():
    file = guests.path("late.ebr")
    m = Machine("-record", file + ",states=1M", "-icount", "sleep=off",
                *guests.endless(), serial=MONITOR)
    m.expect(PROMPT)
    while frames(file, 23) < 3:
        time.sleep(0.05)
    m.run("stop", PROMPT)
    m.run("reverse-stepi", PROMPT)
    m.run("goto end", PROMPT)
    at = where(m)
    m.send("quit\n")
    m.exits(0)
    m = Machine("-replay", file, "-S", serial=MONITOR)
    m.expect(PROMPT)
    m.run("goto 99%", PROMPT)
    t, state = where(m)
    need(t > at[0] * 0.98, f"T={t}")
    m.run("goto 60%", PROMPT)
    m.run("goto 99%", PROMPT)
    need(where(m) == (t, state), "it is another moment")
    m.send("goto end\n")
    need(ended(m) == at, "it ends elsewhere")
    need("differs" not in m.text and "DIVERGENCE" not in m.text, m.text)
    m.kill()


tests(one_hart_replays_in_another_process,
      four_harts_replay_in_another_process,
      the_wall_clock_is_not_waited_for, a_run_is_saved_at_any_time,
      another_future_is_recorded_when_it_is_taken,
      typed_keys_and_output_come_again,
      a_killed_process_leaves_what_it_wrote, the_exit_status_comes_again, files_of_the_host_come_out_of_it,
      a_replay_goes_to_a_late_moment_by_a_state,
      what_cannot_be_replayed_is_one_sentence)
