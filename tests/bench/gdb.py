# SPDX-License-Identifier: MIT
"""gdb.py EBREAK RSP - the gdb stub's speed, next to QEMU's in the same
run: over TCP on the loopback interface, driven by RSP (rsp.c) and by gdb.
"""
import os
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


def responder(asks):
    port = free_port()
    server = subprocess.Popen([RSP, str(port), "respond"])
    time.sleep(0.2)
    rate = float(rsp(port, "ask", asks, "qC"))
    server.wait(10)
    return rate


def gdb(emulator, *commands):
    """Seconds that these commands take, connecting left out."""
    text = ["set pagination off", "set sysroot /", "set architecture riscv:rv64",
            f"target remote :{emulator.port}", "python import time",
            "python start = time.monotonic()", *commands,
            "python print('@', time.monotonic() - start)", "disconnect"]
    words = [GDB, "-nx", "-q", "-batch"]
    for line in text:
        words += ["-ex", line]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = done.stdout.decode()
    return float(out.rsplit("@", 1)[1].split()[0])


def show(what, ours, theirs=None, goal=""):
    row = f"{what:34} {ours:>12}"
    row += f" {theirs:>12}" if theirs is not None else " " * 13
    print(f"{row}   {goal}".rstrip(), flush=True)


def steps(emulator, count):
    before = emulator.cpu()
    rate = emulator.rsp("ask", count, "vCont;s:p1.1")
    return (emulator.cpu() - before) / count * 1e6, rate


def compare(ours, theirs):
    """Steps and round trips: ours, theirs."""
    with ours() as a, theirs() as b:
        trivial = max(responder(30000) for _ in range(3))
        rate = max(a.rsp("ask", 30000, "qC") for _ in range(3))
        show("round trips/s", f"{rate:.0f}",
             f"{b.rsp('ask', 5000, 'qC'):.0f}",
             f"trivial responder {trivial:.0f}")
        cpu, rate = min(steps(a, 20000) for _ in range(3))
        their_cpu, their_rate = min(steps(b, 2000) for _ in range(3))
        show("emulator CPU per step, us", f"{cpu:.1f}", f"{their_cpu:.1f}",
             "<= 30")
        show("steps/s", f"{rate:.0f}", f"{their_rate:.0f}")


def read(ours, theirs, folder):
    with ours() as a, theirs() as b:
        show("64 MiB through m, s",
             f"{a.rsp('read', 'm', RAM, SIZE, 0x8000):.2f}",
             f"{b.rsp('read', 'm', RAM, SIZE, 0x780):.2f}", "< 2")
        show("64 MiB through x, s",
             f"{a.rsp('read', 'x', RAM, SIZE, 0xffff):.2f}", "-", "< 0.5")
        for what, command in (
                ("dump", "dump binary memory {0} {1:#x} {2:#x}"),
                ("restore", "restore {0} binary {1:#x}")):
            line = command.format(os.path.join(folder, "dump"), RAM, RAM + SIZE)
            show(f"gdb's {what} of 64 MiB, s", f"{gdb(a, line):.1f}",
                 f"{gdb(b, line):.1f}", "< 5")


def ranges(ours):
    """`next` over a loop, by vCont;r; and running it, by a breakpoint."""
    first = [f"Pa={LOOPS.to_bytes(8, 'little').hex()}",
             f"P20={COUNT.to_bytes(8, 'little').hex()}"]
    with ours() as a:
        stepped = a.rsp("ask", 1, *first,
                        f"vCont;r{COUNT:x},{COUNT + 4:x}:p1.1")
        ran = a.rsp("ask", 1, *first, f"Z0,{COUNT + 4:x},4", "vCont;c")
    show("next over 700 million insns, s", f"{1 / stepped:.1f}", "-",
         f"running them {1 / ran:.1f}")


def interrupts(ours, program):
    for what, smp, pc in (("running", 1, "spin"), ("four harts", 4, "spin"),
                          ("all waiting", 4, "wait")):
        with ours("-smp", str(smp)) as a:
            gdb(a, f"file {program}",
                f"thread apply all -q set var $pc = (long)&{pc}", "detach")
            show(f"Ctrl-C, {what}, worst of 20, ms",
                 f"{a.rsp('interrupt', 20):.1f}", None, "< 20")


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
    qemu = shutil.which("qemu-system-riscv64")
    try:
        elf, noise = build(folder)

        def machine(program, *args):
            return lambda *more: Emulator(program, *args, *more)

        show("", "ebreak", "QEMU", "goal")
        compare(machine(EBREAK, "-S", "-kernel", elf),
                machine(qemu, "-S", "-kernel", elf))
        loader = f"loader,file={noise},addr={RAM:#x},force-raw=on"
        read(machine(EBREAK, "-S", "-device", loader),
             machine(qemu, "-S", "-device", loader), folder)
        ranges(machine(EBREAK, "-S", "-kernel", elf))
        interrupts(machine(EBREAK, "-S", "-kernel", elf), elf)
    finally:
        shutil.rmtree(folder)


EBREAK, RSP = sys.argv[1:3]
main()
