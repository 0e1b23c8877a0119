#!/bin/bash
# How fast the simulator is: scripts/bench.sh BUILD_FOLDER [--write]
# Runs the benches built there (see `make bench`) and prints their tables; with --write
# results/reference/bench.md gets the same.
set -euo pipefail
cd "$(dirname "$0")/.."
usage="usage: scripts/bench.sh BUILD_FOLDER [--write]"
build=${1:?$usage}
write=${2:-}
if [ -n "$write" ] && [ "$write" != --write ]; then
    echo "$usage" >&2
    exit 2
fi
if [ ! -x "$build/tests/bench/engine_bench" ]; then
    echo "$build/tests/bench/engine_bench: not there; expected the folder that \`make bench\` builds in" >&2
    exit 1
fi

machine() {
    local field='^(Vendor ID|CPU family|Model|Model name|L2 cache|Hypervisor vendor) *:'
    printf 'Machine: %s cores; ' "$(nproc)"
    LC_ALL=C lscpu | grep -E "$field" | sed -E 's/ *: +/ /' | paste -sd';' | sed 's/;/; /g'
}

report() {
    cat <<'END'
# How fast it simulates

Written by `scripts/bench.sh BUILD_FOLDER --write`; `make bench` prints the same. Thread
CPU time of single runs on one core, everything counted: paged KV, preemption, both
token-level attainments, histograms, where each request's time went. The trace is in
memory before the clock starts. Medians over the rounds; ratios are taken within a
round, so that they hold on a busy machine, where the speeds themselves move by a tenth.

END
    machine
    echo
    "$build/tests/bench/engine_bench"
    printf '\n## One question to a compiled timing\n\n'
    "$build/tests/bench/timing_bench"
}

if [ -z "$write" ]; then
    report
    exit
fi
fresh=$(mktemp results/reference/bench.XXXXXX)
trap 'rm -f "$fresh"' EXIT
report | tee "$fresh"
chmod 644 "$fresh"
mv "$fresh" results/reference/bench.md
