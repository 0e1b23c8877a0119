{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --json --quiet >/dev/full
