# Times around a window that no clock could hold, cuts that make no sense, and answers
# that do not arrive.
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
try() {
    hotdesk "$@" 2>&1
    echo "exit $?"
}
replay=(replay --trace t.csv --fleet H100:1 --policy serverless)
try "${replay[@]}" --warm-up 200000d
try "${replay[@]}" --cool-down 1e200s
try "${replay[@]}" --from 10x
try "${replay[@]}" --from +20s --to +10s
try "${replay[@]}" --format csv
echo 'return {trace = {file = "t.csv", from = "10x"}, fleet = "H100:1", policy = "serverless"}' >s.lua
try replay --scenario s.lua
hotdesk "${replay[@]}" --from +10s --warm-up 200000d --to +40s --cool-down 1e200s 2>&1 | grep -o 'measured .* not counted'
for what in help 'help schema' --version 'catalog gpus' 'policy list' 'trace info t.csv'; do
    hotdesk $what 2>&1 >/dev/full
    echo "exit $?"
done
