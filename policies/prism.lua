-- prism: models side by side on GPUs, whose KV memory goes to whoever needs it now;
-- models without requests leave (arXiv 2505.04021, and the public research code).
--
-- Placement: models by w = rate / SLO, the largest first, each to the GPU where the KV
-- pressure (sum of w over the memory that weights leave) is least with it. After 50 s
-- without work a model leaves; a request brings it back where pressure is least. One
-- queue before the engines, least slack first: arrival + TTFT limit - estimated prefill.
-- KV is elastic: a model comes with 6 GB, grows when it runs short and gives back what
-- it does not use. Engines are started once (`engines` for each GPU) and take models.
--
-- Left out: moving a running model to another GPU; violation shares as the order of
-- activation; pages of 2 MB (here memory moves by `step`, at arrivals, ends and once a
-- second). The SMs are not divided: whoever runs has an equal part of them.
local GB = 1e9
local P = {
  about  = "models side by side with elastic KV; idle ones leave, least slack is first",
  pools  = "models",
  period_s = 1,
  params = {
    idle_s  = {50.0, "seconds without work after which a model leaves", min = 0},
    first   = {6.0, "GB of KV on each GPU that a model comes with", min = 0.1},
    step    = {2.0, "GB by which KV memory grows and shrinks", min = 0.1},
    queued  = {10, "prompts at an engine beyond which the queue before it holds", min = 1},
    engines = {4, "processes on each GPU, for each number of GPUs that models need",
               min = 1, max = 16},
    sharing = {"mps", "of the GPU", among = {"mps", "time_slice"}},
  },
}

local degrees = {}                          -- numbers of GPUs that models need
local unit = {}                             -- of a model: its engine, while it has one
local queue = {}                            -- requests, least slack first

local function weight(m)                    -- a new model is not without weight
  return (m.rate + 1e-3) / math.min(m.ttft_s, 3600)
end

