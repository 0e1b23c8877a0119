# Ctrl-C: what is finished is kept and marked; the same command then gives what an
# uninterrupted one gives.
A="--scenario traces/demo.lua --attain 0.9 --jobs 1"
[ -z "${CHECKED_BUILD:-}" ] || A="$A --from +10m --to +12m"
: >talk
set -m
hotdesk compare $A --out r >table 2>talk &
for ((i = 0; i < 600; i++)); do grep -q searching talk && break; sleep 0.05; done
sleep 0.3
kill -INT $!
wait $!
code=$?
if [ $code = 130 ]; then
    grep -q incomplete table || echo "the table does not say incomplete"
    grep -q 'interrupted: [0-9]* of 15 answers kept' talk || cat talk
    [ "$(jq .complete r/compare.json)" = false ] || echo "complete?"
else
    [ $code = 0 ] || echo "exit $code" # it was done before the signal
fi
hotdesk compare $A --out r --quiet >again; echo $?
hotdesk compare $A --out s --quiet >whole
cmp again whole && diff -r -x machine.json r s && jq .complete r/compare.json
