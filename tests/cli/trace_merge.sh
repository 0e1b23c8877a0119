# Several traces as one: models together or apart, clocks of two kinds. Mistakes.
hotdesk trace merge traces/arena27.csv traces/agents8.csv --apart --out both.csv
cut -d, -f2 both.csv | grep -o '^[12]/' | sort | uniq -c
hotdesk trace merge traces/arena27.csv traces/arena27.csv --out twice.hdt
grep . <<'END' >dated.csv
arrival,model,input_tokens,output_tokens
2026-11-17 13:00:00,a,10,20
2026-11-17 13:00:02,a,10,20
END
grep . <<'END' >seconds.csv
arrival_s,model,input_tokens,output_tokens,session
5,a,10,20,u
6,b,10,20,v
END
hotdesk trace merge dated.csv seconds.csv --out x.csv || echo "exit $?"
hotdesk trace merge dated.csv seconds.csv --align start --out - 2>said.txt
hotdesk trace merge seconds.csv seconds.csv --out - 2>said.txt | tail -n 5
hotdesk trace merge seconds.csv --out x.csv || echo "exit $?"
hotdesk trace merge seconds.csv dated.csv --align end --out x.csv || echo "exit $?"
