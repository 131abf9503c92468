# SPDX-License-Identifier: MIT
"""masks.py - what is not compared with QEMU, and why. All of it is here.

Where QEMU and the ISA manual disagree the manual has it, and the difference
is kept out of sight by a row of this file: a mask over a CSR, a CSR that is
not probed, a word that is not executed, or a value that programs do not use.
"""
ALL = (1 << 64) - 1
S_INTERRUPTS = 0x222 | 1 << 13

# Compared at the end of each program: name, the bits, why not the others.
COMPARED = [
    ("mstatus", ALL, ""),
    ("sstatus", ALL, ""),
    ("mie", 0xaaa, "QEMU has H's bits in it, and stores 16-63"),
    ("sie", S_INTERRUPTS, "as mie"),
    ("mip", S_INTERRUPTS, "MTIP depends on the host's time"),
    ("sip", S_INTERRUPTS, "as mip"),
    ("mideleg", S_INTERRUPTS, "QEMU has H's bits in it"),
    ("medeleg", 0xb3ff, "QEMU has H's causes in it"),
    ("mtvec", ALL, ""),
    ("mcause", ALL, ""),
    ("mtval", ALL, ""),
    ("mepc", ALL & ~1, "QEMU stores bit 0"),
    ("stvec", ALL, ""),
    ("sepc", ALL & ~1, "QEMU stores bit 0"),
    ("scause", ALL, ""),
    ("stval", ALL, ""),
    ("sscratch", ALL, ""),
    ("satp", ALL, ""),
    ("mcounteren", 0x7ffff, ""),
    ("scounteren", 0x7ffff, ""),
    ("mcountinhibit", 0x7fffd, ""),
    ("menvcfg", ALL, ""),
    ("senvcfg", ALL, ""),
    ("pmpcfg0", 0x9f9f9f9f9f9f9f9f, "QEMU stores the reserved bits 5, 6"),
    ("pmpcfg2", 0x9f9f9f9f9f9f9f9f, "as pmpcfg0"),
    *((f"pmpaddr{n}", (1 << 54) - 1, "QEMU stores 54-63")
      for n in range(16)),
]

# Instructions that QEMU gets wrong: not generated for versions before this.
WRONG_ROWS = {
    "ctzw": ((8, 0), "counts in all 64 bits"),
}

# CSRs that only one side has, or traps on.
NOT_PROBED = {
    **{n: "mhpmeventNh is RV32's; QEMU 7.2 has it with Sscofpmf"
       for n in range(0x723, 0x740)},
    0x7a4: "tinfo came with QEMU 8.1", 0x7a8: "mcontext came with QEMU 8.1",
}

# mtval after causes 5 and 7: the low three bits (harness.c, loose_tval): QEMU
# has the address of an aligned word when there is no memory. The cause of an
# AMO where there is no memory (loose_cause): QEMU has 5.

# What programs do not do, besides:
#   AMOs and sc at misaligned addresses: QEMU 7.2 has cause 4 for an AMO, and
#     no version traps on sc unless the reservation's address is the same.
#   sc of another width than the lr before: QEMU 7.2 stores and says it failed.
#   PBMT bits while menvcfg.PBMTE is 0: QEMU 7.2 does not look at it.
#   Several interrupts at once: QEMU without AIA takes the lowest number.
#   FP instructions that only raise flags while FS is not dirty: QEMU leaves FS
#     alone. Programs start with FS dirty, or off.


# Words that one side knows and the other does not: mask, value, first good
# version, why.
WRONG_WORDS = [
    (0xfe007fff, 0x16000073, (8, 0), "sinval.vma in U mode: mtval is 0"),
]


# The extensions that QEMU has by its version, besides those rv64 always has;
# each is switched on in both, and what else ebreak has is switched off.
BASE = "i m a f d c zicsr zifencei zihintpause zicntr zihpm zmmul zaamo " \
       "zalrsc zca zcd zba zbb zbc zbs sstc"
QEMU_EXTS = {
    (7, 2): "zfh zfhmin sscofpmf svinval svnapot svpbmt",
    (10, 0): "zfh zfhmin sscofpmf svinval svnapot svpbmt zawrs zfa zicond "
             "zcb zacas zabha zicbom zicbop zicboz",
}
