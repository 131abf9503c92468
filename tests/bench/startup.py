# SPDX-License-Identifier: MIT
"""startup.py EBREAK OFF.elf TRAPS.elf - start-up, memory, trap round trips."""
import os
import resource
import subprocess
import sys
import time

TRIPS = 2000000


def once(command):
    """(wall seconds, user seconds, peak resident KiB) of one run."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{command}: exit status {status}")
    return wall, usage.ru_utime, usage.ru_maxrss


def best(command, runs):
    results = [once(command) for _ in range(runs)]
    return [min(column) for column in zip(*results)]


def main():
    ebreak, off, traps = sys.argv[1:]
    plain = [ebreak, "-bios", "none", "-display", "none", "-monitor", "none",
             "-serial", "null", "-kernel"]
    wall, user, rss = best(plain + [off], 10)
    base = best(["true"], 10)[0]
    print(f"start to power-off {wall * 1e3:.1f} ms "
          f"(of which an empty process {base * 1e3:.1f} ms), "
          f"memory {rss / 1024:.1f} MiB, guest RAM touched included")
    wall, trap_user, _ = best(plain + [traps], 5)
    print(f"ecall and mret: {(trap_user - user) / TRIPS * 1e9:.0f} ns "
          "a round trip of 7 instructions")


main()
