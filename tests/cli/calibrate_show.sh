# What is covered, with the holes, of measurements and of what ships.
cat >gemm_h100.csv <<E
gemm_dtype,m,n,k,latency
bfloat16,1,1024,1024,0.004
bfloat16,64,1024,1024,0.004
bfloat16,1,1024,4096,0.006
bfloat16,64,4096,4096,0.02
E
cat >attention_h100.csv <<E
kv_cache_dtype,batch_size,isl,num_heads,num_key_value_heads,step,latency
fp8,1,1,32,8,1023,0.01
fp8,8,1,32,8,1023,0.012
E
hotdesk calibrate import --from aiconfigurator gemm_h100.csv attention_h100.csv --out k.csv 2>/dev/null
hotdesk calibrate show H100 --measurements k.csv
echo
hotdesk calibrate show H100 --measurements k.csv --json | jq -c \
    '.gpu, .measurements.rows, .measurements.grids[0].measured, .measurements.grids[0].holes'
hotdesk calibrate show H20
hotdesk calibrate show L4 --json | jq -c '.shipped.basis, .shipped.iterations.of,
    (.kernels.tables[] | select(.op == "gemm" and .type == "bf16") | .of, .own, .grid[0])'
# What it cannot show.
hotdesk calibrate show A10 --measurements k.csv
echo $?
hotdesk calibrate show H101
echo $?
hotdesk calibrate show H100 k.csv
echo $?
hotdesk calibrate show
echo $?
hotdesk calibrate show H100 --measurements gemm_h100.csv
echo $?
