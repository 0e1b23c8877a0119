-- aegaeon: token-level auto-scaling. Prefill and decode on separate instances;
-- prefill in groups of one model, decode batches in weighted round robin.
local P = {
  about  = "switch models between tokens: grouped prefill, batched decode",
  pools  = "tokens",
  params = {
    prefill = {0.375, "share of the instances that prefill", min = 0.01, max = 0.99},
    group   = {8,     "requests that may wait in one prefill group", min = 1},
    balance = {"waiting", "prefill goes where there is least of it",
               among = {"waiting", "groups", "queue_s"}},
    slice_s = {4.0,   "longest turn of a decode batch (Q_MAX)", min = 0.01, max = 60},
    floor   = {0.5,   "least alpha: turns get shorter when load is light", min = 0.01},
    ahead   = {64,    "tokens of growth a request must find room for", min = 0},
  },
}

-- A kind of instance for each number (and type) of GPUs that models need.
local kinds = {}
local rank, tbt = {}, {}                 -- of models: order within a round, seconds
-- Tables are kept and filled again, since new ones cost time: the round of each decode
-- instance (r[i] had the last turn, r.q: time slices) and the options of calls.
local rounds, waiting, room, one, slice = {}, {}, {}, {prefill = 1}, {}

-- GPUs that a kind has, against what its models need; each kind gets its share, but
-- first one instance of each role: large kinds ahead, since they need whole nodes.
local function supply(k)
  local p, d = pool:count(k.prefill), pool:count(k.decode)
  return p * d == 0 and -k.tp or (p + d) * k.tp / k.weight
end

local function form(k)                    -- one more, the two roles in proportion
  local p, d = pool:count(k.prefill), pool:count(k.decode)
  local role = (p + d + 1) * set.prefill + 0.5 >= p + 1 and k.prefill or k.decode
  local inst = pool:form{role = role, gpus = k.tp, type = k.gpu}
  if inst and role == k.decode then rounds[inst] = {i = 0, q = {}} end
  return inst
end

local function layout()
  local open = table.move(kinds, 1, #kinds, 1, {})
  while open[1] do
    table.sort(open, function(a, b) return supply(a) < supply(b) end)
    if not form(open[1]) then table.remove(open, 1) end
  end
end

function P.start()
  waiting.waiting, room.room = set.group, set.ahead
  local known = {}
  for i, m in ipairs(pool.models) do
    local name = m.tp .. " x " .. (m.gpu or "any")
    local k = known[name] or {tp = m.tp, gpu = m.gpu, weight = 0,
                              prefill = "prefill " .. name, decode = "decode " .. name}
    if not known[name] then known[name], kinds[#kinds + 1] = k, k end
    k.weight, m.tag, rank[m] = k.weight + m.tp, k, i
    tbt[m] = math.min(m.tbt_s, 1)        -- none asked for: a token a second will do
  end
  table.sort(kinds, function(a, b) return a.tp > b.tp end)   -- whole nodes first
  layout()
  for _, k in ipairs(kinds) do
    if pool:count(k.prefill) * pool:count(k.decode) == 0 then
      return string.format("no room for two instances of %d%s GPU%s", k.tp,
                           k.gpu and " " .. k.gpu or "", k.tp > 1 and "s" or "")
    end
  end
end

-- Algorithm 1 and the dispatch half of Algorithm 2 are one rule: join a group of the
-- model that has room, else open one on the least loaded instance.
local function put(req, role, limits, load)
  local g = pool:find(req, role, limits)
  if not g then
    local inst = pool:least(role, load, req)
    g = inst and inst:group(req.model)
  end
  if g then req:join(g) end               -- else held until the fleet changes
end

function P.arrive(req)                    -- new, or orphaned by a failure
  if req.kv then return P.prefilled(req) end
  put(req, req.model.tag.prefill, waiting, set.balance)
end

function P.prefilled(req)
  if req.group then return end            -- recomputed in a decode turn: stays
  req:park("host")                        -- copy out, overlapping what follows
  put(req, req.model.tag.decode, room, "groups")
end

-- Time slices that earn every batch the same token budget q*n: n is how many steps
-- fit into the TBT, c the switching time of a round. Puts the slices in place of the n;
-- returns alpha, too: the round serves min(1, 1/alpha) of the tokens in time.
local function quotas(n, c)
  local S, least = 0, math.huge
  for k = 1, #n do S, least = S + 1 / n[k], math.min(least, n[k]) end
  local alpha = math.max(c / (least * set.slice_s) + S, set.floor)
  for k = 1, #n do n[k] = c / (n[k] * (alpha - S)) end
  return n, alpha
end

local function by_rank(a, b) return rank[a.model] < rank[b.model] end

-- A decode round: re-form the batches, then share out the time. Models take turns in
-- a fixed order: by age, a new batch would wait for the rest of this round and then
-- for all others in the next.
local function round(inst, r)
  local q, count, c, last, loaded = r.q, 0, 0, nil, nil
  for g in inst:each("model") do          -- batches of a model stand together
    local m = g.model
    if m == last then g = r[count]:merge(g, set.ahead) end
    last = m
    while g do                            -- merge: what did not fit, or nil
      count = count + 1
      r[count] = g
      g = g:split(set.ahead)              -- split: what outgrew the pool, or nil
    end
  end
  for k = count + 1, #r do r[k], q[k] = nil, nil end         -- of the round before
  if count > 1 then table.sort(r, by_rank) end       -- of one model: by age
  for k = 1, count do
    local m = r[k].model
    q[k] = tbt[m] / inst:estimate("step", r[k])
    if m ~= loaded then c, loaded = c + inst:estimate("load", m), m end
  end
  quotas(q, c)
  r.i = 0
end

-- Loads the next other model of this round, else the first of the next one.
local function prefetch(inst, g, r)
  if inst.groups == 1 then return end
  local model = g.model
  for k = r.i + 1, #r do
    local other = r[k].model
    if other ~= model and r[k].open then return inst:load(other) end
  end
  local first
  for o in inst:each() do
    local other = o.model
    if other ~= model and (not first or rank[other] < rank[first]) then first = other end
  end
  if first then inst:load(first) end
end

local function prefill(inst, g)
  inst:run(g, one)
  if inst.groups == 1 then return end
  local model = g.model
  for o in inst:each() do                 -- prefetch the next other model
    if o.model ~= model then return inst:load(o.model) end
  end
end

function P.turn(inst)
  local first, r = inst.head, rounds[inst]
  if not first then return end
  if not r then return prefill(inst, first) end
  for _ = 1, 2 do                         -- the rest of this round, else a new one
    for i = r.i + 1, #r do
      local g = r[i]
      if g.open then
        r.i, slice.for_s = i, r.q[i]
        inst:run(g, slice)                -- the KV of others goes out to the host
        return prefetch(inst, g, r)
      end
    end
    round(inst, r)
  end
end

function P.fleet(event)
  if event ~= "down" then layout() end    -- then `arrive` for all who are held
end

return P
