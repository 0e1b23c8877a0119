-- timeslice: the oldest way to share: several processes on each GPU, a model in each
-- for good, and the driver gives them the GPU in turn (round robin with a quantum).
-- What a slice and a change cost was measured (time_slice rows of results/calibration).
--
-- Left out: weights beyond the GPU's memory (unified memory that pages), priorities.
local P = {
  about  = "processes on one GPU, a model each for good; the driver's slices in turn",
  pools  = "models",
  params = {
    processes = {4, "the most on one GPU", min = 1, max = 48},
    least_kv  = {4.0, "GB of KV on each GPU that a model must find", min = 0},
  },
}
local GB = 1e9

-- Models by weight, the heaviest first, each to the GPUs of one node with fewest
-- processes, of equals those with most memory left.
local function places(m)
  local best, fewest, most
  for _, node in ipairs(pool.nodes) do
    local gpus = {}
    for _, g in ipairs(node.gpus) do
      local n = g.tag or 0
      if (not m.gpu or g.type == m.gpu) and n < set.processes and g.free_bytes > 0 then
        gpus[#gpus + 1] = {gpu = g, n = n, left = g.free_bytes}
      end
    end
    table.sort(gpus, function(a, b)
      if a.n ~= b.n then return a.n < b.n end
      if a.left ~= b.left then return a.left > b.left end
      return a.gpu.id < b.gpu.id
    end)
    if #gpus >= m.tp then
      local n, left = gpus[m.tp].n, math.huge
      for k = 1, m.tp do left = math.min(left, gpus[k].left) end
      if m.weights / m.tp + set.least_kv * GB <= left
          and (not best or n < fewest or (n == fewest and left > most)) then
        best, fewest, most = {}, n, left
        for k = 1, m.tp do best[k] = gpus[k].gpu end
      end
    end
  end
  return best
end

-- Two looks: the first finds each model its GPUs, with the least memory it needs; then
-- what is left of a GPU goes to its processes in equal parts.
local function layout()
  local models, all, lacks = {}, {}, nil
  for _, m in ipairs(pool.models) do
    if pool:count("serve", m) == 0 then models[#models + 1] = m end
  end
  table.sort(models, function(a, b)
    if a.weights ~= b.weights then return a.weights > b.weights end
    return a.name < b.name
  end)
  for _, node in ipairs(pool.nodes) do
    for _, g in ipairs(node.gpus) do g.tag = #g.instances end
  end
  for _, m in ipairs(models) do
    local gpus = places(m)
    local least = -(-m.weights // m.tp) + set.least_kv * GB
    local inst = gpus and pool:form{role = "serve", on = gpus, sharing = "time_slice",
                                    memory = least}
    if inst and inst:load(m) then
      for _, g in ipairs(gpus) do g.tag = g.tag + 1 end
      all[#all + 1] = {inst = inst, gpus = gpus, least = least}
    else
      lacks = lacks or m
    end
  end
  for _, one in ipairs(all) do              -- its part of what nobody needs
    one.more = math.huge
    for _, g in ipairs(one.gpus) do
      one.more = math.min(one.more, (g.free_bytes + g.process_bytes) // g.tag)
    end
  end
  for _, one in ipairs(all) do
    if one.more > 0 then one.inst:limit{memory = one.least + one.more} end
  end
  return lacks
end

function P.start()
  local m = layout()
  return m and "no GPU has room for a process of " .. m.name
end

function P.arrive(req)
  local inst = pool:least("serve", "requests", req.model, req)
  if inst then req:join(inst) end           -- else held until GPUs return
end

function P.fleet(event)
  if event ~= "down" then layout() end      -- then `arrive` for all who are held
end

return P
