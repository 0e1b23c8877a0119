-- serverless: request-level auto-scaling, one model per instance at a time, as the
-- authors of Aegaeon simulate ServerlessLLM.
local P = {
  about  = "load a model when its requests have no free slot, run them to the end",
  params = {
    slots        = {4, "requests that fill one instance's run of a model", min = 1},
    spare        = {1, "free slots a model needs before a request may join", min = 0},
    keep_alive_s = {math.huge, "seconds an idle model stays loaded", min = 0},
  },
}

-- A kind of instance (a role) for each number (and type) of GPUs that models need,
-- each with its share of the fleet.
local kinds = {}

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

-- Where a new model goes: the instance longest at rest (never used first); if none
-- rests, the one whose last iteration ended first (the original ranks both
-- together). It finishes what it has queued before it switches.
local function victim(req, role)
  local best = pool:least(role, "rest_at", req)
  if best then return best end
  local first = math.huge
  for inst in pool:each(role, req) do
    local at = inst.step_at
    if at < first and inst.tail ~= req.model and inst.state ~= "closing" then
      best, first = inst, at
    end
  end
  return best
end

function P.arrive(req)
  local m, free, best, fewest = req.model, 0, nil, math.huge
  for inst in pool:each(m.tag, m, req) do -- where m is resident or queued
    if inst.tail == m then
      local n = inst.tail_size
      free = free + math.max(0, set.slots - n)
      if n < fewest then best, fewest = inst, n end
    end
  end
  if free < set.spare then best = victim(req, m.tag) or best end
  if best then req:join(best) end         -- tail group, or a new one behind it
end

function P.turn(inst, why)
  local g = inst.head
  if g then return inst:run(g) end
  if why == "empty" and set.keep_alive_s < math.huge then
    pool:after(set.keep_alive_s, {inst, inst.turns})
  end
end

function P.timer(idle)
  local inst, turns = idle[1], idle[2]
  if inst.alive and inst.turns == turns then inst:unload() end
end

function P.fleet(event)
  if event ~= "down" then layout() end    -- then `arrive` for all who are held
end

return P
