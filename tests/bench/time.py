# SPDX-License-Identifier: MIT
"""time.py EBREAK DIR CROSS - what going back costs, as ratios of one run.

Forward: user time with checkpoints over that without. Backward: wall clock
time of a search over that of the same stretch forward. Programs take turns;
the best of several runs counts.
"""
import os
import re
import select
import socket
import statistics
import subprocess
import sys
import time

RUNS = 5
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
    """The median of ratios of neighbours, and the ratio of the best."""
    on, off = [], []
    for _ in range(RUNS):
        off.append(cpu_seconds(*args, *OFF, say=say))
        on.append(cpu_seconds(*args, say=say))
    print(f"{name}: with checkpoints over without: "
          f"{min(on) / min(off):.3f} (medians "
          f"{statistics.median(on) / statistics.median(off):.3f}; "
          f"{min(off):.2f} s)", flush=True)


# Backward ------------------------------------------------------------------


class Machine:
    """A machine that stands, and its gdb port."""

    def __init__(self, *args):
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.child = subprocess.Popen(
            [EBREAK, "-display", "none", "-monitor", "none", "-serial",
             "null", "-S", "-gdb", "stdio", *args], stdin=theirs,
            stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        self.data = b""
        self.ask("QStartNoAckMode")

    def ask(self, text):
        self.socket.sendall(b"$%s#%02x" % (text.encode(),
                                           sum(text.encode()) & 255))
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data, re.S)
            if not found:
                data = self.socket.recv(65536)
                if not data:
                    sys.exit("the emulator is gone")
                self.data += data
                continue
            self.data = self.data[found.end():]
            if not found[1].startswith(b"O") or found[1] == b"OK":
                return found[1].decode("latin-1")
            self.said = found[1]

    def monitor(self, command):
        self.ask("qRcmd," + command.encode().hex())

    def seconds(self, text):
        before = time.monotonic()
        self.reply = self.ask(text)
        return time.monotonic() - before

    def end(self):
        self.child.kill()
        self.child.wait()


def forward(machine, t):
    """To T by running, as fast as it goes."""
    machine.monitor(f"goto {t}")
    before = time.monotonic()
    return before


def main():
    global EBREAK
    EBREAK, directory, cross = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    stores = build("stores", directory, cross, SIZE=32 << 20, ROUNDS=600)
    if "fwd" in os.environ.get("WHAT", "fwd"):
        overhead("stores over 32 MiB", "-m", "128", "-bios", "none", "-kernel", stores)
        overhead("Linux boot", *LINUX,
                 say=[(b"guest# ", b"poweroff -f\n")])


main()
