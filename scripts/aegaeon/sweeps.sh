# shellcheck shell=bash
# The published sweeps whole: what of their traces is not at hand is drawn as the artifact's
# generator draws it. Read by scripts/reproduce-aegaeon.sh.

# A trace of equal Poisson models: of each, duration x rate gaps, cut at the duration (so
# that the rate comes out 13 to 19 % below its name, as in the artifact's own), with pairs of
# lengths from a trace of the artifact, scaled.
draw_trace() { # models rate input output, a trace with lengths, its duration in s
    awk -F, -v models="$1" -v rate="$2" -v by_in="$3" -v by_out="$4" -v span="$6" '
        function uniform() { # a generator of our own: awks differ in theirs (Lehmer, MINSTD)
            state = state * 16807 % 2147483647
            return state / 2147483647
        }
        { sub("\r$", "") }
        FNR > 1 { n++; input[n] = $3; output[n] = $4 }
        END {
            state = models * 100 + rate * 1000 + by_in * 10 + by_out
            for (i = 0; i < 20; i++) uniform()
            for (m = 0; m < models; m++)
                for (at = i = 0; i < span * rate; i++) {
                    at -= log(uniform()) / rate
                    k = 1 + int(uniform() * n)
                    if (at >= span) continue
                    x = int(input[k] * by_in); y = int(output[k] * by_out)
                    printf "%02d:%02d:%06.3f,synth_model_%02d,%d,%d\n", at / 3600, at % 3600 / 60,
                           int(at % 60 * 1000) / 1000, m, x < 1 ? 1 : x, y < 1 ? 1 : y
                }
        }' "$5" | sort | sed '1i Request Time,Model Name,Input Length,Output Length'
}

# "models rate input output seconds" of each point that the artifact or the paper has.
published_points() {
    local n
    for ((n = 16; n <= 80; n += 4)); do echo "$n 0.1 1.0 1.0 120"; done
    for ((n = 16; n <= 54; n += 2)); do echo "$n 0.5 1.0 1.0 60"; done
    for ((n = 5; n <= 70; n += 5)); do
        printf '40 %s 1.0 1.0 60\n' "$(awk -v n=$n 'BEGIN { print n / 100 }')"
    done
    for ((n = 16; n <= 80; n += 8)); do
        printf '%s 0.1 %s 120\n' $n "2.0 1.0" $n "1.0 2.0"
    done
}

# Fills a folder with the traces that there are (as links) and draws what is missing; sets
# `lengths`: the trace whose lengths are drawn.
gather() { # folder of traces, folder to fill
    local file models rate input output span size=0
    lengths=
    for file in "$1"/synth-*.csv; do
        [ -e "$file" ] || continue
        ln -s "$(realpath "$file")" "$2/"
        case $file in *-1.0-1.0.csv) # the longest of them lends its lengths
            [ "$(wc -l <"$file")" -le $size ] || { size=$(wc -l <"$file") lengths=$file; } ;;
        esac
    done
    [ -n "$lengths" ] && [ -z "$short" ] || return 0
    published_points | while read -r models rate input output span; do
        file=$2/synth-$models-$rate-$input-$output.csv
        [ -e "$file" ] || draw_trace "$models" "$rate" "$input" "$output" "$lengths" "$span" >"$file"
    done
}

# What "rows" has of a sweep, by its number of models or its rate; drawn rows are marked.
sweep_table() { # title, condition of awk over the rows, column that varies, its name
    printf '\n**%s**\n\n' "$1"
    echo "| $4 | trace | serverless Q | serverless-plus Q | aegaeon Q | aegaeon T | aegaeon Q, SLO x 0.5 | x 0.3 |"
    echo "|---|---|---|---|---|---|---|---|"
    awk "$2"' { printf "| %s | %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |\n", $'"$3"', $5 == "drawn" ? "drawn" : "artifact",
                    $6, $11, $16, $17, $21, $22 }' "$work/all" | sort -t'|' -k2,2g
}

# The largest number of models, interpolated, at which a column is at 90 or above.
capacity() { # condition, column
    awk "$1"' { print $1, $'"$2"' }' "$work/all" | sort -g | awk '
        n++ && last >= 90 && $2 < 90 { print models + ($1 - models) * (last - 90) / (last - $2); found = 1; exit }
        { models = $1; last = $2 }
        END { if (!found) print (n && last >= 90) ? ">=" models : "-" }'
}

capacity_line() { # title, condition, paper
    local a s p
    a=$(capacity "$2" 16) s=$(capacity "$2" 6) p=$(capacity "$2" 11)
    awk -v title="$1" -v a="$a" -v s="$s" -v p="$p" -v paper="$3" '
        function whole(x) { return x ~ /^[0-9]/ ? sprintf("%.0f", x) : x }
        function ratio(x, y,    least) {
            least = sub(">=", "", x) ? ">=" : ""
            return x ~ /^[0-9]/ && y ~ /^[0-9]/ && y > 0 ? sprintf("%s%.1f", least, x / y) : "-"
        }
        BEGIN { printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", title, whole(s), whole(p), whole(a), ratio(a, s), paper,
                       ratio(a, 16), ratio(a, 10) }'
}

sweeps_section() {
    local x1='$3 == "1.0" && $4 == "1.0"' half='$2 == "0.5"' tenth='$2 == "0.1" && !($1 == 40 && $5 != "drawn")'
    cat <<'TEXT'

## The published sweeps, whole

Of these traces some are the artifact's and the others drawn by us as its generator draws (equal Poisson models,
pairs of lengths of its longest trace here, cut at 120 s, or 60 s at 0.5 requests/s and in the sweep of rates); each row
says which. A trace that is put into the folder takes the place of its drawn one. Nothing of this is in the re-run's
table above unless it says "artifact".
TEXT
    sweep_table "0.1 requests/s for each model" "$x1"' && $2 == "0.1"' 1 models
    sweep_table "0.5 requests/s for each model" "$x1 && $half" 1 models
    sweep_table "40 models" "$x1"' && $1 == 40' 2 "requests/s"
    sweep_table "0.1 requests/s, prompts twice as long" '$2 == "0.1" && $3 == "2.0" && $4 == "1.0"' 1 models
    sweep_table "0.1 requests/s, answers twice as long" '$2 == "0.1" && $3 == "1.0" && $4 == "2.0"' 1 models
    cat <<'TEXT'

Models that 16 GPUs hold at 90 % of metric Q, interpolated between rows (">=": 90 % at the last row, too):

| sweep | serverless | serverless-plus | aegaeon | aegaeon / serverless | paper says | per GPU | per decode GPU |
|---|---|---|---|---|---|---|---|
TEXT
    capacity_line "0.1 requests/s" "$x1 && $tenth" "2 (7 models per decode GPU)"
    capacity_line "0.5 requests/s" "$x1 && $half" "2.5"
    capacity_line "0.1 requests/s, input x 2" "$tenth"' && $3 == "2.0" && $4 == "1.0"' "up to 2.5"
    capacity_line "0.1 requests/s, output x 2" "$tenth"' && $3 == "1.0" && $4 == "2.0"' "up to 2.5"
}
