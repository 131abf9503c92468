# SPDX-License-Identifier: MIT
"""gdb.py EBREAK RSP - the gdb stub's speed, next to QEMU's in the same
run: over TCP on the loopback interface, driven by RSP (rsp.c) and by gdb. The
responder is RSP's: what takes time with it is the client and the line.
QEMU10 may be another QEMU, GDB another gdb: see tests/peers.sh.
"""
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

GDB = os.environ.get("GDB", "gdb-multiarch")
SIZE = 64 << 20
RAM = 0x80000000

SPIN = """
    .globl _start, spin, wait
_start:
spin:
    addi a0, a0, 1
    j    spin
wait:
    wfi
    j    wait
    .balign 256
    .globl count
count:
    addi a0, a0, -1        # both compressed
    bnez a0, count
    j    spin
"""
LOOPS = 350000000  # of two instructions
COUNT = RAM + 0x100


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Emulator:
    def __init__(self, program, *args):
        self.port = free_port()
        command = [program, "-M", "virt", "-display", "none", "-serial",
                   "null", "-monitor", "none", "-gdb", f"tcp::{self.port}",
                   "-m", "256M", "-bios", "none", *args]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            time.sleep(0.02)
            with socket.socket() as s:
                if not s.connect_ex(("127.0.0.1", self.port)):
                    break
        time.sleep(0.1)

    def rsp(self, *words):
        return float(rsp(self.port, *words))

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def rsp(port, *words):
    done = subprocess.run([RSP, str(port), *map(str, words)], check=True,
                          stdout=subprocess.PIPE, timeout=120)
    return done.stdout.decode()


class Responder:
    def __enter__(self):
        self.port = free_port()
        self.process = subprocess.Popen([RSP, str(self.port), "respond"])
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def responder(*words):
    with Responder() as r:
        return float(rsp(r.port, *words))


def gdb(emulator, *commands):
    """Seconds that these commands take, connecting left out; and gdb's own
    time, with it."""
    text = ["set pagination off", "set sysroot /", "set architecture riscv:rv64",
            f"target remote :{emulator.port}", "python import time",
            "python start = time.monotonic()", *commands,
            "python print('@', time.monotonic() - start)", "disconnect"]
    words = [GDB, "-nx", "-q", "-batch"]
    for line in text:
        words += ["-ex", line]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = done.stdout.decode()
    return (float(out.rsplit("@", 1)[1].split()[0]),
            after.ru_utime + after.ru_stime -
            before.ru_utime - before.ru_stime)


def register(number, value):
    return f"P{number:x}={value.to_bytes(8, 'little').hex()}"


def show(what, ours, peers=(), goal=""):
    """peers: QEMU's figures, or nothing at all."""
    row = "".join(f" {p:>9}" for p in (ours, *peers))
    print(f"{what:34}{row}   {goal}".rstrip(), flush=True)


def line_cpu(count):
    """What a round trip costs a program that does nothing else, us."""
    with Responder() as r:
        rsp(r.port, "ask", count, "qC")
        return cpu_seconds(r.process.pid) / count * 1e6


def steps(emulator, count):
    before = emulator.cpu()
    rate = emulator.rsp("ask", count, "vCont;s:p1.1")
    return (emulator.cpu() - before) / count * 1e6, rate


def compare(machines):
    """Steps and round trips; ours, then QEMU's, who are given less to do."""
    with contextlib.ExitStack() as stack:
        ours, *others = [stack.enter_context(m()) for m in machines]
        rounds = [(responder("ask", 30000, "qC"),
                   *(e.rsp("ask", 30000 if e is ours else 5000, "qC")
                     for e in (ours, *others))) for _ in range(3)]
        trivial, best, *theirs = map(max, zip(*rounds))
        show("round trips/s", f"{best:.0f}", [f"{t:.0f}" for t in theirs],
             f">= 0.8 x {trivial:.0f}, the responder's: {best / trivial:.2f}")
        best = [min(steps(e, 20000 if e is ours else 2000) for _ in range(3))
                for e in (ours, *others)]
        cpu, *theirs = [f"{b[0]:.1f}" for b in best]
        line = min(line_cpu(20000) for _ in range(3))
        show("emulator CPU per step, us", cpu, theirs,
             f"<= 30; the responder's {line:.1f}")
        rate, *theirs = [f"{b[1]:.0f}" for b in best]
        show("steps/s", rate, theirs)


