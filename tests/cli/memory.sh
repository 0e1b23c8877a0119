# KV in slabs, what hosts keep, staging buffers; and settings of them that cannot be.
awk 'BEGIN {
    print "arrival_s,model,input_tokens,output_tokens"
    for (k = 0; k < 60; k++)
        printf "%.3f,m%d,%d,%d\n", k * 0.7, k * k % 4, 100 + 37 * k % 900, 20 + 53 * k % 200
}' >t.csv
run="hotdesk replay --quiet --trace t.csv --models m*=llama-2-7b --fleet H100:2 --policy aegaeon"
run="$run --warm-up 0s --cool-down 0s"
$run --kv-slab 1GiB >fast || exit 1
$run --kv-slab 1GiB --step >step || exit 1
cmp fast step
grep -h '^served\|^requests\|^slabs' fast
$run --staging-memory 4GiB --host-keeps pinned | grep '^served'
for wrong in '--kv-slab 1kB' '--kv-slab 70GiB' '--kv-slab 1' '--kv-slab 1GiB --prefix-cache on' \
    '--staging-memory 1TB' '--staging-memory 4GB/s' '--host-keeps all'; do
    $run $wrong 2>&1 >/dev/null && echo "$wrong was taken"
done
exit 0
