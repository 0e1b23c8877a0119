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

# Instructions of the runs in one engine_bench, warm-up and all, and the functions that
# have most of them; CASE REQUESTS [ARGUMENTS]: a line of a table, then a list in $top.
instructions() {
    local case=$1 requests=$2
    shift 2
    valgrind --tool=callgrind --toggle-collect=hd_run --callgrind-out-file="$room/calls" \
        "$build/tests/bench/engine_bench" --runs 1 --copies 1 --only "$case" "$@" \
        >/dev/null 2>"$room/said"
    local all
    all=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$room/said")
    printf '| %s | %d | %d |\n' "$case" "$requests" $((all / requests / 2))
    {
        printf '\n%s:\n\n' "$case"
        callgrind_annotate "$room/calls" 2>/dev/null | sed 's/^ *//' |
            awk '/^[0-9,]+ *\( *[0-9.]+%\)/ && !/PROGRAM/ { share = $0
                 sub(/^[^(]*\( */, "", share); sub(/\).*/, "", share)
                 name = $0; sub(/ \[.*/, "", name); sub(/.*:/, "", name)
                 if (n++ < 16) { printf "%s`%s` %s", comma, name, share; comma = ", " }
                 } END { print "." }'
    } >>"$room/top"
}

count_instructions() {
    printf '\n## Instructions\n\nBy callgrind, in the run alone, of one copy of the '
    printf 'conversations and 40 s of the market.\n\n'
    if ! command -v valgrind >/dev/null; then
        echo "Not counted: no valgrind here."
        return
    fi
    sed 's/1340s/40s/' tests/bench/market100.lua >"$room/short.lua"
    ./hotdesk trace synth "$room/short.lua" --seed 1 >"$room/short.csv"
    local conversations rows
    conversations=$("$build/tests/bench/engine_bench" --runs 1 --copies 1 \
        --only "round robin in C" | awk -F'|' '/round robin/ { print $3 + 0 }')
    rows=$(($(wc -l <"$room/short.csv") - 3))
    echo "| case | requests | instructions per request |"
    echo "|---|---|---|"
    instructions "round robin in C" "$conversations"
    instructions "dedicated in C" "$conversations"
    instructions "dedicated in Lua" "$conversations"
    instructions "$market" "$rows" --market "$room/short.csv"
    cat "$room/top"
}

# A comparison whole: reading, all searches, the answers.
compare() {
    sed 's/"30m"/"60m"/' traces/market40.lua >"$room/hour.lua"
    ./hotdesk trace synth "$room/hour.lua" --seed 1 >"$room/hour.csv"
    local TIMEFORMAT='%R %U'
    printf '\n## A whole comparison\n\n`dedicated`, `serverless` and `aegaeon` at two '
    printf 'attainments on an hour of the market of 40 models: '
    printf '%d requests, %d cores.\n\n' $(($(wc -l <"$room/hour.csv") - 3)) "$(nproc)"
    printf '| run | seconds on the clock | seconds of CPU |\n|---|---|---|\n'
    local n wall cpu
    for n in 1 2 3; do
        { time ./hotdesk compare --trace "$room/hour.csv" --gpu H100 --quiet --json \
            --models '*=qwen2.5-7b:24,yi-1.5-9b:8,llama-2-13b:8' >"$room/compare.json"; } \
            2>"$room/time"
        read -r wall cpu < <(tail -1 "$room/time")
        printf '| %d | %s | %s |\n' $n "$wall" "$cpu"
    done
    jq -r '"\nProbes: " + ([.policy[] | "\(.policy) at \(.attain.target): \(.probes), " +
        "\(.probes_cut) cut short"] | join("; ")) + "."' "$room/compare.json"
}

event_lists() {
    printf '\n### Event lists\n\n'
    printf 'The engine as it is on an indexed binary heap, and with another list in its '
    printf 'place (`tests/bench/events_*.h`): ns per request.\n\n'
    local list
    for list in "" _radix; do
        "$build/tests/bench/scale_bench$list" --runs "${HD_EVENT_ROUNDS:-3}" --only "Event list" |
            awk -F'|' -v list="${list:-_heap}" '$3 + 0 { line = line " | " $8 + 0; at = at " | " $3 / 2 }
                END { if (list == "_heap") { print "| instances" at " |"; print "|---|---|---|---|" }
                      print "| " substr(list, 2) line " |" }'
    done
}

market="market of 100 models on 200 GPUs, aegaeon in Lua"
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

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
    ./hotdesk trace synth tests/bench/market100.lua --seed 1 >"$room/market.csv"
    "$build/tests/bench/engine_bench" --market "$room/market.csv" --runs "${HD_ROUNDS:-9}"
    count_instructions
    printf '\n## At scale\n\nRound robin in C. Requests are drawn while the run goes on, '
    printf 'which its time holds. Instances are of two GPUs.\n\n'
    local table
    for table in week fleet trace; do
        "$build/tests/bench/scale_bench" --runs "${HD_ROUNDS:-5}" --only "$table"
    done
    event_lists
    compare
    printf '\n## One question to a compiled timing\n\n'
    "$build/tests/bench/timing_bench"
    printf '\n## Reading a trace\n\n'
    "$build/tests/bench/trace_bench"
    cat scripts/bench-notes.md
}

if [ -z "$write" ]; then
    report
    exit
fi
fresh=$(mktemp results/reference/bench.XXXXXX)
trap 'rm -rf "$fresh" "$room"' EXIT
report | tee "$fresh"
chmod 644 "$fresh"
mv "$fresh" results/reference/bench.md
