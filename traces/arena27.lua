-- The 27 models of the Chatbot Arena log in VTC's artifact (Sheng et al., OSDI'24).
return {
  about  = "Chatbot Arena: 27 models, a third of requests to two of them",
  models = 27,

  -- The artifact's own rate: its time axis was rescaled to 600 s, so the rate says
  -- nothing of the site's.
  load       = {rate_per_s = 2.5, span = "40m", label = "fitted"},

  -- Cumulative shares of the first 1, 2, 5, 10 and 13 models; between them shares fall
  -- by one ratio.
  popularity = {kind = "points", {models = 1, share = 0.197}, {models = 2, share = 0.372},
                {models = 5, share = 0.629}, {models = 10, share = 0.799},
                {models = 13, share = 0.871}, {models = 27, share = 1}, label = "fitted"},

  -- What `hotdesk trace fit` makes of the log.
  arrivals   = {kind = "weibull", cv = 1.19, label = "fitted"},

  -- Every 100th part of both distributions, and their rank correlation, by `trace fit`.
  lengths = {
    kind = "joint", correlation = 0.275, label = "fitted",
    input = {quantiles = {
      2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 8, 8, 9, 9, 10, 10, 11, 11, 12,
      12, 13, 14, 14, 15, 15, 16, 17, 17, 18, 19, 19, 20, 21, 22, 23, 24, 25, 26, 28,
      30, 31, 32, 34, 36, 38, 40, 41, 44, 47, 50, 52, 55, 59, 63, 66, 68, 71, 75, 79,
      86, 92, 97, 104, 108, 115, 124, 131, 139, 146, 151, 161, 169, 174, 184, 198,
      214, 234, 252, 263, 278, 299, 320, 347, 380, 402, 432, 483, 514, 577, 612, 653,
      681, 734, 787, 902, 1021,
    }},
    output = {quantiles = {
      2, 3, 3, 5, 8, 10, 10, 10, 13, 16, 18, 20, 23, 24, 27, 29, 32, 34, 37, 40, 43,
      46, 48, 54, 57, 62, 67, 71, 76, 80, 85, 89, 93, 97, 102, 109, 114, 119, 125,
      133, 141, 147, 152, 157, 164, 173, 179, 189, 196, 203, 211, 222, 235, 241, 248,
      255, 268, 274, 287, 300, 308, 319, 327, 335, 343, 351, 361, 374, 382, 390, 400,
      412, 425, 439, 447, 458, 472, 484, 496, 507, 511, 512, 512, 512, 512, 512, 513,
      513, 513, 513, 513, 513, 513, 513, 513, 513, 546, 601, 656, 785, 977,
    }},
  },
}
