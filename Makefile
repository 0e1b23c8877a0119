# make             installs what is missing, builds ./hotdesk
# make demo        the main job on the bundled market, into results/demo
# make test        all tests; the last line counts them
# make fuzz        libFuzzer on every reader, FUZZ_SECONDS each, or those in FUZZ
# make check-long  the random tests at length, and the mutations
# make bench       requests/s and iterations/s simulated
# make cuda        hotdesk-bench, which measures a GPU (needs nvcc; scripts/cuda/README.md)
# make reproduce   Aegaeon's published evaluation, side by side (needs the shared traces)
# make validate    predicted times against published measurements (needs the shared data)
# CHECKED=1        builds with every invariant checked at run time
# SAN=1            builds with address and undefined-behaviour sanitizers
SHELL := /bin/bash
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build/$(notdir $(CC))$(if $(CHECKED),-checked)$(if $(SAN),-san)
VERSION := 0.1.0

PACKAGES := gcc make pkg-config libc6-dev libgsl-dev libcsv-dev liblua5.4-dev \
            libssl-dev zlib1g-dev libzstd-dev zstd libjansson-dev libcmocka-dev gnuplot-nox \
            jq clang libclang-rt-dev valgrind curl ca-certificates

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
# Lua as an archive: callbacks take a twentieth less time than through the shared library;
# OpenSSL as one too: of its 5 MB only SHA-256 is needed.
LDLIBS := -l:liblua5.4.a -lgsl -lgslcblas -lcsv -l:libcrypto.a -lz -lzstd -ljansson -lm -ldl -pthread

# What a GPU is measured with: host code in C, compiled and tested everywhere, and one .cu
# file per quantity, for nvcc alone.
NVCC := $(firstword $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_HOME := $(patsubst %/bin/nvcc,%,$(realpath $(NVCC)))
# The lowest first: a file is compiled once, for that, and assembled for each.
CUDA_ARCHS ?= 80 90 100
comma := ,
CUDA_HOST := $(BUILD)/libhotdesk-bench.a
CUDA_HOST_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard scripts/cuda/*.c))
# Objects for other architectures are other objects.
CUDA_BUILD := $(BUILD)/sm$(subst $() ,,$(CUDA_ARCHS:%=-%))
CUDA_OBJECTS := $(patsubst %.cu,$(CUDA_BUILD)/%.o,$(wildcard scripts/cuda/*.cu))
CUDA_BASE := $(patsubst %,$(BUILD)/sim/%.o,base/err base/mem base/units base/utf8 hardware/device_name)
NVCCFLAGS := -O3 -std=c++17 -Isim -Iscripts/cuda -Werror all-warnings \
             -Xcompiler -Wall,-Wextra,-Werror \
             -gencode arch=compute_$(firstword $(CUDA_ARCHS)),code=[$(subst $() ,$(comma),$(CUDA_ARCHS:%=sm_%))]
CUDA_LIBS := -cudart static -L$(CUDA_HOME)/lib64 -Xlinker -rpath=$(CUDA_HOME)/lib64 \
             -lcublasLt -ldl -lm
# Empty, or what makes collectives.cu use NCCL: nvcc alone knows whether it finds it.
CUDA_NCCL := $(CUDA_BUILD)/nccl

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

# A drawn market is the same bytes on every machine: no fused multiply-add.
DRAWN := $(wildcard sim/market/*.c) $(addprefix sim/trace/,gaps.c servegen.c servegen_rows.c count_rows.c)
$(DRAWN:%.c=$(BUILD)/%.o): override CFLAGS += -ffp-contract=off

$(CUDA_HOST_OBJECTS) $(BUILD)/tests/cuda/%.o: override CFLAGS += -Iscripts/cuda

$(CUDA_HOST): $(CUDA_HOST_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(CUDA_NCCL):
	@mkdir -p $(@D)
	@printf '#include <nccl.h>\nint main() { return ncclGroupStart(); }\n' >$@.cu
	@if $(NVCC) $@.cu -o $@.found -lnccl >$@.log 2>&1; then echo -DHD_NCCL; fi >$@

$(CUDA_BUILD)/scripts/cuda/collectives.o: NVCCFLAGS += $$(cat $(CUDA_NCCL))
$(CUDA_BUILD)/scripts/cuda/collectives.o: $(CUDA_NCCL)

$(CUDA_BUILD)/%.o: %.cu
	@mkdir -p $(@D)
	$(NVCC) $(NVCCFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(CUDA_BUILD)/hotdesk-bench: $(CUDA_OBJECTS) $(CUDA_HOST) $(CUDA_BASE)
	$(NVCC) -o $@ $^ $(CUDA_LIBS) $$(sed s/-DHD_NCCL/-lnccl/ $(CUDA_NCCL))

ifeq ($(NVCC),)
cuda:
	@echo "cuda: skipped: no nvcc in PATH or /usr/local/cuda/bin"
else
cuda: $(CUDA_BUILD)/hotdesk-bench
	@cp -f $< hotdesk-bench.new && mv -f hotdesk-bench.new hotdesk-bench
endif

$(TESTS) $(BENCHES): %: %.o $(SHARED) $(CUDA_HOST) $(LIBRARY)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# The bench of scale with the engine on another event list: tests/bench/events_NAME.h.
EVENT_LISTS := $(patsubst tests/bench/events_%.h,$(BUILD)/tests/bench/scale_bench_%,$(wildcard tests/bench/events_*.h))
$(BUILD)/tests/bench/scale_bench_%: tests/bench/events_%.h $(BUILD)/tests/bench/scale_bench $(wildcard sim/engine/*)
	$(CC) $(CFLAGS) -Itests -include $< -o $@ $(wildcard sim/engine/*.c) \
	    $(patsubst %,$(BUILD)/tests/bench/%.o,scale_bench stream_world conv_world) $(LIBRARY) $(LDLIBS)

# libFuzzer, which comes with clang's run-time library, and the targets of tests/fuzz.
FUZZ ?= $(notdir $(wildcard tests/fuzz/corpus/*))
FUZZ_SECONDS ?= 20
$(BUILD)/hotdesk-fuzz: $(filter $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/unit/same_trace.o,$(SHARED)) $(LIBRARY)
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

fuzz: setup
	@$(MAKE) -s CC=clang CHECKED=1 SAN=1 BUILD=build/fuzz \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' build/fuzz/hotdesk-fuzz
	tests/fuzz/fuzz.sh build/fuzz/hotdesk-fuzz $(FUZZ_SECONDS) $(FUZZ)

programs: $(BUILD)/hotdesk $(TESTS) $(BENCHES)

setup:
	@scripts/setup.sh $(PACKAGES)

demo: setup hotdesk
	scripts/demo.sh

test: setup
	tests/run.sh

check-long: setup
	tests/check-long.sh

bench: setup hotdesk $(BENCHES) $(EVENT_LISTS)
	scripts/bench.sh $(BUILD)

reproduce: setup hotdesk
	scripts/reproduce-aegaeon.sh

validate: setup hotdesk
	./hotdesk calibrate check
	scripts/compare-measured.sh results/reference

clean:
	rm -rf build hotdesk hotdesk-bench

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.SECONDARY:
.PHONY: all hotdesk programs setup demo test fuzz check-long bench cuda reproduce validate clean
