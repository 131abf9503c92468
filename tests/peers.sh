#!/bin/sh
# SPDX-License-Identifier: MIT
# peers.sh [gdb|qemu] - gdb 16 and QEMU 10, from Debian 13, to test against.
#
# Leaves in build/peers/bin gdb-multiarch and qemu-system-riscv64, or one of
# them. They run with the libraries they came with and need none of the
# machine's:
#
#     make e2e GDB=$PWD/build/peers/bin/gdb-multiarch
#     make bench QEMU10=$PWD/build/peers/bin/qemu-system-riscv64
set -eu

cd "$(dirname "$0")/.."
. tests/guest/apt.sh
peers=$PWD/build/peers
root=$peers/root
bin=$peers/bin

# What these packages need, all of it: our apt knows of nothing installed.
needed() {
    apt_get -s --no-install-recommends install "$@" |
        sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# wrap NAME VARIABLES... -- ARGUMENTS...: $root in them is root, as moved.
wrap() {
    name=$1 before= after=
    shift
    while [ "$1" != -- ]; do before="$before $1"; shift; done
    shift
    for word; do after="$after $word"; done
    cat >"$bin/$name.new" <<WRAP
#!/bin/sh
root=\$(cd "\$(dirname "\$0")/../root" && pwd)
exec env$before "\$root/usr/lib64/ld-linux-x86-64.so.2" \\
    --library-path "\$root/usr/lib/x86_64-linux-gnu" \\
    "\$root/usr/bin/$name"$after "\$@"
WRAP
    chmod +x "$bin/$name.new"
    mv "$bin/$name.new" "$bin/$name"
}

gdb_works() {
    "$bin/gdb-multiarch" -nx -batch -ex 'python print(6 * 7)' 2>/dev/null |
        grep -q '^42$'
}

qemu_works() {
    "$bin/qemu-system-riscv64" -M virt -version 2>/dev/null | grep -q '^QEMU'
}

wrap_gdb() {
    wrap gdb-multiarch PYTHONHOME='"$root/usr"' PYTHONDONTWRITEBYTECODE=1 -- \
        --data-directory='"$root/usr/share/gdb"'
}

wrap_qemu() {
    wrap qemu-system-riscv64 \
        QEMU_MODULE_DIR='"$root/usr/lib/x86_64-linux-gnu/qemu"' -- \
        -L '"$root/usr/share/qemu"'
}

package() { [ "$1" = gdb ] && echo gdb-multiarch || echo qemu-system-riscv; }

# fetch WHAT: its packages, one after the other into the same root.
fetch() {
    packages=$(needed "$(package "$1")")
    [ -n "$packages" ] || fail "$suite has no $(package "$1")"
    say "$1 of $suite, $(echo "$packages" | wc -l) packages"
    rm -rf "$peers/debs"
    mkdir -p "$peers/debs" "$root" "$bin"
    (cd "$peers/debs" && apt_get -qq download $packages)
    for deb in "$peers/debs"/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    rm -rf "$peers/debs"
    "wrap_$1"
    "$1_works" || fail "the $1 that was fetched does not run here"
}

case ${1-both} in
both) set -- gdb qemu ;;
gdb | qemu) ;;
*) fail "peers.sh [gdb|qemu]" ;;
esac
[ "$(uname -m)" = x86_64 ] || fail "only for x86-64"
for what; do
    "${what}_works" && continue
    configure_apt
    fetch "$what"
done
say "build/peers is complete"
