{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 60; i++)); do echo $i,llama-2-7b,100,10; done; } >t.csv
# Each is one line and exit 1, and nothing is left behind.
try() {
    cat >bad.lua
    hotdesk replay --trace t.csv --fleet H100:2 --policy ./bad.lua --quiet --out r --requests q.csv >/dev/null
    code=$?
    [ $code = 1 ] || echo "exit $code"
}
form='function P.start() while pool:form{role = "s", gpus = 1} do end end'
try <<<"local P = {about = 'x'} $form function P.arrive(req) while true do end end return P"
try <<<"local P = {about = 'x'} $form
function P.arrive(req)
  local x
  req:join(x.y)
end return P"
try <<<"local P = {about = 'x'} $form function P.arrive(req) req:join(7) end return P"
try <<<"local P = {about = 'x'} $form function P.arrive(req) local t = {} while true do t[#t + 1] = 'x' .. #t end end return P"
try <<<"local P = {about = 'x'} function P.start() return 42 end return P"
try <<<"local P = {about = 'x'} $form function P.arive(req) end return P"
try <<<"return 7"
try <<<"local P = {"
try <<<"local P = {about = 'x'} $form function P.arrive(req) os.exit(0) end return P"
ls
