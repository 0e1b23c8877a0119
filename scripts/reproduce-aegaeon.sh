#!/bin/bash
# Aegaeon against ServerlessLLM on the traces of the Aegaeon artifact, side by side
# with a re-run of its public simulator (16 H100, 6 prefill + 10 decode, 16 GB/s).
#
#   scripts/reproduce-aegaeon.sh [FILE.md]     also writes the table to FILE.md
#
# The traces (aegaeon/sim/simdata of the artifact, doi 10.5281/zenodo.16673199) are
# looked for in $HOTDESK_DATA/traces/aegaeon, default ../shared/data beside the clone.
set -eu -o pipefail
cd "$(dirname "$0")/.."
traces=${HOTDESK_DATA:-../shared/data}/traces/aegaeon
hotdesk=${HOTDESK:-./hotdesk}
if [ ! -d "$traces" ]; then
    echo "skipped: no data: $traces is not there" >&2
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Which model each name stands for in the re-run: it deals sizes by order of first
# appearance and keeps them for a whole sweep (Q = 7B, Y = 9B, L = 13B).
by_models=QQQYQQLQQYQLQQQQLYYLQQQQQYQYLLQQQQQQYYLLQQQQYQQYLQQLQQQQLYYLQQQQQQYYQLLQQQQQLLYY
by_rate=YQLYLLQYYLLQYQYQQQLQQQQQYQQQQQQLQLQQYQQQ

models() { # sizes: a models file on stdout
    local sizes=$1 i name
    echo name,model
    for ((i = 0; i < ${#sizes}; i++)); do
        case ${sizes:i:1} in
        Q) name=qwen2.5-7b ;;
        Y) name=yi-1.5-9b ;;
        L) name=llama-2-13b ;;
        esac
        printf 'synth_model_%02d,%s\n' "$i" "$name"
    done
}
models $by_models >"$work/by_models.csv"
models $by_rate >"$work/by_rate.csv"

# The re-run: models, requests/s of each, sizes; then Q %, T %, switches of
# ServerlessLLM and of Aegaeon, and Aegaeon's TTFT p50 and p99 in s.
published() {
    cat <<'TABLE'
16 0.1  by_models 100.0 100.0  16 100.0 100.0  256 1.30 2.7
24 0.1  by_models  99.6 100.0  86 100.0 100.0  401 1.26 2.7
32 0.1  by_models  97.1  99.7 158 100.0 100.0  787 1.39 2.5
40 0.1  by_models  94.9  99.5 116 100.0 100.0  384 1.38 2.5
48 0.1  by_models  82.0  92.0 312  99.9  99.9 1477 1.44 2.5
56 0.1  by_models  72.4  85.8 373  99.2  99.5 1391 1.52 2.6
64 0.1  by_models  65.0  79.7 425  98.2  98.8 1422 1.59 3.1
72 0.1  by_models  56.4  72.4 457  92.0  94.5 1350 1.69 3.8
80 0.1  by_models  53.2  68.8 494  89.2  91.3 1349 2.25 5.0
40 0.05 by_rate    94.1  98.9  61 100.0 100.0  168 1.53 2.8
40 0.2  by_rate    66.7  77.2 218  99.0  99.3  760 1.96 4.1
40 0.3  by_rate    41.2  57.7 255  97.8  98.7  693 3.14 5.8
40 0.5  by_rate    25.9  37.6 381  96.0  97.2  696 3.43 6.4
40 0.7  by_rate    21.0  28.7 398  95.1  96.5  674 3.29 6.8
TABLE
}

# The simulator prefills in groups without limit, on the instance with fewest groups.
aegaeon='aegaeon{group=1000,balance=groups}'

run() { # trace, models file, policy: "Q T switches p50 p99" of the run
    "$hotdesk" replay --scenario scripts/aegaeon.lua --trace "$1" --models "$2" \
        --policy "$3" --json --quiet |
        jq -r '[.attain.ratio * 100, .attain.token * 100, .switches.count,
                .ttft.p50_s, .ttft.p99_s] | map(tostring) | join(" ")'
}

table() {
    echo "Metric Q (the artifact's time ratio) and metric T (token attainment) in %: ours, re-run, difference."
    echo
    echo "| models x req/s | serverless Q | serverless T | switches | aegaeon Q | aegaeon T | switches | aegaeon ttft p50, p99 (s) |"
    echo "|---|---|---|---|---|---|---|---|"
    while read -r count rate sizes sq st ss aq at as p50 p99; do
        trace=$traces/synth-$count-$rate-1.0-1.0.csv
        s=$(run "$trace" "$work/$sizes.csv" serverless) || exit 1
        a=$(run "$trace" "$work/$sizes.csv" "$aegaeon") || exit 1
        echo "$count $rate $s $a $sq $st $ss $aq $at $as $p50 $p99"
    done < <(published) |
        awk 'function pair(ours, theirs) {
                 if (ours - theirs > 5 || theirs - ours > 5) far++
                 return sprintf("%.1f, %.1f, %+.1f", ours, theirs, ours - theirs)
             }
             { printf "| %s x %s | %s | %s | %d, %d | %s | %s | %d, %d | %.2f, %.2f; %s, %s |\n",
                      $1, $2, pair($3, $13), pair($4, $14), $5, $15,
                      pair($8, $16), pair($9, $17), $10, $18, $11, $12, $19, $20 }
             END { printf "\n%d of %d attainments differ by more than 5 points.\n", far, 4 * NR }'
}

if [ $# -gt 0 ]; then
    table | tee "$work/table.md"
    mv "$work/table.md" "$1"
else
    table
fi
