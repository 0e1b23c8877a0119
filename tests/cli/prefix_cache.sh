# Prompts that begin alike: nothing without an engine that caches; then tokens found, both
# ways of running alike, and a policy that sends a request where its prompt lies.
cat >t.csv <<'END'
# prefix_block_tokens: 16
arrival_s,model,input_tokens,output_tokens,prefix
0,llama-2-7b,100,10,1 2 3 4 5 6 7
1,llama-2-7b,100,10,8 9 10 11
2,llama-2-7b,100,10,1 2 3 4 5 6 7
3,llama-2-7b,100,10,8 9 10 12
4,llama-2-7b,64,10,1 2 3 4
5,llama-2-7b,64,10,
END
cat >near.lua <<'END'
local P = {about = "to the instance that has most of the prompt, or to the other one"}
local a, b
function P.start()
  a, b = pool:form{role = "s"}, pool:form{role = "s"}
end
function P.arrive(req)
  local there = b:cached(req) > a:cached(req) and b or a
  if a:cached(req) == 0 and b:cached(req) == 0 and req.id % 2 == 1 then there = b end
  assert((req.prefix == nil) == (req.id == 5))
  assert(req.id ~= 2 or #req.prefix == 7 and a:cached(req) == 96 and b:cached(req) == 0)
  assert(req.id ~= 3 or a:cached(req) == 0 and b:cached(req) == 48)
  req:join(there)
end
return P
END
run() { hotdesk replay --quiet --trace t.csv --fleet H100:2 --from +0s --to +6s "$@"; }
run --policy serverless | grep -c '^prefixes'
run --policy serverless --prefix-cache on | grep '^prefixes'
run --policy near.lua --engine vllm | grep '^prefixes'
run --policy near.lua --engine vllm --json | jq -c .prefix
run --policy near.lua --engine vllm --step --json | jq -c .prefix
run --policy near.lua --engine vllm --prefix-cache off >no
run --policy serverless --prefix-cache maybe