def read(machines, folder):
    with contextlib.ExitStack() as stack:
        ours, *others = [stack.enter_context(m()) for m in machines]
        show("64 MiB through m, s",
             f"{ours.rsp('read', 'm', RAM, SIZE, 0x8000):.2f}",
             [f"{e.rsp('read', 'm', RAM, SIZE, 0x780):.2f}" for e in others],
             "< 2")
        show("64 MiB through x, s",
             f"{ours.rsp('read', 'x', RAM, SIZE, 0xffff):.2f}",
             ["-" for _ in others], "< 0.5")
        for what, command in (
                ("dump", "dump binary memory {0} {1:#x} {2:#x}"),
                ("restore", "restore {0} binary {1:#x}")):
            line = command.format(os.path.join(folder, "dump"), RAM, RAM + SIZE)
            rounds = []
            for _ in range(3):
                with Responder() as r:
                    rounds.append((gdb(r, line)[0], *gdb(ours, line)))
            floor, took, own = map(min, zip(*rounds))
            show(f"gdb's {what} of 64 MiB, s", f"{took:.1f}",
                 [f"{gdb(e, line)[0]:.1f}" for e in others],
                 f"< 5; with the responder {floor:.1f}; gdb's CPU {own:.1f}")


def ranges(ours):
    """`next` over a loop, by vCont;r; and running it, by a breakpoint."""
    first = [register(10, LOOPS), register(0x20, COUNT)]
    with ours() as a:
        stepped = a.rsp("ask", 1, *first,
                        f"vCont;r{COUNT:x},{COUNT + 4:x}:p1.1")
        ran = a.rsp("ask", 1, *first, f"Z0,{COUNT + 4:x},4", "vCont;c")
    show("next over 700 million insns, s", f"{1 / stepped:.2f}",
         goal=f"running them {1 / ran:.2f}")


def interrupts(ours, program):
    """Ctrl-C while harts run, wait, or one of them is stepped in a range."""
    for what, smp, pc in (("running", 1, "spin"), ("four harts", 4, "spin"),
                          ("all waiting", 4, "wait")):
        with ours("-smp", str(smp)) as a:
            gdb(a, f"file {program}",
                f"thread apply all -q set var $pc = (long)&{pc}", "detach")
            show(f"Ctrl-C, {what}, worst of 20, ms",
                 f"{a.rsp('interrupt', 20):.1f}", goal="< 20")
    with ours() as a:
        worst = a.rsp("interrupt", 20, register(0x20, RAM),
                      f"vCont;r{RAM:x},{RAM + 8:x}:p1.1")
        show("Ctrl-C, in a range, worst of 20, ms", f"{worst:.1f}",
             goal="< 20")
        worst = a.rsp("interrupt", 20, register(10, LOOPS),
                      register(0x20, COUNT), f"Z0,{COUNT + 4:x},4", "vCont;c",
                      f"z0,{COUNT + 4:x},4", "bc")
        show("Ctrl-C, going back, worst of 20, ms", f"{worst:.1f}",
             goal="< 20")


def build(folder):
    """A program that spins or waits, and one of random bytes."""
    source, elf = (os.path.join(folder, n) for n in ("spin.S", "spin.elf"))
    with open(source, "w") as f:
        f.write(SPIN)
    subprocess.run([os.environ.get("CROSS", "riscv64-linux-gnu-") + "gcc",
                    "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
                    f"-Wl,-Ttext={RAM:#x}", "-o", elf, source], check=True,
                   stderr=subprocess.DEVNULL)
    noise = os.path.join(folder, "noise")
    with open(noise, "wb") as f:
        f.write(os.urandom(SIZE))
    return elf, noise


def main():
    folder = tempfile.mkdtemp(prefix="ebreak-bench-")
    qemus = [shutil.which("qemu-system-riscv64"), os.environ.get("QEMU10")]
    programs = [EBREAK, *filter(None, qemus)]
    try:
        elf, noise = build(folder)

        def machine(program, *args):
            return lambda *more: Emulator(program, "-S", *args, *more)

        show("", "ebreak", ["QEMU", "QEMU10"][:len(programs) - 1], "goal")
        compare([machine(p, "-kernel", elf) for p in programs])
        loader = f"loader,file={noise},addr={RAM:#x},force-raw=on"
        read([machine(p, "-device", loader) for p in programs], folder)
        ranges(machine(EBREAK, "-kernel", elf))
        interrupts(machine(EBREAK, "-kernel", elf), elf)
    finally:
        shutil.rmtree(folder)


EBREAK, RSP = sys.argv[1:3]
main()
