#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_edk2.py - EDK2 starts as S-mode firmware from flash bank 0.

The images are made by tests/guest/fetch.sh (package qemu-efi-riscv64).
"""

import shutil
import tempfile

from lib import GUEST, Machine, tests


def edk2_starts_from_flash():
    with tempfile.TemporaryDirectory() as folder:
        variables = f"{folder}/vars.fd"
        shutil.copy(f"{GUEST}/RISCV_VIRT_VARS.fd", variables)
        drive = "if=pflash,format=raw"
        m = Machine("-M", "virt,acpi=off", "-m", "512",
                    "-drive", f"{drive},unit=0,readonly=on,"
                              f"file={GUEST}/RISCV_VIRT_CODE.fd",
                    "-drive", f"{drive},unit=1,file={variables}")
        m.expect("OpenSBI v", 30)
        m.expect("0x0000000020000000", 30)  # Domain0 Next Address
        m.expect("UEFI firmware", 120)
        m.kill()


tests(edk2_starts_from_flash)
