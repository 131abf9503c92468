# SPDX-License-Identifier: MIT
"""gdbclient.py - a machine, and a real gdb that talks to it.

gdb is $GDB, or gdb-multiarch, started without any settings of the user's. It
is driven through its ordinary command line; each command's output ends at a
mark that we let gdb print.
"""

import atexit
import contextlib
import functools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import lib
from lib import EBREAK, PATIENCE, TOP, Failed, need, tail

GDB = os.environ.get("GDB", "gdb-multiarch")
CROSS = os.environ.get("CROSS", "riscv64-linux-gnu-")
DEMO = os.path.join(TOP, "build", "demo.elf")
MARK = "@@done@@"
# gdb 13's words, and gdb 16's.
NO_MORE_HISTORY = "No more reverse-execution history|" \
                  "Reached end of recorded history"

running = []  # how to end what a test started

FLAGS = ["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-nostdlib",
         "-static", "-no-pie", "-fno-pic", "-ffreestanding",
         "-fno-stack-protector", "-g", "-O0", "-Wl,--build-id=none"]


@atexit.register
def end_all():
    while running:
        running.pop()()


# A time-out of the runner's must not leave machines behind.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def listening(path):
    """The name is there since bind(); who connects needs listen(), too."""
    accepts = "00010000"  # __SO_ACCEPTCON, see proc(5)
    with open("/proc/net/unix") as f:
        return any(line.split()[3] == accepts and line.endswith(f" {path}\n")
                   for line in f.readlines()[1:])


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Machine:
    """One run of the emulator, with gdb's port and a monitor on sockets."""

    def __init__(self, *args, kernel=None, bios="none", stopped=True):
        self.dir = tempfile.mkdtemp(prefix="ebreak-")
        running.append(self.end)
        self.gdb = os.path.join(self.dir, "gdb")
        self.mon = os.path.join(self.dir, "mon")
        self.log = open(os.path.join(self.dir, "log"), "w+b")
        memory = [] if "-replay" in args else ["-m", "128M"]
        command = [EBREAK, "-display", "none", *memory,
                   "-serial", f"file:{self.dir}/serial",
                   "-monitor", f"unix:{self.mon},server=on,wait=off",
                   "-gdb", f"unix:{self.gdb},server=on,wait=off"]
        command += ["-bios", bios] if bios else []
        command += ["-kernel", kernel] if kernel else []
        command += ["-S"] if stopped else []
        self.process = subprocess.Popen(command + list(args),
                                        stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.wait_for(lambda: listening(self.gdb), "no gdb port")

    def output(self):
        with open(self.log.name, "rb") as f:
            return f.read().decode(errors="replace")

    def serial(self):
        with open(os.path.join(self.dir, "serial"), "rb") as f:
            return f.read().decode(errors="replace")

    def wait_for(self, condition, why, seconds=10):
        end = time.monotonic() + seconds * PATIENCE
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failed(f"{why}: {tail(self.output())}")
            time.sleep(0.01)

    def alive(self):
        return self.process.poll() is None

    def exit_status(self, seconds=10):
        return self.process.wait(seconds * PATIENCE)

    def cpu_seconds(self):
        return cpu_seconds(self.process)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Monitor:
    """The readline monitor, typed at from a socket."""

    def __init__(self, machine):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10 * PATIENCE)
        self.socket.connect(machine.mon)
        self.until("(qemu) ")

    def until(self, prompt):
        text = b""
        while not text.endswith(prompt.encode()):
            data = self.socket.recv(65536)
            if not data:
                raise Failed(f"the monitor is gone after {text!r}")
            text += data
        return text.decode(errors="replace")

    def do(self, line):
        self.socket.sendall(line.encode() + b"\n")
        return self.until("(qemu) ")


