# SPDX-License-Identifier: MIT
# demo.gdb - a first session with stock gdb; demo.sh connects and runs it.
# Lines of `echo` are what the reader sees as comments.

echo \n# Nothing has run: both harts are at the reset vector, paging is off.\n
info threads
x/3i $pc
p $priv
p/x $satp

echo \n# A breakpoint in S-mode code, at an address that only paging will give\n
echo # a meaning. It costs nothing until somebody comes there.\n
break kernel_main
continue
p $priv
p/x $satp
where

echo \n# The kernel is about to leave for its first task, by sret.\n
tbreak sret_to_task
continue
x/i $pc
p/x $sepc

echo \n# One step over sret: from S mode, high up, into U mode, low down.\n
stepi
p $priv
x/3i $pc

echo \n# Who counts the pears? Not the task that runs now.\n
watch pears
continue
delete

echo \n# The machine's own monitor is there too.\n
monitor info status
monitor info registers

echo \n# Two harts: one runs a task, the other sleeps.\n
info threads
thread 2
where
thread 1

echo \n# One more report is enough; then the kernel switches the machine off.\n
set var reports_left = 1
continue
