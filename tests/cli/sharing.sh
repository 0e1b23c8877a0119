# Three policies that put models side by side on GPUs, stepped and not; and settings
# of sharing that cannot be.
awk 'BEGIN {
    print "arrival_s,model,input_tokens,output_tokens"
    for (k = 0; k < 60; k++)
        printf "%.3f,m%d,%d,%d\n", k * 0.7, k * k % 4, 100 + 37 * k % 900, 20 + 53 * k % 200
}' >t.csv
for policy in muxserve prism timeslice; do
    run="hotdesk replay --trace t.csv --models m*=llama-2-7b --fleet A100:2 --warm-up 0s --cool-down 0s"
    $run --policy $policy >$policy.fast || exit 1
    $run --policy $policy --step >$policy.step || exit 1
    cmp $policy.fast $policy.step
    grep -h '^requests' $policy.fast
done
$run --policy muxserve --sharing time_slice | grep -h '^requests'
$run --policy muxserve --sharing often
$run --policy muxserve --share-limit 0.5
hotdesk replay --trace t.csv --models 'm*=llama-2-7b' --fleet A10:1 --policy timeslice \
    --warm-up 0s --cool-down 0s | grep ^cannot
