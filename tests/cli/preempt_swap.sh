# A full KV memory takes one member at a time off the GPU, whichever way, and who was
# swapped out is back before new prompts take the room: nobody's text stops for long.
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do printf '0.%03d,llama-2-7b,500,1000\n' $i; done; } >t.csv
for how in recompute swap; do
    hotdesk replay --trace t.csv --fleet A10:1 --policy serverless --preempt $how --warm-up 0s --cool-down 0s \
        --json --quiet >$how.json
done
jq -s '.[0].counts.preempted as $n | .[0].gap_longest.p99_s as $slow | .[1].counts.preempted > 0.5 * $n and .[1].counts.preempted < 1.5 * $n,
    .[1].gap_longest.p99_s < 1.2 * $slow, .[1].counts.done' recompute.json swap.json
