-- Loads, moves, merges, splits, holds, limits and the questions about them; on `burst`.
local P = {about = "test"}
local a, b, c, d

function P.start()
  a, b = pool:form{role = "s"}, pool:form{role = "s"}
  c, d = pool:form{role = "s", weights = "many"}, pool:form{role = "t", kv_bytes = 1e10}
end

local loaded = 0
function P.arrive(req)
  if req.id == 0 then
    local m, o = pool.models[1], pool.models[2]
    assert(b:load(o) == true and b:load(o) == true)
    assert(pool:count("s", o) == 1 and pool:count("s") == 3)
    assert(pool:least("s", "requests", o) == b and pool:most("s", "groups") == a)
    assert(pool:least("s", "rest_at") == a and pool:least("none", "groups") == nil)
    assert(pool:find(req, "s") == nil)
    local g = a:group(m)
    req:join(g)
    assert(pool:find(req, "s") == g and pool:find(req, "t") == nil)
    assert(pool:find(req, "s", {waiting = 1}) == nil)
    assert(pool:find(req, "s", {size = 2, waiting = 2, room = 64}) == g)
    req:join(nil) assert(req.state == "held" and not g.open)
    for r in pool:held() do assert(r == req) end
    req:join(b) local h = req.group assert(b.head == h and b.tail == m)
    local n = h:move(a)
    assert(n ~= h and n.open and not h.open and n.inst == a and n.size == 1)
    local e = a:group(m)
    assert(e:merge(n, 64) == nil and not n.open and e.size == 1)
    assert(e:split(64) == nil)
    for r in e:each() do assert(r == req) end
    local count = 0
    for x in a:each("model") do assert(x == e) count = count + 1 end
    for x in pool:each("s") do count = count + 1 end
    for x in pool:each("s", m, req) do assert(x == a) count = count + 1 end
    assert(count == 5)
    req:park("host") req:park("drop")
    d:limit{kv_bytes = 5e9} a:interrupt() a:unload()
    assert(pool:form{role = "s"} == nil)
    return
  end
  local g = pool:find(req, "s", {size = 8}) or pool:least("s", "groups", req):group(req.model)
  req:join(g, {kv = "push"})
end
function P.turn(inst, why)
  if why == "loaded" then loaded = loaded + 1 end
  if inst.head then inst:run(inst.head, {for_s = 0.5, max = 6, chunk = 256, out = "lazy"}) end
  if pool.now > 20 then assert(loaded == 1 and d.kv_total == 5000000000) end
end
return P
