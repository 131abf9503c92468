# SPDX-License-Identifier: MIT
"""encode.py - what an assembler of 2023 does not know, from the manuals.

Instructions become .insn or .2byte directives with the same operands, so that
cases read alike whatever the assembler's age.
"""
import re

OP, OP_FP, AMO = 0x33, 0x53, 0x2f

# Of the R form: opcode, funct3, funct7, and rs2 where it is not an operand.
R = {"czero.eqz": (OP, 5, 7), "czero.nez": (OP, 7, 7),
     "fcvtmod.w.d": (OP_FP, 1, 0x61, 8)}
AMOS = {"amoadd": 0, "amoswap": 1, "amoxor": 4, "amocas": 5, "amoor": 8,
        "amoand": 12, "amomin": 16, "amomax": 20, "amominu": 24,
        "amomaxu": 28}
for f, fmt in enumerate("sdh"):
    R["fminm." + fmt] = (OP_FP, 2, 0x14 + f)
    R["fmaxm." + fmt] = (OP_FP, 3, 0x14 + f)
    R["fleq." + fmt] = (OP_FP, 4, 0x50 + f)
    R["fltq." + fmt] = (OP_FP, 5, 0x50 + f)
    R["fround." + fmt] = (OP_FP, 7, 0x20 + f, 4)
    R["froundnx." + fmt] = (OP_FP, 7, 0x20 + f, 5)
    R["fli." + fmt] = (OP_FP, 0, 0x78 + f, 1)
for name, funct5 in AMOS.items():
    widths = {"b": 0, "h": 1, "w": 2, "d": 3, "q": 4}
    for width in widths if name == "amocas" else "bh":
        R[f"{name}.{width}"] = (AMO, widths[width], funct5 << 2)

# Zcb: bits 15-10, and what lies in bits 6-2 besides a register.
ZCB_MEMORY = {"c.lbu": 0x20, "c.lhu": 0x21, "c.lh": 0x21, "c.sb": 0x22,
              "c.sh": 0x23}
ZCB_UNARY = {"c.zext.b": 0x18, "c.sext.b": 0x19, "c.zext.h": 0x1a,
             "c.sext.h": 0x1b, "c.zext.w": 0x1c, "c.not": 0x1d}
SHORT = {f"a{n}": n + 2 for n in range(6)}  # a0 is x10, which is 2


def zcb(name, args):
    if name in ZCB_UNARY:
        return 0x27 << 10 | SHORT[args[0]] << 7 | ZCB_UNARY[name] << 2 | 1
    if name == "c.mul":
        return 0x27 << 10 | SHORT[args[0]] << 7 | 2 << 5 | \
            SHORT[args[1]] << 2 | 1
    offset, base = re.match(r"(\d+)\((\w+)\)", args[1]).groups()
    offset = int(offset)
    low = offset & 1 if name in ("c.lbu", "c.sb") else name == "c.lh"
    return ZCB_MEMORY[name] << 10 | SHORT[base] << 7 | low << 6 | \
        (offset >> 1 & 1) << 5 | SHORT[args[0]] << 2


def encode(text):
    """An instruction as the assembler can read it."""
    name, _, operands = text.strip().partition(" ")
    args = [a.strip() for a in operands.split(",")] if operands else []
    if name in ZCB_MEMORY or name in ZCB_UNARY or name == "c.mul":
        return f".2byte {zcb(name, args):#x}"
    if name not in R:
        return text
    opcode, funct3, funct7, *rs2 = R[name]
    args = [a.strip("()") for a in args]
    if opcode == AMO:  # rd, rs2, (rs1)
        args = [args[0], args[2], args[1]]
    if name.startswith("fli."):
        args[1] = f"x{args[1]}"
    args += [f"x{n}" for n in rs2]
    return f".insn r {opcode}, {funct3}, {funct7}, " + ", ".join(args)
