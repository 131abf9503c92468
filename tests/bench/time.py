# SPDX-License-Identifier: MIT
"""time.py EBREAK DIR CROSS - what going back costs, as ratios of one run.

Forward: user time with checkpoints over that without. Backward: wall clock
time of a search over that of the same stretch forward. Programs take turns;
the best of several runs counts.
"""
import os
import random
import re
import select
import socket
import statistics
import subprocess
import sys
import time

RUNS = 12
GUEST = "build/guest"
LINUX = ("-M", "virt", "-m", "512", "-kernel", f"{GUEST}/Image", "-initrd",
         f"{GUEST}/initramfs.cpio.gz", "-append", "console=ttyS0")
OFF = ("-timeline", "off")


def build(name, directory, cross, **defines):
    values = "-".join(map(str, defines.values()))
    elf = f"{directory}/{name}-{values}.elf"
    subprocess.run([cross + "gcc", "-march=rv64gc", "-mabi=lp64d", "-nostdlib",
                    "-static", "-no-pie",
                    *(f"-D{k}={v}" for k, v in defines.items()),
                    "-Wl,-N,--build-id=none,-Ttext=0x80000000", "-o", elf,
                    f"tests/bench/{name}.S"], check=True,
                   stderr=subprocess.DEVNULL)
    return elf


def symbol(cross, elf, name):
    text = subprocess.run([cross + "nm", elf], check=True, text=True,
                          capture_output=True).stdout
    return int(re.search(rf"^([0-9a-f]+) . {name}$", text, re.M)[1], 16)


# Forward -------------------------------------------------------------------


def until(child, text):
    seen = b""
    while text not in seen:
        select.select([child.stdout], [], [], 120)
        data = os.read(child.stdout.fileno(), 65536)
        if not data:
            sys.exit(f"no {text}: {seen[-200:]}")
        seen += data


