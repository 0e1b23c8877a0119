# All at one instant: no rate, which is null; and what the host's memory held is told.
{ echo arrival_s,model,input_tokens,output_tokens
  echo 0,qwen2.5-7b,1024,100; } >t.csv
hotdesk replay --trace t.csv --fleet H100:1 --policy dedicated --json --quiet |
    jq -c '.goodput.requests_per_s, .tokens.output_per_s, .load.active_models, .peak.host_dram_bytes'
