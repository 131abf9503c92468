#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb_programs.py - what gdb learns of the programs in memory by itself."""

import os
import subprocess

from gdbclient import CROSS, DEMO, Gdb, Machine, Monitor, guest, need, tests


def session_14_a_break_by_name_is_hit_before_and_after_the_mmu_is_on():
    m = Machine(kernel=guest("gdb_high"))
    g = Gdb(m, guest("gdb_high"))
    g.expect("break _start", r"\(2 locations\)")
    g.expect("continue", r"Breakpoint 1(\.1)?, _start")
    need(g.value("$pc") >> 32 == 0, "at its physical address")
    g.expect("info symbol $pc", "_start in section .text")


def session_13_code_can_be_read_at_its_own_address_before_the_mmu_is_on():
    m = Machine(kernel=guest("gdb_high"))
    g = Gdb(m, guest("gdb_high"))
    text = g.expect("x/2i 0xffffffff80000000", "<_start>:")
    need("Cannot" not in text, text)
    need("Cannot access" in g.do("set var *(int *)0xffffffff80000000 = 0"),
         "but it is not there")


def without_a_file_gdb_finds_the_kernel():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, target="extended-remote")
    g.expect("info files", f'Symbols from "target:{guest("gdb_timer")}"')
    g.do("break work")
    g.expect("continue", "Breakpoint 1, work", "gdb_timer.c")


def without_a_file_gdb_finds_the_demo_that_is_built_in():
    m = Machine("-smp", "2", bios=None)
    g = Gdb(m)
    g.do("break kernel_main")
    g.expect("continue", r"Breakpoint 1, kernel_main \(\)")


def firmware_is_a_library():
    kernel = guest("gdb_idle") + f".{os.getpid()}"
    subprocess.run([CROSS + "objcopy", "--change-addresses", "0x800000",
                    guest("gdb_idle"), kernel], check=True)
    try:
        m = Machine(kernel=kernel, bios=guest("gdb_timer"))
        g = Gdb(m)
        g.expect("info files", f'Symbols from "target:{kernel}"')
        g.expect("info sharedlibrary", "^0x0+80000000 .*gdb_timer.elf")
        g.do("break work")
        g.expect("continue", "Breakpoint 1, work", "gdb_timer.c")
    finally:
        os.unlink(kernel)


def only_images_of_the_machine_can_be_read():
    m = Machine(kernel=guest("gdb_timer"))
    g = Gdb(m, target="extended-remote")
    copy = os.path.join(m.dir, "copy")
    g.expect(f"remote get {guest('gdb_timer')} {copy}", "Successfully fetched")
    with open(copy, "rb") as a, open(guest("gdb_timer"), "rb") as b:
        need(a.read() == b.read(), "the same bytes")
    g.expect(f"remote get /etc/passwd {copy}", "No such file")
    g.expect(f"remote put {copy} /tmp/ebreak-put", "Read-only file system")
    need(not os.path.exists("/tmp/ebreak-put"), "and nothing is written")


def info_symbol_of_the_monitor_needs_no_gdb():
    m = Machine(kernel=guest("gdb_high"))
    monitor = Monitor(m)
    need("is _start+0x0" in monitor.do("symbol 0x80000000"), "physical")
    need("is _start+0x4" in monitor.do("symbol 0xffffffff80000004"), "virtual")
    need("No symbol" in monitor.do("symbol 0x1000"), "the reset ROM")


def with_a_kernels_symbols_threads_have_their_tasks_names():
    m = Machine(kernel=guest("gdb_tasks"))
    g = Gdb(m, guest("gdb_tasks"))
    text = g.do("info threads")
    need("swapper" not in text, text)
    g.do("break *in_kernel", "continue")
    g.expect("info threads", r'"hart0" \(S-mode, swapper/0\)')
    g.expect("info os kernel", r"^Linux version 6\.0\.0 \(of a test\) +0x8")
    g.do("break *in_user", "continue")
    g.expect("info threads", r'"hart0" \(U-mode, sh\)')
    g.expect("info os harts", "^0 +U-mode .* in_user +sh ")
    g.do("set var *(int *)&linux_banner = 0")
    need("Linux" not in g.do("info os kernel"), "it is none now")


def info_os_shows_tables():
    m = Machine("-smp", "2", kernel=DEMO)
    g = Gdb(m)
    g.do("break kernel_main", "continue")
    g.expect("info os", "harts", "devices", "irqs", "timers", "images")
    g.expect("info os harts", "^0 +S-mode +0xffffffc0.* kernel_main ",
             "^1 +M-mode +0x0+1000")
    g.do("monitor checkpoint here")
    g.expect("info os checkpoints", r"^here +\d+")
    g.expect("info os devices", "uart0 +serial-mm")
    g.expect("info os images", "kernel +0x80000000 +0x80000000 ")


tests(*[f for name, f in globals().copy().items()
        if name.startswith(("session_", "without_", "with_", "firmware_",
                            "only_", "info_"))])
