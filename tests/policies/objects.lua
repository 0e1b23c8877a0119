-- Every field of every object, as the manual has it; a test runs it on `burst`.
local P = {about = "test"}
local a, b, c, d

function P.start()
  a, b = pool:form{role = "s"}, pool:form{role = "s"}
  c, d = pool:form{role = "s", weights = "many"}, pool:form{role = "t", kv_bytes = 1e10}
end

local seen, first, group, checked = {}, nil, nil, {}

function P.arrive(req)
  local m = req.model
  assert(m == pool.models[1] or req.id > 0)
  if req.id > 90 then assert(checked.timer and checked.turn) end
  assert(m == m and m ~= req and pool.models == pool.models)
  assert(math.type(req.id) == "integer" and math.type(req.arrival) == "float")
  if req.id == 0 then
    assert(pool.now == 5 and req.arrival == 5 and #pool.models == 4)
    assert(#pool.nodes == 1 and pool.free_gpus == 0)
    assert(m.name == "m00" and m.kind == "llm" and m.class == "default")
    assert(m.tp == 1 and m.gpu == nil and m.weights == 14000000000)
    assert(m.kv_token == 131072 and m.ttft_s == 10 and m.tbt_s == 0.1)
    assert(m.replicas == 1 and m.held == 1)
    assert(math.abs(m.rate - 1 / 60) < 1e-9 and pool.models[2].rate == 0)
    assert(req.input == 200 and req.tokens == 0 and req.context == 200)
    assert(req.slack_s == 10 and req.group == nil and req.state == "held")
    assert(req.kv == nil and req.kv_at == nil and req.retries == 0)
    assert(req.class == "default" and req.prefix == nil)
    assert(tostring(req) == "request 0" and tostring(m) == "model m00")
    assert(tostring(a) == "instance 0" and tostring(pool) == "pool")
    assert(tostring(pool.nodes[1]) == "node 0")
    assert(("%s"):format(pool.nodes[1].gpus[2]) == "GPU 1")
    local gpu = pool.nodes[1].gpus[4]
    assert(gpu.id == 3 and gpu.type == "large" and gpu.node == pool.nodes[1])
    assert(gpu.instances[1] == d and #gpu.instances == 1)
    assert(gpu.free_bytes == 72000000000)
    local node = pool.nodes[1]
    assert(node.id == 0 and node.free == 0 and #node.gpus == 4)
    assert(node.dram_free == 1000000000000 - 4 * m.weights)
    assert(node:tier(m) == "dram")
    node:cache(m, false) assert(node:tier(m) == "disk")
    node:cache(m, true) assert(node:tier(m) == "dram")
    assert(a.id == 0 and a.role == "s" and a.node == node and a.gpu == "large")
    assert(#a.gpus == 1 and a.gpus[1].id == 0 and a.tp == 1 and a.share == 1)
    assert(a.alive and a.state == "resting" and a.turn == nil and a.turns == 0)
    assert(a.model == nil and a.groups == 0 and a.head == nil and a.tail == nil)
    assert(a.tail_size == 0 and a.requests == 0 and a.waiting == 0)
    assert(a.waiting_tokens == 0 and a.queue_s == 0 and a.kv_used == 0)
    assert(a.kv_total == 72000000000 and d.kv_total == 10000000000)
    assert(a.rest_at == -1)
    req.tag, a.tag, m.tag, pool.tag = 1, "x", {}, true
    assert(req.tag == 1 and a.tag == "x" and pool.tag == true)
    group = a:group(m)
    assert(group.open and group.size == 0 and group.first == nil)
    req:join(group)
    assert(req.group == group and req.state == "waiting" and m.held == 0)
    assert(group.inst == a and group.model == m and group.size == 1)
    assert(group.first == req and group.waiting == 1)
    assert(group.waiting_tokens == 200 and group.context == 0)
    assert(group.blocks == 0 and not group.started)
    assert(a.head == group and a.tail == m and a.tail_size == 1)
    assert(a.groups == 1 and a.requests == 1 and a.waiting_tokens == 200)
    assert(math.abs(a.queue_s - 14e9 / 25e9 - 0.031) < 1e-9)
    assert(math.abs(a:estimate("prefill", req) - 0.031) < 1e-9)
    assert(a:estimate("prefill", 200, m) == a:estimate("prefill", req))
    assert(math.abs(a:estimate("load", m) - 0.56) < 1e-9)
    assert(a:estimate("switch", m) == a:estimate("load", m))
    assert(math.abs(a:estimate("step", group) - 0.011002) < 1e-6)
    assert(math.abs(a:estimate("swap", req) - 200 * 131072 / 25e9) < 1e-12)
    assert(pool:estimate("load", "large", 1, 1, m) == a:estimate("load", m))
    assert(pool:estimate("load", "large", 2, 1, m) * 2 == a:estimate("load", m))
    assert(pool:estimate("step", "large", 1, 1, m, 1, 200) == a:estimate("step", group))
    assert(pool:estimate("prefill", "large", 1, 1, m, 200) == a:estimate("prefill", req))
    assert(group:fits(req, 100) and group:fits(nil, 64))
    assert(not group:fits(nil, 1000000))
    seen[req], seen[a], seen[m] = "r", "a", "m"
    local order = ""
    for _, v in pairs(seen) do order = order .. v end
    assert(order == "mar", order)
    first = req
    return
  end
  req:join(pool:least("s", "requests", req))
end
function P.done(req)
  if req ~= first then return end
  assert(req.state == "done" and req.tokens == 20 and req.tag == 1)
  assert(req.group == group and group.model == req.model)
  if group.open then assert(group.size == 0 and a.turn == group) end
  pool:after(30, {7, req})
end
function P.timer(x)
  assert(x[1] == 7 and x[2] == first and first.state == "done")
  assert(first.id == 0 and first.tag == nil and first.model == pool.models[1])
  assert(not group.open and seen[first] == "r")
  checked.timer = true
end
function P.turn(inst, why, g)
  if inst == a and why == "empty" and pool.now < 20 then
    assert(g == group and not g.open and a.model == pool.models[1])
    assert(g.tag == nil)
    checked.turn = true
    assert(a.turns == 1 and a.rest_at == pool.now and a.step_at == pool.now)
  end
  if inst.head then inst:run(inst.head) end
end
return P
