#!/bin/sh
# SPDX-License-Identifier: MIT
# bench.sh - what `make bench` prints: speed of the interpreter and of
# translated code, the same beside QEMU and the host's own code, start-up,
# memory, idling. The machine may be shared: the best of several runs counts.
set -eu
cd "$(dirname "$0")/../.."
ebreak=${EBREAK:-build/ebreak}
cross=${CROSS:-riscv64-linux-gnu-}
dir=build/bench
mkdir -p "$dir"

echo "# kernels on one hart, bare M-mode"
sh tests/bench/interp.sh

echo
echo "# the same as whole machines, on QEMU, and as programs of the host"
EBREAK=$ebreak python3 tests/bench/versus.py

guest() { # NAME: tests/bench/NAME.S -> build/bench/NAME.elf
    "${cross}gcc" -march=rv64gc -mabi=lp64d -nostdlib -static -no-pie \
        -Wl,-N,--build-id=none,-Ttext=0x80000000 -o "$dir/$1.elf" \
        "tests/bench/$1.S" 2>/dev/null
}

guest off
guest traps

echo
echo "# gdb over TCP, ebreak and QEMU"
gcc -O2 -o "$dir/rsp" tests/bench/rsp.c
python3 tests/bench/gdb.py "$ebreak" "$dir/rsp"

echo
echo "# start-up to the guest's first instructions and power-off; memory"
python3 tests/bench/startup.py "$ebreak" "$dir/off.elf" "$dir/traps.elf"

echo
echo "# points: user time with them over user time without; the best of three"
python3 tests/bench/points.py "$ebreak" "$dir" "$cross"

echo
echo "# time travel: with over without, backward over forward"
python3 tests/bench/time.py "$ebreak" "$dir" "$cross"

echo
if [ -e build/guest/Image ]; then
    echo "# Debian's kernel, on ebreak and on QEMU"
    EBREAK=$ebreak python3 tests/bench/linux.py
else
    echo "# Debian's kernel: make images first"
fi
