-- A sign of life: keeps the caller's waiters in line, says what became of them, and continues what time has
-- made possible: expired permits are reaped, abandoned waiters dropped, the next ones served.
--
-- #include shared/arguments
-- ARGV[3] waiting     0 or 1: whether the caller has waiters; one that only holds just looks in
-- ARGV[4...] records  the waiters asked about; at most 500. One look at the lowest ticket covers the others,
--                      since grants follow tickets
local waiting, records, firstRecord = ARGV[3], ARGV, 4
--
-- Reply: as in shared/reply.lua, with an answer of three values for each record:
--   'queued', ticket, 0    'granted', token, expiry in ms
--   'unknown', when a waiter was last refused for its weight in ms, 0    'revoked', 0, 0

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
-- #include shared/say
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, serverTimeUs(), seen,
  presenceMs, retentionMs)
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
  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)
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
    say(answers, 'queued', tonumber(ticket), 0)
  elseif heldUntilMs > semaphore.nowMs then
    say(answers, 'granted', drawNumber(semaphore), heldUntilMs)
  elseif isRevoked(semaphore, record) then
    say(answers, 'revoked', 0, 0)
  else
    say(answers, 'unknown', semaphore.refusedAtMs, 0)
  end
end

saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, waiting == '1' and clientId))
