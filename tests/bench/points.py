# SPDX-License-Identifier: MIT
"""points.py EBREAK DIR CROSS - what points cost, as ratios of one run.

Each figure is the user time of a program with points over that without, the
best of several runs, start-up subtracted.
"""
import os
import subprocess
import sys

RUNS = 3


def build(directory, cross, loop, rounds):
    elf = f"{directory}/points{loop}-{rounds}.elf"
    subprocess.run([cross + "gcc", "-march=rv64gc", "-mabi=lp64d", "-nostdlib",
                    "-static", "-no-pie", f"-DLOOP={loop}",
                    f"-DROUNDS={rounds}",
                    "-Wl,-N,--build-id=none,-Ttext=0x80000000", "-o", elf,
                    "tests/bench/points.S"], check=True,
                   stderr=subprocess.DEVNULL)
    return elf


def symbols(cross, elf):
    text = subprocess.run([cross + "nm", elf], check=True, text=True,
                          capture_output=True).stdout
    return {name: int(value, 16)
            for value, _, name in map(str.split, text.splitlines())}


def user_seconds(ebreak, options, elf, commands):
    child = subprocess.Popen(
        [ebreak, "-bios", "none", "-display", "none", "-monitor", "stdio",
         "-serial", "null", "-S", *options, "-kernel", elf],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    child.stdin.write("".join(c + "\n" for c in [*commands, "cont"]).encode())
    child.stdin.flush()
    _, status, usage = os.wait4(child.pid, 0)
    child.stdin.close()
    if status:
        sys.exit(f"{elf}: status {status}")
    return usage.ru_utime


class Loop:
    def __init__(self, ebreak, directory, cross, loop, rounds, options=()):
        self.run = lambda elf, commands: user_seconds(ebreak, options, elf,
                                                      commands)
        self.rounds = rounds
        self.elf = build(directory, cross, loop, rounds)
        self.none = build(directory, cross, loop, 1)
        self.at = symbols(cross, self.elf)

    def seconds(self, *sets):
        """Of each list of commands; the lists take turns."""
        best = [1e9] * len(sets)
        start = [1e9] * len(sets)
        for _ in range(RUNS):
            for n, commands in enumerate(sets):
                best[n] = min(best[n], self.run(self.elf, commands))
                start[n] = min(start[n], self.run(self.none, commands))
        return [b - s for b, s in zip(best, start)]


def measure(name, *where, scale):
    where = list(where)
    options = where.pop() if isinstance(where[-1], (list, tuple)) else ()
    loop = Loop(*where, 1, 100000000 // scale, options)
    one = [f"break {loop.at['never']:#x}"]
    many = [f"break {loop.at['data'] + 0x10000 + 16 * n:#x}"
            for n in range(1000)]
    many += [f"watch {loop.at['data'] + 0x8000 + 128 * n:#x}"
             for n in range(100)]
    none, first, all_ = loop.seconds([], one, many)
    print(f"{name}: a breakpoint on the page of a hot loop, never hit: "
          f"{first / none:.3f}")
    print(f"{name}: 1,000 breakpoints and 100 watchpoints, never hit: "
          f"{all_ / none:.3f}")
    for loop, how in (2, ""), (4, " under Sv39"):
        page = Loop(*where, loop, 40000000 // scale, options)
        none, watch, read = page.seconds(
            [], [f"watch {page.at['data'] + 1024:#x}"],
            [f"awatch {page.at['data'] + 1024:#x}"])
        print(f"{name}: a watchpoint on a page that a loop does nothing but "
              f"access{how}: {watch / none:.2f} (watch), "
              f"{read / none:.2f} (awatch)")
    hits = Loop(*where, 3, 4000000 // scale, options)
    here = hits.at["here"]
    condition, counted = hits.seconds(
        [f"break {here:#x} if $a1 == 1 << 40"],
        [f"break {here:#x} priv=u"])
    print(f"{name}: false conditions a second: "
          f"{hits.rounds / condition / 1e6:.1f} million; "
          f"filters that do not match: "
          f"{hits.rounds / counted / 1e6:.1f} million")


def main():
    ebreak, directory, cross = sys.argv[1:]
    where = ebreak, directory, cross
    measure("translator", *where, (), scale=1)
    measure("interpreter", *where, ("-accel", "interp"), scale=4)


main()
