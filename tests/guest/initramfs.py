#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""initramfs.py BUSYBOX INIT - writes a gzip'd newc cpio archive to stdout.

The archive is made here and not by cpio(1) because it needs a device node,
which only root could put into a folder first. It is the same in every run.
"""

import gzip
import sys

DIRECTORY, FILE, CHARACTER = 0o040755, 0o100755, 0o020600


class Archive:
    """Linux, Documentation/driver-api/early-userspace/buffer-format.rst."""

    def __init__(self):
        self.out = bytearray()
        self.inode = 0

    def pad(self):
        self.out += bytes(-len(self.out) % 4)

    def add(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(name) + 1, 0)
        self.out += b"070701" + b"".join(b"%08x" % f for f in fields)
        self.out += name.encode() + b"\0"
        self.pad()
        self.out += data
        self.pad()


def main():
    busybox, init = (open(path, "rb").read() for path in sys.argv[1:3])
    archive = Archive()
    for folder in "bin", "dev", "proc", "sys", "tmp", "root":
        archive.add(folder, DIRECTORY)
    archive.add("dev/console", CHARACTER, rdev=(5, 1))
    archive.add("bin/busybox", FILE, busybox)
    archive.add("init", FILE, init)
    archive.add("TRAILER!!!", 0)
    sys.stdout.buffer.write(gzip.compress(bytes(archive.out), 6, mtime=0))


if __name__ == "__main__":
    main()
