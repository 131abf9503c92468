# SPDX-License-Identifier: MIT
"""guests.py - small guests, assembled when a test wants them, and runs of the
emulator that are over soon."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile

from lib import EBREAK, PATIENCE, Failed, need

DIR = tempfile.mkdtemp(prefix="ebreak-cli-")
atexit.register(shutil.rmtree, DIR, True)

CC = os.environ.get("CROSS", "riscv64-linux-gnu-") + "gcc"

SPIN = "j ."

# Any number of harts count, wait and are interrupted, for ever: the demo kernel
# powers off after a few seconds, however long a loaded host takes to notice.
ENDLESS = """
    csrr t0, mhartid
    la   t1, 3f
    csrw mtvec, t1
    li   t2, 0x2004000
    slli t3, t0, 3
    add  t2, t2, t3
    li   t4, 0x200bff8
    ld   a2, 0(t4)
    sd   a2, 0(t2)
    li   t5, 0x80
    csrw mie, t5
    csrsi mstatus, 8
    la   s0, count
1:  amoadd.d a0, t5, (s0)
    addi s1, s1, 1
    andi a1, s1, 1023
    bnez a1, 1b
    wfi
    j    1b
    .balign 4
3:  ld   a2, 0(t4)
    addi a2, a2, 1000
    sd   a2, 0(t2)
    addi s2, s2, 1
    mret
    .balign 8
count: .dword 0
"""
ECHO = """
    li   s0, 0x10000000
    la   s1, text
1:  lbu  a0, 0(s1)
    beqz a0, 2f
    sb   a0, 0(s0)
    addi s1, s1, 1
    j    1b
2:  lbu  a0, 5(s0)
    andi a0, a0, 1
    beqz a0, 2b
    lbu  a0, 0(s0)
    sb   a0, 0(s0)
    j    2b
text: .asciz "hello\\n"
"""


def path(name):
    return os.path.join(DIR, name)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)
    return path(name)


def guest(name, source):
    """An ELF file that starts at the beginning of RAM."""
    elf = path(name)
    if not os.path.exists(elf):
        text = ".globl _start\n_start:\n" + source + "\n"
        subprocess.run([CC, "-nostdlib", "-static", "-no-pie",
                        "-march=rv64gc", "-mabi=lp64d", "-Wl,--build-id=none",
                        "-Wl,-Ttext=0x80000000", "-x", "assembler", "-",
                        "-o", elf], input=text.encode(), check=True)
    return elf


def finisher(value):
    """A guest that writes value to the test finisher and then spins."""
    return guest(f"finish-{value:x}", f"li t0, 0x100000\nli t1, {value}\n"
                                      f"sw t1, 0(t0)\nj .")


def bare(elf):
    return ["-bios", "none", "-kernel", elf]


def endless():
    return bare(guest("endless", ENDLESS))


class Ended:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def run(*args, say=b"", seconds=10):
    """Runs it to its end; nothing of it may be left then."""
    child = subprocess.Popen([EBREAK, "-display", "none", *args],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = child.communicate(say, seconds * PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        raise Failed(f"still runs after {seconds} s: {out[-200:]!r} "
                     f"{err[-200:]!r}") from None
    try:
        os.killpg(child.pid, 0)
        raise Failed("a process is left behind")
    except ProcessLookupError:
        pass
    return Ended(child.returncode, out.decode(errors="replace"),
                 err.decode(errors="replace"))


def exits(status, *args, **how):
    end = run(*args, **how)
    need(end.status == status,
         f"exit status {end.status}, not {status}: {end.out[-200:]!r} "
         f"{end.err[-200:]!r}")
    return end


def named(name, function):
    function.__name__ = name
    return function
