#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_linux.py - Debian's own kernel boots to a shell and powers off.

The images are made by tests/guest/fetch.sh.
"""

import os
import re
import tempfile
import time
import types

from gdbclient import Wire
from lib import GUEST, Machine, need, tests

PROMPT = "guest# "


def linux(*args, append=""):
    m = Machine("-M", "virt", "-m", "512",
                "-kernel", f"{GUEST}/Image",
                "-initrd", f"{GUEST}/initramfs.cpio.gz",
                "-append", f"console=ttyS0 {append}", *args)
    m.expect("Linux version 6.", 60)
    m.expect("ebreak: /init runs on", 300)
    m.expect(PROMPT, 60)
    return m


def shell_works_with(harts):
    m = linux("-smp", str(harts))
    count = m.run("nproc", PROMPT)
    need(count.split() == [str(harts)], f"nproc says {count!r}")
    sum_ = m.run("echo $((6 * 7))", PROMPT)
    need(sum_.split() == ["42"], f"6 * 7 is {sum_!r}")
    isa = m.run("grep -m 1 isa /proc/cpuinfo", PROMPT)
    need("rv64imafdc" in isa, f"isa is {isa!r}")
    m.run("md5sum /bin/busybox > /tmp/a; md5sum /bin/busybox > /tmp/b", PROMPT)
    same = m.run("cmp /tmp/a /tmp/b && echo s''ame", PROMPT)
    need("same" in same, f"the same file has two sums: {same!r}")
    irqs = m.run("cat /proc/interrupts", PROMPT)
    need("ttyS0" in irqs, f"no serial interrupts: {irqs!r}")
    return m


def linux_on_one_hart_runs_a_shell_and_powers_off():
    m = shell_works_with(1)
    m.send("poweroff -f\n")
    m.expect("reboot: Power down", 60)
    m.exits(0)


def linux_on_four_harts_runs_a_shell_and_powers_off():
    m = shell_works_with(4)
    m.run("for h in 1 2 3 4; do md5sum /bin/busybox & done; wait", PROMPT, 60)
    m.send("poweroff -f\n")
    m.expect("reboot: Power down", 60)
    m.exits(0)


def linux_reboot_ends_the_run_with_no_reboot():
    m = linux("-no-reboot")
    m.send("reboot -f\n")
    m.expect("reboot: Restarting system", 60)
    m.exits(0)


def know(wire, addresses):
    """Answers what the stub asks for, as a gdb with vmlinux would."""
    wire.ask("qSupported:multiprocess+")
    wire.ask("?")
    reply = wire.ask("qSymbol::")
    while reply != "OK":
        name = bytes.fromhex(reply.split(":")[1]).decode()
        reply = wire.ask(f"qSymbol:{addresses.get(name, '')}:"
                         f"{name.encode().hex()}")


def linux_tasks_are_known_by_a_kernels_symbols():
    with tempfile.TemporaryDirectory() as folder:
        port = os.path.join(folder, "gdb")
        m = linux("-smp", "2", "-gdb", f"unix:{port},server=on,wait=off")
        addresses = {}
        for name in ("linux_banner", "init_task"):
            text = m.run(f"grep -w {name} /proc/kallsyms", PROMPT)
            addresses[name] = re.search(r"\bffffffff[0-9a-f]+", text)[0]
        m.send("while :; do :; done\n")
        w = Wire(types.SimpleNamespace(gdb=port))
        know(w, addresses)
        kernel = w.ask("qXfer:osdata:read:kernel:0,1000")
        need("Linux version 6." in kernel, kernel)
        for _ in range(20):
            text = w.ask("qXfer:threads:read::0,1000")
            if "U-mode, sh<" in text and ", swapper/" in text:
                break
            w.packet("vCont;c")
            time.sleep(0.05)
            w.send(b"\x03")
            w.reply()
        need("U-mode, sh<" in text and ", swapper/" in text, text)
        m.kill()


tests(linux_on_one_hart_runs_a_shell_and_powers_off,
      linux_on_four_harts_runs_a_shell_and_powers_off,
      linux_reboot_ends_the_run_with_no_reboot,
      linux_tasks_are_known_by_a_kernels_symbols)
