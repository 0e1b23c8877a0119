-- serverless-plus: serverless with an oracle, shortest job first, as the authors of
-- Aegaeon simulate ServerlessLLM+.
local P = {
  about  = "the group that is done soonest goes first, and who runs gives way",
  clairvoyant = true,                     -- it knows how long outputs will be
  params = {
    slots = {4, "requests of a model that stand together", min = 1},
  },
}

-- A kind of instance (a role) for each number (and type) of GPUs that models need,
-- each with its share of the fleet.
local kinds = {}
local few, drop = {}, {out = "drop"}

local function layout()
  local open = table.move(kinds, 1, #kinds, 1, {})
  local function supply(k) return pool:count(k.role) * k.tp / k.weight end
  while open[1] do
    table.sort(open, function(a, b) return supply(a) < supply(b) end)
    local k = open[1]
    if not pool:form{role = k.role, gpus = k.tp, type = k.gpu} then
      table.remove(open, 1)
    end
  end
end

function P.start()
  few.size = set.slots
  local known = {}
  for _, m in ipairs(pool.models) do
    local role = m.tp .. " x " .. (m.gpu or "any")
    local k = known[role] or {role = role, tp = m.tp, gpu = m.gpu, weight = 0}
    if not known[role] then known[role], kinds[#kinds + 1] = k, k end
    k.weight, m.tag = k.weight + m.tp, role
  end
  table.sort(kinds, function(a, b) return a.tp > b.tp end)   -- whole nodes first
  layout()
  for _, k in ipairs(kinds) do
    if pool:count(k.role) == 0 then return "no room for an instance of " .. k.role end
  end
end

-- Seconds until a group has what comes next: its first tokens while prompts wait, else
-- the end of its oldest request.
local function left_s(inst, g)
  if g.waiting > 0 then return inst:estimate("prefill", g.waiting_tokens, g.model) end
  local r = g.first
  return (r.output - r.tokens) * inst:estimate("step", g)
end

local function shortest(inst)
  local best, least = nil, math.huge
  for g in inst:each() do
    if g.size > 0 then
      local s = left_s(inst, g)
      if s < least then best, least = g, s end
    end
  end
  return best
end

function P.arrive(req)
  local m = req.model
  local g = pool:find(req, m.tag, few)
  if not g then
    local inst = pool:least(m.tag, "groups", req)
    if not inst then return end           -- held until the fleet changes
    g = inst:group(m)
  end
  req:join(g)
  -- Every instance sorts its groups when a request has found its place; one whose KV was
  -- dropped has prompts again and so goes ahead of those that decode.
  for inst in pool:each(m.tag) do
    if inst.groups > 1 and inst.turn and shortest(inst) ~= inst.turn then inst:interrupt() end
  end
end

function P.turn(inst)
  local g = shortest(inst)
  if g then inst:run(g, drop) end         -- who gave way is computed again
end

function P.fleet(event)
  if event ~= "down" then layout() end    -- then `arrive` for all who are held
end

return P
