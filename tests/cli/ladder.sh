# What a switch costs, stage by stage; costs can be set; the picture and what it is drawn
# from; mistakes in a line.
hotdesk ladder --model llama-2-13b --gpu H800
echo
hotdesk ladder --model llama-2-13b --gpu H800 --json >l.json
jq -c '.rungs | map([.name, (.switch_s * 100 | round / 100)])' l.json
jq '.rungs | all((.switch_s - ([.stages[]] | add)) | fabs < 1e-9)' l.json
jq -c '[.costs[] | select(.basis | startswith("assumed")) | .name]' l.json
hotdesk ladder --model llama-2-13b --gpu H800 --tp 2 --pcie gpu --requests 8 --tokens 500 \
    --set reinit=2s --set gc=0s --set load-rate=1GB/s --set disk=10GB/s --json |
  jq -c '.rungs[1].stages, [.costs[] | select(.basis == "set") | .name], .pcie_basis[:9]'
hotdesk ladder --model llama-2-13b --gpu H800 --plot p.png >/dev/null
ls p.*
head -c 8 p.png | od -An -c
hotdesk ladder --model llama-2-13b --gpu H800 --plot p.png >/dev/null
echo "exit $?" >&2
hotdesk ladder --model llama-2-13b --gpu H800 --plot p.png --force >/dev/null
for wrong in '--gpu H800' '--model llama-2-13b' '--model llama-2-13b --gpu H8000' \
    '--model llama-2-13b --gpu H800 --tp 3' '--model llama-2-13b --gpu A10' \
    '--model llama-2-13b --gpu H800 --set gc=2' \
    '--model llama-2-13b --gpu H800 --set load=2s' \
    '--model llama-2-13b --gpu H800 --set chunk' \
    '--model llama-2-13b --gpu H800 --pcie 0GB/s' \
    '--model llama-2-13b --gpu H800 --requests 0' \
    '--model llama-2-13b --gpu H800 --plot p.pdf'; do
    hotdesk ladder $wrong
    echo "exit $?" >&2
done
exit 0
