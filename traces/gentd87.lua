-- The popularity of the 87 base models of GenTD26 (Lin et al., SoCC'25), which serve
-- images, with the lengths of chats: a market of LLMs as skewed and as bursty as that one.
return {
  about  = "GenTD26: the popularity and burstiness of 87 image models, lengths of chats",
  models = 87,

  load       = {rate_per_s = 2, span = "1h", label = "invented"},

  -- Cumulative shares of the first 1, 2, 5, 10, 43 and 47 models.
  popularity = {kind = "points", {models = 1, share = 0.307}, {models = 2, share = 0.457},
                {models = 5, share = 0.704}, {models = 10, share = 0.866},
                {models = 43, share = 0.983}, {models = 47, share = 0.9865},
                {models = 87, share = 1}, label = "fitted"},

  -- The five most popular have a coefficient of variation of 5.4 to 9.8, over 23 days
  -- with days and nights in them; a steady hour is taken to have less.
  arrivals   = {kind = "weibull", cv = 3, label = "invented"},
  groups     = {count = 8, size = 5, on = "3m", off = "9m", quiet = 0.1,
                label = "invented"},

  input  = {p50 = 545, mean = 714, min = 4, max = 3000, label = "fitted"},
  output = {p50 = 267, mean = 303, min = 16, max = 1096, label = "fitted"},
}
