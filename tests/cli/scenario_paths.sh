# The scenario in a result finds the same files from there, also when the folders above
# it were new, and a policy's parameters stay behind its path.
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,m,100,10; done; } >t.csv
printf 'name,model\nm,llama-2-7b\n' >m.csv
mkdir mine && cp policies/aegaeon.lua mine/own.lua
hotdesk replay --trace ./t.csv --models m.csv --fleet H100:2 \
    --policy 'mine/own.lua{group=8}' --out new/folder/r --quiet --json | jq -c .attain >a
grep -o '"[./].*"\|csv ".*"' new/folder/r/scenario.lua
hotdesk replay --scenario new/folder/r/scenario.lua --quiet --json | jq -c .attain | cmp a -
# So does a models file that stands in a scenario as a plain text.
mkdir in && echo 'return {trace = "../t.csv", fleet = "H100:2", models = "../m.csv",
  policy = "../mine/own.lua{group=8}"}' >in/s.lua
hotdesk replay --scenario in/s.lua --quiet --json | jq -c .attain | cmp a -
echo 'return {trace = "t.csv", fleet = "H100:1", policy = "dedicated", node = {pci = "3GB/s"}}' >s.lua
hotdesk replay --scenario s.lua 2>&1
[ $? = 1 ]
