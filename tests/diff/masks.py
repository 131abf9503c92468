# SPDX-License-Identifier: MIT
"""masks.py - what is not compared with QEMU, and why. All of it is here.

Where QEMU and the ISA manual disagree the manual has it, and the difference
is kept out of sight by a row of this file: a mask over a CSR, a CSR that is
not probed, a word that is not executed, or a value that programs do not use.
"""
ALL = (1 << 64) - 1
S_INTERRUPTS = 0x222

# Compared at the end of each program: name, the bits, why not the others.
COMPARED = [
    ("mstatus", ALL, ""),
    ("sstatus", ALL, ""),
    ("mie", 0xaaa, "QEMU has H's bits, stores 16-63, and is odd about LCOFI"),
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
    0x24d: "QEMU 7.2 has vstimecmp without H",
    0x7a4: "tinfo came with QEMU 8.1", 0x7a8: "mcontext came with QEMU 8.1",
}

# What harness.c makes alike before it compares (sections are the privileged
# manual's, "unpriv" the other's):
#   loose_tval: the low three bits of mtval after causes 5 and 7. 3.1.16 wants
#     the faulting address; QEMU has that of an aligned word where no memory is.
#   loose_tval: mtval after ebreak. 3.1.16 lets it be 0 or the pc; QEMU changed
#     from the one to the other in 8.0.
#   loose_cause: an AMO where no memory is. 3.1.15 has cause 7; QEMU has 5.

# What programs do not do, so that this need not be masked:
#   AMOs and sc at misaligned addresses (unpriv Zaamo, Zalrsc: address-misaligned
#     or access-fault exceptions): QEMU 7.2 has cause 4 for an AMO, and no
#     version traps on sc unless the reservation's address is the same.
#   sc of another width than the lr before (unpriv Zalrsc: may fail or succeed):
#     QEMU 7.2 stores and says it failed, which is neither.
#   PBMT bits while menvcfg.PBMTE is 0 (3.1.18: page fault): QEMU 7.2 does not
#     look at it.
#   Reserved bits of page table entries, PBMT = 3 and N with the wrong low PPN
#     bits (12.3.2: page faults, before A and D change): QEMU 7.2 ignores the
#     former, every version sets A and D before it looks at the latter.
#   Page tables where no memory is (12.3.2: access faults): QEMU has page
#     faults. Small pages there: an access that crosses into one has stored its
#     first half in QEMU.
#   PMP and accesses that cross into another page (3.7.1: checked in as many
#     pieces as the hart likes): ebreak has two, QEMU one.
#   Parts of pages that PMP treats differently, without an sfence.vma before
#     each access (3.7.1: every access is checked): QEMU remembers rights for
#     whole pages.
#   Misaligned accesses with a PMP entry of four bytes in their middle (3.7.1:
#     all bytes must match): QEMU looks at the first byte and the last.
#   Writes of pmpaddr below an entry that is TOR (3.7.1): QEMU 7.2 does not
#     notice.
#   cbo.clean, flush and inval where no memory is (unpriv Zicbom: like a store,
#     access faults): QEMU does not mind.
#   csrrs and csrrc with a register that holds 0 (unpriv Zicsr: a write all the
#     same, but for x0): for QEMU it is none, so FS does not become dirty.
#   FP instructions that only raise flags while FS is not dirty (3.1.6.6: dirty
#     must be told, imprecisely if need be): QEMU leaves FS alone. Programs
#     start with FS dirty, or off.
#   Several interrupts at once (3.1.9: MEI, MSI, MTI, SEI, SSI, STI, LCOFI):
#     QEMU without AIA takes the lowest number.


# Words that one side knows and the other does not: mask, value, first good
# version, why.
WRONG_WORDS = [
    (0xfe007fff, 0x16000073, (8, 0), "sinval.vma in U mode: mtval is 0"),
    (0xffefffff, 0x18000073, (99, 0), "sfence.*.inval* in U mode: no trap"),
    (0xfff0707f, 0x6010101b, (8, 0), "ctzw: as above"),
    (0xf8000fff, 0x2800002f, (99, 0), "amocas with rd = x0 writes to zero"),
    (0xf800607f, 0x1800202f, (99, 0), "sc at a misaligned address: see above"),
]


# The extensions that QEMU has by its version, besides those rv64 always has;
# each is switched on in both, and what else ebreak has is switched off.
BASE = "i m a f d c zicsr zifencei zihintpause zicntr zihpm zmmul zaamo " \
       "zalrsc zca zcd zba zbb zbc zbs sstc"
QEMU_EXTS = {
    (7, 2): "zfh zfhmin sscofpmf svinval svnapot svpbmt",
    (10, 0): "zfh zfhmin sscofpmf svinval svnapot svpbmt zawrs zfa zicond "
             "zcb zacas zabha zicbom zicbop zicboz svadu",
}
