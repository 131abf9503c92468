# SPDX-License-Identifier: MIT
"""values.py - what the expressions of cases.txt and traps.txt mean."""
from fractions import Fraction

ALL = (1 << 64) - 1
X_NAMES = "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 " \
          "s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split()
F_NAMES = "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 " \
          "fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 " \
          "ft11".split()
MODES = {"U": 0, "S": 1, "M": 3}
FLAGS = {"NX": 1, "UF": 2, "OF": 4, "DZ": 8, "NV": 16}

# mstatus (volume II, 3.1.6), and other CSRs' fields.
STATUS = {"SIE": 2, "MIE": 8, "SPIE": 0x20, "MPIE": 0x80, "SPP": 0x100,
          "MPP_S": 0x800, "FS_INITIAL": 0x2000, "MPRV": 1 << 17,
          "SUM": 1 << 18, "MXR": 1 << 19, "TVM": 1 << 20, "TW": 1 << 21,
          "TSR": 1 << 22, "ADUE": 1 << 61, "STCE": 1 << 63}
FS, SD, XL = 0x6000, 1 << 63, 0xa00000000
MPP = 0x1800

# Page table entries (volume II, 12.4).
RIGHTS = {c: 1 << n for n, c in enumerate("VRWXUGAD")}


class Bits:
    """A floating-point value that is no number."""

    def __init__(self, bits, sign):
        self.bits, self.sign = bits, sign

    def __neg__(self):
        return Bits(self.bits ^ self.sign, self.sign)


class Format:
    """A binary interchange format of IEEE 754."""

    def __init__(self, width, exponent_bits):
        self.width = width
        self.fraction = width - 1 - exponent_bits
        self.bias = (1 << exponent_bits - 1) - 1
        sign, top = 1 << width - 1, (1 << exponent_bits) - 1
        inf, quiet = top << self.fraction, 1 << self.fraction - 1
        eps = Fraction(1, 1 << self.fraction)
        least = Fraction(1, 1 << self.bias - 1)
        self.names = {
            "eps": eps, "min": least, "sub": least * eps,
            "max": (2 - eps) * Fraction(1 << self.bias),
            "inf": Bits(inf, sign), "nan": Bits(inf | quiet, sign),
            "snan": Bits(inf | 1, sign), "nzero": Bits(sign, sign),
        }

    def encode(self, value):
        """A number's bits; it must be representable."""
        if isinstance(value, Bits):
            return value.bits
        value = Fraction(value)
        sign, value = value < 0, abs(value)
        exponent = 1 - self.bias
        while value >= Fraction(2) ** (exponent + 1):
            exponent += 1
        scaled = value / Fraction(2) ** (exponent - self.fraction)
        assert scaled.denominator == 1 and exponent <= self.bias, value
        significand = int(scaled)
        biased = exponent + self.bias if significand >> self.fraction else 0
        return sign << self.width - 1 | biased << self.fraction | \
            significand & (1 << self.fraction) - 1

    def box(self, value):
        """What an f register holds (volume I, NaN boxing)."""
        return ALL >> self.width << self.width | self.encode(value)


FORMATS = {"h": Format(16, 5), "s": Format(32, 8), "d": Format(64, 11)}
WIDTHS = {"b": 8, "h": 16, "w": 32, "d": 64}


def formats(mnemonic):
    """Of the results and of the operands."""
    named = [FORMATS.get(part) for part in mnemonic.split(".")[1:]]
    known = [f for f in named if f]
    return (named[0] or known[-1], known[-1]) if known else (None, None)


def width_names(mnemonic):
    atomic = mnemonic.startswith(("amo", "lr.", "sc."))
    width = WIDTHS.get(mnemonic.split(".")[-1], 64) if atomic else 64
    return {"umax": (1 << width) - 1, "smax": (1 << width - 1) - 1,
            "smin": -(1 << width - 1)}


def evaluate(text, names):
    return eval(text, {"__builtins__": {}}, names)


class Status:
    """mstatus, as traps and returns change it (3.1.6.1, 12.1.1.1)."""

    def __init__(self, value):
        self.bits, self.mode = value, value >> 11 & 3

    def move(self, source, target):
        self.bits &= ~target
        self.bits |= target if self.bits & source else 0

    def mret(self):
        mode = self.bits >> 11 & 3
        self.move(STATUS["MPIE"], STATUS["MIE"])
        self.bits = self.bits & ~MPP | STATUS["MPIE"]
        self.bits &= ~(STATUS["MPRV"] if mode != 3 else 0)
        self.mode = mode

    def sret(self):
        self.mode = self.bits >> 8 & 1
        self.move(STATUS["SPIE"], STATUS["SIE"])
        self.bits = (self.bits | STATUS["SPIE"]) & \
            ~(STATUS["SPP"] | STATUS["MPRV"])

    def trap(self, to):
        if to == 3:
            self.move(STATUS["MIE"], STATUS["MPIE"])
            self.bits &= ~(MPP | STATUS["MIE"])
            self.bits |= self.mode << 11
        else:
            self.move(STATUS["SIE"], STATUS["SPIE"])
            self.bits &= ~(STATUS["SPP"] | STATUS["SIE"])
            self.bits |= self.mode << 8
        self.mode = to

    def value(self):
        return XL | self.bits | (SD if self.bits & FS == FS else 0)
