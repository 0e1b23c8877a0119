{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --quiet --csv --requests q.csv >models.csv
head -1 q.csv
wc -l <q.csv
awk -F, 'NR > 1 && $6 != "done"' q.csv
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --quiet --requests q.csv
wc -l <models.csv
ls
