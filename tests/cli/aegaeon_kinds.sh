# Models on 1, 2, 4 and 8 GPUs: two instances of each kind are 30 GPUs, and 30 must do.
{ echo arrival_s,model,input_tokens,output_tokens
  echo 0,qwen2.5-7b,100,10
  echo 1,yi-34b,100,10
  echo 2,qwen2.5-72b,100,10
  echo 3,llama-2-70b,100,10; } >t.csv
A="--trace t.csv --models yi-34b=yi-34b/tp2 --models qwen2.5-72b=qwen2.5-72b/tp4 --models llama-2-70b=llama-2-70b/tp8
   --models qwen2.5-7b=qwen2.5-7b --policy aegaeon --warm-up 0s --cool-down 0s"
hotdesk replay $A --fleet H100:30 | grep '^requests  '
hotdesk replay $A --fleet H100:29 | grep '^cannot'
