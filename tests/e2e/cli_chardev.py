#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli_chardev.py - a guest's serial line on every kind of character device.

The guest says hello and echoes what it is told.
"""

import os
import re
import select
import socket
import termios
import time
import tty

from guests import ECHO, bare, finisher, exits, guest, path
from lib import PATIENCE, Failed, Machine, need, tests

MONITOR = ("-monitor", "stdio")


class Wire:
    """The other end of the line: a descriptor."""

    def __init__(self, fd):
        self.fd = fd
        self.got = b""

    def expect(self, what, seconds=20):
        end = time.monotonic() + seconds * PATIENCE
        while what not in self.got:
            left = max(end - time.monotonic(), 0)
            if not select.select([self.fd], [], [], left)[0]:
                raise Failed(f"no {what!r}: {self.got!r}")
            data = os.read(self.fd, 4096)
            need(data, f"closed before {what!r}: {self.got!r}")
            self.got += data
        before, self.got = self.got.split(what, 1)
        return before

    def echoes(self, text):
        os.write(self.fd, text)
        self.expect(text)


def echo(*args, serial=MONITOR):
    return Machine(*bare(guest("echo", ECHO)), *args, serial=serial)


def ends(m):
    m.send("quit\n")
    m.exits(0)


def connect(name, seconds=20):
    end = time.monotonic() + seconds * PATIENCE
    while True:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path(name))
            return s
        except OSError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def stdio():
    m = echo(serial=("-serial", "stdio", "-monitor", "none"))
    m.expect("hello\n")
    m.send("ping")
    m.expect("ping")
    m.process.terminate()
    m.exits(0)


def serial_pty():
    m = echo("-serial", "pty")
    m.expect("char device redirected to ")
    name = m.expect(" (label serial0)\n")
    fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd, termios.TCSANOW)
    m.expect("(qemu) ")
    Wire(fd).echoes(b"over a pty")
    ends(m)
    os.close(fd)


def ring_buffer():
    m = echo("-chardev", "ringbuf,id=ring,size=1024",
             "-serial", "chardev:ring")
    m.expect("(qemu) ")
    seen = ""
    end = time.monotonic() + 20 * PATIENCE
    while "hello" not in seen:  # it may come in pieces
        need(time.monotonic() < end, f"no hello in the ring: {seen!r}")
        seen += m.run("ringbuf_read ring 100", "(qemu) ").strip()
    m.run("ringbuf_write ring abc", "(qemu) ")
    ends(m)


def file_and_logfile():
    m = echo("-chardev", f"file,id=f,path={path('out')},"
             f"logfile={path('log')}", "-serial", "chardev:f")
    m.expect("(qemu) ")
    for name in "out", "log":
        end = time.monotonic() + 20 * PATIENCE
        while open(path(name), "rb").read() != b"hello\n":
            need(time.monotonic() < end, f"no hello in {name}")
            time.sleep(0.01)
    ends(m)


def file_is_truncated_unless_appended_to():
    for options, want in ("", b""), (",append=on", b"before"):
        with open(path("old"), "wb") as f:
            f.write(b"before")
        exits(0, *bare(finisher(0x5555)), "-chardev",
              f"file,id=f,path={path('old')}{options}", "-serial",
              "chardev:f")
        with open(path("old"), "rb") as f:
            got = f.read()
        need(got == want, f"{options}: {got!r}")


def unix_server():
    m = echo("-S", "-serial", f"unix:{path('s')},server=on,wait=off")
    s = connect("s")
    m.expect("(qemu) ")
    m.send("cont\n")
    wire = Wire(s.fileno())
    wire.expect(b"hello\n")
    wire.echoes(b"over a socket")
    s.close()
    again = connect("s")
    Wire(again.fileno()).echoes(b"and the next client")
    ends(m)
    need(again.recv(1) == b"", "the client is not told of the end")
    again.close()
    need(not os.path.exists(path("s")), "the socket is left behind")


def unix_server_waits():
    m = echo("-serial", f"unix:{path('w')},server=on")
    s = connect("w")
    Wire(s.fileno()).expect(b"hello\n")
    ends(m)
    s.close()


def tcp_client_comes_back():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20 * PATIENCE)
        port = server.getsockname()[1]
        m = echo("-chardev", f"socket,id=c,host=127.0.0.1,port={port},"
                 "reconnect-ms=50", "-serial", "chardev:c")
        for text in b"first", b"second", b"third":
            s, _ = server.accept()
            Wire(s.fileno()).echoes(text)
            s.close()
        ends(m)


def telnet_server():
    m = echo("-chardev", "socket,id=t,host=127.0.0.1,port=0,server=on,"
             "wait=off,telnet=on", "-serial", "chardev:t")
    m.expect("(qemu) ")
    text = m.run("info chardev", "(qemu) ")
    port = re.search(r"t: filename=\S*?127\.0\.0\.1:(\d+)", text)
    need(port, f"no port in {text!r}")
    with socket.create_connection(("127.0.0.1", int(port[1]))) as s:
        wire = Wire(s.fileno())
        wire.expect(b"\xff")  # it negotiates
        wire.echoes(b"telnet")
    ends(m)


def mux_over_a_socket():
    m = Machine(*bare(guest("echo", ECHO)), "-chardev",
                f"socket,id=x,path={path('x')},server=on,wait=off,mux=on",
                "-serial", "chardev:x", "-mon", "chardev=x", serial=())
    s = connect("x")
    wire = Wire(s.fileno())
    wire.echoes(b"to the guest")  # who has the keyboard first
    os.write(s.fileno(), b"\x01cinfo status\n")
    wire.expect(b"VM status: running")
    wire.expect(b"(qemu) ")
    os.write(s.fileno(), b"\x01c")
    wire.echoes(b"to the guest again")
    os.write(s.fileno(), b"\x01h")
    wire.expect(b"C-a x")
    os.write(s.fileno(), b"\x01cquit\n")
    m.exits(0)
    s.close()


def other_escape_key():
    m = echo("-echr", "0x14", serial=("-serial", "mon:stdio"))
    m.expect("hello\n")
    m.send("\x01c")
    m.expect("\x01c")  # C-a is a key like any other now
    m.send("\x14c")
    m.expect("(qemu) ")
    ends(m)


if __name__ == "__main__":
    tests(stdio, serial_pty, ring_buffer, file_and_logfile,
          file_is_truncated_unless_appended_to, unix_server,
          unix_server_waits, tcp_client_comes_back, telnet_server,
          mux_over_a_socket, other_escape_key)
