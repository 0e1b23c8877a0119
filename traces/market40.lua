-- The bundled market: 40 models, half an hour. A few models are hot, most get a
-- request now and then. Generated, not recorded; README.md says what rests on what.
return {
  models = 40,

  load = {rate_per_s = 5, span = "30m", label = "invented"},

  -- A Zipf-Mandelbrot law fitted to the 27 models of the Chatbot Arena trace
  -- (Sheng et al., OSDI'24): the top 1, 2, 5 and 10 hold 19.7, 37.2, 62.9 and 79.9 %
  -- of requests and the coldest 14 12.9 %; the law at 27 models gives 21.4, 36.2, 61.9,
  -- 80.9 and 13.0 %.
  popularity = {kind = "zipf", s = 2.05, shift = 4.1, label = "fitted"},

  -- Gaps of the six hottest Arena models have a coefficient of variation of 1.03 to
  -- 1.80; most active windows of production clients are gamma with more than 1
  -- (ServeGen, arXiv 2505.09999).
  arrivals = {kind = "gamma", cv = 1.4, label = "fitted"},

  -- Sets of models become active together (Prism, arXiv 2505.04021, which gives no
  -- figures): four groups among the 24 coldest models.
  groups = {count = 4, size = 6, on = "2m", off = "4m", quiet = 0.1, label = "invented"},

  -- ShareGPT conversations as Aegaeon's artifact draws them (SOSP'25): median and
  -- mean of its trace of 80 models, 545 and 714 tokens in, 267 and 303 out, at least 16
  -- out. The upper bounds keep every request within a context of 4,096 tokens.
  input  = {p50 = 545, mean = 714, min = 4, max = 3000, label = "fitted"},
  output = {p50 = 267, mean = 303, min = 16, max = 1096, label = "fitted"},
}
