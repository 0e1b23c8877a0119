# A trace beside itself and beside a twin: what is alike, and the answer. Mistakes.
hotdesk trace synth traces/market40.lua --seed 2 --out other.csv 2>/dev/null
hotdesk trace compare traces/market40.csv traces/market40.csv --policy dedicated,aegaeon \
    --attain 0.9 --from +5m --to +10m --quiet | tail -n 18
hotdesk trace compare traces/market40.csv other.csv --policy serverless --attain 0.9 \
    --gpu A100 --models '*=yi-1.5-9b' --from +5m --to +10m --quiet | tail -n 12
hotdesk trace compare traces/market40.csv || echo "exit $?"
hotdesk trace compare traces/market40.csv traces/market40.csv --policy dedicated,aegaeon \
    --attain 0.9 --from +5m --to +10m --quiet --json |
    jq -c '.schema, .a.requests, .distance.gaps_ks, (.answers[] | [.policy, .a.gpus, .b.gpus, .b.saved])'
hotdesk trace compare traces/market40.csv other.csv --csv x.csv || echo "exit $?"
hotdesk trace compare traces/market40.csv none.csv || echo "exit $?"
