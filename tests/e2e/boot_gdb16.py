#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_gdb16.py - sessions of gdb_*.py once more, under Debian 13's gdb.

tests/peers.sh fetches it. Where that fails, or takes too long, nothing is
tested: `make e2e GDB=...` runs all of them under any gdb.
"""
import os
import subprocess
import sys

from lib import TOP

GDB = os.path.join(TOP, "build", "peers", "bin", "gdb-multiarch")
SUITES = "connect", "step", "smp"


def fetched():
    try:
        done = subprocess.run(["sh", os.path.join(TOP, "tests", "peers.sh"),
                               "gdb"], timeout=240, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return "it takes too long"
    lines = done.stdout.decode(errors="replace").splitlines()
    return None if done.returncode == 0 else (lines or ["?"])[-1]


def main():
    why = fetched()
    if why:
        print(f"skip gdb_16_runs_the_sessions: no gdb 16: {why}")
        return 0
    failed = False
    for suite in SUITES:
        script = os.path.join(TOP, "tests", "e2e", f"gdb_{suite}.py")
        done = subprocess.run([sys.executable, script], timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "GDB": GDB})
        print(done.stdout.decode(errors="replace"), end="", flush=True)
        failed |= done.returncode != 0
    return failed


sys.exit(main())
