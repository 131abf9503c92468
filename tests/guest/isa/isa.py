#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""isa.py - directed tests of every instruction and every trap.

    isa.py [WORD...]    the cases of these rows or lines (cases.txt:30)

cases.txt, board.txt and traps.txt say what is executed, from which state, and
what comes of it. All of it runs in one machine, under tests/diff's harness,
which writes out the traps that a case had and what it changed. That is compared
with the tables: on ebreak, and on QEMU, so that the tables are checked as well.

Each row of insn.def and each cause of hart.h must have a case. EBREAK and QEMU
in the environment name what runs them, ACCEL what ebreak uses. ISA_EVERY=N
runs each Nth only.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "diff"))

import diff  # noqa: E402
import image  # noqa: E402
import masks  # noqa: E402
import rows  # noqa: E402
from encode import encode  # noqa: E402
from image import ARENA, DATA, PAGE, TABLES  # noqa: E402
from values import (ALL, FLAGS, FS, F_NAMES, MODES, MPP, RIGHTS,  # noqa: E402
                    STATUS, X_NAMES, Status, evaluate, formats, width_names)

CROSS = os.environ.get("CROSS", "riscv64-linux-gnu-")
MEM, HOLE = ARENA + DATA * PAGE + 0x100, 0x7000000000
STUB = ARENA + image.STUB * PAGE  # harness.c's: what S traps run
INTERRUPT = 1 << 63
EVERY_CHANGE = -2  # harness.c
ARCH = "rv64gc_zba_zbb_zbc_zbs_zfh_zicbom_zicboz_zicbop_zawrs_svinval_" \
       "zihintpause"

# Doublewords that cases name, by address.
WORDS = {f"m{n}": MEM + 8 * n for n in range(9)}
WORDS |= {f"p{n}": ARENA + (DATA + n) * PAGE for n in range(4)}
WORDS |= {f"e{n}": ARENA + (DATA + n + 1) * PAGE - 8 for n in range(4)}
# Sv39 with the arena where it is: a table for each level, and page n's entry.
ENTRIES = ARENA + (TABLES + 2) * PAGE
WORDS |= {f"pte{n}": ENTRIES + 8 * (DATA + n) for n in range(4)}
PAGES = {"code": 0, "code1": 1, **{f"page{n}": DATA + n for n in range(4)}}
INT_NAMES = {
    **STATUS, **RIGHTS, "mem": MEM, "hole": HOLE, "stub": STUB,
    **{f"page{n}": ARENA + (DATA + n) * PAGE for n in range(4)},
    "tables": ENTRIES, "pte1_at": WORDS["pte1"],
    "napot": lambda at: at >> 2 & ~511 | 511,
    "bswap": lambda v: int.from_bytes(v.to_bytes(8, "big"), "little"),
}
# The board's devices.
INT_NAMES |= {
    "mrom": 0x1000, "finisher": 0x100000, "rtc": 0x101000,
    "clint": 0x2000000, "plic": 0xc000000, "uart": 0x10000000,
    "virtio": 0x10001000, "fwcfg": 0x10100000, "flash": 0x20000000,
}


