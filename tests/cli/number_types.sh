# Weights and KV of 8 bits: half the bytes, the kernels measured so, and their source in
# the results; what nobody measured is refused before anything is printed.
for n in $(seq 0 199); do
    echo "$((n / 2)).$((n % 2 * 5)),m$((n % 2)),900,60"
done | sed '1i arrival_s,model,input_tokens,output_tokens' >t.csv
engine='--engine vllm-0.14-async'
run() {
    hotdesk replay --trace t.csv --policy dedicated "$@"
}
printf 'name,model,dtype,kv_dtype\nm0,llama-3.1-8b,fp8,\nm1,llama-3.1-8b,bf16,fp8\n' >m.csv
cat >s.lua <<'L'
return {
  models = {
    m0 = {model = "llama-3.1-8b", dtype = "fp8"},
    m1 = {model = "llama-3.1-8b/bf16", kv_dtype = "fp8"},
  },
}
L
run --fleet H100:2 $engine --models m.csv --json --quiet --requests a.csv >a.json
run --fleet H100:2 $engine --scenario s.lua --json --quiet --requests b.csv --step >b.json
run --fleet H100:2 $engine --models 'm0=llama-3.1-8b/fp8;m1=llama-3.1-8b/kv-fp8' --json --quiet \
    --requests c.csv >c.json
cmp a.csv b.csv
cmp a.csv c.csv
timings='.. | objects | select(has("revision") and has("tp"))'
jq -c "$timings | [.model, .source, .error_p50, .error_p90]" a.json
for type in bf16 fp8; do
    run --fleet H100:2 $engine --models '*=llama-3.1-8b' --type $type --json --quiet >$type.json
    jq -c "$timings | .model" $type.json
done
jq -n --slurpfile a bf16.json --slurpfile b fp8.json \
    '$b[0].tpot.mean_s < $a[0].tpot.mean_s'
for wrong in 'H100:1 --type int8' 'H100:1 --kv-type auto' "A100:1 $engine --type fp8" \
    "RTX-4090:1 $engine --kv-type fp8" 'H100:1 --engine eager-2024 --type fp8'; do
    run --models '*=llama-3.1-8b' --fleet $wrong
    echo "exit $?" >&2
done
run --fleet H100:2 $engine --models 'm*=llama-3.1-8b/fp6'
run --fleet H100:2 $engine --models 'm*=llama-3.1-8b/tp2/fp8'
hotdesk timing --gpu H100 --model llama-3.1-8b/fp8 --kv-type fp8 --decode 64,1000 | head -2
exit 0
