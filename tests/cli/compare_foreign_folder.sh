{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# A folder that holds no result is never touched, not even with --force.
mkdir mine; echo mine >mine/file
hotdesk compare --trace t.csv --gpu H100 --attain 0.9 --quiet --force --out mine
echo $?
ls mine
