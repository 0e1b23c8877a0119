# One JSON value on stdout and nothing else, no escape codes, though stderr talks; the
# counts add up, and so does GPU time. The last minute is overloaded.
awk 'BEGIN {
    print "arrival_s,model,input_tokens,output_tokens"
    for (i = 0; i < 240; i++) print i ",llama-2-7b,300,100"
    for (i = 0; i < 6000; i++) printf "%.2f,llama-2-7b,1500,300\n", 240 + i / 100 }' >t.csv
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --patience 20s --json >r.json
jq -s length r.json
jq -e '.counts | .measured == .done + .rejected + .too_long + .empty + .unfinished' r.json
jq -e '[.gpu[]] | add - 1 | fabs < 1e-9' r.json
jq -e '.counts.rejected > 100' r.json
LC_ALL=C grep -c $'\e' r.json
