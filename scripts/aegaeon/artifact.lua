-- The set-up of Aegaeon's evaluation (SOSP 2025) as its public simulator has it:
-- 16 GPUs in two nodes, weights over PCIe at 16 GB/s from a warm host cache, a
-- request without a token after 15 s fails, moving KV in costs 0.5/16 ms a token and
-- out nothing. Used by scripts/reproduce-aegaeon.sh, which gives trace and models.
return {
  fleet  = "H100:16",
  node   = {H100 = {gpus = 8, pcie = "16GB/s", pcie_shared_by = 1, pcie_both = 1, dram = "2TB"}},
  slo    = {ttft = "10s", tbt = "100ms", metric = "ratio", pass = "pooled"},
  attain = 0.9,
  window = {warm_up = "0s", cool_down = "0s"},     -- the traces last 60 and 120 s
  serving   = {patience = "15s", prefill_tokens = 65536},
  switching = {host_cache = "warm", kv_in = "31.25us", kv_out = "free"},
  seed   = 1,
}
