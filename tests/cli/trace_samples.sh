# Every sample beside a recipe is what the recipe draws, byte for byte, and small; the
# table of figures is what the script prints.
for recipe in traces/*.lua; do
    sample=${recipe%.lua}.csv
    [ -e "$sample" ] || continue
    hotdesk trace synth "$recipe" --out drawn.csv --force 2>/dev/null
    cmp drawn.csv "$sample" && echo "$sample $(($(wc -c <drawn.csv) <= 300000))"
done
# The recipe that a sample carries draws the same requests.
for sample in traces/agents8.csv traces/code12.csv traces/production47.csv; do
    sed -n 's/^# recipe: /return /p' "$sample" >carried.lua
    hotdesk trace synth carried.lua 2>/dev/null | grep -v '^# made' >again
    grep -v '^# made' "$sample" | cmp - again && echo "$sample carries its recipe"
done
HOTDESK=$(command -v hotdesk) "$ROOT/scripts/trace-figures.sh" | grep '^| `' >figures
grep -c . figures
grep -F -x -f figures traces/README.md | cmp - figures && echo "as printed"
