# SPDX-License-Identifier: MIT
# guest.mk - guest programs for tests, and the images of real software.

.PHONY: guests images peers
guests:
images: ## real software for the boot tests: into build/guest
	@sh tests/guest/fetch.sh
peers: ## gdb 16 and QEMU 10 to test against: into build/peers
	@sh tests/peers.sh

# Guests of our own ---------------------------------------------------------------
GUEST_CFLAGS := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -O2 \
                -ffreestanding -fno-pic -no-pie -fno-stack-protector \
                -fno-tree-loop-distribute-patterns -nostdlib -static \
                -Wall -Wextra -Wl,--build-id=none,--no-warn-rwx-segments

# tests/diff: random programs, here and on QEMU. A slow ebreak runs fewer.
GUEST_TESTS       += tests/diff/diff.py 'tests/diff/diff.py --alone'
DIFF_COUNT_asan     := 1000
DIFF_COUNT_hostile  := 500
DIFF_COUNT          ?= $(or $(DIFF_COUNT_$(MODE)),10000)
DIFF_LIMIT_hostile  := 500
DIFF_LIMIT          ?= $(or $(DIFF_LIMIT_$(MODE)),120)
guests: build/guest/diff/harness.bin

# tests/guest/isa: directed tests, here and on QEMU, with the same harness. A
# slow ebreak runs each fifth.
GUEST_TESTS += tests/guest/isa/isa.py
ISA_EVERY_asan      := 5
ISA_EVERY_hostile   := 5
ISA_EVERY           ?= $(or $(ISA_EVERY_$(MODE)),1)

# Not exported: `make hostile` would hand the counts of a release build down.
GUEST_TEST_ENV := DIFF_COUNT=$(DIFF_COUNT) DIFF_LIMIT=$(DIFF_LIMIT) \
                  ISA_EVERY=$(ISA_EVERY)

build/guest/diff/harness.bin: $(wildcard tests/diff/harness.*)
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -march=rv64ima_zicsr_zifencei \
	    -T tests/diff/harness.ld -o $(@:.bin=.elf) \
	    tests/diff/harness.S tests/diff/harness.c
	$(Q)$(CROSS)objcopy -O binary $(@:.bin=.elf) $@
