# What is said of one policy wins over what is said of all; mistakes name what there is.
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
A="--trace t.csv --gpu H100 --attain 0.9 --json --quiet"
show() { hotdesk compare $A "$@" | jq -c '.policy[] | [.policy, (.params | test("slice_s=3|slots=7")), (.params | test("group=5"))]'; }
show --policy 'aegaeon,aegaeon{slice_s=2}' --set slice_s=3 --set aegaeon-2.group=5
echo 'return {set = {aegaeon = {group = 3}, slots = 7}}' >s.lua
show --scenario s.lua --policy serverless # aegaeon is not asked about this time
show --policy aegaeon,aegaeon
show --policy aegaeon --set serverles.slots=3
show --policy serverless,aegaeon --set slotss=3
echo 'return {set = {aegaeonn = {group = 3}}}' >s.lua
show --scenario s.lua --policy serverless
true
