-- A market like the published production deployment (Aegaeon, SOSP'25): 28 small
-- models (1.8B to 7B, one GPU each) and 19 large ones (32B to 72B, four GPUs each), with
-- the marketplace's skew: 94.1 % of models receive 1.35 % of requests. Of 47 models that
-- leaves 3 hot ones; that two of them are small is invented.
return {
  about  = "production-like: 28 small and 19 large models, 3 of them hot",
  models = 47,
  names  = {{prefix = "small-", models = 2}, {prefix = "large-", models = 1},
            {prefix = "small-", models = 26}, {prefix = "large-", models = 18}},

  load       = {rate_per_s = 3, span = "50m", label = "invented"},
  popularity = {kind = "two-class", cold_models = 0.941, cold_share = 0.0135,
                label = "published"},

  -- Most active windows of production clients are gamma with a coefficient of variation
  -- above 1 (ServeGen, arXiv 2505.09999); 1.4 as in market40.lua.
  arrivals   = {kind = "gamma", cv = 1.4, label = "fitted"},

  -- A day's rise and fall pressed into the span.
  rhythm     = {period = "50m", peak = "25m", amplitude = 0.4, label = "invented"},

  -- Input and output of the ShareGPT lengths in Aegaeon's artifact, as in aegaeon80.lua.
  input  = {p50 = 545, mean = 714, min = 4, max = 3000, label = "fitted"},
  output = {p50 = 267, mean = 303, min = 16, max = 1096, label = "fitted"},
}
