# One line with file and line, exit 1.
try() {
    echo "$1" >s.lua
    hotdesk compare --scenario s.lua
    [ $? = 1 ] || echo "exit $?: $1"
}
try 'return {
  atain = 0.9,
}'
try 'return {
  vary = {["slo.ttft"] = {"1s", "2s"}},
}'
try 'return {slo = {ttft = 10}, gpu = "H100"}'
try 'return {slo = {classes = {chat = {ttft = "1s"}}}}'
try 'return {models = csv "nowhere.csv", gpu = "H100"}'
try 'return {trace = "nowhere.csv", gpu = "H100"}'
try 'return {gpu = "H1O0"}'
try 'return {gpu = "H100", policy = "dedicate"}'
try 'return {gpu = "H100", set = {slots = "many"}}'
try 'local x = 1 x = x .. nil'
try 'return {gpu = io.open("x")}'
try 'while true do end'
hotdesk compare --scenario none.lua
