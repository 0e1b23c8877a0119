# Each is one line on stderr and exit 2, before anything is read or made.
cat >t.csv <<X
arrival_s,model,input_tokens,output_tokens
0,llama-2-7b,100,10
1,llama-2-7b,100,10
X
try() {
    hotdesk replay "$@" --out r
    code=$?
    [ $code = 2 ] || echo "exit $code: $*"
}
try --trace t.csv --fleet H100:2 --policy serverless --slo ttft=10
try --trace t.csv --fleet H100:2 --policy serverless --slo tfft=10s
try --trace t.csv --fleet H100:2 --policy serverless --slo ttft=0s
try --trace t.csv --fleet H100:2 --policy serverless --attain 99
try --trace t.csv --fleet H100:2 --policy serverless --attain 0.9,0.99
try --trace t.csv --fleet H100:2 --policy serverless --metric tokens
try --trace t.csv --fleet H100:2 --policy serverless --warm-up 10
try --trace t.csv --fleet H100:2 --policy serverless --node H100.pci=3GB/s
try --trace t.csv --fleet H100:2 --policy serverless --node A10.pcie=3GB/s
try --trace t.csv --fleet H100:2 --policy serverless --node pcie=16
try --trace t.csv --fleet H100:2 --policy serverless --replicates 10
try --trace t.csv --fleet H100:2 --policy serverless t.csv
try --trace t.csv --fleet H100:2 --policy serverless --json --csv
try --trace t.csv --fleet H100:2 --policy serverless --models llama-2-7b=lama-2-7b
try --trace t.csv --fleet H100:2 --policy serverless --polcy aegaeon
try --trace t.csv --fleet H100:2 --policy serverless --seed -1
try --trace t.csv --fleet H100:2 --policy serverless --slo-scale 0
try --trace t.csv --fleet H100:2 --policy serverless --patience 0s
try --trace t.csv --fleet H100:2 --policy serverless --watermark 0.5
try --trace t.csv --fleet H100:2 --policy serverless --prefetch maybe
try --trace t.csv --fleet H100:2 --policy serverless --require 'ttfft.p99<=2s'
try --trace t.csv --fleet H100:2 --policy serverless --require 'ttft.p99<=2'
try --trace t.csv --fleet H100:2 --policy serverless --require ttft.p99
try --trace t.csv --policy serverless --fleet H1O0:2
try --trace t.csv --policy serverless --fleet H100
try --trace t.csv --fleet H100:2 --policy dedicate
try --trace t.csv --fleet H100:2 --policy serverless --set keep_alive=60
try --trace t.csv --fleet H100:2 --policy serverless --set keep_alive_s=soon
try --trace t.csv --fleet H100:2 --policy serverless --slo tbt=1s --slo-scale 90
try --trace t.csv --fleet H100:2 --policy serverless --slo ttft=2d
try --trace t.csv --fleet H100:2 --policy serverless --reinit 30d
try --trace t.csv --fleet H100:2 --policy serverless --node pcie=1B/s
ls
