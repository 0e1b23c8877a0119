# Some of the sessions, requests or models. Names taken out. Mistakes.
hotdesk trace sample traces/agents8.csv --keep 50% --out half.csv
hotdesk trace sample traces/agents8.csv --keep 0.5 --each model --seed 2 --out models.csv
hotdesk trace sample traces/agents8.csv --keep 0.5 --each request --out requests.hdt
hotdesk trace sample traces/agents8.csv --out x.csv || echo "exit $?"
hotdesk trace sample traces/agents8.csv --keep 50 --out x.csv || echo "exit $?"
grep . <<'END' >private.csv
# about: of a customer
arrival,model,input_tokens,output_tokens,session,class,prefix
2026-11-17 13:00:00.5,secret,20,20,bob,gold,77 99
2026-11-17 13:00:02,other,20,20,eve,,77 98
2026-11-17 13:00:03,other,10,20,bob,gold,
END
hotdesk trace anonymise private.csv --out -
hotdesk trace anonymise private.csv --out shared.csv
hotdesk trace anonymise private.csv || echo "exit $?"
