#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli_errors.py - mistakes on the command line: what is said of them, exit
status 1, and nothing left behind.

In the table {d} is a directory with the files short (one byte), empty and
code (an ELF file); {port} is a TCP port that somebody else has. A text that
ends in ... goes on.
"""

import os
import re
import socket

from guests import DIR, SPIN, guest, named, run, write
from lib import need, tests

# One mistake a line: the command line, a bar, what is said about it.
MISTAKES = """
-nosuch | -nosuch: invalid option
--nosuch | --nosuch: invalid option
-smp | -smp: requires an argument
-kernel | -kernel: requires an argument

-kernel {d}/nosuch | could not load kernel '{d}/nosuch': No such file or directory
-kernel {d} | could not load kernel '{d}': Is a directory
-kernel {d}/empty -bios none | could not load kernel '{d}/empty': it is empty
-kernel /bin/sh | could not load kernel '/bin/sh': it is for ...
-bios /bin/sh | could not load firmware '/bin/sh': it is for ...
-bios {d}/nosuch | Unable to find the RISC-V BIOS "{d}/nosuch"
-bios none -dtb {d}/nosuch | could not load device tree '{d}/nosuch': No such file or directory
-bios none -dtb {d}/short | could not load device tree '{d}/short': not a device tree blob: ...
-bios none -kernel {d}/code -initrd {d}/nosuch | could not load ramdisk '{d}/nosuch': No such file or directory
-append x | -append only allowed with -kernel option
-initrd {d}/short | -initrd only allowed with -kernel option
-pflash {d}/nosuch | Could not open '{d}/nosuch': No such file or directory
-drive if=pflash,format=raw,file={d}/nosuch | Could not open '{d}/nosuch': No such file or directory
-drive if=pflash,format=raw,file={d}/short | device requires 33554432 bytes, pflash0 block backend provides 1 bytes
-drive if=pflash,format=raw,unit=2,file={d}/short | -drive if=pflash,format=raw,unit=2,file={d}/short: machine type does not support if=pflash,bus=0,unit=2
-drive if=none,file={d}/short | -drive if=none,file={d}/short: disks are not available yet: only if=pflash is
{d}/short | {d}/short: disk images are not available yet
-bios none -kernel {d}/code -device loader,file={d}/code | Some ROM regions are overlapping...
-bios none -device loader,file={d}/short,addr=0x10000000 | {d}/short (addresses 0x0000000010000000 - 0x0000000010000001) does not lie in memory
-device loader,file={d}/nosuch,addr=0x80000000 | -device loader,file={d}/nosuch,addr=0x80000000: Cannot load specified image {d}/nosuch: No such file or directory
-device loader,data=1,addr=0x80000000 | -device loader,data=1,addr=0x80000000: Both data and data-len must be specified
-device loader,file={d}/short,addr=0x80000000,cpu-num=7 | -device loader,file={d}/short,addr=0x80000000,cpu-num=7: Specified boot CPU#7 is nonexistent
-device nosuch | -device nosuch: 'nosuch' is not a valid device model name
-device nosuch,a=b | -device nosuch,a=b: 'nosuch' is not a valid device model name
-fw_cfg name=opt/x | -fw_cfg name=opt/x: one of file= and string= is needed
-fw_cfg name=opt/x,file={d}/nosuch | -fw_cfg name=opt/x,file={d}/nosuch: can't load {d}/nosuch: No such file or directory

