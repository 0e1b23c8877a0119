{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# Without gnuplot one line says so; all else is written, whole.
A="--trace t.csv --gpu H100 --attain 0.9 --quiet"
hotdesk compare $A --out a >table
bare=$(dirname "$(command -v hotdesk)")
(PATH=$bare; hotdesk compare $A --out b) >other
echo $?
cmp table other
diff -r -x machine.json a b
