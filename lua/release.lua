-- Takes records out, wherever they are: a held permit is released, a waiter leaves the line.
--
-- #include shared/arguments
-- ARGV[10...] records  those to take out; at most 500
local records, firstRecord = ARGV, 10
--
-- Reply: as in shared/reply.lua, with an answer for each record: 1 if it was a held permit of the caller and
-- is released, 'revoked' if somebody took it away before, else 0. A permit whose lease has expired is not
-- held, reaped or not.

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
reap(semaphore)

local own, weightOf = {}, {}
for i = firstRecord, #records do
  local client, _, weight = readRecord(records[i])
  if client == clientId then
    own[#own + 1] = records[i]
    weightOf[records[i]] = weight
  end
end

-- Takes the caller's records out of the permits: record -> true where it was held.
local function takeOut()
  if #own == 1 and not semaphore.unfinished then
    return { [own[1]] = redis.call('ZREM', permitsKey, own[1]) == 1 } -- the most frequent case: one command
  end
  local isHeld, held = {}, {}
  for i, expiresAtMs in ipairs(#own > 0 and redis.call('ZMSCORE', permitsKey, unpack(own)) or {}) do
    -- What is still there after reaping has not expired, unless there was too much to reap.
    if expiresAtMs and not (semaphore.unfinished and tonumber(expiresAtMs) <= semaphore.nowMs) then
      isHeld[own[i]] = true
      held[#held + 1] = own[i]
    end
  end
  if #held > 0 then
    redis.call('ZREM', permitsKey, unpack(held))
  end
  return isHeld
end

local isHeld = takeOut()
local answers = {}
for i = firstRecord, #records do
  local record = records[i]
  answers[#answers + 1] = isHeld[record] and 1 or 0
  if isHeld[record] then
    isHeld[record] = nil -- named twice, it counts once
    semaphore.held = semaphore.held - weightOf[record]
  elseif semaphore.nowMs < semaphore.revokedUntilMs and isRevoked(semaphore, record) then
    answers[#answers] = 'revoked'
  end
end
-- From the line too, whatever the records were last known to be: a cancelled request may have been granted in
-- between, and a late copy of an acquire may have queued a released one again.
if semaphore.hasLine and #own > 0 then
  redis.call('ZREM', waitersKey, unpack(own))
end

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore))
