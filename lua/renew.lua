-- Gives held permits a new expiry. An expired permit never comes back, whether units are free or not.
--
-- #include shared/arguments
-- ARGV[3...] renewals  record, leaseMs of each; at most 500
local renewals, firstRenewal = ARGV, 3
--
-- Reply: as in shared/reply.lua, with an answer for each record: the new expiry in ms, 0 if not held, or
-- 'revoked'.

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
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)
reap(semaphore)

local answers = {}
for i = firstRenewal, #renewals, 2 do
  local record, leaseMs = renewals[i], tonumber(renewals[i + 1])
  local expiresAtMs = 0
  if tonumber(redis.call('ZSCORE', permitsKey, record) or 0) > semaphore.nowMs then
    expiresAtMs = semaphore.nowMs + leaseMs
    redis.call('ZADD', permitsKey, expiresAtMs, record)
    semaphore.dueMs = math.min(semaphore.dueMs, expiresAtMs)
  elseif isRevoked(semaphore, record) then
    expiresAtMs = 'revoked'
  end
  answers[#answers + 1] = expiresAtMs
end

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore))
