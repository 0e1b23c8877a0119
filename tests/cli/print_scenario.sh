hotdesk compare --scenario traces/demo.lua --seed 3 --print-scenario
