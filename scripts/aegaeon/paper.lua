-- The set-up of Aegaeon's evaluation (SOSP 2025) as the paper describes its system: weights
-- and KV move at what the links give and by their bytes, in both directions, KV request by
-- request. Used by scripts/reproduce-aegaeon.sh --variant paper.
return {
  fleet  = "H800:16",
  slo    = {ttft = "10s", tbt = "100ms", metric = "ratio", pass = "pooled"},
  attain = 0.9,
  window = {warm_up = "0s", cool_down = "0s"},     -- the traces last 60 and 120 s
  switching = {host_cache = "warm"},
  seed   = 1,
}