def cpu_seconds(*args, say=()):
    """Of a whole run; say: what to type when which text has come."""
    child = subprocess.Popen([EBREAK, "-display", "none", "-monitor", "none",
                              "-serial", "stdio", *args],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for text, typed in say:
        until(child, text)
        os.write(child.stdin.fileno(), typed)
    while os.read(child.stdout.fileno(), 65536):
        pass
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        sys.exit(f"{args}: status {status}")
    return usage.ru_utime + usage.ru_stime


def overhead(name, *args, say=()):
    """The ratio of the best, of the medians, and the median of neighbours'."""
    on, off = [], []
    for _ in range(RUNS):
        off.append(cpu_seconds(*args, *OFF, say=say))
        on.append(cpu_seconds(*args, say=say))
    print(f"{name}: with checkpoints over without: "
          f"{min(on) / min(off):.3f} (medians "
          f"{statistics.median(on) / statistics.median(off):.3f}, neighbours "
          f"{statistics.median(a / b for a, b in zip(on, off)):.3f}; "
          f"{min(off):.2f} s)", flush=True)


# Backward ------------------------------------------------------------------


class Machine:
    """A machine that stands, and its gdb port."""

    def __init__(self, *args):
        self.socket, theirs = socket.socketpair()
        self.child = subprocess.Popen(
            [EBREAK, "-display", "none", "-monitor", "none", "-serial",
             "null", "-S", "-gdb", "stdio", *args], stdin=theirs,
            stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        self.data = b""
        self.ask("qSupported:swbreak+;hwbreak+;vContSupported+")

    def reply(self):
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data, re.S)
            if found:
                self.data = self.data[found.end():]
                self.socket.sendall(b"+")
                return re.sub(rb"(.)\*(.)", lambda m: m[1] * (m[2][0] - 28),
                              found[1], flags=re.S).decode("latin-1")
            data = self.socket.recv(65536)
            if not data:
                sys.exit("the emulator is gone")
            self.data += data

    def ask(self, text):
        """The reply; what is printed meanwhile is kept in said."""
        self.said = ""
        self.socket.sendall(b"$%s#%02x" % (text.encode(),
                                           sum(text.encode()) & 255))
        reply = self.reply()
        while re.fullmatch("O([0-9a-f][0-9a-f])+", reply):
            self.said += bytes.fromhex(reply[1:]).decode()
            reply = self.reply()
        return reply

    def monitor(self, command):
        self.ask("qRcmd," + command.encode().hex())
        return self.said

    def now(self):
        return int(re.search(r"T=(\d+)", self.monitor("when"))[1])

    def seconds(self, how, *args):
        before = time.monotonic()
        how(*args)
        return time.monotonic() - before

    def checkpoints(self):
        return int(re.search(r"checkpoints: (\d+)",
                             self.monitor("info timeline"))[1])

    def end(self):
        self.socket.close()
        self.child.kill()
        self.child.wait()


def step_back(name, low, high, *args):
    """The first step back at stops at random times, and more of them."""
    chance = random.Random(4)
    first, more = [], []
    for _ in range(3):
        m = Machine(*args)
        for t in sorted(chance.randrange(low, high) for _ in range(8)):
            m.monitor(f"goto {t}")
            first.append(m.seconds(m.ask, "bs"))
            more += [m.seconds(m.ask, "bs") for _ in range(40)]
            if m.now() >= t - 40:
                sys.exit("it did not step back")
        m.end()
    print(f"{name}: a step back at {len(first)} random times: first "
          f"{1e3 * statistics.median(first):.1f} ms in the median, "
          f"{1e3 * max(first):.1f} ms at most; then "
          f"{1e3 * statistics.median(more):.2f} ms, "
          f"{1e3 * max(more):.1f} ms at most", flush=True)


def search(name, t, point, *args):
    """Back over all of it, to a point that is nowhere met."""
    found = []
    for _ in range(3):
        m = Machine(*args)
        there = m.seconds(m.monitor, f"goto {t}")
        n = m.checkpoints()
        if point:
            m.ask(f"Z{point}")
        back = m.seconds(m.ask, "bc")
        if m.now():
            sys.exit("it met something")
        found.append((back - 0.1 * n, back, there, n))
        m.end()
    _, back, there, n = min(found)
    print(f"{name}: back over {t:.0e} instructions and {n} checkpoints: "
          f"{back / there:.2f} of the time forward ({there:.2f} s); "
          f"{(back - 0.1 * n) / there:.2f} without 100 ms for each",
          flush=True)


def counted(name, elf, here, *args):
    """What a breakpoint costs that is met on the way and not stopped at."""
    best = {}
    t, hits = 60000000, 20000000
    for _ in range(5):
        for point in ("", f"0,{here:x},4"):
            m = Machine("-bios", "none", "-kernel", elf, *args)
            m.monitor(f"goto {t}")
            if point:
                m.ask(f"Z{point}")
            back = m.seconds(m.ask, "bc")
            if point and not t - 4 < m.now() < t:
                sys.exit("it is not the last one")
            best[point] = min(best.get(point, 1e9), back)
            m.end()
    without, with_ = best.values()
    print(f"{name}: a breakpoint that a search comes by: "
          f"{1e9 * (with_ - without) / hits:.1f} ns a hit", flush=True)


def main():
    global EBREAK
    EBREAK, directory, cross = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    stores = ("-m", "128", "-bios", "none", "-kernel",
              build("stores", directory, cross, SIZE=32 << 20, ROUNDS=2400))
    linux = os.path.exists(f"{GUEST}/Image")
    if not linux:
        print("(no Linux: make images)")
    points = build("points", directory, cross, LOOP=3, ROUNDS=30000000)
    here = symbol(cross, points, "here")
    counted("translator", points, here)
    counted("interpreter", points, here, "-accel", "interp")
    overhead("stores over 32 MiB", *stores)
    step_back("stores", 3 * 10**8, 9 * 10**9, *stores)
    search("stores", 10**9, "", *stores)
    if linux:
        overhead("Linux boot", *LINUX, say=[(b"guest# ", b"poweroff -f\n")])
        step_back("Linux", 10**8, 15 * 10**8, *LINUX)
        search("Linux", 10**9, "", *LINUX)
        search("Linux, a breakpoint", 10**9, "0,80000abc,2", *LINUX)
        search("Linux, a watchpoint", 10**9, "2,80100000,8", *LINUX)


main()
