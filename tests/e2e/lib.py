# SPDX-License-Identifier: MIT
"""lib.py - starts the emulator, types at it, and reports one line per test.

The emulator is $EBREAK, or build/ebreak. Every wait has a limit, and whatever
was started is gone when the script ends, however it ends.
"""

import atexit
import os
import select
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EBREAK = os.environ.get("EBREAK", os.path.join(TOP, "build", "ebreak"))
GUEST = os.path.join(TOP, "build", "guest")

# Slow machines and sanitized builds: every limit times this.
PATIENCE = float(os.environ.get("PATIENCE", "1"))


class Failed(Exception):
    pass


def tail(text, lines=6):
    return " | ".join(text.splitlines()[-lines:])


class Machine:
    """One run of the emulator with its serial line on our pipes."""

    def __init__(self, *args, serial=("-serial", "stdio", "-monitor", "none")):
        self.text = ""  # all that was printed
        self.seen = 0   # how much of it expect() is done with
        self.process = subprocess.Popen(
            [EBREAK, "-display", "none", *serial, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        atexit.register(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self, seconds):
        """Takes in what comes within that time; False at the end of file."""
        out = self.process.stdout
        if select.select([out], [], [], max(seconds, 0))[0]:
            data = os.read(out.fileno(), 65536)
            self.text += data.decode("utf-8", "replace")
            return bool(data)
        return True

    def expect(self, what, seconds=30):
        """Waits until `what` is printed; returns what came before it."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            at = self.text.find(what, self.seen)
            if at >= 0:
                before = self.text[self.seen:at]
                self.seen = at + len(what)
                return before
            left = end - time.monotonic()
            if left <= 0:
                raise Failed(f"no {what!r} within {seconds:g} s; "
                             f"last: {tail(self.text)}")
            if not self._read(left):
                raise Failed(f"ended before {what!r}; last: {tail(self.text)}")

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def run(self, command, prompt, seconds=30):
        """Types a command line and returns what it prints up to the prompt."""
        self.send(command + "\n")
        self.expect(command, seconds)  # its echo
        return self.expect(prompt, seconds)

    def exits(self, status=0, seconds=30):
        """Waits for the end and checks the exit status."""
        end = time.monotonic() + seconds * PATIENCE
        while self._read(end - time.monotonic()):
            if time.monotonic() > end:
                raise Failed(f"still runs after {seconds:g} s; "
                             f"last: {tail(self.text)}")
        got = self.process.wait(5 * PATIENCE)
        if got != status:
            raise Failed(f"exit status {got}, not {status}; "
                         f"last: {tail(self.text)}")


def need(condition, why):
    if not condition:
        raise Failed(why)


def tests(*functions):
    """Runs each, prints its line, exits with 1 if any failed."""
    failed = False
    for function in functions:
        name = function.__name__
        try:
            function()
            print(f"ok {name}", flush=True)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            print(f"not ok {name}: {why}", flush=True)
            failed = True
    sys.exit(failed)
