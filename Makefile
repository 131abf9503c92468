# SPDX-License-Identifier: MIT
# Makefile - `make help` lists the targets.

MODE    ?= release
EDITLINE ?= readline
ifeq ($(origin CC),default)
CC      := gcc
endif
CROSS   ?= riscv64-linux-gnu-

# V=1 shows the commands.
Q       := $(if $(V),,@)
say     := @printf '  %-5s %s\n'

# Objects for another line editor live in a folder of their own.
B       := build/$(MODE)$(if $(filter libedit,$(EDITLINE)),-libedit)$(if \
             $(filter none,$(TRANS)),-interp)
ROOMS   := emu emu/base emu/bus emu/hart emu/trans emu/machine emu/debug board gdbstub monitor
# The translator, or TRANS=none: the interpreter alone.
TRANS   ?= $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),x86,none)
NOTHERE := $(if $(filter none,$(TRANS)),$(filter-out %_none.c,$(wildcard \
             emu/trans/*.c)),emu/trans/trans_none.c)
SRCS    := $(filter-out $(NOTHERE),$(foreach r,$(ROOMS),$(wildcard $(r)/*.c)))
OBJS    := $(SRCS:%.c=$(B)/%.o) $(B)/board/demo/demo.o \
           $(B)/emu/machine/overview_page.o
LIBOBJS := $(filter-out $(B)/emu/main.o,$(OBJS))
UNITS   := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))

# Warnings ---------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef -Wcast-qual \
        -Wwrite-strings -Wpointer-arith -Wformat=2 -Wimplicit-fallthrough \
        -Wdouble-promotion -Wno-format-nonliteral

# Modes ------------------------------------------------------------------------
OPT_release := -O2
OPT_debug   := -O0
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer
OPT_hostile := -O1 -DHOSTILE -fsanitize=undefined -fno-sanitize-recover=all
OPT_cover   := -O0 --coverage
OPT_clang   := -O2
OPT_werror  := -O2
OPT_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=all -fno-omit-frame-pointer

EDIT_readline := -lreadline
EDIT_libedit  := -ledit
EDITDEF_libedit := -DUSE_LIBEDIT

CFLAGS  := -std=gnu17 -D_GNU_SOURCE -g $(OPT_$(MODE)) $(WARN) \
           $(EDITDEF_$(EDITLINE)) -fno-strict-aliasing \
           -ffp-contract=off -I. $(EXTRA_CFLAGS)
LDFLAGS := $(OPT_$(MODE))
LDLIBS  := $(EDIT_$(EDITLINE)) -lfdt -lelf -lz -lzstd -llzma -lm -lutil

# Only the outermost make: the others share its job server.
ifeq ($(MAKELEVEL)$(findstring -j,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Other modes leave build/ebreak alone.
.PHONY: all
all: $(if $(filter build/release,$(B)),build/ebreak,$(B)/ebreak)

build/ebreak: $(B)/ebreak FORCE
	@cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }

$(B)/ebreak: $(B)/emu/main.o $(B)/libebreak.a
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libebreak.a: $(LIBOBJS)
	@rm -f $@
	$(say) AR $@
	$(Q)ar rcsDP $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJS:.o=.d) $(UNITS:=.d)

.PHONY: FORCE
FORCE:

$(B)/gdbstub/script.o: gdbstub/ebreak.py

# The demo kernel, embedded in the program ---------------------------------------
include board/demo/demo.mk

$(B)/emu/machine/overview_page.o: emu/machine/overview_page.S emu/machine/overview.html
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<

# Tests --------------------------------------------------------------------------
$(B)/tests/unit/%: tests/unit/%.c $(B)/libebreak.a
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(CC) $(CFLAGS) -Wno-pedantic -MMD -MP -o $@ $< $(B)/libebreak.a \
	    $(LDFLAGS) -lcriterion $(LDLIBS)

include tests/guest/guest.mk

E2E     := $(wildcard tests/e2e/gdb_*.py tests/e2e/monitor_*.py \
                      tests/e2e/cli_*.py tests/e2e/replay_*.py)
# With a browser the page of -timeline-html is looked at, too.
BOOTS   := $(wildcard tests/e2e/boot_*.sh tests/e2e/boot_*.py) \
           tests/e2e/replay_page.py
RUN     := python3 tests/run.py

# How many times longer than usual tests wait for slow builds.
PATIENCE_hostile := 4
PATIENCE_asan    := 3

.PHONY: units check e2e boots hostile asan
units: $(UNITS)

check: deps ## everything that needs no guest images: some minutes
	@$(MAKE) --no-print-directory MODE=$(MODE) all units guests layers
	@EBREAK=$(B)/ebreak PATIENCE=$(or $(PATIENCE_$(MODE)),1) \
	    $(GUEST_TEST_ENV) $(RUN) -t 1200 $(UNITS) $(E2E) $(GUEST_TESTS)

e2e: deps deps-boots ## real gdb, monitor sessions and the boots of real software
	@$(MAKE) --no-print-directory all guests images
	@EBREAK=build/ebreak $(RUN) -t 900 $(sort $(E2E) $(BOOTS))

boots: deps deps-boots ## OpenSBI, U-Boot, Debian's Linux, EDK2
	@$(MAKE) --no-print-directory all images
	@EBREAK=build/ebreak $(RUN) -j 2 -t 900 $(BOOTS)

hostile: ## the same tests with tiny caches, slices of one step, split packets
	@$(MAKE) --no-print-directory MODE=hostile check

asan: ## the same tests under address and undefined sanitizers
	@$(MAKE) --no-print-directory MODE=asan check

.PHONY: demo
demo: deps ## the demo kernel under a scripted session of the real gdb
	@$(MAKE) --no-print-directory all build/demo.elf
	@EBREAK=build/ebreak sh tests/e2e/demo.sh

# Fuzzing and measuring -------------------------------------------------------------
FUZZ_SECONDS ?= 60
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS   := $(FUZZ_SRCS:%.c=build/fuzz/%)

ifeq ($(MODE),fuzz)
-include $(FUZZERS:=.d)
build/fuzz/tests/fuzz/%: tests/fuzz/%.c $(B)/libebreak.a
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(CC) $(CFLAGS) -Wno-pedantic -Wno-unused-function -MMD -MP \
	    -fsanitize=fuzzer -o $@ $< $(B)/libebreak.a $(LDLIBS)
endif

.PHONY: fuzz fuzzers bench
fuzzers: ## the libFuzzer targets of tests/fuzz
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang $(FUZZERS)

fuzz: fuzzers ## each of them for FUZZ_SECONDS (60)
	@for f in $(FUZZERS); do \
	    c=build/fuzz/corpus/$$(basename $$f); mkdir -p $$c; echo "== $$f"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	        -close_fd_mask=1 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ \
	        $$(find tests/fuzz/$${f##*/}.dict -printf '-dict=%p' 2>/dev/null) \
	        $$c || exit 1; \
	done

bench: all guests ## speed: harts, also next to QEMU's; start-up, memory
	@sh tests/bench/bench.sh

# The house -----------------------------------------------------------------------
HOUSE := $(shell git ls-files '*.[ch]' 2>/dev/null)

.PHONY: layers format format-check lint docs install help clean deps deps-lint \
        deps-boots
layers: ## who may include whom: docs/layers
	@awk -f tests/layers.awk docs/layers $(HOUSE)

format: ## clang-format every file
	@clang-format -i $(HOUSE)

format-check:
	@clang-format --dry-run -Werror $(HOUSE)

lint: deps-lint ## clang-tidy, cppcheck, mandoc, formatting, both compilers
	@$(MAKE) --no-print-directory layers format-check
	@$(MAKE) --no-print-directory MODE=clang CC=clang EXTRA_CFLAGS=-Werror \
	    build/clang/ebreak
	@$(MAKE) --no-print-directory MODE=werror EXTRA_CFLAGS=-Werror \
	    build/werror/ebreak
	@$(MAKE) --no-print-directory TRANS=none EXTRA_CFLAGS=-Werror \
	    build/release-interp/ebreak
	@mandoc -Tlint -Wwarning docs/ebreak.1
	@cppcheck -q --error-exitcode=1 --inline-suppr --std=c11 -I. \
	    --suppress=internalAstError $(SRCS)
	@$(MAKE) --no-print-directory $(SRCS:%.c=build/tidy/%.ok)

# An object is newer than its stamp when the source or a header changed.
build/tidy/%.ok: %.c build/release/%.o .clang-tidy
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy --quiet $< -- -std=gnu17 -D_GNU_SOURCE -I. >$@.log 2>&1 || \
	    { cat $@.log; false; }
	@touch $@

docs: build/docs/monitor.md ## documents made from the tables
build/docs/monitor.md: build/ebreak
	@mkdir -p $(@D)
	@printf 'help\nquit\n' | build/ebreak -S -display none -monitor stdio > $@

PREFIX ?= /usr/local
install: all ## to PREFIX (/usr/local)
	install -D -m 755 build/ebreak $(DESTDIR)$(PREFIX)/bin/ebreak
	install -D -m 644 docs/ebreak.1 $(DESTDIR)$(PREFIX)/share/man/man1/ebreak.1
	install -D -m 644 gdbstub/ebreak.gdb $(DESTDIR)$(PREFIX)/share/ebreak/ebreak.gdb
	install -D -m 644 build/demo.elf $(DESTDIR)$(PREFIX)/share/ebreak/demo.elf
	install -D -m 644 gdbstub/ebreak.py $(DESTDIR)$(PREFIX)/share/ebreak/ebreak.py

help: ## this screen
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
	    sed 's/:.*## /\t/' | expand -t 10
	@echo "MODE=release|debug|asan|hostile  EDITLINE=readline|libedit"

clean: ## what was built (not the guest images: build/guest)
	rm -rf build/tidy build/release build/debug build/asan build/hostile build/fuzz \
	    build/clang build/werror build/cover build/*-libedit build/demo build/demo.elf build/ebreak

# Packages ------------------------------------------------------------------------
BUILD_DEPS := gcc libc6-dev libreadline-dev libedit-dev libfdt-dev libelf-dev \
              zlib1g-dev libzstd-dev liblzma-dev gcc-riscv64-linux-gnu binutils-riscv64-linux-gnu
TEST_DEPS  := libcriterion-dev python3 gdb-multiarch device-tree-compiler \
              opensbi u-boot-qemu qemu-system-riscv|qemu-system-misc
BOOT_DEPS  := chromium
LINT_DEPS  := clang clang-format clang-tidy cppcheck mandoc

deps: ## the Debian packages that are missing (root or sudo)
	@sh tests/deps.sh $(foreach p,$(BUILD_DEPS) $(TEST_DEPS),'$(p)')

deps-boots: | $(filter deps,$(MAKECMDGOALS)) # apt is there for one at a time
	@sh tests/deps.sh $(BOOT_DEPS)

deps-lint: | $(filter deps deps-boots,$(MAKECMDGOALS))
	@sh tests/deps.sh $(LINT_DEPS)
