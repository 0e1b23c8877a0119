#!/bin/bash
# The GPUs that hotdesk-bench measured against aiconfigurator's published tables of the
# same, and against what the shipped tables predict: writes h200-measured.md,
# h100-measured.md and their pictures into a folder (results/reference). The tables are
# looked for in $HOTDESK_DATA (default ../shared/data beside the project).
#   scripts/compare-measured.sh FOLDER
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
hotdesk=${HOTDESK:-$root/hotdesk}
tables=${HOTDESK_DATA:-$root/../shared/data}/kernels/aiconfigurator
[ $# = 1 ] && [ -d "$1" ] || {
    echo "usage: scripts/compare-measured.sh FOLDER" >&2
    exit 2
}
folder=$(realpath "$1")
[ -d "$tables" ] || {
    echo "no tables in $tables; set HOTDESK_DATA" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Rows of the measured file whose columns fulfil an awk condition, compared.
band() { # name, condition over c["column"]
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print; next }
        { for (i in at) c[i] = $at[i] }
        '"$2" measured.csv >part.csv
    "$hotdesk" calibrate compare published.csv part.csv --json |
        jq -r --arg name "$1" '.groups[] | select(.ratio_median != null) |
            [$name, .same_shape, .between_rows, .ratio_median, 100 * .difference_p50, 100 * .difference_p90] | @tsv' |
        awk -F'\t' '{ printf "| %s | %d | %d | %.2f | %.1f | %.1f |\n", $1, $2, $3, $4, $5, $6 }'
}
bands() { # op, type, dimension, upper ends
    local low=0 high
    for high in $4; do
        band "$1 $2, $3 $((low + 1)) to $high" \
            "c[\"op\"] == \"$1\" && c[\"dtype\"] == \"$2\" && c[\"$3\"] > $low && c[\"$3\"] <= $high"
        low=$high
    done
}

# The median of fp8 / 16-bit times of one file's GEMMs at the same shapes.
narrow() { # file, least m, most m
    awk -F, -v low="$2" -v high="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["op"] == "gemm" && $at["m"] >= low && $at["m"] <= high {
            shape = $at["m"] " " $at["n"] " " $at["k"]
            if ($at["dtype"] == "fp8") fp8[shape] = $at["time_us"]
            if ($at["dtype"] == "bf16") bf16[shape] = $at["time_us"]
        }
        END { for (shape in fp8) if (shape in bf16) print fp8[shape] / bf16[shape] }' "$1" |
        sort -g | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'
}

page() { # GPU
    cat <<TEXT
# An $1 measured twice

Written by \`scripts/compare-measured.sh\` (\`make validate\`). A is what ai-dynamo/aiconfigurator
(Apache-2.0) publishes of the $1 SXM; B is one $1 that \`hotdesk-bench\` of this project
measured ($(tail -n +2 measured.csv | cut -d, -f24 | sort | uniq -c | sort -rn | awk 'NR == 1 { sub(/^ *[0-9]+ /, ""); print }')), results/calibration/$1-SXM/measured.csv. Only op, shape and time
are compared: where the shapes are the same, and between A's rows where A spans them.

\`\`\`
$("$hotdesk" calibrate compare published.csv measured.csv)
\`\`\`

By size:

| of B | same shape | between rows | B / A, median | off by, %, median | p90 |
|---|---:|---:|---:|---:|---:|
TEXT
    bands gemm bf16 m "8 64 512 2048 8192"
    bands gemm fp8 m "8 64 512 2048 8192"
    bands attention_prefill bf16 chunk "256 1024 4096 8192"
    kv='c["batch"] * c["context"] * c["kv_heads"] * c["head_dim"] * 4'
    one='c["op"] == "attention_decode" && c["variant"] == ""'
    band "attention_decode bf16, KV up to 64 MB" "$one && $kv <= 64e6"
    band "attention_decode bf16, KV above 64 MB" "$one && $kv > 64e6"
    echo
    echo "fp8 over 16 bit, GEMMs of the same shape in the same file, median:"
    echo
    echo "| m | A | B |"
    echo "|---|---:|---:|"
    low=1
    for high in 16 64 256 1024 4096; do
        echo "| $low to $high | $(narrow published.csv $low $high) | $(narrow measured.csv $low $high) |"
        low=$((high + 1))
    done
    cat <<'TEXT'

How to read it:

* GEMM in 16 bit (B: cuBLASLt, weights cold): for comparison, two collectors or versions on
  one GPU differ by 2 to 7 % in the median and 13 to 19 % at p90 among aiconfigurator's
  own tables.
* GEMM in fp8: A takes about as long as in 16 bit, B does not. B multiplies with one scale
  for each tensor and times nothing else; what A times besides, its files do not say. A
  table of the one must not stand for the other.
* Attention in B is by this project's own portable kernels (prefill: `own_mma`), in A by
  those of serving engines. The ratios are those of the kernels, not of the cards.

Against what hotdesk's shipped tables predict (`hotdesk calibrate plot`), whose GEMMs and
attention are fitted to A, so that B judges them.
TEXT
    case $1 in
    H200) cat <<'TEXT' ;;
The small operators and the output head, which A lacks, are fitted to B itself: those
points judge nothing.
TEXT
    H100) cat <<'TEXT' ;;
The small operators are the H200's as measured by hotdesk-bench, scaled by the data sheets'
bandwidth; the output head is the H100's published GEMMs, most of it wider than their
65,536 outputs. B judges all of them, since nothing is fitted to it.
TEXT
    esac
    echo
    echo '```'
    cat plotted
    echo '```'
    echo
    for picture in "roofline:measured kernels under the roofline" "predicted:predicted against measured" \
        "errors:errors by op"; do
        echo "![${picture#*:}]($short-${picture%%:*}.png)"
    done
}

for gpu in H200 H100; do
    short=${gpu,,}
    "$hotdesk" calibrate import --from aiconfigurator \
        "$tables"/{gemm,context_attention,generation_attention}_"${short}"_sxm.csv.gz \
        --out published.csv --force 2>said || { cat said >&2; exit 1; }
    cp "$root/results/calibration/$gpu-SXM/measured.csv" measured.csv
    "$hotdesk" calibrate plot $gpu --out pictures --force >plotted 2>said || { cat said >&2; exit 1; }
    page $gpu >"$folder/$short-measured.md"
    for picture in roofline predicted errors; do
        cp "pictures/$picture.png" "$folder/$short-$picture.png"
    done
done
