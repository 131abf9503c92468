#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh - the demo kernel under a scripted session of the real gdb.
#
# Prints the session as one would have typed it, then what the guest wrote to
# its serial line, and checks that each thing was really seen.
set -eu

cd "$(dirname "$0")/../.."
ebreak=${EBREAK:-build/ebreak}
gdb=${GDB:-gdb-multiarch}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log
console=$folder/console

paint() {
    [ -t 1 ] || { cat; return; }
    sed -e "s/^# .*/$(printf '\033[36m&\033[0m')/" \
        -e "s/^(gdb) .*/$(printf '\033[1m&\033[0m')/"
}

# gdb traces its commands as "+command": show them as if typed. A comment's
# own echo command is of no interest.
pretty() { sed -u -e '/^+echo /d' -e 's/^+/(gdb) /' | paint; }

command="$ebreak -smp 2 -display none -serial file:$console -monitor none \
-S -gdb stdio"
printf '# %s\n' "$command" | paint
status=0
timeout -k 5 50 "$gdb" -q -nx -batch \
    -ex "set confirm off" -ex "set pagination off" -ex "set style enabled off" \
    -ex "set width 0" -ex "file build/demo.elf" \
    -ex "target remote | exec timeout 50 $command" -ex "set trace-commands on" \
    -x tests/e2e/demo.gdb 2>&1 | tee "$log" | pretty
[ -s "$console" ] || status=1
echo
echo "# What the guest wrote to its serial line:" | paint
cat "$console"

seen=0
want() {
    if grep -Eq -- "$2" "$3"; then
        seen=$((seen + 1))
    else
        echo "demo: not seen: $1"
        status=1
    fi
}
echo
want "paging off at reset"          '= 0x0$'                             "$log"
want "a breakpoint in S mode"       'hit Breakpoint 1, kernel_main'      "$log"
want "paging on there"              '= 0x8[0-9a-f]{15}$'                 "$log"
want "the step over sret to U mode" '^count_apples \(\)'                 "$log"
want "a watchpoint on a counter"    '^Old value = 0'                     "$log"
want "the monitor's registers"      '^ mhartid  *0000000000000000'       "$log"
want "two harts"                    '^  2 .*Thread 1\.2.* idle_main'     "$log"
want "a clean end, as gdb sees it"  'exited normally'                    "$log"
want "a clean end, on the console"  '^demo: power off'                   "$console"
[ "$status" = 0 ] && echo "demo: all $seen things seen" ||
    echo "demo: failed, $seen things seen"
exit "$status"
