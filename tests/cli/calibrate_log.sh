# What a log needs, and what of one is printed.
mkdir run
cat >run/meta.json <<'J'
{"model": "meta-llama/Llama-3.1-8B", "vllm_version": "0.19.0",
 "engine_kwargs": {"tensor_parallel_size": 1, "max_num_seqs": 1, "max_num_batched_tokens": 2048}}
J
for n in 0 1 2 3; do
    echo "{\"request_id\": \"r$n\", \"input_toks\": 500, \"output_toks\": 100," \
        "\"arrival_time\": 100$n.0, \"queued_ts\": 5$n.0," \
        "\"first_token_ts\": 5$n.2, \"last_token_ts\": 5$n.9}"
done >run/requests.jsonl
hotdesk calibrate log run --gpu H100 --engine vllm-0.10 >text || echo "exit $?"
grep '^log\|^engine\|^TPOT\|^makespan\|places' text
hotdesk calibrate log run --gpu H100 --json >fast.json
hotdesk calibrate log run --gpu H100 --json --step | cmp - fast.json
jq -c '[.requests, .compared, .max_batch, .step_tokens, .engine, .peak_batch]' fast.json
sed 's/500/501/; s/}$/, "prompt_id": 7}/' run/requests.jsonl >said && mkdir said.d
cp run/meta.json said.d && mv said said.d/requests.jsonl
hotdesk calibrate log said.d --gpu H100 | grep -A1 prompts
hotdesk calibrate log said.d --gpu H100 --json >fast.json
hotdesk calibrate log said.d --gpu H100 --json --step | cmp - fast.json
jq -c '[.prompts, .hit_rate]' fast.json
sed -i '2s/501/502/' said.d/requests.jsonl
hotdesk calibrate log said.d --gpu H100 2>&1 || echo "exit $?"
hotdesk calibrate log run 2>&1 || echo "exit $?"
hotdesk calibrate log run --gpu H1000 2>&1 || echo "exit $?"
hotdesk calibrate log run --gpu H100 --model llama 2>&1 || echo "exit $?"
hotdesk calibrate log nowhere --gpu H100 2>&1 || echo "exit $?"
sed -i '3s/"input_toks": 500, //' run/requests.jsonl
hotdesk calibrate log run --gpu H100 2>&1 || echo "exit $?"
