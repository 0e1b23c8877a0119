# A profile in, the schema out; what was read and dropped is counted on stderr.
cat >gemm_h100_sxm.csv <<E
gemm_dtype,m,n,k,latency
bfloat16,1,512,512,0.004
bfloat16,1,512,512,0.004
bfloat16,2,512,512,0.004
bfloat16,2,512,512,0.0042
fp8,64,4096,4096,0.012
E
hotdesk calibrate import --from aiconfigurator gemm_h100_sxm.csv --out k.csv
cat k.csv
# Compressed it is the same.
gzip -nc gemm_h100_sxm.csv >gemm_h100_sxm.csv.gz
hotdesk calibrate import --from aiconfigurator gemm_h100_sxm.csv.gz --out z.csv 2>/dev/null
sed 's/csv\.gz/csv/' z.csv | cmp - k.csv
# It is not written over without being told to.
hotdesk calibrate import --from aiconfigurator gemm_h100_sxm.csv --out k.csv
hotdesk calibrate import --from aiconfigurator gemm_h100_sxm.csv --out k.csv --force 2>/dev/null
echo $?
