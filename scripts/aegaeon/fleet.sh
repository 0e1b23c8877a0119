# shellcheck shell=bash
# A fleet like the published deployment, 28 small and 19 large models, under other skews and
# burstiness: dedicated against pooled. Read by scripts/reproduce-aegaeon.sh.

# cold models' share of requests, coefficient of variation of a model's gaps
fleet_point() {
    local name=$work/fleet-$1-$2
    sed "s/cold_share = [0-9.]*/cold_share = $1/; s/cv = [0-9.]*/cv = $2/" traces/production47.lua >"$name.lua"
    "$hotdesk" trace synth "$name.lua" --out "$name.csv" --force 2>/dev/null
    "$hotdesk" compare --trace "$name.csv" --models 'small-*=qwen2.5-7b;large-*=qwen2.5-72b/tp4' \
        --gpu H20 --policy dedicated,aegaeon --attain 0.9 --json --quiet |
        jq -r --arg share "$1" --arg cv "$2" '[$share, $cv, .policy[0].gpus // "-", .policy[1].gpus // "-",
            (if .policy[1].saved then .policy[1].saved * 100 else "-" end)] | map(tostring) | join(" ")'
}

fleet() { # "share cv dedicated pooled saved" of each point
    local share cv
    for share in 0.0135 0.05 0.15 0.30 0.50 0.941; do
        for cv in 1 1.4 4; do echo "$share $cv"; done
    done | xargs -P "$(nproc)" -L 1 bash -c 'fleet_point "$@"' fleet_point | sort -g -k1,1 -k2,2
}

fleet_table() { # rows on stdin
    cat <<'TEXT'

## The fleet: 47 models, dedicated against pooled

Published (Fig. 18): 1,192 GPUs became 213, a saving of 82.1 %; 94.1 % of the marketplace's models have 1.35 %
of its requests. The trace is not public, so only the ratio can be approached: `traces/production47.lua` (28 models of
7B on one H20 and 19 of 72B on four, 3 requests/s in 50 minutes), its skew and burstiness varied; 90 % of
tokens in time for each model, TTFT 10 s, TBT 100 ms.

| share of the cold 94.1 % | CV of a model's gaps | dedicated | aegaeon | saved |
|---|---|---|---|---|
TEXT
    awk '{ printf "| %.1f %%%s | %s | %s | %s | %s |\n", 100 * $1, $1 == 0.941 ? " (no skew)" : "", $2, $3, $4,
                  $5 == "-" ? "-" : sprintf("%.1f %%", $5)
           if (!($2 in last)) cvs[++n] = $2
           else if (last[$2] >= 82.1 && $5 < 82.1 && !($2 in at)) # between two rows, linear
               at[$2] = share[$2] + ($1 - share[$2]) * (last[$2] - 82.1) / (last[$2] - $5)
           last[$2] = $5; share[$2] = $1 }
         END { printf "\nThe published saving of 82.1 %% is met where the colder models have "
               for (i = 1; i <= n; i++)
                   if (cvs[i] in at) printf "%s%.0f %% of requests (CV %s)", k++ ? ", " : "", 100 * at[cvs[i]], cvs[i]
               print "." }'
    cat <<'TEXT'
Dedicated GPUs are nearly one replica of each model at this load (28 + 19 x 4 = 104), so the pool decides: the more often
cold models wake, the more of them are active at once; bursts leave them silent for longer. Without skew a pool needs
as many GPUs as dedicated ones. The published fleet, of a higher load, has hot models on many GPUs each; those save
nothing, so the same saving over all asks for a stronger skew there than here.

![GPUs saved against skew](aegaeon-fleet.png)
TEXT
}
