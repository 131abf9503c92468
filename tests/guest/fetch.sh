#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh - real software for the boot tests, from Debian 13 (trixie).
#
# Leaves in build/guest: Image (Debian's riscv64 kernel), modules (two of its
# own), initramfs.cpio.gz (busybox and a tiny /init), RISCV_VIRT_CODE.fd and
# RISCV_VIRT_VARS.fd (EDK2). What is there already is not fetched again.
set -eu

cd "$(dirname "$0")/../.."
. tests/guest/apt.sh
out=$PWD/build/guest

# The package that the kernel's metapackage stands for today.
kernel_package() {
    apt-cache -c "$apt/apt.conf" depends linux-image-riscv64:riscv64 |
        sed -n 's/^ *Depends: \(linux-image-[^: ]*\).*/\1/p' | head -n 1
}

# unpack PACKAGE FOLDER: downloads it unless it is there, and unpacks it.
unpack() {
    set -- "${1%%:*}" "$1" "$2"
    if ! ls "$apt/debs/${1}"_*.deb >/dev/null 2>&1; then
        mkdir -p "$apt/debs"
        (cd "$apt/debs" && apt_get download "$2")
    fi
    rm -rf "$3"
    mkdir -p "$3"
    dpkg-deb -x "$apt/debs/${1}"_*.deb "$3"
}

done_already() {
    [ -s "$out/Image" ] && [ -s "$out/initramfs.cpio.gz" ] &&
        [ -s "$out/modules/dummy.ko.xz" ] && [ -s "$out/modules/brd.ko.xz" ] &&
        [ -s "$out/RISCV_VIRT_CODE.fd" ] && [ -s "$out/RISCV_VIRT_VARS.fd" ] &&
        [ "$out/initramfs.cpio.gz" -nt tests/guest/init ] &&
        [ "$out/initramfs.cpio.gz" -nt tests/guest/initramfs.py ]
}

# Each file appears under its name only when it is complete.
keep() { cp "$1" "$2.new" && mv "$2.new" "$2"; }

done_already && { say "build/guest is complete"; exit 0; }
configure_apt
kernel=$(kernel_package)
[ -n "$kernel" ] || fail "$suite has no linux-image-riscv64"
mkdir -p "$out"

say "kernel: $kernel"
unpack "$kernel:riscv64" "$apt/kernel"
keep "$(ls "$apt"/kernel/boot/vmlinu*)" "$out/Image"
mkdir -p "$out/modules"
for module in dummy brd; do
    keep "$(find "$apt/kernel" -name "$module.ko.xz")" \
        "$out/modules/$module.ko.xz"
done

say "busybox and the initial ramdisk"
unpack busybox-static:riscv64 "$apt/busybox"
busybox=$(find "$apt/busybox" -path '*/bin/busybox' | head -n 1)
python3 tests/guest/initramfs.py "$busybox" tests/guest/init \
    >"$out/initramfs.new"
mv "$out/initramfs.new" "$out/initramfs.cpio.gz"

say "EDK2"
unpack qemu-efi-riscv64 "$apt/edk2"
for part in CODE VARS; do
    keep "$(find "$apt/edk2" -name "RISCV_VIRT_$part.fd" | head -n 1)" \
        "$out/RISCV_VIRT_$part.fd"
done
rm -rf "$apt/kernel" "$apt/busybox" "$apt/edk2"
say "build/guest is complete"
