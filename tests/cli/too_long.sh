# A prompt that no instance of the fleet could hold, and one beyond its model's context.
{ echo arrival_s,model,input_tokens,output_tokens
  echo 0,qwen2.5-7b,100,10
  echo 1,qwen2.5-7b,30000,10
  echo 2,llama-2-7b,100,10
  echo 3,llama-2-7b,4096,1
  echo 4,llama-2-7b,5,0; } >t.csv
A="--trace t.csv --models qwen2.5-7b=qwen2.5-7b/tp1 --fleet A10:2 --gpu-memory 0.75 --policy serverless --warm-up 0s --cool-down 0s"
hotdesk replay $A | grep -e 'requests  ' -e warning
hotdesk replay $A --too-long drop --zero-output drop | grep -e 'requests  ' -e warning
hotdesk replay $A --too-long clip | grep -e 'requests  ' -e warning
