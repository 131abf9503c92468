# SPDX-License-Identifier: MIT
"""operands.py - random values in which the special ones are not rare."""

BOXED = 0xffffffff << 32
BOXED_H = 0xffffffffffff << 16

INTS = [0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000,
        0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
        0x7fffffffffffffff, 0x8000000000000000]

# Fractions and exponents that lie next to what matters, by width.
HALVES = [0, 1, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x3bff, 0x7bff, 0x7c00, 0x7c01,
          0x7e00, 0x7fff, 0x4000, 0x3800, 0x5bff, 0x77ff, 0x7800, 0x6400]
SINGLES = [0, 1, 0x7fffff, 0x800000, 0x800001, 0x3f800000, 0x3f800001,
           0x3f7fffff, 0x40000000, 0x3f000000, 0x7f7fffff, 0x7f800000,
           0x7f800001, 0x7fc00000, 0x7fffffff, 0x4effffff, 0x4f000000,
           0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0x5f7fffff,
           0x5f800000, 0x33800000, 0x477fe000, 0x477ff000, 0x38800000,
           0x387fe000, 0x3effffff, 0x3fc00000]
DOUBLES = [0, 1, 0xfffffffffffff, 0x10000000000000, 0x3ff0000000000000,
           0x3ff0000000000001, 0x3fefffffffffffff, 0x4000000000000000,
           0x3fe0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
           0x7ff0000000000001, 0x7ff8000000000000, 0x7fffffffffffffff,
           0x41dfffffffc00000, 0x41e0000000000000, 0x41efffffffe00000,
           0x41f0000000000000, 0x43dfffffffffffff, 0x43e0000000000000,
           0x43efffffffffffff, 0x43f0000000000000, 0x36a0000000000000,
           0x3690000000000000, 0x380fffffe0000000, 0x3810000000000000,
           0x47efffffe0000000, 0x47effffff0000000, 0x3ff8000000000000,
           0x40effc0000000000, 0x40f0000000000000, 0x3fdfffffffffffff]


def int_value(rng):
    kind = rng.random()
    if kind < .35:
        v = rng.choice(INTS)
        if kind < .12:
            v = -v
        elif kind < .2:
            v += rng.choice((-1, 1))
        return v & 0xffffffffffffffff
    if kind < .5:
        return 1 << rng.randrange(64)
    if kind < .6:
        v = rng.getrandbits(32)
        return v | (BOXED if v >> 31 else 0)
    return rng.getrandbits(64) >> rng.choice((0, 0, 0, rng.randrange(64)))


def near(rng, values, width):
    """A special value, one next to it, or one with its exponent."""
    v = rng.choice(values)
    kind = rng.random()
    if kind < .2:
        v += rng.choice((-1, 1, 2))
    elif kind < .35:
        v ^= rng.getrandbits(width // 2)
    if rng.random() < .5:
        v ^= 1 << width - 1
    return v & (1 << width) - 1


def fp_value(rng):
    kind = rng.random()
    if kind < .33:
        return near(rng, DOUBLES, 64)
    if kind < .62:
        return BOXED | near(rng, SINGLES, 32)
    if kind < .75:
        return BOXED_H | near(rng, HALVES, 16)
    if kind < .85:
        return BOXED | rng.getrandbits(32)
    if kind < .88:  # not quite a box
        return rng.getrandbits(32) << 32 | near(rng, SINGLES, 32)
    if kind < .95:  # a double of moderate size
        return (rng.getrandbits(1) << 63 | rng.randint(0x3c0, 0x440) << 52 |
                rng.getrandbits(52))
    return rng.getrandbits(64)
