# Every setting of serving and switching changes something of a run that strains it.
result() { hotdesk replay "$@" --quiet --json | jq -S 'del(.inputs, .command)'; }
try() {
    result $A "$@" >other
    [ -s other ] || echo "$*: no result"
    cmp -s base other && echo "$*: no effect"
}
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 200; i++)); do echo $((i / 20)),one,500,400; done; } >t.csv
A="--trace t.csv --models one=llama-2-13b/tp1 --fleet H100:1 --gpu-memory 0.45 --policy serverless"
A="$A --warm-up 0s --cool-down 0s --set slots=256"
result $A >base # KV for 12,700 tokens, 180,000 wanted
try --max-batch 4
try --prefill-tokens 500
try --chunk 128
try --watermark 0.3
try --preempt swap
try --kv-slab 1GiB
try --patience 1s
A="--scenario traces/demo.lua --fleet A10:14 --policy aegaeon --from +10m --to +13m --warm-up 1m"
result $A >base
try --start placed --host-cache cold
try --staging-memory 4GiB
try --gpu-memory 0.8
try --reinit 1s
try --prefetch no
try --host-cache cold --node dram=20GB
try --host-cache cold --node A10.disk=1GB/s
try --kv-in 1ms
try --kv-out free
try --node pcie=4GB/s
try --seed 2
try --slo ttft=1s,tbt=50ms
try --slo-scale 0.5
try --set slice_s=1
true
