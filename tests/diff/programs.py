# SPDX-License-Identifier: MIT
"""programs.py - random programs, a generator for each class.

A generator is told what both sides implement (Target) and gets a random
number generator; it gives a Program. Which of an instruction's bits are free
comes from insn.def, so whatever the table draws wrongly shows as well.
"""
from image import (ARENA, DATA, ECALL, PAGE, SAVE, TRAP_ENTRY, Program,
                   csr_op)
from operands import fp_value, int_value
from tables import Tables

M, S, U = 3, 1, 0
POINTERS = (2, 8, 9, 12)  # x2 for c.lwsp and its like
OTHERS = [r for r in range(32) if r not in POINTERS]
OTHERS_C = [10, 11, 13, 14, 15]
SIE, MIE, SPIE, MPIE, SPP, MPP = 2, 8, 0x20, 0x80, 0x100, 0x1800
FS, MPRV, SUM, MXR, TVM, TW, TSR = \
    0x6000, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22
HOLE = 0x7000000000  # a physical address with nothing there

RD_HIGH = {"R", "SH", "I", "U", "CI", "CLI", "CLUI", "CADDIW", "CSH", "CMV",
           "CR", "CLDSP", "CLWSP", "A", "AQ", "CSR", "J", "RM"}
RD_MIDDLE = {"CA", "CBI", "CBSH", "CU", "CZB", "CNOT"}  # rd' in 9:7
RD_LOW = {"CIW", "CLB", "CLH", "CLW", "CLD"}  # rd' in 4:2
STORES = {"sb", "sh", "sw", "sd", "c_sb", "c_sh", "c_sw", "c_sd"}


class Target:
    """What both sides have: rows of insn.def by what they do."""

    def __init__(self, rows, csrs, exts):
        have = [r for r in rows.values() if r.exts <= exts]
        self.exts, self.csrs, self.row = exts, csrs, {r.name: r for r in have}
        system = {"ecall", "ebreak", "c_ebreak", "mret", "sret", "wfi",
                  "wrs_nto", "wrs_sto", "sfence_vma", "sinval_vma",
                  "sfence_w_inval", "sfence_inval_ir"}
        jumps = {"jal", "jalr", "c_j", "c_jr", "c_jalr"}
        self.jumps = [r for r in have if r.name in jumps or
                      r.fmt in ("B", "CB")]
        plain = [r for r in have if r not in self.jumps and
                 r.name not in system and r.fmt != "CSR"]
        self.ints = [r for r in plain if not r.memory and not r.float]
        self.floats = [r for r in plain if r.float and not r.memory]
        atomics = [r for r in plain if r.fmt in ("A", "AQ")]
        self.amos = [r for r in atomics if r.name[:3] == "amo"]
        self.accesses = [r for r in plain if r.memory and
                         r not in atomics and
                         not r.name.startswith(("cbo", "prefetch"))]
        self.blocks = [r for r in plain if r.name.startswith("cbo")]


# Pieces ----------------------------------------------------------------------

def set_field(word, at, width, v):
    mask = (1 << width) - 1
    return word & ~(mask << at) | v << at


def keep_pointers(rng, row, word):
    """Another rd where a pointer would be overwritten."""
    if row.fmt in RD_HIGH and word >> 7 & 31 in POINTERS:
        return set_field(word, 7, 5, rng.choice(OTHERS[1:]))
    if row.fmt in RD_MIDDLE and 8 + (word >> 7 & 7) in POINTERS:
        return set_field(word, 7, 3, rng.choice(OTHERS_C) - 8)
    if row.fmt in RD_LOW and 8 + (word >> 2 & 7) in POINTERS:
        return set_field(word, 2, 3, rng.choice(OTHERS_C) - 8)
    return word


def use_pointer(rng, row, word):
    """rs1 becomes a pointer, where the format names one."""
    if row.size == 4:
        word = set_field(word, 15, 5, rng.choice(POINTERS))
    elif row.fmt in ("CLB", "CLH", "CLW", "CLD"):
        word = set_field(word, 7, 3, rng.choice(POINTERS[1:]) - 8)
    return word


