# What a drawn trace says of itself, what is said of what it lacks, and bad recipes.
hotdesk trace synth traces/agents8.lua --out a.csv
head -n 5 a.csv | cut -c 1-100
hotdesk trace info a.csv | grep -E '^(parts|prefixes|sessions|levels|deadlines)' | cut -c 1-60
hotdesk replay --trace a.csv --models '*=llama-3.1-8b' --fleet H100:8 --policy aegaeon --json 2>/dev/null |
    jq -r '.inputs.trace | .made, .parts, (.recipe | .[0:60])'
cat >bad.lua <<'END'
return {
  models = 3,
  load = {rate_per_s = 2, span = "10m", label = "invented"},
  popularity = {kind = "uniform", label = "guessed"},
}
END
hotdesk trace synth bad.lua || echo "exit $?"
sed -i 's/guessed/invented/; s/^}$/  arrivals = {kind = "stream", from = trace "none.csv", method = "thin", label = "real"}}/' bad.lua
hotdesk trace synth bad.lua || echo "exit $?"
sed -i 's/trace "none.csv"/"none.csv"/' bad.lua
hotdesk trace synth bad.lua || echo "exit $?"
