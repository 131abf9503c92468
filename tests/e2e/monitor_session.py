#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitor_session.py - the human monitor as scripts and people drive it: over
a socket, on a terminal shared with the guest, and during start-up."""

import fcntl
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import tempfile
import termios
import time

from lib import EBREAK, Failed, PATIENCE, need, tests

PROMPT = "(qemu) "
BANNER = "monitor - type 'help' for more information"
DIR = tempfile.mkdtemp(prefix="ebreak-monitor-")
ENVIRONMENT = dict(os.environ, EBREAK_HISTORY=os.path.join(DIR, "history"),
                   TERM="xterm")


class Line:
    """One end of a line that a monitor is on."""

    def __init__(self, fd):
        self.fd = fd
        self.text = ""

    def send(self, text):
        os.write(self.fd, text.encode())

    def expect(self, what, seconds=20):
        """Waits for a text; returns all that came before it."""
        end = time.monotonic() + seconds * PATIENCE
        while what not in self.text:
            left = end - time.monotonic()
            ready = select.select([self.fd], [], [], max(left, 0))[0]
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:  # a pty whose other end is closed
                data = b""
            if not data:
                raise Failed(f"no {what!r}; last: {self.text[-300:]!r}")
            self.text += data.decode("utf-8", "replace")
            self.text = self.text.replace("\r\r\n", "\r\n")  # a terminal's
        before, self.text = self.text.split(what, 1)
        return before

    def ask(self, command, seconds=20):
        """Types a command; what it prints, with plain line ends."""
        self.send(command + "\n")
        self.expect(command + "\r\n", seconds)
        return self.expect(PROMPT, seconds).replace("\r\n", "\n")

    def says(self, command, *parts):
        got = self.ask(command)
        for part in parts:
            need(part in got, f"{command}: {got!r}")
        return got


def own_terminal():
    """In the child: stdin is the terminal it is controlled from."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Emulator:
    def __init__(self, *args, tty=False):
        self.master = None
        if tty:
            self.master, self.slave = pty.openpty()
            streams = dict(stdin=self.slave, stdout=self.slave,
                           stderr=self.slave, preexec_fn=own_terminal)
        else:
            streams = dict(stdin=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [EBREAK, "-display", "none", *args], env=ENVIRONMENT, **streams)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master is not None:
            os.close(self.master)
            os.close(self.slave)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def connect(self, path, seconds=20):
        end = time.monotonic() + seconds * PATIENCE
        while True:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                return Line(s.detach())
            except OSError as why:
                s.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Failed(f"cannot connect to {path}: {why}") from why
                time.sleep(0.01)

    def exits(self, status, seconds=20):
        got = self.process.wait(seconds * PATIENCE)
        need(got == status, f"exit status {got}, not {status}")


def on_socket(*args, monitors=1):
    """An emulator that stands at reset, with monitors on unix sockets."""
    paths = [os.path.join(DIR, f"m{n}") for n in range(monitors)]
    options = []
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)
        options += ["-monitor", f"unix:{path},server=on,wait=off"]
    e = Emulator("-serial", "null", "-S", *options, *args)
    lines = [e.connect(path) for path in paths]
    for line in lines:
        line.expect(BANNER + "\r\n" + PROMPT)
    return e, lines


def a_socket_answers_as_qemu_does():
    e, (mon,) = on_socket("-smp", "2", "-name", "box")
    with e:
        mon.says("info status", "VM status: paused (prelaunch)\n")
        mon.says("info name", "box\n")
        mon.says("info cpus", "* CPU #0: thread_id=", "\n  CPU #1: ")
        mon.says("info roms", "addr=0000000000001000 size=0x000028 mem=rom "
                 'name="mrom.reset"\n', 'name="fdt"')
        mon.says("info mtree", "  0000000000000000-ffffffffffffffff (prio 0, "
                 "i/o): system\n    0000000000001000-000000000000ffff (prio "
                 "0, rom): riscv_virt_board.mrom\n",
                 "    0000000080000000-0000000087ffffff (prio 0, ram): "
                 "riscv_virt_board.ram\n")
        mon.says("info mtree -f", "FlatView #0\n AS \"memory\", root: system")
        mon.says("info qtree", "bus: main-system-bus\n  type System\n  dev: ",
                 "  dev: serial-mm, id \"\"\n    gpio-out \"sysbus-irq\" 1\n")
        mon.says("info chardev", "compat_monitor0: filename=unix:")
        mon.says("info mem", "No translation or protection\n")
        mon.says("info phase", "* machine-ready\n")
        mon.says("info irq", "hart")
        mon.says("info registers", "\nCPU#0\n pc       0000000000001000\n"
                 " mhartid  0000000000000000\n", " x0/zero  0000000000000000 "
                 "x1/ra    ", "x31/t6   0000000000000000\n fcsr     ")
        mon.says("x/16wx 0x1000",
                 "0000000000001000: 0x00000297 0x02828613 0xf1402573 "
                 "0x0202b583\n0000000000001010: 0x0182b283 0x00028067 "
                 "0x80000000 0x00000000\n")
        mon.says("x/2i 0x1000", "0x00001000:  00000297          auipc       "
                 "            t0,0                    # 0x1000\n"
                 "0x00001004:  02828613          addi                    "
                 "a2,t0,40\n")
        mon.says("p/x ($pc + 4) << 1", "0x2008\n")
        mon.says("gva2gpa 0x80000000", "gpa: 0x80000000\n")
        mon.says("gpa2hva 0x80000000", "(riscv_virt_board.ram) is 0x")
        mon.says("nosuch", "unknown command: 'nosuch'\n")


