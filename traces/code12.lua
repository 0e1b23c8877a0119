-- A code assistant: one service, twelve models behind it (sizes, languages, customers'
-- own tunings). Long prompts, short completions, everyone at once and then no one.
return {
  about  = "code assistant: 12 models, long prompts, short completions, on and off",
  models = 12,

  load       = {rate_per_s = 2.57, span = "38m", label = "fitted"},
  popularity = {kind = "zipf", s = 1, shift = 0, label = "invented"},

  -- What `hotdesk trace fit` makes of Azure's code trace of 2023 (Patel et al., ISCA'24)
  -- within its busy stretches. It has twelve silences of more than a minute, 1,302 s of
  -- its 3,436 s: all models fall silent at once here too.
  arrivals   = {kind = "weibull", cv = 2.83, label = "fitted"},
  groups     = {count = 1, size = 12, on = "178s", off = "108s", quiet = 0,
                label = "fitted"},

  -- Every 100th part of both distributions of that trace, and their rank correlation.
  lengths = {
    kind = "joint", correlation = -0.0225, label = "fitted",
    input = {quantiles = {
      3, 17, 35, 50, 62, 75, 88, 97, 109, 130, 147, 162, 179, 193, 209, 232, 253,
      283, 319, 352, 386, 423, 469, 501, 539, 578, 604, 651, 698, 745, 770, 816, 848,
      880, 908, 939, 969, 997, 1027, 1049, 1075, 1105, 1133, 1174, 1205, 1261, 1296,
      1346, 1377, 1417, 1469, 1500, 1555, 1600, 1642, 1690, 1724, 1774, 1823, 1873,
      1909, 1964, 2024, 2077, 2128, 2164, 2226, 2284, 2329, 2386, 2433, 2480, 2546,
      2615, 2671, 2745, 2804, 2896, 2975, 3066, 3192, 3294, 3451, 3599, 3714, 3920,
      4107, 4320, 4559, 4759, 5188, 5633, 5959, 6194, 6585, 7303, 7430, 7435, 7436,
      7436, 7437,
    }},
    output = {quantiles = {
      6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9,
      9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12,
      13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 16, 17, 17, 18, 18,
      19, 19, 19, 20, 21, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 34, 37, 39, 42,
      45, 48, 52, 55, 59, 65, 72, 79, 90, 105, 128, 171, 251, 1899,
    }},
  },

  -- Completions are wanted while the cursor stands still, answers in the side bar not.
  classes = {{name = "completion", share = 0.85, deadline = "2s"},
             {name = "chat", share = 0.15, deadline = "10s", deadline_per_token = "50ms"},
             label = "invented"},
}
