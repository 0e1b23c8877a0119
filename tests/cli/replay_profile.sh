# Where the program's time goes. The result is that of a run without; its folder does
# not hold what no two runs agree in. Shares add up, calls are those that there were.
replay="hotdesk replay --scenario $ROOT/traces/demo.lua --fleet H100:12 --policy aegaeon --to +3m"
$replay --profile | grep -A 20 '^profile'
$replay --profile --quiet --json >with.json
$replay --quiet --json >without.json
diff <(jq 'del(.profile, .command)' with.json) <(jq 'del(.command)' without.json) && echo same
jq -e 'has("profile") | not' without.json
jq -c '.profile | keys_unsorted' with.json
jq -e '.profile | .engine_share + ([.callbacks[].share] | add) - 1 | fabs < 1e-9' with.json
jq -e '.profile | .callbacks[] | select(.name == "arrive") | .calls > 500 and .ns_per_call > 0' with.json
$replay --profile --quiet --out r >/dev/null && jq -e 'has("profile") | not' r/run.json
hotdesk compare --profile
