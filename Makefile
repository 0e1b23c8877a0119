# make             installs what is missing, builds ./hotdesk
# make demo        the main job on the bundled market, into results/demo
# make test        all tests; the last line counts them
# make check-long  the random tests at length, and the mutations
# make bench       requests/s and iterations/s simulated
# make reproduce   the published comparison, side by side (needs the shared traces)
# CHECKED=1        builds with every invariant checked at run time
# SAN=1            builds with address and undefined-behaviour sanitizers
SHELL := /bin/bash
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build/$(CC)$(if $(CHECKED),-checked)$(if $(SAN),-san)
VERSION := 0.1.0

PACKAGES := gcc make pkg-config libc6-dev libgsl-dev libcsv-dev liblua5.4-dev \
            libmd-dev libcmocka-dev gnuplot-nox jq clang libclang-rt-dev valgrind

CFLAGS ?= -O3 -g
override CFLAGS += -std=c17 -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -Isim \
          -I/usr/include/lua5.4 -DHD_VERSION='"$(VERSION)"' -pthread
ifdef CHECKED
override CFLAGS += -DHD_CHECKED
endif
ifdef SAN
override CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all \
                   -fno-omit-frame-pointer
# gcc's sanitizers make it warn of what is not there; its manual says not to fail on it
ifneq ($(findstring gcc,$(CC)),)
override CFLAGS += -Wno-error
endif
endif
LDLIBS := -llua5.4 -lgsl -lgslcblas -lcsv -lmd -lm -pthread

SOURCES := $(wildcard sim/*/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libhotdesk.a
# A test is tests/ROOM/NAME_test.c, a program of its own; what several of them share
# lies beside them in files of other names.
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/*_test.c))
SHARED := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %_test.c %_bench.c,$(wildcard tests/*/*.c)))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/*_bench.c))

all: setup hotdesk

hotdesk: $(BUILD)/hotdesk
	@cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }

$(BUILD)/hotdesk: $(BUILD)/sim/main.o $(LIBRARY)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(TESTS) $(BENCHES): %: %.o $(SHARED) $(LIBRARY)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

programs: $(BUILD)/hotdesk $(TESTS) $(BENCHES)

setup:
	@scripts/setup.sh $(PACKAGES)

demo: setup hotdesk
	scripts/demo.sh

test: setup
	tests/run.sh

check-long: setup
	tests/check-long.sh

bench: setup hotdesk $(BENCHES)
	scripts/bench.sh $(BUILD)

reproduce: setup hotdesk
	scripts/reproduce-aegaeon.sh

clean:
	rm -rf build hotdesk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.SECONDARY:
.PHONY: all hotdesk programs setup demo test check-long bench reproduce clean
