# The timeline: valid JSON, slices that nest, sums that are those of the accounts, the
# same from both ways of running, bounds that bound, mistakes in a line.
cat >two.csv <<'END'
arrival_s,model,input_tokens,output_tokens
0,llama-2-7b,500,40
0.5,llama-2-13b,300,30
0.6,llama-2-7b,800,20
END
run() {
    hotdesk replay --trace two.csv --fleet H100:1 --policy serverless --warm-up 0s \
        --cool-down 0s "$@"
}
run --timeline small.json --json >r.json 2>err || cat err
tail -1 err
jq -r '.traceEvents[] | select(.ph == "M" and (.name | endswith("_name"))) | .args.name' small.json
jq -r '[.traceEvents[] | select(.ph == "X" and .pid == 1 and .tid == 1)] | sort_by(.ts, -.dur)[] | .name' small.json | head -8
jq -c '.traceEvents[] | select(.name == "request 0") | .args | keys_unsorted' small.json
# arrows have two ends
jq -c '[.traceEvents[] | select(.ph == "s" or .ph == "f")] | group_by(.id) | map(map(.ph)) | unique' small.json
cat >checks.jq <<'END'
def slices: [.traceEvents[] | select(.ph == "X")];
# of each thread, in order: none ends after the one that holds it
def nests: slices | group_by([.pid, .tid]) | all(
  reduce (sort_by(.ts, -.dur)[]) as $s ({open: [], fine: true};
    .open |= map(select(. > $s.ts + 0.0005)) |
    .fine = (.fine and all(.open[]; . >= $s.ts + $s.dur - 0.0005)) |
    .open += [$s.ts + $s.dur]) | .fine);
nests
END
jq -f checks.jq small.json
# the time of the slices is that of the accounts
many() {
    hotdesk replay --scenario traces/demo.lua --fleet H100:12 --policy aegaeon --to +3m \
        --warm-up 0s --cool-down 0s --quiet "$@"
}
many --json --timeline many.json --timeline-rows 1000000 >m.json
jq -f checks.jq many.json
jq -n --slurpfile t many.json --slurpfile r m.json '
  def sum(f): [$t[0].traceEvents[] | select(.ph == "X" and .pid < 10) | select(f) |
    ([.ts + .dur, 180e6] | min) - .ts | select(. > 0) / 1e6] | add // 0;
  [["prefill_s", sum(.name | startswith("prefill of"))],
   ["decode_s", sum(.name | startswith("decode of"))],
   ["load_s", sum(.name == "switch: weights come")],
   ["kv_in_s", sum(.name == "switch: KV comes")]] |
  map((.[1] - $r[0].gpu_time[.[0]]) | fabs < 1e-6)' -c
# and every request is there
jq '[.traceEvents[] | select(.ph == "X" and (.name | startswith("request ")))] | length' many.json >n
jq .counts.measured m.json | cmp - n
many --step --timeline step.json --timeline-rows 1000000 >/dev/null
cmp many.json step.json
many --timeline w.json --timeline-window +60s..+70s --timeline-gpus 0,2-3 >/dev/null
jq '.otherData | .from_s, .to_s' w.json
jq '[.traceEvents[] | select(.ph == "X")] | all(.ts < 70e6 and .ts + .dur > 60e6)' w.json
jq -r '.traceEvents[] | select(.name == "thread_name") | .args.name | select(endswith("turns"))' w.json
jq -f checks.jq w.json
run --timeline few.json --timeline-rows 9 2>&1 >/dev/null | grep '^warning'
many --timeline full.json --timeline-rows 1000 >/dev/null
jq '.otherData | .rows <= 1000, .full_at_s > 1' full.json
jq -f checks.jq full.json
for wrong in '--timeline small.json' '--timeline-rows 5' '--timeline a --timeline-rows 0' \
    '--timeline a --timeline-window 5' '--timeline a --timeline-window +9s..+2s' \
    '--timeline a --timeline-window x..' '--timeline a --timeline-gpus 1' \
    '--timeline a --timeline-gpus 0,'; do
    run $wrong >/dev/null 2>err
    echo "exit $? $(tail -1 err)" >&2
done
ls a 2>/dev/null
exit 0
