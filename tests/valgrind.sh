#!/bin/bash
# The main job on the first minute of the bundled market under valgrind: no error, and
# at the end nothing that was allocated and is not freed. $HOTDESK is the program, by
# default ./hotdesk.
set -u
cd "$(dirname "$0")/.." || exit 1
hotdesk=${HOTDESK:-./hotdesk}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0 passed=0
check() { # name, expected exit status, command
    local name=$1 expected=$2 status
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
        --errors-for-leak-kinds=all --log-file="$out/valgrind" \
        "$hotdesk" "${@:3}" >"$out/said" 2>&1
    status=$?
    if [ "$status" = "$expected" ]; then
        passed=$((passed + 1))
    else
        echo "FAILED    valgrind $name: exit status $status, expected $expected"
        head -n 40 "$out/valgrind"
        tail -n 5 "$out/said"
        failed=$((failed + 1))
    fi
}
minute=(--scenario traces/demo.lua --slo-scale 1 --to +60s)
for policy in dedicated serverless aegaeon; do
    fleet=H100:12
    [ $policy != dedicated ] || fleet=H100:40
    check "replay $policy" 0 replay "${minute[@]}" --fleet $fleet --policy $policy \
        --out "$out/$policy" --requests "$out/$policy.csv"
done
check "replay on two kinds of GPU, in chunks and steps" 0 replay "${minute[@]}" --fleet H100:10+A100:8 \
    --policy serverless --attain 0.01 --chunk 512 --preempt swap --patience 5s --step
check "replay that fails its requirement" 3 replay "${minute[@]}" --fleet H100:2 \
    --policy aegaeon --require pass
check compare 0 compare "${minute[@]}" --attain 0.9 --jobs 2 --out "$out/compare"
check "trace info" 0 trace info traces/market40.csv
check "policy check" 0 policy check policies/serverless.lua
check "a trace that is not there" 1 trace info "$out/absent.csv"
check "a policy that is not there" 2 replay "${minute[@]}" --fleet H100:8 --policy absent
echo "$passed passed, $failed failed"
[ $failed = 0 ]
