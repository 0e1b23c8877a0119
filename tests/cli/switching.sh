# A rung of the ladder is in force, in the header and in the result; options override it;
# both ways of running agree under each; and with the engine's own defaults named.
run() {
    hotdesk replay --scenario traces/demo.lua --fleet H100:12 --policy aegaeon \
        --from +10m --to +11m "$@"
}
for rung in restart explicit events prefetch; do
    run --switching $rung --json --quiet --requests $rung.csv >$rung.json
    run --switching $rung --json --quiet --requests step.csv --force --step >step.json
    grep -v '"command"' $rung.json >a
    grep -v '"command"' step.json | cmp - a
    cmp $rung.csv step.csv
    jq -c '.switches.seconds_by_stage | map_values(. > 0)' $rung.json
    # GPU time adds up, and so does the latency
    jq '.gpu_time | .all_s - ([del(.all_s)[]] | add) | fabs < 1e-6' $rung.json
    jq '(.latency_s - ([.blame[]] | add)) | fabs < 1e-6' $rung.json
done
run --switching naive | grep '^served'
run --switching naive --gc 2s --host-cache warm --load-rate 5GB/s | grep '^served'
run --switching pipelined --print-scenario | sed -n '/switching = {/,/}/p'
run --json --quiet >a.json
run --json --quiet --switching default >b.json
grep -v '"command"' a.json >a
grep -v '"command"' b.json | cmp - a
for wrong in '--switching naiv' '--load-rate 5' '--load-rate 0GB/s' '--staging 1GB' \
    '--load-chunk 1GB/s' '--host-cache hot' '--gc 5' '--kv-sync all'; do
    run $wrong
    echo "exit $?" >&2
done
echo 'return {switching = {rung = "explicit", gc = 1}}' >s.lua
hotdesk replay --trace traces/small.csv --fleet H100:2 --policy aegaeon --scenario s.lua
echo "exit $?" >&2
exit 0
