#!/bin/bash
# Every test, under two builds, and one count at the end.
#   plain    gcc, optimised
#   checked  clang, every invariant checked, address and undefined-behaviour
#            sanitizers
# then valgrind on a small run. Logs stay in build/test-logs. With a word as argument
# only the tests whose path contains it run: tests/run.sh trace
set -u
cd "$(dirname "$0")/.." || exit 1
only=${1:-}
export HOTDESK_DATA=${HOTDESK_DATA:-$PWD/../shared/data}
[ -d "$HOTDESK_DATA" ] || echo "note: no data in \$HOTDESK_DATA: tests of real data are skipped"
jobs=$(nproc)
logs=$PWD/build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

plain=build/test-gcc
checked=build/test-clang-checked
flags=(CC=clang CHECKED=1 SAN=1 "CFLAGS=-O1 -g")

built=0
build() { # name, folder, make's words
    echo "build     $1"
    if make -s -j"$jobs" BUILD="$2" "${@:3}" programs >"$logs/build-$1.log" 2>&1; then
        built=$((built + 1))
    else
        cat "$logs/build-$1.log"
        echo "FAILED    build $1"
        echo "$built passed, 1 failed"
        exit 1
    fi
}
build plain "$plain" CC=gcc
build checked "$checked" "${flags[@]}"

# One program: its log, its exit status in the log's last line.
run_one() { # log, seconds, command
    local log=$1 limit=$2
    shift 2
    timeout "$limit" "$@" >"$log" 2>&1
    echo "exit status $?" >>"$log"
}
export -f run_one

list() {
    local folder program name
    for folder in "$plain" "$checked"; do
        for program in "$folder"/tests/*/*_test; do
            name=${program#build/test-}
            [[ $name == *"$only"* ]] || continue
            printf '%s %s %s\n' "$logs/${name//\//-}.log" 600 "$program"
        done
        for program in tests/*/run.sh; do
            name=${folder#build/test-}-$program
            [[ $name == *"$only"* ]] || continue
            printf '%s %s %s\n' "$logs/${name//\//-}.log" 600 \
                "env HOTDESK=$folder/hotdesk CHECKED_BUILD=$([ "$folder" = "$plain" ] || echo 1) $program"
        done
    done
    [[ valgrind == *"$only"* ]] &&
        printf '%s %s %s\n' "$logs/valgrind.log" 600 "tests/valgrind.sh $plain/hotdesk"
}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
list | xargs -P "$jobs" -L 1 bash -c 'run_one "$@"' run_one

# cmocka programs say "[  PASSED  ] N test(s)." and so on; scripts close with
# "N passed, N failed[, N skipped]"; a program that ended badly and counted no failure
# counts as one.
passed=$built failed=0 skipped=0
for log in "$logs"/*.log; do
    case $log in */build-*) continue ;; esac
    status=$(sed -n '$s/exit status //p' "$log")
    script=$(grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
    if [ -n "$script" ]; then
        read -r p _ f _ s _ <<<"${script//,/ }"
        s=${s:-0}
    else
        count() { grep -aoE "^\[ +$1 +\] +[0-9]+ test" "$log" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}'; }
        p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
    fi
    if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; fi
    if [ "$p$f$s" = 000 ]; then f=1; fi
    if [ "$f" != 0 ]; then
        echo "FAILED    $(basename "$log" .log) (exit status $status)"
        grep -aE '^\[ +(ERROR|FAILED) |^FAILED|runtime error|AddressSanitizer|invariant broken|Test failed' "$log" | head -n 12
        tail -n 12 "$log"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ "$skipped" = 0 ]; then
    echo "$passed passed, $failed failed"
else
    echo "$passed passed, $failed failed, $skipped skipped"
fi
[ "$failed" = 0 ]
