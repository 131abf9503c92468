#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""linux.py [harts...] - Debian's kernel on ebreak and on QEMU: CPU seconds.

Needs the boots' images (`make images`). The machines are up at the same time
and take turns; of each load the best of some rounds counts. CPU seconds are
user and system time of the whole process. QEMU10 names a second QEMU.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import lib  # noqa: E402

PROMPT = "guest# "
BOOTS = 2
ROUNDS = 3
LOADS = {
    "500 fork+exec": "i=0; while [ $i -lt 500 ]; do /bin/busybox true;"
                     " i=$((i+1)); done",
    "shell loop": "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done",
    "pipes": "i=0; while [ $i -lt 100 ]; do echo $i | cat | grep -q x;"
             " i=$((i+1)); done",
    "sha256sum": "dd if=/dev/zero bs=1M count=32 2>/dev/null | sha256sum",
}
PROGRAMS = {
    "ebreak": (lib.EBREAK,),
    "QEMU": ("qemu-system-riscv64", "-accel", "tcg,thread=single"),
}
if os.environ.get("QEMU10"):
    PROGRAMS["QEMU 10"] = (os.environ["QEMU10"], "-accel", "tcg,thread=single")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def boot(program, harts):
    lib.EBREAK = program[0]
    m = lib.Machine("-M", "virt", "-m", "512", "-smp", str(harts),
                    "-kernel", f"{lib.GUEST}/Image",
                    "-initrd", f"{lib.GUEST}/initramfs.cpio.gz",
                    "-append", "console=ttyS0", *program[1:])
    m.expect("ebreak: /init runs on", 300)
    m.expect(PROMPT, 60)
    return m, cpu_seconds(m.process.pid)


def load(m, command):
    before = cpu_seconds(m.process.pid)
    m.run(command, PROMPT, 300)
    return cpu_seconds(m.process.pid) - before


def row(name, seconds):
    ours = max(seconds["ebreak"], 0.01)
    theirs = min(t for n, t in seconds.items() if n != "ebreak")
    print(f"{name:26}" + "".join(f"{t:10.2f}" for t in seconds.values()) +
          f"{theirs / ours:10.2f} x", flush=True)


def compare(harts):
    machines, best = {}, {}
    for n in range(BOOTS):
        for name, program in PROGRAMS.items():
            if n:
                machines[name].kill()
            machines[name], t = boot(program, harts)
            best[name] = min(best.get(name, t), t)
    row(f"boot to a shell, -smp {harts}", best)
    for what, command in LOADS.items():
        best = dict.fromkeys(PROGRAMS, 1e9)
        for _ in range(ROUNDS):
            for name, m in machines.items():
                best[name] = min(best[name], load(m, command))
        row(f"{what}, -smp {harts}", best)
    for m in machines.values():
        m.kill()


def main():
    print(f"{'CPU seconds':26}" + "".join(f"{n:>10}" for n in PROGRAMS) +
          "  ebreak is")
    for harts in sys.argv[1:] or (1, 4):
        compare(harts)


if __name__ == "__main__":
    main()
