#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh - real software for the boot tests, from Debian 13 (trixie).
#
# Leaves in build/guest: Image (Debian's riscv64 kernel), initramfs.cpio.gz
# (busybox and a tiny /init), RISCV_VIRT_CODE.fd and RISCV_VIRT_VARS.fd (EDK2).
# Packages come by apt from the mirror this machine is configured with, through
# an apt state of its own under build/apt: the machine's is left alone, and
# root is not needed. What is there already is not fetched again.
set -eu

cd "$(dirname "$0")/../.."
top=$PWD
apt=$top/build/apt
out=$top/build/guest
suite=trixie
releases="bookworm trixie forky sid oldstable stable testing unstable"

say() { printf '%s\n' "fetch: $*"; }
fail() { say "$*" >&2; exit 1; }

# The mirror of this machine's own release (not of its updates or security).
mirror() {
    apt-get indextargets --no-release-info \
        --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v names="$releases" '
            BEGIN { n = split(names, v); while (n) known[v[n--]] = 1 }
            $3 == "main" && $2 in known { print $1; exit }'
}

# An apt of our own: both architectures, only the package lists, no hooks.
configure_apt() {
    uri=$(mirror)
    [ -n "$uri" ] || fail "apt has no Debian mirror configured"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" \
        "$apt/etc/parts"
    : >"$apt/status"
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    by=
    [ -r "$key" ] && by="[signed-by=$key] "
    echo "deb $by$uri $suite main" >"$apt/etc/sources.list"
    cat >"$apt/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "$apt/etc/parts";
APT::Architectures { "amd64"; "riscv64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
}

apt_get() { apt-get -c "$apt/apt.conf" "$@"; }

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
        [ -s "$out/RISCV_VIRT_CODE.fd" ] && [ -s "$out/RISCV_VIRT_VARS.fd" ] &&
        [ "$out/initramfs.cpio.gz" -nt tests/guest/init ] &&
        [ "$out/initramfs.cpio.gz" -nt tests/guest/initramfs.py ]
}

# Each file appears under its name only when it is complete.
keep() { cp "$1" "$2.new" && mv "$2.new" "$2"; }

done_already && { say "build/guest is complete"; exit 0; }
configure_apt
if ! ls "$apt/state/lists"/*Packages* >/dev/null 2>&1; then
    say "package lists of $suite"
    apt_get update
fi
kernel=$(kernel_package)
[ -n "$kernel" ] || fail "$suite has no linux-image-riscv64"
mkdir -p "$out"

say "kernel: $kernel"
unpack "$kernel:riscv64" "$apt/kernel"
keep "$(ls "$apt"/kernel/boot/vmlinu*)" "$out/Image"

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
