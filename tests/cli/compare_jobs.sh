# The number of threads and the place of the result change no byte of it.
hotdesk compare --scenario traces/demo.lua --slo-scale 1 --attain 0.9 --out a --jobs 1 >a.txt
hotdesk compare --scenario traces/demo.lua --slo-scale 1 --attain 0.9 --out b --jobs 8 >b.txt
diff -r -x machine.json a b && cmp a.txt b.txt && ls a
