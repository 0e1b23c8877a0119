# One page and its script, which draws it again; nothing is left of one that fails.
hotdesk trace info traces/market40.csv --plot page.png | head -n 1
ls | grep -v -e policies -e traces
head -c 8 page.png | od -An -tx1
cp page.png first.png
hotdesk trace info traces/market40.csv --plot page.png | head -n 1
cmp page.png first.png
hotdesk trace info traces/market40.csv --plot page.png --force --json | jq .requests
cmp page.png first.png
rm page.png
gnuplot page.gp 2>/dev/null && cmp page.png first.png
# A name that gnuplot would have to be told about, one model, and no room for a curve.
printf 'arrived_at,num_prefill_tokens,num_decode_tokens\n5,10,20\n6,10,20\n' >"it's.csv"
hotdesk trace info "it's.csv" --plot "it's.png" | head -n 1
# Without gnuplot.
bare=$(dirname "$(command -v hotdesk)")
(PATH=$bare; hotdesk trace info traces/market40.csv --plot other.png)
echo $?
ls | grep -v -e policies -e traces
