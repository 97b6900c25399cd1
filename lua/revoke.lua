-- Takes a record from whoever has it: a held permit ends at once, a waiter leaves the line. It does not come
-- back, whatever its client says, and the next in line are served. Its client is told.
--
-- #include shared/arguments
-- ARGV[3] record    the one to take away
-- ARGV[4] memoryMs  integer: for how long it is remembered at least; as long as its lease in any case
local record, memoryMs = ARGV[3], tonumber(ARGV[4])
--
-- Reply: as in shared/reply.lua, with one answer: 1 if it was held or in line (now, or when an earlier
-- copy of the call took it away), else 0. Where there is no such semaphore none is made, and epoch 0 is told.

-- #include shared/clock
-- #include shared/caller
-- #include shared/numbers
-- #include shared/record
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/announce
-- #include shared/hand-off
-- #include shared/look-again
-- #include shared/reply
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, serverTimeUs(), seen,
  presenceMs, retentionMs)
if not semaphore.epoch and epoch == 0 and not isTorn(semaphore) then
  return { 'ok', semaphore.nowUs, 0, 0, 0, 0, 0, 1, 0 }
end
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)
reap(semaphore)

local client, weight = readRecord(record)
local heldUntilMs = tonumber(redis.call('ZSCORE', permitsKey, record) or 0)
local isHeld = heldUntilMs > semaphore.nowMs
if isHeld then
  redis.call('ZREM', permitsKey, record)
  semaphore.held = semaphore.held - weight
end
local isQueued = not isHeld and redis.call('ZREM', waitersKey, record) == 1
if isQueued then
  semaphore.hasLine = redis.call('EXISTS', waitersKey) == 1
end
local isTaken = isHeld or isQueued
if isTaken then
  local untilMs = math.max(heldUntilMs, semaphore.nowMs + memoryMs)
  redis.call('ZADD', clientsKey, untilMs, record)
  keep(semaphore, clientsKey)
  note(semaphore, 'revokedUntilMs', math.max(semaphore.revokedUntilMs, untilMs))
end
local done = (isTaken or isRevoked(semaphore, record)) and 1 or 0

local told = handOff(semaphore, clientId, presenceMs)
if isTaken then
  tell(told, client, record, 0, semaphore.nowMs)
end
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, { done }, lookAgainAtMs(semaphore))
