# The scenarios that help prints run as they stand, and so do they once resolved.
cut="--from +10m --to +13m" # to be quick
hotdesk help scenario researcher >paper.lua && hotdesk compare --scenario paper.lua $cut --quiet >table
hotdesk help scenario operator >prod.lua
hotdesk replay --scenario prod.lua --fleet today --policy aegaeon --print-scenario >again.lua
hotdesk replay --scenario prod.lua --fleet today --policy aegaeon --quiet --json >a.json
hotdesk replay --scenario again.lua --quiet --json >b.json
jq -c 'del(.inputs, .command)' a.json >a; jq -c 'del(.inputs, .command)' b.json | cmp a -
hotdesk replay --scenario again.lua --print-scenario | sed 's/ *-- .*//' >twice.lua
sed 's/ *-- .*//' again.lua | cmp - twice.lua
# As their own comments say:
grep -h -o 'hotdesk [a-z]* --scenario.*' paper.lua prod.lua | while read -r line; do
    $line --from +10m --to +13m --quiet >/dev/null || echo "exit $?: $line"
done
grep -c "GPUs" table