-smp 0 | -smp 0: Invalid CPU topology: CPU topology parameters must be greater than zero
-smp 65 | -smp 65: Invalid SMP CPUs 65. The max CPUs supported by machine 'virt' is 64
-smp 4x | -smp 4x: Parameter 'cpus' expects a number
-smp 2,maxcpus=1 | -smp 2,maxcpus=1: Invalid CPU topology: maxcpus must be equal to or greater than smp
-smp 4,sockets=2,cores=4 | -smp 4,sockets=2,cores=4: Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (2) * cores (4) * threads (1) != maxcpus (4)
-smp nosuch=1 | -smp nosuch=1: Invalid parameter 'nosuch'
-m 65G | -m 65G: ram size too large: at most 64 GiB
-m foo | -m foo: Parameter 'size' expects a non-negative number below 2^64...
-m -1 | -m -1: Parameter 'size' expects a non-negative number below 2^64...
-m 1k | -m 1k: ram size must be at least 1 MiB, in whole pages
-m nosuch=1 | -m nosuch=1: Invalid parameter 'nosuch'
-icount shift=99 | -icount shift=99: icount: Invalid shift value
-icount shift=1,sleep=maybe | -icount shift=1,sleep=maybe: Parameter 'sleep' expects 'on' or 'off'
-icount align=on,sleep=off,shift=1 | -icount align=on,sleep=off,shift=1: align=on and sleep=off are incompatible
-cpu nosuch | -cpu nosuch: unable to find CPU model 'nosuch'
-cpu rv64,nosuch=on | -cpu rv64,nosuch=on: can't apply global rv64-riscv-cpu.nosuch=on: Property 'rv64-riscv-cpu.nosuch' not found
-cpu rv64,c=maybe | -cpu rv64,c=maybe: can't apply global rv64-riscv-cpu.c=maybe: Parameter 'c' expects 'on' or 'off'
-M nosuch | -M nosuch: unsupported machine type: "nosuch"...
-M virt,nosuch=on | -M virt,nosuch=on: Invalid parameter 'nosuch'
-M virt,aclint=maybe | -M virt,aclint=maybe: Parameter 'aclint' expects 'on' or 'off'
-M virt,aia=nosuch | -M virt,aia=nosuch: Invalid AIA interrupt controller type...
-M virt,dumpdtb={d}/nosuch/x | Failed to write DTB to {d}/nosuch/x: No such file or directory
-accel kvm | -accel kvm: invalid accelerator kvm
-accel tcg,thread=nosuch | -accel tcg,thread=nosuch: Invalid 'thread' setting nosuch
-accel tcg,nosuch=on | -accel tcg,nosuch=on: Invalid parameter 'nosuch'
-global nosuch | -global nosuch: Invalid parameter 'nosuch'
-rtc base=nosuch | -rtc base=nosuch: invalid datetime format...
-rtc clock=nosuch | -rtc clock=nosuch: invalid option value 'nosuch'
-seed x | -seed x: Invalid seed number: x
-action nosuch=1 | -action nosuch=1: Invalid parameter 'nosuch'
-action panic=nosuch | -action panic=nosuch: Parameter 'panic' does not accept value 'nosuch'
-netdev user,id=n | -netdev user,id=n: networks are not available yet
-display gtk | -display gtk: Parameter 'type' does not accept value 'gtk': there is no display but none

-d nosuch | -d nosuch: Invalid log item 'nosuch'
-d in_asm,nosuch | -d in_asm,nosuch: Invalid log item 'nosuch'
-d int -D {d}/nosuch/log | Error opening logfile {d}/nosuch/log: No such file or directory
-pidfile {d}/nosuch/pid | cannot create PID file: Could not create '{d}/nosuch/pid': No such file or directory
-semihosting-config nosuch=1 | -semihosting-config nosuch=1: Invalid parameter 'nosuch'
-semihosting-config enable=on,target=nosuch | -semihosting-config enable=on,target=nosuch: unsupported semihosting-config nosuch
-semihosting-config enable=on,chardev=nosuch | semihosting: chardev 'nosuch' not found

