#!/bin/bash
# The table of traces/README.md: figures of each sample beside its recipe, as
# `hotdesk trace info` has them. Markdown on standard output.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
echo "| sample | requests | models | span | 1/s | CV of gaps | dispersion, 60 s | top share | Gini | at once | input p50, p99 | output p50, p99 | reuse |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for recipe in "$root"/traces/*.lua; do
    sample=${recipe%.lua}.csv
    [ -e "$sample" ] || continue
    "${HOTDESK:-$root/hotdesk}" trace info "$sample" --json | jq -r '
        def round_to(digits): . as $x | pow(10; digits) as $p | ($x * $p | round) / $p;
        def pct: . * 100 | round_to(1) | "\(.) %";
        "| `\(.name)` | \(.requests) | \(.models) | \(.span_s / 60 | round_to(0)) min" +
        " | \(.rate_per_s | round_to(2)) | \(.gap_cv | round_to(2))" +
        " | \(.iod_60s | round_to(1)) | \(.top_share | pct) | \(.gini | round_to(2))" +
        " | \(.active_models | round_to(1))" +
        " | \(.input.p50_tokens | round), \(.input.p99_tokens | round)" +
        " | \(.output.p50_tokens | round), \(.output.p99_tokens | round)" +
        " | \(if .prefixes and .prefixes.blocks then .prefixes.block_hit_share | pct else "-" end) |"'
done
