#!/bin/bash
# The random tests at length: 10,000 worlds, stepped and fast-forwarded, with every
# invariant checked; then the mutations, each of which must be caught.
set -eu
cd "$(dirname "$0")/.."
make -s -j"$(nproc)" BUILD=build/long CHECKED=1 programs
HD_SCENARIOS=${HD_SCENARIOS:-10000} build/long/tests/unit/engine_twin_test
[ ! -x tests/mutations.sh ] || tests/mutations.sh
