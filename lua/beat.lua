-- A sign of life: keeps the caller's waiters in line, says what became of them, and continues what time has
-- made possible: expired permits are reaped, abandoned waiters dropped, the next ones served.
--
-- #include shared/arguments
-- ARGV[10] waiting     0 or 1: whether the caller has waiters; one that only holds just looks in
-- ARGV[11...] records  the waiters asked about; at most 500. One look at the lowest ticket covers the others,
--                      since grants follow tickets
local waiting, records, firstRecord = ARGV[10], ARGV, 11
--
-- Reply: as in shared/reply.lua, with an answer for each record:
--   { 'queued', ticket }   { 'granted', token, expiry in ms }
--   { 'unknown', when a waiter was last refused for its weight, ms }   { 'revoked' }

-- #include shared/clock
-- #include shared/record
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/hand-off
-- #include shared/announce
-- #include shared/look-again
-- #include shared/reply
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, seen, presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)

-- Clients gone for good are deleted, one that is in its grace is kept. While there is a line, only by one
-- that waits itself: a line without any clients would be torn data.
if waiting == '1' or not semaphore.hasLine then
  local isGrace = semaphore.graceUntilMs > semaphore.nowMs
  local goneBeforeMs = isGrace and math.min(semaphore.nowMs, semaphore.graceFromMs) or semaphore.nowMs
  redis.call('ZREMRANGEBYSCORE', clientsKey, '-inf', string.format('(%.0f', goneBeforeMs))
end
if waiting == '1' then
  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)
  keep(semaphore, clientsKey)
end

reap(semaphore)
local told = handOff(semaphore, clientId, presenceMs, true)

local answers = {}
for i = firstRecord, #records do
  local record = records[i]
  local ticket = redis.call('ZSCORE', waitersKey, record)
  local heldUntilMs = tonumber(not ticket and redis.call('ZSCORE', permitsKey, record) or 0)
  if ticket then
    answers[#answers + 1] = { 'queued', tonumber(ticket) }
  elseif heldUntilMs > semaphore.nowMs then
    answers[#answers + 1] = { 'granted', drawNumber(semaphore), heldUntilMs }
  elseif isRevoked(semaphore, record) then
    answers[#answers + 1] = { 'revoked' }
  else
    answers[#answers + 1] = { 'unknown', semaphore.refusedAtMs }
  end
end

saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, waiting == '1' and clientId))
