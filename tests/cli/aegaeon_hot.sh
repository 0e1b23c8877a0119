# A hot model: once a batch has as many as run together, its next requests open a batch
# elsewhere, though KV memory would hold many more.
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 1000; i++)); do printf '%d.%03d,qwen2.5-7b,100,200\n' $((i / 100)) $((i % 100 * 10)); done; } >t.csv
hotdesk replay --trace t.csv --fleet H100:8 --policy aegaeon --max-batch 64 --warm-up 0s --cool-down 0s --json --quiet |
    jq '.counts.done, .gap_longest.p99_s < 1, .attain.token > 0.99'
