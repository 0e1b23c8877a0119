#!/bin/bash
# Real traces through the program: what it says of them against what is published, and
# what becomes of their requests against sums that awk takes from the same files. Then
# the errors of predicted times, as they are committed, and their gates. Looks for data
# in $HOTDESK_DATA (default ../shared/data beside the project) and is skipped
# where they are not. CHECKED_BUILD: a slow build, so no single iterations.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hotdesk=$(realpath "${HOTDESK:-$root/hotdesk}")
data=$(realpath -m "${HOTDESK_DATA:-$root/../shared/data}")
traces=$data/traces
[ -x "$hotdesk" ] || {
    echo "no program $hotdesk; run make first"
    echo "0 passed, 1 failed"
    exit 1
}
if [ ! -d "$traces" ]; then
    echo "skipped: no data"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export LC_ALL=C

code=$traces/azure/AzureLLMInferenceTrace_code.csv
conv=$traces/azure/AzureLLMInferenceTrace_conv.csv
arena=$traces/arena/arena27.csv
burst=$traces/burstgpt/burstgpt_slice.csv

passed=0
failed=0
check() { # name, command...
    local name=$1
    shift
    if "$@" >check.log 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED    validation $name"
        head -n 5 check.log
    fi
}
holds() { # file, condition of jq
    jq -e "$2" "$1" >/dev/null || {
        echo "$1: not true: $2"
        return 1
    }
}
equal() { # what, got, expected
    [ "$2" = "$3" ] || {
        echo "$1: $2, expected $3"
        return 1
    }
}
# Rows of a trace without carriage returns and header, to awk.
rows() { # file, awk program
    tr -d '\r' <"$1" | awk -F, "NR > 1 { $2 } END { $3 }"
}
replay() { # result, arguments: all requests are measured
    local result=$1
    shift
    "$hotdesk" replay --warm-up 0s --cool-down 0s "$@" --quiet --json >"$result" 2>talk ||
        { cat talk; return 1; }
    [ ! -s talk ] || { echo "not quiet"; cat talk; return 1; }
    conserved "$result"
}
# Nothing is lost, overall or in a model, and all time is somebody's.
conserved() {
    holds "$1" '.counts | .measured == .done + .rejected + .too_long + .empty + .unfinished' &&
        holds "$1" '[.models[] | .requests == .done + .rejected + .too_long + .empty + .unfinished] | all' &&
        holds "$1" '([.models[].requests] | add) == .counts.measured' &&
        holds "$1" '([.models[].done] | add) == .counts.done' &&
        holds "$1" '[.gpu[]] | add - 1 | fabs < 1e-9' &&
        holds "$1" '([.blame[]] | add) as $sum | .latency_s | . - $sum | fabs < 1e-6 * (1 + $sum)'
}
info() { # trace, condition
    "$hotdesk" trace info "$1" --json >info.json && holds info.json "$2"
}

# ---- what traces are like ---------------------------------------------------------
check "azure code" info "$code" '.requests == 8819 and (.gap_cv * 100 | round) == 1315'
check "azure conv" info "$conv" '.requests == 19366 and (.gap_cv * 100 | round) == 109'
check "arena" info "$arena" '.models == 27 and (.top_share * 1000 | round) == 197'
check "burstgpt" info "$burst" '.requests == 400 and .rows_no_output == 17'

