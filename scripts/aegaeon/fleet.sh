# shellcheck shell=bash
# A fleet like the published deployment, 28 small and 19 large models, under other skews and
# burstiness: dedicated against pooled. Read by scripts/reproduce-aegaeon.sh.

# popularity ("share X": the cold models have X of the requests; "zipf X"), CV of a model's
# gaps, requests/s: "kind X cv rate dedicated pooled saved"
fleet_point() {
    local name=$work/fleet-$1-$2-$3-$4 span=50m popularity
    [ "$4" = 3 ] || span=10m # as many requests or more in less time
    case $1 in
    share) popularity="kind = \"two-class\", cold_models = 0.941, cold_share = $2," ;;
    zipf) popularity="kind = \"zipf\", s = $2, shift = 0," ;;
    esac
    sed "s/^  popularity = .*/  popularity = {$popularity/; s/cv = [0-9.]*/cv = $3/
         s/rate_per_s = 3, span = \"50m\"/rate_per_s = $4, span = \"$span\"/
         s/period = \"50m\", peak = \"25m\"/period = \"$span\", peak = \"$((${span%m} / 2))m\"/" \
        traces/production47.lua >"$name.lua"
    "$hotdesk" trace synth "$name.lua" --out "$name.csv" --force 2>/dev/null
    "$hotdesk" compare --trace "$name.csv" --models 'small-*=qwen2.5-7b;large-*=qwen2.5-72b/tp4' \
        --gpu H20 --policy dedicated,aegaeon --attain 0.9 --json --quiet |
        jq -r --arg of "$*" '[$of, .policy[0].gpus // "-", .policy[1].gpus // "-",
            (if .policy[1].saved then .policy[1].saved * 100 else "-" end)] | map(tostring) | join(" ")'
}

fleet() {
    local x cv rate
    {
        for rate in 30 10; do for x in 1 2 3; do echo "zipf $x 1.4 $rate"; done; done # the longest first
        for x in 0.5 1 1.5 2 2.5 3; do for cv in 1 1.4 4; do echo "zipf $x $cv 3"; done; done
        for x in 0.0135 0.05 0.15 0.30 0.50 0.941; do for cv in 1 1.4 4; do echo "share $x $cv 3"; done; done
    } | xargs -P "$(nproc)" -L 1 bash -c 'fleet_point "$@"' fleet_point | sort -k1,1 -k4,4g -k2,2g -k3,3g
}

saving_rows() { # of fleet(): those of a kind at a rate; one row for each popularity, CVs side by side
    awk -v kind="$1" -v rate="$2" -v unit="${3-}" '$1 == kind && $4 == rate {
            if ($2 != x && x != "") print line
            if ($2 != x) line = "| " (unit == "%" ? sprintf("%.1f %%", 100 * $2) : $2) " |"
            x = $2
            line = line sprintf(" %s, %s, %s |", $5, $6, $7 == "-" ? "-" : sprintf("%.0f %%", $7)) }
        END { print line }' "$work/fleet"
}

met_at() { # kind: where each CV's line crosses the published saving at 3 requests/s, linear between rows
    awk -v kind="$1" '$1 == kind && $4 == 3 { if ($3 in last && (last[$3] - 82.1) * ($7 - 82.1) <= 0 &&
                                                 (kind == "share" || !($3 in at))) # the least skew that does
                at[$3] = x[$3] + ($2 - x[$3]) * (last[$3] - 82.1) / (last[$3] - $7)
            last[$3] = $7; x[$3] = $2 }
        END { split("1 1.4 4", cvs, " ")
              for (i = 1; i <= 3; i++) if (cvs[i] in at)
                  printf "%s%s (CV %s)", n++ ? ", " : "", kind == "zipf" ? sprintf("%.1f", at[cvs[i]]) : sprintf("%.0f %%", 100 * at[cvs[i]]), cvs[i] }' "$work/fleet"
}

fleet_table() {
    cat <<'TEXT'

## The fleet: 47 models, dedicated against pooled

Published (Fig. 18): 1,192 GPUs became 213, a saving of 82.1 %; 94.1 % of the marketplace's models have 1.35 %
of its requests. The trace is not public, so only the ratio can be approached: `traces/production47.lua` (28 models of
7B on one H20 and 19 of 72B on four), its popularity, burstiness and load varied; 90 % of tokens in time for each model,
TTFT 10 s, TBT 100 ms. Cells: GPUs dedicated, GPUs with aegaeon, saved.

| 3 requests/s: share of the cold 94.1 % | CV of gaps 1 | 1.4 | 4 |
|---|---|---|---|
TEXT
    saving_rows share 3 %
    printf '\n| 3 requests/s: Zipf exponent | CV of gaps 1 | 1.4 | 4 |\n|---|---|---|---|\n'
    saving_rows zipf 3
    for rate in 10 30; do
        printf '\n| %s requests/s: Zipf exponent | CV of gaps 1.4 |\n|---|---|\n' $rate
        saving_rows zipf $rate
    done
    printf '\nAt 3 requests/s the published saving of 82.1 %% is met where the colder models have %s of requests, or at a Zipf exponent of %s.\n' \
        "$(met_at share)" "$(met_at zipf)"
    cat <<'TEXT'
Dedicated GPUs are nearly one replica of each model at these loads (28 + 19 x 4 = 104; a model that no request is for
has none, hence fewer under strong skew), so the pool decides: the more often
cold models wake, the more of them are active at once; bursts leave them silent for longer. At more requests/s the pool
grows, dedicated GPUs hardly do, and the saving fades: token-level switching serves a hot model no better than a GPU of
its own. The published baseline of 1,192 GPUs is 11 replicas of each model: to save 82 % of those, dedicated replicas must
have been provisioned for peaks far above the mean load (hot models then save, too), which is not what `dedicated` here does:
it has the fewest GPUs that keep the SLO.

![GPUs saved against skew](aegaeon-fleet.png)
TEXT
}
