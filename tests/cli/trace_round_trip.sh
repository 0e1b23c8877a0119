# Every real trace that can be read: to binary, to native CSV, to binary again, the same
# fields in the two binary files but for the notes.
shared=$ROOT/../shared/data/traces
[ -d "$shared" ] || { echo "no shared traces"; exit 77; }
rows() { grep -v '^#' "$1"; }
for trace in "$shared"/*/*.csv "$shared"/*/*.jsonl; do
    hotdesk trace info "$trace" --sort >info.txt 2>&1 || continue
    hotdesk trace convert "$trace" --sort --out a.hdt --force >said.txt 2>&1 || echo "$trace: exit $?"
    hotdesk trace convert a.hdt --out a.csv --force >said.txt || echo "$trace: exit $?"
    hotdesk trace convert a.csv --out b.hdt --force >said.txt || echo "$trace: exit $?"
    hotdesk trace convert b.hdt --out b.csv --force >said.txt || echo "$trace: exit $?"
    hotdesk trace convert "$trace" --sort --out direct.csv --force >said.txt 2>&1
    rows a.csv >a.rows
    rows b.csv | cmp - a.rows || echo "$trace: differs"
    rows direct.csv | cmp - a.rows || echo "$trace: differs"
    n=$(($(wc -l <a.rows) - 1))
    read=$(awk '/^requests/ { gsub(",", "", $2); print $2; exit }' info.txt)
    [ "$n" = "$read" ] || echo "$trace: $n requests of $read"
    tokens=$(awk -F, 'NR > 1 { n += $3 + $4 } END { printf "%.0f", n }' a.rows)
    [ "$tokens" -gt 0 ] || echo "$trace: no tokens"
    count=$((count + 1))
done
[ "${count:-0}" -ge 17 ] && echo "every trace comes back"
