{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# Five GPUs fail between three and six: the answer lies above the gap, which is listed.
cat >gap.lua <<X
local P = {about = "cannot use five GPUs", params = {}}
function P.start()
  local gpus = 0
  while pool:form{role = "serve", gpus = 1} do gpus = gpus + 1 end
  if gpus < 3 then return "needs three GPUs" end
  if gpus == 5 then return "five GPUs bring bad luck" end
end
function P.arrive(req) req:join(pool:least("serve", "requests")) end
return P
X
hotdesk compare --trace t.csv --gpu H100 --attain 0.9 --policy ./gap.lua --json --quiet |
    jq -c '.policy[] | [.gpus, .reached, .fails_above]'
