{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# Every setting of serving and switching changes something of a run that strains it.
A="--scenario traces/demo.lua --fleet A10:14 --policy aegaeon --from +10m --to +14m --warm-up 1m --quiet"
hotdesk replay $A --json | jq -S 'del(.inputs, .command)' >base
try() {
    hotdesk replay $A --json "$@" | jq -S 'del(.inputs, .command)' >other
    [ -s other ] || echo "$*: no result"
    cmp -s base other && echo "$*: no effect"
}
try --start placed --host-cache cold
try --max-batch 4
try --prefill-tokens 256
try --chunk 256
try --watermark 0.3
try --gpu-memory 0.8
try --patience 1s
try --reinit 1s
try --prefetch no
try --host-cache cold --node dram=20GB
try --kv-in 1ms
try --kv-out free
try --node pcie=4GB/s
try --seed 2
try --slo ttft=1s,tbt=50ms
try --set slice_s=1
true
