-- Takes expired permits back, at most 1,000 a call; the next call continues, which should come soon.
local function reap(semaphore)
  if not semaphore.isDue or not semaphore.hasPermits then
    return
  end
  if redis.call('ZCOUNT', semaphore.permitsKey, '-inf', semaphore.nowMs) == 0 then
    return
  end
  local expired = redis.call('ZRANGEBYSCORE', semaphore.permitsKey, '-inf', semaphore.nowMs, 'LIMIT', 0, 1000)
  semaphore.unfinished = #expired == 1000
  redis.call('ZREM', semaphore.permitsKey, unpack(expired))
  for _, record in ipairs(expired) do
    local _, weight = readRecord(record)
    semaphore.held = semaphore.held - weight
  end
end
