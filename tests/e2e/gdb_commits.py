#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_commits.py - -d commits writes what Spike's --log-commits would: the
same lines for each hart, whatever the clock, and with gdb looking on."""

import subprocess

from gdbclient import CROSS, Gdb, Machine
from guests import bare, exits, guest, path
from lib import need, tests

BASE, DATA = 0x80000000, "0x0000000080001"  # DATA and three digits more
NO_LINE = None

# What is executed, one after the other, and how its line goes on behind the
# instruction's bytes: registers by number, x before f before c; loads; stores.
PROGRAM = [
    ("auipc s0, 0x1", f" x8  {DATA}000"),
    ("li a1, -2", " x11 0xfffffffffffffffe"),
    ("li zero, 1", ""),
    ("sd a1, 0(s0)", f" mem {DATA}000 0xfffffffffffffffe"),
    ("sw a1, 4(s0)", f" mem {DATA}004 0xfffffffe"),
    ("sh a1, 2(s0)", f" mem {DATA}002 0xfffe"),
    ("sb a1, 1(s0)", f" mem {DATA}001 0xfe"),
    ("ld a2, 0(s0)", f" x12 0xfffffffefffefefe mem {DATA}000"),
    ("lbu a2, 1(s0)", f" x12 0x00000000000000fe mem {DATA}001"),
    ("ld zero, 0(s0)", f" mem {DATA}000"),
    ("c.li a0, 5", " x10 0x0000000000000005"),
    ("c.sw a0, 8(s0)", f" mem {DATA}008 0x00000005"),
    ("beq a0, a0, .+4", ""),
    ("jal .+4", f" x1  0x{BASE + 48 + 4:016x}"),
    # Atomics: the load, then the store, if there is one.
    ("amoadd.w a3, a0, (s0)", f" x13 0xfffffffffffefefe mem {DATA}000"
                              f" mem {DATA}000 0xfffeff03"),
    ("lr.d a4, (s0)", f" x14 0xfffffffefffeff03 mem {DATA}000"),
    ("sc.d a5, a1, (s0)", f" x15 0x0000000000000000 mem {DATA}000"
                          " 0xfffffffffffffffe"),
    ("sc.d a5, a1, (s0)", " x15 0x0000000000000001"),
    # CSRs: c and the number, decimal; sstatus is a part of mstatus.
    ("csrw mscratch, a1", " c832_mscratch 0xfffffffffffffffe"),
    ("csrrci a6, mscratch, 2", " x16 0xfffffffffffffffe"
                               " c832_mscratch 0xfffffffffffffffc"),
    ("csrr a6, mscratch", " x16 0xfffffffffffffffc"),
    ("csrwi mepc, 0", " c833_mepc 0x0000000000000000"),
    ("lui t0, 0x2", " x5  0x0000000000002000"),
    ("csrs mstatus, t0", " c768_mstatus 0x0000000a00002000"),
    ("csrrsi t0, sstatus, 2", " x5  0x0000000200002000"
                              " c768_mstatus 0x0000000a00002002"),
    # FP: FS becomes dirty, flags are raised, and only then they are there.
    ("fcvt.d.w fa0, a0", " f10 0x4014000000000000"
                         " c768_mstatus 0x8000000a00006002"),
    ("fcvt.s.w fa1, a0", " f11 0xffffffff40a00000"),
    ("fcvt.d.w fa2, a1", " f12 0xc000000000000000"),
    ("fdiv.d fa3, fa2, fa0", " c1_fflags 0x0000000000000001"
                             " f13 0xbfd999999999999a"),
    ("fdiv.d ft1, fa2, fa0", " f1  0xbfd999999999999a"
                             " c1_fflags 0x0000000000000001"),
    ("fadd.d fa3, fa2, fa2", " f13 0xc010000000000000"),
    ("feq.d t0, fa3, fa2", " x5  0x0000000000000000"),
    ("fsd fa0, 8(s0)", f" mem {DATA}008 0x4014000000000000"),
    ("fsw fa1, 16(s0)", f" mem {DATA}010 0x40a00000"),
    ("flw fa4, 16(s0)", f" f14 0xffffffff40a00000 mem {DATA}010"),
    ("csrwi fcsr, 0x1f", " c1_fflags 0x000000000000001f"
                         " c2_frm 0x0000000000000000"),
    # What traps has no line; the handler is the next instruction.
    ("auipc t0, 0", lambda pc: f" x5  0x{pc:016x}"),
    ("addi t0, t0, 16", lambda pc: f" x5  0x{pc + 12:016x}"),
    ("csrw mtvec, t0", lambda pc: f" c773_mtvec 0x{pc + 8:016x}"),
    ("ecall", NO_LINE),
    ("csrr a7, mcause", " x17 0x000000000000000b"),
    ("addi t0, t0, 16", lambda pc: f" x5  0x{pc + 12:016x}"),
    ("csrw mepc, t0", lambda pc: f" c833_mepc 0x{pc + 8:016x}"),
    ("mret", " c768_mstatus 0x8000000a00006082"),
    ("fence.i", ""),
    ("lui t0, 0x100", " x5  0x0000000000100000"),
    ("lui t1, 5", " x6  0x0000000000005000"),
    ("addi t1, t1, 0x555", " x6  0x0000000000005555"),
    ("sw t1, 0(t0)", " mem 0x0000000000100000 0x00005555"),
]


# Hart 0 waits for what hart 1 stores.
TWO_HARTS = """
    .option norvc
    csrr  t0, mhartid
    auipc s0, 1
    bnez  t0, 2f
