-- Grants permits in the order of asking, or appends to the line what does not fit.
--
-- #include shared/arguments
-- ARGV[3] knownTerms   integer: the number of the terms that the caller knows, if it declares no others; 0
--                      for none
-- ARGV[4] allWeight    integer: what the requests weigh together, if all are alike; below 0 if they may not
--                      join any line; 0 if they are not alike
-- ARGV[5] leaseMs      integer: the lease of the first
-- ARGV[6...] records   the record of each request; at most 500
local knownTerms, allWeight, leaseMs = ARGV[3] + 0, ARGV[4] + 0, ARGV[5] + 0
local records, firstRecord = ARGV, 6
--
-- Reply: as in shared/reply.lua, with an answer of three values for each request:
--   'granted', token, expiry in ms
--   'queued', ticket, 0
--   'full', waiting, 0         the line is longer than the request allows; nothing was queued
--   'impossible', limit, 0     weight > limit > 0; nothing was queued
--   'revoked', 0, 0            somebody took it away since it was asked for first
-- or { 'mismatch', now in µs, epoch, declared limit, limit in force }; nothing was changed
-- or now in µs, a single number: the terms are those that the caller knows, all is granted, the leases
-- begin now, and the first token is this number, the next one higher by 1, and so on
-- or the same number below 0: all is queued, and the numbers are their tickets

-- #include shared/clock
-- #include shared/numbers

-- Whether none of the records is in a key.
local function areAbsent(key)
  for _, score in ipairs(redis.call('ZMSCORE', key, unpack(records, firstRecord))) do
    if score then
      return false
    end
  end
  return true
end

