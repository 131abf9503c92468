#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""diff.py - the same random programs on ebreak and on QEMU.

    diff.py [--count N] [--seed S] [--batch N] [--alone] [CLASS...]

--alone compares ebreak's translator with its interpreter instead, with every
extension that ebreak has, with time, interrupts and a second hart. Against
QEMU the two take turns.

Prints "ok" or "not ok" for each class of programs.py. A program that ended
differently is run again with its whole final state written out, and the first
difference is shown with the program's listing; --keep leaves its image.

EBREAK and QEMU in the environment name the emulators, ACCEL what ebreak uses,
DIFF_COUNT the number of programs where --count does not (10000), DIFF_CLASSES
the classes (all).
"""
import argparse
import concurrent.futures
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile

import image
import masks
import programs
import rows

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EBREAK = os.environ.get("EBREAK", os.path.join(TOP, "build", "ebreak"))
QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
HARNESS = os.path.join(TOP, "build", "guest", "diff", "harness.bin")
OBJDUMP = os.environ.get("CROSS", "riscv64-linux-gnu-") + "objdump"
LIMIT = float(os.environ.get("DIFF_LIMIT", 120))  # seconds for a batch

TCG = "tcg,hot=0"  # it has to translate what runs only once


def accels():
    """What ebreak is run with: the translator only where there is one."""
    if "ACCEL" in os.environ:
        return os.environ["ACCEL"].split()
    try_it = [EBREAK, "-accel", TCG, "-M", f"virt,dumpdtb={os.devnull}"]
    there = not subprocess.run(try_it, capture_output=True).returncode
    return [TCG, "interp"] if there else ["interp"]


def ebreak(switches, accel):
    return [EBREAK, "-accel", accel, "-cpu", ",".join(["rv64"] + switches)]


class Sides:
    """The two command lines, with the same extensions."""

    def __init__(self, alone=False):
        self.alone = alone
        if alone:
            self.names = "tcg", "interp"
            self.exts, self.qemu_version = set(rows.read_exts()), (100,)
            on = [f"{e}=on" for e in sorted(self.exts)]
            self.first = [ebreak(on, TCG) + ["-smp", "2"]]
            self.second = ebreak(on, "interp") + ["-smp", "2"]
        else:
            self.names = "ebreak", "QEMU"
            self.with_qemu()

    def with_qemu(self):
        text = subprocess.run([QEMU, "--version"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        version = tuple(map(int, re.search(r"version (\d+)\.(\d+)",
                                           text).groups()))
        known = max(v for v in masks.QEMU_EXTS if v <= version)
        more = masks.QEMU_EXTS[known].split()
        self.exts = set(masks.BASE.split()) | set(more)
        self.qemu_version = version
        name = {"zfh": "Zfh", "zfhmin": "Zfhmin"} if version < (8, 0) else {}
        on = [f"{name.get(e, e)}=on" for e in more]
        self.second = [QEMU, "-accel", "tcg,thread=multi", "-smp", "2",
                       "-cpu", ",".join(
            ["rv64", "h=off", "mvendorid=0", "marchid=0", "mimpid=0"] + on)]
        others = [r for r in rows.read_exts() if r not in self.exts]
        switches = [f"{e}=on" for e in sorted(self.exts)] + \
            [f"{e}=off" for e in others]
        self.first = [ebreak(switches, accel) for accel in accels()]

    def target(self):
        table = rows.read_rows()
        for name, (version, _) in masks.WRONG_ROWS.items():
            if self.qemu_version < version:
                del table[name]
        t = programs.Target(table, rows.read_csrs(), self.exts)
        t.not_probed = masks.NOT_PROBED
        wrong = [(mask, word) for mask, word, version, _ in masks.WRONG_WORDS
                 if self.qemu_version < version]
        t.is_excluded = lambda w: any(w & m == v for m, v in wrong)
        t.qemu, t.alone = self.qemu_version, self.alone
        return t


def run(command, path):
    """What it writes to its serial line; how it ended is part of it."""
    command = command + ["-M", "virt", "-m", "64M", "-bios", path,
                         "-display", "none", "-monitor", "none",
                         "-serial", "stdio"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT)
        errors = done.stderr.decode(errors="replace").strip()
        return (done.stdout.decode(errors="replace"),
                done.returncode and f"status {done.returncode} {errors}")
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b"").decode(errors="replace")
        return text, f"no end after {LIMIT} s"


def first_difference(a, b):
    for n, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return n
    return min(len(a), len(b)) if len(a) != len(b) else None


class Batch:
    """Some programs of one class, the same for the same seed."""

    def __init__(self, sides, name, seed, first, count, turn):
        self.sides, self.name, self.seed = sides, name, seed
        self.first, self.count, self.turn = first, count, turn

    def generate(self):
        t = self.sides.target()
        fn = programs.CLASSES[self.name][0]
        return [fn(t, random.Random(f"{self.seed} {self.name} {n}"))
                for n in range(self.first, self.first + self.count)]

    def image(self, path, batch, dumped=-1):
        with open(HARNESS, "rb") as f:
            harness = f.read()
        compared = [(name, mask) for name, mask, _ in masks.COMPARED]
        with open(path, "wb") as f:
            f.write(image.build(harness, batch, compared, rows.read_csrs(),
                                self.first, dumped,
                                self.sides.alone and self.turn % 2 == 1))

    def both(self, path):
        first = self.sides.first
        a, end_a = run(first[self.turn % len(first)], path)
        b, end_b = run(self.sides.second, path)
        return a.splitlines(), b.splitlines(), end_a, end_b

    def run(self, folder, keep):
        """None, or what differs."""
        path = os.path.join(folder, f"{self.name}-{self.first}.bin")
        batch = self.generate()
        self.image(path, batch)
        a, b, end_a, end_b = self.both(path)
        n = first_difference(a, b)
        if n is None and end_a == end_b == 0 and len(a) == self.count:
            os.remove(path)
            return None
        if n is None or n >= self.count or n > len(a):
            return "{} ended with {}, {} with {}: ".format(
                self.sides.names[0], end_a, self.sides.names[1], end_b) + \
                " ".join((a or b)[-1:])
        self.image(path, batch, n)
        text = self.explain(path, batch[n], n)
        if keep:
            text += f"\n    image: {path}"
        else:
            os.remove(path)
        return text

    def explain(self, path, program, n):
        a, b, end_a, end_b = self.both(path)
        a, b = a[n:], b[n:]
        d = first_difference(a, b)
        out = [f"program {self.first + n} of seed {self.seed}"]
        if d is None:
            out.append("    ended alike when its state was written out")
        for k in range(max(d - 6, 0), d) if d is not None else []:
            out.append("    both   " + self.named(a[k]))
        while d is not None and d < min(len(a), len(b)) and len(out) < 24:
            if a[d] != b[d]:
                for name, line in zip(self.sides.names, (a[d], b[d])):
                    out.append(f"    {name:6} " + self.named(line))
            d += 1
        return "\n".join(out + listing(program, os.path.dirname(path)))

    @staticmethod
    def named(line):
        word = line.split()
        if word[0] == "csr":
            word[1] = masks.COMPARED[int(word[1])][0]
        return " ".join(word)


def listing(program, folder):
    """The code, and the registers that it starts with."""
    code, _ = program.assemble()
    path = os.path.join(folder, "listing.bin")
    with open(path, "wb") as f:
        f.write(code)
    va = program.code_va or image.ARENA + program.code_at
    out = [f"    mode {program.mode} mstatus {program.mstatus:#x} fcsr "
           f"{program.fcsr:#x} " + " ".join(
               f"{k}={v:#x}" for k, v in program.csr.items() if v)]
    out += [f"    arena {at:#x} {int.from_bytes(data, 'little'):016x}"
            for at, data in program.pokes]
    for kind, values in (("x", program.x), ("f", program.f)):
        for n in range(0, 32, 4):
            out.append("    " + " ".join(f"{kind}{n + k:<2} {values[n + k]:016x}"
                                         for k in range(4)))
    try:
        text = subprocess.run(
            [OBJDUMP, "-D", "-b", "binary", "-m", "riscv:rv64",
             "-M", "no-aliases", f"--adjust-vma={va:#x}", path],
            check=True, text=True, stdout=subprocess.PIPE).stdout
        return out + ["    " + s for s in text.splitlines()[7:]]
    except (OSError, subprocess.CalledProcessError):
        return out + ["    " + code.hex()]


def plan(sides, args):
    """Batches of every class, sizes by the classes' weights."""
    names = args.classes or list(programs.CLASSES)
    turns = itertools.count()
    weights = {n: programs.CLASSES[n][1] for n in names}
    for name in names:
        total = max(args.count * weights[name] // sum(weights.values()), 1)
        for first in range(0, total, args.batch):
            yield Batch(sides, name, args.seed, first,
                        min(args.batch, total - first), next(turns))


def report(results, other):
    """A line per class; 0 when all is well."""
    failed = 0
    for name, (count, bad) in results.items():
        if not bad:
            print(f"ok {name}: {count} programs end as on {other}")
            continue
        failed = 1
        print(f"not ok {name}: {bad[0]}")
        for text in bad[1:]:
            print(f"    {text}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int,
                        default=int(os.environ.get("DIFF_COUNT", 10000)),
                        help="of programs; a quarter of it with --alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("classes", nargs="*",
                        default=os.environ.get("DIFF_CLASSES", "").split(),
                        help=" ".join(programs.CLASSES))
    args = parser.parse_args()
    if not set(args.classes) <= set(programs.CLASSES):
        parser.error(f"classes: {' '.join(programs.CLASSES)}")
    if args.alone and TCG not in accels():
        print("skip alone: there is no translator for this host")
        return 0
    args.count //= 4 if args.alone else 1
    sides, results = Sides(args.alone), {}
    folder = tempfile.mkdtemp(prefix="ebreak-diff-")
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        jobs = {pool.submit(b.run, folder, args.keep): b
                for b in plan(sides, args)}
        for job in concurrent.futures.as_completed(jobs):
            batch = jobs[job]
            count, bad = results.get(batch.name, (0, []))
            text = job.result()
            results[batch.name] = (count + batch.count,
                                   bad + [text] if text else bad)
    if not args.keep:
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        os.rmdir(folder)
    return report(results, sides.names[1])


if __name__ == "__main__":
    sys.exit(main())
