# Published of MuxServe's placement (policies.md, target 8): of models of 7B (80 %) and
# 13B, 16 find room on 8 GPUs of 80 GB, 18 do not; 32 do on two such nodes, 36 do not.
for models in 16 18 32 36; do
    gpus=$((models > 18 ? 16 : 8))
    awk -v n="$models" 'BEGIN {
        print "arrival_s,model,input_tokens,output_tokens"
        for (k = 0; k < 3 * n; k++) printf "%.3f,m%02d,700,290\n", k * 10 / n, k % n
    }' >t.csv
    awk -v n="$models" 'BEGIN {
        print "name,model"
        for (k = 0; k < n; k++)
            printf "m%02d,llama-2-%s\n", k, k < int(0.8 * n) ? "7b" : "13b"
    }' >m.csv
    echo "$models models, $gpus GPUs"
    hotdesk replay --trace t.csv --models m.csv --fleet A100:$gpus --policy muxserve \
        --warm-up 0s --cool-down 0s 2>err | grep -E '^(requests|cannot)'
done
