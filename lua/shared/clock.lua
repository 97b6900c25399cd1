-- The server's time in µs. The only place that asks for it, so that a test can put its own clock here.
local function serverTimeUs()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
