#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli_options.py - what people and projects type for QEMU starts here too:
every option that needs no disk and no network. And what only prints."""

import os
import re
import shlex
import subprocess

from guests import DIR, SPIN, bare, exits, finisher, guest, named, path, write
from lib import Failed, need, tests

# {d} is a directory with a kernel, an initrd, a flash image and so on.
ACCEPTED = """
-M virt
-machine virt
--machine virt --smp 2
-M virt,aclint=on,aia=none,acpi=off
-M type=virt,accel=tcg,usb=off
-M virt -machine kernel={d}/kernel,firmware=none,append=quiet
-cpu rv64
-cpu max
-cpu rva22s64
-cpu rv64,svadu=off,sstc=off,c=true
-cpu rv64,sv48=on,pmp=true,zicsr=true
-smp 4
-smp cpus=4
-smp 4,maxcpus=4,sockets=1,cores=4,threads=1
-smp sockets=2,cores=2
-smp 64
-m 2G
-m 512
-m size=256M,slots=0
-m 64G
-accel tcg
-accel tcg,thread=single,tb-size=64,one-insn-per-tb=on
-accel tcg,hot=0
-accel interp
-icount 3
-icount shift=0
-icount shift=auto
-icount shift=6,align=off,sleep=off
-global virtio-mmio.force-legacy=false
-nodefaults
-no-user-config
-L {d}
-seed 42
-gdb-modules {d} -gdb-modules /
-bios none
-bios default
-bios {d}/firmware
-bios none -kernel {d}/kernel
-kernel {d}/firmware
-bios none -kernel {d}/kernel -append "root=/dev/vda ro console=ttyS0,,115200"
-bios none -kernel {d}/kernel -initrd {d}/initrd
-bios none -dtb {d}/dtb
-bios none -kernel {d}/kernel -dtb {d}/dtb
-bios none -device loader,file={d}/firmware,addr=0x80200000
-bios none -device loader,addr=0x80000000,data=0x6f,data-len=4
-bios none -device loader,file={d}/kernel,cpu-num=0
-bios none -device loader,file={d}/kernel,force-raw=on,addr=0x80000000
-drive if=pflash,format=raw,unit=0,file={d}/flash,readonly=on
-pflash {d}/flash -pflash {d}/flash
-fw_cfg name=opt/x,string=a,,b
-fw_cfg name=opt/x,file={d}/initrd
-fw_cfg opt/x,string=y
-display none
-serial none
-serial null
-serial file:{d}/out
-serial pty
-serial vc
-serial unix:{d}/sock,server=on,wait=off
-serial unix:{d}/sock,server,nowait
-serial tcp:127.0.0.1:0,server=on,wait=off
-serial telnet:127.0.0.1:0,server=on,wait=off
-chardev null,id=c -serial chardev:c
-chardev null,id=c,mux=on -serial chardev:c -mon chardev=c
-chardev file,id=c,path={d}/out,append=on -serial chardev:c
-chardev file,id=c,path={d}/out,logfile={d}/log,logappend=on
-chardev ringbuf,id=c,size=4096 -serial chardev:c
-chardev pty,id=c,path={d}/pty -mon chardev=c,mode=readline
-chardev vc,id=c
-chardev socket,id=c,path={d}/sock,server=on,wait=off,mux=on -serial chardev:c
-chardev socket,id=c,host=127.0.0.1,port=0,server=on,wait=off,nodelay=on,ipv4=on
-chardev socket,id=c,host=127.0.0.1,port=1,reconnect-ms=1000
-chardev socket,id=c,host=127.0.0.1,port=1,reconnect=1
-monitor null -monitor unix:{d}/sock,server=on,wait=off
-qmp none
-echr 2
-echr 0x14
-parallel none
-net none
-nic none
-gdb none
-gdb tcp::0
-gdb tcp:127.0.0.1:0,server=on,wait=off
-gdb unix:{d}/sock,server=on,wait=off
-chardev socket,id=g,path={d}/sock,server=on,wait=off -gdb chardev:g
-d int,in_asm,guest_errors,unimp
-d all,nochain,cpu,fpu,mmu,exec,cpu_reset,page,tid,invalid_mem -D {d}/log
-d int -D {d}/log-%d
-semihosting
-semihosting-config enable=on,target=native
-semihosting-config enable=on,target=auto,userspace=on,arg=prog,arg=x
-chardev null,id=c -semihosting-config enable=on,chardev=c
-no-reboot
-no-shutdown
-no-reboot -no-shutdown
-action reboot=shutdown,shutdown=pause,panic=exit-failure
-action panic=none,watchdog=none
-rtc base=utc
-rtc base=localtime,clock=host
-rtc base=2020-01-02T03:04:05,clock=vm
-rtc base=2020-01-02,driftfix=none
-name guest
-name guest=x,process=y,debug-threads=on
-pidfile {d}/pid
-msg timestamp=on
"""

# They bring their own stdio; C-a c reaches the monitor.
MUXED = """
-nographic
-nographic -M virt -smp 4 -m 2G -kernel {d}/firmware -append earlycon=sbi
-nographic -machine virt -bios none -kernel {d}/kernel -m 128M -smp 3 -global virtio-mmio.force-legacy=false
-nographic -machine virt -bios none -m 256 -net none -pidfile {d}/pid -chardev stdio,id=con,mux=on -serial chardev:con -mon chardev=con,mode=readline -icount shift=6,align=off,sleep=off -rtc clock=vm -kernel {d}/kernel
-nodefaults -nographic -serial mon:stdio -machine virt -accel tcg -cpu rv64 -bios none -kernel {d}/kernel -append args -initrd {d}/initrd -smp 4
-machine virt -nographic -bios {d}/firmware -device loader,file={d}/initrd,addr=0x80200000
-M virt -bios none -kernel {d}/kernel -semihosting-config enable=on,target=native -nographic
-serial mon:stdio
"""


def files():
    guest("kernel", SPIN)
    write("firmware", b"\x6f\0\0\0" * 4)
    write("initrd", b"not really")
    with open(path("flash"), "wb") as f:
        f.truncate(32 << 20)
    exits(0, "-M", f"virt,dumpdtb={DIR}/dtb", "-bios", "none")


def name_of(prefix, args):
    return prefix + re.sub(r"\W+", "_", args.replace("{d}", ""))


def accepted(args):
    words = shlex.split(args.format(d=DIR))
    end = exits(0, "-S", *words, "-monitor", "stdio", say=b"quit\n")
    need(not end.err.replace("ebreak: info: ", ""), f"says {end.err!r}")


def muxed(args):
    words = shlex.split(args.format(d=DIR))
    end = exits(0, "-S", *words, say=b"\x01cquit\n")
    need("(qemu) quit" in end.out, f"prints {end.out!r}")
    need(not end.err, f"says {end.err!r}")


ANSWERS = {
    "-version": "ebreak emulator version ",
    "--version": "ebreak emulator version ",
    "-h": "-kernel FILE",
    "-help": "-semihosting-config",
    "-cpu help": "rva22s64",
    "-M help": "virt ",
    "-machine ?": "virt ",
    "-accel help": "tcg",
    "-device help": "loader",
    "-chardev help": "ringbuf",
    "-d help": "guest_errors",
}


def answer(args, part):
    end = exits(0, *args.split())
    need(part in end.out and not end.err, f"{end.out!r} {end.err!r}")


def dumpdtb_is_a_device_tree():
    exits(0, "-M", f"virt,dumpdtb={DIR}/v.dtb", "-smp", "3", "-m", "256M")
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts",
                           path("v.dtb")], check=True,
                          capture_output=True).stdout.decode()
    for part in ('compatible = "riscv-virtio"', "cpu@2 {", "memory@80000000",
                 "reg = <0x00 0x80000000 0x00 0x10000000>", "plic@c000000"):
        need(part in text, f"no {part!r} in it")
    need("cpu@3" not in text, "there is a fourth hart")


def option_D_puts_the_pid_into_the_name():
    write("pidlog", b"")
    exits(0, *bare(finisher(0x5555)), "-d", "int,cpu_reset",
          "-D", path("pidlog-%d"))
    found = [f for f in os.listdir(DIR) if re.fullmatch(r"pidlog-\d+", f)]
    need(len(found) == 1, f"files: {found}")
    with open(path(found[0])) as f:
        need("CPU Reset (CPU 0)" in f.read(), "no reset in it")


TRAPS = """
    la   t0, handler
    csrw mtvec, t0
    csrr t1, 0x123
    j    .
    .balign 4
