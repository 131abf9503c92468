#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""versus.py - the kernels on ebreak and on Debian's QEMU, user seconds.

    versus.py [kernel...]

Each kernel is a program of its own that powers the machine off; what starting
and ending costs is measured with a kernel of no work and taken off. The best
of three runs counts, the programs taking turns."""

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
WAYS = {
    "ebreak": (EBREAK,),
    "QEMU": ("qemu-system-riscv64",),
    "QEMU -icount": ("qemu-system-riscv64", "-icount", "shift=0"),
}
ROUNDS = 2


def kernels():
    with open(os.path.join(TOP, "tests/bench/kernels.h")) as f:
        return re.findall(r"\bK\((\w+)\)", f.read())


def build(name, number, times):
    elf = os.path.join(DIR, f"versus-{name}.elf")
    sources = [os.path.join(TOP, "tests/bench", s)
               for s in ("start.S", "kernels.c", "table.c")]
    subprocess.run(
        [CROSS + "gcc", "-O2", "-march=rv64gc", "-mabi=lp64d",
         "-mcmodel=medany", "-ffreestanding",
         "-fno-tree-loop-distribute-patterns", "-fno-pie", "-no-pie",
         "-static", "-nostdlib", f"-DKERNEL={number}", f"-DTIMES={times}",
         "-Wl,--build-id=none,--no-warn-rwx-segments,-Ttext=0x80000000",
         "-I", TOP, "-o", elf, *sources], check=True)
    return elf


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True, timeout=300, stdin=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(elf):
    best = {way: 1e9 for way in WAYS}
    for _ in range(ROUNDS):
        for way, program in WAYS.items():
            t = user_seconds((*program, *COMMON, "-kernel", elf))
            best[way] = min(best[way], t)
    return best


def main():
    names = kernels()
    os.makedirs(DIR, exist_ok=True)
    start = measure(build("mix", names.index("mix"), 1))
    print(f"{'user seconds':16}" + "".join(f"{w:>14}" for w in WAYS) +
          f"{'ebreak is':>16}")
    total, n = 1.0, 0
    for name in sys.argv[1:] or names:
        times = 100 if name == "ecall" else 40
        t = measure(build(name, names.index(name), times))
        t = {way: max(t[way] - start[way], 0.001) for way in WAYS}
        ratio = t["QEMU"] / t["ebreak"]
        total, n = total * ratio, n + 1
        print(f"{name:16}" + "".join(f"{t[w]:14.3f}" for w in WAYS) +
              f"{ratio:10.2f} x, {t['QEMU -icount'] / t['ebreak']:.2f} x",
              flush=True)
    print(f"geometric mean: {total ** (1 / n):.2f} x")


if __name__ == "__main__":
    main()
