# A profile is in force, in the header and in the result; options override it; and both
# ways of running agree under it.
run() {
    hotdesk replay --scenario traces/demo.lua --fleet H100:12 --policy serverless \
        --from +10m --to +13m --attain 0.01 --engine vllm-0.19 --max-batch 64 "$@"
}
run --json --quiet --requests a.csv >a.json || echo "exit $?"
run --json --quiet --requests b.csv --step >b.json || echo "exit $?"
grep -v "\"command\"" a.json >a
grep -v "\"command\"" b.json | cmp - a
cmp a.csv b.csv
run | grep '^engine\|^served'
run --print-scenario | grep "engine\|max_batch\| chunk\|front"
hotdesk replay --scenario traces/demo.lua --fleet H100:12 --policy serverless \
    --engine vlm-0.14 2>&1
hotdesk catalog engines --csv | cut -d, -f1-2
hotdesk catalog engine 2>&1
echo "exit $?"
# Waiting makes more of a step's error; with room there is nothing to say.
for gpus in 2 40; do
    hotdesk replay --trace traces/market40.csv --models 'm*=llama-2-13b' --to +5m \
        --fleet "H100:$gpus" --policy serverless --engine vllm --attain 0.01 2>&1 |
        grep '^warning'
done
exit 0
