# One iteration at a time gives the same bytes.
A="--scenario traces/demo.lua --fleet H100:8+A10:8 --from +10m --to +15m --quiet"
for policy in serverless aegaeon; do
    hotdesk replay $A --policy $policy --json --requests a.csv --force >a.json
    hotdesk replay $A --policy $policy --json --requests b.csv --force --step >b.json
    diff a.json b.json
    cmp a.csv b.csv
done
wc -l <a.csv