handler:
    li   t0, 0x100000
    li   t1, 0x5555
    sw   t1, 0(t0)
    j    .
"""

LOGS = {
    "int": r"riscv_cpu_do_interrupt: hart:0, async:0, "
           r"cause:0000000000000002, epc:0x0000000080000\w{3}, "
           r"tval:0x0000000012302373, desc=illegal_instruction\n",
    "in_asm": r"-{16}\nIN: \S*\n"
              r"0x00001000:  00000297          auipc                   "
              r"t0,0                    # 0x1000\n",
    "exec": r"Trace 0: \[0{12}1000/3\]",
    "cpu": r" pc       0{12}1000\n mhartid  0{16}\n",
    "cpu_reset": r"CPU Reset \(CPU 0\)\n",
}


def logs(item, pattern):
    end = exits(0, *bare(guest("traps", TRAPS)), "-d", item)
    need(re.search(pattern, end.err), f"{end.err[:600]!r}")
    need(not end.out, "stdout is not empty")
    need(len(end.err) < 100000, "the log ends with the machine")


def rows():
    files()
    for table, check in (ACCEPTED, accepted), (MUXED, muxed):
        for args in table.strip().splitlines():
            yield named(name_of("starts", args), lambda a=args, c=check: c(a))
    for args, part in ANSWERS.items():
        yield named(name_of("answers", args),
                    lambda a=args, p=part: answer(a, p))
    for item, pattern in LOGS.items():
        yield named(f"log_of_{item}", lambda i=item, p=pattern: logs(i, p))
    yield dumpdtb_is_a_device_tree
    yield option_D_puts_the_pid_into_the_name


if __name__ == "__main__":
    tests(*rows())
