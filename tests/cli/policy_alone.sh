# A policy alone, too, says what it sees and with which parameters it ran.
{ echo arrival_s,model,input_tokens,output_tokens; echo 0,qwen2.5-7b,100,10; } >t.csv
sed 's/^local P = {/&oracle = {"output"},/' policies/serverless.lua >oracle.lua
for p in serverless ./oracle.lua 'serverless{slots=2}'; do
    hotdesk replay --trace t.csv --fleet H100:1 --policy "$p" | grep -e ^policy -e ^replay
done
