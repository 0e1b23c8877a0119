{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# The same inputs are answered again; another result is not overwritten unasked.
A="--trace t.csv --gpu H100 --attain 0.9 --quiet --out r"
hotdesk compare $A >one; echo $?
hotdesk compare $A >two; echo $?
cmp one two
hotdesk compare $A --seed 2 >/dev/null; echo $?
hotdesk compare $A --seed 2 --force >/dev/null; echo $?
mkdir mine; echo mine >mine/file
hotdesk compare $A --out=mine >/dev/null; echo $?
rm -r mine; echo >file
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --quiet --out file/r; echo $?
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --quiet --out /proc/r; echo $?
ls -a
