# make          installs what is missing, builds ./hotdesk
# make demo     runs the main job on the bundled market
# make test     runs all tests
# CHECKED=1     builds with every invariant checked at run time
SHELL := /bin/bash
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build/$(CC)$(if $(CHECKED),-checked)$(if $(SAN),-san)
VERSION := 0.1.0

PACKAGES := gcc make pkg-config libgsl-dev libcsv-dev liblua5.4-dev libmd-dev \
            libcmocka-dev gnuplot-nox jq clang libclang-rt-14-dev valgrind

CFLAGS ?= -O2 -g
CFLAGS += -std=c17 -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -Isim \
          -I/usr/include/lua5.4 -DHD_VERSION='"$(VERSION)"' -pthread
ifdef CHECKED
CFLAGS += -DHD_CHECKED
endif
ifdef SAN
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
LDLIBS := -llua5.4 -lgsl -lgslcblas -lcsv -lmd -lm -pthread

SOURCES := $(wildcard sim/*/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libhotdesk.a

all: setup hotdesk

hotdesk: $(BUILD)/hotdesk
	@cp -f $< $@.new && mv -f $@.new $@

$(BUILD)/hotdesk: $(BUILD)/sim/main.o $(LIBRARY)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all hotdesk
