# SPDX-License-Identifier: MIT
# Makefile - `make help` lists the targets.

MODE    ?= release
EDITLINE ?= readline
ifeq ($(origin CC),default)
CC      := gcc
endif
CROSS   ?= riscv64-linux-gnu-

B       := build/$(MODE)
ROOMS   := emu emu/base emu/bus emu/hart emu/machine emu/debug board gdbstub monitor
SRCS    := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c))
OBJS    := $(SRCS:%.c=$(B)/%.o) $(B)/board/demo/demo.o
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

EDIT_readline := -lreadline
EDIT_libedit  := -ledit
EDITDEF_libedit := -DUSE_LIBEDIT

CFLAGS  := -std=gnu17 -D_GNU_SOURCE -g $(OPT_$(MODE)) $(WARN) \
           $(EDITDEF_$(EDITLINE)) -fno-strict-aliasing -I. $(EXTRA_CFLAGS)
LDFLAGS := $(OPT_$(MODE))
LDLIBS  := $(EDIT_$(EDITLINE)) -lfdt -lelf -lz -lzstd -lm -lutil

.PHONY: all
all: build/ebreak

build/ebreak: $(B)/ebreak FORCE
	@cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }

$(B)/ebreak: $(B)/emu/main.o $(B)/libebreak.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libebreak.a: $(LIBOBJS)
	@rm -f $@
	ar rcsD $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJS:.o=.d) $(UNITS:=.d)

.PHONY: FORCE
FORCE:

# The demo kernel, embedded in the program ---------------------------------------
include board/demo/demo.mk

# Unit tests ---------------------------------------------------------------------
$(B)/tests/unit/%: tests/unit/%.c $(B)/libebreak.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-pedantic -MMD -MP -o $@ $< $(B)/libebreak.a \
	    $(LDFLAGS) -lcriterion $(LDLIBS)
