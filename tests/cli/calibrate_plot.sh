# Pictures with their data and scripts; without gnuplot one line says so, and all else is
# there.
cat >gemm_h100.csv <<X
gemm_dtype,m,n,k,latency
bfloat16,1,4096,4096,0.014
bfloat16,64,4096,4096,0.016
bfloat16,512,4096,4096,0.032
bfloat16,4096,4096,4096,0.22
fp8,4096,4096,4096,0.2
X
hotdesk calibrate import --from aiconfigurator gemm_h100.csv --out k.csv 2>/dev/null
cat >>k.csv <<X
H100-SXM,hbm,read,,,,,,,,,,,,,1000000000,,340,,,fixed,,,,us,MIT
H100-SXM,sync,spin,,,,,,,,,,,,,,,3,,,fixed,,,,us,MIT
X
hotdesk calibrate plot H100 --measurements k.csv --out a
ls a
for picture in a/*.png; do
    [ "$(head -c 8 "$picture" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || echo "$picture: no PNG"
done
grep -c . a/points.dat
bare=$(dirname "$(command -v hotdesk)")
(PATH=$bare; hotdesk calibrate plot H100 --measurements k.csv --out b) >/dev/null
echo $?
diff -r a b
# What it cannot draw.
hotdesk calibrate plot H100 --measurements k.csv --out a >/dev/null
echo $?
hotdesk calibrate plot A10 --measurements k.csv --out c
echo $?
hotdesk calibrate plot A10 --out c
echo $?
hotdesk calibrate plot H100 --measurements k.csv
echo $?
hotdesk calibrate plot H101 --out c
echo $?
ls -d c 2>/dev/null || echo nothing is left
