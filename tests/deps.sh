#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - installs the Debian packages that are missing.
#
#   deps.sh PACKAGE...    "a|b" is whichever of the two this Debian has
set -eu

have() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
known() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

command -v dpkg-query >/dev/null || {
    echo "deps: this is not Debian: please install by hand: $*" >&2
    exit 0
}

find_missing() {
    missing=
    for want; do
        found=
        for p in $(echo "$want" | tr '|' ' '); do
            have "$p" && found=yes
        done
        [ -n "$found" ] && continue
        pick=
        for p in $(echo "$want" | tr '|' ' '); do
            [ -z "$pick" ] && known "$p" && pick=$p
        done
        missing="$missing ${pick:-${want%%|*}}"
    done
}

find_missing "$@"
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps: as root, please: apt-get install$missing" >&2
        exit 1
    }
    root=sudo
fi
echo "deps: installing with ${root:+sudo }apt-get:$missing"
$root apt-get update -qq
find_missing "$@" # names can be told apart only now, on a bare machine
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq \
    --no-install-recommends $missing
