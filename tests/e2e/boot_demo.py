#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_demo.py - the embedded demo kernel counts, listens and powers off."""

from lib import Machine, tests


def demo_kernel_counts_and_powers_off_by_itself():
    m = Machine("-smp", "2")
    m.expect("The ebreak demo kernel")
    m.expect("plums:  hello from U mode")
    for _ in range(10):
        m.expect(" plums\r\n" if "\r\n" in m.text else " plums\n")
    m.expect("power off")
    m.exits(0)


def demo_kernel_powers_off_at_the_key_q():
    m = Machine("-smp", "2")
    m.expect("plums:  hello from U mode")
    m.send("q")
    m.expect("power off")
    m.exits(0)


tests(demo_kernel_counts_and_powers_off_by_itself,
      demo_kernel_powers_off_at_the_key_q)