def run_control():
    loop = os.path.join(DIR, "loop")
    with open(loop, "wb") as f:
        f.write(b"\x6f\0\0\0")  # j .
    e, (mon,) = on_socket("-bios", loop)
    with e:
        mon.says("step", "0x00001004:  ")
        mon.says("step 5", "0x80000000:  ")
        t = mon.says("when", "T=6 ")
        entry = int(mon.ask("p/x $t0"), 16)
        mon.says("system_reset")
        while "0x1000\n" not in mon.ask("p/x $pc"):
            time.sleep(0.01)
        mon.says("info status", "paused (prelaunch)")
        mon.says(f"break {entry}", f"Point 1: breakpoint at {entry:#x}\n")
        mon.send("cont\n")
        mon.expect(f"Point 1: hart 0 at {entry:#x}\r\n{entry:#010x}:  ")
        mon.says("info status", "VM status: paused (debug)\n")
        need(mon.ask("when").split()[0] != t.split()[0], "T went on")
        mon.says("delete 1")
        need(mon.ask("info points") == "", "it is deleted")
        mon.says("cont")
        mon.says("info status", "VM status: running\n")
        mon.says("step", "Error: the machine is running, stop it first\n")
        mon.says("stop")
        mon.says("info status", "VM status: paused\n")
        mon.says("p/x $pc", "0x80000000\n")
        mon.send("quit\n")
        e.exits(0)


def monitors_share_a_machine_but_not_a_default_hart():
    e, (one, two) = on_socket("-smp", "2", monitors=2)
    with e:
        one.says("cpu 1")
        one.says("p/d $mhartid", "1\n")
        two.says("p/d $mhartid", "0\n")
        two.says("cpu 2", "invalid CPU index\n")
        two.says("break 0x80000000", "Point 1")
        one.send("c\n")
        two.expect("Point 1: hart ")
        one.expect("Point 1: hart ")


def a_client_comes_back():
    e, (mon,) = on_socket()
    with e:
        mon.says("watch 0x80001000 4", "Point 1: watchpoint at 0x80001000\n")
        os.close(mon.fd)
        mon = e.connect(os.path.join(DIR, "m0"))
        mon.expect(BANNER + "\r\n" + PROMPT)
        mon.says("info points", "1   watchpoint         0x0000000080001000  4 "
                 "bytes\n")


def a_client_that_does_not_read_stalls_nobody():
    e, (deaf, mon) = on_socket(monitors=2)
    with e:
        os.set_blocking(deaf.fd, False)
        line = b"x/100000bx 0x80000000\n" * 100
        try:
            for _ in range(1000):
                os.write(deaf.fd, line)
        except BlockingIOError:
            pass
        mon.says("info status", "VM status: ")
        mon.says("p/d 6*7", "42\n")
        with open(f"/proc/{e.process.pid}/status") as f:
            kib = int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1))
        if "san" not in EBREAK:
            need(kib < 100 * 1024, f"it holds {kib} KiB")


def memory_goes_to_files():
    e, (mon,) = on_socket()
    with e:
        name = os.path.join(DIR, "dump")
        mon.says(f'memsave 0x80000000 70000 "{name}"')
        with open(name, "rb") as f:
            virtual = f.read()
        need(len(virtual) == 70000, f"{len(virtual)} bytes")
        mon.says(f'pmemsave 0x80000000 70000 "{name}"')
        with open(name, "rb") as f:
            need(f.read() == virtual, "both views are the same")
        words = mon.ask("x/wx 0x80000000").split()
        need(int(words[1], 16) == int.from_bytes(virtual[:4], "little"),
             "x shows the same")
        total = 0
        for byte in virtual[:64]:
            total = ((total >> 1 | total << 15) + byte) & 0xffff
        mon.says("sum 0x80000000 64", f"{total:05d}\n")


def the_log_can_be_switched_on():
    e, (mon,) = on_socket()
    with e:
        name = os.path.join(DIR, "log")
        mon.says(f"logfile {name}")
        mon.says("log in_asm")
        mon.says("step 2")
        mon.says("log none")
        mon.says("log nosuch", "Log items (comma separated):\n")


