# SPDX-License-Identifier: MIT
"""ebreak.py - for `source` in gdb, which needs no more than stock to debug
with ebreak; with this, it also notices what the monitor does to the machine.

    (gdb) python exec(gdb.execute("monitor gdb-script", to_string=True))

After a `monitor` command gdb forgets what it has read, for a system_reset or
a goto changes it. And there is a command, `ebreak`: its words go to the
monitor, but those that start with & ( * or $ are gdb's expressions:

    (gdb) ebreak walk &jiffies_64
    (gdb) ebreak x /4gx $sp
    (gdb) when
    (gdb) goto -1000
    (gdb) back
    (gdb) history 30
    (gdb) reset
"""

import gdb


def ebreak_refresh():
    """Registers and memory are read anew; the chosen frame stays chosen."""
    try:
        frame = gdb.selected_frame()
        level, pc = frame.level(), frame.pc()
    except gdb.error:
        level, pc = 0, None
    gdb.execute("maintenance flush register-cache", to_string=True)
    gdb.execute("maintenance flush dcache", to_string=True)
    try:
        if level > 0:
            gdb.execute(f"frame {level}", to_string=True)
        if gdb.selected_frame().pc() == pc:
            return
        gdb.execute("frame 0", to_string=pc is None)
    except gdb.error:
        pass  # there is no machine, or no stack


gdb.execute("define hookpost-monitor\npython ebreak_refresh()\nend")


def ebreak_word(word):
    """What the monitor is to read for a word."""
    if word[0] not in "&(*$":
        return word
    value = gdb.parse_and_eval(word)
    return hex(int(value.cast(gdb.lookup_type("unsigned long"))))


class Ebreak(gdb.Command):
    """Run a command of ebreak's monitor.

Words that start with & ( * or $ are evaluated by gdb first, so symbols of the
program can be used: `ebreak walk &jiffies_64`. `ebreak help` lists the rest."""

    def __init__(self):
        super().__init__("ebreak", gdb.COMMAND_SUPPORT)

    def invoke(self, argument, from_tty):
        words = [ebreak_word(word) for word in gdb.string_to_argv(argument)]
        gdb.execute("monitor " + " ".join(words or ["help"]))


class Short(gdb.Command):
    """One word for a command of the monitor."""

    def __init__(self, name, command):
        self.__doc__ = f"The same as `monitor {command}`."
        self.command = command
        super().__init__(name, gdb.COMMAND_SUPPORT)

    def invoke(self, argument, from_tty):
        gdb.execute(f"ebreak {self.command} {argument}")


Ebreak()
for name in ("when", "goto", "back", "forward", "history", "checkpoint",
             "restart", "who-wrote", "last-trap"):
    Short(name, name)
Short("reset", "system_reset")
