-- Appended to a policy by a test: every callback first reads whatever can be read,
-- and asks whatever can be asked. No result may change.
local keys = {"groups", "requests", "waiting", "waiting_tokens", "queue_s", "rest_at"}
local names = {
  pool     = {"now", "models", "nodes", "free_gpus", "tag"},
  model    = {"name", "kind", "class", "tp", "gpu", "weights", "kv_token", "ttft_s",
              "tbt_s", "rate", "held", "replicas", "tag"},
  node     = {"id", "gpus", "free", "dram_free", "tag"},
  gpu      = {"id", "node", "type", "free_bytes", "instances", "tag"},
  instance = {"id", "role", "node", "gpu", "gpus", "tp", "share", "alive", "state",
              "turn", "turns", "model", "groups", "head", "tail", "tail_size",
              "requests", "waiting", "waiting_tokens", "queue_s", "kv_total", "kv_used",
              "rest_at", "step_at", "tag"},
  group    = {"inst", "model", "size", "first", "waiting", "waiting_tokens", "context",
              "blocks", "started", "open", "tag"},
  request  = {"id", "model", "class", "prefix", "arrival", "input", "tokens", "context",
              "slack_s", "group", "state", "kv", "kv_at", "retries", "tag"},
}

local function read(object, kind)
  for _, name in ipairs(names[kind]) do local _ = object[name] end
  return tostring(object)
end

local function look_at_instance(inst)
  read(inst, "instance")
  for g in inst:each("model") do
    read(g, "group")
    g:fits(g.first, 10)
    inst:estimate("step", g)
    if g.first then inst:cached(g.first) end
    inst:estimate("swap", g)
    inst:estimate("switch", g.model)
    inst:estimate("load", g.model)
    for r in g:each() do
      read(r, "request")
      inst:estimate("prefill", r)
      inst:estimate("swap", r)
      pool:find(r, inst.role, {waiting = 3, size = 7, room = 16})
      pool:least(inst.role, "requests", r)
      pool:count(inst.role, r)
    end
  end
  for _, key in ipairs(keys) do
    pool:least(inst.role, key)
    pool:most(inst.role, key)
    if inst.model then pool:most(inst.role, key, inst.model) end
  end
end

local function look()
  read(pool, "pool")
  for _, m in ipairs(pool.models) do
    read(m, "model")
    for r in pool:held(m) do read(r, "request") end
    pool:estimate("load", pool.nodes[1].gpus[1].type, 2, 1, m)
    pool:estimate("step", pool.nodes[1].gpus[1].type, 2, 1, m, 4, 1000)
    pool:estimate("prefill", pool.nodes[1].gpus[1].type, 2, 1, m, 100)
  end
  for r in pool:held() do read(r, "request") end
  for _, node in ipairs(pool.nodes) do
    read(node, "node")
    for _, m in ipairs(pool.models) do node:tier(m) end
    for _, gpu in ipairs(node.gpus) do
      read(gpu, "gpu")
      for _, inst in ipairs(gpu.instances) do look_at_instance(inst) end
    end
  end
end

for name, f in pairs(P) do
  if type(f) == "function" then
    P[name] = function(a, b, c)
      look()
      local answer = f(a, b, c)
      look()
      return answer
    end
  end
end
