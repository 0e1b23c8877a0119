# What trace info does not take: usage before the trace is read, then what it meets.
try() {
    hotdesk trace info "$@" >out
    echo "exit $? $(wc -c <out)"
}
try traces/market40.csv --models '*=llama-2-7b'
try traces/market40.csv --batch 8
try traces/market40.csv --force
try traces/market40.csv --plot page.pdf
try traces/market40.csv --gpu H100 --batch 0
try traces/market40.csv --gpu H101 --models '*=llama-2-7b'
try traces/market40.csv --gpu H100 --models '*=llama-2-8b'
try traces/market40.csv --gpu H100
try traces/market40.csv --gpu H100 --models absent.csv
try traces/market40.csv --plot absent/page.png
printf 'arrived_at,num_prefill_tokens,num_decode_tokens\n5,10,20\n' >one.csv
try one.csv --plot page.png
ls | grep -v -e policies -e traces
