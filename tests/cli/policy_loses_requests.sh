{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# A policy that never decides: all are unfinished, which is counted and said.
echo 'local P = {about = "x"} function P.start() pool:form{role = "s", gpus = 1} end return P' >lose.lua
hotdesk replay --trace t.csv --fleet H100:1 --policy ./lose.lua --warm-up 0s --cool-down 0s --require pass