# Mooncake's and GenTD26's figures, from tables that jq and awk make of them: the same
# requests, whatever reads the files. Published to so many digits.
rounds='def is(x; n; digits): (x * pow(10; digits) | round) == (n * pow(10; digits) | round);'
mooncake() {
    {
        echo '# prefix_block_tokens: 512'
        echo arrival_s,model,input_tokens,output_tokens,prefix
        jq -r '[.timestamp / 1000, "kimi", .input_length, .output_length,
            (.hash_ids | map(tostring) | join(" "))] | join(",")' \
            "$traces/mooncake/conversation_trace.jsonl"
    } >kimi.csv
    info kimi.csv "$rounds"'
        .requests == 12031 and .same_instant == 10851 and .rows_no_output == 0 and
        is(.span_s; 3537; 0) and is(.rate_per_s; 3.401; 3) and is(.gap_cv; 3.03; 2) and
        is(.iod_1s; 7.89; 2) and is(.iod_60s; 2.85; 2) and
        ([.input | .mean_tokens, .p50_tokens, .p90_tokens, .p99_tokens, .max_tokens | round] ==
            [12035, 6909, 27367, 85400, 126195]) and
        is(.output.mean_tokens; 342.6; 1) and
        ([.output | .p50_tokens, .p90_tokens, .p99_tokens, .max_tokens | round] == [350, 597, 1119, 2000]) and
        is(.prefixes.block_hit_share * 100; 36.6; 1) and .prefixes.blocks == 288500'
}
gentd26() {
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "arrival,model,input_tokens,output_tokens" }
        NR > 1 { m = $at["checkpoint_model_version_id"]; print $at["gmt_create"], m == "" ? "none" : m, 0, 0 }' \
        "$traces/gentd26/lora_request_trace.csv" >images.csv
    info images.csv "$rounds"'
        .requests == 26823 and .models == 87 and .same_instant == 876 and
        is(.span_s / 3600; 552.6; 1) and is(.rate_per_s; 0.0135; 4) and is(.gap_cv; 12.0; 1) and
        is(.iod_60s; 3.75; 2) and is(.top_share * 100; 30.7; 1) and is(.top2_share * 100; 45.7; 1) and
        is(.top5_share * 100; 70.4; 1) and is(.top10_share * 100; 86.6; 1) and
        is(.coldest_half_share * 100; 1.7; 1) and is(.gini; 0.871; 3) and is(.rank_slope; -2.17; 2) and
        ([.popularity[0:5][].gap_cv] | is(min; 5.4; 1) and (max > 9.8 and max < 9.9))' || return 1
    # Models at once at 0.5, 3.7 and 20 requests per second: the same as services that
    # are longer by as much.
    local rate expected
    while read -r rate expected; do
        "$hotdesk" trace info images.csv --json --service-time \
            "$(jq -r "16.79 * $rate / .rate_per_s" info.json)s" >active.json || return 1
        equal "models at once at $rate/s" \
            "$(jq '.active_models_if_independent * 10 | round / 10' active.json)" "$expected" || return 1
    done <<<'0.5 5.4
3.7 16.2
20 34.2'
}
check "mooncake, as a table" mooncake
check "gentd26, as a table" gentd26

# ---- what becomes of them ---------------------------------------------------------
azure() { # trace, name
    local from='2023-11-16 18:30:00' to='2023-11-16 18:40:00'
    replay "$2.json" --trace "$1" --models '*=llama-2-70b/tp2' --fleet H100:16 \
        --policy dedicated --requests "$2.csv" || return 1
    equal measured "$(jq .counts.measured "$2.json")" "$(rows "$1" n++ 'print n')" &&
        equal "beyond 4,096 tokens" "$(jq .counts.too_long "$2.json")" \
            "$(rows "$1" 'n += $2 + $3 > 4096' 'print n + 0')" &&
        equal tokens "$(jq .tokens.output "$2.json")" \
            "$(rows "$1" 'if ($2 + $3 <= 4096) n += $3' 'print n')" &&
        equal "rows of requests.csv" "$(wc -l <"$2.csv")" \
            "$(($(jq .counts.measured "$2.json") + 1))" || return 1
    replay cut.json --trace "$1" --models '*=llama-2-70b/tp2' --fleet H100:16 \
        --policy dedicated --from "$from" --to "$to" &&
        equal "in the cut" "$(jq .counts.measured cut.json)" \
            "$(rows "$1" "n += \$1 >= \"$from\" && \$1 < \"$to\"" 'print n')"
}
check "azure code replayed" azure "$code" code
check "azure conv replayed" azure "$conv" conv

# The figures of run.json, taken again from requests.csv; percentiles come from buckets
# of 1/256.
again() { # name
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { tokens += $at["output_tokens"]; on_time += $at["tokens_on_time"] }
        $at["ttft_s"] != "" { print $at["ttft_s"] >"ttft"; n++; sum += $at["ttft_s"] }
        END { printf "%.9f %.9f\n", on_time / tokens, sum / n }' "$1.csv" >figures
    sort -g ttft | awk '{ v[NR] = $1 } END {
        print v[int(NR * 0.5 + 0.999999)], v[int(NR * 0.99 + 0.999999)] }' >>figures
    xargs <figures | awk -v json="$(jq -r '[.attain.token, .ttft.mean_s, .ttft.p50_s, .ttft.p99_s] | map(tostring) | join(" ")' "$1.json")" '
        function far(a, b, within) { return a - b > within * b || b - a > within * b }
        { split(json, j, " ")
          if (far(j[1], $1, 1e-8) || far(j[2], $2, 1e-6) || far(j[3], $3, 1 / 128) ||
              far(j[4], $4, 1 / 128)) { print "requests.csv", $0, "run.json", json; exit 1 } }'
}
check "azure conv counted again" again conv
check "azure code counted again" again code

