# Which arrivals count: the trace's ends are cut off, or real requests around a cut.
set -o pipefail
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 2000; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
try() {
    hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --quiet --json "$@" |
        jq -c '[.window.from_s, .window.to_s, .window.warm_up_s, .window.cool_down_s, .counts.measured] |
               map(. * 10 | round / 10)'
}
try                                # min(10 %, 10 min); TTFT + TBT x p99 of 10 tokens
try --warm-up 0s --cool-down 0s
try --from +500s --to +1500s       # margins lie outside the cut; times are since zero
try --from +20s                    # as far as the trace goes
try --to +1995s
try --slo ttft=10s,tbt=none        # no limit: 10 %
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --to +3000s --quiet | grep ^warning
hotdesk replay --trace t.csv --fleet H100:1 --policy serverless --to +2000s --quiet | grep ^warning
try --from +500s --to +500s
try --warm-up 1500s --cool-down 1500s
try --from yesterday
