/* SPDX-License-Identifier: MIT */
/* overview_page.S - the page of --timeline-html as data of the emulator. */
    .section .rodata
    .globl overview_page
overview_page:
    .incbin "emu/machine/overview.html"
    .byte 0
    .section .note.GNU-stack, "", %progbits
