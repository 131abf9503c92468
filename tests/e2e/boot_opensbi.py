#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_opensbi.py - the default firmware (Debian's package opensbi) starts."""

from lib import Machine, need, tests


def opensbi_prints_its_banner_and_the_board_it_sees():
    m = Machine("-M", "virt", "-bios", "default", "-smp", "2")
    m.expect("OpenSBI v")
    for name, value in (("Platform Name", "riscv-virtio,qemu"),
                        ("Platform HART Count", "2"),
                        ("Platform IPI Device", "aclint-mswi"),
                        ("Platform Timer Device", "aclint-mtimer @ 10000000Hz"),
                        ("Platform Console Device", "uart8250"),
                        ("Firmware Base", "0x80000000")):
        m.expect(name)
        line = m.expect("\n").strip().lstrip(": ")
        need(line == value, f"{name} is {line!r}, not {value!r}")
    m.expect("Boot HART MEDELEG")
    m.kill()


tests(opensbi_prints_its_banner_and_the_board_it_sees)
