# What it cannot check; the checks themselves are in tests/validation.
hotdesk calibrate check --data nowhere --out c.md
echo $?
hotdesk calibrate check more
echo $?
mkdir -p data/kernels/aiconfigurator
printf 'gemm_dtype,m,n,k,latency\nbfloat16,64,4096,4096,0.02' >data/kernels/aiconfigurator/gemm_h100_sxm.csv.gz
hotdesk calibrate check --data data --out c.md
echo $?
HOTDESK_DATA=elsewhere hotdesk calibrate check --out c.md
echo $?
ls
