#!/bin/bash
# Every test, under two builds, and one count at the end.
#   plain    gcc, optimised
#   checked  clang, every invariant checked, address and undefined-behaviour
#            sanitizers
# then valgrind on a small run, and nvcc on the CUDA suite. Prints a line per test as it
# ends, then what the failed ones said, then the count; logs and times stay in
# build/test-logs. With a word as argument only the tests whose path contains it run:
# tests/run.sh trace
# HD_TEST_SECONDS is what one test may take. A script finds the program in $HOTDESK;
# CHECKED_BUILD=1 says that it is the slow one.
set -u
cd "$(dirname "$0")/.." || exit 1
only=${1:-}
export HOTDESK_DATA=${HOTDESK_DATA:-$PWD/../shared/data}
export HD_TEST_SECONDS=${HD_TEST_SECONDS:-600}
[ -d "$HOTDESK_DATA" ] || echo "note: no data in \$HOTDESK_DATA: tests of real data are skipped"
# What the caller built with is not what is tested.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS CC CFLAGS CHECKED SAN BUILD
jobs=$(nproc)
export logs=$PWD/build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

build() { # name, make's words
    echo "build     $1"
    if ! make -s -j"$jobs" BUILD="build/test-$1" "${@:2}" programs >"$logs/build-$1.log" 2>&1; then
        cat "$logs/build-$1.log"
        echo "FAILED    build $1"
        echo "$built passed, 1 failed"
        exit 1
    fi
    built=$((built + 1))
}

# What a log says its test counted: "passed failed skipped". A cmocka program prints
# "Running N test(s)." and then "[  PASSED  ] N test(s)." and so on, on two streams, so
# that a line may begin anywhere; a script closes with "N passed, N failed[, N skipped]".
# Tests that were to run and are in no count have failed.
counted() { # test, log
    local p=0 f=0 s=0 ran=0 missing
    count() { grep -aoE "$1 +[0-9]+ test" "$2" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}'; }
    if [[ $1 == *_test ]]; then
        ran=$(count 'Running' "$2")
        p=$(count '\[ +PASSED +\]' "$2")
        f=$(count '\[ +FAILED +\]' "$2")
        s=$(count '\[ +SKIPPED +\]' "$2")
        missing=$((ran - p - f - s))
        [ $missing -le 0 ] || f=$((f + missing))
    else
        read -r p _ f _ s _ < <(tail -n 1 "$2" | grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$')
    fi
    echo "${p:-0} ${f:-0} ${s:-0}"
}

# Runs one test and leaves beside its log how it ended, in one line. A test has failed
# that ended badly, counted nothing, or in which a sanitizer reported anything, also
# where a transcript expects a failing program or drops what it prints.
run_one() { # build, test
    local log=$logs/$1-${2//\//-}.log start=$SECONDS command=("build/test-$1/$2")
    local p f s status seconds why="" word=ok checked=""
    [ "$1" != checked ] || checked=1
    [[ $2 == *_test ]] || command=("$2")
    # bash's own word on a program that a signal ended goes nowhere: the line says it
    {
        HOTDESK=build/test-$1/hotdesk CHECKED_BUILD=$checked \
            ASAN_OPTIONS=detect_leaks=1:log_path="'$log.sanitizer'" \
            UBSAN_OPTIONS=print_stacktrace=1:log_path="'$log.sanitizer'" \
            timeout -k 10 "$HD_TEST_SECONDS" "${command[@]}" >"$log" 2>&1 </dev/null
        status=$?
    } 2>/dev/null
    seconds=$((SECONDS - start))
    read -r p f s < <(counted "$2" "$log")
    if compgen -G "$log.sanitizer*" >/dev/null; then
        cat "$log.sanitizer"* >>"$log"
        why=", sanitizer"
    fi
    if [ $status != 0 ] && [ $seconds -ge "$HD_TEST_SECONDS" ]; then
        why+=", stopped after $HD_TEST_SECONDS s"
    elif [ $status != 0 ]; then
        why+=", exit status $status"
    elif [ "$p$f$s" = 000 ]; then
        why+=", nothing counted"
    fi
    if [ -n "$why" ] && [ "$f" = 0 ]; then f=1; fi
    [ "$f" = 0 ] || word=FAILED
    printf '%-9s %4d s  %s %s: %d passed%s%s%s\n' $word $seconds "$1" "$2" "$p" \
        "$([ "$f" = 0 ] || echo ", $f failed")" "$([ "$s" = 0 ] || echo ", $s skipped")" "$why"
    echo "$p $f $s $seconds" >"$log.count"
}
export -f run_one counted

# One line per test: build, path. The long ones first, so that no core waits for the
# other at the end: the scripts, then what the sanitizers slow down.
list() {
    local build test
    {
        echo plain tests/cuda.sh
        echo plain tests/valgrind.sh
        for build in checked plain; do
            for test in tests/*/run.sh; do echo "$build $test"; done
        done
        for build in checked plain; do
            for test in tests/*/*_test.c; do echo "$build ${test%.c}"; done
        done
    } | grep -F -- "$only"
}

tests=$(list)
if [ -z "$tests" ]; then
    echo "FAILED    no test's path contains '$only'"
    echo "0 passed, 1 failed"
    exit 1
fi
built=0
build plain CC=gcc
build checked CC=clang CHECKED=1 SAN=1 "CFLAGS=-O1 -g"
xargs -P "$jobs" -L 1 bash -c 'run_one "$@"' run_one <<<"$tests"

passed=$built failed=0 skipped=0
while read -r build test; do
    log=$logs/$build-${test//\//-}.log
    p=0 f=1 s=0 seconds=0
    [ ! -s "$log.count" ] || read -r p f s seconds <"$log.count"
    echo "$seconds s  $build $test" >>"$logs/times"
    if [ "$f" != 0 ]; then
        echo "FAILED    $build $test"
        grep -aE '\[ +(ERROR|FAILED) |^FAILED|runtime error|Sanitizer|invariant broken|Test failed' "$log" | head -n 12
        tail -n 12 "$log"
    fi
    # A script says why it skips.
    [ "$s" = 0 ] || grep -ahE '^skipped' "$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <<<"$tests"
sort -rn -o "$logs/times" "$logs/times"
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
