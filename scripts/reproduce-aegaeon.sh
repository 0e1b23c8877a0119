#!/bin/bash
# Aegaeon against ServerlessLLM on the traces of the Aegaeon artifact, side by side
# with a re-run of its public simulator (16 H100, 6 prefill + 10 decode, 16 GB/s).
#
#   scripts/reproduce-aegaeon.sh               prints the table
#   scripts/reproduce-aegaeon.sh --explain     and what each known difference from the
#                                              simulator is worth where we are far off
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

run() { # trace, models file, policy, further options: "Q T switches p50 p99" of the run
    "$hotdesk" replay --scenario scripts/aegaeon.lua --trace "$1" --models "$2" \
        --policy "$3" --json --quiet "${@:4}" |
        jq -r '[.attain.ratio * 100, .attain.token * 100, .switches.count,
                .ttft.p50_s, .ttft.p99_s] | map(tostring) | join(" ")'
}

rows() { # all figures of every point: ours, then the re-run's
    local count rate sizes sq st ss aq at as p50 p99 trace s a
    while read -r count rate sizes sq st ss aq at as p50 p99; do
        trace=$traces/synth-$count-$rate-1.0-1.0.csv
        s=$(run "$trace" "$work/$sizes.csv" serverless) || return 1
        a=$(run "$trace" "$work/$sizes.csv" "$aegaeon") || return 1
        echo "$count $rate $sizes $s $a $sq $st $ss $aq $at $as $p50 $p99"
    done < <(published)
}

table() {
    echo "Metric Q (the artifact's time ratio) and metric T (token attainment) in %: ours, re-run, difference."
    echo
    echo "| models x req/s | serverless Q | serverless T | switches | aegaeon Q | aegaeon T | switches | aegaeon ttft p50, p99 (s) |"
    echo "|---|---|---|---|---|---|---|---|"
    awk 'function pair(ours, theirs) {
             if (ours - theirs > 5 || theirs - ours > 5) far++
             return sprintf("%.1f, %.1f, %+.1f", ours, theirs, ours - theirs)
         }
         { printf "| %s x %s | %s | %s | %d, %d | %s | %s | %d, %d | %.2f, %.2f; %s, %s |\n",
                  $1, $2, pair($4, $14), pair($5, $15), $6, $16,
                  pair($9, $17), pair($10, $18), $11, $19, $12, $13, $20, $21 }
         END { printf "\n%d of %d attainments differ by more than 5 points.\n", far, 4 * NR }' \
        "$work/rows"
}

# What the simulator does otherwise, put on the trace: it re-draws lengths with
# replacement from the trace and shrinks what exceeds a model's limit; its decode steps
# are whole milliseconds of a law of its own (9, 13 and 12 ms at usual contexts), which
# stands here as outputs shortened by the ratio to our steps (9.3, 13.9, 13.8 ms).
vary() { # trace, sizes, seed (0: no re-draw), steps (0 or 1): a trace on stdout
    awk -F, -v OFS=, -v sizes="${!2}" -v seed="$3" -v steps="$4" '
        { sub("\r$", "") }
        NR == 1 { header = $0; next }
        { n++; at[n] = $1; model[n] = $2; input[n] = $3; output[n] = $4 }
        END {
            # a generator of our own: awks differ in theirs (Lehmer, MINSTD)
            state = seed * 7919 + 1
            for (i = 0; i < 20; i++) state = state * 16807 % 2147483647
            print header
            for (i = 1; i <= n; i++) {
                split(model[i], part, "_")
                size = substr(sizes, part[3] + 1, 1)
                state = state * 16807 % 2147483647
                k = seed ? 1 + int(state / 2147483647 * n) : i
                total = input[k] + output[k]
                limit = size == "Q" ? 8192 : 4096
                least = total + 32 > 16384 ? total + 32 : 16384
                shrink = total > limit ? limit / least : 1
                pace = steps ? (size == "Q" ? 9 / 9.3 : size == "Y" ? 13 / 13.9 : 12 / 13.8) : 1
                x = int(input[k] * shrink); y = int(output[k] * shrink * pace + 0.5)
                print at[i], model[i], x < 1 ? 1 : x, y < 1 ? 1 : y
            }
        }' "$1"
}

explain() {
    local count rate sizes aq policy metric ours theirs trace
    echo
    echo "Where more than 5 points remain: ours with the simulator's other lengths (10 re-draws),"
    echo "its shorter steps, its weights of 14 instead of 15.2 GB for the 7B, and all of these."
    echo
    echo "| models x req/s | policy, metric | re-run | ours | re-drawn: least, mean, most | steps | weights | all |"
    echo "|---|---|---|---|---|---|---|---|"
    awk '{ split("4 14 5 15 9 17 10 18", c, " ")
           for (i = 1; i <= 7; i += 2) {
               d = $c[i] - $c[i + 1]
               if (d > 5 || d < -5)
                   print $1, $2, $3, i < 5 ? "serverless" : "aegaeon", i % 4 == 1 ? "Q" : "T", $c[i], $c[i + 1]
           } }' "$work/rows" |
        while read -r count rate sizes policy metric ours theirs; do
            trace=$traces/synth-$count-$rate-1.0-1.0.csv
            [ "$policy" = serverless ] && rule=serverless || rule=$aegaeon
            for variant in draw steps weights all; do
                steps=0 options=()
                case $variant in steps | all) steps=1 ;; esac
                case $variant in weights | all) options=(--node H100.pcie=17.4GB/s) ;; esac
                for seed in 1 2 3 4 5 6 7 8 9 10; do
                    vary "$trace" "$sizes" $seed $steps >"$work/varied.csv"
                    echo "$variant $(run "$work/varied.csv" "$work/$sizes.csv" "$rule" "${options[@]}")"
                done
            done | awk -v name="$count x $rate" -v policy="$policy" -v metric="$metric" \
                -v ours="$ours" -v theirs="$theirs" '
                { v = metric == "Q" ? $2 : $3; n[$1]++; sum[$1] += v
                  if (n[$1] == 1 || v < low[$1]) low[$1] = v
                  if (n[$1] == 1 || v > high[$1]) high[$1] = v }
                END { printf "| %s | %s %s | %s | %.1f | %.1f, %.1f, %.1f | %.1f | %.1f | %.1f, %.1f, %.1f |\n",
                             name, policy, metric, theirs, ours, low["draw"], sum["draw"] / n["draw"], high["draw"],
                             sum["steps"] / n["steps"], sum["weights"] / n["weights"],
                             low["all"], sum["all"] / n["all"], high["all"] }'
        done
}

conclude() {
    cat <<'TEXT'

Where the pool is overloaded every difference points the same way: the simulator serves
requests faster, and near saturation a few percent of service time are many points. Its
steps are whole milliseconds of a law without a batch term; its 7B weighs 14 GB; and it
prefetches with hindsight: a switch is shortened by whatever the GPU has computed since
the last one, whichever model comes next, where ours must have chosen the model and
found it memory and link. One re-draw of the lengths moves a point by about 3. What is
left under "all" we do not explain further. At light load our serverless is better by up
to 6 points: the simulator may send a second model to the GPU that is still loading a
first (its last iteration is the oldest) while others rest; ours prefers one that rests.
No constant was tuned to this table.
TEXT
}

rows >"$work/rows"
table
if [ "${1:-}" = --explain ]; then
    explain
    conclude
fi
