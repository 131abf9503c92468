# SPDX-License-Identifier: MIT
# demo.mk - the demo kernel: an RV64 program, and its embedding in ebreak.

DEMO_SRCS   := $(addprefix board/demo/,start.S machine.c kernel.c tasks.c)
DEMO_OBJS   := $(patsubst board/demo/%,build/demo/%.o,$(DEMO_SRCS))
DEMO_CFLAGS := -march=rv64gc -mabi=lp64d -mcmodel=medany -ffreestanding \
               -fno-pic -fno-stack-protector -fno-common \
               -fno-asynchronous-unwind-tables -Og -g -Wall -Wextra \
               -ffile-prefix-map=$(CURDIR)/=

build/demo/%.o: board/demo/% board/demo/layout.h
	@mkdir -p $(@D)
	$(CROSS)gcc $(DEMO_CFLAGS) -I. -c -o $@ $<

build/demo.elf: $(DEMO_OBJS) board/demo/demo.ld
	$(CROSS)gcc -nostdlib -static -no-pie -Wl,--build-id=none \
	    -T board/demo/demo.ld -o $@ $(DEMO_OBJS)

$(B)/board/demo/demo.o: board/demo/demo.S build/demo.elf
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<
