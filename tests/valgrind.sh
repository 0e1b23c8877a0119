#!/bin/bash
# The main job on a small trace under valgrind: no error, no leak.
set -u
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0 passed=0
check() { # name, command
    local name=$1
    shift
    if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
        "$@" >"$out/log" 2>&1 || [ $? = 3 ]; then
        passed=$((passed + 1))
    else
        echo "FAILED $name"
        head -n 60 "$out/log"
        failed=$((failed + 1))
    fi
}
for policy in dedicated serverless aegaeon; do
    check "replay $policy" "$1" replay --trace traces/tiny.csv --models '*=qwen2.5-7b' \
        --fleet H100:8 --policy $policy --quiet
done
check compare "$1" compare --trace traces/tiny.csv --models '*=qwen2.5-7b' --gpu H100 \
    --policy dedicated,serverless,aegaeon --attain 0.9 --jobs 2 --quiet --out "$out/result"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