-- The most frequent cases: like requests of a caller that knows the terms; either nobody waits and all fit,
-- or somebody waits, nothing is free, and all go to the end of the line. They go straight on, before anything
-- is made that they do not need, and do what the rest of the script would do (test/lua/straight.test.ts
-- compares them). While the semaphore is calm no rare number is in force; before dueMs nothing has to be
-- reaped or given a new TTL; within half of the shortest presence time there was no silence. Who knows the
-- terms knows the epoch, and has told its own. What is left to be asked is whether the keys are there, and
-- whether the records are new. If some are not, the call came twice, and the rest of the script says what
-- became of it; those that are new were granted all the same, if it was a grant.
local timeUs = serverTimeUs()
local numbers = knownTerms > 0 and allWeight ~= 0 and redis.call('HGET', stateKey, 'numbers')
if numbers then
  local terms, epoch, limit, declared, held, seq, lastMs, dueMs, retentionMs, presenceMs, freshAtMs, hasLine,
    isCalm, isRare = struct.unpack(numbersFormat, numbers)
  local nowMs = math.floor(timeUs / 1000)
  local count, weight = #records - firstRecord + 1, math.abs(allWeight)
  if terms == knownTerms and isCalm == 1 and nowMs >= lastMs and nowMs <= lastMs + presenceMs / 2
    and nowMs < dueMs and timeUs > seq and timeUs > seen
  then
    local added, reply
    if hasLine == 0 and held + weight <= limit
      and (held == 0 or redis.call('EXISTS', permitsKey) == 1)
    then
      local expiresAtMs = nowMs + leaseMs
      local permits, score = {}, count == 1 and expiresAtMs or string.format('%.0f', expiresAtMs)
      for i = firstRecord, #records do
        permits[#permits + 1] = score
        permits[#permits + 1] = records[i]
      end
      added = redis.call('ZADD', permitsKey, 'NX', unpack(permits))
      if held == 0 then
        redis.call('PEXPIRE', permitsKey, math.ceil(retentionMs * 9 / 8))
      end
      held, dueMs, reply = held + weight / count * added, math.min(dueMs, expiresAtMs), timeUs
    elseif hasLine == 1 and held >= limit and allWeight > 0 and weight / count <= limit
      and redis.call('EXISTS', permitsKey, waitersKey, clientsKey) == 3
      and areAbsent(permitsKey) and (count == 1 or areAbsent(waitersKey))
    then
      local clientId, callerPresenceMs = string.match(callerText, '^([^\n]*)\n([^\n]*)')
      local waiters = {}
      for i = firstRecord, #records do
        waiters[#waiters + 1] = timeUs + i - firstRecord
        waiters[#waiters + 1] = records[i]
      end
      added, reply = redis.call('ZADD', waitersKey, 'NX', unpack(waiters)), -timeUs
      redis.call('ZADD', clientsKey, nowMs + callerPresenceMs, clientId)
    end
    if added then
      redis.call('HSET', stateKey, 'numbers', struct.pack(numbersFormat, terms, epoch, limit, declared, held,
        added == count and timeUs + count - 1 or seq, nowMs, dueMs, retentionMs, presenceMs, freshAtMs,
        hasLine, isCalm, isRare))
      if added == count then
        return reply
      end
    end
  end
end

-- #include shared/caller
-- Whether another limit that was declared is an 'error', or to 'adopt' or to 'resize'; 'settled': let be.
-- And the requests, in runs of like ones: weight, leaseMs, maxWaiting, how many; ... maxWaiting is the
-- longest line that the request may join: -1 any, 0 for a try, which never waits.
local onLimitMismatch, numbersOfRuns = string.match(callerText, '\n(%a+)([^\n]*)$')
local runs = {}
for number in string.gmatch(numbersOfRuns, '%-?%d+') do
  runs[#runs + 1] = number + 0
end

-- #include shared/record
-- #include shared/semaphore
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

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, timeUs, seen,
  presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
if limit ~= semaphore.declared then
  if onLimitMismatch == 'error' then
    return { 'mismatch', semaphore.nowUs, semaphore.epoch, semaphore.declared, semaphore.limit }
  elseif onLimitMismatch == 'resize' then
    agree(semaphore, 'declared', limit)
    agree(semaphore, 'limit', limit)
  end
end

reap(semaphore)
local told = handOff(semaphore, clientId, presenceMs)
local waiting = semaphore.hasLine and redis.call('ZCARD', waitersKey) or 0
local queuedAny = false

-- Calls `take` for each request: record, weight, leaseMs, maxWaiting.
local function eachRequest(take)
  local at = firstRecord
  for i = 1, #runs, 4 do
    for _ = 1, runs[i + 3] do
      take(records[at], runs[i], runs[i + 1], runs[i + 2])
      at = at + 1
    end
  end
end

-- The scores that the records have in a key, read in one command: record -> score.
local function scoresIn(key)
  local scores = {}
  for i, score in ipairs(redis.call('ZMSCORE', key, unpack(records, firstRecord))) do
    scores[records[firstRecord + i - 1]] = tonumber(score)
  end
  return scores
end

-- What is known of the records, and what is to be written, all at once: score, record, ...
local areAny = #records >= firstRecord
local heldUntilMs = areAny and semaphore.held > 0 and scoresIn(permitsKey) or {}
local tickets = areAny and waiting > 0 and scoresIn(waitersKey) or {}
local newPermits, newWaiters, answers = {}, {}, {}
local isFirstPermit, isFirstWaiter = semaphore.held == 0, waiting == 0

-- A request may come twice: re-sent by the client or by its connection. What was granted or queued before is
-- answered as it stands, and counts once.
eachRequest(function(record, weight, requestLeaseMs, maxWaiting)
  local untilMs, ticket = heldUntilMs[record] or 0, tickets[record]
  if untilMs > semaphore.nowMs then
    return say(answers, 'granted', drawNumber(semaphore), untilMs)
  end
  if untilMs > 0 then -- expired, and not reaped yet
    heldUntilMs[record] = nil
    redis.call('ZREM', permitsKey, record)
    isFirstPermit = true -- it may have been the last, and its key gone with its TTL
    semaphore.held = semaphore.held - weight
  end
  if semaphore.nowMs < semaphore.revokedUntilMs and isRevoked(semaphore, record) then
    return say(answers, 'revoked', 0, 0)
  end
  if waiting == 0 and fits(semaphore, weight) then
    untilMs = semaphore.nowMs + requestLeaseMs
    newPermits[#newPermits + 1] = untilMs
    newPermits[#newPermits + 1] = record
    heldUntilMs[record] = untilMs
    semaphore.held = semaphore.held + weight
    semaphore.dueMs = math.min(semaphore.dueMs, untilMs)
    return say(answers, 'granted', drawNumber(semaphore), untilMs)
  end
  if not ticket then
    if semaphore.limit > 0 and weight > semaphore.limit then
      return say(answers, 'impossible', semaphore.limit, 0)
    end
    if maxWaiting >= 0 and waiting >= maxWaiting then
      return say(answers, 'full', waiting, 0)
    end
    ticket = drawNumber(semaphore)
    newWaiters[#newWaiters + 1] = ticket
    newWaiters[#newWaiters + 1] = record
    tickets[record] = ticket
    waiting = waiting + 1
  end
  queuedAny = true
  say(answers, 'queued', ticket, 0)
end)

if #newPermits > 0 then
  redis.call('ZADD', permitsKey, unpack(newPermits))
  if isFirstPermit then
    keep(semaphore, permitsKey)
  end
end
if #newWaiters > 0 then
  redis.call('ZADD', waitersKey, unpack(newWaiters))
  semaphore.hasLine = true
  if isFirstWaiter then
    keep(semaphore, waitersKey)
  end
end
if queuedAny then
  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)
  if isFirstWaiter then
    keep(semaphore, clientsKey) -- it may have been made here; while there is a line it was there
  end
end

saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, queuedAny and isFirstWaiter and clientId))
