{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
A="--trace t.csv --gpu H100 --attain 0.9 --quiet"
hotdesk compare $A --require 'policy.serverless.gpus<=policy.dedicated.gpus' >ok; echo $?
hotdesk compare $A --require 'policy.serverless.gpus<policy.dedicated.gpus' >no; echo $?
grep -h "serverless.gpus" ok no