def add_access(p, rng, t, rows):
    row = rng.choice(rows)
    word = use_pointer(rng, row, row.random(rng))
    if row.name not in STORES and not row.float:
        word = keep_pointers(rng, row, word)
    if row.fmt == "AQ" and rng.random() < .9:  # pairs, none with a pointer
        word = set_field(word & ~(1 << 20), 7, 5, rng.randrange(14, 32, 2))
    if not t.is_excluded(word):
        p.add(word, row.size)


def is_jump(word):
    """So that programs come to an end: only add_jump's jumps, forward."""
    if word & 3 == 3:
        return word & 0x7f in (0x63, 0x67, 0x6f)
    op = word & 3, word >> 13 & 7
    return op in ((1, 5), (1, 6), (1, 7)) or (op == (2, 4) and
                                              not word >> 2 & 31)


def add_int(p, rng, t, free=False):
    row = rng.choice(t.ints)
    word = row.random(rng)
    if row.name == "c_addi16sp" and not free or is_jump(word):
        return
    p.add(word if free else keep_pointers(rng, row, word), row.size)


def add_jump(p, rng, t, regs=range(32)):
    row, ahead = rng.choice(t.jumps), rng.randint(1, 6)
    if row.fmt in ("B", "CB", "J", "CJ"):
        word = row.random(rng)
        keep = {"B": 0x1fff07f, "J": 0xfff, "CJ": 0xe003, "CB": 0xe383}
        word &= keep[row.fmt]
        if row.fmt == "J":
            word = set_field(word, 7, 5, rng.choice(regs))
        p.jump(word, row.size, row.fmt, ahead)
        return
    reg = rng.choice([r for r in OTHERS[1:] if r in regs])
    link = rng.choice(regs)
    p.add(reg << 7 | 0x17)  # auipc
    p.glue()
    if row.name == "jalr":
        p.jump(reg << 15 | link << 7 | 0x67, 4, "I", ahead)
        return
    p.jump(reg << 15 | reg << 7 | 0x13, 4, "I", ahead + 1)
    p.glue()
    p.add(row.word | reg << 7, 2)


def random_registers(p, rng):
    p.x = [0] + [int_value(rng) for _ in range(31)]


def data_pointers(p, rng, base=ARENA + DATA * PAGE):
    """The middle of four pages, so that 12-bit offsets stay in there."""
    for r in POINTERS:
        p.x[r] = base + rng.choice((0x1000, 0x2000, 0x3000)) + \
            rng.choice((0, 0, 0, 8, -4, rng.randint(-32, 32)))


def enter_fp(p, rng):
    p.f = [fp_value(rng) for _ in range(32)]
    p.fcsr = rng.randrange(5) << 5 | rng.getrandbits(5) & rng.getrandbits(5)
    p.mstatus |= rng.choice((0x2000, 0x4000, 0x6000))


# Classes ---------------------------------------------------------------------

def integer(t, rng):
    p = Program(rng, rng.choice((M, M, S, U)))
    random_registers(p, rng)
    for _ in range(rng.randint(20, 50)):
        if rng.random() < .12:
            add_jump(p, rng, t)
        else:
            add_int(p, rng, t, free=True)
    return p


# x31 counts; x30 is the instruction that is stored, x29 where.
LOOP_REGS = [r for r in OTHERS if r < 29]


def add_tame(p, rng, t):
    """An instruction that leaves pointers and x29 to x31 alone."""
    row = rng.choice(rng.choice((t.ints, t.ints, t.accesses)))
    word = row.random(rng)
    if row.memory:
        word = use_pointer(rng, row, word)
    if row.name not in STORES and not row.float:
        word = keep_pointers(rng, row, word)
        if row.fmt in RD_HIGH and word >> 7 & 31 not in LOOP_REGS:
            word = set_field(word, 7, 5, 5)
    if row.name != "c_addi16sp" and not is_jump(word) and \
            not t.is_excluded(word):
        p.add(word, row.size)


