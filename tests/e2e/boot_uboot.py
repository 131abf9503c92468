#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_uboot.py - U-Boot (Debian's package u-boot-qemu) in M and in S mode."""

from lib import Machine, need, tests

FOLDER = "/usr/lib/u-boot"


def answers(m):
    m.expect("U-Boot 20")
    m.expect("Hit any key to stop autoboot")
    m.send("\n")
    m.expect("=> ")
    version = m.run("version", "=> ")
    need("U-Boot 20" in version, f"version says {version!r}")
    bdinfo = m.run("bdinfo", "=> ")
    need("0x0000000080000000" in bdinfo, f"bdinfo says {bdinfo!r}")
    need("relocaddr" in bdinfo, f"bdinfo says {bdinfo!r}")
    m.send("poweroff\n")
    m.exits(0)


def u_boot_in_m_mode_reaches_its_prompt():
    answers(Machine("-M", "virt", "-bios", f"{FOLDER}/qemu-riscv64/u-boot.bin"))


def u_boot_in_s_mode_reaches_its_prompt():
    answers(Machine("-M", "virt", "-kernel",
                    f"{FOLDER}/qemu-riscv64_smode/u-boot.bin"))


def u_boot_comes_back_after_a_reset():
    m = Machine("-M", "virt", "-kernel",
                f"{FOLDER}/qemu-riscv64_smode/u-boot.bin")
    for _ in range(2):
        m.expect("Hit any key to stop autoboot")
        m.send("\n")
        m.expect("=> ")
        m.send("reset\n")
    m.expect("OpenSBI v")
    m.kill()


tests(u_boot_in_m_mode_reaches_its_prompt,
      u_boot_in_s_mode_reaches_its_prompt,
      u_boot_comes_back_after_a_reset)