class Gdb:
    """One gdb; connect=False leaves `target remote` to the test."""

    def __init__(self, machine=None, file=None, target="remote", settings=()):
        command = [GDB, "-nx", "-q"]
        for setting in ("pagination off", "confirm off", "width 0",
                        "style enabled off", *settings):
            command += ["-ex", f"set {setting}"]
        if file:
            command.append(file)
        self.text = ""
        self.marks = 0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        running.append(self.kill)
        self.do()
        if machine:
            self.connected = self.do(f"target {target} {machine.gdb}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def start(self, *commands):
        """Types commands without waiting for them."""
        self.marks += 1
        lines = [*commands, f"echo {MARK}{self.marks}\\n"]
        self.process.stdin.write(("\n".join(lines) + "\n").encode())
        self.process.stdin.flush()

    def wait(self, seconds=30):
        """What gdb printed until all typed commands were done."""
        mark = f"{MARK}{self.marks}\n"
        end = time.monotonic() + seconds * PATIENCE
        out = self.process.stdout
        while mark not in self.text:
            left = end - time.monotonic()
            if left <= 0:
                raise Failed(f"gdb does not answer within {seconds:g} s: "
                             f"{tail(self.text)}")
            if select.select([out], [], [], left)[0]:
                data = os.read(out.fileno(), 65536)
                if not data:
                    raise Failed(f"gdb ended: {tail(self.text)}")
                self.text += data.decode(errors="replace")
        text, self.text = self.text.split(mark, 1)
        return text.replace("(gdb) ", "")

    def do(self, *commands, seconds=30):
        self.start(*commands)
        return self.wait(seconds)

    def cpu_seconds(self):
        return cpu_seconds(self.process)

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)

    def value(self, expression):
        """A number; hex is understood."""
        text = self.do(f"output/x {expression}")
        found = re.search(r"0x[0-9a-f]+", text)
        if not found:
            raise Failed(f"{expression} gives {text.strip()!r}")
        return int(found[0], 16)

    def word(self, name):
        """The doubleword called name (assembler gives names no type)."""
        return self.value(f"*(unsigned long *)&{name}")

    def expect(self, command, *wanted, seconds=30):
        """Each of wanted (a regular expression) is in the output, in order."""
        text = self.do(command, seconds=seconds)
        at = 0
        for want in wanted:
            found = re.compile(want, re.M).search(text, at)
            if not found:
                raise Failed(f"{command!r}: no {want!r} in {text!r}")
            at = found.end()
        return text


def guest(name):
    """build/gdb/NAME.elf, made from tests/guest/NAME.S or .c."""
    base = os.path.join(TOP, "tests", "guest", name)
    source = base + (".S" if os.path.exists(base + ".S") else ".c")
    script = base + ".ld"
    if not os.path.exists(script):
        script = os.path.join(TOP, "tests", "guest", "gdb_flat.ld")
    target = os.path.join(TOP, "build", "gdb", name + ".elf")
    newest = max(map(os.path.getmtime, (source, script, __file__)))
    if os.path.exists(target) and os.path.getmtime(target) > newest:
        return target
    os.makedirs(os.path.dirname(target), exist_ok=True)
    new = f"{target}.{os.getpid()}"
    subprocess.run([CROSS + "gcc", *FLAGS, "-T", script, "-o", new, source],
                   check=True)
    os.rename(new, target)
    return target


def image(name):
    """The same as a raw image, which firmware starts where it lies."""
    elf = guest(name)
    raw = f"{elf}.{os.getpid()}.bin"
    subprocess.run([CROSS + "objcopy", "-O", "binary", elf, raw], check=True)
    atexit.register(os.unlink, raw)
    return raw


def at(kernel, stop=None, *args):
    """The guest, stopped at a breakpoint that is gone again."""
    m = Machine(*args, kernel=guest(kernel))
    g = Gdb(m, guest(kernel))
    if stop:
        g.do(f"break {stop}", "continue", "delete")
    return m, g


def high(*stops):
    """gdb_high, stopped at each of these in turn."""
    m = Machine(kernel=guest("gdb_high"))
    g = Gdb(m, guest("gdb_high"))
    for stop in stops:
        g.do(f"break *({stop})", "continue")
    g.do("delete")
    return m, g


class Wire:
    """A client that speaks the protocol itself, badly if asked to."""

    def __init__(self, machine):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(machine.gdb)
        self.socket.settimeout(10 * PATIENCE)
        self.data = b""

    def send(self, data):
        self.socket.sendall(data)

    def packet(self, text):
        text = text.encode("latin-1") if isinstance(text, str) else text
        self.send(b"$%s#%02x" % (text, sum(text) & 255))

    def reply(self):
        """The next packet's contents, acknowledged."""
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data, re.S)
            if found:
                self.data = self.data[found.end():]
                with contextlib.suppress(OSError):
                    self.send(b"+")  # the last words of a machine
                return re.sub(rb"(.)\*(.)", lambda m: m[1] * (m[2][0] - 28),
                              found[1], flags=re.S).decode("latin-1")
            data = self.socket.recv(65536)
            if not data:
                raise Failed("the stub hung up")
            self.data += data

    def ask(self, text):
        self.packet(text)
        return self.reply()

    def close(self):
        self.socket.close()


def tests(*functions):
    """lib.tests, with nothing left running between one and the next."""
    def clean(function):
        @functools.wraps(function)
        def run():
            try:
                function()
            finally:
                end_all()
        return run
    lib.tests(*map(clean, functions))


__all__ = ["CROSS", "DEMO", "Failed", "Gdb", "Machine", "Monitor",
           "NO_MORE_HISTORY", "Wire",
           "guest", "image", "need", "tests"]
