-- Puts a client's own records back: after a loss of data, or when only its waiters were dropped because it
-- was silent for too long. The first who tells of a loss begins a new epoch and closes the semaphore for a
-- while, in which others tell of theirs and nothing is granted; so the line keeps its order and no unit is
-- granted twice.
--
-- #include shared/arguments
-- ARGV[3] lost        0 or 1: whether data was lost, or only this client's waiters dropped
-- ARGV[4] windowMs    integer: for how long a new epoch stays closed
-- ARGV[5] limitInForce  integer: the limit that the caller last heard of
-- ARGV[6] heldCount   integer: how many of the entries are permits; they come first
-- ARGV[7...] entries  record and remaining lease in ms of each permit, then record and original ticket of
--                      each waiter; at most 500 in all. A permit is held, even if that exceeds the limit
local lost, windowMs, limitInForce = ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])
local heldCount, entries, firstEntry = tonumber(ARGV[6]), ARGV, 7
--
-- Reply: as in shared/reply.lua, with an answer for each permit: its expiry in ms, or 'revoked'. What was
-- revoked is not put back.

-- #include shared/clock
-- #include shared/caller
-- #include shared/numbers
-- #include shared/record
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/reap
-- #include shared/fits
-- #include shared/announce
-- #include shared/hand-off
-- #include shared/look-again
-- #include shared/reply
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, serverTimeUs(), seen,
  presenceMs, retentionMs)
local torn = isTorn(semaphore)
allowInFullRedis(semaphore)
semaphore.freshAtMs, semaphore.isDue = 0, true -- whatever key is made here gets its TTL at the end

-- What is left of the data decides. None, torn, or from an epoch that the caller knows already: the loss is
-- news, and a new epoch makes everyone else notice it. From a later epoch: somebody began it before us; a
-- newcomer who knew of no loss left it open, so it is closed now, once.
if not lost and (torn or semaphore.epoch ~= epoch) then
  return forgottenReply(semaphore)
elseif lost and (torn or (semaphore.epoch or 0) <= epoch) then
  beginEpoch(semaphore, limit)
  agree(semaphore, 'limit', limitInForce)
  note(semaphore, 'openAtMs', semaphore.nowMs + windowMs)
  if not semaphore.hasClients then -- nobody can say who of the line is there: who is alive puts itself back
    redis.call('DEL', waitersKey)
    semaphore.hasLine = false
  end
  semaphore.held = 0
  for _, record in ipairs(redis.call('ZRANGE', permitsKey, 0, -1)) do
    local _, weight = readRecord(record)
    semaphore.held = semaphore.held + weight
  end
  semaphore.hasPermits = semaphore.held > 0
elseif lost and semaphore.openAtMs == 0 then
  agree(semaphore, 'declared', limit)
  agree(semaphore, 'limit', limitInForce)
  note(semaphore, 'openAtMs', semaphore.nowMs + windowMs)
end
if bounded == 1 then
  agree(semaphore, 'bounded', true)
end
reap(semaphore)

local answers = {}
local firstWaiter = firstEntry + 2 * heldCount
for i = firstEntry, firstWaiter - 1, 2 do
  local record, expiresAtMs = entries[i], semaphore.nowMs + tonumber(entries[i + 1])
  if isRevoked(semaphore, record) then
    expiresAtMs = 'revoked'
  elseif redis.call('ZADD', permitsKey, 'NX', expiresAtMs, record) == 1 then
    local _, weight = readRecord(record)
    semaphore.held = semaphore.held + weight
    redis.call('ZREM', waitersKey, record) -- where an older copy of the data has it
  else
    expiresAtMs = tonumber(redis.call('ZSCORE', permitsKey, record))
  end
  answers[#answers + 1] = expiresAtMs
end
for i = firstWaiter, #entries, 2 do
  local isGranted = redis.call('ZSCORE', permitsKey, entries[i]) -- if only one of the keys was lost
  if not isGranted and not isRevoked(semaphore, entries[i]) then
    redis.call('ZADD', waitersKey, 'NX', entries[i + 1], entries[i])
  end
end
local waiting = firstWaiter <= #entries
if waiting then
  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)
end
semaphore.hasLine = redis.call('EXISTS', waitersKey) == 1

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, waiting and clientId))