burstgpt() {
    local zero
    zero=$(rows "$burst" 'n += $4 == 0' 'print n')
    replay b.json --trace "$burst" --models '*=llama-2-7b' --fleet H100:2 --policy serverless &&
        equal empty "$(jq .counts.empty b.json)" "$zero" &&
        holds b.json ".counts.measured == 400 and .counts.done == 400 - $zero" &&
        holds b.json "[.warnings[] | select(.code == \"zero_output\") | .count] == [$zero]" &&
        replay b.json --trace "$burst" --models '*=llama-2-7b' --fleet H100:2 \
            --policy serverless --zero-output drop &&
        holds b.json ".counts.empty == 0 and .counts.measured == 400 - $zero" &&
        holds b.json "[.warnings[] | select(.code == \"zero_output\") | .count] == [$zero]"
}
check "burstgpt's empty rows" burstgpt

arena_dealt() { # policy
    replay a.json --trace "$arena" --models '*=llama-2-7b:3,llama-2-13b' --fleet H100:8 \
        --policy "$1" &&
        equal "requests of each model" \
            "$(jq -r '.models | sort_by(.name)[] | "\(.name) \(.requests)"' a.json)" \
            "$(rows "$arena" 'c[$2]++' 'for (m in c) print m, c[m]' | sort)" &&
        equal "sizes dealt" \
            "$(jq -c '[.models[].model] | group_by(.) | map(length) | sort' a.json)" '[7,20]' &&
        holds a.json '.counts.done == 1500'
}
check "arena under serverless" arena_dealt serverless
check "arena under aegaeon" arena_dealt aegaeon

aegaeon() { # trace
    replay s.json --trace "$1" --models '*=qwen2.5-7b:6,yi-1.5-9b:2,llama-2-13b:2' \
        --fleet H100:16 --policy aegaeon &&
        equal measured "$(jq .counts.measured s.json)" "$(rows "$1" n++ 'print n')"
}
for trace in "$traces"/aegaeon/*.csv; do check "${trace##*/}" aegaeon "$trace"; done

# Errors on what no fit has seen are those of the committed file; one that is above its
# gate ends in exit code 3: all-reduces of every second size, made three times as long.
errors() {
    "$hotdesk" calibrate check --data "$data" --out c.md >text &&
        cmp c.md "$root/results/reference/calibration.md" &&
        equal "gates missed" "$(grep -c MISSED text)" 0
}
missed_gate() {
    local from=$data/kernels/aiconfigurator to=bad/kernels/aiconfigurator
    local table=comm_h200_sxm_nccl_2.29.2_nccl.csv
    mkdir -p "$to" && ln -s "$data/measured" bad && ln -s "$from/"* "$to" &&
        find "$data/kernels" -mindepth 1 -maxdepth 1 ! -name aiconfigurator \
            -exec ln -s {} bad/kernels \; && rm "$to/$table" &&
        awk -F, -v OFS=, '
            NR == 1 { for (i = 1; i <= NF; i++) if ($i == "latency") at = i }
            NR % 2 && NR > 1 { $at *= 3 }
            { print }' "$from/$table" >"$to/$table"
    "$hotdesk" calibrate check --data bad --out d.md >text
    equal "exit code" $? 3 &&
        equal "gates missed" "$(grep MISSED text | awk '{ print $2, $3, $4 }')" \
            "all-reduce nccl H200-SXM" &&
        equal "gates missed in the file" "$(grep -c MISSED d.md)" 1
}
# An H200 measured here against what others published of it.
measured_twice() {
    mkdir twice &&
        HOTDESK=$hotdesk HOTDESK_DATA=$data "$root/scripts/compare-measured.sh" twice &&
        cmp twice/h200-measured.md "$root/results/reference/h200-measured.md"
}
if [ -z "${CHECKED_BUILD:-}" ]; then
    check "an H200 measured twice" measured_twice
    check "errors of predicted times" errors
    check "a gate that is missed" missed_gate
fi

# One iteration at a time, on a real trace.
stepped() {
    local ask=(replay --trace "$conv" --models '*=llama-2-13b' --too-long clip
        --fleet H100:6 --policy dedicated --slo 'ttft=2s,tbt=40ms' --from +0s --to +10m
        --quiet --json)
    "$hotdesk" "${ask[@]}" --requests fast.csv >fast.json &&
        "$hotdesk" "${ask[@]}" --requests step.csv --step >step.json &&
        cmp fast.csv step.csv && jq 'del(.command)' fast.json >a && jq 'del(.command)' step.json | cmp a -
}
[ "${CHECKED_BUILD:-}" ] || check "fast equals step on azure conv" stepped

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
