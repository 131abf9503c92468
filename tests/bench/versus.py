#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""versus.py - the kernels on ebreak, on QEMU and as code of the host.

    versus.py [-r ROUNDS] [kernel...]

User seconds. Each kernel is a program of its own that powers the machine off;
what starting and ending costs is measured with a kernel of no work and taken
off. The programs take turns, ROUNDS (3) times and until the best of none of
them gets better any more, five times ROUNDS at most: what waits for memory
scatters. QEMU10, if set, is one more QEMU; ebreak is compared with the faster
of them. `native` is the same C compiled for the host; where it has nothing to
do with what is measured (traps, page tables, code that is written) there is
none."""

import math
import os
import re
import resource
import subprocess
import sys

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
DIR = os.path.join(TOP, "build", "bench")
CROSS = os.environ.get("CROSS", "riscv64-linux-gnu-")
EBREAK = os.environ.get("EBREAK", os.path.join(TOP, "build", "ebreak"))
COMMON = ("-M", "virt", "-display", "none", "-serial", "null",
          "-monitor", "none", "-bios", "none")
QEMUS = {"QEMU": "qemu-system-riscv64"}
if os.environ.get("QEMU10"):
    QEMUS["QEMU 10"] = os.environ["QEMU10"]
WAYS = {"ebreak": (EBREAK,)}
WAYS |= {name: (path,) for name, path in QEMUS.items()}
WAYS |= {"-icount": ("qemu-system-riscv64", "-icount", "shift=0")}

# What kind of work a kernel is, how often it is done for half a second or so
# of ebreak, and how many times faster than QEMU it has to be.
ROWS = {
    "mix": ("integer", 140, 1.8),
    "crc32": ("integer", 100, 1.8),
    "list": ("integer", 250, 1.8),
    "matmul_int": ("integer", 160, 1.8),
    "string": ("integer", 120, 1.8),
    "records": ("records", 250, 1.8),
    "matmul_double": ("double", 150, 5),
    "fib": ("calls", 80, 3),
    "bytecode_switch": ("indirect", 120, 3),
    "bytecode_calls": ("indirect", 80, 3),
    "chase": ("chase", 12, 1.1),
    "sort": ("quicksort", 60, 1.1),
    "copy": ("stream", 250, 2),
    "sieve": ("stream", 250, 2),
    "crc_bits": ("stream", 200, 2),
    "pages": ("paging", 60, 2),
    "more_pages": ("paging", 60, 2),
    "sfence": ("paging", 20, 6),
    "ecall": ("traps", 70, 4),
    "rewrite": ("fence.i", 25, 5),
}
NO_NATIVE = ("sfence", "ecall", "rewrite")


def names():
    with open(os.path.join(TOP, "tests/bench/kernels.h")) as f:
        return re.findall(r"\bK\((\w+)\)", f.read())


def source(*files):
    return [os.path.join(TOP, "tests/bench", f) for f in files]


KERNELS = source("kernels.c", "kernels_flow.c", "kernels_records.c",
                 "kernels_sys.c", "table.c")


def build(name, times):
    elf = os.path.join(DIR, f"versus-{name}.elf")
    subprocess.run(
        [CROSS + "gcc", "-O2", "-march=rv64gc_zicsr_zifencei", "-mabi=lp64d",
         "-mcmodel=medany", "-ffreestanding",
         "-fno-tree-loop-distribute-patterns", "-fno-pie", "-no-pie",
         "-static", "-nostdlib", f"-DKERNEL={names().index(name)}",
         f"-DTIMES={times}",
         "-Wl,--build-id=none,--no-warn-rwx-segments,-Ttext=0x80000000",
         "-I", TOP, "-o", elf, *source("start.S"), *KERNELS], check=True)
    return elf


def build_native():
    program = os.path.join(DIR, "native")
    subprocess.run(["gcc", "-O2", "-fno-tree-loop-distribute-patterns", "-I",
                    TOP, "-o", program, *source("native.c"), *KERNELS],
                   check=True)
    return program


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True, timeout=600, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(elf, rounds, native=None):
    commands = {way: (*program, *COMMON, "-kernel", elf)
                for way, program in WAYS.items()}
    if native:
        commands["native"] = native
    best = {way: 1e9 for way in commands}
    done = calm = 0
    while done < rounds or (calm < rounds and done < 5 * rounds):
        before = dict(best)
        for way, command in commands.items():
            best[way] = min(best[way], user_seconds(command))
        better = any(best[way] < 0.98 * before[way] for way in best)
        done, calm = done + 1, 0 if better else calm + 1
    return best


def row(name, start, native, rounds):
    """Seconds by way; how much faster ebreak is than QEMU, and than -icount."""
    _, times, _ = ROWS[name]
    program = None if name in NO_NATIVE else (native, name, str(times))
    t = measure(build(name, times), rounds, program)
    t = {w: max(t[w] - start.get(w, 0), 0.001) for w in t}
    qemu = min(t[q] for q in QEMUS)
    return t, qemu / t["ebreak"], t["-icount"] / t["ebreak"]


def show(name, t, ratio, icount):
    kind, _, floor = ROWS[name]
    slower = f"{t['ebreak'] / t['native']:7.2f}" if "native" in t else "      -"
    print(f"{name:16}{kind:10}" + "".join(f"{t[w]:10.3f}" for w in WAYS) +
          (f"{t['native']:10.3f}" if "native" in t else f"{'-':>10}") +
          f"{ratio:8.2f} ({floor})".ljust(15) + f"{icount:7.2f}{slower}",
          flush=True)


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def main():
    args, rounds = sys.argv[1:], 3
    if args[:1] == ["-r"]:
        rounds, args = int(args[1]), args[2:]
    assert set(ROWS) == set(names()), "kernels.h has them all"
    os.makedirs(DIR, exist_ok=True)
    native = build_native()
    start = measure(build("mix", 1), 3)
    print(f"{'user seconds':26}" + "".join(f"{w:>10}" for w in WAYS) +
          f"{'native':>10}  x QEMU (floor)  x -icount  native is x")
    ratios, icounts = [], []
    for name in args or ROWS:
        t, ratio, icount = row(name, start, native, rounds)
        show(name, t, ratio, icount)
        ratios.append(ratio)
        icounts.append(icount)
    print(f"geometric mean: {mean(ratios):.2f} x QEMU, "
          f"{mean(icounts):.2f} x QEMU -icount")


if __name__ == "__main__":
    main()
