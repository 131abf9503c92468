#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_moves.py - a running Debian kernel goes on in another process, comes
back out of a snapshot, and runs once more out of a recording.

The images are made by tests/guest/fetch.sh.
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time

import guests
from lib import GUEST, PATIENCE, Failed, Machine, need, tests

PROMPT = "guest# "
LINUX = ("-M", "virt", "-m", "512", "-smp", "2", "-kernel", f"{GUEST}/Image",
         "-initrd", f"{GUEST}/initramfs.cpio.gz", "-append", "console=ttyS0",
         "-rtc", "base=2026-01-01")


class Monitor:
    """A monitor on a Unix socket, beside the guest's console."""

    def __init__(self, name):
        self.path = guests.path(name)
        self.option = ("-serial", "stdio", "-monitor",
                       f"unix:{self.path},server=on,wait=off")

    def run(self, command, seconds=60):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds * PATIENCE)
            end = time.monotonic() + 10 * PATIENCE
            while s.connect_ex(self.path):
                if time.monotonic() > end:
                    raise Failed("there is no monitor")
                time.sleep(0.05)
            self.until(s, "(qemu) ")
            s.sendall(command.encode() + b"\n")
            self.until(s, "\n")
            return self.until(s, "(qemu) ")

    @staticmethod
    def until(s, what):
        text = ""
        while not text.endswith(what):
            data = s.recv(1)
            if not data:
                raise Failed(f"the monitor ended: {text!r}")
            text += data.decode()
        return text[:-len(what)]


def linux(monitor, *args):
    return Machine(*LINUX, *args, serial=monitor.option)


def booted(monitor, *args):
    m = linux(monitor, *args)
    m.expect("ebreak: /init runs on", 300)
    m.expect(PROMPT, 60)
    return m


def works(m, word):
    got = m.run(f"echo $kept; echo $((6 * 7)); kept={word}", PROMPT, 60)
    return got.split()


def linux_moves_to_another_process_and_back_in_time():
    a, b = Monitor("a"), Monitor("b")
    way = guests.path("way")
    here = booted(a, "-snapshots", guests.path("states"))
    need(works(here, "first") == ["42"], "the shell does not work")
    reply = a.run("savevm shell")
    need("Error" not in reply, reply)
    need(works(here, "second") == ["first", "42"], "the shell has forgotten")
    reply = a.run("loadvm shell")
    need("Error" not in reply, reply)
    need(works(here, "third") == ["first", "42"], "it is not the saved one")
    there = linux(b, "-incoming", f"unix:{way}")
    need("inmigrate" in b.run("info status"), "it does not wait")
    reply = a.run(f"migrate unix:{way}")
    need("Error" not in reply, reply)
    need("postmigrate" in a.run("info status"), "the source runs on")
    need("running" in b.run("info status"), "it does not run there")
    need(works(there, "fourth") == ["third", "42"], "it is not the same shell")
    need("2" in there.run("nproc", PROMPT).split(), "a hart was lost")
    there.send("poweroff -f\n")
    there.expect("reboot: Power down", 60)
    there.exits(0)
    a.run("info status")
    here.process.terminate()
    here.exits(0)


@contextlib.contextmanager
def busy_host():
    """A second process that wants each of the host's processors."""
    spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in spin:
            process.kill()
            process.wait()


def without_images(file):
    """Bytes of all but the FRAME_FILEs."""
    with open(file, "rb") as f:
        data = f.read()
    at, size = 16, 0
    while at < len(data):
        kind, stored = struct.unpack("<2I", data[at:at + 8])
        at, size = at + 20 + stored, size + (kind != 17) * (20 + stored)
    return size


def boot_runs_again(harts):
    """Recorded on a quiet host, replayed on a busy one: word for word."""
    file = guests.path(f"linux{harts}.ebr")
    a = Monitor(f"c{harts}")
    m = booted(a, "-smp", str(harts), "-record", file)
    m.run("cat /proc/interrupts; date", PROMPT, 60)
    m.send("poweroff -f\n")
    m.expect("reboot: Power down", 60)
    m.exits(0)
    size, beyond = os.path.getsize(file), without_images(file)
    need(size < 60 << 20, f"the recording has {size} bytes")
    need(beyond < 1 << 20, f"{beyond} of them are no images")
    with busy_host():
        again = guests.exits(0, "-serial", "stdio", "-monitor", "none",
                             "-replay", file, seconds=600)
    need("differs" not in again.err, again.err)
    need(again.out == m.text, "the output is another one")


def a_recorded_boot_of_one_hart_runs_again_on_a_busy_host():
    boot_runs_again(1)


def a_recorded_boot_of_four_harts_runs_again_on_a_busy_host():
    boot_runs_again(4)


tests(linux_moves_to_another_process_and_back_in_time,
      a_recorded_boot_of_one_hart_runs_again_on_a_busy_host,
      a_recorded_boot_of_four_harts_runs_again_on_a_busy_host)
