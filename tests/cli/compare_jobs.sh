# The number of threads and the place of the result change no byte of it.
A="--scenario traces/demo.lua --slo-scale 1 --attain 0.9 --from +10m --to +13m"
hotdesk compare $A --out a --jobs 1 >a.txt
hotdesk compare $A --out b --jobs 8 >b.txt
diff -r -x machine.json a b && cmp a.txt b.txt && ls a
# What it was asked lies beside it, as a scenario that gives the same answer.
hotdesk compare --scenario a/scenario.lua --csv --quiet | cmp - a/compare.csv
