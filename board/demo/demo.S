/* SPDX-License-Identifier: MIT */
/* demo.S - the demo kernel's ELF file as data of the emulator (host code). */
    .section .rodata
    .globl demo_kernel, demo_kernel_size
    .balign 8
demo_kernel_size:
    .quad end - demo_kernel
    .balign 16
demo_kernel:
    .incbin "build/demo.elf"
end:
    .section .note.GNU-stack, "", %progbits
