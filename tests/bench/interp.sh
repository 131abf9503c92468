#!/bin/sh
# SPDX-License-Identifier: MIT
# interp.sh - builds and runs the interpreter's benchmark:
#     interp.sh [kernel]
# Wants build/release/libebreak.a and a RISC-V cross compiler.
set -e
cd "$(dirname "$0")/../.."
dir=build/bench
cross=${CROSS:-riscv64-linux-gnu-}
mkdir -p $dir
${cross}gcc -O2 -march=rv64gc_zicsr_zifencei -mabi=lp64d -mcmodel=medany -ffreestanding \
    -fno-tree-loop-distribute-patterns -fno-pie -no-pie -static -nostdlib \
    -Wl,--build-id=none,--no-warn-rwx-segments -Wl,-Ttext=0x80000000 -I. -o $dir/kernels.elf \
    tests/bench/start.S tests/bench/kernels*.c tests/bench/table.c
${cross}objcopy -O binary $dir/kernels.elf $dir/kernels.bin
${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -I. \
    -o $dir/bench_interp tests/bench/bench_interp.c tests/bench/kernels*.c \
    ${LIB:-build/release/libebreak.a} -lfdt -lelf -lz -lm -lutil
exec $dir/bench_interp $dir/kernels.bin "$@"
