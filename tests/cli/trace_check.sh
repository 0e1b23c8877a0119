# The lint: each finding with its figure; exit 3 if asked.
say() { awk "BEGIN { print \"arrival_s,model,input_tokens,output_tokens\"; for (i = 0; i < 400; i++) { $1 } }"; }
say 'printf "%.6f,m%d,%d,%d\n", i * i / 7777, i % 2, 50 + i * i * 7 % 997, 20 + i * i % 101' >good.csv
hotdesk trace check good.csv --percentile 90%
hotdesk trace check good.csv --strict --percentile 90% && echo "exit 0"
say 'printf "%d,m,%d,%d\n", i * 14000 + i % 7, 50 + i * i * 7 % 997, 20 + i * i % 101' >units.csv
hotdesk trace check units.csv --percentile 90%
say 'b = i > 100 && i < 150; printf "%.6f,m,%d,%d\n", i * i / 7777, (b ? 5 : 1 + i * i * 13 % 997), (b ? 5 : 1 + i % 7)' >block.csv
hotdesk trace check block.csv --percentile 90%
say 'printf "%d,m,%d,%d\n", 3 * int(i * i / 3000), 50 + i * i * 7 % 997, i * i % 31' >grid.csv
hotdesk trace check grid.csv --percentile 90%
say 'n = i * i * 17 % 9001; printf "%.6f,m,%d,%d\n", i * i / 7777, (n > 7437 ? 7437 : n + 1), 1 + i % 7' >cap.csv
hotdesk trace check cap.csv
hotdesk trace check cap.csv --strict >said.txt || echo "exit $?"
{ cat good.csv; tail -n 1 good.csv; } >twice.csv
hotdesk trace check twice.csv --percentile 90%
hotdesk trace check cap.csv --percentile 100% || echo "exit $?"