def gdbserver_opens_and_closes_a_port():
    e, (mon,) = on_socket()
    with e:
        path = os.path.join(DIR, "gdb")
        device = f"unix:{path},server=on,wait=off"
        mon.says(f"gdbserver {device}",
                 f"Waiting for gdb connection on device '{device}'\n")
        gdb = e.connect(path)
        gdb.send("$?#3f")
        gdb.expect("$T05")
        os.close(gdb.fd)
        mon.says("gdbserver none", "Disabled gdbserver\n")
        mon.says("gdbserver nosuch:", "Could not open gdbserver on device "
                 "'nosuch:': ")


def start_up_can_be_walked():
    e, (mon,) = on_socket("--preconfig", "-smp", "2")
    with e:
        mon.says("info status", "VM status: paused (prelaunch)\n")
        mon.says("info version", ".")
        mon.says("x/4i 0", "Command 'x' is available from phase ")
        mon.says("stop", "Command 'stop' is available from phase "
                 "machine-ready on")
        mon.says("info registers", "available from phase machine-initialized")
        mon.says("phase", "phase: none\n", "next step: main-loop")
        mon.says("phase step", "next step: clocks")
        need(mon.ask("info mtree") == "", "there is no memory yet")
        mon.says("phase next", "phase: machine-created\n")
        mon.says("phase until late-backends-created",
                 "phase: late-backends-created\n")
        mon.says("phase until nosuch", "Error: there is no phase or step "
                 "'nosuch'\n")
        mon.says("phase until harts", "next step: clint")
        mon.says("info phase", "  -> clint ")
        mon.says("info cpus", "* CPU #0", "  CPU #1")
        need("riscv_virt_board.ram" not in mon.ask("info mtree"), "no RAM yet")
        mon.says("phase until dram", "next step: mrom")
        mon.says("info mtree", "riscv_virt_board.ram")
        need("serial-mm" not in mon.ask("info qtree"), "no UART yet")
        mon.says("phase next", "phase: machine-initialized\n")
        mon.says("info qtree", "serial-mm")
        need(mon.ask("info roms") == "", "no images yet")
        mon.says("exit_preconfig")
        mon.says("info roms", "mrom.reset")
        mon.says("phase", "phase: machine-ready\n")
        mon.says("p/x $pc", "0x1000\n")
        mon.says("exit_preconfig", "Error: The command is permitted only "
                 "before machine initialization\n")
        mon.send("quit\n")
        e.exits(0)


def preconfig_ends_on_quit():
    e, (mon,) = on_socket("--preconfig")
    with e:
        mon.send("quit\n")
        e.exits(0)


def monitor_and_guest_share_a_terminal():
    with Emulator("-serial", "mon:stdio", "-S", tty=True) as e:
        mon = Line(e.master)
        while e.echoes() and e.process.poll() is None:
            time.sleep(0.01)
        mon.send("\x01h")
        mon.expect("C-a c    switch between console and monitor")
        mon.send("\x01c")
        mon.expect(BANNER + "\r\n" + PROMPT)
        mon.send("info statu\t\r")  # completed
        mon.expect("VM status: paused (prelaunch)\r\n" + PROMPT)
        mon.send("p/d 13\x1b[D2\r")  # edited
        mon.expect("\n123\r\n" + PROMPT)
        mon.send("\x1b[A\x1b[A\r")  # recalled
        mon.expect("VM status: paused (prelaunch)\r\n" + PROMPT)
        mon.send("p/d 4")
        mon.send("\x01c\x01c")  # away and back: what was typed is kept
        mon.expect(PROMPT)
        mon.send("2\r")
        mon.expect("\n42\r\n" + PROMPT)
        mon.send("\x01x")
        mon.expect("ebreak: Terminated")
        e.exits(0)
        need(e.echoes(), "the terminal is as it was")
    with open(ENVIRONMENT["EBREAK_HISTORY"]) as f:
        need("status" in f.read(), "the history is in its file")


def a_pipe_on_stdin_is_a_script():
    r = subprocess.run([EBREAK, "-display", "none", "-serial", "null",
                        "-monitor", "stdio", "-S"], capture_output=True,
                       input=b"step 2\np/x $pc\nquit\n", env=ENVIRONMENT,
                       timeout=20 * PATIENCE, check=False)
    need(r.returncode == 0, f"exit status {r.returncode}")
    need(b"\n0x1008\r\n" in r.stdout, repr(r.stdout))


try:
    tests(a_socket_answers_as_qemu_does, run_control,
          monitors_share_a_machine_but_not_a_default_hart,
          a_client_comes_back, a_client_that_does_not_read_stalls_nobody,
          memory_goes_to_files, the_log_can_be_switched_on,
          gdbserver_opens_and_closes_a_port, start_up_can_be_walked,
          preconfig_ends_on_quit, monitor_and_guest_share_a_terminal,
          a_pipe_on_stdin_is_a_script)
finally:
    shutil.rmtree(DIR, ignore_errors=True)
