# SPDX-License-Identifier: MIT
# apt.sh - packages of Debian 13 (trixie), for scripts to source at the top.
#
# They come by apt from the mirror this machine is configured with, through an
# apt state of its own under build/apt: the machine's is left alone, and root
# is not needed.
apt=$PWD/build/apt
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

# An apt of our own: both architectures, only the package lists, no hooks. One
# script at a time has it, until it ends.
configure_apt() {
    mkdir -p "$apt"
    exec 9>"$apt/lock"
    flock 9
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
Debug::NoLocking "1";
CONF
    ls "$apt/state/lists"/*Packages* >/dev/null 2>&1 && return
    say "package lists of $suite"
    apt_get update
}

apt_get() { apt-get -c "$apt/apt.conf" "$@"; }
