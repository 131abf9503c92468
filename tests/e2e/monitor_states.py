#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitor_states.py - savevm and loadvm, and machines that move from one
process to another: over files, commands and sockets, without losing a bit."""

import os
import re
import socket

import guests
from lib import Machine, need, tests

PROMPT = "(qemu) "
COMMON = ("-smp", "2", "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01")
COUNT = 60000


def machine(*args):
    m = Machine(*COMMON, *guests.endless(), *args, serial=("-serial", "null", "-monitor", "stdio"))
    m.expect(PROMPT)
    return m


def where(m):
    t = re.search(r"T=(\d+)", m.run("when", PROMPT)).group(1)
    return int(t), m.run("hash", PROMPT).strip()


def forward(m):
    m.run(f"step {COUNT}", PROMPT, 60)
    return where(m)


def leave(m, status=0):
    m.send("quit\n")
    m.exits(status)


def state_is(m, state):
    got = m.run("info status", PROMPT).strip()
    need(got == f"VM status: {state}", f"{got!r}, not {state}")


def a_loaded_state_goes_on_as_before():
    directory = guests.path("states")
    m = machine("-S", "-snapshots", directory)
    forward(m)
    m.run("savevm one", PROMPT)
    listed = m.run("info snapshots", PROMPT)
    need(re.search(r"^--      one  .* \d{4}-\d\d-\d\d .*  ", listed, re.M), listed)
    after = forward(m)
    m.run("loadvm one", PROMPT)
    need(forward(m) == after, "the second run differs")
    leave(m)
    m = machine("-S", "-snapshots", directory, "-loadvm", "one")
    need(forward(m) == after, "another process differs")
    m.run("delvm one", PROMPT)
    need("There is no snapshot available." in m.run("info snapshots", PROMPT), "?")
    need("Error: Snapshot 'one' does not exist in " in
         m.run("loadvm one", PROMPT), "?")
    leave(m)


def a_state_is_loaded_from_the_past_too():
    m = machine("-S", "-snapshots", guests.path("states"))
    forward(m)
    m.run("savevm two", PROMPT)
    at = where(m)
    after = forward(m)
    m.run("goto 1000", PROMPT)
    reply = m.run("loadvm two", PROMPT)
    need("Error" not in reply and where(m) == at, reply)
    need(forward(m) == after, "it goes on in another way")
    leave(m)


def moves(uri, incoming, *args):
    """From one to the other, which has to go on as the first would have."""
    there = machine("-S", "-incoming", incoming, *args)
    if "file" not in incoming and "exec" not in incoming:
        state_is(there, "paused (inmigrate)")
    here = machine("-S")
    forward(here)
    reply = here.run(f"migrate {uri}", PROMPT)
    need("Error" not in reply, reply)
    state_is(here, "paused (postmigrate)")
    need("Migration status: completed" in here.run("info migrate", PROMPT), "?")
    return here, there


def goes_on(here, there):
    state_is(there, "paused")
    need(where(there) == where(here), "another state arrived")
    need(forward(there) == forward(here), "it goes on in another way")
    leave(here)
    leave(there)


def a_machine_moves_over_a_unix_socket():
    path = guests.path("socket")
    goes_on(*moves(f"unix:{path}", f"unix:{path}"))


def a_machine_moves_over_tcp():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    goes_on(*moves(f"tcp:127.0.0.1:{port}", f"tcp::{port}"))


def a_machine_moves_through_a_file():
    path = guests.path("moved")
    here = machine("-S")
    forward(here)
    here.run(f"migrate file:{path}", PROMPT)
    there = machine("-S", "-incoming", f"file:{path}")
    goes_on(here, there)


def a_machine_moves_through_commands():
    path = guests.path("moved.gz")
    here = machine("-S")
    forward(here)
    here.run(f"migrate \"exec:gzip -c > {path}\"", PROMPT)
    there = machine("-S", "-incoming", f"exec:gzip -dc {path}")
    there.run("info status", PROMPT)
    while "active" in there.run("info migrate", PROMPT):
        pass
    goes_on(here, there)


def a_deferred_one_is_told_where():
    path = guests.path("later")
    there = machine("-incoming", "defer")
    state_is(there, "paused (inmigrate)")
    need("Error: the machine waits for its state" in
         there.run("cont", PROMPT), "it runs")
    there.run(f"migrate_incoming unix:{path}", PROMPT)
    here = machine()
    here.run(f"migrate unix:{path}", PROMPT)
    state_is(there, "running")
    leave(here)
    leave(there)


def one_that_cannot_be_taken_goes_on_at_home():
    path = guests.path("refused")
    there = machine("-S", "-m", "64", "-incoming", f"unix:{path}")
    here = machine()
    reply = here.run(f"migrate unix:{path}", PROMPT)
    need("the other side says: it is of another machine: it has memory=128 "
         "MiB, this one has memory=64 MiB" in reply, reply)
    state_is(here, "running")
    need("Migration status: failed" in here.run("info migrate", PROMPT), "?")
    there.exits(1)
    need("ebreak: -incoming: it is of another machine" in there.text, there.text)
    leave(here)


def what_cannot_be_reached_is_said():
    m = machine("-S")
    for uri, why in (("tcp:127.0.0.1:1", "Connection refused"),
                     ("unix:/nonexistent/x", "No such file or directory"),
                     ("file:/nonexistent/x", "No such file or directory"),
                     ("exec:false", "it failed"), ("rdma:x", "unknown")):
        reply = m.run(f"migrate {uri}", PROMPT)
        need(reply.startswith("Error: ") or "\nError: " in reply, reply)
        need(why in reply or "Broken pipe" in reply, reply)
        state_is(m, "paused (prelaunch)")
    leave(m)
    end = guests.exits(1, "-incoming", "file:/nonexistent/x")
    need("No such file or directory" in end.err, end.err)
    end = guests.exits(1, "-incoming",
                       "file:" + guests.write("junk", b"x" * 99))
    need("ebreak: -incoming: it is not a snapshot of ebreak's" in end.err,
         end.err)


def a_cancelled_one_goes_on_at_home():
    m = machine()
    m.run("migrate -d \"exec:sleep 60\"", PROMPT)
    m.run("info migrate", PROMPT)
    m.run("migrate_cancel", PROMPT)
    state_is(m, "running")
    need("Migration status: cancelled" in m.run("info migrate", PROMPT), "?")
    leave(m)


def progress_is_told_and_control_c_ends_it():
    m = machine()
    m.send("migrate \"exec:sleep 60\"\n")
    m.expect(" %\r\n")
    m.send("\x03")
    m.expect("Error: the migration was cancelled")
    m.expect(PROMPT)
    state_is(m, "running")
    leave(m)


def a_recording_begins_with_what_came_in():
    path, file = guests.path("way"), guests.path("run.ebr")
    here, there = moves(f"unix:{path}", f"unix:{path}", "-record", file)
    at = forward(there)
    leave(here)
    leave(there)
    m = Machine("-replay", file, serial=("-serial", "null", "-monitor", "stdio"))
    m.expect("the recording ends here", 60)
    need(where(m) == at, "the replay ends elsewhere")
    leave(m)


tests(a_loaded_state_goes_on_as_before,
      a_state_is_loaded_from_the_past_too, a_machine_moves_over_a_unix_socket,
      a_machine_moves_over_tcp, a_machine_moves_through_a_file,
      a_machine_moves_through_commands, a_deferred_one_is_told_where,
      one_that_cannot_be_taken_goes_on_at_home,
      what_cannot_be_reached_is_said, a_cancelled_one_goes_on_at_home,
      progress_is_told_and_control_c_ends_it,
      a_recording_begins_with_what_came_in)
