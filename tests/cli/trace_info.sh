# All that is said of a trace: by hand on a small one, then the load on a GPU.
{
    echo '# parts: all invented'
    echo arrival_s,model,input_tokens,output_tokens,note
    for ((i = 0; i < 60; i++)); do
        echo "$i,$([ $((i % 3)) = 0 ] && echo llama-2-7b || echo qwen2.5-7b),$((100 + i)),$((i % 10 * 5)),x"
    done
} >t.csv
hotdesk trace info t.csv --service-time 2s
echo
hotdesk trace info t.csv --gpu H100 --batch 16 | sed -n '/^load/,/^$/p'
hotdesk trace info t.csv --gpu H100 --models '*=llama-2-13b' --json >13.json
hotdesk trace info t.csv --gpu H100 --models '*=llama-2-70b/tp4' --json >70.json
jq -c '.load | .gpu, .models, .batch, .requests, .requests_without_output, (.gpu_s_over_time | length)' 13.json
# More parameters cost more; the parts are the whole.
for f in 13 70; do jq '.load | .prefill_gpu_s + .decode_gpu_s' $f.json; done | sort -gc && echo dearer
jq -e '(.load.prefill_gpu_s + .load.decode_gpu_s) as $all
    | ([.popularity[].gpu_s] | add) / $all, (.load.gpu_s_over_time | add) / $all
    | (. - 1 | fabs) < 1e-9' 13.json
jq -c 'keys_unsorted' 13.json
jq -c '.zipf, .two_classes, .dispersion[1], .requests_over_time[0:3], .rate.interval_s' 13.json
# One model, one request.
printf 'arrived_at,num_prefill_tokens,num_decode_tokens\n5,10,20\n' >one.csv
hotdesk trace info one.csv
# What requests say besides.
cat >told.csv <<X
# prefix_block_tokens: 10
arrival_s,model,input_tokens,output_tokens,session,class,deadline_s,prefix
0,a,25,1,s,gold,2,1 2 3
1,a,38,1,s,gold,,1 2 9 3
2,a,25,1,,free,8,1 2 3
3,b,20,1,t,,5,1 2
4,a,7,1,s,free,,
X
hotdesk trace info told.csv | sed -n '/^prefixes/,/^deadlines/p'
hotdesk trace info told.csv --json | jq -c '.prefixes, .sessions, .classes, .deadlines'
