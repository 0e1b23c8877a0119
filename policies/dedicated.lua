-- dedicated: every model owns its GPUs for the whole run. A role for each model.
local P = {
  about  = "fixed replicas per model, never released: the baseline of every saving",
  params = {
    replicas = {0, "replicas of each model; 0: as many as the search found", min = 0},
  },
}

local room, types = {}, {}     -- bytes of a free GPU by type; types, roomiest first
local models = {}              -- those with most GPUs first, then the largest: the choosy

-- A replica on the roomiest GPUs that are free: what fits anywhere fits there.
local function place(m)
  for _, type in ipairs(types) do
    if (m.gpu or type) == type and m.weights / m.tp < room[type] then
      local inst = pool:form{role = m.name, gpus = m.tp, type = type}
      if inst then return inst:load(m) end
    end
  end
end

local function layout()
  for _, m in ipairs(models) do
    local want = set.replicas > 0 and set.replicas or m.replicas
    for k = pool:count(m.name) + 1, want do
      if not place(m) then
        return string.format("no room for replica %d of %d of %s on %d GPU%s", k, want,
                             m.name, m.tp, m.tp > 1 and "s" or "")
      end
    end
  end
end

function P.start()
  for _, node in ipairs(pool.nodes) do
    local gpu = node.gpus[1]
    if not room[gpu.type] then types[#types + 1] = gpu.type end
    room[gpu.type] = gpu.free_bytes
  end
  table.sort(types, function(a, b) return room[a] > room[b] end)
  for i, m in ipairs(pool.models) do models[i], m.tag = m, i end
  table.sort(models, function(a, b)
    if a.tp ~= b.tp then return a.tp > b.tp end
    if a.weights ~= b.weights then return a.weights > b.weights end
    return a.tag < b.tag
  end)
  return layout()
end

function P.arrive(req)
  local inst = pool:least(req.model.name, "requests", req)
  if inst then req:join(inst) end         -- else it is held until GPUs return
end

function P.fleet(event)
  if event ~= "down" then layout() end    -- then `arrive` for all who are held
end

return P                -- no P.turn: each instance serves its groups in order
