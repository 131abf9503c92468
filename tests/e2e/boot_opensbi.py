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


def opensbi_sees_64_harts_and_64_gib():
    m = Machine("-M", "virt", "-bios", "default", "-smp", "64", "-m", "64G")
    m.expect("Platform HART Count", 120)  # 63 harts spin while one works
    need(m.expect("\n").strip() == ": 64", "not 64 harts")
    m.expect("Boot HART MEDELEG", 120)
    with open(f"/proc/{m.process.pid}/status", encoding="ascii") as status:
        resident = [s.split()[1] for s in status if s.startswith("VmRSS")]
    need(int(resident[0]) < 300 * 1024, f"{resident[0]} kB are resident")
    m.kill()


def aclint_is_found_by_opensbi():
    m = Machine("-M", "virt,aclint=on", "-bios", "default", "-smp", "2")
    m.expect("Platform IPI Device")
    need("aclint-mswi" in m.expect("\n"), "no aclint-mswi")
    m.expect("Boot HART MEDELEG")
    m.kill()


tests(opensbi_prints_its_banner_and_the_board_it_sees,
      opensbi_sees_64_harts_and_64_gib,
      aclint_is_found_by_opensbi)
