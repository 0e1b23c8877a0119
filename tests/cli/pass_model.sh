# A policy that rejects every cold model: the pool of all requests hides it.
cat >hot.lua <<X
local P = {about = "serves the hot model only", params = {}}
function P.start()
  for _, m in ipairs(pool.models) do
    if m.name == "hot" then pool:form{role = "serve", gpus = m.tp}:load(m) end
  end
end
function P.arrive(req)
  if req.model.name ~= "hot" then return req:reject() end
  req:join(pool:least("serve", "requests", req.model))
end
return P
X
{ echo arrival_s,model,input_tokens,output_tokens
  for ((i = 0; i < 3000; i++)); do
      if ((i % 60 == 7)); then m=cold$((i / 60 % 44)); else m=hot; fi
      echo "$((i / 10)).$((i % 10)),$m,200,40"
  done; } >t.csv
hotdesk replay --trace t.csv --models '*=qwen2.5-7b' --fleet H100:4 --policy ./hot.lua \
    --warm-up 0s --cool-down 0s --pass model --require pass