def add_patch(p, rng, t):
    """Stores an instruction over one that is four further on."""
    row = rng.choice([r for r in t.ints if r.size == 4 and r.fmt == "R"])
    p.x[30] = set_field(row.random(rng), 7, 5, rng.choice(OTHERS[:20]))
    if t.is_excluded(p.x[30]):
        return
    p.add(29 << 7 | 0x17)  # auipc
    p.glue()
    p.jump(29 << 15 | 29 << 7 | 0x13, 4, "I", 3)
    p.glue()
    p.add(30 << 20 | 29 << 15 | 2 << 12 | 0x23)  # sw
    p.glue()
    p.add(t.row["fence_i"].word)
    p.add(5 << 7 | 0x13)  # li t0, 0: this one


def add_time(p, rng, t):
    """For ebreak alone: the same, whatever executes it, and to the step."""
    p.add(csr_op(2, rng.choice(LOOP_REGS), rng.choice((0xc00, 0xc01, 0xc02)),
                 0))


def loop(t, rng):
    """Blocks that come again, and so are translated and joined."""
    p = Program(rng, rng.choice((M, S, U)))
    if t.alone:  # an interrupt comes in the middle of it
        p.csr["mcounteren"] = p.csr["scounteren"] = 7
        p.csr["mie"], p.mstatus = 1 << 7, MPIE
        p.lines = rng.randint(1, 6) << 16
    random_registers(p, rng)
    enter_fp(p, rng)
    data_pointers(p, rng)
    if rng.random() < .3:  # across two pages
        p.code_at = PAGE - 2 * rng.randint(1, 60)
    for _ in range(rng.randint(1, 3)):
        p.add(rng.randint(2, 40) << 20 | 31 << 7 | 0x13)  # li
        first = len(p.code)
        for _ in range(rng.randint(3, 14)):
            if rng.random() < .2:
                add_jump(p, rng, t, LOOP_REGS)
            elif t.alone and rng.random() < .1:
                add_time(p, rng, t)
            else:
                add_tame(p, rng, t)
        if rng.random() < .2:
            add_patch(p, rng, t)
        p.fence()
        p.add(0xfff << 20 | 31 << 15 | 31 << 7 | 0x13)  # addi -1
        p.jump(31 << 15 | 1 << 12 | 0x63, 4, "B", first - len(p.code))
    return p


def memory(t, rng):
    p = Program(rng, rng.choice((M, M, S, U)))
    random_registers(p, rng)
    enter_fp(p, rng)
    data_pointers(p, rng)
    if rng.random() < .15:
        p.x[rng.choice(POINTERS)] = HOLE + rng.getrandbits(20)
    for _ in range(rng.randint(15, 40)):
        if rng.random() < .75:
            add_access(p, rng, t, t.accesses)
        else:
            add_int(p, rng, t)
    return p


def atomic(t, rng):
    p = Program(rng, rng.choice((M, M, S, U)))
    random_registers(p, rng)
    data_pointers(p, rng)
    if rng.random() < .1:
        p.x[rng.choice(POINTERS)] = HOLE + rng.getrandbits(20)
    for r in POINTERS:
        p.x[r] &= ~15
    pairs = [(t.row["lr_w"], t.row["sc_w"]), (t.row["lr_d"], t.row["sc_d"])]
    for _ in range(rng.randint(10, 30)):
        kind = rng.random()
        if kind < .2:
            load, store = rng.choice(pairs)
            at = rng.choice(POINTERS)
            p.add(keep_pointers(rng, load,
                                set_field(load.random(rng), 15, 5, at)))
            if rng.random() < .4:
                add_access(p, rng, t, t.accesses)
            for _ in range(rng.choice((1, 1, 1, 2))):
                p.add(keep_pointers(rng, store,
                                    set_field(store.random(rng), 15, 5, at)))
        elif kind < .8:
            add_access(p, rng, t, t.amos)
        else:
            add_int(p, rng, t)
    return p


