-- Two instances are dissolved in mid-burst: their requests arrive again, their GPUs
-- come back as `free`.
local P = {about = "test"}
local a, b, c, d

function P.start()
  a, b = pool:form{role = "s"}, pool:form{role = "s"}
  c, d = pool:form{role = "s", weights = "many"}, pool:form{role = "t", kv_bytes = 1e10}
end

local freed, again = 0, 0
function P.arrive(req)
  if req.retries > 0 then again = again + 1 end
  req:join(pool:least("s", "requests", req))
  if req.id == 60 and req.retries == 0 then
    a:dissolve{drain = true} b:dissolve()
    assert(a.state == "closing")
  end
end
function P.fleet(event, gpus)
  assert(event == "free" and #gpus == 1 and gpus[1].type == "large")
  freed = freed + 1
  assert(pool:form{role = "s", on = gpus, node = gpus[1].node, kv = "fixed"})
end
function P.done(req)
  if req.id > 90 then assert(freed == 2 and again > 0) end
  if not a.alive then assert(a.state == "dead" and a.head == nil) end
end
return P
