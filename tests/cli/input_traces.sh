# Each is one line on stderr and exit 1, and nothing is left behind.
try() {
    hotdesk replay --trace t.csv --fleet H100:2 --policy dedicated --out r --requests q.csv
    code=$?
    [ $code = 1 ] || echo "exit $code: $(head -c 99 t.csv)"
}
>t.csv
try
printf 'arrival_s,model,input_tokens,output_tokens\n' >t.csv
try
head -c 4096 "$(command -v bash)" >t.csv
try
printf 'arrival_s,model,input_tokens\n0,llama-2-7b,3\n' >t.csv
try
printf 'arrival_s,model,input_tokens,output_tokens\n0,llama-2-7b,-3,5\n' >t.csv
try
printf 'arrival_s,model,input_tokens,output_tokens\n0,llama-2-7b,99999999999999999999,5\n' >t.csv
try
printf 'arrival_s,model,input_tokens,output_tokens\n5,llama-2-7b,3,5\n1,llama-2-7b,3,5\n' >t.csv
try
printf 'arrival_s,model,input_tokens,output_tokens\n0,chat,3,5\n1,code,3,5\n' >t.csv
try
rm t.csv
try
ls
