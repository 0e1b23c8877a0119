# A recipe from a trace; its twin comes out like the trace. Mistakes.
hotdesk trace fit traces/market40.csv --out twin.lua
grep -c . twin.lua | awk '{ print ($1 > 60) }'
grep -E 'about|models =|arrivals|correlation =' twin.lua
hotdesk trace synth twin.lua --out twin.csv
head -n 4 twin.csv | cut -c 1-90
hotdesk trace fit traces/market40.csv --out twin.lua || echo "exit $?"
hotdesk trace fit traces/market40.csv --force || echo "exit $?"
{ echo arrival_s,model,input_tokens,output_tokens; seq 40 | sed 's/.*/&,a,10,20/'; } >small.csv
hotdesk trace fit small.csv || echo "exit $?"
{ echo arrival_s,model,input_tokens,output_tokens; seq 90 | sed 's/.*/&,a,10,0/'; } >empty.csv
hotdesk trace fit empty.csv || echo "exit $?"
