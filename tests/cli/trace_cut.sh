# A window of time as a trace of its own, the same from CSV and binary; a warning where
# it begins in the ramp-up. Mistakes.
hotdesk trace cut traces/market40.csv --from +10m --to +20m --out cut.csv
head -n 2 cut.csv | tail -n 1
hotdesk trace convert traces/market40.csv --out whole.hdt
hotdesk trace cut whole.hdt --from +10m --to +20m --out cut2.csv >said.txt
grep -v '^#' cut.csv >a; grep -v '^#' cut2.csv | cmp - a && echo same
{ echo arrival_s,model,input_tokens,output_tokens
  awk 'BEGIN { for (i = 0; i < 1000; i++) print i < 20 ? i * 10 : 200 + (i - 20) ",a,10,20" }' |
      awk -F, '{ print $1 ",a,10,20" }'; } >ramp.csv
hotdesk trace cut ramp.csv --to +500s --out - | tail -n 1
hotdesk trace cut ramp.csv --from +300s --out late.csv
hotdesk trace cut ramp.csv --out late.csv --force || echo "exit $?"
hotdesk trace cut ramp.csv --from 25:00:00 --out none.csv || echo "exit $?"
hotdesk trace cut ramp.csv --from +300s --out late.csv || echo "exit $?"