local function weights(m) return -(-m.weights // m.tp) end

-- ---- engines ---------------------------------------------------------------

local EMPTY = 1 << 20                       -- bytes of an engine without a model

local function form_engines()
  for _, tp in ipairs(degrees) do
    for _, node in ipairs(pool.nodes) do
      local gpus = node.gpus
      for first = 1, #gpus - tp + 1, tp do
        local on = table.move(gpus, first, first + tp - 1, 1, {})
        local have = 0
        for _, inst in ipairs(on[1].instances) do
          have = have + (inst.tp == tp and 1 or 0)
        end
        for _ = have + 1, set.engines do
          pool:form{role = "tp" .. tp, on = on, sharing = set.sharing, memory = EMPTY}
        end
      end
    end
  end
end

-- KV pressure of a GPU with one more model; nil: its weights and first KV do not fit.
local function pressure(g, m)
  local w, room = weight(m), g.free_bytes + g.process_bytes - weights(m)
  if room < set.first * GB then return nil end
  for _, inst in ipairs(g.instances) do
    if inst.tag then
      w = w + weight(inst.tag.model)
      room = room + inst.kv_total / inst.tp
    end
  end
  return w / room
end

local function free_engine(m)
  local best, least = nil, math.huge
  for inst in pool:each("tp" .. m.tp) do
    if not inst.tag and inst.state == "resting" and (not m.gpu or inst.gpu == m.gpu) then
      local most = 0
      for _, g in ipairs(inst.gpus) do
        most = math.max(most, pressure(g, m) or math.huge)
      end
      if most < least then best, least = inst, most end
    end
  end
  return best
end

local function leave(u)
  unit[u.model.name], u.inst.tag = nil, nil
  u.inst:unload()
  u.inst:limit{memory = EMPTY}
end

-- The model that has been without work longest leaves. False: none has so long.
local function evict(idle_s)
  local oldest
  for _, m in ipairs(pool.models) do
    local u = unit[m.name]
    if u and u.inst.state == "resting" and u.inst.requests == 0
        and pool.now - u.used >= idle_s and (not oldest or u.used < oldest.used) then
      oldest = u
    end
  end
  if oldest then leave(oldest) end
  return oldest ~= nil
end

local function activate(m)
  local u = unit[m.name]
  if u and u.inst.alive then return u end
  local inst = free_engine(m)
  if not inst then return nil end
  u = {inst = inst, model = m, used = pool.now}
  unit[m.name], inst.tag = u, u
  inst:limit{memory = weights(m) + set.first * GB}
  if inst:load(m) then return u end
  leave(u)
end

-- ---- elastic KV ------------------------------------------------------------

-- Memory for what runs and waits and, in whole steps, one step more.
local function balloon(u, more)
  local inst = u.inst
  local token = u.model.kv_token / inst.tp
  local used = inst.kv_used / inst.tp + (inst.waiting_tokens + (more or 0)) * token
  local want = math.max(set.first, (used // (set.step * GB) + 2) * set.step) * GB
  local has = inst.kv_total / inst.tp
  if want > has + 1 or want < has - set.step * GB - 1 then
    inst:limit{memory = weights(u.model) + want}
  end
end

-- ---- the queue -------------------------------------------------------------

local function holds(inst, req)
  for other in pool:each(inst.role, req.model, req) do
    if other == inst then return true end
  end
  return false
end

-- What engines take now. True: some model found no engine or no memory.
local function feed()
  local kept, short = {}, false
  for _, w in ipairs(queue) do
    local req = w.req
    if req.state == "held" then
      local u = activate(req.model)
      if u and u.inst.waiting < set.queued then
        u.used = pool.now
        if not holds(u.inst, req) then balloon(u, 4 * req.input) end
        if holds(u.inst, req) then
          req:join(u.inst)
          balloon(u)
        else
          short = true
          kept[#kept + 1] = w
        end
      else
        short = short or not u
        kept[#kept + 1] = w
      end
    end
  end
  queue = kept
  return short
end

local function serve()
  while feed() and evict(0) do end
end

function P.start()
  local known = {}
  for _, m in ipairs(pool.models) do
    if not known[m.tp] then known[m.tp], degrees[#degrees + 1] = true, m.tp end
  end
  table.sort(degrees)
  form_engines()
  local order = table.move(pool.models, 1, #pool.models, 1, {})
  table.sort(order, function(a, b)
    local x, y = weight(a), weight(b)
    if x ~= y then return x > y end
    return a.name < b.name
  end)
  for _, m in ipairs(order) do              -- as many as fit; alone each must
    if not activate(m) then
      local fits = false
      for _, node in ipairs(pool.nodes) do
        for _, g in ipairs(node.gpus) do
          fits = fits or (g.type == (m.gpu or g.type)
            and g.instances[1] and pool:count("tp" .. m.tp) > 0)
        end
      end
      if not fits then return "no engine for " .. m.name end
    end
  end
end

function P.arrive(req)
  local prefill = math.min(2, math.max(0.2, 0.5 * req.input / 1024))
  local due = req.arrival + math.min(req.model.ttft_s, 3600) - prefill
  local at = #queue + 1
  while at > 1 and queue[at - 1].due > due do at = at - 1 end
  table.insert(queue, at, {req = req, due = due})
  serve()
end

function P.prefilled() feed() end

function P.done(req)
  local u = req.group and req.group.inst and req.group.inst.tag
  if u then
    u.used = pool.now
    balloon(u)
  end
  serve()
end

function P.tick()
  for _, m in ipairs(pool.models) do
    local u = unit[m.name]
    if u and u.inst.alive then balloon(u) end
  end
  evict(set.idle_s)
  serve()
end

function P.fleet(event)
  for _, m in ipairs(pool.models) do
    local u = unit[m.name]
    if u and not u.inst.alive then unit[m.name] = nil end
  end
  if event ~= "down" then form_engines() end
  serve()
end

return P
