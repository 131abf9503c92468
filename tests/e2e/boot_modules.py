#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_modules.py - Linux's modules in a real gdb: Debian's kernel, and modules
of the same package.

Debian's vmlinux is no ELF file and its debug symbols are a package of a
gigabyte. So gdb's file is made here from what the guest says in
/proc/kallsyms, once, into build/guest: names and addresses, no types. The
kernel is not randomized (CONFIG_RANDOMIZE_BASE is not set). It boots in about
two seconds.
"""

import base64
import gzip
import lzma
import os
import re
import subprocess
import sys
import tempfile
import time

import lib
from gdbclient import CROSS, Gdb, listening, need, running, tests
from lib import GUEST, TOP

PROMPT = "guest# "
BASE = 0xffffffff80000000
SIZE = 0x4000000
FIRMWARE = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf"

sys.path.insert(0, os.path.join(TOP, "tests", "guest"))
from initramfs import DIRECTORY, FILE, Archive  # noqa: E402


class Linux(lib.Machine):
    """Debian's, with modules in /lib; what is typed goes to its shell. more:
    files to put there, too."""

    def __init__(self, *args, more=()):
        self.dir = tempfile.TemporaryDirectory()
        self.gdb = os.path.join(self.dir.name, "gdb")
        if "-replay" not in args:
            args = ["-M", "virt", "-m", "512", "-kernel", f"{GUEST}/Image",
                    "-bios", FIRMWARE, "-initrd", initrd(self.dir.name, more),
                    "-append", "console=ttyS0 quiet", *args]
        super().__init__("-gdb", f"unix:{self.gdb},server=on,wait=off", *args)
        running.append(self.kill)
        while not listening(self.gdb) and self.process.poll() is None:
            time.sleep(0.01)
        if "-replay" not in args:
            self.expect(PROMPT, 60)


def module(name):
    with lzma.open(f"{GUEST}/modules/{name}.ko.xz") as f:
        return f.read()


def initrd(folder, more):
    """The usual one, and a second archive behind it."""
    archive = Archive()
    archive.add("lib", DIRECTORY)
    for name in "dummy", "brd":
        archive.add(f"lib/{name}.ko", FILE, module(name))
    for path in more:
        with open(path, "rb") as f:
            archive.add(f"lib/{os.path.basename(path)}", FILE, f.read())
    archive.add("TRAILER!!!", 0)
    with open(f"{GUEST}/initramfs.cpio.gz", "rb") as f:
        base = f.read()
    path = os.path.join(folder, "initrd")
    with open(path, "wb") as f:
        f.write(base + bytes(-len(base) % 4) + bytes(archive.out))
    return path


def assembler(kallsyms):
    """All names in one section without contents."""
    yield f'.section .kernel,"ax",@nobits\n_start_of_all:\n.skip {SIZE}'
    seen = set()
    for line in kallsyms.splitlines():
        at, _, name = line.split()[:3]
        offset = int(at, 16) - BASE
        if 0 <= offset < SIZE and name not in seen and "\t" not in line:
            seen.add(name)
            yield (f'.set "{name}", _start_of_all + {offset}\n'
                   f'.globl "{name}"\n.type "{name}", @function')


def symbols():
    """build/guest/kernel.elf, newer than the kernel that it is of."""
    elf = f"{GUEST}/kernel.elf"
    if os.path.exists(elf) and \
            os.path.getmtime(elf) > os.path.getmtime(f"{GUEST}/Image"):
        return elf
    m = Linux()
    text = m.run("gzip -c /proc/kallsyms | base64; echo .e''nd", ".end", 60)
    m.kill()
    kallsyms = gzip.decompress(base64.b64decode("".join(text.split())))
    new = f"{elf}.{os.getpid()}"
    source = "\n".join(assembler(kallsyms.decode())) + "\n"
    subprocess.run([CROSS + "as", "-o", f"{new}.o", "-"],
                   input=source.encode(), check=True)
    subprocess.run([CROSS + "ld", "-e", "0", "-o", new, f"{new}.o",
                    f"--section-start=.kernel={BASE:#x}"], check=True)
    os.unlink(f"{new}.o")
    os.rename(new, elf)
    return elf


def gdb(machine):
    return Gdb(machine, symbols(), settings=["breakpoint pending on"])


def go_on(g, m, typed):
    """gdb continues, then somebody types; what gdb says when it stops."""
    m.text, m.seen = "", 0
    g.start("continue")
    m.send(typed + "\n")
    return g.wait()


def until_typed(g, m, typed):
    """The same, but it does not stop by itself."""
    m.text, m.seen = "", 0
    g.start("continue")
    m.send(typed + "; echo d''one\n")
    m.expect("done", 30)
    g.interrupt()
    return g.wait()


def has(text, *wanted):
    for want in wanted:
        need(re.search(want, text, re.M), f"no {want!r} in {text!r}")


def at_its_first_insmod(*args):
    m = Linux(*args)
    g = gdb(m)
    has(g.do("break dummy_init_module"), "pending")
    has(go_on(g, m, "insmod /lib/dummy.ko"),
        r"Breakpoint 1, 0x\w+ in dummy_init_module \(\)")
    return m, g


def session_43_a_pending_breakpoint_is_hit_at_the_first_insmod():
    m, g = at_its_first_insmod("-smp", "2")
    has(g.do("bt"), r"#0 .* in dummy_init_module \(\) from .*/dummy\.ko",
        r"in do_one_initcall \(\)", r"in do_init_module \(\)")
    has(g.do("info sharedlibrary"), r"^0x0+80000000 .*fw_dynamic\.elf",
        r"^0xffffffff0\w+ .* Yes .*/modules/\w+/dummy\.ko")
    has(g.do("info os modules"), r"^dummy +0xffffffff0\w+ +starting")
    g.do("delete")
    until_typed(g, m, "true")
    g.do("break dummy_get_stats64")
    has(go_on(g, m, "ifconfig -a"), r"Breakpoint 2, .* in dummy_get_stats64")
    has(g.do("info os modules"), r"^dummy +0xffffffff0\w+ +live")


def modules_come_and_go_also_in_reverse():
    m, g = at_its_first_insmod()
    g.do("break brd_init")
    has(go_on(g, m, "rmmod dummy; insmod /lib/brd.ko"), "Breakpoint 2, .*brd_i")
    text = g.do("info sharedlibrary")
    need("brd.ko" in text and "dummy.ko" not in text, text)
    has(g.do("info breakpoints"), r"<PENDING> +dummy_init_module")
    g.do("reverse-continue")  # to the beginning: gdb knows only brd's code
    g.do("delete 2")
    has(g.do("continue"), r"Breakpoint 1, .* in dummy_init_module")
    has(g.do("reverse-stepi", "info symbol $pc"), "dummy_init_module")
    text = g.do("info sharedlibrary")
    need("dummy.ko" in text and "brd.ko" not in text, text)


def where(g):
    return g.do("monitor when"), g.do("monitor hash")


def what_is_read_for_gdb_changes_nothing():
    """A replay that nobody looks into comes to the same as one that a gdb
    with modules is at, interpreted at that."""
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "run.ebr")
        m, g = at_its_first_insmod("-record", run)
        there = where(g)
        t = re.search(r"\d+", there[0])[0]
        g.do("stepi")  # what is typed at a T comes before its instruction
        until_typed(g, m, "true")
        g.kill()
        m.process.terminate()  # the recording is written to its end
        m.process.wait()
        g = Gdb(Linux("-replay", run))
        g.do(f"monitor goto {t}")
        need(where(g) == there, f"{where(g)}, not {there}")
        g = gdb(Linux("-replay", run, "-S", "-accel", "interp"))
        has(g.do("break dummy_init_module", "continue"), "Breakpoint 1, ")
        need(where(g) == there, f"{where(g)}, not {there}")


def a_gdb_that_knows_no_modules_is_not_stopped_by_them():
    m = Linux()
    other = Gdb(m)
    other.start("continue")
    g = gdb(m)
    text = until_typed(g, m, "insmod /lib/dummy.ko")
    need("SIGINT" in text, text)
    has(g.do("info sharedlibrary"), r"Yes .*/dummy\.ko")


def each_of_two_gdbs_has_time_to_set_its_breakpoints():
    m = Linux()
    g, other = gdb(m), gdb(m)
    g.do("break dummy_init_module")
    other.do("break dummy_dev_init")  # it comes later
    other.start("continue")
    has(go_on(g, m, "insmod /lib/dummy.ko"), "Breakpoint 1, .*dummy_init_mod")
    has(other.wait(), "SIGTRAP")
    other.do("delete", "break dummy_init_module", "set stop-on-solib-events 1")
    g.do("delete", "break brd_init")
    until_typed(g, m, "true")
    other.start("continue")
    g.start("continue")
    m.send("insmod /lib/brd.ko\n")
    has(other.wait(), "Stopped due to shared library event")
    other.kill()  # it would have to continue first
    has(g.wait(), "Breakpoint 2, .*brd_init")


def made_for(kernels):
    """What depends on the kernel, as the preprocessor wants it; out of a module
    of its own."""
    with tempfile.NamedTemporaryFile(suffix=".ko") as f:
        f.write(kernels)
        f.flush()
        text = subprocess.run([CROSS + "readelf", "-SrW", f.name], check=True,
                              capture_output=True, text=True).stdout
    size = re.search(r"this_module +PROGBITS +\w+ \w+ (\w+)", text)[1]
    relocations = text[text.index("section '.rela.gnu.linkonce.this"):]
    init, leave = (re.search(rf"^(\w+) .* {name}_module ", relocations, re.M)[1]
                   for name in ("init", "cleanup"))
    magic = re.search(rb"\0vermagic=([^\0]*)\0", kernels)[1].decode()
    at = kernels.index(b"module_layout\0")
    layout = int.from_bytes(kernels[at - 8:at], "little")
    return [f'-DVERMAGIC="{magic}"', f"-DLAYOUT={layout:#x}",
            f"-DSIZE=0x{size}", f"-DINIT=0x{init}", f"-DEXIT=0x{leave}"]


def with_debug_information(folder):
    """tests/guest/gdb_module.c, and the same without its debug information."""
    ko, stripped = (os.path.join(folder, name)
                    for name in ("gdb-module.ko", "stripped.ko"))
    subprocess.run([CROSS + "gcc", "-march=rv64imac_zicsr_zifencei",
                    "-mabi=lp64", "-mcmodel=medany", "-fno-pic", "-O1", "-g",
                    "-ffreestanding", "-fno-stack-protector",
                    "-fno-asynchronous-unwind-tables", "-nostdlib", "-r",
                    "-Wl,--build-id", *made_for(module("dummy")), "-o", ko,
                    os.path.join(TOP, "tests", "guest", "gdb_module.c")],
                   check=True)
    subprocess.run([CROSS + "strip", "-d", "-o", stripped, ko], check=True)
    return ko, stripped


def lines_are_shown(m, inserted):
    g = gdb(m)
    g.do("break gdb_module_sum")
    has(go_on(g, m, f"insmod /lib/{inserted}"),
        r"Breakpoint 1, gdb_module_sum \(times=.*3\) at .*gdb_module\.c:\d+")
    has(g.do("print numbers"), r"\{0, 0, 7, 0\}")
    has(g.do("finish"), r"in start \(\) at .*gdb_module\.c", r" = 21$")


def with_its_file_in_a_folder_a_module_has_lines():
    with tempfile.TemporaryDirectory() as folder:
        ko, stripped = with_debug_information(folder)
        with lzma.open(ko + ".xz", "w") as out, open(ko, "rb") as f:
            out.write(f.read())
        os.unlink(ko)
        m = Linux("-gdb-modules", folder, more=[stripped])
        lines_are_shown(m, "stripped.ko")


def with_its_file_in_the_ramdisk_a_module_has_lines():
    with tempfile.TemporaryDirectory() as folder:
        ko, _ = with_debug_information(folder)
        lines_are_shown(Linux(more=[ko]), "gdb-module.ko")


tests(session_43_a_pending_breakpoint_is_hit_at_the_first_insmod,
      modules_come_and_go_also_in_reverse,
      what_is_read_for_gdb_changes_nothing,
      a_gdb_that_knows_no_modules_is_not_stopped_by_them,
      each_of_two_gdbs_has_time_to_set_its_breakpoints,
      with_its_file_in_a_folder_a_module_has_lines,
      with_its_file_in_the_ramdisk_a_module_has_lines)
