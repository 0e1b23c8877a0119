# Native CSV comes back byte by byte, with every optional column; a damaged binary trace
# is one clear error. Mistakes.
for name in market40 agents8; do
    hotdesk trace convert traces/$name.csv --out $name.hdt
    hotdesk trace convert $name.hdt --out $name.csv
    cmp traces/$name.csv $name.csv && echo same
    hotdesk trace convert $name.csv --out - --as binary 2>said.txt | cmp - $name.hdt && cat said.txt
done
hotdesk trace info agents8.hdt | head -n 2
printf '%s\n' TIMESTAMP,ContextTokens,GeneratedTokens,extra '2023-11-16 23:59:59.9799600,374,44,1' '2023-11-17 00:00:00.0000001,10,0,2' >azure.csv
hotdesk trace convert azure.csv --out -
head -c 70000 market40.hdt >short.hdt
hotdesk trace info short.hdt || echo "exit $?"
{ head -c 70000 market40.hdt; printf X; tail -c +70002 market40.hdt; } >flipped.hdt
hotdesk trace info flipped.hdt || echo "exit $?"
{ head -c 12 market40.hdt; printf X; tail -c +14 market40.hdt; } >head.hdt
hotdesk trace check head.hdt || echo "exit $?"
{ head -c 8 market40.hdt; printf '\002'; tail -c +10 market40.hdt; } >later.hdt
hotdesk trace check later.hdt || echo "exit $?"
hotdesk trace info market40.hdt --format azure || echo "exit $?"
hotdesk trace convert market40.hdt || echo "exit $?"
hotdesk trace convert market40.hdt --out market40.csv || echo "exit $?"
hotdesk trace convert market40.hdt --out x.csv --as vidur || echo "exit $?"
hotdesk trace convert nowhere.csv --out x.csv || echo "exit $?"
ls x.csv 2>/dev/null || echo "nothing written"