1:  lw    t2, 0(s0)
    beqz  t2, 1b
    j     3f
2:  sw    t0, 0(s0)
    j     .
3:  lui   t0, 0x100
    li    t1, 0x5555
    sw    t1, 0(t0)
    j     .
"""


def program():
    """The guest, and the lines that it must give."""
    source = "\n".join(
        f".option {'' if text.startswith('c.') else 'no'}rvc\n{text}"
        for text, _ in PROGRAM) + "\nj ."
    elf = guest("commits", source)
    subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", ".text", elf,
                    path("commits.bin")], check=True)
    with open(path("commits.bin"), "rb") as f:
        code = f.read()
    lines, at = [], 0
    for text, rest in PROGRAM:
        size = 2 if text.startswith("c.") else 4
        raw = int.from_bytes(code[at:at + size], "little")
        pc = BASE + at
        if rest is not NO_LINE:
            rest = rest(pc) if callable(rest) else rest
            lines.append(f": 3 0x{pc:016x} (0x{raw:0{2 * size}x}){rest}")
        at += size
    return elf, lines


def logged(name):
    with open(path(name)) as f:
        return f.read().splitlines()


def of_hart(lines, hart):
    """Without the reset vector's, at 0x1000, and the spinning at the end."""
    start = f"core {hart:3}"
    return [line[len(start):] for line in lines if line.startswith(start) and
            " 0x00000000800" in line[:30] and "(0x0000006f)" not in line]


def check(got, wanted):
    for n, (a, b) in enumerate(zip(got, wanted)):
        need(a == b, f"line {n} is {a!r}, not {b!r}")
    need(len(got) == len(wanted), f"{len(got)} lines, not {len(wanted)}")


def run(*args):
    elf, lines = program()
    exits(0, *bare(elf), "-d", "commits", "-D", path("log"), *args)
    return logged("log"), lines


def lines_are_those_of_spike():
    got, wanted = run()
    check(of_hart(got, 0), wanted)
    need(got[0] == "core   0: 3 0x0000000000001000 (0x00000297)"
                   " x5  0x0000000000001000", f"reset: {got[0]!r}")


def lines_do_not_depend_on_the_clock():
    got, wanted = run("-icount", "shift=7,sleep=off")
    check(of_hart(got, 0), wanted)


def harts_have_lines_of_their_own():
    elf = guest("commits-2", TWO_HARTS)
    exits(0, *bare(elf), "-smp", "2", "-d", "commits", "-D", path("log"))
    got = logged("log")
    check(of_hart(got, 1), [
        ": 3 0x0000000080000000 (0xf14022f3) x5  0x0000000000000001",
        f": 3 0x0000000080000004 (0x00001417) x8  {DATA}004",
        ": 3 0x0000000080000008 (0x00029863)",
        f": 3 0x0000000080000018 (0x00542023) mem {DATA}004 0x00000001"])
    need(of_hart(got, 0)[-1] == ": 3 0x000000008000002c (0x0062a023)"
         " mem 0x0000000000100000 0x00005555", f"{of_hart(got, 0)[-1]!r}")


def lines_are_the_same_under_gdb():
    elf, wanted = program()
    m = Machine("-d", "commits", "-D", path("gdb-log"), kernel=elf)
    g = Gdb(m, elf)
    g.do(f"break *{BASE + 0x3a:#x}")
    g.do(f"watch *(long *){BASE + 0x1008:#x}")
    for command in ("continue", "stepi", "info registers", "x/4i $pc",
                    "p $fflags", "continue", "stepi 8", "p $mstatus"):
        g.do(command)
    g.do("delete", "continue")
    m.exit_status()
    check(of_hart(logged("gdb-log"), 0), wanted)


tests(lines_are_those_of_spike, lines_do_not_depend_on_the_clock,
      harts_have_lines_of_their_own, lines_are_the_same_under_gdb)
