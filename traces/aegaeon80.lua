-- The mix that Aegaeon (SOSP'25) is evaluated on: 80 models of equal popularity,
-- Poisson at 0.1 requests/s each, 60 % of 7B, 20 % of 9B, 20 % of 13B.
return {
  about  = "Aegaeon's evaluation mix: 80 equally popular models of 7B, 9B and 13B",
  models = 80,
  names  = {{prefix = "7b-", models = 48}, {prefix = "9b-", models = 16},
            {prefix = "13b-", models = 16}},

  load       = {rate_per_s = 8, span = "15m", label = "published"},
  popularity = {kind = "uniform", label = "published"},
  arrivals   = {kind = "poisson", label = "published"},

  -- Median and mean of the artifact's trace of 80 models; at least 16 tokens out. The
  -- upper bounds keep every request within a context of 4,096 tokens.
  input  = {p50 = 545, mean = 714, min = 4, max = 3000, label = "fitted"},
  output = {p50 = 267, mean = 303, min = 16, max = 1096, label = "fitted"},
}