def floating(t, rng):
    p = Program(rng, rng.choice((M, M, S, U)))
    random_registers(p, rng)
    enter_fp(p, rng)
    p.mstatus |= FS
    if rng.random() < .03:
        p.mstatus &= ~FS
    if rng.random() < .05:
        p.fcsr |= 5 << 5
    for _ in range(rng.randint(15, 35)):
        if rng.random() < .88:
            row = rng.choice(t.floats)
            p.add(row.random(rng), row.size)
        else:  # fflags, frm, fcsr
            p.add(csr_op(rng.choice((1, 2, 2, 3, 5, 6, 7)),
                         rng.randrange(32), rng.randint(1, 3),
                         rng.choice((0, rng.randrange(32)))))
    return p


# What a CSR can be made to hold on both sides alike. The rest of its bits are
# not written by random programs; see masks.py for why.
def csr_writable(t):
    env = (0xf1 if {"zicbom", "zicboz"} <= t.exts else 1)
    counters = 0x7fffd
    status = SIE | SPIE | SPP | FS | SUM | MXR
    w = {
        "sstatus": status, "sie": 0x222, "sip": 2,
        "scounteren": 0x7ffff, "senvcfg": env, "sscratch": ~0, "sepc": ~1,
        "scause": ~0, "stval": ~0, "satp": ~0, "stvec": ~2,
        "mstatus": status | MIE | MPIE | TVM | TW | TSR | MPRV,
        "medeleg": 0xb3ff, "mideleg": 0x222,
        "mie": 0xaaa, "mtvec": ~2, "mcounteren": 0x7ffff, "menvcfg": env,
        "mcountinhibit": counters, "mscratch": ~0, "mepc": ~1, "mcause": ~0,
        "mtval": ~0, "mip": 0x222, "fflags": ~0, "frm": ~0, "fcsr": ~0,
    }
    for n in range(16):
        w[f"pmpaddr{n}"] = (1 << 54) - 1
    for n in range(3, 19):
        w[f"mhpmcounter{n}"] = ~0
    for n in range(3, 32):
        w[f"mhpmevent{n}"] = 0x00fffffffffffffc
    return {name: m & (1 << 64) - 1 for name, m in w.items()}


def random_csr_value(rng, name, mask):
    v = int_value(rng) & mask
    if name == "satp":  # a mode that exists, or none; ASID and PPN
        return rng.choice((0, 8, 9, 10, 1, 15)) << 60 | v & (1 << 60) - 1
    if name in ("menvcfg", "senvcfg") and v >> 4 & 3 == 2:
        v &= ~0x30
    return v


def add_csr(p, rng, t, names, writable, state):
    """One access; sources are registers of their own, x1 on."""
    name = rng.choice(names)
    number = t.csrs[name]
    rd = rng.randrange(20, 31)
    if rng.random() < .25 or state["next"] > 16:
        funct3, rs1 = rng.choice((2, 3, 6, 7)), 0  # only reads
    else:
        funct3, rs1 = rng.choice((1, 1, 2, 3)), state["next"]
        p.x[rs1] = random_csr_value(rng, name, writable[name])
        if name in ("satp", "menvcfg", "senvcfg") or not p.x[rs1]:
            funct3 = 1
        state["next"] += 1
    if name in state["restored"]:  # no interrupt before it is as it was
        p.add(csr_op(7, 0, t.csrs["mstatus"], MIE))
    p.add(csr_op(funct3, rd, number, rs1))
    if name in state["restored"]:
        p.add(csr_op(1, rng.randrange(20, 31), number,
                     state["restored"][name]))


