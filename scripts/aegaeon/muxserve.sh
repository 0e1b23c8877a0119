# shellcheck shell=bash
# MuxServe's placement: which numbers of models fit. Read by scripts/reproduce-aegaeon.sh.

# 4/5 of the models of 7B and 1/5 of 13B, as in Aegaeon's comparison, every fifth a large one.
mux_models() { # how many: a models file on stdout
    echo name,model
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "synth_model_%02d,llama-2-%s\n", i, i % 5 == 4 ? "13b" : "7b" }'
}

mux_point() { # models GPUs: a row of the table
    local trace=$work/mux-$1.csv models=$work/mux-models-$1.csv answer
    draw_trace "$1" 0.1 1.0 1.0 "$lengths" 120 >"$trace.drawn"
    vary "$trace.drawn" "" 0 0 >"$trace" # all have a limit of 4,096 tokens
    mux_models "$1" >"$models"
    if answer=$("$hotdesk" replay --scenario "$scenario" --fleet "$gpu:$2" --trace "$trace" --models "$models" \
        --policy muxserve --json --quiet 2>"$work/mux-$1.err"); then
        answer=$(jq -r 'if .complete and .error == null then "yes | \(.attain.ratio * 1000 | round / 10)" else "no | -" end' <<<"$answer")
    else
        answer="no | -"
    fi
    echo "| $1 | $2 | $answer | $(awk -v n="$1" -v g="$2" 'BEGIN { print n <= 2 * g ? "yes, 100 %" : "no" }') |"
}

muxserve_section() {
    "$hotdesk" policy list | grep -q "^muxserve" && [ -n "$lengths" ] || return 0
    cat <<'TEXT'

## MuxServe: what can be placed

Models of 7B and, every fifth, of 13B, at 0.1 requests/s (drawn). Published: 16 fit on 8 GPUs of 80 GB and 18 do not, so 32 on two
nodes, all in time; above that its placement gives no answer.

| models | GPUs | placed; metric Q, % | | published |
|---|---|---|---|---|
TEXT
    for of in "14 8" "16 8" "18 8" "28 16" "32 16" "36 16"; do mux_point $of; done
}
