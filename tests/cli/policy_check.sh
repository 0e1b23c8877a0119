# Sound: 0; loses requests: 3, and says where; a script that fails: 1, one line.
hotdesk policy check dedicated
echo "exit $?"
cat >keeps.lua <<X
local P = {about = "keeps every third request", oracle = {"output"}}
function P.start() repeat until not pool:form{role = "s"} end
function P.arrive(req)
  if req.id % 3 > 0 then req:join(pool:least("s", "requests", req)) end
end
return P
X
hotdesk policy check keeps.lua
echo "exit $?"
echo 'return {about = "x", start = function() while true do end end}' >ends.lua
hotdesk policy check ends.lua
echo "exit $?"
echo 'return {about = "x", start = function() pool:from{} end}' >call.lua
hotdesk policy check call.lua
echo "exit $?"
printf '\033Lua' >binary.lua
hotdesk policy check binary.lua
echo "exit $?"
: >empty.lua
hotdesk policy check empty.lua
echo "exit $?"
hotdesk policy check none.lua
echo "exit $?"
hotdesk policy check serverless --step >a 2>/dev/null
hotdesk policy check serverless >b 2>/dev/null
cmp a b