def csr(t, rng):
    p = Program(rng, rng.choice((M, M, M, S, U)))
    random_registers(p, rng)
    p.mstatus |= rng.choice((0, FS, FS)) | rng.choice((0, TVM, TSR, TW))
    p.csr["mcounteren"], p.csr["scounteren"] = \
        rng.getrandbits(19), rng.getrandbits(19)
    writable = csr_writable(t)
    level = {M: "msfhp", S: "sf", U: "f"}[p.mode]
    names = [n for n in writable if n[0] in level]
    state = {"next": 1, "restored": {"mtvec": 17, "mscratch": 18}}
    p.x[17], p.x[18] = TRAP_ENTRY, SAVE
    if p.mode == S:  # it runs translated from then on
        names.remove("satp")
    for _ in range(rng.randint(10, 25)):
        kind = rng.random()
        if kind < .7:
            add_csr(p, rng, t, names, writable, state)
        elif kind < .8:  # a write to what may be read-only or not there
            p.add(csr_op(2, 0, random_number(t, rng), 0))
        else:
            number = rng.choice((0xc00, 0xc80, 0xb00, 0x100, 0x180, 0x300,
                                 0xf00, 0x7a0)) + rng.randrange(32)
            if number not in t.not_probed:
                p.add(csr_op(2, 0, number, 0))
    return p


def random_number(t, rng):
    while True:
        number = rng.getrandbits(12)
        if number not in t.not_probed:
            return number


# Translation -----------------------------------------------------------------

def add_system(p, rng, t, pointer):
    """What S and U programs do besides accesses."""
    kind = rng.random()
    if kind < .4:  # sfence.vma
        p.add(t.row["sfence_vma"].word |
              rng.choice((0, pointer, rng.randrange(32))) << 15 |
              rng.choice((0, 0, rng.randrange(32))) << 20)
    elif kind < .9:  # SUM, MXR
        p.add(csr_op(rng.choice((2, 3)), 0, t.csrs["sstatus"], 30))
    else:
        p.add(ECALL)


def random_delegation(rng):
    """Never of ecall from S, the stub's; of 5 and 7 both, see masks.py."""
    v = rng.choice((0, 0xb1ff, rng.getrandbits(16) & 0xb1ff))
    return v & ~0x80 | (v & 0x20) << 2


def add_mprv(p, rng, t):
    """In M mode: which privilege the next accesses have."""
    p.add(csr_op(3, 0, t.csrs["mstatus"], 31))  # MPP = U
    if rng.random() < .5:
        p.add(csr_op(2, 0, t.csrs["mstatus"], 29))  # MPP = S
    p.add(csr_op(rng.choice((2, 3)), 0, t.csrs["mstatus"], 30))
    p.add(csr_op(2, 0, t.csrs["mstatus"], 28))  # MPRV


def status_registers(p, rng):
    p.x[28], p.x[29], p.x[31] = MPRV, 0x800, MPP
    p.x[30] = rng.choice((SUM, MXR, SUM | MXR))


def translated_access(p, rng, t, rows, change=lambda row, word: word):
    row = rng.choice(rows)
    word = change(row, use_pointer(rng, row, row.random(rng)))
    if row.name not in STORES and not row.float:
        word = keep_pointers(rng, row, word)
        if row.fmt in RD_HIGH and word >> 7 & 31 >= 28:
            word = set_field(word, 7, 5, 20)
    if not t.is_excluded(word):
        p.add(word, row.size)


def translation(t, rng):
    levels = rng.choice((3, 3, 3, 4, 5))
    p = Program(rng, rng.choice((S, S, S, U, U, M)))
    random_registers(p, rng)
    enter_fp(p, rng)
    status_registers(p, rng)
    blocks = t.blocks if p.mode != M and rng.random() < .5 else []
    tables = Tables(rng, levels, p.mode, t, holes=not blocks)
    tables.lay_out(p)
    p.mstatus |= rng.choice((0, SUM)) | rng.choice((0, MXR)) | \
        rng.choice((0, 0, 0, TVM))
    p.csr["medeleg"] = random_delegation(rng)
    if tables.code_may_fault:
        p.csr["medeleg"] &= ~0x1002
    if "svpbmt" in t.exts and (rng.random() < .5 or t.qemu < (8, 0)):
        p.csr["menvcfg"] |= 1 << 62
    if "svadu" in t.exts and rng.random() < .6:
        p.csr["menvcfg"] |= 1 << 61
    rows = t.accesses * 2 + t.amos + blocks * 5
    for _ in range(rng.randint(10, 22)):
        kind = rng.random()
        if p.mode == M and kind < .35:
            add_mprv(p, rng, t)
        elif kind < .15:
            add_system(p, rng, t, rng.choice(POINTERS))
        else:
            translated_access(p, rng, t, rows)
    return p


