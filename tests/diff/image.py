# SPDX-License-Identifier: MIT
"""image.py - programs, and the image of harness.c with a batch of them."""
import struct

RAM, BATCH, ARENA, PAGE = 0x80000000, 0x80030000, 0x82000000, 4096
TRAP_ENTRY, SAVE = 0x80000100, 0x80020000

# The arena's pages: two of code, harness.c's stub, four of data, page tables.
CODE, STUB, DATA, TABLES = 0, 2, 3, 7

ECALL = 0x00000073

# What a program starts with, in this order; satp after all that could fault.
SET_CSRS = [
    "mie", "mip", "mideleg", "medeleg", "mcause", "mtval", "stvec", "sepc",
    "scause", "stval", "sscratch", "mcounteren", "scounteren", "menvcfg",
    "senvcfg", "mcountinhibit", *(f"pmpaddr{n}" for n in range(16)),
    "pmpcfg0", "pmpcfg2", "satp",
]


def csr_op(funct3, rd, csr, rs1):
    return csr << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73


def branch_offset(off):
    return (off >> 12 & 1) << 31 | (off >> 5 & 63) << 25 | \
        (off >> 1 & 15) << 8 | (off >> 11 & 1) << 7


def jump_offset(off):
    return (off >> 20 & 1) << 31 | (off >> 1 & 1023) << 21 | \
        (off >> 11 & 1) << 20 | (off >> 12 & 255) << 12


def c_jump_offset(off):
    return (off >> 11 & 1) << 12 | (off >> 4 & 1) << 11 | \
        (off >> 8 & 3) << 9 | (off >> 10 & 1) << 8 | (off >> 6 & 1) << 7 | \
        (off >> 7 & 1) << 6 | (off >> 1 & 7) << 3 | (off >> 5 & 1) << 2


def c_branch_offset(off):
    return (off >> 8 & 1) << 12 | (off >> 3 & 3) << 10 | \
        (off >> 6 & 3) << 5 | (off >> 1 & 3) << 3 | (off >> 5 & 1) << 2


# How a jump's offset becomes part of it, by the row's format. jalr and addi
# count from the auipc before them.
OFFSETS = {
    "B": branch_offset, "J": jump_offset, "CJ": c_jump_offset,
    "CB": c_branch_offset, "I": lambda off: (off + 4 & 0xfff) << 20,
}


class Program:
    """A random program: code, and the state it starts from."""

    def __init__(self, rng, mode=3):
        self.glued, self.fences = set(), []
        self.code = []  # [word, size, format of the jump or None, target]
        self.mode = mode  # 0 U, 1 S, 3 M
        self.mstatus = 0
        self.x, self.f, self.fcsr = [0] * 32, [0] * 32, 0
        self.csr = dict.fromkeys(SET_CSRS, 0)
        # One PMP entry that lets everybody have everything.
        self.csr["pmpaddr15"], self.csr["pmpcfg2"] = (1 << 54) - 1, 0x1f << 56
        self.code_at = 16  # in the arena
        self.code_va = self.stub_va = None  # as in the arena
        self.pages, self.max_traps = TABLES, 12
        self.lines = 0  # interrupts that devices raise
        self.seed = rng.getrandbits(63)
        self.pokes = []

    def add(self, word, size=4):
        self.code.append((word, size, None, 0))

    def glue(self):
        """What comes next belongs to what came last: no jumps to it."""
        self.glued.add(len(self.code))

    def fence(self):
        """No jump from before goes any further than to here."""
        self.fences.append(len(self.code))

    def jump(self, word, size, fmt, ahead):
        """To the instruction that is so many behind this one."""
        self.code.append((word, size, fmt, len(self.code) + ahead))

    def assemble(self):
        """Its bytes, a final ecall too, and where each instruction starts."""
        all_of_it = self.code + [(ECALL, 4, None, 0)]
        at, offsets = 0, []
        for _, size, _, _ in all_of_it:
            offsets.append(at)
            at += size
        out = bytearray()
        for n, (word, size, fmt, target) in enumerate(all_of_it):
            if fmt:
                while target in self.glued:
                    target += 1
                target = min([target, len(self.code)] +
                             [f for f in self.fences if f > n])
                word |= OFFSETS[fmt](offsets[target] - offsets[n])
            out += word.to_bytes(size, "little")
        return bytes(out), offsets

    def record(self, at):
        """The bytes of harness.c's struct program and what it points to."""
        code, offsets = self.assemble()
        starts = bytearray(len(code) // 16 + 1)
        for off in offsets:
            starts[off // 16] |= 1 << off // 2 % 8
        va = self.code_va or ARENA + self.code_at
        stub = self.stub_va or ARENA + STUB * PAGE
        pokes = [(self.code_at, code)] + self.pokes
        self.csr["stvec"] = self.csr["stvec"] or stub
        tail = b"".join(self.csr[c].to_bytes(8, "little") for c in SET_CSRS)
        csr = at + 12 * 8 + 64 * 8 + 3 * 8
        bits = csr + len(tail)
        tail += bytes(starts) + bytes(-len(starts) % 8)
        poke = csr + len(tail)
        for off, data in pokes:
            tail += struct.pack("<II", off, len(data)) + data + \
                bytes(-len(data) % 8)
        tail += bytes(8)
        head = struct.pack(
            "<12Q", va, self.mstatus | self.mode << 11, va, len(code),
            offsets[-1], self.code_at, stub, self.seed, self.pages,
            self.max_traps, self.fcsr, self.lines)
        return head + struct.pack("<64Q", *self.x, *self.f) + \
            struct.pack("<3Q", csr, bits, poke) + tail


def read_thunk(numbers):
    """void read(uint64_t *a0): all these CSRs."""
    code = b""
    for n, number in enumerate(numbers):
        off = 8 * n
        code += struct.pack(
            "<II", csr_op(2, 11, number, 0),
            off >> 5 << 25 | 11 << 20 | 10 << 15 | 3 << 12 |
            (off & 31) << 7 | 0x23)
    return code + struct.pack("<I", 0x8067)


def write_thunk(numbers):
    """void write(const uint64_t *a0)."""
    code = b""
    for n, number in enumerate(numbers):
        code += struct.pack("<II", 8 * n << 20 | 10 << 15 | 3 << 12 |
                            11 << 7 | 0x03, csr_op(1, 0, number, 11))
    return code + struct.pack("<I", 0x8067)


def build(harness, programs, compared, numbers, first=0, dumped=-1,
          busy=False):
    """The image; compared: (name, mask) of CSRs, numbers: name to number."""
    thunks = [read_thunk([numbers[name] for name, _ in compared]),
              write_thunk([numbers[name] for name in SET_CSRS]),
              b"".join(m.to_bytes(8, "little") for _, m in compared)]
    at = BATCH + 8 * 8 + 8 * len(programs)
    where, blob = [], b""
    for part in thunks:
        where.append(at + len(blob))
        blob += part + bytes(-len(part) % 8)
    records, out, at = [], [], at + len(blob)
    for p in programs:
        record = p.record(at)
        records.append(at)
        out.append(record)
        at += len(record)
    assert at < ARENA
    header = struct.pack("<QQqQQQQQ", len(programs), first, dumped,
                         len(compared), *where, busy)
    pad = bytes(BATCH - RAM - len(harness))
    return b"".join([harness, pad, header,
                     struct.pack(f"<{len(records)}Q", *records), blob, *out])
