#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_edk2.py - EDK2 starts as S-mode firmware from flash bank 0.

The images are made by tests/guest/fetch.sh (package qemu-efi-riscv64).
"""

import shutil
import tempfile

from lib import GUEST, Machine, tests


def edk2(folder, *args):
    variables = f"{folder}/vars.fd"
    shutil.copy(f"{GUEST}/RISCV_VIRT_VARS.fd", variables)
    drive = "if=pflash,format=raw"
    m = Machine("-M", "virt,acpi=off", "-m", "512",
                "-drive", f"{drive},unit=0,readonly=on,"
                          f"file={GUEST}/RISCV_VIRT_CODE.fd",
                "-drive", f"{drive},unit=1,file={variables}", *args)
    m.expect("OpenSBI v")
    m.expect("0x0000000020000000")  # where it goes next
    return m


def edk2_starts_from_flash_and_its_shell_answers():
    with tempfile.TemporaryDirectory() as folder:
        m = edk2(folder)
        m.expect("UEFI Interactive Shell", 200)
        m.expect("to skip", 200)
        m.send("\x1b")  # five seconds of polling are long on an interpreter
        m.expect("Shell> ", 200)
        m.send("ver\r")
        m.expect("UEFI v2", 100)
        m.expect("Shell> ", 100)
        m.send("reset -s\r")
        m.exits(0, 60)


def edk2_starts_the_kernel_that_fw_cfg_has():
    with tempfile.TemporaryDirectory() as folder:
        m = edk2(folder, "-kernel", f"{GUEST}/Image",
                 "-initrd", f"{GUEST}/initramfs.cpio.gz",
                 "-append", "console=ttyS0")
        m.expect("EFI stub", 400)
        m.expect("efi: EFI v2", 120)
        m.expect("guest# ", 300)
        m.send("poweroff -f\n")
        m.exits(0, 60)


tests(edk2_starts_from_flash_and_its_shell_answers,
      edk2_starts_the_kernel_that_fw_cfg_has)