# PMP -------------------------------------------------------------------------

def pmp_entry(rng, p, odd=False):
    """A range that begins or ends in the data pages, as (mode, address)."""
    first = (ARENA + DATA * PAGE) >> 2
    if p.mode == U:
        return rng.choice(((1, first + 1024 * rng.randint(0, 4)), (
            3, first & ~1023 | 511 | rng.randrange(8) << 10)))
    if rng.random() < .3:
        return 1, first + rng.randrange(4 * PAGE // 4)  # TOR
    if rng.random() < .3 and not odd:
        return 2, first + rng.randrange(4 * PAGE // 4)  # NA4
    ones = rng.randint(0, 10)
    return 3, (first + rng.randrange(4 * PAGE // 4)) & ~((2 << ones) - 1) | \
        (1 << ones) - 1


def within_page(row, word):
    """An offset of some hundred bytes, a multiple of 8."""
    if row.fmt not in ("I", "S"):
        return word
    word &= ~(7 << (7 if row.fmt == "S" else 20))
    return word & ~(1 << 30) | word >> 1 & 1 << 30


def protection(t, rng):
    p = Program(rng, rng.choice((S, S, U, M)))
    random_registers(p, rng)
    enter_fp(p, rng)
    odd = rng.random() < .4
    for r in POINTERS:
        p.x[r] = ARENA + (DATA + rng.randrange(4)) * PAGE + 0x800 + \
            (rng.randint(-32, 32) if odd else rng.choice((0, 0, 8, -4)))
    status_registers(p, rng)
    rights = (0, 1, 3, 4, 5, 7, 7)
    cfg = [0] * 16
    for n in range(rng.randint(1, 8)):
        a, p.csr[f"pmpaddr{n}"] = pmp_entry(rng, p, odd)
        cfg[n] = (a if rng.random() < .9 else 0) << 3 | rng.choice(rights)
    cfg[15] = 0x1f if rng.random() < .85 else 0x18 | rng.choice(rights)
    p.csr["pmpcfg0"] = int.from_bytes(bytes(cfg[:8]), "little")
    p.csr["pmpcfg2"] = int.from_bytes(bytes(cfg[8:]), "little")
    if rng.random() < .3 and t.qemu >= (8, 0):  # programs write them as well
        names = [f"pmpaddr{n}" for n in range(8)]
        p.x[27] = pmp_entry(rng, p, odd)[1]
    else:
        names = []
    for _ in range(rng.randint(10, 25)):
        kind = rng.random()
        if p.mode == M and kind < .2:
            add_mprv(p, rng, t)
        elif p.mode == M and kind < .25 and names:
            p.add(csr_op(1, 0, t.csrs[rng.choice(names)], 27))
        else:
            if p.mode != U:  # or QEMU remembers rights of the whole page
                p.add(t.row["sfence_vma"].word)
            translated_access(p, rng, t, t.accesses, within_page)
    return p


# Traps -----------------------------------------------------------------------

def add_return(p, rng, t):
    """xRET to a little further on, to a mode that mstatus happens to name."""
    machine = p.mode == M and rng.random() < .7
    p.add(20 << 7 | 0x17)
    p.glue()
    p.jump(20 << 15 | 20 << 7 | 0x13, 4, "I", rng.randint(3, 6))
    p.glue()
    p.add(csr_op(1, 0, t.csrs["mepc" if machine else "sepc"], 20))
    p.glue()
    p.add(t.row["mret" if machine else "sret"].word)


def trap(t, rng):
    p = Program(rng, rng.choice((M, S, S, U, U)))
    random_registers(p, rng)
    interrupt = rng.choice((2, 0x20, 0x200))
    p.csr["medeleg"] = random_delegation(rng)
    p.csr["mideleg"] = rng.choice((0, interrupt))
    p.csr["mie"] = rng.choice((0, interrupt))
    p.csr["mip"] = rng.choice((0, interrupt))
    p.csr["mcounteren"] = rng.getrandbits(19)
    p.csr["scounteren"] = rng.getrandbits(19)
    for bit in (SIE, MPIE, SPIE, SPP, TVM, TW, TSR, SUM, MXR):
        p.mstatus |= rng.choice((0, bit))
    p.x[25], p.x[26] = interrupt, SIE | SPIE | SPP
    status = t.csrs["sstatus"]
    for _ in range(rng.randint(8, 25)):
        kind = rng.random()
        if kind < .25:
            row = rng.choice(t.ints)
            word = row.random(rng)
            if row.size == 4:  # x25, x26 stay
                p.add(set_field(word, 7, 5, word >> 7 & 15))
        elif kind < .35:
            p.add(rng.choice((0, 0x9002)), 2)  # c.ebreak, illegal
        elif kind < .45:
            p.add(rng.choice((0x00100073, 0xffffffff, ECALL,
                              t.row["mret"].word if p.mode != M else ECALL)))
        elif kind < .6:
            add_return(p, rng, t)
        elif kind < .7:
            p.add(csr_op(rng.choice((2, 3)), rng.randrange(16), status, 26))
        elif kind < .8:
            name = rng.choice(("sie", "sip", "mie", "mip", "mideleg"))
            p.add(csr_op(rng.choice((1, 2, 3)), rng.randrange(16),
                         t.csrs[name], 25))
        elif kind < .85:
            p.add(csr_op(2, 0, random_number(t, rng), 0))
        elif kind < .9 and p.mode == U:
            p.add(t.row["wfi"].word)
        else:
            p.add(t.row["sfence_vma"].word)
    return p


# Any word --------------------------------------------------------------------

def random_word(rng, t):
    """A word near an instruction, or just any."""
    kind = rng.random()
    if kind < .3:
        row = rng.choice(list(t.row.values()))
        word = row.random(rng) ^ 1 << rng.randrange(8 * row.size)
        return word
    if kind < .6:
        return rng.getrandbits(16) & ~3 | rng.randrange(3)
    opcode = rng.choice((0x03, 0x07, 0x0f, 0x13, 0x1b, 0x23, 0x27, 0x2f,
                         0x33, 0x3b, 0x43, 0x47, 0x4b, 0x4f, 0x53, 0x73,
                         rng.getrandbits(7) | 3))
    word = rng.getrandbits(32) & ~0x7f | opcode
    if rng.random() < .5:  # most of funct7 and rs2 mean something
        word &= ~(rng.getrandbits(12) << 20)
    return word


def decode(t, rng):
    p = Program(rng, U)
    random_registers(p, rng)
    enter_fp(p, rng)
    p.mstatus |= FS
    data_pointers(p, rng)
    p.csr["pmpaddr0"] = (ARENA >> 2) + (8 * PAGE >> 3) - 1  # only the arena
    p.csr["pmpcfg0"], p.csr["pmpcfg2"] = 0x1f, 0
    p.max_traps = 40
    while len(p.code) < 30:
        word = random_word(rng, t)
        if is_jump(word) or t.is_excluded(word):
            continue
        if word & 3 == 3:
            p.add(word & 0xffffffff)
        else:
            p.add(word & 0xffff, 2)
    return p


CLASSES = {
    "integer": (integer, 20), "loop": (loop, 8), "memory": (memory, 11),
    "atomic": (atomic, 8),
    "floating": (floating, 21), "csr": (csr, 8),
    "translation": (translation, 16), "protection": (protection, 6),
    "trap": (trap, 5), "decode": (decode, 5),
}
