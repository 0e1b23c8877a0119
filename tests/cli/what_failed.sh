# What decided a run that does not pass: only models that miss the target are named,
# though others have more late tokens.
hotdesk replay --scenario traces/demo.lua --fleet H100:12 --policy serverless --json --quiet |
    jq -c '. as $run | .pass.ok, (.limit.models / " ") - [.models[] | select(.attain.token < $run.pass.target).name]'
