-- The market of 100 models that the bench replays on 200 GPUs: a million requests in
-- 22 minutes, of the laws of traces/market40.lua, at a load that keeps GPUs busy.
return {
  models     = 100,
  load       = {rate_per_s = 750, span = "1340s", label = "invented"},
  popularity = {kind = "zipf", s = 2.05, shift = 4.1, label = "fitted"},
  arrivals   = {kind = "gamma", cv = 1.4, label = "fitted"},
  groups     = {count = 8, size = 10, on = "2m", off = "4m", quiet = 0.1, label = "invented"},
  input      = {p50 = 545, mean = 714, min = 4, max = 3000, label = "fitted"},
  output     = {p50 = 267, mean = 303, min = 16, max = 1096, label = "fitted"},
}
