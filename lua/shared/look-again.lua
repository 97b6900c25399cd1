-- When the caller should look again, ms of the server's clock, besides its regular beats; 0 for never mind.
-- At once if this call was too short for all that is to be reaped or handed off. Else, if the head of the
-- line is the caller's own, at the next time when room can appear by itself; nobody else, so that an expiry
-- wakes one client and not all. A caller without waiters leaves waitingClient out.
local function lookAgainAtMs(semaphore, waitingClient)
  if semaphore.unfinished then
    return semaphore.nowMs
  end
  if not waitingClient then
    return 0
  end
  local head = redis.call('ZRANGE', semaphore.waitersKey, '0', '0')[1]
  if not head or readRecord(head) ~= waitingClient then
    return 0
  end
  if semaphore.nowMs < semaphore.openAtMs then
    return semaphore.openAtMs
  end
  return tonumber(redis.call('ZRANGE', semaphore.permitsKey, '0', '0', 'WITHSCORES')[2] or 0)
end
