-- Agents with long contexts: each session calls tools turn after turn, every prompt is
-- all that was said before, and begins with one of its model's system prompts. With
-- block identities, so that a cache of prefixes has something to find.
return {
  about  = "agents: 8 models, sessions of 12 turns on average, contexts up to 120k tokens",
  models = 8,

  load       = {rate_per_s = 0.7, span = "20m", label = "invented"},
  popularity = {kind = "zipf", s = 1.2, shift = 0, label = "invented"},
  arrivals   = {kind = "poisson", label = "invented"},

  -- What a turn adds: the result of a tool, or a question.
  input    = {p50 = 700, mean = 1800, min = 10, max = 30000, label = "invented"},
  -- Every 40th part of the answers in Mooncake's conversation trace (FAST'25).
  output   = {
    label = "fitted",
    quantiles = {
      1, 3, 10, 17, 24, 32, 46, 72, 100, 127, 157, 189, 213, 235, 256, 275, 291, 308,
      323, 336, 350, 363, 375, 388, 399, 410, 423, 435, 447, 459, 472, 487, 504, 522,
      543, 566, 597, 639, 698, 835, 2000,
    },
  },

  sessions = {turns = 12, think = {p50 = "4s", mean = "12s"}, token = "25ms",
              context_max = 120000, label = "invented"},
  prefixes = {block_tokens = 512, prompts = 3,
              system = {p50 = 6000, mean = 8000, min = 1000, max = 30000},
              label = "invented"},
  classes  = {{name = "interactive", share = 0.7, deadline = "30s",
               deadline_per_token = "60ms"},
              {name = "background", share = 0.3, deadline = "15m"}, label = "invented"},
}
