-- Prefill on one instance, decode on two; whoever rests takes a group of the other.
local P = {about = "test"}
local a, b, c, d

function P.start()
  a, b = pool:form{role = "s"}, pool:form{role = "s"}
  c, d = pool:form{role = "s", weights = "many"}, pool:form{role = "t", kv_bytes = 1e10}
end

function P.arrive(req) req:join(a) end
function P.prefilled(req)
  assert(req.state == "held" and req.kv == "gpu" and req.kv_at == a)
  assert(req.tokens == 1)
  req:park("host")
  assert(req.kv == "moving" or (req.kv == "host" and req.kv_at == a.node))
  local g = pool:find(req, "s", {room = 16})
  req:join(b.requests <= c.requests and b or c)
end
function P.turn(inst)
  local g = inst.head
  if inst == a then
    if g then inst:run(g, {prefill = 1}) end
    return
  end
  if not g then
    local other = inst == b and c or b
    for o in other:each() do
      if o ~= other.turn then g = o:move(inst) break end
    end
  end
  if g then inst:run(g, {for_s = 0.3, strict = true, prefill = 0}) end
end
return P
