# Two sets of one GPU, where they meet and where they do not.
cat >gemm_h100.csv <<X
gemm_dtype,m,n,k,latency
bfloat16,1,1024,1024,0.004
bfloat16,2,1024,1024,0.004
bfloat16,4,1024,1024,0.004
bfloat16,64,1024,1024,0.006
bfloat16,128,1024,1024,0.010
X
cat >attention_h100.csv <<X
kv_cache_dtype,batch_size,isl,num_heads,num_key_value_heads,step,latency
fp8,1,1,32,8,1023,0.01
X
hotdesk calibrate import --from aiconfigurator gemm_h100.csv attention_h100.csv --out a.csv 2>/dev/null
cat >b.csv <<X
gpu,op,variant,dtype,m,n,k,batch,chunk,prefix,context,heads,kv_heads,head_dim,gpus,bytes,count,time_us,mad_us,samples,stop,sm_mhz,memory_mhz,driver,source,licence
H100-SXM,gemm,,bf16,1,1024,1024,,,,,,,,,,,5,,,fixed,,,,us,MIT
H100-SXM,gemm,,bf16,3,1024,1024,,,,,,,,,,,4,,,fixed,,,,us,MIT
H100-SXM,gemm,,bf16,16,1024,1024,,,,,,,,,,,4,,,fixed,,,,us,MIT
H100-SXM,gemm,,bf16,256,1024,1024,,,,,,,,,,,16,,,fixed,,,,us,MIT
H100-SXM,sync,spin,,,,,,,,,,,,,,,3,,,fixed,,,,us,MIT
H100-SXM,sync,yield,,,,,,,,,,,,,,,4,,,fixed,,,,us,MIT
X
hotdesk calibrate compare a.csv b.csv
echo
hotdesk calibrate compare b.csv a.csv --json | jq -c '.groups[0], .only_in_one'
hotdesk calibrate compare a.csv a.csv | sed -n '/^op/,$p'
# What it cannot compare.
sed 's/H100-SXM,sync,spin/A10,sync,spin/' b.csv >c.csv
hotdesk calibrate compare a.csv c.csv
echo $?
hotdesk calibrate compare a.csv gemm_h100.csv
echo $?
hotdesk calibrate compare a.csv nothing.csv
echo $?
hotdesk calibrate compare a.csv
echo $?
hotdesk calibrate compare a.csv b.csv c.csv
echo $?
