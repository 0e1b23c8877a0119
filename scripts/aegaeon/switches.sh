# shellcheck shell=bash
# How long switches make turns wait, and what KV costs a request: the distributions behind
# the means. Read by scripts/reproduce-aegaeon.sh.

# A line a switch: what it waited for weights, in ms, and the name of its model. A switch is a
# turn of another model than the last turn of that GPU; what it waited are the slices of the
# timeline that lie in it.
switch_waits() { # timeline
    jq -r '.traceEvents[] | select(.cat == "turn" or (.cat == "switch" and (.name | test("weights")))) |
           [.pid, .tid, .ts, (if .cat == "turn" then 0 else 1 end), .dur, .name] | @tsv' "$1" |
        sort -t$'\t' -k1,1g -k2,2g -k3,3g -k4,4g |
        awk -F'\t' '
            function flush() { if (changed) print waited / 1000, name; changed = 0 }
            $4 == 0 { flush()
                      if ($1 " " $2 != lane) { lane = $1 " " $2; last = "" }
                      changed = $6 != last; last = $6; name = $6; sub("turn of ", "", name); waited = 0 }
            $4 == 1 { waited += $5 }
            END { flush() }'
}

quantiles() { # numbers on stdin, sorted here: "count p50 p90 p99 most"
    sort -g | awk '{ v[NR] = $1 }
        function at(p,    i) { i = int(p * NR); i += i < p * NR; return v[i < 1 ? 1 : i] }
        END { if (NR) print NR, at(0.5), at(0.9), at(0.99), v[NR] }'
}

switches_section() { # largest trace at 0.1 requests/s that is the artifact's
    local models rate input output file models_csv size llm p50 p90 p99 most
    read -r models rate input output < <(awk '$5 != "drawn" && $2 == "0.1" && $3 $4 == "1.01.0" { print $1, $2, $3, $4 }' \
        "$work/all" | sort -g | tail -n 1) || return 0
    file=$work/fit-$models-$rate-$input-$output.csv
    models_csv=$work/models-$models-$rate-$input-$output.csv
    "$hotdesk" replay --scenario "$scenario" --trace "$file" --models "$models_csv" --policy "$aegaeon" --quiet \
        --timeline "$work/timeline.json" --requests "$work/requests.csv" >/dev/null
    switch_waits "$work/timeline.json" >"$work/waits"
    awk 'NR == FNR { split($0, f, ","); of[f[1]] = f[2]; next } { print $1, of[$2] }' "$models_csv" "$work/waits" >"$work/waits-of"
    cat <<TEXT

### Distribution of switches, $models models at $rate requests/s

What a turn waits for its weights, in ms, by size (\`--timeline\`, slices named "switch: weights come"); the paper's Fig. 15a:
about half nearly free, the rest below 1 s.

| model | switches | nearly free (up to 50 ms) | below 1 s | p50 | p90 | p99 | most |
|---|---|---|---|---|---|---|---|
TEXT
    for llm in all qwen2.5-7b yi-1.5-9b llama-2-13b; do
        awk -v name=$llm 'name == "all" || $2 == name { print $1 }' "$work/waits-of" >"$work/waits-one"
        [ -s "$work/waits-one" ] || continue
        read -r size p50 p90 p99 most < <(quantiles <"$work/waits-one")
        awk -v name=$llm -v p="$p50 $p90 $p99 $most" '{ free += $1 <= 50; below += $1 < 1000 }
            END { split(p, q, " "); printf "| %s | %d | %.0f %% | %.0f %% | %.0f | %.0f | %.0f | %.0f |\n", name, NR, 100 * free / NR,
                         100 * below / NR, q[1], q[2], q[3], q[4] }' "$work/waits-one"
    done
    read -r size p50 p90 p99 most < <(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "kv_s") c = i; next } { print $c }' \
        "$work/requests.csv" | quantiles)
    awk -v n="$size" -v p="$p50 $p90 $p99 $most" 'BEGIN { split(p, q, " ")
        printf "\nKV of a request, all its moves together: p50 %.2f s, p90 %.2f s, p99 %.2f s, most %.2f s of %d requests; the paper: below 1 s.\n",
               q[1], q[2], q[3], q[4], n }'
    printf '\n![how long switches wait for weights](%s)\n' "$name-switches.png"
}

switches_picture() { # file
    [ -s "$work/waits-of" ] || return 0
    sort -g "$work/waits-of" | awk '{ v[NR] = $1 } END { for (i = 1; i <= NR; i++) print v[i] / 1000, i / NR }' >"$work/cdf.dat"
    gnuplot <<PLOT
set terminal pngcairo size 760,380 font "sans,11"
set output "$1"
set title "Switches under Aegaeon: waiting for weights"
set xlabel "s"
set ylabel "share of switches"
set yrange [0:1.02]
set xrange [0:*]
set grid
set key bottom right
set arrow from 1,0 to 1,1.02 nohead dashtype 2 linecolor "gray50"
plot "$work/cdf.dat" using 1:2 with steps linewidth 2 linecolor "#1b9e77" title "ours (paper: about half near 0, the rest below 1 s)"
PLOT
}
