#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - runs test programs and counts what they say.

    run.py [-j N] [-t SECONDS] PROGRAM...

A program is a Criterion binary or a script that prints one line a test,
"ok NAME", "not ok NAME: why" or "skip NAME: why". What a failing program
printed is shown whole. The last line is "N passed, N failed[, N skipped]".
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

SYNTHESIS = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| "
                       r"Failing: (\d+) \| Crashing: (\d+)")


def command(program):
    """Scripts need not be executable."""
    words = program.split()
    if words[0].endswith(".py"):
        return [sys.executable] + words
    if words[0].endswith(".sh"):
        return ["sh"] + words
    return words


def run(program, limit):
    """Runs it in a session of its own, so that nothing outlives it."""
    start = time.monotonic()
    child = subprocess.Popen(command(program), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    try:
        output, _ = child.communicate(timeout=limit)
        status = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        status = f"no end after {limit} s"
    return program, status, output.decode(errors="replace"), \
        time.monotonic() - start


def count(output, status):
    """(passed, failed, skipped) of one program."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    found = SYNTHESIS.search(plain)
    if found:
        passed = int(found[2])
        failed = int(found[3]) + int(found[4])
        skipped = 0
    else:
        passed = len(re.findall(r"^ok ", plain, re.M))
        failed = len(re.findall(r"^not ok ", plain, re.M))
        skipped = len(re.findall(r"^skip ", plain, re.M))
    if not failed and (status != 0 or not passed + skipped):
        failed = 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("-t", type=float, default=300)
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        jobs = [pool.submit(run, p, args.t) for p in args.programs]
        for job in concurrent.futures.as_completed(jobs):
            program, status, output, seconds = job.result()
            counts = count(output, status)
            total = [a + b for a, b in zip(total, counts)]
            bad = counts[1] > 0
            print(f"{'FAIL' if bad else 'pass'} {program}: {counts[0]} passed, "
                  f"{counts[1]} failed ({seconds:.1f} s)", flush=True)
            if bad:
                print(output, f"[exit status {status}]", sep="\n", flush=True)
            for line in re.findall(r"^skip .*$", output, re.M):
                print("    " + line, flush=True)
    skipped = f", {total[2]} skipped" if total[2] else ""
    print(f"{total[0]} passed, {total[1]} failed{skipped}")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
