# SPDX-License-Identifier: MIT
"""rows.py - the rows of emu/hart/insn.def and csr.def, for generators."""
import os
import re

HART = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "..", "..", "emu", "hart")


class Row:
    """An instruction: word is its fixed bits, free has the others set."""

    def __init__(self, name, pattern, fmt, ext, full=None, operands=""):
        bits = pattern.replace(" ", "")
        self.name, self.fmt, self.size = name, fmt, len(bits) // 8
        self.word = int(bits.replace(".", "0"), 2)
        self.free = int("".join("1" if b == "." else "0" for b in bits), 2)
        self.exts = set(ext.lower().split("_"))
        self.operands = full.operands if full else operands
        if full:
            self.exts |= full.exts
        self.memory = "(rs1)" in self.operands
        self.float = "frd" in self.operands or "frs" in self.operands

    def random(self, rng):
        return self.word | rng.getrandbits(8 * self.size) & self.free


def read_rows():
    rows = {}
    with open(os.path.join(HART, "insn.def")) as f:
        text = f.read()
    for m in re.finditer(r'^INSN\((\w+),\s*"([^"]*)",\s*(\w+),\s*"([^"]*)",'
                         r'\s*(\w+),\s*(\w+)\)', text, re.M):
        rows[m[1]] = Row(m[1], m[2], m[3], m[5], operands=m[4])
    for m in re.finditer(r'^RVC\((\w+),\s*"([^"]*)",\s*(\w+),\s*(\w+),'
                         r'\s*(\w+)\)', text, re.M):
        rows[m[1]] = Row(m[1], m[2], m[3], m[5], full=rows[m[4]])
    return rows


def read_csrs():
    with open(os.path.join(HART, "csr.def")) as f:
        return {m[2]: int(m[1], 16) for m in re.finditer(
            r"^CSR(?:_STORED)?\((0x\w+),\s*(\w+),", f.read(), re.M)}


def read_exts():
    """Names of the extensions that ebreak implements."""
    with open(os.path.join(HART, "ext.def")) as f:
        return re.findall(r'^EXT\(\w+,\s*"(\w+)",.*,\s*1\)', f.read(), re.M)
