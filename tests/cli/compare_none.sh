{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
hotdesk compare --trace t.csv --gpu H100 --attain 0.9 --policy dedicated --slo ttft=1ms,tbt=1ms --csv >r.csv
code=$?
awk -F, '{ for (i = 1; i <= NF; i++) if ($i == "reached" || $i == "gpus") at[$i] = i; if (NR == 2) print $at["reached"], "[" $at["gpus"] "]" }
         NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }' r.csv
exit $code
