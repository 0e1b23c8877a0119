#!/bin/bash
# libFuzzer on the readers, one after another: tests/fuzz/fuzz.sh PROGRAM SECONDS TARGET...
# What it finds of new inputs stays in build/fuzz/corpus/TARGET, for the next time; what
# breaks a reader in build/fuzz/found: shrink it (-minimize_crash=1), mend the reader,
# and put it into tests/fuzz/corpus/TARGET, which `make test` replays.
set -u
cd "$(dirname "$0")/../.." || exit 1
usage="usage: tests/fuzz/fuzz.sh PROGRAM SECONDS TARGET..."
program=${1:?$usage} seconds=${2:?$usage}
shift 2
mkdir -p build/fuzz/found build/fuzz/logs
passed=0 failed=0
for target in "$@"; do
    if [ ! -d "tests/fuzz/corpus/$target" ]; then
        echo "fuzz: no target '$target'; expected folders of tests/fuzz/corpus" >&2
        exit 2
    fi
    mkdir -p "build/fuzz/corpus/$target"
    log=build/fuzz/logs/$target
    if HD_FUZZ=$target "$program" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
        -close_fd_mask=1 -print_final_stats=1 -artifact_prefix="build/fuzz/found/$target-" \
        "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" 2>"$log"; then
        passed=$((passed + 1))
        printf 'ok        %s: %s inputs\n' "$target" \
            "$(sed -n 's/stat::number_of_executed_units: *//p' "$log")"
    else
        failed=$((failed + 1))
        echo "FAILED    $target: see $log"
        grep -aE 'ERROR|runtime error|^tests/fuzz|Test unit written' "$log" | head -n 5
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
