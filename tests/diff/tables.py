# SPDX-License-Identifier: MIT
"""tables.py - random page tables, most of which still map something."""
import struct

from image import ARENA, CODE, DATA, PAGE, STUB, TABLES

V, R, W, X, USER, G, A, D = (1 << n for n in range(8))
MODES = {3: 8, 4: 9, 5: 10}
POINTERS = (2, 8, 9, 12)
DEVICES = 1 << 35  # below that QEMU may have something: PCIe's windows
NOWHERE = 0x7000000000 >> 12 << 10  # ppn of a table that is not there


class Tables:
    def __init__(self, rng, levels, mode, t, holes):
        self.rng, self.levels, self.mode, self.t = rng, levels, mode, t
        self.holes = holes  # are there pages without memory?
        self.table = [{}]  # page TABLES + n: index to entry
        self.leaves, self.inner = [], []  # (table, index, level)
        self.code_may_fault = False

    def random_va(self, size):
        """Canonical, aligned to size; as a physical address nothing."""
        bits = 12 + 9 * self.levels
        va = self.rng.getrandbits(bits) & ~(size - 1)
        if va < DEVICES:
            return self.random_va(size)
        if va >> bits - 1:
            va -= 1 << bits
        return va & 0xffffffffffffffff

    def map(self, va, pa, flags, level=0):
        """False where something else is mapped already."""
        at = 0
        for n in range(self.levels - 1, level, -1):
            index = va >> 12 + 9 * n & 511
            entry = self.table[at].get(index)
            if entry is None:
                self.table.append({})
                entry = len(self.table) - 1
                self.table[at][index] = entry
                self.inner.append((at, index, n))
            elif (at, index, n) in self.leaves:
                return False
            at = entry
        index = va >> 12 + 9 * level & 511
        if index in self.table[at]:
            return False
        self.table[at][index] = pa >> 12 << 10 | flags
        self.leaves.append((at, index, level))
        return True

    def inner_entry(self, table):
        return (ARENA + (TABLES + table) * PAGE) >> 12 << 10 | V

    def reserved(self, entry, first, last):
        """QEMU 7.2 ignores these bits when Svpbmt or Svnapot is on."""
        if self.t.qemu < (8, 0):
            return entry
        return entry | 1 << self.rng.randint(first, last)

    def spoil_top(self, entry):
        """PBMT."""
        if "svpbmt" not in self.t.exts or entry >> 61:
            return entry
        return entry | self.rng.randint(1, 3 if self.t.qemu >= (8, 0)
                                        else 2) << 61

    def spoil_leaf(self, entry, level):
        rng = self.rng
        kind = rng.randrange(11)
        if kind < 4:
            return entry ^ rng.choice((V, R, W, X, USER, USER, G, A, A, D, D))
        if kind < 6:  # any rights
            return entry & ~0xe | rng.getrandbits(3) << 1
        if kind == 6:
            return entry & ~(A | D)
        if kind == 7:
            return self.reserved(entry, 54, 60)
        if kind == 8:
            return self.spoil_top(entry)
        if kind == 9 and level:  # misaligned
            return entry | 1 << 10 + rng.randrange(9 * level)
        return entry ^ rng.getrandbits(2) << 8

    def spoil_inner(self, entry):
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            return entry & ~V
        if kind == 1:
            return entry | rng.choice((A, D, USER))
        if kind == 2:
            return self.reserved(entry, 54, 63)
        return entry | rng.getrandbits(2) << 8 | rng.choice((0, G))

    def map_run(self, flags, pages, spare):
        """Pages in a row somewhere; the address of the first."""
        while True:
            va = self.random_va(PAGE)
            if va >> 12 & 511 > 512 - spare:
                continue
            if all(self.map(va + PAGE * n, ARENA + PAGE * page, flags)
                   for n, page in enumerate(pages)):
                return va

    def map_napot(self, flags):
        """The arena's first 64 KiB; the address of its data."""
        while True:
            va = self.random_va(0x10000)
            if all(self.map(va + PAGE * (DATA + n), ARENA + 8 * PAGE,
                            flags | 1 << 63) for n in range(4)):
                return va + PAGE * DATA

    def map_large(self, flags):
        """The arena by a superpage; the address of its first byte."""
        level = self.rng.randrange(1, self.levels)
        size = PAGE << 9 * level
        while True:
            va = self.random_va(size)
            if self.map(va, ARENA & ~(size - 1), flags, level):
                return va + (ARENA & size - 1)

    def lay_out(self, p):
        rng = self.rng
        user = USER if self.mode == 0 else 0
        data_user = USER if rng.random() < (.85 if self.mode == 0 else .3) \
            else 0
        full = V | R | W | A | D
        data = [DATA + rng.randrange(4) if rng.random() < .2 else DATA + n
                for n in range(4)]
        p.stub_va = self.map_run(V | R | X | A, [STUB], 1)
        code = self.map_run(V | R | X | A | user, [CODE, CODE + 1], 2)
        flags = full | data_user | rng.choice((0, X))
        if "svnapot" in self.t.exts and rng.random() < .2:
            base = self.map_napot(flags)
        else:
            base = self.map_run(flags, data, 4)
        large = self.map_large(full | data_user | rng.choice((0, X)))
        if rng.random() < .4:
            p.code_at = 2 * PAGE // 2 - 2 * rng.randint(1, 24)
        p.code_va = None if self.mode == 3 else code + p.code_at
        self.set_pointers(p, base, large)
        self.write(p)
        p.csr["satp"] = MODES[self.levels] << 60 | rng.getrandbits(16) << 44 \
            | (ARENA + TABLES * PAGE) >> 12

    def set_pointers(self, p, base, large):
        rng = self.rng
        for r in POINTERS:
            p.x[r] = base + rng.choice((0x1000, 0x2000, 0x3000)) + \
                rng.choice((0, 8, -4, rng.randint(-32, 32)))
        p.x[9] = large + (DATA + 1) * PAGE + rng.choice((8, 0x800, 0xffc))
        if rng.random() < .1:  # not canonical
            p.x[12] ^= 1 << rng.randint(12 + 9 * self.levels - 1, 63)
        if rng.random() < .1:
            p.x[8] = rng.getrandbits(64)

    def write(self, p):
        """Spoils entries here and there, and pokes all into the arena."""
        rng, out = self.rng, {}
        for at, index, level in self.leaves:
            out[at, index] = self.table[at][index]
        for at, index, level in self.inner:
            out[at, index] = self.inner_entry(self.table[at][index])
        for n, (at, index, level) in enumerate(self.leaves[1:], 1):
            code = n < 3
            while rng.random() < (.08 if code else .3):
                out[at, index] = self.spoil_leaf(out[at, index], level)
                self.code_may_fault |= code
            if level and self.holes and rng.random() < .1:
                out[at, index] = NOWHERE | V | R | W | A | D
        for at, index, level in self.inner:
            if rng.random() < .03:
                out[at, index] = self.spoil_inner(out[at, index])
                self.code_may_fault = True
        for (at, index), entry in out.items():
            p.pokes.append(((TABLES + at) * PAGE + 8 * index,
                            struct.pack("<Q", entry)))
        p.pages = TABLES + len(self.table)
