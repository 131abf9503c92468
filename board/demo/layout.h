/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the demo kernel's view of memory, for C and assembler.
 *
 *   virtual                physical     who
 *   0x0000_0000_0001_0000  (see .ld)    the tasks: code, counters, stacks
 *   0xffff_ffc0_0000_0000  0            devices, kernel only
 *   0xffff_ffc0_8000_0000  0x8000_0000  RAM, kernel only
 *
 * So the kernel finds physical address p at HIGH + p, whatever p is.
 */
#ifndef BOARD_DEMO_LAYOUT_H
#define BOARD_DEMO_LAYOUT_H

#define HIGH       0xffffffc000000000
#define USER       0x10000
#define PAGE       4096
#define STACK_SIZE 4096
#define MAX_HARTS  8 /* any more of them sleep from the start */

#define UART     0x10000000
#define FINISHER 0x00100000

#ifndef __ASSEMBLER__

/* A task's registers while it does not run. Slot 0 is not x0 but the pc. */
struct frame {
    unsigned long pc;
    unsigned long x[31]; /* x1..x31 */
};
enum { FRAME_A0 = 9, FRAME_SP = 1 };

#endif
#endif
