-- When the caller should look again, ms of the server's clock, besides its regular beats: if the head of the
-- line is its own, at the next time when room can appear by itself. 0 for everyone else, so that an expiry
-- wakes one client and not all.
local function lookAgainAtMs(semaphore, clientId)
  local head = redis.call('ZRANGE', semaphore.waitersKey, 0, 0)[1]
  if not head or readRecord(head) ~= clientId then
    return 0
  end
  if semaphore.nowMs < semaphore.openAtMs then
    return semaphore.openAtMs
  end
  return tonumber(redis.call('ZRANGE', semaphore.permitsKey, 0, 0, 'WITHSCORES')[2] or 0)
end
