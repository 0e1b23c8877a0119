# One iteration, part by part: with kernels measured on the GPU, with a relative's, and
# by whole iterations; the parts add up, and mistakes are said in a line.
hotdesk timing --model llama-3.1-8b --gpu H100 --decode 64,1000
echo
hotdesk timing --model llama-2-7b --gpu A100 --engine eager-2024 --prefill 1000
echo
hotdesk timing --model llama-3.1-8b --gpu L4 --prefill 512,100 --decode 8,900 --json >l4.json
jq -c '[.basis, .fitted_on, .inside, (.parts | map(.standing) | unique)]' l4.json
jq '([.parts[].seconds] | add) / .kernels_s - 1 | fabs < 1e-9' l4.json
jq '.low_s < .step_s and .step_s < .high_s and .error_p90 >= 0.28' l4.json
hotdesk timing --model llama-3.1-8b --gpu H100 --type fp8 --decode 64,1000 --json |
  jq '.type, (.step_s < 0.0096)'
hotdesk timing --model llama-2-70b --gpu H100 --decode 1,10 >/dev/null
for wrong in '' '--prefill 0' '--decode 5' '--decode 5,x' '--prefill 9 --tp 3' \
  '--prefill 9 --engine vlm' '--prefill 9 --type int4' 'now --prefill 9'; do
  hotdesk timing --model llama-3.1-8b --gpu H100 $wrong
  echo "exit $?" >&2
done
hotdesk timing --model llama-3.1-8b --gpu A100 --prefill 9 --type fp8
hotdesk timing --gpu A100 --prefill 9
exit 0
