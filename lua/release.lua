-- Takes records out, wherever they are: a held permit is released, a waiter leaves the line.
--
-- #include shared/arguments
-- ARGV[3] knownTerms   integer: the number of the terms that the caller knows, 0 for none
-- ARGV[4] allWeight    integer: what the records weigh together, if all are the caller's own and each is
--                      named once; 0 if not
-- ARGV[5...] records   those to take out; at most 500
local knownTerms, allWeight, records, firstRecord = ARGV[3] + 0, ARGV[4] + 0, ARGV, 5
--
-- Reply: as in shared/reply.lua, with an answer for each record: 1 if it was a held permit of the caller and
-- is released, 'revoked' if somebody took it away before, else 0. A permit whose lease has expired is not
-- held, reaped or not.
-- Or { now in µs, grants ... }, or now in µs, a single number, if there are no grants: the terms are those
-- that the caller knows, and each was held and is released.

-- #include shared/clock
-- #include shared/numbers

-- Takes all of the records out, if all are held. ZREM is a write that a full Redis allows.
local function takeOutAll()
  if #records == firstRecord then
    return redis.call('ZREM', permitsKey, records[firstRecord]) == 1
  end
  local all = { unpack(records, firstRecord) }
  for _, expiresAtMs in ipairs(redis.call('ZMSCORE', permitsKey, unpack(all))) do
    if not expiresAtMs then
      return false
    end
  end
  redis.call('ZREM', permitsKey, unpack(all))
  return true
end

-- The most frequent cases: permits that are held, and either nobody waits, or those at the head of the line
-- take all that gets free. They go straight on, before anything is made that they do not need, and do what
-- the rest of the script would do (test/lua/straight.test.ts compares them). While the semaphore is calm no
-- rare number is in force; before dueMs no permit has expired, and no key needs a new TTL; within half of the
-- shortest presence time there was no silence. So a record that is there is held. If one is missing, or
-- more has to be judged, nothing was changed yet, and the rest of the script does all of it.
local timeUs = serverTimeUs()
local numbers = knownTerms > 0 and allWeight > 0 and redis.call('HGET', stateKey, 'numbers')
local isStraight = false
if numbers then
  local terms, epoch, limit, declared, held, seq, lastMs, dueMs, retentionMs, presenceMs, freshAtMs, hasLine,
    isCalm, isRare = struct.unpack(numbersFormat, numbers)
  local nowMs = math.floor(timeUs / 1000)
  isStraight = terms == knownTerms and isCalm == 1 and nowMs >= lastMs and nowMs <= lastMs + presenceMs / 2
    and nowMs < dueMs and seq >= seen
  if isStraight and hasLine == 0 and takeOutAll() then
    redis.call('HSET', stateKey, 'numbers', struct.pack(numbersFormat, terms, epoch, limit, declared,
      held - allWeight, seq, nowMs, dueMs, retentionMs, presenceMs, freshAtMs, 0, isCalm, isRare))
    return timeUs
  end
  isStraight = isStraight and hasLine == 1
end

-- #include shared/record
-- #include shared/next-in-line
-- #include shared/announce

if isStraight then
  local terms, epoch, limit, declared, held, seq, _, dueMs, retentionMs, presenceMs, freshAtMs, _, isCalm,
    isRare = struct.unpack(numbersFormat, numbers)
  local nowMs = math.floor(timeUs / 1000)
  local clientId, ownPresenceMs, channelPrefix, name =
    string.match(callerText, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)')
  held = held - allWeight
  local next = nextInLine(waitersKey, clientsKey, limit - held, nowMs, clientId, ownPresenceMs)
  if next and takeOutAll() then
    redis.call('ZREMRANGEBYRANK', waitersKey, '0', #next.clients - 1)
    redis.call('ZADD', permitsKey, unpack(next.permits))
    if held == 0 then
      redis.call('PEXPIRE', permitsKey, math.ceil(retentionMs * 9 / 8))
    end
    local told = {}
    for i, client in ipairs(next.clients) do
      seq = math.max(seq + 1, timeUs)
      tell(told, client, next.permits[2 * i], seq, next.permits[2 * i - 1])
    end
    redis.call('HSET', stateKey, 'numbers', struct.pack(numbersFormat, terms, epoch, limit, declared,
      held + next.weight, seq, nowMs, math.min(dueMs, next.endsAtMs), retentionMs, presenceMs, freshAtMs,
      next.isAll and 0 or 1, isCalm, isRare))
    local now = { stateKey = stateKey, epoch = epoch, nowUs = timeUs, limit = limit }
    local grants = announce(now, told, clientId, channelPrefix, name)
    return #grants > 0 and { timeUs, unpack(grants) } or timeUs
  end
end

-- #include shared/caller
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/hand-off
-- #include shared/look-again
-- #include shared/reply
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, timeUs, seen,
  presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)
reap(semaphore)

local own, weightOf = {}, {}
for i = firstRecord, #records do
  local client, weight = readRecord(records[i])
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
if semaphore.hasLine and #own > 0 and redis.call('ZREM', waitersKey, unpack(own)) > 0 then
  semaphore.hasLine = redis.call('EXISTS', waitersKey) == 1
end

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore))