class Case:
    """A line of the tables."""

    def __init__(self, where, row, code, start, results, not_qemu=""):
        self.where, self.not_qemu = where, not_qemu
        self.code = [part.strip() for part in code.split(";")]
        self.mnemonic = row or self.code[0].split()[0]
        self.row = self.mnemonic.replace(".", "_")
        self.start = dict(word.split("=", 1) for word in start.split())
        self.flags = {w for w in results.split() if "=" not in w}
        self.results = dict(w.split("=", 1) for w in results.split()
                            if "=" in w)
        self.mode = MODES[self.start.pop("mode", "M")]
        self.ends = MODES[self.results.pop("ends", "USxM"[self.mode])]
        self.compressed = self.start.pop("c", "on") == "on"
        if any("target" in c for c in self.code) or \
                "target" in self.start.values() or "target" in start:
            self.code += ["addi t6, zero, 1", "target:"]
            self.start.setdefault("t6", "0")
            if "falls" in self.flags:
                self.results["t6"] = "1"

    # From the assembler: bytes and labels.
    def source(self, n):
        out = [f"c{n}_here:"]
        for text in self.code:
            text = encode(re.sub(r"\btarget\b", f"c{n}_target", text))
            short = text.startswith("c.")
            out.append(f".option {'' if short else 'no'}rvc\n{text}")
        return "\n".join(out + [f"c{n}_end:"])

    def assembled(self, code, labels):
        self.bytes = code
        self.first = 4 if code[0] & 3 == 3 else 2
        at = ARENA + int(self.start.pop("at", "16"), 0)
        self.at = at - ARENA
        base = labels["here"]
        results, operands = formats(self.mnemonic)
        self.names = dict(INT_NAMES, **width_names(self.mnemonic))
        self.names.update(
            {name: v - base + at for name, v in labels.items()},
            here=at, next=at + self.first,
            insn=int.from_bytes(code[:self.first], "little"))
        self.result_format, self.operand_format = results, operands

    def value(self, name, text, fmt=None):
        if name in F_NAMES and not text.startswith("0x"):
            return fmt.box(evaluate(text, fmt.names))
        return evaluate(text, self.names) & ALL

    # What it starts from.
    def program(self):
        rng = random.Random(self.where)
        p = self.p = image.Program(rng, self.mode)
        p.x = [0] + [rng.getrandbits(64) for _ in range(31)]
        p.f = [rng.getrandbits(64) for _ in range(32)]
        p.code_at, p.max_traps = self.at, 4
        p.mstatus = FS
        start = dict(self.start)
        self.map_pages(p, start)
        for name, text in start.items():
            v = self.value(name, text, self.operand_format)
            if name in X_NAMES:
                p.x[X_NAMES.index(name)] = v
            elif name in F_NAMES:
                p.f[F_NAMES.index(name)] = v
            elif name in WORDS:
                p.pokes.append((WORDS[name] - ARENA, v.to_bytes(8, "little")))
            elif name == "mstatus":
                p.mstatus = v | (0 if v & FS or v == 0 else FS)
            elif name == "frm":
                p.fcsr = v << 5
            elif name == "lines":
                p.lines = v
            else:
                assert name in p.csr, f"{self.where}: {name}"
                p.csr[name] = v
        self.stub = STUB + (8 if p.csr["medeleg"] >> 9 & 1 else 0)
        if p.csr["stvec"] & 1 and self.results["trap"] == "Si9":
            self.stub += 4 * 9
        p.stub_va = self.stub
        at = 0
        while at < len(self.bytes):
            size = 4 if self.bytes[at] & 3 == 3 else 2
            p.add(int.from_bytes(self.bytes[at:at + size], "little"), size)
            at += size
        self.end = ARENA + self.at + at
        return p

    def map_pages(self, p, start):
        given = {PAGES[n]: start.pop(n) for n in list(start) if n in PAGES}
        self.entry = {}
        if not given:
            return
        given.setdefault(1, given.get(0, "uVRWXAD"))
        user = RIGHTS["U"] if self.mode != 1 else 0
        root, middle = ARENA + TABLES * PAGE, ARENA + (TABLES + 1) * PAGE
        for at, index, to in ((root, ARENA >> 30, middle),
                              (middle, ARENA >> 21 & 511, ENTRIES)):
            p.pokes.append((at + 8 * index - ARENA,
                            (to >> 2 | RIGHTS["V"]).to_bytes(8, "little")))
        for n in range(TABLES + 3):
            rights = given.get(n, "VRXA" if n == image.STUB else "uVRWXAD")
            entry = ARENA + n * PAGE >> 2 | sum(
                user if c == "u" else RIGHTS[c] for c in rights)
            self.entry[n] = entry
            p.pokes.append((ENTRIES + 8 * n - ARENA,
                            entry.to_bytes(8, "little")))
        for n in range(4):
            self.names[f"pte{n}"] = self.entry[DATA + n]
        p.pages = TABLES + 3
        p.csr["satp"] = 8 << 60 | root >> 12

    # What must come of it: the traps, then what has changed.
    def expected(self):
        self.ignored = {"mstatus", "sstatus", "mcause", "mepc", "mtval"}
        status = Status(self.p.mstatus | self.mode << 11)
        status.mret()
        if "dirty" in self.flags:
            status.bits |= FS
        if "status" in self.results:
            status.bits = self.value("", self.results["status"]) | FS
            status.mode = self.ends
        traps, goes_on = [], True
        if "trap" in self.results:
            to, cause = self.results["trap"][0], self.results["trap"][1:]
            epc = self.value("", self.results.get("epc", "here"))
            cause = INTERRUPT | int(cause[1:]) if cause[0] == "i" \
                else int(cause)
            if cause & INTERRUPT:
                self.ignored |= {"mie", "sie", "mip", "sip"}
            tval = self.value("", self.results.get("tval", "0"))
            traps.append(self.deliver(status, MODES[to], cause, epc, tval))
            goes_on = 0 <= epc - ARENA - self.at < len(self.bytes)
        if self.p.lines or self.p.csr["mip"] or \
                self.p.csr["menvcfg"] >> 63:  # stimecmp is what it was
            self.ignored |= {"mip", "sip"}
        if goes_on:
            traps.append(self.last_trap(status, traps))
        return traps, self.expected_changes()

    def last_trap(self, status, traps):
        """The final ecall; or it cannot be fetched either."""
        cause = {0: 8, 1: 9, 3: 11}[status.mode]
        for t in traps:
            if t.get("scause", t["mcause"]) in (1, 12):
                cause = t.get("scause", t["mcause"])
        to = 1 if status.mode != 3 and self.p.csr["medeleg"] >> cause & 1 \
            else 3
        return self.deliver(status, to, cause, self.end,
                            self.end if cause in (1, 12) else 0)

    def deliver(self, status, to, cause, epc, tval):
        """The trap as the harness tells it, and what it does to mstatus."""
        status.trap(to)
        status.bits &= ~STATUS["MPRV"]  # harness.S ends it
        if to == 3:
            out = {"mcause": cause, "mepc": epc, "mtval": tval,
                   "mstatus": status.value()}
            status.mret()
            return out
        self.ignored |= {"scause", "sepc", "stval"}
        status.trap(3)
        out = {"mcause": 3 if self.stub == STUB + 8 else 9, "mepc": self.stub,
               "mstatus": status.value(), "scause": cause, "sepc": epc,
               "stval": tval}
        status.mret()
        status.sret()
        return out

    def expected_changes(self):
        out, p = {}, self.p
        flags = sum(FLAGS.get(f, 0) for f in self.flags)
        if flags:
            out["fcsr"] = p.fcsr | flags
        for name, text in self.results.items():
            if name in ("trap", "tval", "epc", "status"):
                continue
            v = self.value(name, text, self.result_format)
            if name in X_NAMES:
                out["x", X_NAMES.index(name)] = v
            elif name in F_NAMES:
                out["f", F_NAMES.index(name)] = v
            elif name in WORDS:
                out["word", (WORDS[name] - ARENA) // 8] = v
            else:
                assert name in p.csr, f"{self.where}: {name}"
                out["csr", name] = v
        return out


# The tables --------------------------------------------------------------------

def lines(name):
    with open(os.path.join(HERE, name)) as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.strip() and not line.startswith("#"):
                yield f"{name}:{n}", [c.strip() for c in line.split("|")] \
                    if "order" in line else split(line)


def split(line):
    """At bars with blanks around: others are operators."""
    return [c.strip() for c in re.split(r"(?: |^)\|(?= |$)", line)]


def expand(text):
    """{a,b} in the first word."""
    m = re.match(r"([^ {]*)\{([^}]*)\}(.*)", text)
    if not m:
        return [text]
    return [m[1] + choice + m[3] for choice in m[2].split(",")]


def read_cases(file):
    for where, (code, start, results, *rest) in lines(file):
        row, colon, text = code.partition(":")
        if not colon or not re.fullmatch(r"[a-z_0-9.-]+", row):
            row, text = None, code
        for n, one in enumerate(expand(text.strip())):
            yield Case(f"{where}{'abcdefgh'[n] if n else ''}", row, one, start,
                       results, "".join(rest).partition(":")[2].strip())


def exceptions(where, cause, modes, code, start, result, not_qemu):
    for mode in modes.split():
        for deleg in (0, 1) if mode != "M" and "medeleg" not in start else (0,):
            to = "S" if deleg else "M"
            tval, *epc = result.split()
            extra = f" medeleg={1 << int(cause)}" if deleg else ""
            results = f"trap={to}{cause} tval={tval} {' '.join(epc)}"
            yield Case(f"{where} {mode}{' delegated' if deleg else ''}", "-",
                       code, f"mode={mode} {start}{extra}", results, not_qemu)


def interrupts(where, n, modes, code, start, result, not_qemu):
    """Globally enabled or not: below M, M's always are (3.1.6.1)."""
    for mode in modes.split():
        for deleg in (0, 1) if n in (1, 5, 9, 13) else (0,):
            for enabled in (0, 1):
                on = {"M": "MPIE", "S": "SIE", "U": "0"}[mode]
                to = "S" if deleg else "M"
                taken = mode != "M" and not deleg or mode == "U" or \
                    enabled and mode == to
                yield Case(
                    f"{where} {mode}{' delegated' if deleg else ''}"
                    f"{'' if enabled else ' disabled'}", "-", code,
                    f"mode={mode} mie={1 << n} mideleg={deleg << n} "
                    f"mstatus=SPIE|{on if enabled else 0} {start}",
                    f"trap={to}i{n}" if taken else "", not_qemu)


def order(where, numbers):
    bits = [int(n) for n in numbers.split()]
    for k, n in enumerate(bits):
        pending = sum(1 << b for b in bits[k:])
        yield Case(f"{where} {n}", "-", "nop",
                   f"mstatus=MPIE mie={pending} mip={pending & 0x2222} "
                   f"lines={pending & 0x888}", f"trap=Mi{n}",
                   "has the lowest number first")


def read_traps():
    for where, fields in lines("traps.txt"):
        if fields[0] == "order":
            yield from order(where, fields[1])
            continue
        cause, modes, code, start, result, *rest = fields
        why = "".join(rest).partition(":")[2].strip()
        if cause[0] == "i":
            yield from interrupts(where, int(cause[1:]), modes, code, start,
                                  result, why)
        else:
            yield from exceptions(where, cause, modes, code, start, result,
                                  why)


# Running them --------------------------------------------------------------------

def assemble(cases, folder):
    """Each case's bytes and labels."""
    path = os.path.join(folder, "isa")
    with open(path + ".S", "w") as f:
        f.write(".text\n.globl _start\n_start:\n")
        for n, case in enumerate(cases):
            f.write(".balign 4\n" + case.source(n) + "\n")
    subprocess.run([CROSS + "as", "-march=" + ARCH, "-mno-relax",
                    "-o", path + ".o", path + ".S"], check=True)
    subprocess.run([CROSS + "ld", "--no-relax", "-Ttext=0", "-o",
                    path + ".elf", path + ".o"], check=True)
    subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".text",
                    path + ".elf", path + ".bin"], check=True)
    names = subprocess.run([CROSS + "nm", path + ".elf"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    labels = [{} for _ in cases]
    for m in re.finditer(r"^(\w+) . c(\d+)_(\w+)$", names, re.M):
        labels[int(m[2])][m[3]] = int(m[1], 16)
    with open(path + ".bin", "rb") as f:
        code = f.read()
    for case, at in zip(cases, labels):
        case.assembled(code[at["here"]:at["end"]], at)


def run(command, cases, folder):
    """What the harness wrote for each case: traps, changes."""
    with open(diff.HARNESS, "rb") as f:
        harness = f.read()
    path = os.path.join(folder, "isa.img")
    compared = [(name, mask) for name, mask, _ in masks.COMPARED]
    with open(path, "wb") as f:
        f.write(image.build(harness, [c.p for c in cases], compared,
                            rows.read_csrs(), 0, EVERY_CHANGE))
    text, status = diff.run(command, path)
    out, traps, changes = [], [], {}
    for line in text.splitlines():
        what, *rest = line.split()
        if what.isdigit():
            out.append((traps, changes))
            traps, changes = [], {}
        elif what in ("x", "f", "word"):
            changes[what, int(rest[0])] = int(rest[1], 16)
        elif what == "csr":
            changes[what, compared[int(rest[0])][0]] = int(rest[1], 16)
        elif what == "fcsr":
            changes[what] = int(rest[1], 16)
        else:
            if what == "mcause":
                traps.append({})
            traps[-1][what] = int(rest[1], 16)
    if status or len(out) != len(cases):
        sys.exit(f"not ok isa: {command[0]} ended with {status} after "
                 f"{len(out)} of {len(cases)} cases")
    return out


def differences(case, traps, changes):
    want_traps, want = case.expected()
    out = []
    for n in range(max(len(traps), len(want_traps))):
        got = traps[n] if n < len(traps) else {}
        hope = want_traps[n] if n < len(want_traps) else {}
        if "scause" in hope:
            got = {k: v for k, v in got.items() if k != "mtval"}
        out += [f"trap {n}: {k} is {show(got.get(k))}, not "
                f"{show(hope.get(k))}" for k in {**hope, **got}
                if got.get(k) != hope.get(k)]
    p = case.p
    start = {**{("x", n): v for n, v in enumerate(p.x)},
             **{("f", n): v for n, v in enumerate(p.f)},
             **{("csr", n): v for n, v in p.csr.items()}, "fcsr": p.fcsr,
             **{("word", at // 8): int.from_bytes(data, "little")
                for at, data in p.pokes if len(data) == 8}}
    for key in {**want, **changes}:
        if key[0] == "csr" and key[1] in case.ignored:
            continue
        hope = want.get(key, start.get(key))
        got = changes.get(key, start.get(key))
        if got != hope:
            out.append(f"{key} is {show(got)}, not {show(hope)}")
    return out


def show(v):
    return "nothing" if v is None else f"{v:#x}"


class Side:
    """What runs cases: how it is called, which of them are for it."""

    def __init__(self, name, command, no_c, can):
        self.name, self.command, self.no_c, self.can = name, command, no_c, can

    def check(self, cases, folder):
        """How many ended as the tables have it."""
        cases, good = [c for c in cases if self.can(c)], 0
        for compressed in (True, False):
            some = [c for c in cases if c.compressed == compressed]
            if not some:
                continue
            words = list(self.command)
            words[words.index("-cpu") + 1] += "" if compressed else self.no_c
            for case, found in zip(some, run(words, some, folder)):
                bad = differences(case, *found)
                good += not bad
                if bad:
                    print(f"not ok {case.where} on {self.name}: "
                          f"{'; '.join(case.code)}")
                    print("".join(f"    {text}\n" for text in bad), end="")
        if good == len(cases):
            print(f"ok isa: {good} cases on {self.name}")
        return good == len(cases)


def sides():
    two, known = diff.Sides(), rows.read_rows()
    on = [f"{e}=on" for e in rows.read_exts()]
    all_c = [",c=off"] + [f",{e}=off" for e in ("zca", "zcb", "zcd")]

    def on_qemu(case):
        row = known.get(case.row)
        return not case.not_qemu and (not row or row.exts <= two.exts)

    for accel in diff.accels():
        yield Side(f"ebreak ({accel})", diff.ebreak(on, accel), "".join(all_c),
                   lambda case: True)
    yield Side("QEMU", two.second, all_c[0] if two.qemu_version < (8, 0)
               else "".join(all_c), on_qemu)


# What cannot be delegated: ecall from M, M's interrupts.
NEVER_TO_S = {"S11", "Si3", "Si7", "Si11"}


def missing(cases):
    """Rows of insn.def and causes of hart.h that no case is about."""
    with open(os.path.join(rows.HART, "hart.h")) as f:
        text = f.read()
    exceptions = re.findall(r"CAUSE_\w+ = (\d+)", text)
    interrupts = re.findall(r"IRQ_\w+ = (\d+)", text)
    seen = {c.results["trap"] for c in cases if "trap" in c.results}
    out = [f"row {r}" for r in rows.read_rows() if r not in
           {c.row for c in cases}]
    for cause in exceptions + ["i" + n for n in interrupts]:
        out += [f"cause {cause} to {to}" for to in "MS"
                if to + cause not in seen and to + cause not in NEVER_TO_S]
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    cases = [*read_cases("cases.txt"), *read_cases("board.txt"),
             *read_traps()]
    without = missing(cases)
    for what in without:
        print(f"not ok isa: no case for {what}")
    if args.words:
        cases = [c for c in cases if any(
            w in c.where or w in c.row for w in args.words)]
    cases = cases[::int(os.environ.get("ISA_EVERY", 1))]
    with tempfile.TemporaryDirectory(prefix="ebreak-isa-") as folder:
        assemble(cases, folder)
        for case in cases:
            case.program()
        good = [side.check(cases, folder) for side in sides()]
    return 0 if all(good) and not without else 1


if __name__ == "__main__":
    sys.exit(main())
