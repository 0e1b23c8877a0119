-- The question of `make demo`: the bundled market on a pool of H100s.
return {
  trace     = "market40.csv",
  models    = "m*=qwen2.5-7b:6,yi-1.5-9b:2,llama-2-13b:2",   -- dealt by the seed
  gpu       = "H100",
  policy    = {"dedicated", "serverless", "aegaeon"},
  slo       = {ttft = "10s", tbt = "100ms", metric = "token", pass = "model"},
  slo_scale = {1, 0.7, 0.5, 0.35, 0.25},
  attain    = {0.9, 0.99},
  seed      = 1,
}