-chardev nosuch,id=x | -chardev nosuch,id=x: 'nosuch' is not a valid char driver name
-chardev null | -chardev null: chardev: no id specified
-chardev null,id=x -chardev null,id=x | -chardev null,id=x: Duplicate ID 'x' for chardev
-chardev null,id=x,nosuch=1 | -chardev null,id=x,nosuch=1: Invalid parameter 'nosuch'
-chardev file,id=x | -chardev file,id=x: chardev: file: no filename given
-chardev file,id=x,path={d}/nosuch/x | -chardev file,id=x,path={d}/nosuch/x: Could not open '{d}/nosuch/x': No such file or directory
-chardev pipe,id=x,path={d}/nosuch | -chardev pipe,id=x,path={d}/nosuch: Could not open '{d}/nosuch': No such file or directory
-chardev ringbuf,id=x,size=3 | -chardev ringbuf,id=x,size=3: size of ringbuf chardev must be power of two
-chardev socket,id=x,path={d}/nosuch | -chardev socket,id=x,path={d}/nosuch: Failed to connect to '{d}/nosuch': No such file or directory
-chardev socket,id=x,path={d}/nosuch/x,server=on,wait=off | -chardev socket,id=x,path={d}/nosuch/x,server=on,wait=off: Failed to bind socket to {d}/nosuch/x: No such file or directory
-chardev stdio,id=x -chardev stdio,id=y | -chardev stdio,id=y: cannot use stdio by multiple character devices
-chardev null,id=x -mon chardev=x,mode=nosuch | -mon chardev=x,mode=nosuch: Parameter 'mode' does not accept value 'nosuch'
-chardev null,id=x -serial chardev:x -monitor chardev:x | ...Device 'x' is in use
-mon chardev=nosuch | -mon nosuch: chardev "nosuch" not found
-serial nosuch | -serial nosuch: 'nosuch' is not a valid char driver
-serial chardev:nosuch | -serial chardev:nosuch: Chardev 'nosuch' not found
-serial file:{d}/nosuch/x | -serial file:{d}/nosuch/x: Could not open '{d}/nosuch/x': No such file or directory
-serial stdio -monitor stdio | -monitor stdio: cannot use stdio by multiple character devices
-serial stdio -gdb stdio | -gdb stdio: cannot use stdio by multiple character devices
-monitor nosuch | -monitor nosuch: 'nosuch' is not a valid char driver
-gdb-modules {d}/nosuch | -gdb-modules {d}/nosuch: {d}/nosuch: No such file or directory
-gdb-modules {d}/short | -gdb-modules {d}/short: {d}/short is no folder
-gdb nosuch | -gdb nosuch: 'nosuch' is not a valid char driver
-gdb tcp::{port} | -gdb tcp::{port}: Failed to find an available port: Address already in use
-gdb tcp::99999 | -gdb tcp::99999: address resolution failed for 127.0.0.1:99999: ports end at 65535
-echr 300 | -echr 300: Bad argument to echr

-serial unix:{d}/left,server=on,wait=off -kernel {d}/nosuch | could not load kernel...
-serial pty -pidfile {d}/left -kernel {d}/nosuch | could not load kernel...
-serial file:{d}/left -gdb nosuch | -gdb nosuch: ...
-gdb unix:{d}/left -gdb nosuch | -gdb nosuch: ...
"""


def said(err, want):
    if want.startswith("..."):
        return err.startswith("ebreak: ") and err.endswith(want[3:] + "\n")
    if want.endswith("..."):
        return err.startswith("ebreak: " + want[:-3])
    return err == "ebreak: " + want + "\n"


def mistake(args, want):
    files = sorted(os.listdir(DIR))
    end = run("-S", *args.split())
    need(end.status == 1, f"exit status {end.status}, stderr {end.err!r}")
    need(said(end.err, want), f"says {end.err!r}")
    need("pty" in args or end.out == "", f"stdout has {end.out!r}")
    left = set(os.listdir(DIR)) - set(files)
    need(not left, f"left behind: {left}")


def rows(port):
    write("short", b"x")
    write("empty", b"")
    guest("code", SPIN)
    for line in MISTAKES.strip().splitlines():
        if line:
            args, want = line.format(d=DIR, port=port).split(" | ")
            name = re.sub(r"\W+", "_", args.replace(DIR, "").strip("-"))
            yield named(name, lambda a=args, w=want: mistake(a, w))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as busy:
        tests(*rows(busy.getsockname()[1]))
