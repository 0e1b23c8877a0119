# Each is one line on stderr; nothing is written, not even by half.
head=gemm_dtype,m,n,k,latency
row=bfloat16,64,4096,4096,0.02
try() { # text of gemm_h100.csv, or nothing, and words
    [ -z "$1" ] || printf "$1" >gemm_h100.csv
    hotdesk calibrate import "${@:2}" --out k.csv
    echo "exit $?"
}
A="--from aiconfigurator gemm_h100.csv"
try "$head\n$row\nbfloat16,64,40" $A
try "$head\n$row\nbfloat16,64,4096,4096,0.02" $A
try "$head\n$row\nbfloat16,65,4096,4096,20\n" $A
try "$head\n$row\nbfloat16,65,4096,4096,0.00002\n" $A
try "$head\n$row\nbfloat16,65,4096,4096,0\n" $A
try "$head\n$row\nbfloat16,65,4096,4096,-0.02\n" $A
try "$head\n$row\nbfloat16,64,4096,4096,0.05\n" $A
try "$head\n$row\n" --from vidur gemm_h100.csv
try "$head\n$row\n" $A --gpu H101
try "" --from vidurr gemm_h100.csv
try "" gemm_h100.csv
try "" --from vidur
try "" --from vidur nothing.csv
hotdesk calibrate import --from vidur gemm_h100.csv
echo "exit $?"
hotdesk calibrate imprt
echo "exit $?"
hotdesk calibrate fit more
echo "exit $?"
ls
# A file of the schema is held to the data sheet as well.
try "$head\n$row\n" $A
for time in 0.02 20000; do
    sed "2s/,20,/,$time,/" k.csv >wrong.csv
    hotdesk calibrate show H100 --measurements wrong.csv
    echo "exit $?"
done
