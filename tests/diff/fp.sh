#!/bin/sh
# SPDX-License-Identifier: MIT
# fp.sh - every FP instruction against qemu-riscv64 (package qemu-user).
#
# usage: tests/diff/fp.sh [operands per instruction and mode] [seed]
set -eu

count=${1:-50} seed=${2:-1}
b=build/${MODE:-release} dir=$b/tests/diff
cross=${CROSS:-riscv64-linux-gnu-}
qemu=${QEMU_USER:-qemu-riscv64}

mkdir -p "$dir"
${cross}gcc -O1 -ffreestanding -fno-builtin -nostdlib -static -no-pie \
    -Wl,-N,--no-warn-rwx-segments \
    -march=rv64gc -mno-relax -I. -o "$dir/fp_exec" tests/diff/fp_exec.c
${CC:-gcc} -std=gnu17 -O1 -fno-strict-aliasing -I. -o "$dir/fp_diff" \
    tests/diff/fp_diff.c "$b/libebreak.a" ${LDLIBS:--lz -lm}

# Zfa came with QEMU 8.1, and -cpu max with it.
if $qemu -cpu help | grep -qw max; then
    cpu=max skip=
else
    cpu=rv64,Zfh=true skip=ZFA
fi
"$dir/fp_diff" make "$count" "$seed" "$skip" > "$dir/fp.in"
$qemu -cpu $cpu "$dir/fp_exec" < "$dir/fp.in" > "$dir/fp.out"
"$dir/fp_diff" check "$dir/fp.in" "$dir/fp.out" > "$dir/fp.log" || {
    head -n 20 "$dir/fp.log" >&2
    tail -n 1 "$dir/fp.log" >&2
    exit 1
}
cat "$dir/fp.log"
