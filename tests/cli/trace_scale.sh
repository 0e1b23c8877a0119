# More and less traffic, by copies, by thinning and by the clock; burstiness before and
# after. Mistakes.
hotdesk trace scale traces/market40.csv --rate x2 --out two.csv
hotdesk trace scale traces/market40.csv --rate x2 --seed 1 --out again.csv >said.txt
grep -v '^#' two.csv >a; grep -v '^#' again.csv | cmp - a && echo same
hotdesk trace scale traces/market40.csv --rate x0.5 --each model --out half.csv
hotdesk trace scale traces/market40.csv --time x2 --out fast.csv
sed -n '/^arrival_s/,$p' fast.csv | head -n 3
sed -n '/^arrival_s/,$p' traces/market40.csv | head -n 3
hotdesk trace scale traces/agents8.csv --rate x2 --out agents.csv
cut -d, -f5 agents.csv | sort -u | grep -c '~'
grep '^# made' agents.csv
hotdesk trace scale traces/market40.csv --out x.csv || echo "exit $?"
hotdesk trace scale traces/market40.csv --rate x2 --time x2 --out x.csv || echo "exit $?"
hotdesk trace scale traces/market40.csv --rate 2 --out x.csv || echo "exit $?"
hotdesk trace scale traces/market40.csv --rate x0 --out x.csv || echo "exit $?"
hotdesk trace scale traces/market40.csv --time x0.001 --each user --out x.csv || echo "exit $?"
